/* SPDX-License-Identifier: MIT */
/*
 * What is known of an IOVA space from outside: sorted arrays of ranges, searched from end to end.
 * Slow and plainly right; it foretells where something fits.
 */
#ifndef WORKBENCH_IOVA_MODEL_H
#define WORKBENCH_IOVA_MODEL_H

#include <dmasim/iova.h>

struct iova_span {
	u64 first;
	u64 last;
	u64 held; /* the last pfn that it may take in truth: a cache may round sizes up */
	u32 how;  /* IOVA_CACHE: it is given back so */
	u64 call; /* the number of the call that took it */
};

/* Ascending and apart. */
struct iova_spans {
	struct iova_span *at;
	u32 count;
	u32 room;
};

struct iova_model {
	u64 start_pfn;
	u64 last_pfn;
	struct iova_spans live;
	struct iova_spans reserved; /* neighbours may touch */
	struct iova_spans lost;	    /* nobody can tell whether these are free: both is right */
};

void iova_model_init(struct iova_model *model, u64 start_pfn, u64 last_pfn);
void iova_model_fini(struct iova_model *model);

/* The index of the first span that ends at or above pfn; spans->count: there is none. */
u32 iova_spans_at(const struct iova_spans *spans, u64 pfn);
/* The first span that has a pfn of [first, last], or NULL. */
const struct iova_span *iova_spans_meet(const struct iova_spans *spans, u64 first, u64 last);

void iova_model_insert(struct iova_model *model, u64 pfn, u64 pages, u32 how, u64 call);
/* Live range number `index` is freed. What of it was reserved later may be lost or not. */
void iova_model_free(struct iova_model *model, u32 index);
/* Overlapping ones become one. */
void iova_model_reserve(struct iova_model *model, u64 first_pfn, u64 last_pfn);
/* Of [first_pfn, last_pfn] nobody knows. */
void iova_model_lose(struct iova_model *model, u64 first_pfn, u64 last_pfn);

/* The highest aligned place, or IOVA_NO_PFN. Rounded-up sizes of live ranges count, too. */
u64 iova_model_fit(const struct iova_model *model, u64 pages, u64 limit_pfn, u32 align_lg2);
/* The pages of the largest gap; 0: there is none. */
u64 iova_model_largest(const struct iova_model *model);
/* The last pfn from `pfn` on that is known not to be free; false: pfn itself may be free. */
bool iova_model_covers(const struct iova_model *model, u64 pfn, u64 *last);

#endif
