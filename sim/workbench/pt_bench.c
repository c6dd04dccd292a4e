/* SPDX-License-Identifier: MIT */
/*
 * Measures page-table formats side by side: each sample of one is followed by that of the next, so
 * that a slow moment of the host is slow for all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <dmasim/contract.h>
#include <dmasim/page-table.h>
#include <dmasim/pgtable-bench.h>

#include "workbench/pt_world.h"
#include "workbench/ticks.h"

#define SAMPLES_MAX 31
#define CALLS	    256U
#define PAGES	    256U /* of a call of many */
#define BEGIN	    0x40000000ULL
#define MEMORY	    0x200000000ULL
#define SPAN_PAGES  512U    /* from one call to the next, where they are far apart */
#define LOOKUPS	    262144U /* as many pages; 1 GiB, if they have 4 KiB */

enum row {
	MAP_NEAR,
	UNMAP_NEAR,
	MAP_FAR,
	UNMAP_FAR,
	MAP_MANY,
	UNMAP_MANY,
	LOOK_ORDER,
	LOOK_RANDOM,
	ROWS,
};

static const char *const row_names[ROWS] = {
	[MAP_NEAR] = "map a page, neighbours", [UNMAP_NEAR] = "unmap a page, neighbours",
	[MAP_FAR] = "map a page, far apart",   [UNMAP_FAR] = "unmap a page, far apart",
	[MAP_MANY] = "map 256 pages, a page",  [UNMAP_MANY] = "unmap 256 pages, a page",
	[LOOK_ORDER] = "lookup, in order",     [LOOK_RANDOM] = "lookup, at random",
};

struct contender {
	const struct pgtable_ops *ops;
	struct pt_world *world;
	struct pgtable pt;
	bool made;
	u64 page;
	u64 done; /* bytes, or answers: somebody looks at them */
	u64 ns[ROWS][SAMPLES_MAX];
};

/* ---- Work ------------------------------------------------------------- */

static void map(struct contender *of, u64 iova, u64 bytes)
{
	struct iommu_iotlb_gather gather;
	u64 mapped = 0;

	iommu_iotlb_gather_init(&gather);
	of->ops->map(&of->pt, iova, MEMORY + (iova - BEGIN), bytes, IOMMU_READ | IOMMU_WRITE,
		     &gather, &mapped);
	of->done += mapped;
}

static void unmap(struct contender *of, u64 iova, u64 bytes)
{
	struct iommu_iotlb_gather gather;

	iommu_iotlb_gather_init(&gather);
	of->done += of->ops->unmap(&of->pt, iova, bytes, &gather);
	pt_world_release(of->world, gather.freelist);
}

/* Calls of `bytes`, `apart` from each other. */
static void map_calls(struct contender *of, u64 bytes, u64 apart)
{
	for (u64 call = 0; call < CALLS; call++)
		map(of, BEGIN + call * apart, bytes);
}

static void unmap_calls(struct contender *of, u64 bytes, u64 apart)
{
	for (u64 call = 0; call < CALLS; call++)
		unmap(of, BEGIN + call * apart, bytes);
}

static void time_pair(struct contender *of, enum row row, u32 sample, u64 bytes, u64 apart)
{
	u64 start = ticks_ns(), middle;

	map_calls(of, bytes, apart);
	middle = ticks_ns();
	unmap_calls(of, bytes, apart);
	of->ns[row + 1][sample] = ticks_ns() - middle;
	of->ns[row][sample] = middle - start;
}

static void time_lookups(struct contender *of, u32 sample, u64 pages)
{
	u64 start = ticks_ns(), middle, random = 1;

	for (u64 i = 0; i < pages; i++)
		of->done += of->ops->iova_to_phys(&of->pt, BEGIN + i * of->page) != 0;
	middle = ticks_ns();
	for (u64 i = 0; i < pages; i++) {
		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		of->done += of->ops->iova_to_phys(&of->pt,
						  BEGIN + (random >> 34) % pages * of->page) != 0;
	}
	of->ns[LOOK_RANDOM][sample] = ticks_ns() - middle;
	of->ns[LOOK_ORDER][sample] = middle - start;
}

/* ---- All of them ------------------------------------------------------ */

struct contest {
	struct contender *of;
	u32 count;
	u32 samples;
	u64 lookups;
};

/* The last page of each far place stays: the tables are there. */
static void keep_tables(struct contender *of,
			void (*change)(struct contender *of, u64 iova, u64 bytes))
{
	for (u64 call = 0; call < CALLS; call++)
		change(of, BEGIN + (call * SPAN_PAGES + SPAN_PAGES - 1) * of->page, of->page);
}

static bool is_done(struct contender *of, u64 expected)
{
	bool good = of->done == expected && !of->world->wrong[0];

	of->done = 0;
	return good;
}

static bool time_maps(struct contest *contest)
{
	bool good = true;

	for (u32 i = 0; i < contest->count; i++)
		keep_tables(&contest->of[i], map);
	for (u32 sample = 0; sample < contest->samples; sample++) {
		for (u32 i = 0; i < contest->count; i++) {
			struct contender *of = &contest->of[i];
			u64 page = of->page;

			time_pair(of, MAP_NEAR, sample, page, page);
			time_pair(of, MAP_FAR, sample, page, SPAN_PAGES * page);
			time_pair(of, MAP_MANY, sample, PAGES * page, SPAN_PAGES * page);
		}
	}
	for (u32 i = 0; i < contest->count; i++) {
		struct contender *of = &contest->of[i];
		u64 pages = contest->samples * CALLS * 2 * (1 + 1 + PAGES);

		keep_tables(of, unmap);
		good &= is_done(of, (pages + 2 * CALLS) * of->page);
	}
	return good;
}

static bool time_all_lookups(struct contest *contest)
{
	bool good = true;

	for (u32 i = 0; i < contest->count; i++) {
		struct contender *of = &contest->of[i];

		for (u64 page = 0; page < contest->lookups; page++)
			map(of, BEGIN + page * of->page, of->page);
		good &= is_done(of, contest->lookups * of->page);
	}
	for (u32 sample = 0; good && sample < contest->samples; sample++) {
		for (u32 i = 0; i < contest->count; i++) {
			time_lookups(&contest->of[i], sample, contest->lookups);
			good &= is_done(&contest->of[i], 2 * contest->lookups);
		}
	}
	return good;
}

/* ---- The table -------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	u64 one = *(const u64 *)a, two = *(const u64 *)b;

	return one < two ? -1 : one > two;
}

/* How many pages, or lookups, a sample has. */
static u64 share_of(const struct contest *contest, enum row row)
{
	if (row >= LOOK_ORDER)
		return contest->lookups;
	return row >= MAP_MANY ? CALLS * PAGES : CALLS;
}

static void print_row(const struct contest *contest, enum row row, FILE *out)
{
	u64 share = share_of(contest, row);

	fprintf(out, "%-26s", row_names[row]);
	for (u32 i = 0; i < contest->count; i++) {
		u64 *ns = contest->of[i].ns[row];
		u64 median, least;

		qsort(ns, contest->samples, sizeof(ns[0]), by_value);
		median = ns[contest->samples / 2] * 100 / share;
		least = ns[0] * 100 / share;
		fprintf(out, " %7llu.%02llu %4llu.%02llu", median / 100, median % 100, least / 100,
			least % 100);
	}
	fputc('\n', out);
}

static void print(const struct contest *contest, FILE *out)
{
	fprintf(out, "%-26s", "ns: median, least");
	for (u32 i = 0; i < contest->count; i++)
		fprintf(out, " %18.18s", contest->of[i].ops->name);
	fputc('\n', out);
	for (u32 row = 0; row < ROWS; row++)
		print_row(contest, (enum row)row, out);
}

/* ---- Who ------------------------------------------------------------- */

static const char *const ours[] = { "vtdss", "amdv1", "x86_64", "riscv", "armv8_s1_4k" };

#define OURS (sizeof(ours) / sizeof(ours[0]))

/* 0, -ENOMEM, -EINVAL. */
static int enter(struct contest *contest, const struct pgtable_ops *ops,
		 const struct pgtable_config *from)
{
	struct contender *of = &contest->of[contest->count];
	struct pgtable_config config = *from;

	of->ops = ops;
	of->world = pt_world_create(true, true);
	if (!of->world)
		return -ENOMEM;
	contest->count++;
	config.host = &of->world->host;
	config.coherent = true;
	config.change_top = NULL;
	config.context = ops->context;
	config.levels = config.levels ? config.levels : 4;
	config.pa_bits = config.pa_bits ? config.pa_bits : 48;
	if (ops->init(&of->pt, &config))
		return -EINVAL;
	of->made = true;
	/* The smallest pages alone: that is what is counted. */
	of->page = of->pt.page_sizes & -of->pt.page_sizes;
	of->pt.page_sizes = of->page;
	return of->page ? 0 : -EINVAL;
}

static int enter_all(struct contest *contest, const struct dmasim_pgtable_bench *bench)
{
	int err = 0;

	for (u32 i = 0; i < bench->subject_count && !err; i++) {
		DMASIM_CONTRACT(bench->subject[i].size == sizeof(bench->subject[i]) &&
					bench->subject[i].ops,
				"a subject begins with DMASIM_PGTABLE_SUBJECT, and has a format");
		err = enter(contest, bench->subject[i].ops, &bench->subject[i].config);
	}
	for (u32 i = 0; i < OURS && !bench->alone && !err; i++)
		err = enter(contest, dmasim_pgtable_by_name(ours[i]),
			    &(struct pgtable_config){ .huge_1g = true });
	return err;
}

static void leave_all(struct contest *contest)
{
	for (u32 i = 0; i < contest->count; i++) {
		struct contender *of = &contest->of[i];

		if (of->made)
			of->ops->fini(&of->pt);
		pt_world_destroy(of->world);
	}
	free(contest->of);
}

int dmasim_pgtable_bench(const struct dmasim_pgtable_bench *bench, FILE *out)
{
	struct contest contest = {
		.of = calloc(bench->subject_count + OURS, sizeof(*contest.of)),
		.samples = bench->quick ? 3 : SAMPLES_MAX,
		.lookups = bench->quick ? LOOKUPS / 64 : LOOKUPS,
	};
	int err = contest.of ? enter_all(&contest, bench) : -ENOMEM;

	if (!err && (!time_maps(&contest) || !time_all_lookups(&contest)))
		err = -EINVAL;
	if (!err)
		print(&contest, out);
	leave_all(&contest);
	return err;
}
