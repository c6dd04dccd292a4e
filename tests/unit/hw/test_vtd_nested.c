/* SPDX-License-Identifier: MIT */
/*
 * VT-d's nested walks on tables made by hand: every bit of every entry of both stages on the way,
 * turned over one at a time, must give the fault or the other translation that the architecture
 * says (facts "iova-and-page-tables" 2.2, 2.3 and 2.6); and what is marked.
 *
 * Each table of the first stage, and the page, has a slot of the second stage's addresses to
 * itself, with tables of its own below the second stage's top:
 *
 *   what the second stage's entry says      of a table                   of the page
 *   nothing, or no read                     0x75 the top, 0x76 another   0x79, 0x86
 *   no write                                0x77, if a mark is to be set 0x85
 *   a reserved bit                          0x7a                         0x7a
 *   a table where no memory is              0x78, 0x7b the top           0x78
 *   a page where no memory is               0x73 the top, 0x70 another   is told
 *   the address is beyond its tables        0x73 the top, 0x74 another   0x74
 */
#include "bench.h"
#include "tables.h"

#include <string.h>

#include "hw/vtd_nested.h"

#define RAM_BITS     BENCH_RAM_BITS
#define ADDRESS_BITS 46
#define SOME_IOVA    (200ULL << 48 | 57ULL << 39 | 3ULL << 30 | 510ULL << 21 | 129ULL << 12 | 0x5a8)
#define PAGE	     5U /* the slot of the page; others are those of tables, by level */
#define SLOTS	     6U

/* P, R/W, U/S, A, and D: nothing is left to be marked. */
#define FS_TABLE 0x27ULL
#define FS_LEAF	 0x67ULL

struct fixture {
	struct bench *bench;
	struct hw_walker walker;
	struct hw_nested nested;
	u8 levels; /* of the first stage */
	u8 leaf;   /* level of its leaf */
};

/*
 * Pages of memory. Turning one bit of an address leads to none of them: any two differ in at least
 * two bits.
 */
static phys_addr_t memory(u32 number)
{
	return (u64)number << 12 | (u64)__builtin_parity(number) << 30;
}

static phys_addr_t second_root(void)
{
	return memory(0x400);
}

/* The second stage's table of a level that serves a slot. */
static phys_addr_t second_table(const struct fixture *fixture, u32 slot, u8 level)
{
	if (level == fixture->nested.second_levels - 1)
		return second_root();
	/* Slots are below the top of four levels; five have one table in common. */
	return memory(level == 3 ? 0x440 : 0x500 + slot * 4 + level);
}

/* Where the second stage puts a table of the first, or the page. */
static phys_addr_t placed(u32 slot)
{
	return memory(0x600 + slot);
}

static u64 within(const struct fixture *fixture)
{
	return SOME_IOVA & (bytes_of(fixture->leaf) - 1);
}

/* The address of a slot; that of the page is a leaf's of the first stage. */
static u64 slot_at(const struct fixture *fixture, u32 slot)
{
	u64 start = (u64)(slot + 1) << (fixture->nested.second_levels == 3 ? 30 : 39);

	if (slot == PAGE && fixture->leaf)
		return start;
	return start | (0x300ULL + slot) << 12;
}

static u64 iova_of(const struct fixture *fixture)
{
	return fixture->levels == 5 ? SOME_IOVA & 0x00ffffffffffffffULL
				    : SOME_IOVA & 0x00007fffffffffffULL;
}

static u64 first_entry(const struct fixture *fixture, u8 level)
{
	if (level == fixture->leaf)
		return slot_at(fixture, PAGE) | FS_LEAF | (level ? ENTRY_LEAF : 0);
	return slot_at(fixture, level - 1U) | FS_TABLE;
}

/* What a slot's address is, to the byte that is asked for. */
static u64 asked_of(const struct fixture *fixture, u32 slot)
{
	return slot_at(fixture, slot) | (slot == PAGE ? within(fixture) : 0);
}

static u64 second_entry(const struct fixture *fixture, u32 slot, u8 level)
{
	return (level ? second_table(fixture, slot, level - 1) : placed(slot)) | ENTRY_RW;
}

static void put_second(struct fixture *fixture, u32 slot, u8 level, u64 word)
{
	put_entry(fixture->walker.ram, second_table(fixture, slot, level),
		  index_of(asked_of(fixture, slot), level), word);
}

static void put_first(struct fixture *fixture, u8 level, u64 word)
{
	put_entry(fixture->walker.ram, placed(level), index_of(iova_of(fixture), level), word);
}

static u64 get_first(struct fixture *fixture, u8 level)
{
	return get_entry(fixture->walker.ram, placed(level), index_of(iova_of(fixture), level));
}

/* All tables are empty before. */
static void build(struct fixture *fixture, u8 levels, u8 second_levels, u8 leaf)
{
	static const u8 nothing[SZ_4K];

	for (u32 page = 0x400; page < 0x610; page++)
		ram_write(fixture->walker.ram, memory(page), nothing, sizeof(nothing));
	fixture->nested.second = second_root();
	fixture->nested.second_levels = second_levels;
	fixture->nested.first_levels = levels;
	fixture->levels = levels;
	fixture->leaf = leaf;
	for (u32 slot = 0; slot < SLOTS; slot++) {
		for (u8 level = 0; level < second_levels; level++)
			put_second(fixture, slot, level, second_entry(fixture, slot, level));
	}
	for (u8 level = leaf; level < levels; level++)
		put_first(fixture, level, first_entry(fixture, level));
}

static void begin(struct fixture *fixture, struct bench *bench)
{
	*fixture = (struct fixture){ .bench = bench,
				     .walker = { .ram = &bench->hw.ram,
						 .levels = 5,
						 .address_bits = ADDRESS_BITS,
						 .huge_1g = true,
						 .first_levels = 5,
						 .first_huge_1g = true } };
}

static struct hw_walk_start start_of(const struct fixture *fixture)
{
	return (struct hw_walk_start){ slot_at(fixture, fixture->levels - 1U), fixture->levels,
				       true, true };
}

/* A walk without steps, which has a shorter way, must find the same. */
static struct hw_walk look(const struct fixture *fixture, bool write)
{
	const struct hw_fs_access access = { .iova = iova_of(fixture), .write = write };
	const struct hw_walk_start start = start_of(fixture);
	struct hw_walk walk = { .no_steps = false }, quick;

	memset(&quick, 0xa5, sizeof(quick));
	quick.no_steps = true;
	hw_walk_vtd_nested_to(&fixture->walker, &fixture->nested, &start, &access, &walk);
	hw_walk_vtd_nested_to(&fixture->walker, &fixture->nested, &start, &access, &quick);
	expect_u64(quick.fault, walk.fault);
	expect_u64(quick.phys, walk.phys);
	expect_u64(quick.reads, walk.reads);
	if (!walk.fault) {
		expect_u64(quick.page_lg2, walk.page_lg2);
		assert_true(quick.read == walk.read && quick.write == walk.write);
	}
	return walk;
}

/* ---- Every bit ------------------------------------------------------------------------------- */

struct outcome {
	u8 fault; /* 0: phys */
	u64 phys;
};

static struct outcome found(const struct fixture *fixture)
{
	return (struct outcome){ 0, placed(PAGE) | (iova_of(fixture) & 0xfff) };
}

/* The first stage leads to an address where the second has nothing, or which it cannot have. */
static struct outcome led_astray(const struct fixture *fixture, u32 bit, u8 nothing)
{
	bool beyond = bit >= 12U + 9U * fixture->nested.second_levels;

	return (struct outcome){ beyond ? 0x74 : nothing, 0 };
}

static struct outcome of_first(const struct fixture *fixture, u8 level, u32 bit, bool write)
{
	bool leaf = level == fixture->leaf, large = leaf && level;

	if (bit == 0)
		return (struct outcome){ 0x71, 0 };
	if (bit == 1)
		return write ? (struct outcome){ 0x85, 0 } : found(fixture);
	if (bit == 2)
		return (struct outcome){ 0x81, 0 };
	if (bit == 7 && level > 2)
		return (struct outcome){ 0x72, 0 };
	/* A leaf becomes a pointer to what is no table; a pointer a leaf that is not aligned. */
	if (bit == 7 && level)
		return (struct outcome){ leaf ? 0x76 : 0x72, 0 };
	if (bit < 12 || bit > 51 || (large && bit == 12))
		return found(fixture);
	if (bit >= ADDRESS_BITS || (large && bit < 12U + 9U * level))
		return (struct outcome){ 0x72, 0 };
	return led_astray(fixture, bit, leaf ? 0x79 : 0x76);
}

/* Of a table of the first stage, or of the page: nothing is there for this access. */
static u8 refused(const struct fixture *fixture, u32 slot)
{
	if (slot == PAGE)
		return 0x79;
	return slot + 1U == fixture->levels ? 0x75 : 0x76;
}

static struct outcome of_second_leaf(const struct fixture *fixture, u32 slot, u32 bit)
{
	bool top = slot + 1U == fixture->levels;
	struct outcome same = found(fixture);

	if (slot == PAGE) {
		same.phys ^= 1ULL << bit;
		return same;
	}
	/* Another page: one of zeros, or none. */
	if (bit < RAM_BITS)
		return (struct outcome){ 0x71, 0 };
	return (struct outcome){ top ? 0x73 : 0x70, 0 };
}

static struct outcome of_second(const struct fixture *fixture, u32 slot, u8 level, u32 bit,
				bool write)
{
	bool page = slot == PAGE;

	if (bit == 0 && page)
		return write ? found(fixture) : (struct outcome){ 0x86, 0 };
	if (bit == 0)
		return (struct outcome){ refused(fixture, slot), 0 };
	/* Five levels have one entry at the top for all. */
	if (bit == 1)
		return write && (page || level == 4) ? (struct outcome){ 0x85, 0 } : found(fixture);
	/* SNP, TM: the unit does not have them. A pointer would be a leaf that is not aligned. */
	if (bit == 11 || bit == 62 || (bit == 7 && level))
		return (struct outcome){ 0x7a, 0 };
	if (bit < 12 || bit > 51)
		return found(fixture);
	if (bit >= ADDRESS_BITS)
		return (struct outcome){ 0x7a, 0 };
	if (!level)
		return of_second_leaf(fixture, slot, bit);
	return (struct outcome){ bit < RAM_BITS ? refused(fixture, slot) : 0x78, 0 };
}

static void expect(const struct fixture *fixture, struct outcome outcome, bool write,
		   const char *stage, u32 slot, u8 level, u32 bit)
{
	struct hw_walk walk = look(fixture, write);

	if (walk.fault == outcome.fault && (walk.fault || walk.phys == outcome.phys))
		return;
	fail_msg("%u below %u levels, leaf %u, %s stage, slot %u level %u bit %u %s: fault 0x%x "
		 "phys 0x%llx, expected 0x%x 0x%llx",
		 fixture->levels, fixture->nested.second_levels, fixture->leaf, stage, slot, level,
		 bit, write ? "write" : "read", walk.fault, walk.phys, outcome.fault, outcome.phys);
}

static void check_first(struct fixture *fixture, u8 level)
{
	u64 plain = first_entry(fixture, level);

	for (u32 bit = 0; bit < 64; bit++) {
		put_first(fixture, level, plain ^ 1ULL << bit);
		for (int write = 0; write < 2; write++)
			expect(fixture, of_first(fixture, level, bit, write), write, "first", level,
			       level, bit);
	}
	put_first(fixture, level, plain);
}

static void check_second(struct fixture *fixture, u32 slot, u8 level)
{
	u64 plain = second_entry(fixture, slot, level);

	for (u32 bit = 0; bit < 64; bit++) {
		put_second(fixture, slot, level, plain ^ 1ULL << bit);
		for (int write = 0; write < 2; write++)
			expect(fixture, of_second(fixture, slot, level, bit, write), write,
			       "second", slot, level, bit);
	}
	put_second(fixture, slot, level, plain);
}

/* Which of the slots is asked first is the top's: an entry in common is judged for that. */
static bool is_common(const struct fixture *fixture, u32 slot, u8 level)
{
	return level >= 4 && slot + 1U != fixture->levels;
}

/*
 * trust: every bit of the entries of both stages of VT-d's nested walks
 * | our reading of the facts: the table above, written out here
 */
static void every_bit_of_both_stages_has_its_meaning(void **state)
{
	struct fixture fixture;

	begin(&fixture, *state);
	for (u8 levels = 4; levels <= 5; levels++) {
		for (u8 second = 3; second <= 5; second++) {
			for (u8 leaf = 0; leaf <= 2; leaf++) {
				build(&fixture, levels, second, leaf);
				for (u8 level = leaf; level < levels; level++)
					check_first(&fixture, level);
				for (u32 at = 0; at < SLOTS * second; at++) {
					u32 slot = at / second;
					u8 level = at % second;

					if ((slot == PAGE || (slot >= leaf && slot < levels)) &&
					    !is_common(&fixture, slot, level))
						check_second(&fixture, slot, level);
				}
			}
		}
	}
}

/* ---- What single bits cannot tell ------------------------------------------------------------ */

static void both_stages_are_counted_and_limit_each_other(void **state)
{
	struct fixture fixture;
	struct hw_walk walk;

	begin(&fixture, *state);
	build(&fixture, 4, 4, 0);
	walk = look(&fixture, true);
	expect_u64(walk.fault, 0);
	/* Four entries, each found by four of the other stage; and four for the page. */
	expect_u64(walk.reads, 24);
	expect_u64(walk.tables, 4);
	expect_u64(walk.step[0].table, slot_at(&fixture, 3));
	expect_u64(walk.step[3].table, slot_at(&fixture, 0));
	assert_true(walk.read && walk.write);
	/* The smaller page of the two is what may be cached. */
	build(&fixture, 4, 4, 2);
	expect_u64(look(&fixture, true).page_lg2, 12);
	/* 2 MiB of the first stage's 1 GiB. */
	put_second(&fixture, PAGE, 1, 0x40000000 | ENTRY_RW | ENTRY_LEAF);
	walk = look(&fixture, true);
	expect_u64(walk.page_lg2, 21);
	expect_u64(walk.phys, 0x40000000 | (SOME_IOVA & (SZ_2M - 1)));
	/* Of 4 KiB below a page of 1 GiB. */
	build(&fixture, 4, 4, 0);
	put_second(&fixture, PAGE, 2, 0x40000000 | ENTRY_RW | ENTRY_LEAF);
	walk = look(&fixture, true);
	expect_u64(walk.page_lg2, 12);
	expect_u64(walk.phys,
		   0x40000000 | (slot_at(&fixture, PAGE) & (SZ_1G - 1)) | (SOME_IOVA & 0xfff));
	/* Either stage takes the write away. */
	put_second(&fixture, PAGE, 2, 0x40000000 | ENTRY_R | ENTRY_LEAF);
	walk = look(&fixture, false);
	assert_true(walk.read && !walk.write);
	build(&fixture, 4, 4, 0);
	put_first(&fixture, 0, first_entry(&fixture, 0) & ~2ULL);
	walk = look(&fixture, false);
	assert_true(walk.read && !walk.write);
}

/* A top table is no entry's address: what is wrong with it has reasons of its own. */
static void tops_have_reasons_of_their_own(void **state)
{
	struct fixture fixture;
	struct hw_walk_start start;
	const struct hw_fs_access access = { .iova = 0x1000 };
	struct hw_walk walk = { .no_steps = false };

	begin(&fixture, *state);
	build(&fixture, 4, 3, 0);
	start = start_of(&fixture);
	start.table = 1ULL << 39;
	hw_walk_vtd_nested_to(&fixture.walker, &fixture.nested, &start, &access, &walk);
	expect_u64(walk.fault, 0x73);
	fixture.nested.second = 1ULL << RAM_BITS;
	expect_u64(look(&fixture, false).fault, 0x7b);
}

/* The first stage's verdict on the request comes first; who asks is not the second's business. */
static void the_first_stage_judges_before_the_second(void **state)
{
	struct hw_fs_access access = { .write = true, .privileged = true };
	struct hw_walk walk = { .no_steps = true };
	struct hw_walk_start start;
	struct fixture fixture;

	begin(&fixture, *state);
	build(&fixture, 4, 4, 0);
	access.iova = iova_of(&fixture);
	start = start_of(&fixture);
	put_first(&fixture, 0, first_entry(&fixture, 0) & ~6ULL);
	put_second(&fixture, PAGE, 0, 0);
	expect_u64(look(&fixture, true).fault, 0x81);
	hw_walk_vtd_nested_to(&fixture.walker, &fixture.nested, &start, &access, &walk);
	expect_u64(walk.fault, 0x79);
	put_second(&fixture, PAGE, 0, second_entry(&fixture, PAGE, 0));
	walk.no_steps = true;
	hw_walk_vtd_nested_to(&fixture.walker, &fixture.nested, &start, &access, &walk);
	expect_u64(walk.fault, 0);
	access.write_protect = true;
	hw_walk_vtd_nested_to(&fixture.walker, &fixture.nested, &start, &access, &walk);
	expect_u64(walk.fault, 0x85);
}

/* ---- Marks ----------------------------------------------------------------------------------- */

/* Walks, and marks if that went well. */
static u8 use(struct fixture *fixture, bool write, bool *dirty)
{
	const struct hw_fs_access access = { .iova = iova_of(fixture), .write = write };
	struct hw_walk walk = look(fixture, write);

	expect_u64(walk.fault, 0);
	return hw_mark_vtd_nested(&fixture->walker, &fixture->bench->hw, &fixture->nested, &access,
				  &walk, dirty);
}

static void unmark(struct fixture *fixture)
{
	for (u8 level = fixture->leaf; level < fixture->levels; level++)
		put_first(fixture, level, first_entry(fixture, level) & ~0x60ULL);
}

static void the_first_stage_is_marked_in_memory(void **state)
{
	struct fixture fixture;
	bool dirty;

	begin(&fixture, *state);
	build(&fixture, 4, 4, 0);
	unmark(&fixture);
	expect_u64(use(&fixture, false, &dirty), 0);
	assert_false(dirty);
	for (u8 level = 0; level < 4; level++)
		expect_u64(get_first(&fixture, level) & 0x460, 0x20);
	expect_u64(use(&fixture, true, &dirty), 0);
	assert_true(dirty);
	expect_u64(get_first(&fixture, 0) & 0x460, 0x60);
	expect_u64(get_first(&fixture, 1) & 0x460, 0x20);
	fixture.nested.ext_accessed = true;
	expect_u64(use(&fixture, true, &dirty), 0);
	for (u8 level = 0; level < 4; level++)
		expect_u64(get_first(&fixture, level) & 0x420, 0x420);
}

/* trust: a mark needs the second stage's permission to write | our reading of the facts: 2.6 */
static void a_mark_needs_a_table_that_may_be_written(void **state)
{
	struct fixture fixture;
	bool dirty;

	begin(&fixture, *state);
	for (u8 level = 0; level < 4; level++) {
		build(&fixture, 4, 4, 0);
		unmark(&fixture);
		put_second(&fixture, level, 0, second_entry(&fixture, level, 0) & ~2ULL);
		expect_u64(use(&fixture, false, &dirty), 0x77);
		/* All or nothing. */
		for (u8 other = 0; other < 4; other++)
			expect_u64(get_first(&fixture, other) & 0x60, 0);
		/* What is marked already may be read only. */
		put_first(&fixture, level, first_entry(&fixture, level));
		expect_u64(use(&fixture, true, &dirty), 0);
		assert_true(dirty);
	}
}

static u64 second_marks(struct fixture *fixture, u32 slot, u8 level)
{
	return get_entry(fixture->walker.ram, second_table(fixture, slot, level),
			 index_of(asked_of(fixture, slot), level)) &
	       0x300;
}

/* Tables that are written to, to mark them, become dirty; and the page by a write. */
static void the_second_stage_is_marked_where_it_is_enabled(void **state)
{
	struct fixture fixture;
	bool dirty;

	begin(&fixture, *state);
	build(&fixture, 4, 4, 0);
	expect_u64(use(&fixture, true, &dirty), 0);
	assert_true(dirty);
	expect_u64(second_marks(&fixture, PAGE, 0), 0);
	fixture.nested.track = true;
	expect_u64(use(&fixture, false, &dirty), 0);
	assert_false(dirty);
	for (u32 slot = 0; slot < SLOTS; slot++) {
		for (u8 level = 0; level < 4; level++)
			expect_u64(second_marks(&fixture, slot, level), slot == 4 ? 0 : 0x100);
	}
	expect_u64(use(&fixture, true, &dirty), 0);
	assert_true(dirty);
	expect_u64(second_marks(&fixture, PAGE, 0), 0x300);
	expect_u64(second_marks(&fixture, 0, 0), 0x100);
	unmark(&fixture);
	expect_u64(use(&fixture, true, &dirty), 0);
	for (u32 slot = 0; slot < 4; slot++)
		expect_u64(second_marks(&fixture, slot, 0), 0x300);
}

/* What the test has put into memory is what the unit sees there. */
static void clean(struct fixture *fixture)
{
	struct hw *hw = &fixture->bench->hw;

	hw_cache_clean(hw, 0x400000, 4 * SZ_1M);
	hw_cache_clean(hw, SZ_1G + 0x400000, 4 * SZ_1M);
}

/* Where it does not snoop it cannot: unless all is set, it refuses. */
static void a_unit_that_does_not_snoop_marks_nothing(void **state)
{
	struct fixture fixture;
	bool dirty;

	begin(&fixture, *state);
	build(&fixture, 4, 4, 0);
	fixture.walker.cache = &fixture.bench->hw.cache;
	clean(&fixture);
	expect_u64(use(&fixture, true, &dirty), 0);
	unmark(&fixture);
	clean(&fixture);
	expect_u64(use(&fixture, false, &dirty), 0x90);
	build(&fixture, 4, 4, 0);
	clean(&fixture);
	fixture.nested.track = true;
	expect_u64(use(&fixture, false, &dirty), 0x7c);
	expect_u64(second_marks(&fixture, PAGE, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_ram, bench_teardown)

TEST_MAIN(TEST(every_bit_of_both_stages_has_its_meaning),
	  TEST(both_stages_are_counted_and_limit_each_other), TEST(tops_have_reasons_of_their_own),
	  TEST(the_first_stage_judges_before_the_second), TEST(the_first_stage_is_marked_in_memory),
	  TEST(a_mark_needs_a_table_that_may_be_written),
	  TEST(the_second_stage_is_marked_where_it_is_enabled),
	  TEST(a_unit_that_does_not_snoop_marks_nothing))
