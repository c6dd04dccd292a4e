/* SPDX-License-Identifier: MIT */
/*
 * Every bit of every entry on the way of a walk, turned over one at a time: the walk must end with
 * the fault, or with the other translation, that the architecture says (facts
 * "iova-and-page-tables" 2.2).
 *
 *   bit      leaf 4K   leaf 2M   leaf 1G   table of level 1, 2      table of level 3, 4
 *   0, 1     R, W
 *   6:2      ignored
 *   7        ignored   size      size      size (level 2: if 1 GiB   reserved
 *                                          leaves exist, else reserved)
 *   10:8     ignored
 *   11       snoop: reserved without snoop control, else no effect on the address
 *   20:12    address   reserved  reserved  address of the table
 *   29:21    address   address   reserved  address of the table
 *   HAW-1:30 address   address   address   address of the table
 *   51:HAW   reserved
 *   61:52    ignored
 *   62       reserved without device TLBs, else ignored
 *   63       ignored
 */
#include "bench.h"
#include "tables.h"

#include <stdlib.h>

#include "hw/walker.h"

#define RAM_BITS  BENCH_RAM_BITS
#define SOME_IOVA (257ULL << 39 | 3ULL << 30 | 510ULL << 21 | 129ULL << 12 | 0x5a8)

/*
 * Tables by level, and the leaf's address. Turning one address bit must not lead from one table to
 * another: any two differ in at least two bits.
 */
static const phys_addr_t table_at[5] = { 0x133000, 0x255000, 0x366000, 0x5aa000, 0x69c000 };
#define LEAF_AT 0x2580000000ULL

enum meaning { IGNORED, RESERVED, READ, WRITE, SIZE, ADDRESS };

struct world_of_bits {
	struct hw_walker walker;
	u8 levels;
	u8 leaf; /* level of the leaf */
};

static enum meaning meaning_of(const struct world_of_bits *bits, u8 level, u32 bit)
{
	bool large = level && level == bits->leaf;

	if (bit == 0)
		return READ;
	if (bit == 1)
		return WRITE;
	if (bit == 7 && level >= 3)
		return RESERVED;
	if (bit == 7 && level == 2 && !bits->walker.huge_1g)
		return RESERVED;
	if (bit == 7 && level)
		return SIZE;
	if (bit == 11)
		return bits->walker.snoop_control ? IGNORED : RESERVED;
	if (bit == 62)
		return bits->walker.device_tlb ? IGNORED : RESERVED;
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

static struct outcome expected(const struct world_of_bits *bits, u8 level, u32 bit, bool write)
{
	u64 offset = SOME_IOVA & (bytes_of(bits->leaf) - 1);
	struct outcome same = { 0, LEAF_AT | offset };
	const u8 absent = write ? 5 : 6;

	switch (meaning_of(bits, level, bit)) {
	case IGNORED:
		return same;
	case RESERVED:
		return (struct outcome){ 0xc, 0 };
	case READ:
		return write ? same : (struct outcome){ 6, 0 };
	case WRITE:
		return write ? (struct outcome){ 5, 0 } : same;
	case SIZE:
		/* A leaf becomes a pointer to zeros; a pointer a leaf that is not aligned. */
		return (struct outcome){ level == bits->leaf ? absent : 0xc, 0 };
	default:
		if (level == bits->leaf)
			return (struct outcome){ 0, same.phys ^ 1ULL << bit };
		/* Another table: one of zeros, or none. */
		return (struct outcome){ bit < RAM_BITS ? absent : 7, 0 };
	}
}

static u64 plain_entry(const struct world_of_bits *bits, u8 level)
{
	if (level == bits->leaf)
		return LEAF_AT | ENTRY_RW | (level ? ENTRY_LEAF : 0);
	return table_at[level - 1] | ENTRY_RW;
}

static u64 iova_of(const struct world_of_bits *bits)
{
	u64 iova = SOME_IOVA & ((1ULL << (12 + 9 * bits->levels)) - 1);

	return bits->levels == 5 ? iova | 386ULL << 48 : iova;
}

static void build(const struct world_of_bits *bits)
{
	for (u8 level = bits->leaf; level < bits->levels; level++)
		put_entry(bits->walker.ram, table_at[level], index_of(iova_of(bits), level),
			  plain_entry(bits, level));
}

static void check_bit(const struct world_of_bits *bits, u8 level, u32 bit)
{
	phys_addr_t table = table_at[level];
	u64 index = index_of(iova_of(bits), level);

	put_entry(bits->walker.ram, table, index, plain_entry(bits, level) ^ 1ULL << bit);
	for (int write = 0; write < 2; write++) {
		struct outcome outcome = expected(bits, level, bit, write);
		struct hw_walk walk = walk_both_ways(&bits->walker, table_at[bits->levels - 1],
						     bits->levels, iova_of(bits), write);

		if (walk.fault == outcome.fault && (walk.fault || walk.phys == outcome.phys))
			continue;
		fail_msg("levels %u leaf %u entry %u bit %u %s: fault 0x%x phys 0x%llx, expected "
			 "0x%x 0x%llx",
			 bits->levels, bits->leaf, level, bit, write ? "write" : "read", walk.fault,
			 walk.phys, outcome.fault, outcome.phys);
	}
	put_entry(bits->walker.ram, table, index, plain_entry(bits, level));
}

static void check_all_bits(struct bench *bench, const struct hw_walker *walker)
{
	struct world_of_bits bits = { .walker = *walker };

	bits.walker.ram = &bench->hw.ram;
	for (bits.levels = 3; bits.levels <= 5; bits.levels++) {
		for (bits.leaf = 0; bits.leaf <= 2; bits.leaf++) {
			if (bits.leaf == 2 && !walker->huge_1g)
				continue;
			build(&bits);
			for (u8 level = bits.leaf; level < bits.levels; level++) {
				for (u32 bit = 0; bit < 64; bit++)
					check_bit(&bits, level, bit);
			}
		}
	}
}

static void on_a_machine_with_few_features(void **state)
{
	check_all_bits(*state, &(struct hw_walker){ .levels = 5, .address_bits = 46 });
}

static void on_a_machine_with_1_GiB_leaves(void **state)
{
	check_all_bits(*state,
		       &(struct hw_walker){ .levels = 5, .address_bits = 46, .huge_1g = true });
}

static void on_a_machine_with_snoop_control(void **state)
{
	check_all_bits(*state, &(struct hw_walker){ .levels = 5,
						    .address_bits = 46,
						    .huge_1g = true,
						    .snoop_control = true });
}

static void on_a_machine_with_device_tlbs(void **state)
{
	check_all_bits(*state, &(struct hw_walker){ .levels = 5,
						    .address_bits = 46,
						    .huge_1g = true,
						    .device_tlb = true });
}

static void on_machines_of_every_address_width(void **state)
{
	for (u8 bits = 39; bits <= 52; bits++)
		check_all_bits(
			*state,
			&(struct hw_walker){ .levels = 5, .address_bits = bits, .huge_1g = true });
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_ram, bench_teardown)

TEST_MAIN(TEST(on_a_machine_with_few_features), TEST(on_a_machine_with_1_GiB_leaves),
	  TEST(on_a_machine_with_snoop_control), TEST(on_a_machine_with_device_tlbs),
	  TEST(on_machines_of_every_address_width))
