/* SPDX-License-Identifier: MIT */
/*
 * What the software hands to a RISC-V IOMMU, and in which batches: its commands may overtake each
 * other, so that contexts, translations and devices' TLBs each have a fence of their own (facts
 * "iova-and-page-tables" 3.5 and 3.6). Words worked by hand.
 */
#include "batches.h"

#define CONTEXT	 0x0000000200000003ULL
#define SPACE	 0x0000000100000001ULL
#define AV	 0x400ULL
#define NL	 (1ULL << 34)
#define DEVICE	 4ULL
#define ALL	 0x7ffffffffffff800ULL
#define NO_STORE 0x3002ULL /* a fence that orders reads and writes */

static const struct batches_arch riscv = {
	.iommu = DMASIM_RISCV,
	.mask = 0x7f,
	.wait = 2,
	.wait_low = 0x3402, /* it stores, and orders reads and writes */
	.translations = { 1, 1 },
	.barrier = NO_STORE,
};

static int setup(void **state)
{
	return batches_setup(state, &riscv, (struct dmasim_config){ 0 });
}

static int setup_ats(void **state)
{
	return batches_setup(state, &riscv, (struct dmasim_config){ .iommu_device_tlb = true });
}

static int setup_lazy(void **state)
{
	return batches_setup(state, &riscv, (struct dmasim_config){ .policy = DMASIM_LAZY });
}

static u64 space(const struct batches *batches)
{
	return SPACE | batches_domain(batches) << 12;
}

/* ---- Contexts -------------------------------------------------------------------------------- */

/* trust: RISC-V's commands for each change | our reading of the facts: 3.5 and 3.6 */
static void a_context_goes_before_what_it_translated(void **state)
{
	struct batches *batches = *state;
	struct pci_dev *nvme = batches->rig.nvme;

	iommu_detach_device(nvme);
	batches_expect(batches,
		       (const u64[][2]){ { CONTEXT | batches_requester(batches) << 40, 0 },
					 { 0, 0 },
					 { space(batches), 0 },
					 { 0, 0 } },
		       4);
	/* What was not valid is not cached. */
	expect_ok(iommu_attach_device(nvme));
	expect_u64(batches->count, 0);
}

/* ---- Unmaps ---------------------------------------------------------------------------------- */

static void an_unmap_is_a_window_and_a_fence(void **state)
{
	struct batches *batches = *state;
	phys_addr_t buf = dmasim_alloc(batches->rig.s, 2 * SZ_2M);
	dma_addr_t dma = batches_map_and_unmap(batches, buf, SZ_4K);

	batches_expect(batches, (const u64[][2]){ { space(batches) | AV, dma >> 2 }, { 0, 0 } }, 2);
	dma = batches_map_and_unmap(batches, buf, SZ_64K);
	batches_expect(batches,
		       (const u64[][2]){ { space(batches) | AV, dma >> 2 | 0x1e00 }, { 0, 0 } }, 2);
	/* One leaf of 2 MiB; 512 pages, and the table that had them. */
	dma = batches_map_and_unmap(batches, buf, SZ_2M);
	batches_expect(batches,
		       (const u64[][2]){ { space(batches) | AV, dma >> 2 | 0x3fe00 }, { 0, 0 } },
		       2);
	dma = batches_map_and_unmap(batches, buf + SZ_4K, SZ_2M);
	batches_expect(
		batches,
		(const u64[][2]){ { space(batches) | AV | NL, dma >> 2 | 0x3fe00 }, { 0, 0 } }, 2);
	dmasim_assert_clean(batches->rig.s);
	dmasim_free(batches->rig.s, buf, 2 * SZ_2M);
}

static void a_lazy_flush_is_all_of_the_space(void **state)
{
	struct batches *batches = *state;
	phys_addr_t buf = dmasim_alloc(batches->rig.s, SZ_4K);

	for (int i = 0; i < 20; i++)
		batches_map_and_unmap(batches, buf, SZ_4K);
	expect_u64(batches->count, 0);
	dmasim_run(batches->rig.s, 10 * 1000 * 1000);
	batches_expect(batches, (const u64[][2]){ { space(batches), 0 }, { 0, 0 } }, 2);
	dmasim_free(batches->rig.s, buf, SZ_4K);
}

/* ---- Devices' TLBs --------------------------------------------------------------------------- */

static void a_devices_tlb_comes_after_a_fence(void **state)
{
	struct batches *batches = *state;
	u64 device = DEVICE | batches_requester(batches) << 40;
	phys_addr_t buf = dmasim_alloc(batches->rig.s, SZ_64K);
	dma_addr_t dma;

	batches->count = 0;
	dma = batches_map_and_unmap(batches, buf, SZ_64K);
	batches_expect(batches,
		       (const u64[][2]){ { space(batches) | AV, dma >> 2 | 0x1e00 },
					 { 0, 0 },
					 { device, dma | 0x7800 },
					 { 0, 0 } },
		       4);
	iommu_detach_device(batches->rig.nvme);
	batches_expect(batches,
		       (const u64[][2]){ { CONTEXT | batches_requester(batches) << 40, 0 },
					 { 0, 0 },
					 { space(batches), 0 },
					 { 0, 0 },
					 { device, ALL },
					 { 0, 0 } },
		       6);
	dmasim_assert_clean(batches->rig.s);
	dmasim_free(batches->rig.s, buf, SZ_64K);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, batches_teardown)

TEST_MAIN(TEST(a_context_goes_before_what_it_translated, setup),
	  TEST(an_unmap_is_a_window_and_a_fence, setup),
	  TEST(a_lazy_flush_is_all_of_the_space, setup_lazy),
	  TEST(a_devices_tlb_comes_after_a_fence, setup_ats),
	  TEST(batches_too_early_without_a_wait, setup_ats),
	  TEST(batches_right_with_a_wait, setup_ats))
