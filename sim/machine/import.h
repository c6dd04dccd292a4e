/* SPDX-License-Identifier: MIT */
/*
 * Becoming the machine of an lspci dump.
 *
 *   import.c         all of it, in order
 *   import_dump.c    file -> functions: address, line, registers; by lines (import_lines.c) that
 *                    are hexadecimal (import_hex.c) or text (import_text.c)
 *   import_description.c  a program's tables -> functions, and what they tell of host bridges
 *   import_host.c    the running host's sysfs -> functions, and what it tells of them
 *   import_tree.c    functions -> tree, by the bus numbers in the bridges; and the tree -> hardware
 *   import_infer.c   what a function's registers do not say: sizes of BARs; ACS off
 *   import_cpu.c     which CPU it is
 *   import_record.c  what was read, as it was read: it stays
 *   import_virtual.c whose the virtual functions of SR-IOV are
 *   import_vmd.c     which endpoint a domain of more than 16 bits is behind
 *   import_window.c  what no function's registers say: host bridges' windows, and RAM beside them
 *
 * Nothing of the machine changes before all of this is known. When it went well, the error's text
 * holds notes: what of the dump was left out or could not be had, and why. It is empty if there is
 * nothing to tell.
 */
#ifndef MACHINE_IMPORT_H
#define MACHINE_IMPORT_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include "machine/machine.h"
#include "world/text.h"

/* A dump of more is refused. */
#define IMPORT_FUNCTIONS_MAX  16384
#define IMPORT_FILE_BYTES_MAX (256ULL << 20)
#define IMPORT_LINE_BYTES_MAX (1ULL << 20)

/* The registers that every function has: a dump of no more shows no capabilities. */
#define IMPORT_HEADER_BYTES 64

/* A function's own BARs, then the ones of its virtual functions (SR-IOV). */
#define IMPORT_BARS (2 * PCI_STD_NUM_BARS)

struct import_bar {
	u64 address; /* on the bus; 0: not assigned */
	u64 bytes;   /* of one; 0: not implemented */
	u32 count;   /* one for each virtual function, side by side; else 1 */
	bool io;
	bool told;     /* bytes is from the machine's description, not from the registers */
	bool inferred; /* bytes is a guess */
};

enum import_kind {
	IMPORT_FUNCTION,
	IMPORT_SILENT, /* every register reads as ones: it did not answer; it reads as zeros here */
	IMPORT_VIRTUAL, /* no enumeration finds it by itself; as a rule its vendor reads as ones */
};

struct import_root;
struct import_query;

struct import_function {
	RB_ENTRY(import_function) by_address;
	RB_ENTRY(import_function) by_secondary; /* bridges that lead somewhere */
	TAILQ_ENTRY(import_function) below;	/* of its root */
	u32 domain;				/* more than 16 bits are left out */
	u8 bus;
	u8 devfn;
	enum import_kind kind;
	u32 line;		       /* of its header */
	struct import_function *above; /* the bridge that leads to its bus */
	/* Of a virtual function: whose it is, and which; NULL: it is none, or it is left out. */
	struct import_function *physfn;
	u16 vf_index;
	struct import_root *root; /* NULL: it is left out */
	struct import_bar bar[IMPORT_BARS];
	struct hw_span
		window[2]; /* bridges: memory, prefetchable memory; memory enable is not asked */
	struct hw_function *made;
	struct import_record *record;	  /* of its registers as they were read */
	u32 tlb_entries;		  /* of a function with ATS; 0: as many as usual */
	bool acs_hidden;		  /* text that names the capability and not its bits */
	bool named_virtual;		  /* a virtual function, says its name */
	bool bars_counted;		  /* their numbers are a guess: lspci -v does not tell */
	u8 told_by;			  /* IMPORT_BY_HEX, IMPORT_BY_TEXT */
	struct import_query *device_name; /* what stands for its numbers, until they are known */
	struct import_query *class_name;
	u32 hex_bytes; /* of them by hexadecimal lines */
	u32 config_bytes;
	u8 *config;
};

RB_HEAD(import_functions, import_function);
RB_HEAD(import_bridges, import_function);
TAILQ_HEAD(import_function_list, import_function);

/* Below 4 GiB and above. */
#define IMPORT_HALVES 2

struct import_root {
	TAILQ_ENTRY(import_root) link;
	struct import_function_list functions; /* bridges before what is below them */
	u16 segment;
	u8 bus_first;
	u8 bus_last;
	struct hw_span *span; /* what its functions claim: sorted, disjoint, none across 4 GiB */
	u32 span_count;
	struct hw_span hull[IMPORT_HALVES];
	u32 window_count;
	struct hw_window window[HW_ROOT_WINDOWS_MAX];
	/* The endpoint that it is behind (VMD); NULL: none. It needs no windows of its own then. */
	const struct import_function *endpoint;
	u32 inbound_count;
	struct hw_inbound inbound[HW_ROOT_INBOUND_MAX];
};

TAILQ_HEAD(import_root_list, import_root);

struct import {
	struct dmasim *s;
	const char *file;
	const struct dmasim_description *description; /* NULL: it is read from elsewhere */
	struct dmasim_import how;
	struct import_functions functions; /* by domain, bus, device and function */
	struct import_bridges bridges;	   /* by domain and secondary bus */
	u32 function_count;
	struct import_root_list roots; /* by segment and bus */
	phys_addr_t high_ram;	       /* where the RAM above 4 GiB goes */
	enum platform_cpu_vendor cpu_vendor;
	u32 cpu_family;
	struct text error;
	struct text notes;
};

int import_compare(struct import_function *a, struct import_function *b);
RB_PROTOTYPE(import_functions, import_function, by_address, import_compare)

/* "file:line: ..." into the error; line 0: of the file as a whole. Returns -EINVAL. */
int import_error(struct import *import, u32 line, const char *format, ...) DMASIM_PRINTF(3, 4);

/* Adds to the notes. */
void import_note(struct import *import, const char *format, ...) DMASIM_PRINTF(2, 3);

/* "0000:3a:00.0" */
struct import_name {
	char text[24];
};
struct import_name import_name(const struct import_function *function);

/* Reads such a name, with or without a domain of 4 to 8 digits; false: it is none. */
bool import_address(const char *text, struct import_function *function);

/* Registers that are not known read as zeros. Any offset. */
u32 import_read(const struct import_function *function, u32 at, u32 bytes);

/* Offset of an extended capability; 0: not there, or not known. */
u32 import_find_extended(const struct import_function *function, u16 id);

/* PCI_EXP_TYPE_, -1: no PCI Express. */
s32 import_express_type(const struct import_function *function);

/* All of these: 0, -EINVAL with the error written, or -ENOMEM. */
int import_dump(struct import *import);
int import_host(struct import *import); /* file: the root of sysfs */
int import_tree(struct import *import);
int import_windows(struct import *import);
int import_become(struct import *import);

/* What a description tells of host bridges: their windows, and what they take for memory. */
int import_told_windows(struct import *import);
int import_told_ranges(struct import *import);

/*
 * All of them in order, after `read` has filled in the functions. s, file and how are set. error
 * may be NULL; its text is empty or the notes when all went well.
 */
int import_machine(struct import *import, int (*read)(struct import *import),
		   struct dmasim_error *error);

/*
 * Keeps a copy of the function with its registers, config_bytes of them at config. 0, -ENOMEM, or
 * -EINVAL with the error written: there is one at its address already, or there are too many.
 */
int import_add(struct import *import, const struct import_function *function);

/* Finds whose the virtual functions are. Kinds are known, and nothing of the tree. */
void import_virtual(struct import *import);

/* Makes bus addresses of those that lspci -v prints as the CPU has them. */
void import_text_addresses(struct import *import);

/* Finds the endpoints that domains of more than 16 bits are behind. BARs and windows are known. */
void import_vmd(struct import *import);

/* BARs and bridge windows of every function in the tree; ACS; CPU. */
void import_infer(struct import *import);

/* The CPU, once there is a tree. */
void import_cpu(struct import *import);

/*
 * The function's registers, 4096 bytes of them, with what is assumed in place of what is unknown.
 * False: nothing is to be assumed of it.
 */
bool import_assume(const struct import *import, const struct import_function *function, u8 *config);

/* PCI_HEADER_TYPE_, without the bit that tells of other functions. */
static inline u32 import_header_type(const struct import_function *function)
{
	return function->config[PCI_HEADER_TYPE] & PCI_HEADER_TYPE_MASK;
}

/* Memory for as long as the import runs; NULL: none. */
static inline void *import_alloc(struct import *import, size_t bytes)
{
	return memory_alloc(&import->s->world.memory, DMASIM_FAULT_IMPORT, bytes);
}

static inline void import_free(struct import *import, void *memory)
{
	memory_free(&import->s->world.memory, memory);
}

#endif
