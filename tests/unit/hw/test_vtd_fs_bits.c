/* SPDX-License-Identifier: MIT */
/*
 * First-stage tables: every bit of every entry on the way of a walk, turned over one at a time. The
 * walk must end with the fault, or with the other translation, that the architecture says (facts
 * "iova-and-page-tables" 2.3 and 2.6).
 *
 *   bit      leaf 4K   leaf 2M   leaf 1G   table of level 1, 2      table of level 3, 4
 *   0        present
 *   1        write
 *   2        user
 *   6:3      ignored (PWT, PCD, A, D)
 *   7        ignored   size      size      size (level 2: if 1 GiB   reserved
 *                                          leaves exist, else reserved)
 *   11:8     ignored
 *   12       address   ignored   ignored   address of the table
 *   20:13    address   reserved  reserved  address of the table
 *   29:21    address   address   reserved  address of the table
 *   HAW-1:30 address   address   address   address of the table
 *   51:HAW   reserved
 *   62:52    ignored
 *   63       no execute
 */
#include "bench.h"
#include "tables.h"

#include <stdlib.h>

#include "hw/vtd_fs.h"

#define RAM_BITS  BENCH_RAM_BITS
/* The highest bit that is indexed is 0 with five levels, and 1 with four. */
#define SOME_BITS (200ULL << 48 | 257ULL << 39 | 3ULL << 30 | 510ULL << 21 | 129ULL << 12 | 0x5a8)

/*
 * Tables by level, and the leaf's address. Turning one address bit must not lead from one table to
 * another: any two differ in at least two bits.
 */
static const phys_addr_t table_at[5] = { 0x133000, 0x255000, 0x366000, 0x5aa000, 0x6cc000 };
#define LEAF_AT 0x2580000000ULL

enum meaning { IGNORED, RESERVED, PRESENT, WRITE, USER, NO_EXECUTE, SIZE, ADDRESS };

/* Who asks. */
static const struct asker {
	const char *name;
	bool write, execute, privileged, write_protect;
} asker[] = {
	{ "read", false, false, false, false },
	{ "write", true, false, false, false },
	{ "execute", false, true, false, false },
	{ "supervisor's read", false, false, true, false },
	{ "supervisor's write", true, false, true, false },
	{ "supervisor's write under WP", true, false, true, true },
	{ "supervisor's execute", false, true, true, true },
};

#define ASKERS (sizeof(asker) / sizeof(asker[0]))

struct world_of_bits {
	struct hw_walker walker;
	u8 levels;
	u8 leaf; /* level of the leaf */
};

static enum meaning meaning_of(const struct world_of_bits *bits, u8 level, u32 bit)
{
	bool large = level && level == bits->leaf;

	switch (bit) {
	case 0:
		return PRESENT;
	case 1:
		return WRITE;
	case 2:
		return USER;
	case 7:
		if (level > 2 || (level == 2 && !bits->walker.first_huge_1g))
			return RESERVED;
		return level ? SIZE : IGNORED;
	case 12:
		return large ? IGNORED : ADDRESS;
	case 63:
		return NO_EXECUTE;
	default:
		break;
	}
	if (bit < 12 || bit > 51)
		return IGNORED;
	if (bit >= bits->walker.address_bits)
		return RESERVED;
	if (large && bit < (level == 1 ? 21 : 30))
		return RESERVED;
	return ADDRESS;
}

/* What becomes of an access when one bit of the entry of `level` is turned over. */
struct outcome {
	u8 fault;
	u64 phys;
};

static struct outcome expected(const struct world_of_bits *bits, u8 level, u32 bit,
			       const struct asker *who)
{
	u64 offset = SOME_BITS & (bytes_of(bits->leaf) - 1);
	struct outcome same = { 0, LEAF_AT | offset };

	switch (meaning_of(bits, level, bit)) {
	case IGNORED:
		return same;
	case RESERVED:
		return (struct outcome){ 0x72, 0 };
	case PRESENT:
		return (struct outcome){ 0x71, 0 };
	case USER:
		return who->privileged ? same : (struct outcome){ 0x81, 0 };
	case WRITE:
		if (!who->write || (who->privileged && !who->write_protect))
			return same;
		return (struct outcome){ 0x85, 0 };
	case NO_EXECUTE:
		return who->execute ? (struct outcome){ 0x82, 0 } : same;
	case SIZE:
		/* A leaf becomes a pointer to zeros; a pointer a leaf that is not aligned. */
		return (struct outcome){ level == bits->leaf ? 0x71 : 0x72, 0 };
	default:
		if (level == bits->leaf)
			return (struct outcome){ 0, same.phys ^ 1ULL << bit };
		/* Another table: one of zeros, or none. */
		return (struct outcome){ bit < RAM_BITS ? 0x71 : 0x70, 0 };
	}
}

/* P, R/W and U/S. */
static u64 plain_entry(const struct world_of_bits *bits, u8 level)
{
	if (level == bits->leaf)
		return LEAF_AT | 7 | (level ? ENTRY_LEAF : 0);
	return table_at[level - 1] | 7;
}

static u64 iova_of(const struct world_of_bits *bits)
{
	if (bits->levels == 5)
		return SOME_BITS;
	return (SOME_BITS & 0x0000ffffffffffffULL) | 0xffff000000000000ULL;
}

static struct hw_walk walk(const struct world_of_bits *bits, const struct asker *who)
{
	const struct hw_walk_start start = { table_at[bits->levels - 1], bits->levels, true, true };
	const struct hw_fs_access access = { iova_of(bits), who->write, who->execute,
					     who->privileged, who->write_protect };

	return hw_walk_vtd_fs_from(&bits->walker, &start, &access);
}

static void check_bit(const struct world_of_bits *bits, u8 level, u32 bit)
{
	u64 index = index_of(SOME_BITS, level);

	put_entry(bits->walker.ram, table_at[level], index, plain_entry(bits, level) ^ 1ULL << bit);
	for (size_t i = 0; i < ASKERS; i++) {
		struct outcome outcome = expected(bits, level, bit, &asker[i]);
		struct hw_walk found = walk(bits, &asker[i]);

		if (found.fault == outcome.fault && (found.fault || found.phys == outcome.phys))
			continue;
		fail_msg("levels %u leaf %u entry %u bit %u %s: fault 0x%x phys 0x%llx, expected "
			 "0x%x 0x%llx",
			 bits->levels, bits->leaf, level, bit, asker[i].name, found.fault,
			 found.phys, outcome.fault, outcome.phys);
	}
	put_entry(bits->walker.ram, table_at[level], index, plain_entry(bits, level));
}

static void check_all_bits(struct bench *bench, const struct hw_walker *walker)
{
	struct world_of_bits bits = { .walker = *walker };

	bits.walker.ram = &bench->hw.ram;
	for (bits.levels = 4; bits.levels <= 5; bits.levels++) {
		for (bits.leaf = 0; bits.leaf <= 2; bits.leaf++) {
			if (bits.leaf == 2 && !walker->first_huge_1g)
				continue;
			for (u8 level = bits.leaf; level < bits.levels; level++)
				put_entry(bits.walker.ram, table_at[level],
					  index_of(SOME_BITS, level), plain_entry(&bits, level));
			for (u8 level = bits.leaf; level < bits.levels; level++) {
				for (u32 bit = 0; bit < 64; bit++)
					check_bit(&bits, level, bit);
			}
		}
	}
}

static void on_a_machine_with_few_features(void **state)
{
	check_all_bits(*state, &(struct hw_walker){ .first_levels = 5, .address_bits = 46 });
}

/* trust: each bit of each first-stage entry, for each kind of access | our reading of the facts */
static void on_machines_of_every_address_width(void **state)
{
	for (u8 bits = 39; bits <= 52; bits++)
		check_all_bits(*state, &(struct hw_walker){ .first_levels = 5,
							    .address_bits = bits,
							    .first_huge_1g = true });
}

/* What a walk may keep: only what serves every request without privilege that does not execute. */
static void tables_are_kept_for_plain_requests(void **state)
{
	struct bench *bench = *state;
	struct world_of_bits bits = {
		.walker = { .ram = &bench->hw.ram, .first_levels = 5, .address_bits = 46 },
		.levels = 5
	};
	static const struct {
		u64 cleared, set;
		bool read, write;
	} row[] = {
		{ 0, 0, true, true },
		{ 2, 0, true, false },
		{ 4, 0, false, false },
		{ 0, 1ULL << 63, false, false },
	};

	for (u8 level = 0; level < 5; level++)
		put_entry(bits.walker.ram, table_at[level], index_of(SOME_BITS, level),
			  plain_entry(&bits, level));
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct hw_walk found;

		put_entry(bits.walker.ram, table_at[3], index_of(SOME_BITS, 3),
			  (plain_entry(&bits, 3) & ~row[i].cleared) | row[i].set);
		found = walk(&bits, &asker[3]);
		expect_u64(found.fault, 0);
		expect_u64(found.tables, 5);
		for (u8 step = 0; step < 5; step++) {
			bool below = step > 1;

			expect_u64(found.step[step].table, table_at[4 - step]);
			expect_u64(found.step[step].levels, 5U - step);
			expect_u64(found.step[step].read, below ? row[i].read : true);
			expect_u64(found.step[step].write, below ? row[i].write : true);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_ram, bench_teardown)

TEST_MAIN(TEST(on_a_machine_with_few_features), TEST(on_machines_of_every_address_width),
	  TEST(tables_are_kept_for_plain_requests))
