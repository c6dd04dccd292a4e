/* SPDX-License-Identifier: MIT */
/*
 * What the software hands to an SMMUv3, and in which batches: its commands may overtake each other,
 * so that contexts, translations and devices' TLBs each have a SYNC of their own (facts
 * "iova-and-page-tables" 3.4 and 3.6). Words worked by hand.
 */
#include "batches.h"

#define STREAM	0x03ULL
#define NH_ASID 0x11ULL
#define NH_VA	0x12ULL
#define ATC	0x40ULL
#define LEAF	0x001ULL
#define TTL(n)	((n)*0x100ULL)
#define TG_4K	0x400ULL
#define WAIT         \
	{            \
		0, 0 \
	}

static const struct batches_arch smmuv3 = {
	.iommu = DMASIM_SMMUV3,
	.mask = 0xff,
	.wait = 0x46,
	.wait_low = 0x0fc01046,
	.translations = { NH_VA, NH_ASID },
	.barrier = 0x46,
};

static int setup(void **state)
{
	return batches_setup(state, &smmuv3, (struct dmasim_config){ 0 });
}

static int setup_ats(void **state)
{
	return batches_setup(state, &smmuv3, (struct dmasim_config){ .iommu_device_tlb = true });
}

static int setup_lazy(void **state)
{
	return batches_setup(state, &smmuv3, (struct dmasim_config){ .policy = DMASIM_LAZY });
}

static u64 asid(const struct batches *batches)
{
	return batches_domain(batches) << 48;
}

/* trust: SMMUv3's commands for each change | our reading of the facts: 3.4 and 3.6 */
static void a_stream_goes_before_what_it_translated(void **state)
{
	struct batches *batches = *state;
	const u64 change[][2] = { { STREAM | batches_requester(batches) << 32, LEAF },
				  WAIT,
				  { NH_ASID | asid(batches), 0 },
				  WAIT };

	batches->count = 0;
	iommu_detach_device(batches->rig.nvme);
	batches_expect(batches, change, 4);
	/* It is told of each change. */
	expect_ok(iommu_attach_device(batches->rig.nvme));
	batches_expect(batches, change, 4);
}

static void an_unmap_is_a_range_and_a_sync(void **state)
{
	struct batches *batches = *state;
	phys_addr_t buf = dmasim_alloc(batches->rig.s, 2 * SZ_2M);
	u64 range = NH_VA | asid(batches);
	dma_addr_t dma;

	batches->count = 0;
	dma = batches_map_and_unmap(batches, buf, SZ_4K);
	batches_expect(batches, (const u64[][2]){ { range, dma | LEAF | TG_4K | TTL(3) }, WAIT },
		       2);
	dma = batches_map_and_unmap(batches, buf, SZ_64K);
	batches_expect(batches,
		       (const u64[][2]){ { range | 4 << 20, dma | LEAF | TG_4K | TTL(3) }, WAIT },
		       2);
	/* One leaf of 2 MiB; 512 pages, and the table that had them. */
	dma = batches_map_and_unmap(batches, buf, SZ_2M);
	batches_expect(batches,
		       (const u64[][2]){ { range | 9 << 20, dma | LEAF | TG_4K | TTL(2) }, WAIT },
		       2);
	dma = batches_map_and_unmap(batches, buf + SZ_4K, SZ_2M);
	batches_expect(batches, (const u64[][2]){ { range | 9 << 20, dma | TG_4K }, WAIT }, 2);
	dmasim_assert_clean(batches->rig.s);
	dmasim_free(batches->rig.s, buf, 2 * SZ_2M);
}

static void a_lazy_flush_is_all_of_the_address_space(void **state)
{
	struct batches *batches = *state;
	phys_addr_t buf = dmasim_alloc(batches->rig.s, SZ_4K);

	batches->count = 0;
	for (int i = 0; i < 20; i++)
		batches_map_and_unmap(batches, buf, SZ_4K);
	expect_u64(batches->count, 0);
	dmasim_run(batches->rig.s, 10 * 1000 * 1000);
	batches_expect(batches, (const u64[][2]){ { NH_ASID | asid(batches), 0 }, WAIT }, 2);
	dmasim_free(batches->rig.s, buf, SZ_4K);
}

/* TLBI, SYNC, ATC_INV, SYNC. */
static void a_devices_tlb_comes_after_a_sync(void **state)
{
	struct batches *batches = *state;
	u64 device = ATC | batches_requester(batches) << 32;
	phys_addr_t buf = dmasim_alloc(batches->rig.s, SZ_64K);
	dma_addr_t dma;

	batches->count = 0;
	dma = batches_map_and_unmap(batches, buf, SZ_64K);
	batches_expect(
		batches,
		(const u64[][2]){ { NH_VA | asid(batches) | 4 << 20, dma | LEAF | TG_4K | TTL(3) },
				  WAIT,
				  { device, dma | 4 },
				  WAIT },
		4);
	iommu_detach_device(batches->rig.nvme);
	batches_expect(batches,
		       (const u64[][2]){ { STREAM | batches_requester(batches) << 32, LEAF },
					 WAIT,
					 { NH_ASID | asid(batches), 0 },
					 WAIT,
					 { device, 52 },
					 WAIT },
		       6);
	dmasim_assert_clean(batches->rig.s);
	dmasim_free(batches->rig.s, buf, SZ_64K);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, batches_teardown)

TEST_MAIN(TEST(a_stream_goes_before_what_it_translated, setup),
	  TEST(an_unmap_is_a_range_and_a_sync, setup),
	  TEST(a_lazy_flush_is_all_of_the_address_space, setup_lazy),
	  TEST(a_devices_tlb_comes_after_a_sync, setup_ats),
	  TEST(batches_too_early_without_a_wait, setup_ats),
	  TEST(batches_right_with_a_wait, setup_ats))
