/* SPDX-License-Identifier: MIT */
/*
 * RISC-V's commands as software writes them, and which of them a change takes: words worked out by
 * hand from facts "iova-and-page-tables" 3.5, and what the hardware's decoder makes of random ones.
 */
#include "commands.h"

#include <endian.h>

#include "iommu/riscv.h"
#include "machine/machine.h"
#include "support/scale.h"
#include "world/random.h"

#define ROUNDS 1000000 /* full count */

#define VMA(pscid) (1ULL | (u64)(pscid) << 12 | 1ULL << 32)
#define AV	   (1ULL << 10)
#define NL	   (1ULL << 34)
#define S	   (1ULL << 9)
#define PAGE(iova) ((u64)(iova) >> 12 << 10)

/* ---- Words ----------------------------------------------------------------------------------- */

/* trust: RISC-V's commands | our reading of the facts: iova-and-page-tables 3.5 */
static void each_command_has_its_words(void **state)
{
	struct riscv_space space = { .pscid = 0x201, .start = 0x10000, .lg2 = 12 };

	(void)state;
	expect_words(riscv_forget_space(0x12345), 0x0000000112345001ULL, 0);
	expect_words(riscv_forget_window(&space), 0x0000000100201401ULL, 0x4000);
	space.tables = true;
	/* The facts' own example. */
	space.lg2 = 16;
	expect_words(riscv_forget_window(&space), 0x0000000500201401ULL, 0x5e00);
	expect_words(riscv_forget_device(0x0318), 0x0003180200000003ULL, 0);
	expect_words(riscv_forget_in_device(0x0318, 0x2345, 0x2fff), 0x0003180000000004ULL, 0x2000);
	expect_words(riscv_forget_in_device(0x0318, 0x200000, 0x3fffff), 0x0003180000000004ULL,
		     0x2ff800);
	expect_words(riscv_forget_in_device(0xffff, 0, ~0ULL), 0x00ffff0000000004ULL,
		     0x7ffffffffffff800ULL);
	expect_words(riscv_fence(0x123456788ULL, 0x11223344), 0x1122334400003402ULL, 0x48d159e2);
}

static void windows_by_hand(void **state)
{
	static const struct {
		u64 start;
		u8 lg2;
		u64 word;
	} row[] = {
		{ 0x2000, 13, 0xa00 },
		{ 0x3fff, 13, 0xa00 },
		{ 0x5678, 12, 0x1400 },
		{ 0x200000, 21, 0xbfe00 },
		{ 0, 63, 0x0ffffffffffffe00ULL },
		{ 1ULL << 63, 63, 0x2ffffffffffffe00ULL },
		{ ~0ULL, 12, 0x3ffffffffffffc00ULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const struct riscv_space space = { .start = row[i].start, .lg2 = row[i].lg2 };

		expect_words(riscv_forget_window(&space), VMA(0) | AV, row[i].word);
	}
}

/* ---- Decisions ------------------------------------------------------------------------------- */

/* The commands of one range, on a unit that has all of these. */
static u32 decide(u32 has, const struct iommu_range *range, struct iommu_batch *batch)
{
	const struct platform_iommu hw = { .forgets_tables = has & DMASIM_RISCV_NL,
					   .forgets_windows = has & DMASIM_RISCV_S };
	struct iommu_unit unit = { .hw = &hw };

	iommu_batch_begin(batch, NULL, &unit);
	iommu_riscv.range(batch, range);
	return batch->count;
}

#define BOTH (DMASIM_RISCV_NL | DMASIM_RISCV_S)

static void one_command_where_one_will_do(void **state)
{
	static const struct {
		u32 has;
		struct iommu_range
			range; /* domain, start, last, tables, levels of leaves, of tables */
		u64 low, high;
	} row[] = {
		/* A page; a leaf of 2 MiB, by any address of it. */
		{ BOTH, { 7, 0x5000, 0x5fff, false, 1, 0 }, VMA(7) | AV, PAGE(0x5000) },
		{ 0, { 7, 0x5000, 0x5fff, false, 1, 0 }, VMA(7) | AV, PAGE(0x5000) },
		{ 0, { 7, 0x200000, 0x3fffff, false, 2, 0 }, VMA(7) | AV, PAGE(0x200000) },
		/* A window; with what is no leaf. */
		{ BOTH, { 7, 0x200000, 0x3fffff, false, 2, 0 }, VMA(7) | AV, 0xbfe00 },
		{ BOTH, { 7, 0x10000, 0x1ffff, false, 1, 0 }, VMA(7) | AV, 0x5e00 },
		{ BOTH, { 7, 0x200000, 0x3fffff, true, 1, 2 }, VMA(7) | AV | NL, 0xbfe00 },
		{ DMASIM_RISCV_NL,
		  { 7, 0x200000, 0x3fffff, true, 0, 2 },
		  VMA(7) | AV | NL,
		  PAGE(0x200000) },
		/* Tables are gone, and a window cannot say so; nobody knows what went; all did. */
		{ DMASIM_RISCV_S, { 7, 0x200000, 0x3fffff, true, 1, 2 }, VMA(7), 0 },
		{ BOTH, { 7, 0x5000, 0x5fff, false, 0, 0 }, VMA(7), 0 },
		{ BOTH, { 7, 0, ~0ULL, true, 1, 2 }, VMA(7), 0 },
		{ BOTH, { 7, (1ULL << 63) - 0x1000, 1ULL << 63, false, 1, 0 }, VMA(7), 0 },
		/* Less than the smallest leaf that went, which cannot be; too many pages. */
		{ 0, { 7, 0x5000, 0x5fff, false, 2, 0 }, VMA(7), 0 },
		{ 0, { 7, 0x100000, 0x300fff, false, 1, 0 }, VMA(7), 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct iommu_batch batch;

		expect_u64(decide(row[i].has, &row[i].range, &batch), 1);
		expect_words(batch.command[0], row[i].low, row[i].high);
	}
}

/* Without S: the smallest pages that went, one by one. */
static void a_command_for_each_page_where_there_are_no_windows(void **state)
{
	const struct iommu_range small = { 7, 0x10000, 0x1ffff, false, 1, 0 };
	const struct iommu_range large = { 7, 0x40000000, 0x407fffff, true, 2, 4 };
	struct iommu_batch batch;

	(void)state;
	expect_u64(decide(DMASIM_RISCV_NL, &small, &batch), 16);
	for (u32 i = 0; i < 16; i++)
		expect_words(batch.command[i], VMA(7) | AV, PAGE(0x10000 + i * 0x1000));
	expect_u64(decide(DMASIM_RISCV_NL, &large, &batch), 4);
	for (u32 i = 0; i < 4; i++)
		expect_words(batch.command[i], VMA(7) | AV | NL, PAGE(0x40000000 + i * 0x200000));
}

/* Up to 512; and the machine is none the worse for it. */
static void up_to_512_pages_go_one_by_one(void **state)
{
	static const struct commands_of_pages row[] = {
		{ 1, 1 }, { 17, 17 }, { 512, 512 }, { 513, 1 }
	};

	(void)state;
	expect_commands(&(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_RISCV,
						 .riscv_without = DMASIM_RISCV_S },
			row, sizeof(row) / sizeof(row[0]));
}

/* ---- Random ---------------------------------------------------------------------------------- */

static struct hw_invalidation decode(const struct hw_iommu *iommu, struct iommu_command command)
{
	const u64 word[2] = { le64toh(command.word[0]), le64toh(command.word[1]) };
	struct hw_command decoded = { .kind = HW_COMMAND_INVALIDATE };

	assert_true(hw_riscv.decode(iommu, word, &decoded));
	assert_int_equal(decoded.kind, HW_COMMAND_INVALIDATE);
	return decoded.invalidation;
}

static void expect_window(const struct hw_invalidation *seen, u64 start, u8 lg2)
{
	u64 less_1 = lg2 < 64 ? (1ULL << lg2) - 1 : ~0ULL;

	expect_u64(seen->start, start & ~less_1);
	expect_u64(seen->last, start | less_1);
}

/* trust: RISC-V's commands | an independent model: the hardware side's decoder */
static void random_commands_are_read_as_they_were_meant(void **state)
{
	struct hw_iommu iommu = {
		.walker.device_tlb = true,
		.forgets_tables = true,
		.forgets_windows = true,
	};
	struct random random;
	u32 rounds = scaled(ROUNDS);

	(void)state;
	random_init(&random, test_seed(1));
	for (u32 i = 0; i < rounds; i++) {
		struct riscv_space space = {
			.pscid = (u32)random_below(&random, 1 << 16),
			.tables = random_below(&random, 2),
			.start = random_below(&random, 1ULL << 52) << 12,
			.lg2 = (u8)(12 + random_below(&random, 52)),
		};
		u64 less_1 = (1ULL << space.lg2) - 1;
		struct hw_invalidation seen = decode(&iommu, riscv_forget_window(&space));

		expect_u64(seen.what, HW_INVALIDATED_IOTLB);
		expect_u64(seen.domain, space.pscid);
		assert_true(!seen.all_domains && seen.leaf_only == !space.tables);
		expect_window(&seen, space.start, space.lg2);

		seen = decode(&iommu,
			      riscv_forget_in_device((u16)space.pscid, space.start & ~less_1,
						     space.start | less_1));
		expect_u64(seen.what, HW_INVALIDATED_DEVICE_TLB);
		expect_u64(seen.requester, space.pscid);
		expect_window(&seen, space.start, space.lg2);
	}
}

TEST_MAIN(cmocka_unit_test(each_command_has_its_words), cmocka_unit_test(windows_by_hand),
	  cmocka_unit_test(one_command_where_one_will_do),
	  cmocka_unit_test(a_command_for_each_page_where_there_are_no_windows),
	  cmocka_unit_test(up_to_512_pages_go_one_by_one),
	  cmocka_unit_test(random_commands_are_read_as_they_were_meant))
