/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the reader of traces share: a line with its values, and what was told so far of
 * a machine that is not there.
 */
#ifndef MACHINE_LINT_H
#define MACHINE_LINT_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include <dmasim/lint.h>

#include "machine/machine.h"

/* ---- Lines ------------------------------------------------------------ */

#define LINT_LINE_BYTES	 4096 /* a line of a trace has less than TRACE_LINE_BYTES */
#define LINT_BLOCK_BYTES 65536

/* How a value looks. */
enum lint_kind {
	LINT_HEX,
	LINT_DECIMAL,
	LINT_SMALL, /* decimal, of 32 bits */
	LINT_FLAG,  /* 0 or 1 */
	LINT_BDF,
	LINT_WORD, /* of a list */
	LINT_NAME, /* any word */
	LINT_TEXT, /* in quotes */
	LINT_PROT,
	LINT_RESULT,
};

struct lint_key {
	const char *name;
	enum lint_kind kind;
	bool optional;
	const char *(*word)(u32 number); /* NULL: there is no such number */
};

#define LINT_KEYS_MAX 16

struct lint_value {
	bool given;
	u64 number;	  /* of a word in its list; of a result as it is, sign and all */
	const char *text; /* names and texts: not terminated */
	u32 length;
};

struct lint;

/* Takes a line whose values are read. 0, or an error with the text written. */
typedef int lint_take(struct lint *lint, const struct lint_value *value);

struct lint_form {
	const char *name;
	u32 length;
	enum dmasim_event_type event; /* of the software, if take is lint_take_event() */
	lint_take *take;
	u32 key_count;
	struct lint_key key[LINT_KEYS_MAX];
};

/* ---- What was told ---------------------------------------------------- */

struct lint_bus {
	RB_ENTRY(lint_bus) by_number;
	u32 number; /* with its segment */
	struct hw_root root;
};

RB_HEAD(lint_bus_tree, lint_bus);

struct lint_device;

struct lint_bar {
	struct interval at;	    /* where the CPU finds it; first member */
	struct lint_device *device; /* NULL: the trace has not told of it */
	u64 bus;
	u32 index;
};

struct lint_device {
	RB_ENTRY(lint_device) by_number;
	dmasim_sbdf number;
	struct hw_function function;
	struct lint_bar bar[PCI_STD_NUM_BARS];
};

RB_HEAD(lint_device_tree, lint_device);

/* Of a host bridge whose buses are [first, last]. */
struct lint_window {
	u32 first, last; /* with their segment */
	u64 start, bytes;
};

#define LINT_DEVICES_MAX  65536U
#define LINT_WINDOWS_MAX  1024U
#define LINT_RESERVED_MAX 1024U
#define LINT_UNITS_MAX	  256U
#define LINT_ENTRIES_MAX  (1U << 24)

/* A call that found or lost something is a line of the trace; these live as long as the machine. */
#define LINT_SITES 1024

struct lint_sites {
	SLIST_ENTRY(lint_sites) link;
	u32 used;
	struct dmasim_site site[LINT_SITES];
};

/* Reports of one kind about one place: found here, less those that the trace has. */
struct lint_balance {
	RB_ENTRY(lint_balance) by_what;
	enum dmasim_report_id id;
	dmasim_sbdf dev;
	u64 dma;
	s64 more;
	u64 line; /* of the latest that made it differ */
};

RB_HEAD(lint_balance_tree, lint_balance);

#define LINT_FORMS_MAX 96
#define LINT_SLOTS     512 /* of the table of names: a power of two */

struct lint {
	struct hw_told told; /* first member */
	struct dmasim *s;
	const struct dmasim_lint *how;
	struct dmasim_lint_result *result;
	char *name;

	/* Reading. */
	char *block;
	size_t start, end; /* of what is in the block */
	bool at_end;
	const char *at; /* in the line, which ends at `stop` */
	const char *stop;
	u64 line;
	u64 time;
	const struct lint_form *now; /* of the line */
	u32 form_count;
	struct lint_form form[LINT_FORMS_MAX];
	u8 slot[LINT_SLOTS]; /* number of a form, plus 1 */

	/* The machine. */
	u32 device_count;
	struct lint_device *recent;
	struct lint_device_tree devices;
	struct lint_bus_tree buses;
	struct interval_tree bars;
	u32 window_count;
	struct lint_window *window;
	struct platform_firmware firmware;
	struct platform_reserved *reserved;
	bool below_root; /* said of the line that is judged */
	enum memory_kind memory;
	const struct hw_arch *arch; /* of its IOMMUs */
	u8 address_bits;	    /* of physical addresses */

	/* Calls. */
	SLIST_HEAD(, lint_sites) sites;
	u32 entry_count, entry_room;
	struct scatterlist *entry;
	struct dmasim_event_list list;		       /* of the call that is judged */
	char warning[CHECK_CPUS][2][TRACE_TEXT_BYTES]; /* the latest, and the one before */

	struct lint_balance_tree balances;
	struct report *last; /* that was told, where they stay */
	bool no_memory;
	bool compared; /* the run had its checker on */
};

/* "name:line: what, expected ..." into the result. Returns -EINVAL. */
int lint_wrong(struct lint *lint, const char *format, ...) DMASIM_PRINTF(2, 3);
int lint_no_memory(struct lint *lint);
/* Memory of the machine that lives as long as it does, zeroed. NULL: the error is written. */
void *lint_alloc(struct lint *lint, size_t bytes);

/* The forms of all lines. */
void lint_forms_init(struct lint *lint);
/* Adds one; its keys are to be filled in. */
struct lint_form *lint_form_add(struct lint *lint, const char *name, lint_take *take);
void lint_form_key(struct lint_form *form, const struct lint_key *key);
/* A kind of memory by its number; NULL: there is none. */
const char *lint_memory_word(u32 number);
/* Those of the software's events (lint_event.c), and the others (lint_other.c). */
void lint_events_init(struct lint *lint);
void lint_others_init(struct lint *lint);

/* Reads "t= cpu= name key=value ..." and takes it. */
int lint_read_line(struct lint *lint);
int lint_read_header(struct lint *lint);

/* ---- The machine that is not there (lint_machine.c) ------------------- */

void lint_machine_init(struct lint *lint);
void lint_machine_fini(struct lint *lint);

/* The device of a number; made if need be. NULL: the error is written. */
struct lint_device *lint_device(struct lint *lint, dmasim_sbdf number);
/* The unit of a number, which this device is below; made if need be. NULL: the error is written. */
struct hw_iommu *lint_unit(struct lint *lint, u32 number, dmasim_sbdf below);

lint_take lint_take_ram, lint_take_window, lint_take_device, lint_take_reserved, lint_take_bar,
	lint_take_bar_lost, lint_take_memory;

/* ---- Reports (lint_compare.c) ----------------------------------------- */

/* Tells what the line has found; compare: the run has looked for it, too. */
void lint_tell(struct lint *lint, bool compare);
/* The run has found that. */
void lint_expect(struct lint *lint, enum dmasim_report_id id, dmasim_sbdf dev, u64 dma);
/* At the end: what differs. */
void lint_compare(struct lint *lint);
void lint_compare_fini(struct lint *lint);

/* The call site that stands for this line; NULL: no memory, and the error is written. */
const struct dmasim_site *lint_site(struct lint *lint, const char *function);

#endif
