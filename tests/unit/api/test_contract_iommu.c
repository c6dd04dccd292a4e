/* SPDX-License-Identifier: MIT */
/*
 * Contracts of a configuration: what an IOMMU can be, and the page tables of a program's own.
 */
#include <dmasim/page-table.h>
#include <dmasim/walker.h>

#include "unit/api/broken.h"
#include "unit/api/machines.h"

static void walk_nothing(const struct dmasim_walker *walker, phys_addr_t table, u8 levels,
			 u64 start, u64 last)
{
	(void)walker;
	(void)table;
	(void)levels;
	(void)start;
	(void)last;
}

/* Each has one thing wrong. */
static const struct dmasim_walker_page told_pages[][2] = {
	{ { 0x5000, 0x10000, 11, true, true } }, /* too small */
	{ { 0x5000, 0x10000, 13, true, true } }, /* not aligned */
	{ { 0x4000, 0x11000, 13, true, true } }, /* leads to what is not */
	{ { 0x8000, 0x10000, 12, true, true } }, /* not asked for */
	{ { 0x5000, 0x10000, 12, true, true }, { 0x5000, 0x10000, 12, true, true } }, /* twice */
};

#define TOLD_PAGES (sizeof(told_pages) / sizeof(told_pages[0]))

/* Its context is what it tells of the address that a device asks for; NULL: it reads no bytes. */
static void walk_badly(const struct dmasim_walker *walker, phys_addr_t table, u8 levels, u64 start,
		       u64 last)
{
	const struct dmasim_walker_page *page = walker->ops->context;

	(void)levels;
	if (start != 0x5008 || last != start)
		return;
	if (!page)
		walker->fetch(walker, table, NULL, 0);
	for (u32 i = 0; page && i < 2 && page[i].lg2; i++)
		walker->page(walker, &page[i]);
}

static void expect_badly_told(const struct dmasim_walker_page *page)
{
	const struct dmasim_walker_ops walker = { DMASIM_WALKER_OPS, .walk = walk_badly,
						  .context = (void *)(uintptr_t)page };
	struct rig rig;
	u64 word;

	rig_init(&rig,
		 &(struct dmasim_config){ DMASIM_CONFIG, .walker_ops = &walker,
					  .pgtable_format = dmasim_pgtable_by_name("vtdss") });
	expect_broken(dmasim_dev_read(rig.nvme, 0x5008, &word, sizeof(word)));
	dmasim_destroy(rig.s);
}

static void a_walker_tells_what_it_was_asked_for(void **state)
{
	(void)state;
	for (u32 i = 0; i < TOLD_PAGES; i++)
		expect_badly_told(told_pages[i]);
	expect_badly_told(NULL);
}

static void page_tables_of_a_program_are_whole(void **state)
{
	struct dmasim_walker_ops walker = { DMASIM_WALKER_OPS, .walk = walk_nothing };
	struct pgtable_ops format = *dmasim_pgtable_by_name("vtdss");
	struct dmasim_config config = { DMASIM_CONFIG, .pgtable_format = &format,
					.walker_ops = &walker };

	(void)state;
	expect_u64(dmasim_destroy(dmasim_create(&config)), 0);
	expect_broken(
		dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .pgtable_format = &format }));
	expect_broken(
		dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .walker_ops = &walker }));
	config.iommu = DMASIM_NO_IOMMU;
	expect_broken(dmasim_create(&config));
	config.iommu = DMASIM_VTD;
	config.iommu_scalable = true;
	expect_broken(dmasim_create(&config));
	config.iommu_scalable = false;
	config.walk_entries = 4;
	expect_broken(dmasim_create(&config));
	config.walk_entries = 0;
	walker.walk = NULL;
	expect_broken(dmasim_create(&config));
	walker.walk = walk_nothing;
	format.iova_to_phys = NULL;
	expect_broken(dmasim_create(&config));
	format.iova_to_phys = dmasim_pgtable_by_name("vtdss")->iova_to_phys;
	format.size--;
	expect_broken(dmasim_create(&config));
}

static void expect_no_levels(u8 levels)
{
	struct dmasim_config config = { DMASIM_CONFIG, .iommu_levels = levels };

	expect_broken(dmasim_create(&config));
}

static void page_tables_have_3_to_5_levels(void **state)
{
	static const u8 levels[] = { 1, 2, 6, 255 };

	(void)state;
	for (int i = 0; i < 4; i++)
		expect_no_levels(levels[i]);
}

static void a_first_stage_is_one_of_scalable_mode(void **state)
{
	static const struct dmasim_config bad[] = {
		{ DMASIM_CONFIG, .iommu_first_stage = true },
		{ DMASIM_CONFIG, .iommu = DMASIM_AMD_VI, .iommu_first_stage = true },
		{ DMASIM_CONFIG, .iommu_scalable = true, .iommu_first_stage = true,
		  .iommu_levels = 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_broken(dmasim_create(&bad[i]));
}

static void a_riscv_iommu_is_what_it_can_be(void **state)
{
	static const struct dmasim_config bad[] = {
		{ DMASIM_CONFIG, .iommu = DMASIM_RISCV, .iommu_levels = 2 },
		{ DMASIM_CONFIG, .iommu = DMASIM_RISCV, .iommu_levels = 6 },
		{ DMASIM_CONFIG, .iommu = DMASIM_RISCV, .iommu_caching_mode = true },
		{ DMASIM_CONFIG, .iommu = DMASIM_RISCV, .iommu_snoop = true },
		{ DMASIM_CONFIG, .iommu = DMASIM_RISCV, .iommu_scalable = true },
		{ DMASIM_CONFIG, .iommu = DMASIM_RISCV, .riscv_without = 0x10 },
		{ DMASIM_CONFIG, .iommu = DMASIM_VTD, .riscv_without = DMASIM_RISCV_S },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_broken(dmasim_create(&bad[i]));
}

static void an_smmuv3_is_what_it_can_be(void **state)
{
	static const struct dmasim_config bad[] = {
		{ DMASIM_CONFIG, .iommu = DMASIM_SMMUV3, .iommu_levels = 2 },
		{ DMASIM_CONFIG, .iommu = DMASIM_SMMUV3, .iommu_levels = 5 },
		{ DMASIM_CONFIG, .iommu = DMASIM_SMMUV3, .iommu_caching_mode = true },
		{ DMASIM_CONFIG, .iommu = DMASIM_SMMUV3, .iommu_snoop = true },
		{ DMASIM_CONFIG, .iommu = DMASIM_SMMUV3, .iommu_scalable = true },
		{ DMASIM_CONFIG, .iommu = DMASIM_SMMUV3, .ram_bytes = 1ULL << 46 },
		{ DMASIM_CONFIG, .iommu = DMASIM_VTD, .smmu_no_range = true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_broken(dmasim_create(&bad[i]));
}

TEST_MAIN(cmocka_unit_test(a_walker_tells_what_it_was_asked_for),
	  cmocka_unit_test(page_tables_of_a_program_are_whole),
	  cmocka_unit_test(page_tables_have_3_to_5_levels),
	  cmocka_unit_test(a_first_stage_is_one_of_scalable_mode),
	  cmocka_unit_test(a_riscv_iommu_is_what_it_can_be),
	  cmocka_unit_test(an_smmuv3_is_what_it_can_be))
