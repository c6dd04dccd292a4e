/* SPDX-License-Identifier: MIT */
/*
 * The SMMUv3's commands as software writes them, and which of them a change takes: words worked out
 * by hand from facts "iova-and-page-tables" 3.4, what the hardware's decoder makes of random ones,
 * and what it refuses.
 */
#include "commands.h"

#include <endian.h>

#include "hw/smmuv3_queue.h"
#include "iommu/smmuv3.h"
#include "machine/machine.h"
#include "support/scale.h"
#include "world/random.h"

#define ROUNDS 300000 /* full count */

#define NH_VA(asid) (0x12ULL | (u64)(asid) << 48)
#define NUM(less_1) ((less_1)*0x1000ULL)
#define SCALE(n)    ((n)*0x100000ULL)
#define LEAF	    1ULL
#define TTL(n)	    ((n)*0x100ULL)
#define TG_4K	    0x400ULL
#define TG_16K	    0x800ULL
#define TG_64K	    0xc00ULL

/* ---- Words ----------------------------------------------------------------------------------- */

/* trust: SMMUv3's commands | our reading of the facts: iova-and-page-tables 3.4 */
static void each_command_has_its_words(void **state)
{
	(void)state;
	expect_words(smmuv3_forget_asid(0x0201), 0x0201000000000011ULL, 0);
	expect_words(smmuv3_forget_address(0x1234, 0x76543210fabcULL, false), 0x1234000000000012ULL,
		     0x76543210f001ULL);
	expect_words(smmuv3_forget_address(0xffff, 0x76543210f000ULL, true), 0xffff000000000012ULL,
		     0x76543210f000ULL);
	expect_words(smmuv3_forget_stream(0x0318), 0x0000031800000003ULL, 1);
	expect_words(smmuv3_forget_context(0x0318, 0xabcde), 0x00000318abcde005ULL, 1);
	expect_words(smmuv3_forget_in_device(0x0310, 0x200000, 0x3fffff), 0x0000031000000040ULL,
		     0x200009);
	expect_words(smmuv3_forget_in_device(0x0310, 0x5000, 0x6fff), 0x0000031000000040ULL,
		     0x4002);
	expect_words(smmuv3_forget_in_device(0x0310, 0x5000, 0x5fff), 0x0000031000000040ULL,
		     0x5000);
	expect_words(smmuv3_forget_in_device(0xffff, 0, ~0ULL), 0x0000ffff00000040ULL, 52);
	/* CS 1, SH 3, attributes 15. */
	expect_words(smmuv3_sync(0x123456788ULL, 0x11223344), 0x112233440fc01046ULL,
		     0x123456788ULL);
}

/* TTL counts from the top: 3 has the smallest leaves. */
static void ranges_by_hand(void **state)
{
	struct smmuv3_pages pages = { 0x0201, 0x40000000, 12, 1, 9, 0, false };

	(void)state;
	expect_words(smmuv3_forget_pages(&pages), NH_VA(0x0201) | 0x900000, 0x40000701);
	pages = (struct smmuv3_pages){ 7, 0x40000000, 12, 1, 0, 0, false };
	expect_words(smmuv3_forget_pages(&pages), NH_VA(7), 0x40000701);
	pages = (struct smmuv3_pages){ 7, 0x40000000, 12, 32, 31, 2, false };
	expect_words(smmuv3_forget_pages(&pages), NH_VA(7) | 0x1f1f000, 0x40000501);
	pages = (struct smmuv3_pages){ 7, 0x40000000, 12, 17, 1, SMMUV3_ANY_LEVEL, true };
	expect_words(smmuv3_forget_pages(&pages), NH_VA(7) | 0x110000, 0x40000400);
	pages = (struct smmuv3_pages){ 7, 0x40000000, 14, 1, 11, 1, false };
	expect_words(smmuv3_forget_pages(&pages), NH_VA(7) | 0xb00000, 0x40000a01);
	pages = (struct smmuv3_pages){ 7, 0x40000000, 16, 2, 0, 0, false };
	expect_words(smmuv3_forget_pages(&pages), NH_VA(7) | 0x1000, 0x40000f01);
}

/* ---- Decisions ------------------------------------------------------------------------------- */

/* The commands of one range. */
static u32 decide(bool ranges, const struct iommu_range *range, struct iommu_batch *batch)
{
	const struct platform_iommu hw = { .forgets_ranges = ranges };
	struct iommu_unit unit = { .hw = &hw };

	iommu_batch_begin(batch, NULL, &unit);
	iommu_smmuv3.range(batch, range);
	return batch->count;
}

/* Five bits of the number of pages at a time, from the lowest that is set on. */
static void a_range_takes_few_commands(void **state)
{
	/* domain, start, last, tables, levels of leaves, of tables */
	static const struct {
		struct iommu_range range;
		u32 count;
		u64 low[3], high[3];
	} row[] = {
		/* 1 page; 512; 0x12345 are 5, 13 << 6, 9 << 13. */
		{ { 7, 0x5000, 0x5fff, false, 1, 0 }, 1, { 0 }, { 0x5000 | LEAF | TTL(3) } },
		{ { 7, 0x200000, 0x3fffff, false, 1, 0 },
		  1,
		  { SCALE(9) },
		  { 0x200000 | LEAF | TTL(3) } },
		{ { 7, 0, 0x12344fff, false, 1, 0 },
		  3,
		  { NUM(4), NUM(12) | SCALE(6), NUM(8) | SCALE(13) },
		  { LEAF | TTL(3), 0x5000 | LEAF | TTL(3), 0x345000 | LEAF | TTL(3) } },
		/* Leaves of 2 MiB, of 1 GiB: the hint says it, the pages stay 4 KiB. */
		{ { 7, 0x200000, 0x3fffff, false, 2, 0 },
		  1,
		  { SCALE(9) },
		  { 0x200000 | LEAF | TTL(2) } },
		{ { 7, 0x40000000, 0x7fffffff, false, 4, 0 },
		  1,
		  { SCALE(18) },
		  { 0x40000000 | LEAF | TTL(1) } },
		/* Of several levels, of unknown ones, with tables: no hint. */
		/* 513 pages and one more: 2, and 512. */
		{ { 7, 0x200000, 0x400fff, false, 3, 0 },
		  2,
		  { SCALE(1), SCALE(9) },
		  { 0x200000 | LEAF, 0x202000 | LEAF } },
		{ { 7, 0x4000, 0x5fff, false, 0, 0 }, 1, { SCALE(1) }, { 0x4000 | LEAF } },
		{ { 7, 0x200000, 0x3fffff, true, 1, 2 }, 1, { SCALE(9) }, { 0x200000 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct iommu_batch batch;
		u32 count = decide(true, &row[i].range, &batch);

		expect_u64(count, row[i].count);
		for (u32 n = 0; n < count; n++)
			expect_words(batch.command[n], NH_VA(7) | row[i].low[n],
				     row[i].high[n] | TG_4K);
	}
}

static void everything_is_of_the_address_space(void **state)
{
	const struct iommu_range everything = { 7, 0, ~0ULL, true, 0, 0 };

	(void)state;
	for (u32 ranges = 0; ranges < 2; ranges++) {
		struct iommu_batch batch;

		expect_u64(decide(ranges, &everything, &batch), 1);
		expect_words(batch.command[0], 0x0007000000000011ULL, 0);
	}
}

/* NUM, SCALE and TTL all 0 are illegal: a page more is taken (facts 6.6, number 6). */
static void one_page_without_a_hint_takes_its_neighbour_along(void **state)
{
	static const struct {
		u64 pages, low[2];
		u32 count;
	} row[] = {
		{ 1, { SCALE(1) }, 1 },
		{ 33, { NUM(16) | SCALE(1) }, 1 },
		{ 65, { SCALE(1), SCALE(6) }, 2 },
		{ 3, { NUM(2) }, 1 },
		{ 32, { SCALE(5) }, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct iommu_range range = { 7, 0x100000, 0, true, 1, 2 };
		struct iommu_batch batch;

		range.last = range.start + row[i].pages * SZ_4K - 1;
		expect_u64(decide(true, &range, &batch), row[i].count);
		for (u32 n = 0; n < row[i].count; n++)
			expect_u64(le64toh(batch.command[n].word[0]), NH_VA(7) | row[i].low[n]);
		expect_u64(le64toh(batch.command[0].word[1]), 0x100000 | TG_4K);
	}
}

/* Without range support: the smallest of what went, one by one. */
static void a_command_for_each_address_where_there_are_no_ranges(void **state)
{
	const struct iommu_range small = { 7, 0x10000, 0x1ffff, false, 1, 0 };
	const struct iommu_range large = { 7, 0x40000000, 0x407fffff, true, 2, 4 };
	struct iommu_batch batch;

	(void)state;
	expect_u64(decide(false, &small, &batch), 16);
	for (u32 i = 0; i < 16; i++)
		expect_words(batch.command[i], NH_VA(7), (0x10000 + i * 0x1000) | LEAF);
	expect_u64(decide(false, &large, &batch), 4);
	for (u32 i = 0; i < 4; i++)
		expect_words(batch.command[i], NH_VA(7), 0x40000000 + i * 0x200000);
}

/* From 512 on all of the address space is less. */
static void fewer_than_512_pages_go_one_by_one(void **state)
{
	static const struct commands_of_pages row[] = {
		{ 1, 1 }, { 17, 17 }, { 511, 511 }, { 512, 1 }, { 513, 1 }
	};

	(void)state;
	expect_commands(&(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_SMMUV3,
						 .smmu_no_range = true },
			row, sizeof(row) / sizeof(row[0]));
}

/* ---- What is illegal ------------------------------------------------------------------------- */

static const struct hw_smmuv3_has all = { .ranges = true, .device_tlb = true };

static bool is_legal(u64 low, u64 high, const struct hw_smmuv3_has *has)
{
	const u64 word[2] = { low, high };
	struct hw_smmuv3_command command;

	return hw_smmuv3_decode(word, has, &command);
}

static const struct {
	u64 low, high;
	bool legal;
} meaning[] = {
	{ 0x12, 0x5000, true },
	{ 0x12, 0x5000 | TG_4K, false },
	{ 0x12, 0x5000 | TG_4K | TTL(3), true },
	{ 0x12, 0x5000 | TG_4K | TTL(1), true },
	{ 0x12 | NUM(1), 0x5000 | TG_4K, true },
	{ 0x12 | SCALE(1), 0x5000 | TG_4K, true },
	{ 0x12 | SCALE(31) | NUM(31), 0x5000 | TG_64K, true },
	{ 0x12 | SCALE(32), 0x5000 | TG_4K, false }, /* DS */
	{ 0x12 | SCALE(1), 0x4000 | TG_16K | TTL(1), false },
	{ 0x12 | SCALE(1), 0x4000 | TG_16K | TTL(2), true },
	/* Of a single address they mean nothing. */
	{ 0x12 | NUM(1), 0x5000, false },
	{ 0x12 | SCALE(1), 0x5000, false },
	{ 0x12, 0x5000 | TTL(3), false },
	{ 0x12 | 1ULL << 32, 0x5000, false }, /* VMID */
	{ 0x12 | 1 << 8, 0x5000, false },
	{ 0x12, 0x5002, false },
	{ 0x13, 0x5000, true },
	{ 0x13 | 1ULL << 48, 0x5000, false },
	{ 0x10, 0, true },
	{ 0x30, 0, true },
	{ 0x10, 1, false },
	{ 0x11 | 7ULL << 48, 0, true },
	{ 0x03 | 7ULL << 32, 1, true },
	{ 0x03 | 7ULL << 32, 2, false },
	{ 0x04, 31, true },
	{ 0x04, 32, false },
	{ 0x05 | 3 << 12, 1, true },
	{ 0x06, 0, true },
	{ 0x06, 1, false },
	{ 0x01 | 1 << 11, 0, true },
	{ 0x40, 52, true },
	{ 0x40, 53, false },
	{ 0x40 | 1 << 10, 0, false },
	{ 0x46, 0, true },
	{ 0x46 | 2 << 12, 0, true },
	{ 0x46 | 3 << 12, 0, false },
	{ 0x46 | 1 << 12, 1, false },
	/* A second stage, other exception levels, answers that nobody asked for; none. */
	{ 0x28, 0, false },
	{ 0x2a, 0, false },
	{ 0x18, 0, false },
	{ 0x20, 0, false },
	{ 0x22, 0, false },
	{ 0x41, 0, false },
	{ 0x44, 0, false },
	{ 0x45, 0, false },
	{ 0x00, 0, false },
	{ 0xff, 0, false },
};

/* trust: which SMMUv3 commands are illegal | our reading of the facts: 3.4 and 6.6, number 6 */
static void what_means_nothing_is_illegal(void **state)
{
	const struct hw_smmuv3_has none = { .ranges = false };

	(void)state;
	for (size_t i = 0; i < sizeof(meaning) / sizeof(meaning[0]); i++)
		if (is_legal(meaning[i].low, meaning[i].high, &all) != meaning[i].legal)
			fail_msg("0x%llx 0x%llx", meaning[i].low, meaning[i].high);
	assert_false(is_legal(0x12 | NUM(1), 0x5000 | TG_4K, &none));
	assert_true(is_legal(0x12, 0x5000, &none));
	assert_false(is_legal(0x40, 0, &none));
}

/* ---- Random ---------------------------------------------------------------------------------- */

static struct hw_smmuv3_command decode(struct iommu_command command)
{
	const u64 word[2] = { le64toh(command.word[0]), le64toh(command.word[1]) };
	struct hw_smmuv3_command decoded;

	assert_true(hw_smmuv3_decode(word, &all, &decoded));
	return decoded;
}

/* The windows lie side by side, and are what was asked for, or a page more. */
static void try_range(const struct smmuv3_pages *asked, u64 count)
{
	struct smmuv3_pages pages = *asked;
	u64 bytes = count << pages.granule_lg2, left = count;
	u32 commands = 0;

	while (left) {
		struct hw_smmuv3_command seen;

		smmuv3_next_pages(&pages, &left);
		seen = decode(smmuv3_forget_pages(&pages));
		expect_u64(seen.opcode, 0x12);
		expect_u64(seen.asid, pages.asid);
		expect_u64(seen.granule_lg2, pages.granule_lg2);
		assert_int_equal(seen.tables, pages.tables);
		assert_int_equal(seen.has_level, pages.level != SMMUV3_ANY_LEVEL);
		if (seen.has_level)
			expect_u64(seen.level, pages.level);
		expect_u64(seen.start, pages.address);
		expect_u64(seen.last + 1 - seen.start,
			   (u64)pages.num << (pages.scale + pages.granule_lg2));
		pages.address = seen.last + 1;
		commands++;
	}
	bytes += (u64)(pages.level == SMMUV3_ANY_LEVEL && count % 32 == 1) << pages.granule_lg2;
	expect_u64(pages.address - asked->address, bytes);
	assert_in_range(commands, 1, 8);
}

/* trust: SMMUv3's commands | an independent model: the hardware side's decoder */
static void random_commands_are_read_as_they_were_meant(void **state)
{
	static const u8 granules[] = { 12, 14, 16 };
	struct random random;
	u32 rounds = scaled(ROUNDS);

	(void)state;
	random_init(&random, test_seed(1));
	for (u32 i = 0; i < rounds; i++) {
		u64 lg2 = random_below(&random, 37);
		struct smmuv3_pages pages = {
			.asid = (u16)random_below(&random, 1 << 16),
			.granule_lg2 = granules[random_below(&random, 3)],
			.tables = random_below(&random, 2),
		};
		u8 levels = pages.granule_lg2 == 12 ? 3 : 2;
		u64 start = random_below(&random, 1ULL << 40) << 12;
		struct hw_smmuv3_command seen;

		pages.address = random_below(&random, 1ULL << 32) << pages.granule_lg2;
		pages.level = (u8)random_below(&random, levels + 1U);
		if (pages.level == levels)
			pages.level = SMMUV3_ANY_LEVEL;
		try_range(&pages, 1 + random_below(&random, 1ULL << lg2));

		seen = decode(smmuv3_forget_in_device(pages.asid, start, start + (1ULL << lg2)));
		assert_true(seen.start <= start && seen.last >= start + (1ULL << lg2));
		expect_u64(seen.stream, pages.asid);
		seen = decode(smmuv3_sync(start + 4 * (start == 0), (u32)lg2));
		assert_true(seen.store && seen.value == lg2);
	}
}

TEST_MAIN(cmocka_unit_test(each_command_has_its_words), cmocka_unit_test(ranges_by_hand),
	  cmocka_unit_test(a_range_takes_few_commands),
	  cmocka_unit_test(everything_is_of_the_address_space),
	  cmocka_unit_test(one_page_without_a_hint_takes_its_neighbour_along),
	  cmocka_unit_test(a_command_for_each_address_where_there_are_no_ranges),
	  cmocka_unit_test(fewer_than_512_pages_go_one_by_one),
	  cmocka_unit_test(what_means_nothing_is_illegal),
	  cmocka_unit_test(random_commands_are_read_as_they_were_meant))
