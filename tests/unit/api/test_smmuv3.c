/* SPDX-License-Identifier: MIT */
/*
 * A machine with an Arm SMMUv3: mappings, events, interrupts, what its unit may lack (facts
 * "iova-and-page-tables" 2.4, 2.6 and 3.4).
 */
#include "machines.h"

static const struct dmasim_config smmuv3 = { DMASIM_CONFIG, .iommu = DMASIM_SMMUV3 };

static int setup(void **state)
{
	return rig_setup_with(state, &smmuv3);
}

/* With 3 or 4 levels, with range invalidation or without. */
static void mappings_of_all_sizes_work(void **state)
{
	(void)state;
	for (u32 way = 0; way < 4; way++) {
		expect_all_sizes_map(&(struct dmasim_config){
			DMASIM_CONFIG, .iommu = DMASIM_SMMUV3, .iommu_levels = (u8)(3 + way % 2),
			.smmu_no_range = way / 2, .walk_entries = 4, .context_entries = 4 });
	}
}

/* Commands may be executed in any order until a SYNC. */
static void an_unmap_waits_for_what_may_be_overtaken(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= 10; seed++) {
		expect_all_sizes_map(&(struct dmasim_config){
			DMASIM_CONFIG, .seed = seed, .iommu = DMASIM_SMMUV3,
			.iommu_device_tlb = true, .random_choices = true, .smmu_no_range = seed & 1,
			.walk_entries = 4, .context_entries = 4 });
	}
}

/* The program's own memory has addresses within those of the unit's entries. */
static void adopted_memory_can_be_mapped(void **state)
{
	static u8 memory[SZ_4K] __attribute__((aligned(4096)));
	struct rig *rig = *state;
	phys_addr_t phys = dmasim_adopt(rig->s, memory, sizeof(memory));
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, phys, SZ_4K, DMA_FROM_DEVICE, 0);
	u8 byte = 7;

	assert_true(phys < 1ULL << 48);
	assert_false(dma_mapping_error(&rig->nvme->dev, dma));
	expect_done(dmasim_dev_write(rig->nvme, dma + 9, &byte, 1), 1);
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	assert_int_equal(memory[9], 7);
	dmasim_unadopt(rig->s, phys);
	dmasim_assert_clean(rig->s);
}

/* ---- Events ---------------------------------------------------------------------------------- */

#define READ	    (1ULL << 35) /* RnW */
#define CLASS_INPUT (2ULL << 40)

static void expect_event(struct rig *rig, u64 address, u16 event, u64 second)
{
	struct dmasim_fault_record record;
	u64 stream = rig->nvme->dev.id & 0xffff;

	assert_true(dmasim_fault_take(rig->s, &record));
	expect_u64(record.reason, event);
	expect_u64(record.address, address);
	expect_u64(record.requester, stream);
	assert_int_equal(record.write, !(second & READ));
	expect_u64(record.word[0], event | stream << 32);
	expect_u64(record.word[1], second);
	expect_u64(record.word[2], address);
	expect_u64(record.word[3], 0);
	assert_false(dmasim_fault_take(rig->s, &record));
}

/* trust: SMMUv3 event records of requests | our reading of the facts: 2.6 */
static void an_event_has_a_class_and_a_direction(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_4K);
	dma_addr_t dma;
	u8 byte = 0;

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_NOT_MAPPED, 3);
	dmasim_dev_write(rig->nvme, 0x12345678, &byte, 1);
	expect_event(rig, 0x12345678, 0x10, CLASS_INPUT);
	dmasim_dev_read(rig->nvme, 0x12345678, &byte, 1);
	expect_event(rig, 0x12345678, 0x10, CLASS_INPUT | READ);
	/* Beyond 48 bits. */
	dmasim_dev_write(rig->nvme, 1ULL << 48, &byte, 1);
	expect_event(rig, 1ULL << 48, 0x10, CLASS_INPUT);

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 1);
	dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_dev_write(rig->nvme, dma, &byte, 1);
	expect_event(rig, dma, 0x13, CLASS_INPUT);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
}

/*
 * trust: memory that is mapped for privileged requests is out of reach of PCI devices'
 * | our reading of the facts: iova-and-page-tables 2.4
 */
static void what_is_mapped_privileged_is_not_for_others(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, DMA_ATTR_PRIVILEGED);
	u8 byte = 0;

	assert_false(dma_mapping_error(dev, dma));
	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 2);
	assert_int_equal(dmasim_dev_read(rig->nvme, dma, &byte, 1).status, DMASIM_IOMMU_FAULT);
	expect_event(rig, dma, 0x13, CLASS_INPUT | READ);
	assert_int_equal(dmasim_dev_write(rig->nvme, dma, &byte, 1).status, DMASIM_IOMMU_FAULT);
	expect_event(rig, dma, 0x13, CLASS_INPUT);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, DMA_ATTR_PRIVILEGED);
}

static void the_report_of_a_fault_has_its_line(void **state)
{
	expect_fault_line(*state, "SMMUv3: F_TRANSLATION device=0000:",
			  " address=0x12345000 read class=input");
}

/* What means an interrupt on a PC is an address like others: it can be mapped, and else faults. */
static void no_addresses_mean_interrupts(void **state)
{
	struct rig *rig = *state;
	u8 message[4] = { 0 };

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_NOT_MAPPED, 1);
	assert_int_equal(dmasim_dev_write(rig->nvme, 0xfee00000, message, 4).status,
			 DMASIM_IOMMU_FAULT);
	expect_event(rig, 0xfee00000, 0x10, CLASS_INPUT);
	expect_u64(dmasim_costs(rig->s).interrupts, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

TEST_MAIN(cmocka_unit_test(mappings_of_all_sizes_work),
	  cmocka_unit_test(an_unmap_waits_for_what_may_be_overtaken),
	  TEST(adopted_memory_can_be_mapped), TEST(an_event_has_a_class_and_a_direction),
	  TEST(what_is_mapped_privileged_is_not_for_others),
	  TEST(the_report_of_a_fault_has_its_line), TEST(no_addresses_mean_interrupts))
