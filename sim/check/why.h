/* SPDX-License-Identifier: MIT */
/*
 * Why something may still be cached: of the commands that a unit was given lately, the one that
 * should have covered it, and what it left out.
 */
#ifndef CHECK_WHY_H
#define CHECK_WHY_H

#include "check/cached.h"
#include "world/text.h"

enum why_kind {
	WHY_MISSING = 0, /* no command was meant for it */
	WHY_NARROW,	 /* one was, and left it out */
	WHY_EARLY,	 /* one covered it, but was submitted before it had ended */
	WHY_NOT_WAITED,	 /* one covered it, but nobody has waited for it */
};

/* What a command left out. */
enum why_gap {
	WHY_NO_GAP = 0,
	WHY_TABLES,    /* it was for leaves alone */
	WHY_SMALL,     /* its window is smaller than the page: that may stay */
	WHY_LEVEL,     /* it names a level of leaves, and the page is none of those */
	WHY_WINDOW,    /* other addresses */
	WHY_DOMAIN,    /* another domain */
	WHY_STAGE,     /* the other stage */
	WHY_UNIT,      /* another unit */
	WHY_REQUESTER, /* another requester */
};

/* What may still be cached. */
struct why_query {
	const struct hw_iommu *iommu;
	u8 what;	  /* HW_INVALIDATED_IOTLB, _CONTEXT or _DEVICE_TLB */
	bool table;	  /* of the first: a table, not a page */
	bool first_stage; /* of the first, too */
	u32 domain;
	u16 requester; /* whose TLB it is */
	u64 start;     /* addresses, or the requester */
	u64 last;
	u8 lg2; /* of the page, or of what the table maps */
	struct check_moment since;
	struct check_moment until;
	u64 call; /* what came after this moment belongs to the call that is judged */
};

struct why {
	enum why_kind kind;
	enum why_gap gap;
	const struct cached_unit *unit;
	const struct cached_command *command; /* NULL: WHY_MISSING */
};

struct why why_cached(const struct cached *cached, const struct why_query *query);

/* One word for the line of a report. */
const char *why_word(enum why_kind kind);

/* Lines for its block: what is missing, too narrow or too early. */
void why_text(struct text *text, const struct why_query *query, const struct why *why);

#endif
