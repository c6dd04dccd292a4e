/* SPDX-License-Identifier: MIT */
/*
 * Regions that firmware wants mapped one to one (facts "dma-api" 20.4): pages that are mapped
 * already are skipped, one by one, and what cannot be mapped is told and does not stop the machine.
 */
#include "unit/api/machines.h"

/* The regions lie in the first MiB: no allocation is there. */

/* The device reads what is at its own address, on every page of [start, start + bytes). */
static void expect_identity(struct rig *rig, struct pci_dev *pdev, phys_addr_t start, u64 bytes)
{
	for (phys_addr_t at = start; at < start + bytes; at += SZ_4K) {
		u64 word = at ^ 0x5a5a, found = 0;

		expect_u64(dmasim_write(rig->s, at, &word, sizeof(word)), sizeof(word));
		expect_u64(dmasim_dev_read(pdev, at, &found, sizeof(found)).done, sizeof(found));
		expect_u64(found, word);
	}
}

static void expect_mapping_works(struct rig *rig)
{
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);

	expect_ok(dma_mapping_error(dev, dma));
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

/* Two devices below one switch, on a machine that has not started. */
static void begin(struct rig *rig, const struct dmasim_config *config)
{
	const struct dmasim_endpoint endpoint = { .bar = { SZ_16K } };

	*rig = (struct rig){ .s = dmasim_create(config) };
	rig->nvme = dmasim_add_endpoint(rig->s, "00:01.0/00.0/00.0/00.0", &endpoint);
	rig->nic = dmasim_add_endpoint(rig->s, "00:01.0/00.0/01.0/00.0", &endpoint);
	assert_true(rig->nvme && rig->nic);
}

/* Page 0 reads as physical address 0, which is not "nothing is mapped". */
static void a_region_at_0_for_two_devices_of_a_group(void **state)
{
	struct dmasim_config config = { DMASIM_CONFIG, .acs = DMASIM_ACS_ABSENT };
	struct rig rig;

	(void)state;
	begin(&rig, &config);
	expect_ok(dmasim_add_direct_region(rig.s, rig.nvme, 0, SZ_64K));
	expect_ok(dmasim_add_direct_region(rig.s, rig.nic, 0, SZ_64K));
	assert_int_equal(dmasim_group(rig.nvme), dmasim_group(rig.nic));
	expect_identity(&rig, rig.nvme, 0, SZ_64K);
	expect_identity(&rig, rig.nic, 0, SZ_64K);
	expect_mapping_works(&rig);
	rig_fini(&rig);
}

static void regions_that_overlap_are_mapped_as_one(void **state)
{
	static const struct {
		phys_addr_t start[2];
		u64 bytes[2];
	} cases[] = {
		{ { SZ_64K, SZ_64K + SZ_4K }, { SZ_16K, SZ_4K } },
		{ { SZ_64K + SZ_4K, SZ_64K }, { SZ_4K, SZ_16K } },
		{ { SZ_64K, SZ_64K }, { SZ_4K, SZ_16K } },
		{ { SZ_64K, SZ_64K + 2 * SZ_4K }, { SZ_16K, SZ_16K } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig rig;

		begin(&rig, NULL);
		for (int k = 0; k < 2; k++) {
			expect_ok(dmasim_add_direct_region(rig.s, rig.nvme, cases[i].start[k],
							   cases[i].bytes[k]));
		}
		for (int k = 0; k < 2; k++)
			expect_identity(&rig, rig.nvme, cases[i].start[k], cases[i].bytes[k]);
		expect_mapping_works(&rig);
		rig_fini(&rig);
	}
}

/* Tables of 3 levels map 39 bits. */
static void a_region_beyond_the_table_is_told_and_left_out(void **state)
{
	struct dmasim_config config = { DMASIM_CONFIG, .iommu_levels = 3 };
	struct rig rig;

	(void)state;
	begin(&rig, &config);
	expect_ok(dmasim_add_direct_region(rig.s, rig.nvme, 1ULL << 40, SZ_4K));
	expect_ok(dmasim_add_direct_region(rig.s, rig.nvme, SZ_64K, SZ_4K));
	dmasim_expect(rig.s, DMASIM_REPORT_DIRECT_REGION, 1);
	expect_identity(&rig, rig.nvme, SZ_64K, SZ_4K);
	expect_mapping_works(&rig);
	rig_fini(&rig);
}

TEST_MAIN(cmocka_unit_test(a_region_at_0_for_two_devices_of_a_group),
	  cmocka_unit_test(regions_that_overlap_are_mapped_as_one),
	  cmocka_unit_test(a_region_beyond_the_table_is_told_and_left_out))
