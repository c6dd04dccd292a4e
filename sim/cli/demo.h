/* SPDX-License-Identifier: MIT */
/*
 * The demonstration: how unmap knows what an address is, in each of Linux's three interfaces.
 *
 *   demo.c          arguments, and which flows run
 *   demo_stage.c    the machine: built in or imported, with the devices of the play
 *   demo_page.c     flow 1: one call per mapping
 *   demo_list.c     flow 2: scatterlists (and their part of flow 4)
 *   demo_state.c    flow 3: two steps (and their part of flow 4)
 *   demo_judge.c    what happened, held against what should: it knows nothing of planted bugs
 */
#ifndef CLI_DEMO_H
#define CLI_DEMO_H

#include "cli.h"

#define DEMO_BYTES ((u64)SZ_1M)

/* A mistake put into the flow under test, to see that it is caught. */
enum demo_plant {
	PLANT_NOTHING,
	PLANT_WINDOWS, /* host-bridge windows are not reserved, though the flow counts on it */
	PLANT_FLAG,    /* a scatterlist entry loses its bus-address flag before the unmap */
	PLANT_SYNC,    /* dma_iova_sync() is left out */
	PLANT_UNLINK,  /* the last granule is not unlinked */
	PLANT_TYPE,    /* the wrong map type is used */
};

struct demo_options {
	const char *topology; /* lspci dump; NULL: the built-in server */
	const char *client;   /* BDF; NULL: chosen */
	const char *provider;
	bool acs_given;
	bool acs_off;
	bool cpu_given;
	enum dmasim_cpu cpu;
	u32 cpu_family;
	u64 seed;
	const char *trace_name; /* NULL: no trace */
	FILE *trace;
	enum demo_plant plant;
};

/* One machine with the devices of the play, ready to be used. */
struct demo_stage {
	const struct demo_options *options;
	struct dmasim *s;
	struct pci_dev *client;
	struct pci_dev *provider;
	/* Of the client's domain, but on another way to the root; NULL: this machine has none. */
	struct pci_dev *neighbour;
	int bar; /* the provider's BAR that is peer memory */
	struct p2pdma_provider *mem;
	enum pci_p2pdma_map_type type;
	int distance;
	void *peer; /* DEMO_BYTES of the provider's memory */
	phys_addr_t peer_phys;
	u8 *sent;     /* what the client sends; DEMO_BYTES each */
	u8 *received; /* what it reads back */
};

/*
 * Builds the stage. 0, or an exit status after one line on stderr. hide_windows: firmware does not
 * describe the host bridges' windows.
 */
int stage_open(struct demo_stage *stage, const struct demo_options *options, bool acs_off,
	       bool hide_windows);
void stage_close(struct demo_stage *stage);

/* What kind of device it is, in a word or two. */
const char *stage_role(const struct pci_dev *pdev);

/* The name of a map type. */
const char *stage_type_name(enum pci_p2pdma_map_type type);

/* "what", and below it the way of a write of the device to this address. */
void stage_print_route(const char *what, struct pci_dev *pdev, dma_addr_t dma);

/* Scattered pages of RAM, DEMO_BYTES in all. */
#define DEMO_PAGES (DEMO_BYTES / PAGE_SIZE)

bool stage_pages(struct demo_stage *stage, phys_addr_t page[DEMO_PAGES]);

/* A piece of a buffer: what the client calls it, and where it really is. */
struct demo_piece {
	dma_addr_t dma;
	phys_addr_t phys;
	u64 bytes;
};

/*
 * The client writes its pattern through the pieces and reads it back. True if both transfers went
 * through, and the bytes are right as the CPU sees them and as the client read them.
 */
bool stage_move(struct demo_stage *stage, const struct demo_piece *piece, u32 count);

/* ---- Judging ---------------------------------------------------------- */

/* What one flow did with one buffer: a row of the table. */
struct demo_row {
	const char *flow;
	const char *buffer;
	const char *mapped_as;
	const char *unmapped_as;
	struct dmasim_costs before;
	u64 iovas;
	u64 entries;
	u64 invalidations;
	bool data_right;
	bool is_peer;	       /* peer memory was reached ... */
	bool peer_passed_root; /* ... this way */
	bool peer_reached;     /* ... and the way ends in the provider's BAR */
	const char *verdict;   /* set by the judge */
};

#define DEMO_ROWS_MAX 16

struct demo_ledger {
	struct demo_row row[DEMO_ROWS_MAX];
	u32 count;
	bool failed;
};

/* Opens a row; costs count from here on. Close it when the buffer is unmapped. */
struct demo_row *row_open(struct demo_ledger *ledger, struct demo_stage *stage, const char *flow,
			  const char *buffer);
void row_close(struct demo_row *row, struct demo_stage *stage);

/* Notes how the client reaches an address of peer memory. */
void row_peer(struct demo_row *row, struct demo_stage *stage, dma_addr_t dma);

/*
 * Judges a row: the data, the way that peer memory was reached, and what should have been counted.
 * `good` becomes the verdict if all is right.
 */
struct demo_expected {
	const char *good;
	u64 iovas;
	u64 invalidations;
};
void judge_row(struct demo_ledger *ledger, struct demo_row *row, const struct demo_stage *stage,
	       const struct demo_expected *expected);

/* A thing that must be so: else it is told, and the demonstration fails. */
void judge_that(struct demo_ledger *ledger, bool holds, const char *what);

/* Ends a stage: prints every report that the flow does not account for. */
void judge_clean(struct demo_ledger *ledger, struct demo_stage *stage);

void ledger_print(const struct demo_ledger *ledger);

/* ---- Flows ------------------------------------------------------------ */

/* Each runs on stages of its own. 0, or an exit status after one line on stderr. */
int flow_page(const struct demo_options *options, bool acs_off, struct demo_ledger *ledger);
int flow_list(const struct demo_options *options, bool acs_off, struct demo_ledger *ledger);
int flow_state(const struct demo_options *options, bool acs_off, struct demo_ledger *ledger);
int flow_phys(const struct demo_options *options, bool acs_off, struct demo_ledger *ledger);

#endif
