/* SPDX-License-Identifier: MIT */
/*
 * Every bit of every entry on the way of a walk through AMD's v1 tables, turned over one at a time:
 * the walk must end with the event, or with the other translation, that the architecture says
 * (facts "iova-and-page-tables" 2.1 and 2.6).
 *
 *   bit     pointer of level n           leaf of its level's size     leaf of a coded size 2^k
 *   0       present
 *   8:1     ignored, the marks of hardware (5 and 6) among them
 *   11:9    n; 0 is a leaf,              0; n a pointer,              7; n a pointer, else illegal
 *           7 a size that does not fit,  other illegal
 *           less skips levels
 *   51:12   address of the table         ignored below the size,      12 to k-2 set, k-1 clear:
 *                                        then address                 another size; then address
 *   58:52   reserved
 *   60:59   ignored
 *   61, 62  read, write
 *   63      ignored
 */
#include "amd_tables.h"
#include "bench.h"

#include <stdlib.h>

#include "hw/walker.h"

#define RAM_BITS BENCH_RAM_BITS

/* Not 0 at any level, so that no level can be skipped. */
#define SOME_IOVA \
	(77ULL << 57 | 5ULL << 48 | 257ULL << 39 | 3ULL << 30 | 510ULL << 21 | 129ULL << 12 | 0x5a8)

/*
 * Tables by level, and the leaf's address, where no memory is. Turning one address bit must not
 * lead from one table to another: any two differ in at least two bits.
 */
static const phys_addr_t table_at[6] = {
	0x132000, 0x254000, 0x366000, 0x5aa000, 0x6cc000, 0x99a000
};
#define LEAF_AT 0x0008000000000000ULL

struct world_of_bits {
	struct hw_walker walker;
	u8 mode;
	u8 leaf; /* level of the leaf */
	u8 lg2;	 /* its size */
	bool coded;
};

/* What becomes of an access when one bit of the entry of `level` is turned over. */
struct outcome {
	u8 fault;
	u16 flags; /* but RW */
	u64 phys;
};

static const struct outcome absent = { PAGE_FAULT, 0, 0 };
static const struct outcome malformed = { PAGE_FAULT, FLAG_PR | FLAG_RZ, 0 };
static const struct outcome forbidden = { PAGE_FAULT, FLAG_PR | FLAG_PE, 0 };
static const struct outcome no_memory = { HARDWARE_ERROR, FLAG_MASTER, 0 };

static u64 low(u32 bits)
{
	return (1ULL << bits) - 1;
}

static u64 iova_of(const struct world_of_bits *bits)
{
	return bits->mode == 6 ? SOME_IOVA : SOME_IOVA & low(12 + 9U * bits->mode);
}

/* A leaf of 2^lg2 bytes there. */
static struct outcome leads_to(const struct world_of_bits *bits, u64 phys, u32 lg2)
{
	return (struct outcome){ 0, 0, (phys & ~low(lg2)) | (iova_of(bits) & low(lg2)) };
}

static struct outcome same(const struct world_of_bits *bits)
{
	return leads_to(bits, LEAF_AT, bits->lg2);
}

/* NextLevel became `next`. */
static struct outcome of_next(const struct world_of_bits *bits, u8 level, u64 next)
{
	bool was_leaf = level == bits->leaf;

	if (next == 0)
		return level == 5 ? malformed
				  : leads_to(bits, table_at[level - 1], 12 + 9U * level);
	/* The tables' addresses have bit 12 clear: 8 KiB, too little for a pointer's level. */
	if (next == 7)
		return malformed;
	if (next != level)
		return malformed;
	return was_leaf ? no_memory : same(bits);
}

static struct outcome of_address(const struct world_of_bits *bits, u8 level, u32 bit)
{
	if (level != bits->leaf)
		return bit < RAM_BITS ? absent : no_memory;
	if (!bits->coded || bit >= bits->lg2) {
		if (bit < bits->lg2)
			return same(bits);
		return leads_to(bits, LEAF_AT ^ 1ULL << bit, bits->lg2);
	}
	/* The first one that is missing gives the size. */
	if (bit == bits->lg2 - 1U) {
		if (bits->lg2 + 1 == 12 + 9 * (level + 1) || bits->lg2 + 1 > 51)
			return malformed;
		return leads_to(bits, LEAF_AT, bits->lg2 + 1U);
	}
	if (bit + 1 <= 12U + 9 * level)
		return malformed;
	return leads_to(bits, LEAF_AT | (low(bits->lg2 - 1U) & ~low(bit + 1)), bit + 1);
}

static struct outcome expected(const struct world_of_bits *bits, u8 level, u32 bit, bool write)
{
	u64 next = level != bits->leaf ? level : bits->coded ? 7 : 0;

	if (bit == 0)
		return absent;
	if (bit >= 9 && bit <= 11)
		return of_next(bits, level, next ^ 1ULL << (bit - 9));
	if (bit >= 12 && bit <= 51)
		return of_address(bits, level, bit);
	if (bit >= 52 && bit <= 58)
		return malformed;
	if (bit == 61)
		return write ? same(bits) : forbidden;
	if (bit == 62)
		return write ? forbidden : same(bits);
	return same(bits);
}

static u64 plain_entry(const struct world_of_bits *bits, u8 level)
{
	if (level != bits->leaf)
		return table_at[level - 1] | AMD_PR | AMD_RW | AMD_NEXT(level);
	return LEAF_AT | AMD_PR | AMD_RW | (bits->coded ? amd_size(bits->lg2) : 0);
}

static void check_bit(const struct world_of_bits *bits, u8 level, u32 bit)
{
	phys_addr_t table = table_at[level];
	u64 index = index_of(iova_of(bits), level);

	put_entry(bits->walker.ram, table, index, plain_entry(bits, level) ^ 1ULL << bit);
	for (int write = 0; write < 2; write++) {
		struct outcome outcome = expected(bits, level, bit, write);
		struct hw_walk walk = hw_walk_amd_v1(&bits->walker, table_at[bits->mode - 1],
						     bits->mode, iova_of(bits), write);

		if (outcome.fault && write)
			outcome.flags |= FLAG_RW;
		if (walk.fault == outcome.fault && walk.fault_flags == outcome.flags &&
		    (walk.fault || walk.phys == outcome.phys))
			continue;
		fail_msg("mode %u leaf %u of 2^%u entry %u bit %u %s: event 0x%x flags 0x%x phys "
			 "0x%llx, expected 0x%x 0x%x 0x%llx",
			 bits->mode, bits->leaf, bits->lg2, level, bit, write ? "write" : "read",
			 walk.fault, walk.fault_flags, walk.phys, outcome.fault, outcome.flags,
			 outcome.phys);
	}
	put_entry(bits->walker.ram, table, index, plain_entry(bits, level));
}

static void check_leaf(struct world_of_bits *bits)
{
	for (u8 level = bits->leaf; level < bits->mode; level++)
		put_entry(bits->walker.ram, table_at[level], index_of(iova_of(bits), level),
			  plain_entry(bits, level));
	for (u8 level = bits->leaf; level < bits->mode; level++) {
		for (u32 bit = 0; bit < 64; bit++)
			check_bit(bits, level, bit);
	}
}

/* Zeros where entries of another leaf were. */
static void clear(const struct world_of_bits *bits)
{
	for (u8 level = 0; level < 6; level++)
		put_entry(bits->walker.ram, table_at[level], index_of(iova_of(bits), level), 0);
}

static struct world_of_bits start(struct bench *bench)
{
	return (struct world_of_bits){ .walker = { .ram = &bench->hw.ram } };
}

static void of_leaves_of_their_levels_size(void **state)
{
	struct world_of_bits bits = start(*state);

	for (bits.mode = 1; bits.mode <= 6; bits.mode++) {
		for (bits.leaf = 0; bits.leaf < bits.mode && bits.leaf <= 4; bits.leaf++) {
			bits.lg2 = 12 + 9 * bits.leaf;
			clear(&bits);
			check_leaf(&bits);
		}
	}
}

/*
 * trust: AMD v1 entries as hardware reads them, each bit
 * | our reading of the facts: the table in the test
 */
static void of_leaves_of_every_coded_size(void **state)
{
	struct world_of_bits bits = start(*state);

	bits.coded = true;
	for (bits.mode = 1; bits.mode <= 6; bits.mode++) {
		for (bits.leaf = 0; bits.leaf < bits.mode && bits.leaf <= 4; bits.leaf++) {
			for (u32 more = 1; more < 9 && 12 + 9U * bits.leaf + more <= 51; more++) {
				bits.lg2 = (u8)(12 + 9 * bits.leaf + more);
				clear(&bits);
				check_leaf(&bits);
			}
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_ram, bench_teardown)

TEST_MAIN(TEST(of_leaves_of_their_levels_size), TEST(of_leaves_of_every_coded_size))
