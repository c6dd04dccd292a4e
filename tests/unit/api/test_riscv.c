/* SPDX-License-Identifier: MIT */
/*
 * A machine with a RISC-V IOMMU: mappings, faults, what its unit may lack (facts
 * "iova-and-page-tables" 2.5, 2.6 and 3.5).
 */
#include "machines.h"

static const struct dmasim_config riscv = { DMASIM_CONFIG, .iommu = DMASIM_RISCV };

static int setup(void **state)
{
	return rig_setup_with(state, &riscv);
}

/* Whatever levels there are, and whatever of all the extensions the unit lacks. */
static void mappings_of_all_sizes_work(void **state)
{
	(void)state;
	for (u8 levels = 3; levels <= 5; levels++) {
		for (u32 without = 0; without <= DMASIM_RISCV_EVERYTHING; without++) {
			expect_all_sizes_map(&(struct dmasim_config){
				DMASIM_CONFIG, .iommu = DMASIM_RISCV, .iommu_levels = levels,
				.riscv_without = without, .walk_entries = 4,
				.context_entries = 4 });
		}
	}
}

/* Commands may be executed in any order until a fence. */
static void an_unmap_waits_for_what_may_be_overtaken(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= 10; seed++) {
		expect_all_sizes_map(&(struct dmasim_config){
			DMASIM_CONFIG, .seed = seed, .iommu = DMASIM_RISCV,
			.iommu_device_tlb = true, .random_choices = true,
			.riscv_without = (u32)seed & 3, .walk_entries = 4, .context_entries = 4 });
	}
}

/* 64 KiB are one leaf of sixteen equal entries; without Svnapot sixteen. */
static void a_leaf_of_64_kib_is_written_sixteen_times(void **state)
{
	struct rig *rig = *state;
	struct dmasim_costs before;

	rig_map_and_use(rig, SZ_4K);
	before = dmasim_costs(rig->s);
	rig_map_and_use(rig, SZ_64K);
	expect_u64(dmasim_costs(rig->s).iotlb_misses - before.iotlb_misses, 1);
	expect_u64(dmasim_costs(rig->s).invalidations - before.invalidations, 1);
}

/* The highest address bit is repeated above: half of the space is never handed out. */
static void the_upper_half_is_never_handed_out(void **state)
{
	(void)state;
	for (u8 levels = 3; levels <= 5; levels++) {
		u64 half = 1ULL << (12 + 9 * levels - 1);
		struct rig rig;
		dma_addr_t dma;
		u8 byte = 7;

		rig_init(&rig, &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_RISCV,
							.iommu_levels = levels, .forcedac = true });
		dma = dma_map_phys(&rig.nvme->dev, dmasim_alloc(rig.s, SZ_4K), SZ_4K,
				   DMA_FROM_DEVICE, 0);
		expect_u64(dma, half - SZ_4K);
		expect_done(dmasim_dev_write(rig.nvme, dma, &byte, 1), 1);
		dma_unmap_phys(&rig.nvme->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
		dmasim_assert_clean(rig.s);
		rig_fini(&rig);
	}
}

/* Bare: no domain, and addresses are physical. */
static void a_context_may_let_addresses_pass(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_RISCV,
						.policy = DMASIM_PASS_THROUGH });
	rig_map_and_use(&rig, SZ_64K);
	expect_u64(dmasim_costs(rig.s).entries_written, 0);
	dmasim_assert_clean(rig.s);
	rig_fini(&rig);
}

/* Where others have interrupts: a write to it is one like any other. */
static void no_address_means_an_interrupt(void **state)
{
	struct rig *rig = *state;
	u8 bytes[4] = { 0 };

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_NOT_MAPPED, 1);
	assert_int_equal(dmasim_dev_write(rig->nvme, 0xfee00000, bytes, 4).status,
			 DMASIM_IOMMU_FAULT);
}

static u64 memory_type(const struct dmasim_config *config)
{
	struct dmasim_walk walk;
	struct device *dev;
	struct rig rig;
	dma_addr_t dma;
	u64 entry;

	rig_init(&rig, config);
	dev = &rig.nvme->dev;
	dma = dma_map_phys(dev, dmasim_alloc(rig.s, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
	assert_false(dma_mapping_error(dev, dma));
	dmasim_walk(rig.nvme, dma, false, &walk);
	assert_true(walk.entries == 4 && !walk.fault);
	entry = walk.entry[3].value;
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	rig_fini(&rig);
	return entry >> 61;
}

/* PBMT: 0 memory, 1 what is not cacheable; without Svpbmt nobody says so. */
static void a_leaf_says_what_is_not_cacheable(void **state)
{
	struct dmasim_config config = riscv;

	(void)state;
	expect_u64(memory_type(&config), 0);
	config.traits.no_snoop = true;
	expect_u64(memory_type(&config), 1);
	config.riscv_without = DMASIM_RISCV_PBMT;
	expect_u64(memory_type(&config), 0);
}

/* ---- Faults ---------------------------------------------------------------------------------- */

static void expect_fault(struct rig *rig, bool write, u64 address, u16 cause, u64 type)
{
	struct dmasim_fault_record record;
	u64 device = rig->nvme->dev.id & 0xffff;

	assert_true(dmasim_fault_take(rig->s, &record));
	expect_u64(record.reason, cause);
	expect_u64(record.address, address);
	expect_u64(record.requester, device);
	assert_int_equal(record.write, write);
	expect_u64(record.word[0], cause | type << 34 | device << 40);
	expect_u64(record.word[1], 0);
	expect_u64(record.word[2], address);
	expect_u64(record.word[3], 0);
	assert_false(dmasim_fault_take(rig->s, &record));
}

/* trust: RISC-V fault records of requests | our reading of the facts: 2.6 */
static void a_fault_has_a_cause_and_a_type(void **state)
{
	struct rig *rig = *state;
	u8 byte = 0;

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_NOT_MAPPED, 3);
	assert_int_equal(dmasim_dev_write(rig->nvme, 0x12345678, &byte, 1).status,
			 DMASIM_IOMMU_FAULT);
	expect_fault(rig, true, 0x12345678, 15, 3);
	assert_int_equal(dmasim_dev_read(rig->nvme, 0x12345678, &byte, 1).status,
			 DMASIM_IOMMU_FAULT);
	expect_fault(rig, false, 0x12345678, 13, 2);
	/* Not canonical. */
	assert_int_equal(dmasim_dev_write(rig->nvme, 1ULL << 47, &byte, 1).status,
			 DMASIM_IOMMU_FAULT);
	expect_fault(rig, true, 1ULL << 47, 15, 3);
}

static void the_report_of_a_fault_has_its_line(void **state)
{
	expect_fault_line(*state, "riscv-iommu: fault cause=13 (read page fault) device=0000:",
			  "type=\"read\" iotval=0x12345000 iotval2=0x0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

TEST_MAIN(cmocka_unit_test(mappings_of_all_sizes_work),
	  cmocka_unit_test(an_unmap_waits_for_what_may_be_overtaken),
	  TEST(a_leaf_of_64_kib_is_written_sixteen_times),
	  cmocka_unit_test(the_upper_half_is_never_handed_out),
	  cmocka_unit_test(a_context_may_let_addresses_pass),
	  cmocka_unit_test(a_leaf_says_what_is_not_cacheable), TEST(no_address_means_an_interrupt),
	  TEST(a_fault_has_a_cause_and_a_type), TEST(the_report_of_a_fault_has_its_line))
