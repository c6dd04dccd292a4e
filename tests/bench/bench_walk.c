/* SPDX-License-Identifier: MIT */
/*
 * Walks of hardware's page tables that miss everything: of one stage, and of a first stage below a
 * second, four levels each, so that 24 entries are read for a page. 65,536 pages of 4 KiB at
 * random; both stages have nothing but such pages. Nanoseconds of one walk, and how many a second.
 * Entries read are hardware's: what one walk reads twice, the simulator looks at once.
 *
 * Usage: bench_walk [part of a row's name]
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dmasim/hw/arm.h>
#include <dmasim/hw/riscv.h>

#include "bench/measure.h"
#include "hw/arm_walk.h"
#include "hw/hw.h"
#include "hw/riscv_walk.h"
#include "hw/vtd_nested.h"

#define PAGES_LG2 16
#define PAGES	  (1U << PAGES_LG2)
#define BATCH	  (1U << 12)

#define IOVA	  0x5540000000ULL
#define PHYS	  0x20000000ULL
#define ROOT	  0x100000ULL
#define SECOND	  0x800000ULL
#define RAM_LG2	  30
#define MEMORY_4K (1ULL << (RAM_LG2 - 12)) /* pages of all memory */

struct bench {
	struct world world;
	struct hw hw;
	struct hw_walker walker;
	struct hw_riscv_stage riscv, riscv_g;
	struct hw_arm_stage arm, arm_s2;
	u64 random;
	u64 sum;
};

/* ---- Tables ---------------------------------------------------------------------------------- */

/* Words of a format. */
struct words {
	u64 (*leaf)(phys_addr_t phys);
	u64 (*table)(phys_addr_t phys);
};

static u64 riscv_leaf(phys_addr_t phys)
{
	return phys >> 12 << RISCV_PTE_PPN_SHIFT | 0xd7;
}

static u64 riscv_table(phys_addr_t phys)
{
	return phys >> 12 << RISCV_PTE_PPN_SHIFT | RISCV_PTE_V;
}

static u64 arm_leaf(phys_addr_t phys)
{
	return phys | 0xf47;
}

static u64 arm_s2_leaf(phys_addr_t phys)
{
	return phys | 0x7ff;
}

static u64 arm_table(phys_addr_t phys)
{
	return phys | 3;
}

static u64 x86_leaf(phys_addr_t phys)
{
	return phys | 0x67;
}

static u64 x86_table(phys_addr_t phys)
{
	return phys | 0x27;
}

static u64 vtd_word(phys_addr_t phys)
{
	return phys | 3;
}

static const struct words x86_words = { x86_leaf, x86_table };
static const struct words vtd_words = { vtd_word, vtd_word };
static const struct words riscv_words = { riscv_leaf, riscv_table };
static const struct words arm_words = { arm_leaf, arm_table };
static const struct words arm_s2_words = { arm_s2_leaf, arm_table };

static void put(struct bench *bench, phys_addr_t table, u64 index, u64 word)
{
	u64 raw = htole64(word);

	must(ram_write(&bench->hw.ram, table + 8 * index, &raw, 8) == 8, "no memory");
}

static u64 index_at(u64 iova, u32 level)
{
	return iova >> (12 + 9 * level) & 511;
}

/*
 * Four levels that map `pages` of 4 KiB from iova on, within 512 GiB, one after the other in
 * memory: the root, of up to 16 KiB, first.
 */
static void build(struct bench *bench, const struct words *words, phys_addr_t root, u64 iova,
		  phys_addr_t phys, u64 pages)
{
	phys_addr_t level_2 = root + 0x4000, next = level_2 + 0x1000, level_1 = 0, level_0 = 0;

	put(bench, root, iova >> 39, words->table(level_2));
	for (u64 i = 0; i < pages; i++, iova += 4096, phys += 4096) {
		if (!level_1 || !(index_at(iova, 1) | index_at(iova, 0))) {
			level_1 = next;
			next += 0x1000;
			put(bench, level_2, index_at(iova, 2), words->table(level_1));
		}
		if (!level_0 || !index_at(iova, 0)) {
			level_0 = next;
			next += 0x1000;
			put(bench, level_1, index_at(iova, 1), words->table(level_0));
		}
		put(bench, level_0, index_at(iova, 0), words->leaf(phys));
	}
}

static void bench_init(struct bench *bench)
{
	*bench = (struct bench){ .random = 1 };
	world_init(&bench->world, &(struct world_config){ .seed = 1 });
	hw_init(&bench->hw, &bench->world);
	ram_add_range(&bench->hw.ram, 0, 1ULL << RAM_LG2);
	bench->walker.ram = &bench->hw.ram;
	bench->walker.address_bits = 46;
	bench->riscv =
		(struct hw_riscv_stage){ .walker = &bench->walker, .root = ROOT, .levels = 4 };
	bench->riscv_g = bench->riscv;
	bench->riscv_g.root = SECOND;
	bench->riscv_g.guest = true;
	bench->arm = (struct hw_arm_stage){ .walker = &bench->walker,
					    .root = ROOT,
					    .granule_lg2 = 12,
					    .input_bits = 48,
					    .levels = 4,
					    .output_bits = 48 };
	bench->arm_s2 = bench->arm;
	bench->arm_s2.root = SECOND;
	bench->arm_s2.second_stage = true;
}

static void bench_fini(struct bench *bench)
{
	hw_fini(&bench->hw);
	world_fini(&bench->world);
}

/* Knuth's numbers (MMIX). */
static u64 draw(struct bench *bench)
{
	bench->random = bench->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return IOVA + (bench->random >> (64 - PAGES_LG2) << 12);
}

/* ---- What is measured ------------------------------------------------------------------------ */

static void walk_riscv(void *cookie)
{
	struct bench *bench = cookie;

	for (u64 i = 0; i < BATCH; i++) {
		const struct hw_riscv_access access = { .iova = draw(bench) };
		struct hw_walk walk;

		walk.no_steps = true;
		hw_walk_riscv_to(&bench->riscv, &access, &walk);
		must(walk.phys == PHYS + (access.iova - IOVA), "a wrong translation");
		bench->sum += walk.reads;
	}
}

static void walk_arm(void *cookie)
{
	struct bench *bench = cookie;

	for (u64 i = 0; i < BATCH; i++) {
		const struct hw_arm_access access = { .iova = draw(bench) };
		struct hw_walk walk;

		walk.no_steps = true;
		hw_walk_arm_to(&bench->arm, &access, &walk);
		must(walk.phys == PHYS + (access.iova - IOVA), "a wrong translation");
		bench->sum += walk.reads;
	}
}

static void walk_vtd(void *cookie)
{
	const struct hw_walk_start start = { SECOND, 4, true, true };
	struct bench *bench = cookie;

	for (u64 i = 0; i < BATCH; i++) {
		u64 iova = draw(bench);
		struct hw_walk walk;

		walk.no_steps = true;
		hw_walk_vtd_ss_from(&bench->walker, &start, iova, false, &walk);
		must(walk.phys == PHYS + (iova - IOVA), "a wrong translation");
		bench->sum += walk.reads;
	}
}

static void walk_vtd_nested(void *cookie)
{
	const struct hw_nested nested = { .second = SECOND, .second_levels = 4, .first_levels = 4 };
	const struct hw_walk_start start = { ROOT, 4, true, true };
	struct bench *bench = cookie;

	for (u64 i = 0; i < BATCH; i++) {
		const struct hw_fs_access access = { .iova = draw(bench) };
		struct hw_walk walk;

		walk.no_steps = true;
		hw_walk_vtd_nested_to(&bench->walker, &nested, &start, &access, &walk);
		must(walk.phys == PHYS + (access.iova - IOVA), "a wrong translation");
		bench->sum += walk.reads;
	}
}

static void set_up_vtd(struct bench *bench, bool nested)
{
	if (!nested) {
		build(bench, &vtd_words, SECOND, IOVA, PHYS, PAGES);
		return;
	}
	build(bench, &x86_words, ROOT, IOVA, PHYS, PAGES);
	build(bench, &vtd_words, SECOND, 0, 0, MEMORY_4K);
}

static void set_up_riscv(struct bench *bench, bool nested)
{
	build(bench, &riscv_words, ROOT, IOVA, PHYS, PAGES);
	if (!nested)
		return;
	build(bench, &riscv_words, SECOND, 0, 0, MEMORY_4K);
	bench->riscv.second = &bench->riscv_g;
}

static void set_up_arm(struct bench *bench, bool nested)
{
	build(bench, &arm_words, ROOT, IOVA, PHYS, PAGES);
	if (!nested)
		return;
	build(bench, &arm_s2_words, SECOND, 0, 0, MEMORY_4K);
	bench->arm.second = &bench->arm_s2;
}

static const struct row {
	const char *name;
	void (*set_up)(struct bench *bench, bool nested);
	void (*run)(void *cookie);
	bool nested;
} rows[] = {
	{ "vtd second stage", set_up_vtd, walk_vtd, false },
	{ "vtd first below second stage", set_up_vtd, walk_vtd_nested, true },
	{ "riscv Sv48", set_up_riscv, walk_riscv, false },
	{ "riscv Sv48 below Sv48x4", set_up_riscv, walk_riscv, true },
	{ "armv8 stage 1", set_up_arm, walk_arm, false },
	{ "armv8 stage 1 below stage 2", set_up_arm, walk_arm, true },
};

int main(int argc, char **argv)
{
	printf("| walk                         |    ns | millions a second | entries read |\n"
	       "| ---------------------------- | ----: | ----------------: | -----------: |\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench;
		u64 ns, before;

		if (argc > 1 && !strstr(rows[i].name, argv[1]))
			continue;
		bench = calloc(1, sizeof(*bench));
		must(bench, "no memory");
		bench_init(bench);
		rows[i].set_up(bench, rows[i].nested);
		before = bench->sum;
		rows[i].run(bench);
		before = (bench->sum - before) / BATCH;
		ns = measure_ns(rows[i].run, bench) * 10 / BATCH;
		printf("| %-28s | %3llu.%llu | %15llu.%llu | %12llu |\n", rows[i].name, ns / 10,
		       ns % 10, 10000 / ns, 100000 / ns % 10, before);
		bench_fini(bench);
		free(bench);
	}
	return 0;
}
