/* SPDX-License-Identifier: MIT */
/*
 * IOVA allocators side by side: workloads, measuring, drawing. Part of the workbench
 * (dmasim/workbench.h), in the same library.
 */
#ifndef DMASIM_IOVA_BENCH_H
#define DMASIM_IOVA_BENCH_H

#include <stdio.h>

#include <dmasim/iova.h>

DMASIM_BEGIN_DECLS

/* Why something could not be done, one line without an end. */
struct dmasim_iova_error {
	char text[512];
};

/* ---- Workloads -------------------------------------------------------- */

/*
 * A workload is a list of operations, made before the first one is done: so each allocator gets the
 * same, and while it is timed nothing runs but its own code and a loop of a few instructions. The
 * first part of the list leads to a state, the rest is timed. Sizes are in pages of 4 KiB, aligned
 * to the power of two not below them, as DMA mappings are; the space has 48 bits, or as many as the
 * limit. Chance is splitmix64, so a seed means the same list everywhere.
 *
 * uniform: one page is allocated and freed at once, over and over, beside `live` pages that stay.
 * With a cache it is the shortest way there is; without, what an insertion and a removal cost at
 * the edge of a tree of that size.
 *
 * churn: `live` pages; each step frees a random one and allocates another in its place.
 *
 * mixed: the same with ranges of 1 to 32 pages, all sizes as often, each step on a random CPU if
 * there are several: a busy server. It begins to be timed when caches are as full as they get.
 *
 * ring: `live` buffers of one page in a ring, as in a network card's queue: the oldest is freed, a
 * new one allocated. Frees come in the order of the allocations.
 *
 * pair: the same ring, but one CPU allocates (transmit) and its neighbour frees (completion), so
 * that a cache of the one fills while that of the other runs dry.
 *
 * ageing: as mixed, and no cache may answer. Before it is timed every range has been replaced twice
 * on the average, which leaves a hole behind nearly every range: an allocator that looks for a fit
 * from gap to gap now walks.
 *
 * full32: every request asks for an address below 4 GiB first, and for any address if that fails,
 * as Linux does for PCI devices. 65,536 ranges of 1 to 32 pages are more than fit there. Timed: a
 * random range is freed and another asked for, so most requests fail once. Failures are counted.
 *
 * adversary: all of the lowest 4 GiB (with another `live`, twice as many pages) is taken in single
 * pages, and every second one freed. Timed: the allocation of 2 pages there, which must fail; half
 * a million holes are just too small. What comes between lets an allocator forget that it failed
 * before, and makes one that goes on where it allocated last begin at the top.
 *
 * adversary-fit: the same holes; before each timed allocation one more page is freed at the bottom,
 * so that there is exactly one place for 2 pages, as far from the top as can be.
 *
 * walk: `live` single pages from the limit downwards, every second one freed. Timed: the allocation
 * of 2 pages, which fits below all of them, by an allocator that was led back to the top.
 *
 * flush: `live` ranges of 1 to 32 pages are allocated and freed, so that caches hold as many as
 * they can. Timed: an allocation that cannot succeed, and may take back what caches hold.
 *
 * windows: 10,000 windows of 16 pages are reserved low in the space, then `live` pages allocated
 * from the limit downwards. Timed: the reservation of one more window.
 *
 * lookup: `live` pages. Timed: the search for the range of a random one (next of the table).
 */
struct dmasim_iova_workload;

#define DMASIM_IOVA_LIVE_MAX 8000000U
#define DMASIM_IOVA_CPUS_MAX 256U

/* Zero is a good default for all but the first. */
struct dmasim_iova_workload_config {
	const char *name; /* of dmasim_iova_workload_name() */
	u64 live;	  /* at most DMASIM_IOVA_LIVE_MAX; 0: what fits the workload */
	u64 steps;	  /* that are timed; 0: what fits the workload */
	u64 seed;	  /* 0: 1 */
	u32 cpus;	  /* at most DMASIM_IOVA_CPUS_MAX; 0: 1, or 2 for pair */
	u32 limit_bits;	  /* addresses are below 2^limit_bits, 13 to 63; 0: 48 */
	bool no_cache;	  /* no cache may answer */
	bool brief;	  /* of what fits the workload, a tenth of the steps: enough to draw it */
};

/* The name of the workload number `index`, from 0, and a line about it; NULL: there is none. */
DMASIM_API const char *dmasim_iova_workload_name(u32 index, const char **what);

/* NULL: see error. */
DMASIM_API struct dmasim_iova_workload *dmasim_iova_workload_create(
	const struct dmasim_iova_workload_config *config, struct dmasim_iova_error *error);
/* NULL is nothing. */
DMASIM_API void dmasim_iova_workload_destroy(struct dmasim_iova_workload *workload);

/*
 * As text: a trace, one operation a line, to be read by people, by other programs, and here again.
 * # begins a comment; empty lines are nothing. Numbers are decimal, or hexadecimal with 0x.
 *
 *	dmasim-iova-trace 1		the first line: what it is, and its version
 *	space START LAST CPUS		the second: lowest and highest pfn, number of CPUs
 *	alloc ID PAGES LIMIT HOW CPU	PAGES at or below pfn LIMIT, which ID stands for then
 *	retry ID PAGES LIMIT HOW CPU	right behind it: once more, if it failed
 *	free ID CPU			what ID stands for; nothing, if it failed
 *	find ID				is looked for
 *	reserve FIRST LAST		these pfns
 *	advance NS			time passes
 *	timing on|off			what follows is measured, or not; off at first
 *
 * HOW is log2 of the alignment in pages, then +cache if a cache may answer, then +flush if what
 * caches hold may be taken back: 0, 2+cache, 5+cache+flush. IDs are numbers below 2^25; small ones
 * need less memory. ID, PAGES and +cache of a retry are those of its alloc.
 */

/* False: the stream has an error. */
DMASIM_API bool dmasim_iova_workload_write(const struct dmasim_iova_workload *workload, FILE *out);

/* `file` is the name in errors, "FILE:LINE: what is wrong, expected ...". NULL: see error. */
DMASIM_API struct dmasim_iova_workload *dmasim_iova_workload_read(FILE *in, const char *file,
								  struct dmasim_iova_error *error);

/* ---- Measuring -------------------------------------------------------- */

/* How it is done, and what the columns are: tests/bench/README.md. */
struct dmasim_iova_bench {
	const struct iova_allocator_ops *const *allocators;
	u32 allocator_count;
	const char *row; /* of the table, only rows whose name holds this; NULL: all */
	u64 seed;	 /* of the table; 0: 1 */
	FILE *csv;	 /* the figures as CSV, times in picoseconds; NULL: none */
	bool quick;	 /* only rows with up to 10,000 live ranges, and shorter runs */
	u32 patience_s; /* so long an allocator may take to get to what is timed; 0: 300, quick 3 */
};

/* Has the table, or its quick form, a row whose name holds these words? */
DMASIM_API bool dmasim_iova_bench_has_row(const char *words, bool quick);

/*
 * Measures the allocators on one workload, or on all rows of the table; prints a line for each, and
 * one for the loop. 0: done, else see error.
 */
DMASIM_API int dmasim_iova_bench_one(const struct dmasim_iova_bench *bench,
				     const struct dmasim_iova_workload *workload, FILE *out,
				     struct dmasim_iova_error *error);
DMASIM_API int dmasim_iova_bench_rows(const struct dmasim_iova_bench *bench, FILE *out,
				      struct dmasim_iova_error *error);

/* ---- Drawing ---------------------------------------------------------- */

struct dmasim_iova_drawing {
	const struct iova_allocator_ops *const *allocators;
	u32 allocator_count;
	const struct dmasim_iova_workload *workload;
	bool svg; /* an SVG file; else text */
};

/*
 * Draws the space of each allocator as the workload leaves it: what is live, by size, lost to
 * rounding, cached, reserved and free, and how broken the free pages are. What an allocator does
 * not tell (next and stats of its table) is left out. 0: done, else see error.
 */
DMASIM_API int dmasim_iova_draw(const struct dmasim_iova_drawing *what, FILE *out,
				struct dmasim_iova_error *error);

DMASIM_END_DECLS

#endif
