/* SPDX-License-Identifier: MIT */
/*
 * What commands and tables mean, worked out a second time: written from the facts
 * "iova-and-page-tables" alone (2.1, 2.2, 2.6, 3.2, 3.3), with numbers and no names of bits, as
 * plainly as can be. It shares nothing with what it judges.
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

/* ---- Walks ----------------------------------------------------------------------------- */

enum plain_access {
	PLAIN_READ,
	PLAIN_WRITE,
	PLAIN_ANY, /* of entries alone: permissions refuse nothing */
};

struct plain_walk {
	u8 fault; /* of the architecture; 0: translated */
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

struct plain_walk plain_walk(const struct rig_unit *unit, struct plain_memory *memory,
			     const struct rig_context *context, u64 iova, enum plain_access access);
struct plain_walk plain_vtd_walk(const struct rig_unit *unit, struct plain_memory *memory,
				 const struct rig_context *context, u64 iova,
				 enum plain_access access);
struct plain_walk plain_amd_walk(const struct rig_unit *unit, struct plain_memory *memory,
				 const struct rig_context *context, u64 iova,
				 enum plain_access access);

/* Why the context alone refuses all requests; 0: it does not. */
u8 plain_context(const struct rig_unit *unit, const struct rig_context *context);
u8 plain_vtd_context(const struct rig_unit *unit, const struct rig_context *context);
u8 plain_amd_context(const struct rig_unit *unit, const struct rig_context *context);
/* The flags of its event. */
u16 plain_amd_context_flags(u8 fault, bool write);

/* An entry that is there; one that holds no table; log2 of the page that it is or is a part of. */
bool plain_is_present(const struct rig_unit *unit, u64 word);
bool plain_is_leaf(const struct rig_unit *unit, u64 word, u8 lg2);

#endif
