/* SPDX-License-Identifier: MIT */
/*
 * The catalogue: a test for each entry of the facts' lists of misuse (M1 to M26), of things to test
 * (T1 to T16), of dma-debug's checks (D1 to D23, debug.h), and of misuse that no kernel sees (S of
 * the two-step API, two_step.h; P of peer memory). entries.tsv is the table; a test's name begins
 * with its entry and ends with the mode it ran in: M05_unmap_twice__lazy.
 *
 * A test shows what the calls return, what stands for the kernel's WARN or BUG, what is left in
 * page table, IOVA space and bounce pool, and what the checker makes of it.
 */
#ifndef CATALOGUE_CATALOGUE_H
#define CATALOGUE_CATALOGUE_H

#include "unit/api/lists.h"

/* ---- Modes ----------------------------------------------------------------------------------- */

/* How much of a mapping is compared; a file may say so first. 0: as much as by default. */
#ifndef MODE_WATCH_BYTES
#define MODE_WATCH_BYTES 0
#endif

#define MODE(name, ...)                                                                         \
	static inline int mode_##name(void **state)                                             \
	{                                                                                       \
		return rig_setup_with(state,                                                    \
				      &(struct dmasim_config){ DMASIM_CONFIG,                   \
							       .watch_bytes = MODE_WATCH_BYTES, \
							       __VA_ARGS__ });                  \
	}

/* All of one table, so that a name means the same in every file. */
MODE(strict, .policy = DMASIM_STRICT)
MODE(lazy, .policy = DMASIM_LAZY)
MODE(pass_through, .policy = DMASIM_PASS_THROUGH)
MODE(direct, .iommu = DMASIM_NO_IOMMU)
MODE(untrusted, .traits = { .untrusted = true }, .swiotlb_bytes = SZ_1M)
MODE(bounced, .iommu = DMASIM_NO_IOMMU, .swiotlb = DMASIM_SWIOTLB_FORCE, .swiotlb_bytes = SZ_1M)
MODE(no_snoop, .traits = { .no_snoop = true })
MODE(direct_no_snoop, .iommu = DMASIM_NO_IOMMU, .traits = { .no_snoop = true })
/* Peer memory below the switch is reached by bus address. */
MODE(strict_bus, .acs = DMASIM_ACS_OFF)
MODE(direct_bus, .iommu = DMASIM_NO_IOMMU, .acs = DMASIM_ACS_OFF)
/* No address is tried below 4 GiB first. */
MODE(strict_dac, .forcedac = true)
MODE(strict_bus_dac, .acs = DMASIM_ACS_OFF, .forcedac = true)
/* Below a hypervisor: the unit remembers that nothing was there. */
MODE(strict_cm, .iommu_caching_mode = true)
MODE(lazy_cm, .iommu_caching_mode = true, .policy = DMASIM_LAZY)
/* Leaves have every size here: where a test counts those of a page, it does so on VT-d alone. */
MODE(amd_vi, .iommu = DMASIM_AMD_VI)
MODE(amd_vi_lazy, .iommu = DMASIM_AMD_VI, .policy = DMASIM_LAZY)
MODE(riscv, .iommu = DMASIM_RISCV)
MODE(riscv_lazy, .iommu = DMASIM_RISCV, .policy = DMASIM_LAZY)
MODE(smmuv3, .iommu = DMASIM_SMMUV3)
MODE(smmuv3_lazy, .iommu = DMASIM_SMMUV3, .policy = DMASIM_LAZY)
/* Firmware is silent about the host bridges' windows: an IOVA may be a bus address. */
MODE(strict_bus_hidden, .acs = DMASIM_ACS_OFF, .forcedac = true, .hide_windows = true)
MODE(strict_debug, .acs = DMASIM_ACS_OFF, .dma_debug = true)

#undef MODE

/* An entry of a test table. */
#define IN(mode, test)                                                  \
	{                                                               \
#test "__" #mode, test, mode_##mode, rig_teardown, NULL \
	}

/* True where addresses are IOVAs. */
static inline bool translates(struct device *dev)
{
	return dma_get_merge_boundary(dev) != 0;
}

/* ---- What is left ---------------------------------------------------------------------------- */

/* Entries of page tables that are written and not cleared. */
static inline u64 live_entries(struct dmasim *s)
{
	struct dmasim_costs costs = dmasim_costs(s);

	return costs.entries_written - costs.entries_cleared;
}

/* Slots of the bounce pool that are lent. */
static inline u64 lent(struct pci_dev *pdev)
{
	return dmasim_bounce_use(pdev).used;
}

/* A byte that the device sends, and what became of it. */
static inline struct dmasim_transfer write_byte(struct pci_dev *pdev, dma_addr_t dma, u8 byte)
{
	return dmasim_dev_write(pdev, dma, &byte, 1);
}

static inline u8 byte_at(struct dmasim *s, phys_addr_t phys)
{
	u8 byte = 0;

	expect_u64(dmasim_read(s, phys, &byte, 1), 1);
	return byte;
}

/* A list that one device maps and nobody else knows: entries of a page each, apart in memory. */
static inline void list_of_pages(struct rig *rig, struct list *list, u32 entries)
{
	phys_addr_t buf = ram(rig, 2ULL * entries * SZ_4K);

	list_init(list, entries);
	for (u32 i = 0; i < entries; i++)
		list_set(rig, list, i, buf + 2ULL * i * SZ_4K, SZ_4K);
	list_remember(list);
}

/* A range of the device with [phys, phys + bytes) linked and synced. */
static inline struct dma_iova_state linked(struct pci_dev *pdev, phys_addr_t phys, u64 bytes)
{
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(&pdev->dev, &st, phys, bytes));
	expect_ok(dma_iova_link(&pdev->dev, &st, phys, 0, bytes, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(&pdev->dev, &st, 0, bytes));
	return st;
}

#endif
