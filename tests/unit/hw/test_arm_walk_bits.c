/* SPDX-License-Identifier: MIT */
/*
 * Every bit of every descriptor on the way of a walk through Armv8's tables, turned over one at a
 * time, for each granule, each width of addresses, both stages, and pages with the contiguous bit:
 * the walk must end with the event, or with the other translation, that the architecture says
 * (facts "iova-and-page-tables" 2.4 and 2.6).
 *
 *   bit      leaf, first stage        leaf, second stage       table, first     table, second
 *   0        valid
 *   1        level 0: page            the same                 a block, where the level has some
 *            else a table
 *   5:2      ignored                  ignored                  ignored          ignored
 *   6        unprivileged             read                     ignored          ignored
 *   7        read-only                write                    ignored          ignored
 *   9:8      with LPA2 address 51:50, else ignored
 *   10       AF                       AF                       ignored          ignored
 *   15:12    granules of 64 KiB and more than 48 address bits: address 51:48
 *   47:g     address, ignored below the size of a leaf's own entry; with LPA2 up to 49
 *   51       ignored (DBM)            ignored                  ignored          ignored
 *   52       contiguous               contiguous               ignored          ignored
 *   53       PXN                      no execution             ignored          ignored
 *   54       UXN                      no execution             ignored          ignored
 *   59, 60   ignored                  ignored                  PXN, UXN         ignored
 *   61       ignored                  ignored                  no unprivileged  ignored
 *   62       ignored                  ignored                  read-only        ignored
 *
 * An address bit beyond the output size is an address size fault.
 */
#include "bench.h"
#include "hw/arm_walk.h"
#include "tables.h"

#define RAM_BITS BENCH_RAM_BITS

/* No index is 0 but that of a top table of two entries. */
#define SOME_BITS 0x000d9ad7b5a53a5a8ULL

/*
 * Tables by level, as large as there are. Turning one address bit must not lead from one to
 * another: any two differ in at least two bits.
 */
static const phys_addr_t table_at[5] = { 0x130000, 0x250000, 0x360000, 0x5a0000, 0x690000 };

#define FIRST_LEAF  0xf44ULL /* cacheable, EL0 reads and writes, inner, AF, nG; and a type */
#define SECOND_LEAF 0x7fcULL /* cacheable, reads and writes, inner, AF */
#define SH_BITS	    0x300ULL
#define CONTIGUOUS  (1ULL << 52)

#define F_WALK_EABT   0x0b
#define F_TRANSLATION 0x10
#define F_ADDR_SIZE   0x11
#define F_ACCESS      0x12
#define F_PERMISSION  0x13

enum asks { READS, WRITES, EXECUTES, ASKS };

static const char *const asks_name[ASKS] = { "read", "write", "execute" };

static const struct shape {
	u8 granule;
	bool lpa2;
	u8 levels, input, output;
	u8 most; /* the highest level that has leaves */
} shapes[] = {
	{ 12, false, 4, 48, 44, 2 }, { 12, false, 4, 48, 48, 2 }, { 12, false, 3, 39, 40, 2 },
	{ 12, true, 5, 52, 52, 3 },  { 12, true, 4, 48, 51, 3 },  { 14, false, 4, 48, 48, 1 },
	{ 14, false, 3, 47, 42, 1 }, { 14, true, 4, 52, 52, 2 },  { 16, false, 3, 48, 48, 1 },
	{ 16, false, 3, 52, 52, 2 }, { 16, false, 2, 42, 44, 1 },
};

#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

struct fixture {
	const struct shape *shape;
	struct hw_walker walker;
	struct hw_arm_stage stage;
	struct ram *ram;
	u8 leaf; /* level of the leaf */
	bool contiguous;
};

struct outcome {
	u8 fault; /* 0: phys */
	u64 phys;
	u8 page_lg2;
};

/* ---- Geometry, by plain arithmetic ----------------------------------------------------------- */

static u8 lg2_of(const struct shape *shape, u8 level)
{
	return (u8)(shape->granule + level * (shape->granule - 3));
}

static u64 iova_of(const struct shape *shape)
{
	return SOME_BITS & ((1ULL << shape->input) - 1);
}

static u64 place_of(const struct shape *shape, u8 level)
{
	u64 index = iova_of(shape) >> lg2_of(shape, level);

	return level == shape->levels - 1 ? index : index % (1ULL << (shape->granule - 3));
}

/* The table of facts 2.4: how many bytes a page with the contiguous bit has; 0: no such bit. */
static u8 contiguous_lg2(const struct shape *shape, u8 level)
{
	static const u8 of_4k[] = { 16, 25, 34, 43 }, of_16k[] = { 21, 30, 0 },
			of_64k[] = { 21, 34, 47 };

	if (shape->granule == 12)
		return of_4k[level];
	return shape->granule == 14 ? of_16k[level] : of_64k[level];
}

static u64 leaf_at(const struct fixture *fixture)
{
	return 5ULL << lg2_of(fixture->shape, fixture->leaf);
}

static u64 plain_entry(const struct fixture *fixture, u8 level)
{
	u64 bits = fixture->stage.second_stage ? SECOND_LEAF : FIRST_LEAF;

	if (level != fixture->leaf)
		return table_at[level - 1] | 3;
	if (fixture->shape->lpa2)
		bits &= ~SH_BITS;
	if (fixture->contiguous)
		bits |= CONTIGUOUS;
	return leaf_at(fixture) | bits | (level ? 1 : 3);
}

/* ---- What each bit means --------------------------------------------------------------------- */

/* The address bit that a descriptor's bit holds; 0: it holds none. */
static u32 address_bit(const struct shape *shape, u32 bit)
{
	if (shape->lpa2 && (bit == 8 || bit == 9))
		return bit + 42;
	if (shape->granule == 16 && shape->output > 48 && bit >= 12 && bit <= 15)
		return bit + 36;
	return bit >= shape->granule && bit < (shape->lpa2 ? 50U : 48U) ? bit : 0;
}

static struct outcome same(const struct fixture *fixture)
{
	u8 lg2 = lg2_of(fixture->shape, fixture->leaf);
	u64 inside = (1ULL << lg2) - 1;

	return (struct outcome){ 0, leaf_at(fixture) | (iova_of(fixture->shape) & inside),
				 fixture->contiguous ? contiguous_lg2(fixture->shape, fixture->leaf)
						     : lg2 };
}

static struct outcome fault(u8 event)
{
	return (struct outcome){ event, 0, 0 };
}

static bool forbids(const struct fixture *fixture, u32 bit, enum asks asks)
{
	if (!fixture->stage.second_stage)
		return (bit == 6 && asks != EXECUTES) || (bit == 7 && asks == WRITES) ||
		       (bit == 54 && asks == EXECUTES);
	if (bit == 53 || bit == 54)
		return asks == EXECUTES;
	return (bit == 6 && asks != WRITES) || (bit == 7 && asks == WRITES);
}

static struct outcome of_leaf(const struct fixture *fixture, u32 bit, enum asks asks)
{
	const struct shape *shape = fixture->shape;
	struct outcome outcome = same(fixture);
	u32 address = address_bit(shape, bit);

	if (bit == 0 || (bit == 1 && !fixture->leaf))
		return fault(F_TRANSLATION);
	if (bit == 1) /* a table of zeros, or no memory at all */
		return fault(leaf_at(fixture) >> RAM_BITS ? F_WALK_EABT : F_TRANSLATION);
	if (address >= shape->output)
		return fault(F_ADDR_SIZE);
	if (address >= lg2_of(shape, fixture->leaf))
		outcome.phys ^= 1ULL << address;
	if (address)
		return outcome;
	if (bit == 10)
		return fault(F_ACCESS);
	if (forbids(fixture, bit, asks))
		return fault(F_PERMISSION);
	if (bit == 52)
		outcome.page_lg2 = fixture->contiguous || !contiguous_lg2(shape, fixture->leaf)
					   ? lg2_of(shape, fixture->leaf)
					   : contiguous_lg2(shape, fixture->leaf);
	return outcome;
}

static struct outcome of_table(const struct fixture *fixture, u8 level, u32 bit, enum asks asks)
{
	const struct shape *shape = fixture->shape;
	u32 address = address_bit(shape, bit);

	if (bit == 0 || (bit == 1 && level > shape->most))
		return fault(F_TRANSLATION);
	if (bit == 1)
		return fault(F_ACCESS); /* a block without AF */
	if (address >= shape->output)
		return fault(F_ADDR_SIZE);
	if (address)
		return fault(address < RAM_BITS ? F_TRANSLATION : F_WALK_EABT);
	if (!fixture->stage.second_stage &&
	    ((bit == 60 && asks == EXECUTES) || (bit == 61 && asks != EXECUTES) ||
	     (bit == 62 && asks == WRITES)))
		return fault(F_PERMISSION);
	return same(fixture);
}

/* ---- Looking --------------------------------------------------------------------------------- */

static struct hw_walk look(const struct fixture *fixture, enum asks asks)
{
	const struct hw_arm_access access = { .iova = iova_of(fixture->shape),
					      .write = asks == WRITES,
					      .execute = asks == EXECUTES };
	struct hw_walk walk = hw_walk_arm(&fixture->stage, &access), quick = { .no_steps = true };

	/* A walk without steps, which has a shorter way, must find the same. */
	hw_walk_arm_to(&fixture->stage, &access, &quick);
	expect_u64(quick.fault, walk.fault);
	expect_u64(quick.phys, walk.phys);
	if (!walk.fault)
		expect_u64(quick.page_lg2, walk.page_lg2);
	return walk;
}

static void check_bit(const struct fixture *fixture, u8 level, u32 bit)
{
	const struct shape *shape = fixture->shape;
	u64 index = place_of(shape, level), plain = plain_entry(fixture, level);

	put_entry(fixture->ram, table_at[level], index, plain ^ 1ULL << bit);
	for (enum asks asks = READS; asks < ASKS; asks++) {
		struct outcome outcome = level == fixture->leaf
						 ? of_leaf(fixture, bit, asks)
						 : of_table(fixture, level, bit, asks);
		struct hw_walk walk = look(fixture, asks);

		if (walk.fault == outcome.fault &&
		    (walk.fault || (walk.phys == outcome.phys &&
				    (!outcome.page_lg2 || walk.page_lg2 == outcome.page_lg2))))
			continue;
		fail_msg("stage %d granule 2^%u%s output %u leaf %u%s entry %u bit %u %s: "
			 "fault 0x%x phys 0x%llx of 2^%u, expected 0x%x 0x%llx 2^%u",
			 fixture->stage.second_stage ? 2 : 1, shape->granule,
			 shape->lpa2 ? " LPA2" : "", shape->output, fixture->leaf,
			 fixture->contiguous ? " contiguous" : "", level, bit, asks_name[asks],
			 walk.fault, walk.phys, walk.page_lg2, outcome.fault, outcome.phys,
			 outcome.page_lg2);
	}
	put_entry(fixture->ram, table_at[level], index, plain);
}

static void check_leaf(struct fixture *fixture)
{
	for (u8 level = 0; level < fixture->shape->levels; level++)
		put_entry(fixture->ram, table_at[level], place_of(fixture->shape, level),
			  level < fixture->leaf ? 0 : plain_entry(fixture, level));
	for (u8 level = fixture->leaf; level < fixture->shape->levels; level++) {
		for (u32 bit = 0; bit < 64; bit++)
			check_bit(fixture, level, bit);
	}
}

static void check_shape(struct bench *bench, const struct shape *shape, bool second, bool many)
{
	struct fixture fixture = { .shape = shape, .ram = &bench->hw.ram, .contiguous = many };

	fixture.walker.ram = fixture.ram;
	fixture.stage = (struct hw_arm_stage){ .walker = &fixture.walker,
					       .root = table_at[shape->levels - 1],
					       .granule_lg2 = shape->granule,
					       .input_bits = shape->input,
					       .levels = shape->levels,
					       .output_bits = shape->output,
					       .lpa2 = shape->lpa2,
					       .second_stage = second };
	for (u8 leaf = 0; leaf <= shape->most && leaf < shape->levels; leaf++) {
		if (many && !contiguous_lg2(shape, leaf))
			continue;
		fixture.leaf = leaf;
		check_leaf(&fixture);
	}
	/* Nothing is left for the next shape. */
	for (u8 level = 0; level < shape->levels; level++)
		put_entry(fixture.ram, table_at[level], place_of(shape, level), 0);
}

static void of_leaves_of_their_levels_size(void **state)
{
	for (size_t i = 0; i < SHAPES; i++) {
		check_shape(*state, &shapes[i], false, false);
		check_shape(*state, &shapes[i], true, false);
	}
}

/*
 * trust: every bit of Armv8's descriptors, for every granule, width, stage, and contiguous pages
 * | our reading of the facts: the table in the test
 */
static void of_leaves_of_a_contiguous_page(void **state)
{
	for (size_t i = 0; i < SHAPES; i++) {
		check_shape(*state, &shapes[i], false, true);
		check_shape(*state, &shapes[i], true, true);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_ram, bench_teardown)

TEST_MAIN(TEST(of_leaves_of_their_levels_size), TEST(of_leaves_of_a_contiguous_page))
