/* SPDX-License-Identifier: MIT */
/*
 * dmasim topo: a machine's PCI tree, read once, and the forms it is printed in.
 *
 *   topo_model.c    the machine -> functions with all that is told of them
 *   topo_tree.c     text for people
 *   topo_dot.c      Graphviz
 *   topo_svg.c      a picture; where its boxes are: topo_place.c
 *   topo_json.c     for programs; its schema is described there
 */
#ifndef CLI_TOPO_H
#define CLI_TOPO_H

#include "cli.h"

#define TOPO_NONE UINT32_MAX

/* What of a function is known, of something that it may have. */
enum topo_known {
	TOPO_UNKNOWN, /* the dump is too short to show it */
	TOPO_ABSENT,
	TOPO_PRESENT,
};

struct topo_window {
	u64 start; /* of a host bridge: CPU address; else on the bus */
	u64 bytes;
	u64 bus_offset; /* of a host bridge's: bus address = CPU address + bus_offset */
	bool prefetch;
	bool inferred;
};

#define TOPO_BRIDGE_WINDOWS 2

struct topo_bar {
	u32 index;
	u64 address; /* on the bus */
	u64 bytes;
	bool io;
	bool is_64;
	bool prefetch;
	bool inferred; /* its size is a guess */
};

struct topo_function {
	struct pci_dev *pdev;
	const char *name; /* "0000:3a:00.0" */
	u32 host_bridge;
	u32 above; /* the bridge that leads to its bus; TOPO_NONE: it is on a root bus */
	u32 depth; /* 1: on a root bus */
	u32 config_bytes;
	bool answered; /* else nothing is known of it */
	bool bridge;
	bool multifunction;
	const char *class_word;
	const char *type_word;
	enum topo_known express;
	s32 express_type; /* PCI_EXP_TYPE_, if express is TOPO_PRESENT */
	bool port;	  /* a root port, or a switch's */
	u32 port_number;  /* of a port; 0, too, where nothing tells it */
	u32 secondary;	  /* of a bridge; 0: it leads nowhere */
	u32 subordinate;
	bool memory_off; /* though there is something to decode */
	u32 window_count;
	struct topo_window window[TOPO_BRIDGE_WINDOWS]; /* open and decoded */
	u32 bar_count;
	struct topo_bar bar[PCI_STD_NUM_BARS];
	enum topo_known acs;
	u16 acs_cap;
	u16 acs_control;
	enum topo_known ats; /* this and what follows: a dump of 4096 bytes shows it */
	bool ats_on;
	enum topo_known sriov;
	u32 virtual_functions; /* that it may have at most */
	u32 virtual_on;	       /* that it has */
	const char *physfn;    /* of a virtual function: whose it is; else NULL */
	const char *real_dma;  /* whose number its requests bear (below VMD); NULL: its own */
};

struct topo_host_bridge {
	u16 segment;
	u8 bus_first;
	u8 bus_last;
	u32 window_count;
	u32 first_window; /* of topo.window */
	u32 function_count;
	u32 first_function; /* of topo.function */
};

struct topo_ram {
	phys_addr_t start;
	u64 bytes;
};

/* Functions: parents before children, of one host bridge after the other. */
struct topo {
	u32 function_count;
	struct topo_function *function;
	u32 host_bridge_count;
	struct topo_host_bridge *host_bridge;
	u32 window_count;
	struct topo_window *window; /* of host bridges */
	u32 ram_count;
	struct topo_ram *ram;
	u32 bridge_count;
	struct dmasim_error notes;
};

/* False: there is no memory. topo_free() in any case. */
bool topo_read(struct topo *topo, struct dmasim *s, const struct dmasim_error *notes);
void topo_free(struct topo *topo);

/* "SV", "TB", ...: the bits of the ACS control word from bit 0 on; NULL: no more. */
const char *topo_acs_letters(u32 bit);

/* A port or a device that can let requests pass to its neighbours, so that ACS matters. */
bool topo_acs_matters(const struct topo_function *function);

/* How far ACS keeps apart what is below or beside the function. */
enum topo_isolation {
	TOPO_REDIRECTS, /* requests and completions go up */
	TOPO_LETS_PASS, /* it could, and is not told to */
	TOPO_NO_ACS,
	TOPO_ACS_HIDDEN,
};
enum topo_isolation topo_isolation(const struct topo_function *function);

/* What a port of each kind does, for legends. */
const char *topo_isolation_text(enum topo_isolation isolation);

#define TOPO_TEXT_BYTES 64

/* "ACS SV RR CR UF", "ACS off", "no ACS", "ACS unknown", into text. */
const char *topo_acs_text(const struct topo_function *function, char text[TOPO_TEXT_BYTES]);

/* What a port or a bridge is, or else a device's class. */
const char *topo_title(const struct topo_function *function);

/* The upstream port of a switch: what is on its secondary bus is inside the switch. */
bool topo_is_switch(const struct topo_function *function);

/* Each writes all of it. */
void topo_print_tree(const struct topo *topo, FILE *to);
void topo_print_dot(const struct topo *topo, FILE *to);
bool topo_print_svg(const struct topo *topo, FILE *to); /* false: no memory */

/* CLI_DONE; CLI_BAD_INPUT: built without Jansson, or no memory, and a line on stderr says so. */
int topo_print_json(const struct topo *topo, const char *command, FILE *to);

#endif
