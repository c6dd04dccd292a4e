/* SPDX-License-Identifier: MIT */
/*
 * Translations of one IOMMU unit: pages that are cached, pages that are walked to, and what it
 * takes to invalidate one page in caches of different sizes.
 *
 * The tables have four levels and map 65,536 pages of 4 KiB, one after the other. The addresses
 * asked for do not depend on the answers. Beside the time stand the exact costs. Usage:
 * bench_translate [part of a row's name]
 */
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include <dmasim/hw/vtd.h>

#include "bench/measure.h"
#include "hw/hw.h"

#define PAGES_LG2 16
#define PAGES	  (1U << PAGES_LG2)
#define BATCH	  (1U << 14) /* translations, or invalidations, of one run */

#define REQUESTER 0x0318
#define DOMAIN	  1
#define IOVA	  0x5540000000ULL /* in the middle of the tables at every level */
#define PHYS	  0x20000000ULL
#define ROOT	  0x100000ULL

struct bench {
	struct world world;
	struct hw hw;
	struct hw_iommu *iommu;
	struct iotlb iotlb; /* of the rows about invalidations */
	u64 random;
	u64 sum; /* of the answers: somebody looks at them */
};

/* One row of the output; without a context cache, contexts cost a look into a table. */
struct row {
	const char *name;
	void (*run)(void *cookie);
	u32 iotlb_entries;
	u32 walk_entries; /* of each level */
	u32 contexts;	  /* entries of the context cache */
};

/* ---- Tables ---------------------------------------------------------------------------------- */

static void put(struct bench *bench, phys_addr_t table, u64 index, u64 word)
{
	u64 raw = htole64(word);

	must(ram_write(&bench->hw.ram, table + 8 * index, &raw, 8) == 8, "no memory");
}

static u64 index_at(u64 iova, u32 level)
{
	return iova >> (12 + 9 * level) & 511;
}

/* All pages lie in one entry of the upper two levels; the tables follow each other in memory. */
static void build_tables(struct bench *bench)
{
	phys_addr_t level_2 = ROOT + 0x1000, level_1 = ROOT + 0x2000, level_0 = ROOT + 0x3000;

	put(bench, ROOT, index_at(IOVA, 3), level_2 | VTD_SS_READ | VTD_SS_WRITE);
	put(bench, level_2, index_at(IOVA, 2), level_1 | VTD_SS_READ | VTD_SS_WRITE);
	for (u64 i = 0; i < PAGES; i++) {
		u64 iova = IOVA + (i << 12);
		phys_addr_t table = level_0 + ((i >> 9) << 12);

		if (!index_at(iova, 0))
			put(bench, level_1, index_at(iova, 1), table | VTD_SS_READ | VTD_SS_WRITE);
		put(bench, table, index_at(iova, 0),
		    (PHYS + (i << 12)) | VTD_SS_READ | VTD_SS_WRITE);
	}
}

static void unit_init(struct bench *bench, const struct row *row)
{
	*bench = (struct bench){ .random = 1 };
	world_init(&bench->world, &(struct world_config){ .seed = 1 });
	hw_init(&bench->hw, &bench->world);
	ram_add_range(&bench->hw.ram, 0, 1ULL << 30);
	bench->iommu = hw_iommu_add(&bench->hw, &(struct hw_iommu_desc){
							.levels = 4,
							.address_bits = 46,
							.max_address_mask = 18,
							.coherent = true,
							.iotlb_entries = row->iotlb_entries,
							.walk_entries = row->walk_entries,
							.context_entries = row->contexts,
						});
	must(bench->iommu, "no unit");
	must(!hw_context_set(bench->iommu, REQUESTER,
			     (struct hw_context){ HW_CONTEXT_TRANSLATE, 4, DOMAIN, ROOT }),
	     "no context");
	build_tables(bench);
}

static void unit_fini(struct bench *bench)
{
	hw_fini(&bench->hw);
	world_fini(&bench->world);
}

/* Any page, at random; all 65,536 are equally likely. Knuth's numbers (MMIX). */
static u64 draw_page(struct bench *bench)
{
	bench->random = bench->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return bench->random >> (64 - PAGES_LG2);
}

/* ---- What is measured ------------------------------------------------------------------------ */

static void same_page(void *cookie)
{
	struct bench *bench = cookie;
	u64 sum = 0;

	for (u64 i = 0; i < BATCH; i++)
		sum += hw_translate(bench->iommu, REQUESTER, IOVA + (i & 4095), false).phys;
	bench->sum += sum;
}

static void random_pages(void *cookie)
{
	struct bench *bench = cookie;
	u64 sum = 0;

	for (u64 i = 0; i < BATCH; i++)
		sum += hw_translate(bench->iommu, REQUESTER, IOVA + (draw_page(bench) << 12), false)
			       .phys;
	bench->sum += sum;
}

/* The plain truth, before anything is measured: each page translates to what its entry says. */
static void check_pages(struct bench *bench)
{
	for (u64 i = 0; i < PAGES; i++) {
		u64 at = i << 12 | (i & 4095);
		struct hw_translation found =
			hw_translate(bench->iommu, REQUESTER, IOVA + at, false);

		must(!found.fault && found.phys == PHYS + at, "a wrong translation");
	}
}

static void invalidate_same(void *cookie)
{
	struct bench *bench = cookie;
	u64 start = IOVA + ((u64)PAGES << 12);

	for (u64 i = 0; i < BATCH; i++)
		iotlb_invalidate_range(&bench->iotlb, iotlb_tag(DOMAIN), start, start + 4095);
}

/* Pages that are not cached, while the cache is full of others. */
static void invalidate_any(void *cookie)
{
	struct bench *bench = cookie;

	for (u64 i = 0; i < BATCH; i++) {
		u64 start = IOVA + ((PAGES + draw_page(bench)) << 12);

		iotlb_invalidate_range(&bench->iotlb, DOMAIN, start, start + 4095);
	}
}

/* Pages that are cached; each comes back, so that the cache stays full. */
static void invalidate_and_fill(void *cookie)
{
	struct bench *bench = cookie;
	u64 entries = (u64)bench->iotlb.sets * bench->iotlb.ways;

	for (u64 i = 0; i < BATCH; i++) {
		u64 page = (IOVA >> 12) + (draw_page(bench) & (entries - 1));

		iotlb_invalidate_range(&bench->iotlb, DOMAIN, page << 12, (page << 12) + 4095);
		iotlb_fill(&bench->iotlb, &(struct iotlb_entry){ .page = page,
								 .phys = page << 12,
								 .tag = iotlb_tag(DOMAIN),
								 .page_lg2 = 12,
								 .read = true });
	}
}

/* ---- The tables of figures ------------------------------------------------------------------- */

static const struct row translations[] = {
	{ "the same page", same_page, 256, 0, 0 },
	{ "the same page, context cache", same_page, 256, 0, 16 },
	{ "65,536 pages, walks from memory", random_pages, 256, 0 },
	{ "65,536 pages, small walk cache", random_pages, 256, 16 },
	{ "65,536 pages, large walk cache", random_pages, 256, 256 },
	{ "65,536 pages, all in the IOTLB", random_pages, PAGES, 0 },
};

static const struct row invalidations[] = {
	{ "one page, over and over", invalidate_same, 64 },
	{ "one page, over and over", invalidate_same, 1024 },
	{ "one page, over and over", invalidate_same, 65536 },
	{ "any page, not cached", invalidate_any, 64 },
	{ "any page, not cached", invalidate_any, 1024 },
	{ "any page, not cached", invalidate_any, 65536 },
	{ "any cached page, filled again", invalidate_and_fill, 64 },
	{ "any cached page, filled again", invalidate_and_fill, 1024 },
	{ "any cached page, filled again", invalidate_and_fill, 65536 },
};

static bool wanted(const struct row *row, const char *name)
{
	return !name || strstr(row->name, name);
}

/* With one decimal, from the nanoseconds of a run; no floating point is needed for that. */
static void print_ns(u64 ns)
{
	u64 tenths = (ns * 10 + BATCH / 2) / BATCH;

	printf(" %6llu.%llu |", tenths / 10, tenths % 10);
}

static void measure_translations(const struct row *row)
{
	static struct bench bench;
	struct hw_costs before, after;
	u64 ns;

	unit_init(&bench, row);
	check_pages(&bench);
	ns = measure_ns(row->run, &bench);
	before = bench.hw.costs;
	row->run(&bench);
	after = bench.hw.costs;
	printf("| %-31s | %5u | %4u |", row->name, row->iotlb_entries, row->walk_entries);
	print_ns(ns);
	printf(" %9llu | %6llu | %6llu |\n", BATCH * 1000ULL / ns,
	       (after.iotlb_hits - before.iotlb_hits) * 100 / BATCH,
	       (after.walk_reads - before.walk_reads) * 100 / BATCH);
	fflush(stdout);
	unit_fini(&bench);
}

static void measure_invalidations(const struct row *row)
{
	static struct bench bench;
	u64 ns, compared;

	bench = (struct bench){ .random = 1 };
	world_init(&bench.world, &(struct world_config){ .seed = 1 });
	must(!iotlb_init(&bench.iotlb, &bench.world, row->iotlb_entries, IOTLB_WAYS), "no cache");
	for (u64 page = IOVA >> 12; page < (IOVA >> 12) + row->iotlb_entries; page++)
		iotlb_fill(&bench.iotlb, &(struct iotlb_entry){ .page = page,
								.tag = iotlb_tag(DOMAIN),
								.page_lg2 = 12 });
	ns = measure_ns(row->run, &bench);
	compared = bench.iotlb.compared;
	row->run(&bench);
	printf("| %-31s | %5u |", row->name, row->iotlb_entries);
	print_ns(ns);
	printf(" %8llu |\n", (bench.iotlb.compared - compared) / BATCH);
	fflush(stdout);
	iotlb_fini(&bench.iotlb);
	world_fini(&bench.world);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	printf("Median of %d samples; costs of 100 translations\n\n"
	       "| translations                    | IOTLB | walk |       ns | million/s |   hits | "
	       " reads "
	       "|\n"
	       "| ------------------------------- | ----: | ---: | -------: | --------: | -----: | "
	       "-----: "
	       "|\n",
	       MEASURE_SAMPLES);
	for (size_t i = 0; i < sizeof(translations) / sizeof(translations[0]); i++) {
		if (wanted(&translations[i], name))
			measure_translations(&translations[i]);
	}
	printf("\n"
	       "| invalidations                   | IOTLB |       ns | compared |\n"
	       "| ------------------------------- | ----: | -------: | -------: |\n");
	for (size_t i = 0; i < sizeof(invalidations) / sizeof(invalidations[0]); i++) {
		if (wanted(&invalidations[i], name))
			measure_invalidations(&invalidations[i]);
	}
	return 0;
}
