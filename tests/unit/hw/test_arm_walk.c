/* SPDX-License-Identifier: MIT */
/*
 * Armv8 tables made by hand, and every bit of every descriptor turned over one at a time (facts
 * "iova-and-page-tables" 2.4, 2.6). Granules of 4 KiB but where it says so.
 */
#include "bench.h"
#include "hw/arm_walk.h"
#include "tables.h"

#define RAM_BITS  BENCH_RAM_BITS
#define SOME_IOVA (257ULL << 39 | 3ULL << 30 | 510ULL << 21 | 129ULL << 12 | 0x5a8)

/* Tables by level. Any two differ in at least two bits. */
static const phys_addr_t table_at[4] = { 0x133000, 0x255000, 0x366000, 0x5aa000 };
#define LEAF_AT 0x2580000000ULL

#define TABLE	    3ULL
#define FIRST_LEAF  0xf44ULL /* cacheable, EL0 reads and writes, inner, AF, nG; and a type */
#define SECOND_LEAF 0x7fcULL /* cacheable, reads and writes, inner, AF */

struct fixture {
	struct hw_walker walker;
	struct hw_arm_stage stage;
	u8 leaf; /* level of the leaf */
};

static u64 plain_entry(const struct fixture *fixture, u8 level)
{
	u64 bits = fixture->stage.second_stage ? SECOND_LEAF : FIRST_LEAF;

	if (level != fixture->leaf)
		return table_at[level - 1] | TABLE;
	return LEAF_AT | bits | (level ? 1 : 3);
}

static void build(struct bench *bench, struct fixture *fixture, u8 leaf)
{
	fixture->walker.ram = &bench->hw.ram;
	fixture->stage.walker = &fixture->walker;
	fixture->stage.granule_lg2 = 12;
	fixture->stage.levels = 4;
	fixture->stage.input_bits = 48;
	fixture->stage.output_bits = 44;
	fixture->stage.root = table_at[3];
	fixture->leaf = leaf;
	for (u8 level = leaf; level < 4; level++)
		put_entry(&bench->hw.ram, table_at[level], index_of(SOME_IOVA, level),
			  plain_entry(fixture, level));
}

/* A walk without steps, which has a shorter way, must find the same. */
static struct hw_walk walk_both(const struct hw_arm_stage *stage,
				const struct hw_arm_access *access)
{
	struct hw_walk walk = hw_walk_arm(stage, access), quick = { .no_steps = true };

	hw_walk_arm_to(stage, access, &quick);
	expect_u64(quick.fault, walk.fault);
	expect_u64(quick.fault_flags, walk.fault_flags);
	expect_u64(quick.phys, walk.phys);
	/* What the first has marked the second need not. */
	if (!stage->hw)
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
			 &(struct hw_arm_access){ .iova = SOME_IOVA, .write = write });
}

/* ---- Every bit ------------------------------------------------------------------------------- */

struct outcome {
	u8 fault; /* 0: phys */
	u64 phys;
};

#define F_WALK_EABT   0x0b
#define F_TRANSLATION 0x10
#define F_ADDR_SIZE   0x11
#define F_ACCESS      0x12
#define F_PERMISSION  0x13

static struct outcome same_page(const struct fixture *fixture)
{
	return (struct outcome){ 0, LEAF_AT | (SOME_IOVA & (bytes_of(fixture->leaf) - 1)) };
}

static bool is_refused(const struct fixture *fixture, u32 bit, bool write)
{
	if (fixture->stage.second_stage)
		return bit == (write ? 7 : 6);
	return bit == 6 || (bit == 7 && write);
}

static struct outcome of_leaf(const struct fixture *fixture, u32 bit, bool write)
{
	struct outcome outcome = same_page(fixture);

	/* A block that becomes a table is one of zeros. */
	if (bit == 0 || bit == 1)
		return (struct outcome){ F_TRANSLATION, 0 };
	if (bit == 10)
		return (struct outcome){ F_ACCESS, 0 };
	if (is_refused(fixture, bit, write))
		return (struct outcome){ F_PERMISSION, 0 };
	if (bit >= fixture->stage.output_bits && bit < 48)
		return (struct outcome){ F_ADDR_SIZE, 0 };
	if (bit >= 12U + 9U * fixture->leaf && bit < 48)
		outcome.phys ^= 1ULL << bit;
	return outcome;
}

static struct outcome of_table(const struct fixture *fixture, u8 level, u32 bit, bool write)
{
	bool first = !fixture->stage.second_stage;

	if (bit == 0 || (bit == 1 && level == 3))
		return (struct outcome){ F_TRANSLATION, 0 };
	if (bit == 1)
		return (struct outcome){ F_ACCESS, 0 }; /* a block without AF */
	if (bit >= fixture->stage.output_bits && bit < 48)
		return (struct outcome){ F_ADDR_SIZE, 0 };
	if (bit >= 12 && bit < 48)
		return (struct outcome){ bit < RAM_BITS ? F_TRANSLATION : F_WALK_EABT, 0 };
	if (first && (bit == 61 || (bit == 62 && write)))
		return (struct outcome){ F_PERMISSION, 0 };
	return same_page(fixture);
}

static void check_bit(struct bench *bench, const struct fixture *fixture, u8 level, u32 bit)
{
	u64 index = index_of(SOME_IOVA, level);

	put_entry(&bench->hw.ram, table_at[level], index,
		  plain_entry(fixture, level) ^ 1ULL << bit);
	for (int write = 0; write < 2; write++) {
		struct outcome outcome = level == fixture->leaf
						 ? of_leaf(fixture, bit, write)
						 : of_table(fixture, level, bit, write);
		struct hw_walk walk = look(fixture, write);

		if (walk.fault == outcome.fault && (walk.fault || walk.phys == outcome.phys))
			continue;
		fail_msg("stage %d leaf %u entry %u bit %u %s: fault 0x%x phys 0x%llx, expected "
			 "0x%x 0x%llx",
			 fixture->stage.second_stage ? 2 : 1, fixture->leaf, level, bit,
			 write ? "write" : "read", walk.fault, walk.phys, outcome.fault,
			 outcome.phys);
	}
	put_entry(&bench->hw.ram, table_at[level], index, plain_entry(fixture, level));
}

/*
 * trust: every bit of Armv8's page-table descriptors
 * | our reading of the facts: a table of what each bit means, written out here
 */
static void every_bit_has_its_meaning(void **state)
{
	for (int second = 0; second < 2; second++) {
		struct fixture fixture = { .stage = { .second_stage = second } };

		for (u8 leaf = 0; leaf <= 2; leaf++) {
			build(*state, &fixture, leaf);
			for (u8 level = leaf; level < 4; level++) {
				for (u32 bit = 0; bit < 64; bit++)
					check_bit(*state, &fixture, level, bit);
			}
		}
	}
}

/* ---- What single bits cannot tell ------------------------------------------------------------ */

static void the_contiguous_bit_makes_pages_larger(void **state)
{
	static const struct {
		u8 granule, level, lg2;
	} row[] = { { 12, 0, 16 }, { 12, 1, 25 }, { 12, 2, 34 }, { 14, 0, 21 },
		    { 14, 1, 30 }, { 16, 0, 21 }, { 16, 1, 34 } };
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct fixture fixture = { .walker.ram = &bench->hw.ram };
		const struct hw_arm_access access = { .iova = 0x123 };

		/* One table, whose first entry is the leaf. */
		fixture.stage = (struct hw_arm_stage){ .walker = &fixture.walker,
						       .root = 0x1000000 + i * 0x10000,
						       .granule_lg2 = row[i].granule,
						       .input_bits = 40,
						       .output_bits = 48,
						       .levels = row[i].level + 1U };
		put_entry(&bench->hw.ram, fixture.stage.root, 0,
			  1ULL << 52 | FIRST_LEAF | (row[i].level ? 1 : 3));
		expect_u64(walk_both(&fixture.stage, &access).fault, 0);
		expect_u64(walk_both(&fixture.stage, &access).page_lg2, row[i].lg2);
	}
}

/* 64 KiB granules have bits 51:48 in 15:12, LPA2 has 51:50 in 9:8. */
static void wide_addresses_have_bits_elsewhere(void **state)
{
	struct bench *bench = *state;
	const struct hw_arm_access access = { .iova = 0x123 };
	struct fixture fixture = { .walker.ram = &bench->hw.ram };

	fixture.stage = (struct hw_arm_stage){ .walker = &fixture.walker,
					       .root = 0x10000,
					       .granule_lg2 = 16,
					       .input_bits = 29,
					       .output_bits = 52,
					       .levels = 1 };
	put_entry(&bench->hw.ram, 0x10000, 0, 0x000012345678ff47ULL);
	expect_u64(walk_both(&fixture.stage, &access).phys, 0xf123456780123ULL);
	fixture.stage.output_bits = 48;
	expect_u64(walk_both(&fixture.stage, &access).phys, 0x123456780123ULL);
	fixture.stage.granule_lg2 = 12;
	fixture.stage.input_bits = 21;
	fixture.stage.output_bits = 52;
	fixture.stage.lpa2 = true;
	put_entry(&bench->hw.ram, 0x10000, 0, 0x0000000123456f47ULL);
	expect_u64(walk_both(&fixture.stage, &access).phys, 0xc000123456123ULL);
	fixture.stage.output_bits = 51;
	expect_u64(walk_both(&fixture.stage, &access).fault, F_ADDR_SIZE);
}

/* A first stage may mark: AF, and by taking the read-only bit of what has DBM. */
static void marks_are_set_where_that_is_allowed(void **state)
{
	struct bench *bench = *state;
	struct fixture fixture = { .stage = { .hw = &bench->hw, .update_access = true } };
	u64 index = index_of(SOME_IOVA, 0);
	u64 clean = LEAF_AT | FIRST_LEAF | 3 | 1ULL << 51 | 1ULL << 7;

	build(bench, &fixture, 0);
	put_entry(&bench->hw.ram, table_at[0], index, clean & ~(1ULL << 10));
	expect_u64(look(&fixture, false).fault, 0);
	expect_u64(get_entry(&bench->hw.ram, table_at[0], index), clean);
	expect_u64(look(&fixture, true).fault, F_PERMISSION);
	fixture.stage.update_dirty = true;
	assert_true(look(&fixture, false).write);
	assert_false(look(&fixture, false).dirty);
	expect_u64(get_entry(&bench->hw.ram, table_at[0], index), clean);
	expect_u64(look(&fixture, true).fault, 0);
	expect_u64(get_entry(&bench->hw.ram, table_at[0], index), clean & ~(1ULL << 7));
	assert_true(look(&fixture, false).dirty);
}

static void a_second_stage_marks_by_allowing_writes(void **state)
{
	struct bench *bench = *state;
	struct fixture fixture = {
		.stage = { .hw = &bench->hw, .second_stage = true, .update_dirty = true }
	};
	u64 index = index_of(SOME_IOVA, 0);
	u64 clean = (LEAF_AT | SECOND_LEAF | 3 | 1ULL << 51) & ~(1ULL << 7);

	build(bench, &fixture, 0);
	put_entry(&bench->hw.ram, table_at[0], index, clean);
	expect_u64(look(&fixture, true).fault, 0);
	expect_u64(get_entry(&bench->hw.ram, table_at[0], index), clean | 1ULL << 7);
}

static void execution_is_forbidden_to_one_or_both(void **state)
{
	struct bench *bench = *state;
	struct fixture fixture = { .leaf = 0 };
	u64 index = index_of(SOME_IOVA, 0);

	build(bench, &fixture, 0);
	for (int bits = 0; bits < 4; bits++) {
		struct hw_arm_access access = { .iova = SOME_IOVA, .execute = true };

		put_entry(&bench->hw.ram, table_at[0], index,
			  LEAF_AT | FIRST_LEAF | 3 | (u64)bits << 53);
		expect_u64(walk_both(&fixture.stage, &access).fault, bits & 2 ? F_PERMISSION : 0);
		access.privileged = true;
		expect_u64(walk_both(&fixture.stage, &access).fault, bits & 1 ? F_PERMISSION : 0);
	}
}

static void an_address_beyond_the_input_is_not_translated(void **state)
{
	struct fixture fixture = { .leaf = 0 };
	struct hw_arm_access access = { .iova = 1ULL << 48 | SOME_IOVA };

	build(*state, &fixture, 0);
	expect_u64(walk_both(&fixture.stage, &access).fault, F_TRANSLATION);
	access.iova = ~0ULL;
	expect_u64(walk_both(&fixture.stage, &access).fault, F_TRANSLATION);
}

/* 42 bits of input over 4 KiB granules from level 2 on: 8 tables side by side. */
static void several_top_tables_are_one(void **state)
{
	struct bench *bench = *state;
	struct fixture fixture = { .walker.ram = &bench->hw.ram };
	struct hw_arm_access access = { .iova = (7ULL * 512 + 5) << 30 | 0x123 };

	fixture.stage = (struct hw_arm_stage){ .walker = &fixture.walker,
					       .root = 0x8000,
					       .granule_lg2 = 12,
					       .input_bits = 42,
					       .output_bits = 44,
					       .levels = 3,
					       .second_stage = true };
	put_entry(&bench->hw.ram, 0x8000 + 7 * 0x1000, 5, 0x40000000ULL | SECOND_LEAF | 1);
	expect_u64(walk_both(&fixture.stage, &access).phys, 0x40000123ULL);
	access.iova ^= 1ULL << 41;
	expect_u64(walk_both(&fixture.stage, &access).fault, F_TRANSLATION);
}

/* ---- Two stages ------------------------------------------------------------------------------ */

#define SECOND_ROOT 0x900000ULL
#define SECOND_L1   0x911000ULL
#define SECOND_L0   0x922000ULL

static void build_second(struct bench *bench, struct fixture *second)
{
	*second = (struct fixture){ .walker.ram = &bench->hw.ram };
	second->stage = (struct hw_arm_stage){ .walker = &second->walker,
					       .root = SECOND_ROOT,
					       .granule_lg2 = 12,
					       .input_bits = 39,
					       .output_bits = 44,
					       .levels = 3,
					       .second_stage = true };
	put_entry(&bench->hw.ram, SECOND_ROOT, 0, SECOND_L1 | TABLE);
	for (u64 i = 0; i < 4; i++)
		put_entry(&bench->hw.ram, SECOND_L1, i, i << 21 | SECOND_LEAF | 1);
	put_entry(&bench->hw.ram, SECOND_ROOT, LEAF_AT >> 30, SECOND_L0 | TABLE);
	put_entry(&bench->hw.ram, SECOND_L0, 0, 0x4000000ULL | SECOND_LEAF | 1);
}

static void both_stages_translate(void **state)
{
	struct bench *bench = *state;
	struct fixture fixture = { .leaf = 0 }, second;
	struct hw_walk walk;

	build(bench, &fixture, 0);
	build_second(bench, &second);
	fixture.stage.second = &second.stage;
	walk = look(&fixture, true);
	expect_u64(walk.fault, 0);
	expect_u64(walk.phys, 0x4000000 | (SOME_IOVA & 0xfff));
	expect_u64(walk.page_lg2, 12);
	/* Four descriptors, each found by two of the other stage; and two for the page. */
	expect_u64(walk.reads, 4 + 4 * 2 + 2);
}

/* Event, and what it says: whose stage, and of a table or of the address asked for. */
static void the_second_stage_refuses_tables_and_pages(void **state)
{
	struct bench *bench = *state;
	struct fixture fixture = { .leaf = 0 }, second;
	struct hw_walk walk;

	build(bench, &fixture, 0);
	build_second(bench, &second);
	fixture.stage.second = &second.stage;
	put_entry(&bench->hw.ram, SECOND_L0, 0, (0x4000000ULL | SECOND_LEAF | 1) & ~(1ULL << 7));
	walk = look(&fixture, true);
	expect_u64(walk.fault, F_PERMISSION);
	expect_u64(walk.fault_flags, 1 | 2 << 1);
	expect_u64(look(&fixture, false).fault, 0);
	put_entry(&bench->hw.ram, SECOND_L1, table_at[3] >> 21, 0);
	walk = look(&fixture, false);
	expect_u64(walk.fault, F_TRANSLATION);
	expect_u64(walk.fault_flags, 1 | 1 << 1);
	/* And the first stage's own. */
	build_second(bench, &second);
	put_entry(&bench->hw.ram, table_at[0], index_of(SOME_IOVA, 0), 0);
	walk = look(&fixture, false);
	expect_u64(walk.fault, F_TRANSLATION);
	expect_u64(walk.fault_flags, 2 << 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_ram, bench_teardown)

TEST_MAIN(TEST(every_bit_has_its_meaning), TEST(the_contiguous_bit_makes_pages_larger),
	  TEST(wide_addresses_have_bits_elsewhere), TEST(marks_are_set_where_that_is_allowed),
	  TEST(a_second_stage_marks_by_allowing_writes),
	  TEST(execution_is_forbidden_to_one_or_both),
	  TEST(an_address_beyond_the_input_is_not_translated), TEST(several_top_tables_are_one),
	  TEST(both_stages_translate), TEST(the_second_stage_refuses_tables_and_pages))
