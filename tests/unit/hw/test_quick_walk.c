/* SPDX-License-Identifier: MIT */
/*
 * The quick ways of walks against the ways that know all of a format: tables of one stage or of a
 * first below a second, spread over a few GiB of its addresses, of which bits of some entries are
 * turned over; both ways must find the same, fault or page.
 */
#include <stdlib.h>

#include <dmasim/hw/riscv.h>

#include "bench.h"
#include "hw/arm_walk.h"
#include "hw/riscv_walk.h"
#include "support/scale.h"
#include "tables.h"

#define RUNS	  40000 /* full count */
#define ADDRESSES 4
#define BLOCK_LG2 16 /* what a table or a page takes of memory: any of the granules, and its top */
#define BLOCK	  (1ULL << BLOCK_LG2)
#define PLACES	  64
#define ENTRIES	  256

/* A format's stage, as a walk of the format sees it, and words of it. */
struct stage {
	u8 granule_lg2;
	u8 levels;
	u8 input_bits; /* of addresses that are used here */
	phys_addr_t root;
	bool first; /* of two: its tables have addresses of the second */
	u64 (*leaf)(phys_addr_t phys);
	u64 (*table)(phys_addr_t phys);
	phys_addr_t (*place)(u64 entry);
};

/* A block of memory, and the address of the second stage that leads there. */
struct place {
	u64 address;
	phys_addr_t phys;
};

struct run {
	struct bench *bench;
	struct random random;
	struct hw_walker walker;
	struct stage first;
	struct stage second;
	bool nested;
	u64 region[3]; /* where the second stage's addresses are */
	phys_addr_t next;
	struct place place[PLACES];
	u32 places;
	phys_addr_t entry[ENTRIES];
	u32 entries;
	struct hw_riscv_stage riscv, riscv_second;
	struct hw_arm_stage arm, arm_second;
};

static u64 draw(struct run *run, u64 bound)
{
	return random_below(&run->random, bound);
}

/* ---- Words ------------------------------------------------------------ */

static u64 riscv_leaf(phys_addr_t phys)
{
	return phys >> 12 << 10 | 0xd7;
}

static u64 riscv_table(phys_addr_t phys)
{
	return phys >> 12 << 10 | 1;
}

static phys_addr_t riscv_place(u64 entry)
{
	return entry << 2 & 0x00fffffffffff000ULL;
}

static u64 arm_leaf(phys_addr_t phys)
{
	return phys | 0xf47;
}

static u64 arm_second_leaf(phys_addr_t phys)
{
	return phys | 0x7ff;
}

static u64 arm_table(phys_addr_t phys)
{
	return phys | 3;
}

static phys_addr_t arm_place(u64 entry)
{
	return entry & 0x0000fffffffff000ULL;
}

/* ---- Tables ----------------------------------------------------------- */

static void map(struct run *run, struct stage *stage, u64 address, phys_addr_t phys);

/* Where an address of a stage's own tables is in memory. */
static phys_addr_t memory_of(const struct run *run, const struct stage *stage, u64 address)
{
	for (u32 i = 0; stage->first && i < run->places; i++) {
		if (run->place[i].address == (address & ~(BLOCK - 1)))
			return run->place[i].phys | (address & (BLOCK - 1));
	}
	return address;
}

/* A block, by its address for the stage: below a second stage in one of a few regions. */
static u64 new_block(struct run *run, const struct stage *stage)
{
	phys_addr_t phys = run->next;
	u64 address;

	run->next += BLOCK;
	if (!stage->first)
		return phys;
	assert_true(run->places < PLACES);
	address = run->region[draw(run, 3)] | (u64)(run->places + 1) << BLOCK_LG2;
	run->place[run->places++] = (struct place){ address, phys };
	for (u64 at = 0; at < BLOCK; at += 1ULL << run->second.granule_lg2)
		map(run, &run->second, address + at, phys + at);
	return address;
}

static phys_addr_t entry_at(const struct run *run, const struct stage *stage, u64 table,
			    u64 address, u8 level)
{
	u32 index_lg2 = stage->granule_lg2 - 3U;
	u64 index = address >> (stage->granule_lg2 + index_lg2 * level);

	if (level + 1 < stage->levels)
		index &= (1ULL << index_lg2) - 1;
	return memory_of(run, stage, table + 8 * index);
}

static void put(struct run *run, phys_addr_t at, u64 word)
{
	if (run->entries < ENTRIES)
		run->entry[run->entries++] = at;
	put_entry(&run->bench->hw.ram, at, 0, word);
}

static void map(struct run *run, struct stage *stage, u64 address, phys_addr_t phys)
{
	u64 table = stage->root;

	for (u8 level = stage->levels - 1; level > 0; level--) {
		phys_addr_t at = entry_at(run, stage, table, address, level);
		u64 entry = get_entry(&run->bench->hw.ram, at, 0);

		if (!entry) {
			entry = stage->table(new_block(run, stage));
			put(run, at, entry);
		}
		table = stage->place(entry);
	}
	put(run, entry_at(run, stage, table, address, 0), stage->leaf(phys));
}

/* ---- Machines --------------------------------------------------------- */

static void set_up_riscv(struct run *run)
{
	run->first = (struct stage){ .granule_lg2 = 12,
				     .levels = (u8)(3 + draw(run, 3)),
				     .leaf = riscv_leaf,
				     .table = riscv_table,
				     .place = riscv_place };
	run->second = run->first;
	run->second.levels = (u8)(3 + draw(run, 3));
	run->first.input_bits = (u8)(12 + 9 * run->first.levels - 1);
	run->second.input_bits = (u8)(12 + 9 * run->second.levels + 2);
}

static void set_up_arm(struct run *run)
{
	u8 granule_lg2 = draw(run, 3) ? 12 : 14, index_lg2 = granule_lg2 - 3;

	run->first = (struct stage){ .granule_lg2 = granule_lg2,
				     .levels = granule_lg2 == 12 ? (u8)(3 + draw(run, 2)) : 3,
				     .leaf = arm_leaf,
				     .table = arm_table,
				     .place = arm_place };
	run->first.input_bits = (u8)(granule_lg2 + index_lg2 * run->first.levels);
	run->second = run->first;
	run->second.leaf = arm_second_leaf;
	/* Other granules, two levels alone, which the quick way does not shorten, wide tops. */
	if (!draw(run, 4))
		run->second.granule_lg2 = 12;
	run->second.levels = run->second.granule_lg2 == 12 ? 3 : (u8)(2 + draw(run, 2));
	run->second.input_bits =
		(u8)(run->second.granule_lg2 + (run->second.granule_lg2 - 3) * run->second.levels);
	run->second.input_bits += (u8)draw(run, run->second.granule_lg2 == 12 ? 4 : 3);
	if (run->second.input_bits > 48)
		run->second.input_bits = 48;
}

static void set_up_stages(struct run *run, u8 output_bits)
{
	run->riscv_second = (struct hw_riscv_stage){ .walker = &run->walker,
						     .root = run->second.root,
						     .levels = run->second.levels,
						     .guest = true };
	run->riscv = (struct hw_riscv_stage){ .walker = &run->walker,
					      .root = run->first.root,
					      .levels = run->first.levels,
					      .second = run->nested ? &run->riscv_second : NULL };
	run->arm_second = (struct hw_arm_stage){ .walker = &run->walker,
						 .root = run->second.root,
						 .granule_lg2 = run->second.granule_lg2,
						 .input_bits = run->second.input_bits,
						 .levels = run->second.levels,
						 .output_bits = output_bits,
						 .second_stage = true };
	run->arm = (struct hw_arm_stage){ .walker = &run->walker,
					  .root = run->first.root,
					  .granule_lg2 = run->first.granule_lg2,
					  .input_bits = run->first.input_bits,
					  .levels = run->first.levels,
					  .output_bits = output_bits,
					  .second = run->nested ? &run->arm_second : NULL };
}

/* ---- Both ways -------------------------------------------------------- */

static struct hw_walk look(const struct run *run, bool arm, u64 iova, bool write, bool quick)
{
	struct hw_walk walk = { .no_steps = quick };

	if (arm)
		hw_walk_arm_to(&run->arm, &(struct hw_arm_access){ .iova = iova, .write = write },
			       &walk);
	else
		hw_walk_riscv_to(&run->riscv,
				 &(struct hw_riscv_access){ .iova = iova, .write = write }, &walk);
	return walk;
}

static void expect_same(const struct run *run, bool arm, u64 iova, bool write)
{
	struct hw_walk walk = look(run, arm, iova, write, false);
	struct hw_walk quick = look(run, arm, iova, write, true);

	expect_u64(quick.fault, walk.fault);
	expect_u64(quick.fault_flags, walk.fault_flags);
	expect_u64(quick.phys, walk.phys);
	expect_u64(quick.reads, walk.reads);
	if (walk.fault)
		return;
	expect_u64(quick.page_lg2, walk.page_lg2);
	assert_true(quick.read == walk.read && quick.write == walk.write &&
		    quick.dirty == walk.dirty && quick.accessed == walk.accessed);
}

static void expect_all_same(struct run *run, bool arm, const u64 *iova)
{
	for (u32 i = 0; i < ADDRESSES; i++) {
		expect_same(run, arm, iova[i], false);
		expect_same(run, arm, iova[i] ^ draw(run, 0x1000), true);
	}
	/* Beyond what the tables have, or where nothing is. */
	expect_same(run, arm, iova[0] ^ 1ULL << draw(run, 64), false);
}

/* One bit, or two, of one entry; then it is what it was. */
static void turn_over(struct run *run, bool arm, const u64 *iova)
{
	struct ram *ram = &run->bench->hw.ram;
	phys_addr_t at = run->entry[draw(run, run->entries)];
	u64 entry = get_entry(ram, at, 0);

	put_entry(ram, at, 0,
		  entry ^ 1ULL << draw(run, 64) ^ (draw(run, 2) ? 1ULL << draw(run, 64) : 0));
	expect_all_same(run, arm, iova);
	put_entry(ram, at, 0, entry);
}

static void run_once(struct bench *bench, u64 seed, bool arm)
{
	struct run run = { .bench = bench, .next = BLOCK, .walker.ram = &bench->hw.ram };
	u64 iova[ADDRESSES], base;

	random_init(&run.random, seed);
	(arm ? set_up_arm : set_up_riscv)(&run);
	run.nested = draw(&run, 4);
	run.first.first = run.nested;
	run.second.root = new_block(&run, &run.second);
	/* Physical addresses have at least as many bits as these. */
	for (u32 i = 0; i < 3; i++)
		run.region[i] =
			draw(&run,
			     1ULL << (run.second.input_bits < 44 ? run.second.input_bits - 30 : 14))
			<< 30;
	run.first.root = new_block(&run, &run.first);
	set_up_stages(&run, arm ? (u8)(44 + draw(&run, 5)) : 0);
	base = draw(&run, 1ULL << (run.first.input_bits - 12)) << 12;
	for (u32 i = 0; i < ADDRESSES; i++) {
		/* Neighbours, and others far away. */
		iova[i] = draw(&run, 2) ? base ^ draw(&run, 4) << run.first.granule_lg2
					: draw(&run, 1ULL << (run.first.input_bits - 12)) << 12;
		iova[i] &= ~((1ULL << run.first.granule_lg2) - 1);
		map(&run, &run.first, iova[i], new_block(&run, &run.first));
		expect_u64(look(&run, arm, iova[i], true, true).fault, 0);
	}
	expect_all_same(&run, arm, iova);
	for (u32 i = 0; i < 24; i++)
		turn_over(&run, arm, iova);
}

static void run_all(void **state, bool arm)
{
	u64 seed = test_seed(1);

	for (u32 i = 0; i < scaled(RUNS); i++) {
		struct bench *bench = *state;

		run_once(bench, seed + i, arm);
		bench_teardown(state);
		bench_setup_ram(state);
	}
}

/* trust: the quick ways of RISC-V and Arm walks | an independent model: the full ways, at random */
static void riscv_finds_the_same_both_ways(void **state)
{
	run_all(state, false);
}

static void arm_finds_the_same_both_ways(void **state)
{
	run_all(state, true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_ram, bench_teardown)

TEST_MAIN(TEST(riscv_finds_the_same_both_ways), TEST(arm_finds_the_same_both_ways))
