/* SPDX-License-Identifier: MIT */
/*
 * Misuse of the two-step calls: M8 to M12, M19, M21 and M23 to M26.
 */
#include "catalogue/catalogue.h"

/* ---- M8: a link that starts inside a granule ------------------------------------------------- */

/*
 * trust: M08: a link that starts inside a granule at an offset
 * | our reading of the facts: dma-api 15
 */
static void M08_unaligned_link_behind_the_first(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_16K));
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_TO_DEVICE, 0));
	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
	expect_error(dma_iova_link(dev, &st, buf + SZ_4K + 1, SZ_4K, SZ_4K, DMA_TO_DEVICE, 0),
		     -EIO);
	expect_u64(live_entries(rig->s), 1);
	dma_iova_destroy(dev, &st, SZ_4K, DMA_TO_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
}

/* ---- M9: no sync ----------------------------------------------------------------------------- */

/* trust: M09: a forgotten dma_iova_sync() | our reading of the facts: dma-api 15 */
/* Hardware that reads its tables afresh finds the entry; the checker tells of the others. */
static void M09_forgotten_sync(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_BIDIRECTIONAL, 0));
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_BEFORE_SYNC, 1);
	expect_done(write_byte(rig->nvme, st.addr, 0x5a), 1);
	expect_u64(byte_at(rig->s, buf), 0x5a);
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_4K));
	expect_done(write_byte(rig->nvme, st.addr, 0x5b), 1);
	dma_iova_destroy(dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_BEFORE_SYNC, 1);
}

/* The device looked before; a unit in caching mode refuses it until the sync invalidates. */
static void M09_not_present_forgotten_sync(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_NOT_MAPPED, 1);
	expect_u64(write_byte(rig->nvme, st.addr, 0x59).done, 0);
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_BIDIRECTIONAL, 0));
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_BEFORE_SYNC, 1);
	expect_u64(write_byte(rig->nvme, st.addr, 0x5a).done, 0);
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_4K));
	expect_done(write_byte(rig->nvme, st.addr, 0x5b), 1);
	expect_u64(byte_at(rig->s, buf), 0x5b);
	dma_iova_destroy(dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
}

/* ---- M10: freed, but not unlinked ------------------------------------------------------------ */

/* trust: M10: a range freed with links in it | our reading of the facts: dma-api 15 */
static void M10_free_without_unlink(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct dma_iova_state st = linked(rig->nvme, buf, SZ_4K), again;

	dmasim_expect(rig->s, DMASIM_REPORT_FREE_WITH_LINKS, 1);
	dma_iova_free(dev, &st);
	expect_u64(live_entries(rig->s), 1);
	/* The device still reaches the buffer. */
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	expect_done(write_byte(rig->nvme, st.addr, 0x5a), 1);
	expect_u64(byte_at(rig->s, buf), 0x5a);
	/* Whoever gets the address next cannot use it. */
	assert_true(dma_iova_try_alloc(dev, &again, 0, SZ_4K));
	expect_u64(again.addr, st.addr);
	expect_error(dma_iova_link(dev, &again, ram(rig, SZ_4K), 0, SZ_4K, DMA_TO_DEVICE, 0),
		     -EADDRINUSE);
	dma_iova_free(dev, &again);
	expect_u64(dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	dmasim_assert_clean(rig->s);
}

/* ---- M11: another length at the end ---------------------------------------------------------- */

/* trust: M11: dma_iova_destroy() with another length | our reading of the facts: dma-api 15 */
static void M11_destroy_wrong_length_too_big(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st, again;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_16K));
	expect_ok(dma_iova_link(dev, &st, ram(rig, SZ_16K), 0, SZ_4K, DMA_TO_DEVICE, 0));
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_SHORT, 1);
	dma_iova_destroy(dev, &st, SZ_16K, DMA_TO_DEVICE, 0);
	expect_u64(live_entries(rig->s), 0);
	/* The range is freed in full all the same. */
	assert_true(dma_iova_try_alloc(dev, &again, 0, SZ_16K));
	expect_u64(again.addr, st.addr);
	dma_iova_free(dev, &again);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_SHORT, 1);
}

static void M11_destroy_wrong_length_too_small(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st = linked(rig->nvme, buf, SZ_16K), again;

	dmasim_expect(rig->s, DMASIM_REPORT_FREE_WITH_LINKS, 1);
	dma_iova_destroy(dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_u64(live_entries(rig->s), 3);
	assert_true(dma_iova_try_alloc(dev, &again, 0, SZ_16K));
	expect_u64(again.addr, st.addr);
	expect_error(dma_iova_link(dev, &again, buf, 0, SZ_16K, DMA_TO_DEVICE, 0), -EADDRINUSE);
	dma_iova_free(dev, &again);
	expect_only(rig->s, DMASIM_REPORT_FREE_WITH_LINKS, 1);
}

/* ---- M12: a state used twice ----------------------------------------------------------------- */

/* trust: M12: a state allocated over | our reading of the facts: dma-api 15 */
static void M12_reused_state(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st;
	dma_addr_t lost;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	lost = st.addr;
	/* Zeroed and filled in anew: the first range has no owner left, silently. */
	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	assert_true(st.addr != lost);
	dma_iova_free(dev, &st);
	expect_u64(dmasim_report_count(rig->s), 0);
	dmasim_expect(rig->s, DMASIM_REPORT_MAPPING_LEAKED, 1);
	dmasim_assert_clean(rig->s);
}

/* ---- M19: the bounce bit in a size ----------------------------------------------------------- */

/* trust: M19: a size with bit 63 | our reading of the facts: dma-api 15 */
static void M19_size_with_bit_63(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st = { 1, 1 };

	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
	assert_false(dma_iova_try_alloc(dev, &st, 0, (size_t)DMA_IOVA_USE_SWIOTLB | SZ_4K));
	expect_u64(st.addr, 0);
	expect_u64(st.__size, 0);
	expect_u64(dmasim_costs(rig->s).iova_allocs, 0);
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
}

/* No IOMMU: the answer is no before anybody looks at the size. */
static void M19_size_with_bit_63_of_no_iommu(void **state)
{
	struct rig *rig = *state;
	struct dma_iova_state st = { 1, 1 };

	assert_false(dma_iova_try_alloc(&rig->nvme->dev, &st, 0, (size_t)DMA_IOVA_USE_SWIOTLB));
	expect_u64(st.addr, 0);
	expect_u64(st.__size, 0);
	dmasim_assert_clean(rig->s);
}

/* ---- M21: coherence required of a state that has bounced ------------------------------------- */

/*
 * trust: M21: coherence required of a state that has bounced
 * | our reading of the facts: dma-api 15
 */
static void M21_require_coherent_after_a_bounce(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K) + 0x800;
	struct dma_iova_state st;

	dma_set_min_align_mask(dev, SZ_4K - 1);
	assert_true(dma_iova_try_alloc(dev, &st, buf, SZ_4K + 0x800));
	expect_ok(dma_iova_link(dev, &st, buf, 0, 0x800, DMA_TO_DEVICE, 0));
	assert_true(st.__size & DMA_IOVA_USE_SWIOTLB);
	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
	expect_error(dma_iova_link(dev, &st, buf + 0x800, 0x800, SZ_4K, DMA_TO_DEVICE,
				   DMA_ATTR_REQUIRE_COHERENT),
		     -EOPNOTSUPP);
	/* Before anything was bounced there is nothing to warn of. */
	dma_iova_destroy(dev, &st, 0x800, DMA_TO_DEVICE, 0);
	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	expect_ok(dma_iova_link(dev, &st, buf + 0x800, 0, SZ_4K, DMA_TO_DEVICE,
				DMA_ATTR_REQUIRE_COHERENT));
	dma_iova_destroy(dev, &st, SZ_4K, DMA_TO_DEVICE, DMA_ATTR_REQUIRE_COHERENT);
	expect_u64(lent(rig->nvme), 0);
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
}

/* ---- M23: the address of a state that got none ----------------------------------------------- */

/*
 * trust: M23: the address of a failed dma_iova_try_alloc()
 * | our reading of the facts: dma-api 15
 */
static void M23_address_of_a_failed_alloc(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st = { 0x1234, 0x5678 };

	/* Page 0 alone is below this mask. */
	expect_ok(dma_set_mask(dev, SZ_4K - 1));
	assert_false(dma_iova_try_alloc(dev, &st, ram(rig, SZ_4K), SZ_4K));
	expect_u64(st.addr, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 1);
	expect_transfer(write_byte(rig->nvme, st.addr, 0x5a), DMASIM_IOMMU_FAULT, 0);
	expect_only(rig->s, DMASIM_REPORT_IOMMU_FAULT, 1);
}

/* Without translation address 0 is memory, and somebody's. */
static void M23_address_of_a_failed_alloc_is_memory(void **state)
{
	struct rig *rig = *state;
	struct dma_iova_state st = { 0x1234, 0x5678 };

	assert_false(dma_iova_try_alloc(&rig->nvme->dev, &st, ram(rig, SZ_4K), SZ_4K));
	expect_u64(st.addr, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_NOT_MAPPED, 1);
	expect_done(write_byte(rig->nvme, st.addr, 0x5a), 1);
	expect_u64(byte_at(rig->s, 0), 0x5a);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_NOT_MAPPED, 1);
}

/* ---- M24: a link without a range ------------------------------------------------------------- */

/*
 * trust: M24: dma_iova_link() without dma_iova_try_alloc()
 * | our reading of the facts: dma-api 15
 */
/* Behind an IOMMU the entries go where offset 0 of nothing is. */
static void M24_link_without_alloc(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct dma_iova_state st = { 0 };

	dmasim_expect(rig->s, DMASIM_REPORT_STATE_UNKNOWN, 2);
	expect_ok(dma_iova_link(dev, &st, buf, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0));
	expect_u64(live_entries(rig->s), 1);
	dma_iova_unlink(dev, &st, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_u64(live_entries(rig->s), 0);
	expect_only(rig->s, DMASIM_REPORT_STATE_UNKNOWN, 2);
}

/* Without one the kernel would read through a NULL domain: no check. */
static void M24_link_without_alloc_of_no_iommu(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st;

	assert_false(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	dmasim_expect(rig->s, DMASIM_REPORT_STATE_UNKNOWN, 5);
	expect_error(dma_iova_link(dev, &st, ram(rig, SZ_4K), 0, SZ_4K, DMA_TO_DEVICE, 0),
		     -EOPNOTSUPP);
	expect_error(dma_iova_sync(dev, &st, 0, SZ_4K), -EOPNOTSUPP);
	dma_iova_unlink(dev, &st, 0, SZ_4K, DMA_TO_DEVICE, 0);
	dma_iova_free(dev, &st);
	dma_iova_destroy(dev, &st, SZ_4K, DMA_TO_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_STATE_UNKNOWN, 5);
}

/* ---- M25: unlinking part of a granule -------------------------------------------------------- */

/* trust: M25: an unlink of part of a granule | our reading of the facts: dma-api 15 */
/*
 *   linked    |-------|---|       a granule and a half
 *   unlink            |-|         a quarter: the half goes
 */
static void M25_unlink_part_of_a_granule(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st = linked(rig->nvme, ram(rig, 2 * SZ_4K), SZ_4K + 0x800);

	dma_iova_unlink(dev, &st, SZ_4K, 0x400, DMA_BIDIRECTIONAL, 0);
	expect_u64(live_entries(rig->s), 1);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	expect_transfer(write_byte(rig->nvme, st.addr + SZ_4K + 0x400, 1), DMASIM_IOMMU_FAULT, 0);
	expect_done(write_byte(rig->nvme, st.addr, 1), 1);
	dma_iova_destroy(dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
}

/* ---- M26: syncing what is not linked --------------------------------------------------------- */

/* trust: M26: a sync of more than is linked | our reading of the facts: dma-api 15 */
static void M26_sync_larger_than_linked(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st;

	/* Nothing linked: the kernel does not look, the checker does. */
	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_16K));
	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_NOT_MAPPED, 1);
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_16K));
	/* Less linked than synced: no harm. */
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_16K));
	expect_both_ways(rig->s, rig->nvme, st.addr, buf, SZ_4K);
	expect_u64(dmasim_report_count(rig->s), 1);
	/* A link that comes later is not synced by it. */
	expect_ok(dma_iova_link(dev, &st, buf + SZ_4K, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0));
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_BEFORE_SYNC, 1);
	expect_done(write_byte(rig->nvme, st.addr + SZ_4K, 1), 1);
	/* Beyond the range is somebody else's. */
	dmasim_expect(rig->s, DMASIM_REPORT_LINK_OUTSIDE, 1);
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_16K + SZ_4K));
	dma_iova_destroy(dev, &st, 2 * SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
	expect_u64(dmasim_report_count(rig->s), 3);
}

TEST_MAIN(IN(strict, M08_unaligned_link_behind_the_first),
	  IN(amd_vi, M08_unaligned_link_behind_the_first),
	  IN(riscv, M08_unaligned_link_behind_the_first),
	  IN(smmuv3, M08_unaligned_link_behind_the_first),
	  IN(lazy, M08_unaligned_link_behind_the_first),
	  IN(amd_vi_lazy, M08_unaligned_link_behind_the_first),
	  IN(riscv_lazy, M08_unaligned_link_behind_the_first),
	  IN(smmuv3_lazy, M08_unaligned_link_behind_the_first),
	  IN(untrusted, M08_unaligned_link_behind_the_first), IN(strict, M09_forgotten_sync),
	  IN(amd_vi, M09_forgotten_sync), IN(riscv, M09_forgotten_sync),
	  IN(smmuv3, M09_forgotten_sync), IN(lazy, M09_forgotten_sync),
	  IN(amd_vi_lazy, M09_forgotten_sync), IN(riscv_lazy, M09_forgotten_sync),
	  IN(smmuv3_lazy, M09_forgotten_sync), IN(untrusted, M09_forgotten_sync),
	  IN(strict_cm, M09_not_present_forgotten_sync),
	  IN(lazy_cm, M09_not_present_forgotten_sync), IN(strict, M10_free_without_unlink),
	  IN(amd_vi, M10_free_without_unlink), IN(riscv, M10_free_without_unlink),
	  IN(smmuv3, M10_free_without_unlink), IN(lazy, M10_free_without_unlink),
	  IN(amd_vi_lazy, M10_free_without_unlink), IN(riscv_lazy, M10_free_without_unlink),
	  IN(smmuv3_lazy, M10_free_without_unlink), IN(strict, M11_destroy_wrong_length_too_big),
	  IN(amd_vi, M11_destroy_wrong_length_too_big), IN(riscv, M11_destroy_wrong_length_too_big),
	  IN(smmuv3, M11_destroy_wrong_length_too_big), IN(lazy, M11_destroy_wrong_length_too_big),
	  IN(amd_vi_lazy, M11_destroy_wrong_length_too_big),
	  IN(riscv_lazy, M11_destroy_wrong_length_too_big),
	  IN(smmuv3_lazy, M11_destroy_wrong_length_too_big),
	  IN(strict, M11_destroy_wrong_length_too_small),
	  IN(lazy, M11_destroy_wrong_length_too_small), IN(strict, M12_reused_state),
	  IN(amd_vi, M12_reused_state), IN(riscv, M12_reused_state), IN(smmuv3, M12_reused_state),
	  IN(lazy, M12_reused_state), IN(amd_vi_lazy, M12_reused_state),
	  IN(riscv_lazy, M12_reused_state), IN(smmuv3_lazy, M12_reused_state),
	  IN(strict, M19_size_with_bit_63), IN(amd_vi, M19_size_with_bit_63),
	  IN(riscv, M19_size_with_bit_63), IN(smmuv3, M19_size_with_bit_63),
	  IN(lazy, M19_size_with_bit_63), IN(amd_vi_lazy, M19_size_with_bit_63),
	  IN(riscv_lazy, M19_size_with_bit_63), IN(smmuv3_lazy, M19_size_with_bit_63),
	  IN(direct, M19_size_with_bit_63_of_no_iommu),
	  IN(pass_through, M19_size_with_bit_63_of_no_iommu),
	  IN(untrusted, M21_require_coherent_after_a_bounce),
	  IN(strict, M23_address_of_a_failed_alloc), IN(amd_vi, M23_address_of_a_failed_alloc),
	  IN(riscv, M23_address_of_a_failed_alloc), IN(smmuv3, M23_address_of_a_failed_alloc),
	  IN(lazy, M23_address_of_a_failed_alloc), IN(amd_vi_lazy, M23_address_of_a_failed_alloc),
	  IN(riscv_lazy, M23_address_of_a_failed_alloc),
	  IN(smmuv3_lazy, M23_address_of_a_failed_alloc),
	  IN(direct, M23_address_of_a_failed_alloc_is_memory),
	  IN(pass_through, M23_address_of_a_failed_alloc_is_memory),
	  IN(strict, M24_link_without_alloc), IN(amd_vi, M24_link_without_alloc),
	  IN(riscv, M24_link_without_alloc), IN(smmuv3, M24_link_without_alloc),
	  IN(lazy, M24_link_without_alloc), IN(amd_vi_lazy, M24_link_without_alloc),
	  IN(riscv_lazy, M24_link_without_alloc), IN(smmuv3_lazy, M24_link_without_alloc),
	  IN(direct, M24_link_without_alloc_of_no_iommu),
	  IN(pass_through, M24_link_without_alloc_of_no_iommu),
	  IN(strict, M25_unlink_part_of_a_granule), IN(lazy, M25_unlink_part_of_a_granule),
	  IN(strict, M26_sync_larger_than_linked), IN(amd_vi, M26_sync_larger_than_linked),
	  IN(riscv, M26_sync_larger_than_linked), IN(smmuv3, M26_sync_larger_than_linked),
	  IN(lazy, M26_sync_larger_than_linked), IN(amd_vi_lazy, M26_sync_larger_than_linked),
	  IN(riscv_lazy, M26_sync_larger_than_linked), IN(smmuv3_lazy, M26_sync_larger_than_linked))
