/* SPDX-License-Identifier: MIT */
/*
 * Page tables alone: what a format's functions cost, without the DMA API above and hardware below.
 *
 * Columns: the median of 31 samples, and the least, in nanoseconds. Rows of 256 pages are also told
 * for each entry. With a kernel tree (-Dkernel_source) Linux's own tables follow ours,
 * io-pgtable-arm.c and generic_pt, which later trees have; their last column is how many times ours
 * they take. All tables exist before. Lookups go through
 * 1 GiB of 4 KiB pages: one after the other, at random, and at random where each address is made
 * from the answer before.
 *
 * Usage: bench_pgtable [part of a format's name]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <dmasim/dmasim.h>

#include "bench/measure.h"
#include "kernel/tables/arm_tree.h"
#include "kernel/tables/generic_tree.h"
#include "machine/machine.h"
#include "pgtable/formats.h"

#define SAMPLES	   31
#define CALLS	   256 /* of a sample */
#define PAGES	   256 /* of a call of many */
#define IOVA	   0x40000000ULL
#define PHYS	   0x200000000ULL
#define TABLE_SPAN 0x200000ULL
#define SPAN	   0x40000000ULL /* of lookups */
#define LOOKUPS	   8192

/* ---- Linux's own ----------------------------------------------------------------------------- */

/* A table of a kernel tree's. */
struct rival {
	void *(*new)(const struct generic_tree_config *config); /* NULL: there is no such tree */
	void (*free)(void *table);
	u64 (*map)(void *table, u64 iova, u64 phys, u64 bytes);
	u64 (*unmap)(void *table, u64 iova, u64 bytes);
	u64 (*iova_to_phys)(void *table, u64 iova);
};

#define PROT (IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE)

static void *arm_new(const struct generic_tree_config *config)
{
	const struct arm_tree_config arm = { .page_sizes = 4096, .ias = 48, .oas = 48 };

	(void)config;
	return arm_tree_is_there() ? arm_tree_new(&arm) : NULL;
}

static void arm_free(void *table)
{
	arm_tree_free(table);
}

static u64 arm_map(void *table, u64 iova, u64 phys, u64 bytes)
{
	size_t done = 0;

	arm_tree_map(table, iova, phys, 4096, bytes / 4096, PROT, &done);
	return done;
}

static u64 arm_unmap(void *table, u64 iova, u64 bytes)
{
	return arm_tree_unmap(table, iova, 4096, bytes / 4096);
}

static u64 arm_iova_to_phys(void *table, u64 iova)
{
	return arm_tree_iova_to_phys(table, iova);
}

static const struct rival arm_rival = { arm_new, arm_free, arm_map, arm_unmap, arm_iova_to_phys };

static void *generic_new(const struct generic_tree_config *config)
{
	return generic_tree_is_there() ? generic_tree_new(config) : NULL;
}

static void generic_free(void *table)
{
	generic_tree_free(table);
}

static u64 generic_map(void *table, u64 iova, u64 phys, u64 bytes)
{
	size_t done = 0;

	generic_tree_map(table, iova, phys, bytes, PROT, &done);
	return done;
}

static u64 generic_unmap(void *table, u64 iova, u64 bytes)
{
	struct generic_gather gather;

	return generic_tree_unmap(table, iova, bytes, &gather);
}

static u64 generic_iova_to_phys(void *table, u64 iova)
{
	return generic_tree_iova_to_phys(table, iova);
}

static const struct rival generic_rival = { generic_new, generic_free, generic_map, generic_unmap,
					    generic_iova_to_phys };

/* ---- Ours ------------------------------------------------------------------------------------ */

static const struct table_kind {
	const char *name;
	const struct pgtable_ops *ops;
	struct pgtable_config config; /* but for os */
	const struct rival *rival;
	struct generic_tree_config rivals; /* configuration */
} kinds[] = {
	{ "amdv1",
	  &pgtable_amdv1,
	  { .levels = 4, .pa_bits = 52, .coherent = true, .page_sizes = 0x40201000 },
	  &generic_rival,
	  { .format = GENERIC_AMDV1,
	    .levels = 4,
	    .va_bits = 64,
	    .pa_bits = 52,
	    .page_sizes = 0x40201000 } },
	{ "amdv1, all",
	  &pgtable_amdv1,
	  { .levels = 4, .pa_bits = 52, .coherent = true },
	  &generic_rival,
	  { .format = GENERIC_AMDV1, .levels = 4, .va_bits = 64, .pa_bits = 52 } },
	{ "x86_64",
	  &pgtable_x86_64,
	  { .levels = 4, .pa_bits = 52, .coherent = true, .huge_1g = true },
	  &generic_rival,
	  { .format = GENERIC_X86_64,
	    .levels = 4,
	    .va_bits = 48,
	    .pa_bits = 52,
	    .sign_extends = true } },
	{ "riscv",
	  &pgtable_riscv,
	  { .levels = 4, .pa_bits = 56, .coherent = true },
	  &generic_rival,
	  { .format = GENERIC_RISCV, .levels = 4, .va_bits = 48, .pa_bits = 56 } },
	{ "riscv, all",
	  &pgtable_riscv,
	  { .levels = 4, .pa_bits = 56, .coherent = true, .features = PGTABLE_NAPOT },
	  &generic_rival,
	  { .format = GENERIC_RISCV, .levels = 4, .va_bits = 48, .pa_bits = 56, .napot = true } },
	{ "arm s1 4k",
	  &pgtable_armv8_s1_4k,
	  { .levels = 4, .pa_bits = 48, .coherent = true },
	  &arm_rival },
	{ "arm s1 all",
	  &pgtable_armv8_s1_4k,
	  { .levels = 4, .pa_bits = 48, .coherent = true, .features = PGTABLE_CONTIGUOUS } },
	{ "arm s2 4k", &pgtable_armv8_s2_4k, { .levels = 4, .pa_bits = 48, .coherent = true } },
	{ "vtdss",
	  &pgtable_vtdss,
	  { .levels = 4, .pa_bits = 52, .coherent = true, .huge_1g = true },
	  &generic_rival,
	  { .format = GENERIC_VTDSS, .levels = 4, .va_bits = 48, .pa_bits = 52 } },
};

struct bench {
	const struct table_kind *kind;
	struct dmasim *s;
	struct pgtable pt;
	u64 bytes;	    /* of one call */
	void *tree;	    /* the subject, if it is not `pt`: the kind's rival */
	u64 ours[16], rows; /* medians, in tenths; of a tree's rows: what ours were */
	u64 sum;	    /* of the answers: somebody looks at them */
};

static u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * 1000000000ULL + (u64)now.tv_nsec;
}

/* ---- What is measured ------------------------------------------------------------------------ */

/* Each call in a table of its own, so that none profits from the last. */
static u64 call_iova(u64 call)
{
	return IOVA + call * TABLE_SPAN;
}

static void map_one(struct bench *bench, u64 iova, u64 bytes)
{
	struct iommu_iotlb_gather gather;
	u64 mapped = 0;

	if (bench->tree) {
		bench->sum +=
			bench->kind->rival->map(bench->tree, iova, PHYS + (iova - IOVA), bytes);
		return;
	}
	iommu_iotlb_gather_init(&gather);
	bench->kind->ops->map(&bench->pt, iova, PHYS + (iova - IOVA), bytes, PROT, &gather,
			      &mapped);
	bench->sum += mapped;
}

static void unmap_one(struct bench *bench, u64 iova, u64 bytes)
{
	struct iommu_iotlb_gather gather;

	if (bench->tree) {
		bench->sum += bench->kind->rival->unmap(bench->tree, iova, bytes);
		return;
	}
	iommu_iotlb_gather_init(&gather);
	bench->sum += bench->kind->ops->unmap(&bench->pt, iova, bytes, &gather);
	must(!gather.freelist, "an unmap of half a table freed one");
}

static void map_calls(struct bench *bench)
{
	for (u64 call = 0; call < CALLS; call++)
		map_one(bench, call_iova(call), bench->bytes);
}

static void unmap_calls(struct bench *bench)
{
	for (u64 call = 0; call < CALLS; call++)
		unmap_one(bench, call_iova(call), bench->bytes);
}

/* The same page again and again, as in "one 4 KiB page, warm tables". */
static void map_same(struct bench *bench)
{
	for (u64 call = 0; call < CALLS; call++)
		map_one(bench, IOVA + call * 4096, bench->bytes);
}

static void unmap_same(struct bench *bench)
{
	for (u64 call = 0; call < CALLS; call++)
		unmap_one(bench, IOVA + call * 4096, bench->bytes);
}

static u64 look_at(struct bench *bench, u64 iova)
{
	return bench->tree ? bench->kind->rival->iova_to_phys(bench->tree, iova)
			   : bench->kind->ops->iova_to_phys(&bench->pt, iova);
}

static void look_in_order(struct bench *bench)
{
	for (u64 i = 0; i < LOOKUPS; i++)
		bench->sum += look_at(bench, IOVA + i * 4096);
}

static u64 next_random(u64 random)
{
	return random * 6364136223846793005ULL + 1442695040888963407ULL;
}

static void look_at_random(struct bench *bench)
{
	u64 random = 1;

	for (u64 i = 0; i < LOOKUPS; i++) {
		random = next_random(random);
		bench->sum += look_at(bench, IOVA + (random >> 34) % SPAN);
	}
}

static void look_dependent(struct bench *bench)
{
	u64 random = 1;

	for (u64 i = 0; i < LOOKUPS; i++) {
		random = next_random(random);
		random += look_at(bench, IOVA + (random >> 34) % SPAN);
	}
	bench->sum += random;
}

/* ---- Measuring ------------------------------------------------------------------------------- */

typedef void bench_step(struct bench *bench);

static int compare(const void *a, const void *b)
{
	u64 one = *(const u64 *)a, two = *(const u64 *)b;

	return one < two ? -1 : one > two;
}

/* Tenths of nanoseconds. */
static void print_row(struct bench *bench, const char *work, u64 *ns, u64 runs, u64 entries)
{
	u64 median, least, *ours = &bench->ours[bench->rows++];

	qsort(ns, SAMPLES, sizeof(ns[0]), compare);
	median = ns[SAMPLES / 2] * 10 / runs;
	least = ns[0] * 10 / runs;
	printf("| %-10s | %-26s | %5llu.%llu | %5llu.%llu | %6llu.%02llu |",
	       bench->tree ? "  Linux" : bench->kind->name, work, median / 10, median % 10,
	       least / 10, least % 10, median / 10 / entries, median * 10 / entries % 100);
	if (bench->tree)
		printf(" %3llu.%llu |\n", median / *ours, median * 10 / *ours % 10);
	else
		printf("       |\n");
	*ours = bench->tree ? *ours : median;
}

/* Two steps that undo each other, each timed. */
static void measure_pair(struct bench *bench, bench_step *map, bench_step *unmap, const char *what,
			 u64 entries)
{
	u64 ns[2][SAMPLES];
	char work[64];

	for (u32 i = 0; i < SAMPLES; i++) {
		u64 start = now_ns(), middle;

		map(bench);
		middle = now_ns();
		unmap(bench);
		ns[1][i] = now_ns() - middle;
		ns[0][i] = middle - start;
	}
	snprintf(work, sizeof(work), "map %s", what);
	print_row(bench, work, ns[0], CALLS, entries);
	snprintf(work, sizeof(work), "unmap %s", what);
	print_row(bench, work, ns[1], CALLS, entries);
}

static void measure_lookups(struct bench *bench, bench_step *look, const char *work)
{
	u64 ns[SAMPLES];

	for (u32 i = 0; i < SAMPLES; i++) {
		u64 start = now_ns();

		look(bench);
		ns[i] = now_ns() - start;
	}
	print_row(bench, work, ns, LOOKUPS, 1);
}

static void measure_all(struct bench *bench)
{
	bench->rows = 0;
	/* The tables: a page at the end of each, which stays. */
	for (u64 call = 0; call < CALLS; call++)
		map_one(bench, call_iova(call) + TABLE_SPAN - 4096, 4096);

	bench->bytes = 4096;
	measure_pair(bench, map_same, unmap_same, "4 KiB, neighbours", 1);
	measure_pair(bench, map_calls, unmap_calls, "4 KiB, far apart", 1);
	bench->bytes = PAGES * 4096;
	measure_pair(bench, map_calls, unmap_calls, "256 x 4 KiB", PAGES);

	for (u64 call = 0; call < CALLS; call++)
		unmap_one(bench, call_iova(call) + TABLE_SPAN - 4096, 4096);
	for (u64 at = 0; at < SPAN; at += 4096)
		map_one(bench, IOVA + at, 4096);
	measure_lookups(bench, look_in_order, "lookup, in order");
	measure_lookups(bench, look_at_random, "lookup, random");
	measure_lookups(bench, look_dependent, "lookup, random, dependent");
	must(bench->sum, "nothing was mapped");
}

static void measure_linux(struct bench *bench)
{
	bench->tree = bench->kind->rival->new (&bench->kind->rivals);
	if (!bench->tree)
		return;
	measure_all(bench);
	bench->kind->rival->free(bench->tree);
}

static void measure_kind(const struct table_kind *kind)
{
	struct bench bench = { .kind = kind, .s = dmasim_create(NULL) };
	struct pgtable_config config = kind->config;

	must(bench.s, "no machine");
	config.host = &bench.s->os->tables;
	must(!kind->ops->init(&bench.pt, &config), "no table");
	measure_all(&bench);
	kind->ops->fini(&bench.pt);
	dmasim_destroy(bench.s);
	if (kind->rival)
		measure_linux(&bench);
}

int main(int argc, char **argv)
{
	printf("| format     | work                       |  median |   least |  an entry | times "
	       "|\n"
	       "| ---------- | -------------------------- | ------: | ------: | --------: | ----: "
	       "|\n");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (argc < 2 || strstr(kinds[i].name, argv[1]))
			measure_kind(&kinds[i]);
	}
	return 0;
}
