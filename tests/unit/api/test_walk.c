/* SPDX-License-Identifier: MIT */
/*
 * Translations step by step, as a user asks for them.
 */
#include <dmasim/hw/amd.h>
#include <dmasim/walk.h>

#include "unit/api/machines.h"

static int setup_cached(void **state)
{
	return rig_setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .walk_entries = 4,
							      .context_entries = 4 });
}

static int setup_pass_through(void **state)
{
	return rig_setup_with(
		state, &(struct dmasim_config){ DMASIM_CONFIG, .policy = DMASIM_PASS_THROUGH });
}

/* IOVAs from the top of 48 bits down, which three levels do not reach. */
static int setup_amd_high(void **state)
{
	struct dmasim_config config = { DMASIM_CONFIG, .iommu = DMASIM_AMD_VI, .forcedac = true,
					.context_entries = 4 };
	struct rig *rig;

	if (rig_setup_with(state, &config))
		return -1;
	rig = *state;
	return dma_set_mask_and_coherent(&rig->nvme->dev, ~0ULL);
}

static struct dmasim_walk walk_of(struct pci_dev *pdev, dma_addr_t dma, bool write)
{
	struct dmasim_walk walk;

	expect_ok(dmasim_walk(pdev, dma, write, &walk));
	return walk;
}

/* A word of memory, little endian. */
static u64 word_at(struct dmasim *s, phys_addr_t phys)
{
	u8 bytes[8];
	u64 word = 0;

	expect_u64(dmasim_read(s, phys, bytes, 8), 8);
	for (int i = 0; i < 8; i++)
		word |= (u64)bytes[i] << 8 * i;
	return word;
}

static void a_walk_goes_from_the_top_to_the_page(void **state)
{
	struct rig *rig = *state;
	struct pci_dev *nvme = rig->nvme;
	struct dmasim *s = rig->s;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(&nvme->dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	struct dmasim_walk walk = walk_of(nvme, dma + 0x123, false);
	phys_addr_t table = walk.root;

	expect_u64(walk.context, DMASIM_WALK_TRANSLATE);
	expect_u64(walk.requester, nvme->dev.id & 0xffff);
	expect_u64(walk.levels, 4);
	expect_u64(walk.entries, 4);
	for (u32 i = 0; i < 4; i++) {
		const struct dmasim_walk_entry *entry = &walk.entry[i];
		u32 index = (u32)(dma >> (39 - 9 * i) & 511);

		expect_u64(entry->level, 3 - i);
		expect_u64(entry->table, table);
		expect_u64(entry->index, index);
		expect_u64(entry->at, table + 8 * index);
		expect_u64(entry->value, word_at(s, entry->at));
		assert_true(entry->read);
		assert_int_equal(entry->write, i < 3);
		table = entry->value & ~0xfffULL;
	}
	expect_u64(walk.phys, buf + 0x123);
	expect_u64(walk.page_lg2, 12);
	assert_true(walk.read && !walk.write);
	assert_string_equal(walk.line, "");
	dma_unmap_phys(&nvme->dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(s);
}

static void it_counts_as_the_request_would(void **state)
{
	struct rig *rig = *state;
	struct pci_dev *nvme = rig->nvme;
	struct dmasim *s = rig->s;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(&nvme->dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);
	struct dmasim_walk walk;
	u8 byte;

	expect_ok(dmasim_walk_probe(nvme, dma, true, &walk));
	expect_u64(walk.entries, 4);
	expect_u64(dmasim_costs(s).iotlb_misses, 0);
	assert_false(walk_of(nvme, dma, false).iotlb_found);
	expect_u64(dmasim_costs(s).iotlb_misses, 1);
	expect_u64(dmasim_costs(s).tlps, 0);
	expect_done(dmasim_dev_read(nvme, dma, &byte, 1), 1);
	expect_u64(dmasim_costs(s).iotlb_hits, 1);
	walk = walk_of(nvme, dma + 8, true);
	assert_true(walk.context_hit && walk.iotlb_hit);
	expect_u64(walk.iotlb_iova, dma);
	expect_u64(walk.iotlb_phys, buf);
	expect_u64(walk.entries, 0);
	expect_u64(walk.phys, buf + 8);
	assert_true(walk.read && walk.write);
	dma_unmap_phys(&nvme->dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(s);
}

/* The line is that of the request itself, and only the request is recorded. */
static void a_fault_is_told_not_recorded(void **state)
{
	struct rig *rig = *state;
	struct pci_dev *nvme = rig->nvme;
	struct dmasim *s = rig->s;
	struct dmasim_fault_record record;
	struct dmasim_walk walk = walk_of(nvme, 0x12345678, true);
	u8 byte = 0;

	expect_u64(walk.fault, 5);
	expect_u64(walk.phys, 0);
	assert_false(dmasim_fault_take(s, &record));
	dmasim_assert_clean(s);
	dmasim_expect(s, DMASIM_REPORT_IOMMU_FAULT, 1);
	dmasim_dev_write(nvme, 0x12345678, &byte, 1);
	assert_true(dmasim_fault_take(s, &record));
	assert_string_equal(walk.line, record.line);
	dmasim_assert_clean(s);
}

static void a_walk_of_tables_that_grew_begins_at_their_new_top(void **state)
{
	struct rig *rig = *state;
	struct pci_dev *nvme = rig->nvme;
	phys_addr_t buf = ram(rig, SZ_64K), table;
	struct dmasim_walk before = walk_of(nvme, 0x5000, false), walk;
	dma_addr_t dma = dma_map_phys(&nvme->dev, buf, SZ_64K, DMA_TO_DEVICE, 0);

	expect_u64(before.levels, 3);
	assert_true(dma >> 39);
	walk = walk_of(nvme, dma + 0x5123, false);
	assert_false(walk.context_hit);
	expect_u64(walk.levels, 4);
	expect_u64(walk.entries, 4);
	assert_true(walk.root != before.root);
	table = walk.root;
	for (u32 i = 0; i < 4; i++) {
		const struct dmasim_walk_entry *entry = &walk.entry[i];

		expect_u64(entry->level, 3 - i);
		expect_u64(entry->table, table);
		expect_u64(entry->at, table + 8 * (((dma + 0x5123) >> (39 - 9 * i)) & 511));
		expect_u64(entry->value, word_at(rig->s, entry->at));
		expect_u64(entry->value >> 9 & 7, i < 3 ? 3 - i : 7);
		assert_int_equal(entry->write, i < 3);
		table = entry->value & 0xffffffffff000ULL;
	}
	expect_u64(walk.page_lg2, 16);
	expect_u64(walk.phys, buf + 0x5123);
	dma_unmap_phys(&nvme->dev, dma, SZ_64K, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

/* The bits of an absent entry are ignored, and so are those that would permit something. */
static void an_amd_entry_that_is_absent_allows_nothing(void **state)
{
	struct rig *rig = *state;
	struct pci_dev *nvme = rig->nvme;
	struct dmasim_walk walk = walk_of(nvme, 0x12345678, true);

	expect_u64(walk.entries, 1);
	expect_u64(walk.entry[0].value, 0);
	assert_true(walk.entry[0].fetched);
	assert_false(walk.entry[0].read || walk.entry[0].write);
	expect_u64(walk.fault, AMD_EVENT_IO_PAGE_FAULT);
	expect_u64(walk.fault_flags, AMD_FLAG_RW);
	dmasim_assert_clean(rig->s);
}

static void an_amd_fault_has_the_line_of_the_request(void **state)
{
	struct rig *rig = *state;
	struct dmasim *s = rig->s;
	struct dmasim_fault_record record;
	struct dmasim_walk walk = walk_of(rig->nvme, 1ULL << 39, false);
	u8 byte;

	assert_true(walk.beyond);
	expect_u64(walk.entries, 0);
	expect_u64(walk.fault_flags, AMD_FLAG_PR | AMD_FLAG_RZ);
	assert_false(dmasim_fault_take(s, &record));
	dmasim_expect(s, DMASIM_REPORT_IOMMU_FAULT, 1);
	dmasim_dev_read(rig->nvme, 1ULL << 39, &byte, 1);
	assert_true(dmasim_fault_take(s, &record));
	assert_string_equal(walk.line, record.line);
	dmasim_assert_clean(s);
}

static void without_an_iommu_there_is_no_walk(void **state)
{
	struct rig *rig = *state;

	expect_u64(walk_of(rig->nvme, 0x1000, false).context, DMASIM_WALK_NO_IOMMU);
}

static void interrupts_are_not_translated(void **state)
{
	struct rig *rig = *state;

	expect_u64(walk_of(rig->nvme, 0xfee00000, true).context, DMASIM_WALK_NO_IOMMU);
	expect_u64(walk_of(rig->nvme, 0xfedff000, true).context, DMASIM_WALK_TRANSLATE);
}

static void an_address_may_pass_as_it_is(void **state)
{
	struct rig *rig = *state;
	struct dmasim_walk walk = walk_of(rig->nvme, 0x5008, true);

	expect_u64(walk.context, DMASIM_WALK_PASS_THROUGH);
	expect_u64(walk.phys, 0x5008);
	expect_u64(walk.entries, 0);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

TEST_MAIN(TEST(a_walk_goes_from_the_top_to_the_page, setup_cached),
	  TEST(it_counts_as_the_request_would, setup_cached),
	  TEST(a_fault_is_told_not_recorded, setup_cached),
	  TEST(a_walk_of_tables_that_grew_begins_at_their_new_top, setup_amd_high),
	  TEST(an_amd_entry_that_is_absent_allows_nothing, rig_setup_amd_vi),
	  TEST(an_amd_fault_has_the_line_of_the_request, rig_setup_amd_vi),
	  TEST(without_an_iommu_there_is_no_walk, rig_setup_direct),
	  TEST(interrupts_are_not_translated, setup_cached),
	  TEST(an_address_may_pass_as_it_is, setup_pass_through))
