/* SPDX-License-Identifier: MIT */
/*
 * A machine with an AMD IOMMU: mappings, faults in AMD-Vi's words, tables that grow, what is
 * cached (facts "iova-and-page-tables" 2.1, 2.6 and 3.3).
 */
#include "machines.h"

#define BEYOND_3_LEVELS (1ULL << 39)

static void mappings_of_all_sizes_work(void **state)
{
	struct rig *rig = *state;

	for (u64 bytes = SZ_4K; bytes <= 2 * SZ_2M; bytes *= 2) {
		rig_map_and_use(rig, bytes);
		rig_map_and_use(rig, bytes + SZ_4K);
	}
	dmasim_assert_clean(rig->s);
}

/* 64 KiB are one leaf here, of sixteen items, and 2 MiB less a page are nine. */
static void a_leaf_has_the_size_of_its_mapping(void **state)
{
	struct rig *rig = *state;
	struct dmasim_costs before;

	rig_map_and_use(rig, SZ_4K);
	before = dmasim_costs(rig->s);
	rig_map_and_use(rig, SZ_64K);
	expect_u64(dmasim_costs(rig->s).entries_written - before.entries_written, 1);
	expect_u64(dmasim_costs(rig->s).invalidations - before.invalidations, 1);
}

/* PR is 0: nothing is there. The address is the request's own. */
static void a_fault_is_told_in_the_words_of_the_driver(void **state)
{
	struct rig *rig = *state;
	struct dmasim_fault_record record;
	u8 byte = 0;

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_NOT_MAPPED, 1);
	assert_int_equal(dmasim_dev_write(rig->nvme, 0x12345678, &byte, 1).status,
			 DMASIM_IOMMU_FAULT);
	assert_true(dmasim_fault_take(rig->s, &record));
	expect_u64(record.reason, 2);
	expect_u64(record.address, 0x12345678);
	expect_u64(record.requester, rig->nvme->dev.id & 0xffff);
	assert_true(record.write);
	expect_u64(record.word[0] & ~0xffff0000ffffULL, 0x2020000000000000ULL);
	assert_non_null(strstr(record.line, "AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:"));
	assert_non_null(strstr(record.line, " address=0x12345678 flags=0x0020]"));
	assert_false(dmasim_fault_take(rig->s, &record));
}

static void the_report_of_a_fault_has_the_line_of_the_driver(void **state)
{
	expect_fault_line(*state, "AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:",
			  " address=0x12345000 flags=0x0000]");
}

/* ---- Tables that grow ------------------------------------------------------------------------ */

static void rig_high(struct rig *rig, u8 levels, u32 context_entries)
{
	rig_init(rig, &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_AMD_VI,
					       .iommu_levels = levels,
					       .context_entries = context_entries,
					       .walk_entries = 16, .forcedac = true });
}

/* From the top of 48, 57 or 64 bits on: tables of all levels are made with the first mapping. */
static void a_table_grows_when_an_address_asks_for_it(void **state)
{
	(void)state;
	for (u8 levels = 4; levels <= 6; levels++) {
		struct rig rig;
		phys_addr_t buf;
		dma_addr_t dma;
		u64 before;
		u8 byte = 7;

		rig_high(&rig, levels, 16);
		before = dmasim_in_use(rig.s, DMASIM_FAULT_TABLE_PAGE);
		/* The device table entry is cached before it changes. */
		dmasim_expect(rig.s, DMASIM_REPORT_IOMMU_FAULT, 1);
		dmasim_dev_write(rig.nvme, 0x1000, &byte, 1);
		buf = dmasim_alloc(rig.s, SZ_4K);
		dma = dma_map_phys(&rig.nvme->dev, buf, SZ_4K, DMA_FROM_DEVICE, 0);
		assert_true(dma >= BEYOND_3_LEVELS);
		/* The new tops, and the tables down to the leaf. */
		expect_u64(dmasim_in_use(rig.s, DMASIM_FAULT_TABLE_PAGE) - before, 2 * levels - 4);
		expect_done(dmasim_dev_write(rig.nvme, dma, &byte, 1), 1);
		dma_unmap_phys(&rig.nvme->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
		dmasim_free(rig.s, buf, SZ_4K);
		dmasim_assert_clean(rig.s);
		rig_fini(&rig);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup_amd_vi, rig_teardown)

TEST_MAIN(TEST(mappings_of_all_sizes_work), TEST(a_leaf_has_the_size_of_its_mapping),
	  TEST(a_fault_is_told_in_the_words_of_the_driver),
	  TEST(the_report_of_a_fault_has_the_line_of_the_driver),
	  cmocka_unit_test(a_table_grows_when_an_address_asks_for_it))
