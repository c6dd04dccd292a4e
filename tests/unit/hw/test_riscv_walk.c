/* SPDX-License-Identifier: MIT */
/*
 * RISC-V tables made by hand, and every bit of every entry turned over one at a time (facts
 * "iova-and-page-tables" 2.5, 2.6).
 */
#include <dmasim/hw/riscv.h>

#include "bench.h"
#include "hw/riscv_walk.h"
#include "tables.h"

#define RAM_BITS  BENCH_RAM_BITS
#define SOME_IOVA (3ULL << 30 | 510ULL << 21 | 129ULL << 12 | 0x5a8)

/* Tables by level, and the root of a G stage. Any two differ in at least two bits. */
static const phys_addr_t table_at[5] = { 0x133000, 0x255000, 0x366000, 0x5aa000, 0x69c000 };
#define WIDE_ROOT 0xcc4000ULL
#define LEAF_AT	  0x2580000000ULL

#define POINTER(table) ((table) >> 12 << 10 | 0x01)
#define LEAF(phys)     ((phys) >> 12 << 10 | 0xd7) /* V R W U A D */

struct fixture {
	struct hw_walker walker;
	struct hw_riscv_stage stage;
	u8 leaf;   /* level of the leaf */
	bool many; /* it is one of 64 KiB */
};

/* Aligned as leaves of a level must be: 512 GiB and 256 TiB lie higher. */
static u64 leaf_at(const struct fixture *fixture)
{
	return fixture->leaf <= 2 ? LEAF_AT : 5 * bytes_of(fixture->leaf);
}

static u64 plain_entry(const struct fixture *fixture, u8 level)
{
	if (level != fixture->leaf)
		return POINTER(table_at[level - 1]);
	return LEAF(leaf_at(fixture)) | (fixture->many ? 1ULL << 63 | 8ULL << 10 : 0);
}

/* A G stage has addresses of two bits more. */
static u64 iova_of(const struct fixture *fixture)
{
	return SOME_IOVA | (fixture->stage.guest ? 2ULL << (12 + 9 * fixture->stage.levels) : 0);
}

static bool is_top(const struct fixture *fixture, u8 level)
{
	return level == fixture->stage.levels - 1;
}

static phys_addr_t table_of(const struct fixture *fixture, u8 level)
{
	return fixture->stage.guest && is_top(fixture, level) ? WIDE_ROOT : table_at[level];
}

static u64 place_of(const struct fixture *fixture, u8 level)
{
	u64 index = index_of(SOME_IOVA, level);

	return fixture->stage.guest && is_top(fixture, level) ? 2 * 512 + index : index;
}

static void build(struct bench *bench, struct fixture *fixture, u8 levels, u8 leaf)
{
	fixture->walker.ram = &bench->hw.ram;
	fixture->stage.walker = &fixture->walker;
	fixture->stage.levels = levels;
	fixture->stage.root = table_of(fixture, levels - 1);
	fixture->leaf = leaf;
	for (u8 level = leaf; level < levels; level++)
		put_entry(&bench->hw.ram, table_of(fixture, level), place_of(fixture, level),
			  plain_entry(fixture, level));
}

/* A walk without steps, which has a shorter way, must find the same. */
static struct hw_walk walk_both(const struct hw_riscv_stage *stage,
				const struct hw_riscv_access *access)
{
	struct hw_walk walk = hw_walk_riscv(stage, access), quick = { .no_steps = true };

	hw_walk_riscv_to(stage, access, &quick);
	expect_u64(quick.fault, walk.fault);
	expect_u64(quick.phys, walk.phys);
	/* What the first has marked the second need not. */
	if (!stage->marks)
		expect_u64(quick.reads, walk.reads);
	if (!walk.fault) {
		expect_u64(quick.page_lg2, walk.page_lg2);
		assert_true(quick.read == walk.read && quick.write == walk.write &&
			    quick.dirty == walk.dirty && quick.accessed == walk.accessed);
	}
	return walk;
}

static struct hw_walk look(const struct fixture *fixture, bool write)
{
	return walk_both(&fixture->stage,
			 &(struct hw_riscv_access){ .iova = iova_of(fixture), .write = write });
}

/* ---- Every bit ------------------------------------------------------------------------------- */

struct outcome {
	u8 fault; /* 0: phys */
	u64 phys;
};

static u8 page_lg2(const struct fixture *fixture)
{
	return fixture->many ? 16 : (u8)(12 + 9 * fixture->leaf);
}

static struct outcome same_page(const struct fixture *fixture)
{
	u64 inside = (1ULL << page_lg2(fixture)) - 1;

	return (struct outcome){ 0, leaf_at(fixture) | (SOME_IOVA & inside) };
}

/* A G stage has causes of its own, but for memory that is not there. */
static struct outcome page_fault(const struct fixture *fixture, bool write)
{
	return (struct outcome){ (write ? 15 : 13) + (fixture->stage.guest ? 8 : 0), 0 };
}

static struct outcome of_leaf(const struct fixture *fixture, u32 bit, bool write)
{
	struct outcome same = same_page(fixture);

	if (bit == 3 || bit == 5 || bit == 8 || bit == 9)
		return same; /* X, G, software's */
	if (bit == 2 || bit == 7)
		return write ? page_fault(fixture, write) : same; /* W, D */
	if (bit >= 10 && bit <= 53) {
		if (bit + 2 < page_lg2(fixture))
			return page_fault(fixture, write); /* not aligned, or another code */
		same.phys ^= 1ULL << (bit + 2);
		return same;
	}
	if ((bit == 61 || bit == 62) && fixture->stage.pbmt)
		return same;
	if ((bit == 59 || bit == 60) && fixture->stage.software_bits)
		return same;
	/* 4 KiB, at the address that was the code. */
	if (bit == 63 && fixture->many)
		return (struct outcome){ 0, leaf_at(fixture) | 0x8000 | (SOME_IOVA & 0xfff) };
	return page_fault(fixture, write);
}

static struct outcome of_pointer(u32 bit, const struct fixture *fixture, bool write)
{
	if (bit == 5 || bit == 8 || bit == 9)
		return same_page(fixture);
	if ((bit == 59 || bit == 60) && fixture->stage.software_bits)
		return same_page(fixture);
	if (bit >= 10 && bit <= 53 && bit + 2 >= RAM_BITS)
		return (struct outcome){ write ? 7 : 5, 0 };
	return page_fault(fixture, write);
}

static void check_bit(struct bench *bench, const struct fixture *fixture, u8 level, u32 bit)
{
	phys_addr_t table = table_of(fixture, level);
	u64 index = place_of(fixture, level);

	put_entry(&bench->hw.ram, table, index, plain_entry(fixture, level) ^ 1ULL << bit);
	for (int write = 0; write < 2; write++) {
		struct outcome outcome = level == fixture->leaf ? of_leaf(fixture, bit, write)
								: of_pointer(bit, fixture, write);
		struct hw_walk walk = look(fixture, write);

		if (walk.fault == outcome.fault && (walk.fault || walk.phys == outcome.phys))
			continue;
		fail_msg("levels %u%s leaf %u%s entry %u bit %u %s: fault %u phys 0x%llx, "
			 "expected %u 0x%llx",
			 fixture->stage.levels, fixture->stage.guest ? "x4" : "", fixture->leaf,
			 fixture->many ? " NAPOT" : "", level, bit, write ? "write" : "read",
			 walk.fault, walk.phys, outcome.fault, outcome.phys);
	}
	put_entry(&bench->hw.ram, table, index, plain_entry(fixture, level));
}

/* All leaves of a table of so many levels, and one of 64 KiB where there are such. */
static void check_levels(struct bench *bench, struct fixture *fixture, u8 levels)
{
	for (u8 number = 0; number <= levels; number++) {
		fixture->many = number == levels;
		if (fixture->many && !fixture->stage.napot)
			continue;
		build(bench, fixture, levels, fixture->many ? 0 : number);
		for (u8 level = fixture->leaf; level < levels; level++) {
			for (u32 bit = 0; bit < 64; bit++)
				check_bit(bench, fixture, level, bit);
		}
		/* What is left must not be found through another's bit. */
		for (u8 level = fixture->leaf; level < levels; level++)
			put_entry(&bench->hw.ram, table_of(fixture, level),
				  place_of(fixture, level), 0);
	}
}

/*
 * trust: every bit of RISC-V's page-table entries
 * | our reading of the facts: a table of what each bit means, written out here
 */
static void every_bit_has_its_meaning(void **state)
{
	for (u8 features = 0; features < 16; features++) {
		struct fixture fixture = {
			.stage = { .napot = features & 1,
				   .pbmt = features & 2,
				   .software_bits = features & 4,
				   .guest = features & 8 },
		};

		for (u8 levels = 3; levels <= 5; levels++)
			check_levels(*state, &fixture, levels);
	}
}

/* ---- What single bits cannot tell ------------------------------------------------------------ */

static void a_napot_page_takes_its_low_bits_from_the_address(void **state)
{
	struct bench *bench = *state;
	struct fixture fixture = { .stage = { .napot = true } };
	struct hw_walk walk;

	build(bench, &fixture, 3, 0);
	put_entry(&bench->hw.ram, table_at[0], index_of(SOME_IOVA, 0), 0x800000000048e0d7);
	walk = look(&fixture, true);
	expect_u64(walk.fault, 0);
	expect_u64(walk.page_lg2, 16);
	expect_u64(walk.phys, 0x1230000 | (SOME_IOVA & 0xffff));
	/* Every other code in the low bits of the page number is none. */
	for (u64 code = 0; code < 16; code++) {
		put_entry(&bench->hw.ram, table_at[0], index_of(SOME_IOVA, 0),
			  (1ULL << 63) | 0x1230ULL << 10 | code << 10 | 0xd7);
		expect_u64(look(&fixture, false).fault, code == 8 ? 0 : 13);
	}
}

static void memory_types_are_one_of_three(void **state)
{
	struct bench *bench = *state;
	struct fixture fixture = { .stage = { .pbmt = true } };

	build(bench, &fixture, 3, 0);
	for (u64 type = 0; type < 4; type++) {
		put_entry(&bench->hw.ram, table_at[0], index_of(SOME_IOVA, 0),
			  LEAF(LEAF_AT) | type << 61);
		expect_u64(look(&fixture, false).fault, type == 3 ? 13 : 0);
	}
}

/* entry, kind of access: user's read, write, fetch; the supervisor's without and with SUM. */
static void rights_are_those_of_the_leaf(void **state)
{
	static const struct {
		u64 bits; /* V A D and these */
		u8 read, write, fetch, supervisor, sum;
	} row[] = {
		{ 0x12, 0, 15, 12, 13, 0 },  /* R U */
		{ 0x16, 0, 0, 12, 13, 0 },   /* R W U */
		{ 0x18, 13, 15, 0, 13, 13 }, /* X U */
		{ 0x1e, 0, 0, 0, 13, 0 },    /* R W X U */
		{ 0x06, 13, 15, 12, 0, 0 },  /* R W: the supervisor's */
	};
	struct bench *bench = *state;
	struct fixture fixture = { .leaf = 0 };

	build(bench, &fixture, 3, 0);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct hw_riscv_access access = { .iova = SOME_IOVA };

		put_entry(&bench->hw.ram, table_at[0], index_of(SOME_IOVA, 0),
			  LEAF_AT >> 12 << 10 | 0xc1 | row[i].bits);
		expect_u64(walk_both(&fixture.stage, &access).fault, row[i].read);
		access.write = true;
		expect_u64(walk_both(&fixture.stage, &access).fault, row[i].write);
		access.write = false;
		access.execute = true;
		expect_u64(walk_both(&fixture.stage, &access).fault, row[i].fetch);
		access.execute = false;
		access.supervisor = true;
		expect_u64(walk_both(&fixture.stage, &access).fault, row[i].supervisor);
		access.sum = true;
		expect_u64(walk_both(&fixture.stage, &access).fault, row[i].sum);
	}
}

static void marks_are_set_where_that_is_allowed(void **state)
{
	struct bench *bench = *state;
	struct fixture fixture = { .stage = { .marks = &bench->hw } };
	u64 index = index_of(SOME_IOVA, 0);

	build(bench, &fixture, 3, 0);
	put_entry(&bench->hw.ram, table_at[0], index, LEAF(LEAF_AT) & ~0xc0ULL);
	expect_u64(look(&fixture, false).fault, 0);
	expect_u64(get_entry(&bench->hw.ram, table_at[0], index), LEAF(LEAF_AT) & ~0x80ULL);
	expect_u64(look(&fixture, true).fault, 0);
	expect_u64(get_entry(&bench->hw.ram, table_at[0], index), LEAF(LEAF_AT));
	/* A write that is refused marks nothing. */
	put_entry(&bench->hw.ram, table_at[0], index, LEAF(LEAF_AT) & ~0xc4ULL);
	expect_u64(look(&fixture, true).fault, 15);
	expect_u64(get_entry(&bench->hw.ram, table_at[0], index), LEAF(LEAF_AT) & ~0xc4ULL);
}

static void addresses_repeat_their_highest_bit(void **state)
{
	struct hw_riscv_stage stage = { .levels = 3 };

	(void)state;
	assert_true(hw_walk_riscv_reaches(&stage, 0x3fffffffffULL));
	assert_false(hw_walk_riscv_reaches(&stage, 0x4000000000ULL));
	assert_false(hw_walk_riscv_reaches(&stage, 0xffffffbfffffffffULL));
	assert_true(hw_walk_riscv_reaches(&stage, 0xffffffc000000000ULL));
	stage.guest = true;
	assert_true(hw_walk_riscv_reaches(&stage, 0x1ffffffffffULL));
	assert_false(hw_walk_riscv_reaches(&stage, 0x20000000000ULL));
	assert_false(hw_walk_riscv_reaches(&stage, 0xffffffc000000000ULL));
}

/* ---- Two stages ------------------------------------------------------------------------------ */

#define GUEST_ROOT 0x800000ULL /* 16 KiB, aligned to that */
#define GUEST_L1   0x811000ULL
#define GUEST_L0   0x812000ULL

static void build_guest(struct bench *bench, struct fixture *guest)
{
	*guest = (struct fixture){ .walker.ram = &bench->hw.ram };
	guest->stage = (struct hw_riscv_stage){
		.walker = &guest->walker, .root = GUEST_ROOT, .levels = 3, .guest = true
	};
	/* 8 MiB from 0 on, where the tables are; and the page, which is elsewhere. */
	put_entry(&bench->hw.ram, GUEST_ROOT, 0, POINTER(GUEST_L1));
	for (u64 i = 0; i < 4; i++)
		put_entry(&bench->hw.ram, GUEST_L1, i, LEAF(i << 21));
	put_entry(&bench->hw.ram, GUEST_ROOT, LEAF_AT >> 30, POINTER(GUEST_L0));
	put_entry(&bench->hw.ram, GUEST_L0, 0, LEAF(0x4000000ULL));
}

static void both_stages_translate(void **state)
{
	struct bench *bench = *state;
	struct fixture fixture = { .leaf = 0 }, guest;
	struct hw_walk walk;

	build(bench, &fixture, 3, 0);
	build_guest(bench, &guest);
	fixture.stage.second = &guest.stage;
	walk = look(&fixture, true);
	expect_u64(walk.fault, 0);
	expect_u64(walk.phys, 0x4000000 | (SOME_IOVA & 0xfff));
	expect_u64(walk.page_lg2, 12);
	/* Three entries, each found by two of the other stage; and two for the page. */
	expect_u64(walk.reads, 3 + 3 * 2 + 2);
	assert_true(walk.read && walk.write);
}

/* Whatever the second stage refuses is a guest page fault, of the first one's kind of access. */
static void the_second_stage_refuses_tables_and_pages(void **state)
{
	struct bench *bench = *state;
	struct fixture fixture = { .leaf = 0 }, guest;

	build(bench, &fixture, 3, 0);
	build_guest(bench, &guest);
	fixture.stage.second = &guest.stage;
	/* The page may not be written. */
	put_entry(&bench->hw.ram, GUEST_L0, 0, LEAF(0x4000000ULL) & ~4ULL);
	expect_u64(look(&fixture, true).fault, 23);
	expect_u64(look(&fixture, false).fault, 0);
	/* It is the supervisor's: all that a guest has is a user's. */
	put_entry(&bench->hw.ram, GUEST_L0, 0, LEAF(0x4000000ULL) & ~0x10ULL);
	expect_u64(look(&fixture, false).fault, 21);
	/* The first stage's root is not there. */
	put_entry(&bench->hw.ram, GUEST_L1, table_at[2] >> 21, 0);
	expect_u64(look(&fixture, false).fault, 21);
	expect_u64(look(&fixture, true).fault, 23);
}

/* Marking an entry of the first stage is a write to its page. */
static void a_mark_needs_a_page_that_may_be_written(void **state)
{
	struct bench *bench = *state;
	struct fixture fixture = { .stage = { .marks = &bench->hw } }, guest;
	u64 index = index_of(SOME_IOVA, 0);

	build(bench, &fixture, 3, 0);
	build_guest(bench, &guest);
	fixture.stage.second = &guest.stage;
	put_entry(&bench->hw.ram, table_at[0], index, LEAF(LEAF_AT) & ~0x80ULL);
	put_entry(&bench->hw.ram, GUEST_L1, 0, LEAF(0ULL) & ~4ULL);
	expect_u64(look(&fixture, true).fault, 23);
	expect_u64(get_entry(&bench->hw.ram, table_at[0], index), LEAF(LEAF_AT) & ~0x80ULL);
	put_entry(&bench->hw.ram, GUEST_L1, 0, LEAF(0ULL));
	expect_u64(look(&fixture, true).fault, 0);
	expect_u64(get_entry(&bench->hw.ram, table_at[0], index), LEAF(LEAF_AT));
}

/* ---- An entry of many ------------------------------------------------------------------------ */

static void note_leaf(void *cookie, const struct hw_leaf *leaf)
{
	*(struct hw_leaf *)cookie = *leaf;
}

/* What a range finds at the entry; page_lg2 0: nothing. */
static struct hw_leaf found_at(const struct fixture *fixture, u64 page)
{
	struct hw_leaf found = { .page_lg2 = 0 };

	hw_walk_riscv_range(&fixture->stage, true, page, page | 0xfff, note_leaf, NULL, &found);
	return found;
}

static u32 expect_same(const struct fixture *fixture, u64 entry)
{
	u64 page = iova_of(fixture) & ~0xfffULL;
	struct hw_leaf found = found_at(fixture, page), leaf;
	bool many = hw_riscv_larger_page(&fixture->stage, entry, &leaf);

	assert_int_equal(many, found.page_lg2 == RISCV_NAPOT_LG2);
	if (!many)
		return 0;
	expect_u64(leaf.page_lg2, found.page_lg2);
	expect_u64(leaf.phys | (page & 0xffff), found.phys);
	assert_true(leaf.read == found.read && leaf.write == found.write);
	assert_true(leaf.accessed == found.accessed && leaf.dirty == found.dirty);
	return 1;
}

/* With any two bits turned over. */
static void an_entry_of_many_says_by_itself_what_a_range_finds(void **state)
{
	struct bench *bench = *state;
	u32 found = 0;

	for (u32 traits = 0; traits < 4; traits++) {
		struct fixture fixture = { .stage = { .napot = traits & 1, .pbmt = traits & 2 },
					   .many = true };
		u64 plain = plain_entry(&fixture, 0);

		build(bench, &fixture, 3, 0);
		for (u32 bits = 0; bits < 64 * 64; bits++) {
			u64 entry = plain ^ 1ULL << bits % 64 ^ 1ULL << bits / 64;

			put_entry(&bench->hw.ram, table_of(&fixture, 0), place_of(&fixture, 0),
				  entry);
			found += expect_same(&fixture, entry);
		}
	}
	assert_true(found > 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_ram, bench_teardown)

TEST_MAIN(TEST(every_bit_has_its_meaning), TEST(a_napot_page_takes_its_low_bits_from_the_address),
	  TEST(memory_types_are_one_of_three), TEST(rights_are_those_of_the_leaf),
	  TEST(marks_are_set_where_that_is_allowed), TEST(addresses_repeat_their_highest_bit),
	  TEST(both_stages_translate), TEST(the_second_stage_refuses_tables_and_pages),
	  TEST(a_mark_needs_a_page_that_may_be_written),
	  TEST(an_entry_of_many_says_by_itself_what_a_range_finds))
