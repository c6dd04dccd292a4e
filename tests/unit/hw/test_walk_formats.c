/* SPDX-License-Identifier: MIT */
/*
 * What `dmasim walk` says of an entry, against what the hardware's walkers make of it. The two
 * share bit positions alone.
 */
#include "bench.h"
#include "tables.h"

#include <dmasim/hw/amd.h>
#include <dmasim/hw/arm.h>
#include <dmasim/hw/riscv.h>
#include <dmasim/hw/vtd.h>

#include "support/scale.h"
#include "walk_format.h"

#define ENTRIES 2000000 /* full count */
#define TABLE	0x10000ULL

/* Few bits, or an address whose low bits are ones: what a size is coded by. */
static u64 draw_entry(struct random *random)
{
	u64 entry = random_next(random);

	switch (random_below(random, 4)) {
	case 0:
		return entry;
	case 1:
		return entry & random_next(random) & random_next(random);
	case 2:
		entry = ((1ULL << random_below(random, 40)) - 1) << 12;
		return entry | (random_next(random) & ~0x000ffffffffff000ULL);
	default:
		/* An aligned address, and no more than the low and the highest bits. */
		return (entry & 0x600ff00000000fffULL) | random_below(random, 1 << 20) << 30;
	}
}

static void expect_leaf(const struct walk_said *said, const struct hw_walk *walk, bool write)
{
	expect_u64(walk->tables, 1);
	assert_int_equal(!walk->fault, write ? said->write : said->read);
	if (walk->fault)
		return;
	expect_u64(walk->phys, said->phys);
	expect_u64(walk->page_lg2, said->page_lg2);
	assert_int_equal(walk->read, said->read);
	assert_int_equal(walk->write, said->write);
}

/* The walk went on, where it was said to. */
static void expect_table(const struct walk_said *said, const struct hw_walk *walk)
{
	assert_true(walk->tables > 1);
	expect_u64(walk->step[1].table, said->phys);
	expect_u64(walk->step[1].levels - 1, said->next);
}

/* One format, what walks it, and how the two compare. */
struct subject {
	const struct walk_format *format;
	void (*walk)(const struct hw_walker *walker, const struct hw_walk_start *start, u64 iova,
		     bool write, struct hw_walk *walk);
	u64 (*draw)(struct random *random);
	/* NULL: there is but one unit. */
	void (*vary)(struct random *random, struct walk_unit *unit, struct hw_walker *walker);
	void (*expect)(const struct walk_said *said, const struct hw_walk *walk, u8 level,
		       bool write);
	struct hw_walker walker;
	u8 levels;
	u8 seed;
};

/* One entry at the top of a table at a time; there are enough of each kind. */
static void compare(struct bench *bench, const struct subject *subject)
{
	struct hw_walker walker = subject->walker;
	struct walk_unit unit = { 0 };
	u32 kinds[4] = { 0 };
	struct random random;

	ram_add_range(&bench->hw.ram, 0, SZ_1M);
	walker.ram = &bench->hw.ram;
	random_init(&random, test_seed(subject->seed));
	for (u32 i = 0; i < scaled(ENTRIES); i++) {
		u64 entry = subject->draw(&random);
		u8 level = (u8)random_below(&random, subject->levels);
		bool write = random_below(&random, 2);
		struct hw_walk_start start = { TABLE, (u8)(level + 1), true, true };
		struct hw_walk walk = { .no_steps = false };
		struct walk_said said;

		if (subject->vary)
			subject->vary(&random, &unit, &walker);
		said = subject->format->say(entry, level, &unit);
		put_entry(&bench->hw.ram, TABLE, 0, entry);
		subject->walk(&walker, &start, 0, write, &walk);
		subject->expect(&said, &walk, level, write);
		kinds[said.kind]++;
	}
	for (u32 kind = 0; kind < 4; kind++)
		assert_true(kinds[kind] > scaled(ENTRIES) / 1000);
}

/* ---- VT-d ------------------------------------------------------------------------------------ */

static void expect_vtd(const struct walk_said *said, const struct hw_walk *walk, u8 level,
		       bool write)
{
	bool allowed = write ? said->write : said->read;

	switch (said->kind) {
	case WALK_ABSENT:
		expect_u64(walk->tables, 1);
		expect_u64(walk->absent_lg2, walk_level_lg2(level));
		break;
	case WALK_MALFORMED:
		expect_u64(walk->tables, 1);
		expect_u64(walk->fault, VTD_FAULT_PTE_RESERVED);
		break;
	case WALK_LEAF:
		expect_leaf(said, walk, write);
		break;
	default:
		/* Without the permission the walk ends before the next table. */
		assert_int_equal(walk->tables > 1, allowed);
		if (allowed)
			expect_table(said, walk);
		break;
	}
}

static void vary_vtd(struct random *random, struct walk_unit *unit, struct hw_walker *walker)
{
	unit->no_1g = random_below(random, 2);
	unit->snoop = random_below(random, 2);
	unit->device_tlb = random_below(random, 2);
	walker->huge_1g = !unit->no_1g;
	walker->snoop_control = unit->snoop;
	walker->device_tlb = unit->device_tlb;
}

/* trust: words for a VT-d entry | our reading of the facts: the hardware's walker */
static void a_vtd_entry_is_what_the_walker_takes_it_for(void **state)
{
	compare(*state, &(struct subject){ .format = &walk_vtdss,
					   .walk = hw_walk_vtd_ss_from,
					   .draw = draw_entry,
					   .vary = vary_vtd,
					   .expect = expect_vtd,
					   .walker = { .levels = 4, .address_bits = 52 },
					   .levels = 4,
					   .seed = 1 });
}

/* ---- AMD ------------------------------------------------------------------------------------- */

static void expect_amd(const struct walk_said *said, const struct hw_walk *walk, u8 level,
		       bool write)
{
	u16 flags = walk->fault_flags & ~AMD_FLAG_RW;

	(void)level;
	switch (said->kind) {
	case WALK_ABSENT:
		expect_u64(walk->tables, 1);
		expect_u64(walk->fault, AMD_EVENT_IO_PAGE_FAULT);
		expect_u64(flags, 0);
		break;
	case WALK_MALFORMED:
		expect_u64(walk->tables, 1);
		expect_u64(flags, AMD_FLAG_PR | AMD_FLAG_RZ);
		assert_true(said->reserved || said->wrong);
		break;
	case WALK_LEAF:
		expect_leaf(said, walk, write);
		break;
	default:
		expect_table(said, walk);
		break;
	}
}

/* trust: words for an AMD v1 entry | our reading of the facts: the hardware's walker */
static void an_amd_entry_is_what_the_walker_takes_it_for(void **state)
{
	compare(*state, &(struct subject){ .format = &walk_amdv1,
					   .walk = hw_walk_amd_v1_from,
					   .draw = draw_entry,
					   .expect = expect_amd,
					   .levels = 6,
					   .seed = 2 });
}

/* ---- RISC-V ---------------------------------------------------------------------------------- */

/* An address that is aligned, or a coded size, and few of the bits above. */
static u64 draw_riscv(struct random *random)
{
	u64 number = random_next(random) & RISCV_PTE_PPN_MASK;
	u64 high = random_below(random, 4) ? 0 : random_next(random) & random_next(random);

	number = random_below(random, 2) ? number & ~0xffffffULL : (number & ~0xfULL) | 8;
	return (high & 0xffc0000000000000ULL) | number << RISCV_PTE_PPN_SHIFT |
	       (random_below(random, 4) ? 0 : RISCV_PTE_N) | random_below(random, 0x400);
}

static void expect_riscv(const struct walk_said *said, const struct hw_walk *walk, u8 level,
			 bool write)
{
	switch (said->kind) {
	case WALK_ABSENT:
		expect_u64(walk->tables, 1);
		expect_u64(walk->absent_lg2, walk_level_lg2(level));
		break;
	case WALK_MALFORMED:
		expect_u64(walk->tables, 1);
		expect_u64(walk->fault, write ? RISCV_CAUSE_PAGE_W : RISCV_CAUSE_PAGE_R);
		assert_true(said->reserved || said->wrong);
		break;
	case WALK_LEAF:
		expect_leaf(said, walk, write);
		break;
	default:
		expect_table(said, walk);
		break;
	}
}

/* trust: words for a RISC-V entry | our reading of the facts: the hardware's walker */
static void a_riscv_entry_is_what_the_walker_takes_it_for(void **state)
{
	compare(*state,
		&(struct subject){ .format = &walk_riscv,
				   .walk = hw_riscv.walk,
				   .draw = draw_riscv,
				   .expect = expect_riscv,
				   .walker = { .levels = 5, .napot = true, .page_types = true },
				   .levels = 5,
				   .seed = 4 });
}

/* ---- Armv8 ----------------------------------------------------------------------------------- */

static void expect_armv8(const struct walk_said *said, const struct hw_walk *walk, u8 level,
			 bool write)
{
	switch (said->kind) {
	case WALK_ABSENT:
	case WALK_MALFORMED:
		expect_u64(walk->tables, 1);
		expect_u64(walk->fault, ARM_F_TRANSLATION);
		expect_u64(walk->absent_lg2, walk_level_lg2(level));
		break;
	case WALK_LEAF:
		expect_leaf(said, walk, write);
		break;
	default:
		expect_table(said, walk);
		assert_true(walk->step[1].read == said->read && walk->step[1].write == said->write);
		break;
	}
}

static u64 draw_armv8(struct random *random)
{
	u64 entry = random_next(random);

	return entry | (random_below(random, 4) ? ARM_AF : 0);
}

/* trust: words for an Armv8 entry | our reading of the facts: the hardware's walker */
static void an_armv8_entry_is_what_the_walker_takes_it_for(void **state)
{
	compare(*state, &(struct subject){ .format = &walk_armv8,
					   .walk = hw_smmuv3.walk,
					   .draw = draw_armv8,
					   .expect = expect_armv8,
					   .walker = { .levels = 4, .address_bits = 48 },
					   .levels = 4,
					   .seed = 5 });
}

/* ---- Names ----------------------------------------------------------------------------------- */

/* Every bit has one place in a format's table, and they are in order. */
static void a_table_of_bits_has_each_bit_once(void **state)
{
	const struct walk_format *const formats[] = { &walk_vtdss, &walk_amdv1, &walk_riscv,
						      &walk_armv8 };

	(void)state;
	for (u32 i = 0; i < 4; i++) {
		u32 next = 0;

		for (u32 j = 0; j < formats[i]->field_count; j++) {
			expect_u64(formats[i]->field[j].low, next);
			assert_true(formats[i]->field[j].high >= next);
			next = formats[i]->field[j].high + 1U;
		}
		expect_u64(next, 64);
	}
}

/* All bits of an entry, whatever they are, have a name or a number. */
static void every_entry_has_words(void **state)
{
	const struct walk_unit unit = { 0 };
	struct random random;

	(void)state;
	random_init(&random, test_seed(3));
	for (u32 i = 0; i < scaled(100000); i++) {
		u64 entry = i ? draw_entry(&random) : ~0ULL;
		struct walk_words words;

		walk_say(&walk_vtdss, &unit, (u8)random_below(&random, 4), entry, &words);
		assert_true(words.count >= 1 && words.count < WALK_WORDS_MAX);
		walk_say(&walk_amdv1, &unit, (u8)random_below(&random, 6), entry, &words);
		assert_true(words.count >= 1 && words.count < WALK_WORDS_MAX);
		walk_say(&walk_riscv, &unit, (u8)random_below(&random, 5), entry, &words);
		assert_true(words.count >= 1 && words.count < WALK_WORDS_MAX);
		walk_say(&walk_armv8, &unit, (u8)random_below(&random, 4), entry, &words);
		assert_true(words.count >= 1 && words.count < WALK_WORDS_MAX);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

TEST_MAIN(TEST(a_vtd_entry_is_what_the_walker_takes_it_for),
	  TEST(an_amd_entry_is_what_the_walker_takes_it_for),
	  TEST(an_armv8_entry_is_what_the_walker_takes_it_for),
	  TEST(a_riscv_entry_is_what_the_walker_takes_it_for),
	  cmocka_unit_test(a_table_of_bits_has_each_bit_once),
	  cmocka_unit_test(every_entry_has_words))
