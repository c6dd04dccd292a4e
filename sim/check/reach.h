/* SPDX-License-Identifier: MIT */
/*
 * How a device got, or did not get, to where no mapping lets it.
 */
#ifndef CHECK_REACH_H
#define CHECK_REACH_H

#include "check/check.h"
#include "world/text.h"

enum reach_kind {
	REACH_REFUSED = 0, /* it did not */
	REACH_UNGUARDED,   /* no IOMMU translates for it */
	REACH_PENDING,	   /* by a translation whose invalidation is still to come: lazy mode */
	REACH_STALE,	   /* by one that should be gone: the unmap's invalidation has missed it */
	REACH_DEVICE_TLB,  /* by one that the device's own TLB has kept */
	REACH_ENTRY,	   /* the page table has an entry for it */
};

/* An access, or the part of it from `dma` on. */
enum reach_kind reach_of(struct check *check, const struct hw_access *access, u64 dma);

/* One word for the line of a report. */
const char *reach_word(enum reach_kind kind);

/* Lines for the block: how long the mapping has been over, and how long this may go on. */
void reach_text(struct check *check, struct text *text, enum reach_kind kind,
		const struct owner_past *past, const struct hw_access *access);

#endif
