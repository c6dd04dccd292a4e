/* SPDX-License-Identifier: MIT */
/*
 * What commands and tables mean, worked out a second time: written from the facts
 * "iova-and-page-tables" alone (2.1, 2.2, 2.4 to 2.6, 3.2 to 3.5), with numbers and no names of
 * bits, as plainly as can be. It shares nothing with what it judges.
 */
#ifndef FUZZ_PLAIN_H
#define FUZZ_PLAIN_H

#include "rig.h"

/* ---- Memory ---------------------------------------------------------------------------- */

/* What the tables hold, as the unit would fetch it. */
struct plain_memory {
	u64 word[RIG_TABLES][RIG_ENTRIES];
};

/* Where the word of an address is; NULL: that is not memory. Addresses are multiples of 8. */
u64 *plain_word(struct plain_memory *memory, u64 at);

/* ---- Commands -------------------------------------------------------------------------- */

enum plain_kind {
	PLAIN_MALFORMED = 0,
	PLAIN_CONTEXT,
	PLAIN_PAGES,
	PLAIN_DEVICE_TLB,
	PLAIN_INTERRUPT,
	PLAIN_WAIT,
	PLAIN_EVERYTHING, /* AMD: contexts and pages */
	PLAIN_NOTHING,	  /* well-formed, and about nothing that the unit has: nobody hears of it */
	PLAIN_KINDS,
};

struct plain_command {
	u8 kind; /* enum plain_kind */
	bool any_domain;
	u16 domain;
	/* PLAIN_PAGES: the window [start, last]. */
	u64 start;
	u64 last;
	bool leaf_only;
	bool larger_stay; /* pages that are larger than the window may stay cached */
	u8 hint_lg2;	  /* and others than those of a level, by the size of its pages; 0: none */
	/* PLAIN_CONTEXT: requesters that are the same but for these bits. */
	u16 requester;
	u16 ignored;
	/* PLAIN_WAIT: what is stored where; 0 bytes: nothing. */
	u8 store_bytes;
	u64 store_at;
	u64 value;
	bool fence; /* what stands behind it is executed after it */
};

struct plain_command plain_command(const struct rig_unit *unit, u64 low, u64 high);
struct plain_command plain_vtd_command(const struct rig_unit *unit, u64 low, u64 high);
struct plain_command plain_amd_command(const struct rig_unit *unit, u64 low, u64 high);
struct plain_command plain_smmuv3_command(const struct rig_unit *unit, u64 low, u64 high);
struct plain_command plain_riscv_command(const struct rig_unit *unit, u64 low, u64 high);

/* ---- Walks ----------------------------------------------------------------------------- */

enum plain_access {
	PLAIN_READ,
	PLAIN_WRITE,
	PLAIN_ANY, /* of entries alone: permissions refuse nothing */
};

struct plain_walk {
	u16 fault; /* of the architecture; 0: translated */
	u16 flags;
	u8 page_lg2;
	u64 phys;
	bool read;
	bool write;
	u8 entries; /* that were read */
	struct {
		u64 at;
		u64 word;
		u8 lg2; /* bytes that it serves */
	} entry[8];
};

/* Reads one entry more, which serves 2^lg2 bytes, and notes it. NULL: there is no memory. */
u64 *plain_read(struct plain_walk *walk, struct plain_memory *memory, u64 at, u8 lg2);

struct plain_walk plain_walk(const struct rig_unit *unit, struct plain_memory *memory,
			     const struct rig_context *context, u64 iova, enum plain_access access);
struct plain_walk plain_vtd_walk(const struct rig_unit *unit, struct plain_memory *memory,
				 const struct rig_context *context, u64 iova,
				 enum plain_access access);
struct plain_walk plain_amd_walk(const struct rig_unit *unit, struct plain_memory *memory,
				 const struct rig_context *context, u64 iova,
				 enum plain_access access);
struct plain_walk plain_smmuv3_walk(const struct rig_unit *unit, struct plain_memory *memory,
				    const struct rig_context *context, u64 iova,
				    enum plain_access access);
struct plain_walk plain_riscv_walk(const struct rig_unit *unit, struct plain_memory *memory,
				   const struct rig_context *context, u64 iova,
				   enum plain_access access);

/* Why the context alone refuses all requests; 0: it does not. */
u16 plain_context(const struct rig_unit *unit, const struct rig_context *context);
u16 plain_vtd_context(const struct rig_unit *unit, const struct rig_context *context);
u16 plain_amd_context(const struct rig_unit *unit, const struct rig_context *context);
u16 plain_smmuv3_context(const struct rig_unit *unit, const struct rig_context *context);
u16 plain_riscv_context(const struct rig_unit *unit, const struct rig_context *context);
/* The same of a request that says a process, of which there are none. SMMUv3, RISC-V. */
u16 plain_process(const struct rig_unit *unit, const struct rig_context *context);
/* The flags of its event. */
u16 plain_amd_context_flags(u8 fault, bool write);

/* An entry that is there; one that holds no table; lg2: of what an entry of its table serves. */
bool plain_is_present(const struct rig_unit *unit, u64 word);
bool plain_is_leaf(const struct rig_unit *unit, u64 word, u8 lg2);
/* What the entry of a table takes away from what it leads to. */
void plain_limit(const struct rig_unit *unit, u64 word, bool *read, bool *write);
/*
 * How many entries hold the page of this one, as far as its word says that: a size that is coded,
 * in one of the levels where it is legal.
 */
u32 plain_items(const struct rig_unit *unit, u64 word);
/* Faults that a request may meet. */
bool plain_is_documented(const struct rig_unit *unit, u16 fault);

#endif
