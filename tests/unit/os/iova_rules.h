/* SPDX-License-Identifier: MIT */
/*
 * The decision rules of Linux's IOVA allocator, taken literally: facts "iova-and-page-tables" 1.1
 * (A1 to A8, WALK, F1 to F3, RESERVE, FIND) and 1.2 (FAST ALLOC, GET, FAST FREE, TRIM) over a
 * sorted array of ranges. Slow, and as the facts say it, so that it can judge what is fast. What
 * is different with repairs (enum iova_repair) says so.
 *
 * Everything counts in pages of the granule; bounds are inclusive.
 */
#ifndef UNIT_OS_IOVA_RULES_H
#define UNIT_OS_IOVA_RULES_H

#include <dmasim/iova.h>

#define RULES_CPUS_MAX	64
#define RULES_CLASSES	6
#define RULES_MAGAZINE	127
#define RULES_FAIL	(~0ULL)
#define RULES_ANCHOR	(~0ULL)
#define RULES_UNALIGNED 0U

struct rules_range {
	u64 lo, hi;
};

struct rules_magazine {
	u32 count;
	u64 pfn[RULES_MAGAZINE];
};

struct rules_cpu_cache {
	struct rules_magazine loaded, prev;
};

/* A class of sizes: what each CPU holds, and the stack of full magazines. */
struct rules_class {
	struct rules_cpu_cache cpu[RULES_CPUS_MAX];
	struct rules_magazine **depot; /* [depot_count - 1] was pushed last */
	u32 depot_count, depot_room;
	bool work; /* the delayed work waits */
	u64 work_ns;
	u64 work_order; /* of works that are due at the same time the one armed first runs first */
};

struct iova_rules {
	u32 cpus, granule_lg2;
	u64 boundary; /* the first page at 4 GiB: B of the facts */
	u64 start;
	struct rules_range **range; /* ascending; the last one is the anchor */
	u32 count, room;
	struct rules_range *cached, *cached32; /* C and C32: references to ranges */
	u64 max32;
	struct rules_class class[RULES_CLASSES];
	u64 now_ns, arms;
	u64 depot_pushes; /* so far, for who wants to know whether there were any */
	u32 repairs;	  /* bits of enum iova_repair */
	u32 max32_lg2;	  /* repaired: alignment of the request that failed */
	bool no_memory;	  /* A2: for the new node there is none */
};

/* What can be seen of it; RULES_ANCHOR: a pointer designates the anchor. */
struct rules_state {
	u64 cached, cached32, max32, nodes;
};

struct iova_rules *iova_rules_create(u32 cpus, u32 granule_lg2, u64 start);
void iova_rules_destroy(struct iova_rules *r);
struct rules_state iova_rules_state(const struct iova_rules *r);

/* align_lg2: of the place, in pages; rules_order(size): natural; RULES_FAIL: there is none. */
u64 iova_rules_alloc(struct iova_rules *r, u64 size, u64 limit, u32 align_lg2);
/* Frees the range that holds pfn, which is copied to *freed. False: there is none. */
bool iova_rules_free(struct iova_rules *r, u64 pfn, struct rules_range *freed);
/* The range that holds [lo, hi] or its last part now; NULL: it cannot be a range. */
const struct rules_range *iova_rules_reserve(struct iova_rules *r, u64 lo, u64 hi);
const struct rules_range *iova_rules_find(const struct iova_rules *r, u64 pfn);

u64 iova_rules_fast_alloc(struct iova_rules *r, u64 size, u64 limit, bool flush, u32 cpu);
void iova_rules_fast_free(struct iova_rules *r, u64 pfn, u64 size, u32 cpu);
/* One run of the delayed work. */
void iova_rules_trim(struct iova_rules *r, u32 class);
/* Time passes; delayed works run. */
void iova_rules_pass(struct iova_rules *r, u64 ns);
/* Ranges in magazines. */
u64 iova_rules_cached(const struct iova_rules *r);

/* Bit length of size - 1; size >= 1. */
u32 rules_order(u64 size);

#endif
