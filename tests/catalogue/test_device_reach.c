/* SPDX-License-Identifier: MIT */
/*
 * The device's side: every byte of memory knows whether a device may touch it. How it got where it
 * should not be is in the report's line (cause=), whose memory it was in its block.
 */
#include "catalogue/catalogue.h"

#include <dmasim/kernel.h>

#include "unit/api/sites.h"

#define MS 1000000ULL

/* The newest report is of this kind; its line has this cause, and its block these words. */
static void expect_told(struct rig *rig, enum dmasim_report_id id, const char *cause,
			const char *words)
{
	struct dmasim_report report;
	char end[64];

	assert_true(dmasim_report_count(rig->s) > 0);
	assert_true(dmasim_report_get(rig->s, dmasim_report_count(rig->s) - 1, &report));
	snprintf(end, sizeof(end), " cause=%s", cause);
	if (report.id != id || (*cause && !strstr(report.line, end)) || !strstr(report.text, words))
		fail_msg("not %s%s with \"%s\":\n%s%s", dmasim_report_name(id), end, words,
			 report.line, report.text);
}

static dma_addr_t mapped_for(struct pci_dev *pdev, phys_addr_t phys, u64 bytes)
{
	dma_addr_t dma = dma_map_phys(&pdev->dev, phys, bytes, DMA_BIDIRECTIONAL, 0);

	expect_ok(dma_mapping_error(&pdev->dev, dma));
	return dma;
}

/* The device writes; nothing is said. */
static void writes(struct pci_dev *pdev, dma_addr_t dma, u64 bytes)
{
	u8 sent[2 * SZ_4K] = { 0 };

	assert_true(bytes <= sizeof(sent));
	expect_done(dmasim_dev_write(pdev, dma, sent, bytes), bytes);
}

/* ---- V1: before the sync --------------------------------------------------------------------- */

/* trust: V01: the first byte that is not synced yet | our reading of the facts: dma-api 5 */
/*
 *   links    |aaaaaaa|bbbbbbb|
 *   synced   |sssssss|
 *   access         [....]          told from b on
 */
static void V01_across_links(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, 2 * SZ_4K);
	struct dma_iova_state st;
	struct dmasim_report report;

	assert_true(dma_iova_try_alloc(dev, &st, buf, 2 * SZ_4K));
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_4K));
	expect_ok(dma_iova_link(dev, &st, buf + SZ_4K, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0));
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_BEFORE_SYNC, 1);
	writes(rig->nvme, st.addr + SZ_4K - 8, 16);
	assert_true(dmasim_report_get(rig->s, 0, &report));
	expect_u64(report.dma, st.addr + SZ_4K);
	dma_iova_destroy(dev, &st, 2 * SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_BEFORE_SYNC, 1);
}

static void V01_right(void **state)
{
	struct rig *rig = *state;
	struct dma_iova_state st = linked(rig->nvme, ram(rig, 2 * SZ_4K), 2 * SZ_4K);

	writes(rig->nvme, st.addr + SZ_4K - 8, 16);
	dma_iova_destroy(&rig->nvme->dev, &st, 2 * SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* ---- V2: after the unmap, through the lazy window -------------------------------------------- */

/* A mapping that the device has used is over. */
static dma_addr_t used_and_unmapped(struct pci_dev *pdev, phys_addr_t buf)
{
	dma_addr_t dma = mapped_for(pdev, buf, SZ_4K);

	writes(pdev, dma, 64);
	dma_unmap_phys(&pdev->dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	return dma;
}

/* trust: V02: an access through the lazy window | our reading of the facts: dma-api 3.4 */
static void V02_lazy_window(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = used_and_unmapped(rig->nvme, buf);

	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	dmasim_run(rig->s, 3 * MS);
	writes(rig->nvme, dma, 8);
	expect_told(rig, DMASIM_REPORT_USE_AFTER_UNMAP, "lazy",
		    "over since t=0, for 3000000 ns; its invalidation comes by t=10000000\n");
	expect_told(rig, DMASIM_REPORT_USE_AFTER_UNMAP, "lazy",
		    "in use, and not allocated anew since the unmap");
	expect_only(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
}

static void V02_lazy_window_into_free_memory(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = used_and_unmapped(rig->nvme, buf);

	dmasim_free(rig->s, buf, SZ_4K);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	writes(rig->nvme, dma, 8);
	expect_told(rig, DMASIM_REPORT_USE_AFTER_UNMAP, "lazy", "free: it may become anybody's");
	expect_only(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
}

static void V02_lazy_window_into_memory_of_others(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = used_and_unmapped(rig->nvme, buf), other;

	dmasim_free(rig->s, buf, SZ_4K);
	expect_u64(ram(rig, SZ_4K), buf);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 2);
	writes(rig->nvme, dma, 8);
	expect_told(rig, DMASIM_REPORT_USE_AFTER_UNMAP, "lazy",
		    "somebody else's: allocated after the unmap");
	other = mapped_for(rig->nic, buf, SZ_4K);
	writes(rig->nvme, dma, 8);
	expect_told(rig, DMASIM_REPORT_USE_AFTER_UNMAP, "lazy",
		    ": mapped for 0000:05:00.0 by dma_map_phys at 0x");
	dma_unmap_phys(&rig->nic->dev, other, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 2);
}

/* Whoever waits until the device is done. */
static void V02_right(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);

	used_and_unmapped(rig->nvme, buf);
	dmasim_free(rig->s, buf, SZ_4K);
	dmasim_run(rig->s, 20 * MS);
	dmasim_assert_clean(rig->s);
}

/* ---- V3: after the unmap, refused, or not even looked at ------------------------------------- */

/* trust: V03: an access that is refused after the unmap | our reading of the facts: dma-api 3.4 */
static void V03_refused(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma = used_and_unmapped(rig->nvme, ram(rig, SZ_4K));

	dmasim_run(rig->s, 20 * MS);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	expect_transfer(write_byte(rig->nvme, dma, 1), DMASIM_IOMMU_FAULT, 0);
	expect_told(rig, DMASIM_REPORT_USE_AFTER_UNMAP, "refused",
		    "over since t=0, for 20000000 ns\n");
	expect_only(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
}

static void V03_unguarded(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma = used_and_unmapped(rig->nvme, ram(rig, SZ_4K));

	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	writes(rig->nvme, dma, 8);
	expect_told(rig, DMASIM_REPORT_USE_AFTER_UNMAP, "unguarded",
		    "in use, and not allocated anew since the unmap");
	expect_only(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
}

/* The page is in use all the time, as another piece of kmalloc() is in it. */
static void V03_freed_piece(void **state)
{
	struct rig *rig = *state;
	struct dmasim *before = dmasim_enter(rig->s);
	void *other = kmalloc(256, GFP_KERNEL), *mine = kmalloc(256, GFP_KERNEL);
	dma_addr_t dma = mapped_for(rig->nvme, virt_to_phys(mine), 256);

	writes(rig->nvme, dma, 256);
	dma_unmap_phys(&rig->nvme->dev, dma, 256, DMA_BIDIRECTIONAL, 0);
	kfree(mine);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	writes(rig->nvme, dma, 8);
	expect_told(rig, DMASIM_REPORT_USE_AFTER_UNMAP, "", "free: kfree() has it back");
	kfree(other);
	dmasim_enter(before);
	expect_only(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
}

static void V03_right(void **state)
{
	struct rig *rig = *state;

	used_and_unmapped(rig->nvme, ram(rig, SZ_4K));
	dmasim_assert_clean(rig->s);
}

/* ---- V4: after an unmap that left an entry --------------------------------------------------- */

/* trust: V04: an access by an entry that an unmap left | our reading of the facts: dma-api 15 */
/*
 *   mapped     |-------|-------|     pages that are never one leaf
 *   unmapped   |-------|
 */
static void V04_entry_that_stayed(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = mapped_for(rig->nvme, ram(rig, SZ_16K) + SZ_4K, 2 * SZ_4K);

	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_run(rig->s, 20 * MS);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	writes(rig->nvme, dma + SZ_4K, 8);
	expect_told(rig, DMASIM_REPORT_USE_AFTER_UNMAP, "entry",
		    "an entry of the page table leads there");
	expect_u64(dmasim_report_count(rig->s), 2);
	dmasim_assert_clean(rig->s);
}

static void V04_right(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma = mapped_for(rig->nvme, ram(rig, SZ_16K) + SZ_4K, 2 * SZ_4K);

	writes(rig->nvme, dma + SZ_4K, 8);
	dma_unmap_phys(&rig->nvme->dev, dma, 2 * SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* ---- V5: beyond a mapping -------------------------------------------------------------------- */

/* trust: V05: an access beyond a mapping, in its page | our reading of the facts: dma-api 3.6 */
/*
 *   page     |......[aaaa]...[bb]..|     b is another device's
 *   access   <->         <->   <->
 */
static void V05_beyond(void **state)
{
	struct rig *rig = *state;
	phys_addr_t page = ram(rig, SZ_4K);
	dma_addr_t a = mapped_for(rig->nvme, page + 0x400, 0x100);
	dma_addr_t b = mapped_for(rig->nic, page + 0x800, 0x80);

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_BEYOND, 3);
	writes(rig->nvme, a + 0xfe, 4);
	expect_told(rig, DMASIM_REPORT_ACCESS_BEYOND, translates(&rig->nvme->dev) ? "entry" : "un",
		    "2 bytes right behind the mapping");
	expect_told(rig, DMASIM_REPORT_ACCESS_BEYOND, "", "in use, mapped for no device");
	writes(rig->nvme, a - 16, 4);
	expect_told(rig, DMASIM_REPORT_ACCESS_BEYOND, "", "4 bytes, 12 bytes before the mapping");
	writes(rig->nvme, a + 0x400, 8);
	expect_told(rig, DMASIM_REPORT_ACCESS_BEYOND, "", "8 bytes, 768 bytes behind the mapping");
	expect_told(rig, DMASIM_REPORT_ACCESS_BEYOND, "", "mapped for 0000:05:00.0");
	dma_unmap_phys(&rig->nic->dev, b, 0x80, DMA_BIDIRECTIONAL, 0);
	dma_unmap_phys(&rig->nvme->dev, a, 0x100, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_BEYOND, 3);
}

/* It runs into the next page. */
static void V05_beyond_the_page(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma = mapped_for(rig->nvme, ram(rig, SZ_16K), SZ_4K);
	u8 sent[16] = { 0 };

	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 1);
	expect_transfer(dmasim_dev_write(rig->nvme, dma + SZ_4K - 8, sent, 16), DMASIM_IOMMU_FAULT,
			8);
	expect_told(rig, DMASIM_REPORT_IOMMU_FAULT, "", "a mapping ends right before it");
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_IOMMU_FAULT, 1);
}

/* Nothing stops it there, and it is the same mistake. */
static void V05_beyond_the_page_unguarded(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma = mapped_for(rig->nvme, ram(rig, SZ_16K), SZ_4K);

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_BEYOND, 1);
	writes(rig->nvme, dma + SZ_4K - 8, 16);
	expect_told(rig, DMASIM_REPORT_ACCESS_BEYOND, "unguarded",
		    "8 bytes right behind the mapping: no IOMMU is in the way");
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_BEYOND, 1);
}

/* An untrusted device sees copies; beside one is padding, or nothing of anybody's. */
static void V05_beyond_a_copy(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma = mapped_for(rig->nvme, ram(rig, SZ_4K) + 0x400, 0x100);
	u8 seen[8];

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_BEYOND, 1);
	expect_done(dmasim_dev_read(rig->nvme, dma + 0xfc, seen, 8), 8);
	expect_told(rig, DMASIM_REPORT_ACCESS_BEYOND, "", "4 bytes right behind the mapping");
	dma_unmap_phys(&rig->nvme->dev, dma, 0x100, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_BEYOND, 1);
}

static void V05_right(void **state)
{
	struct rig *rig = *state;
	phys_addr_t page = ram(rig, SZ_4K);
	dma_addr_t a = mapped_for(rig->nvme, page + 0x400, 0x100);
	dma_addr_t b = mapped_for(rig->nic, page + 0x800, 0x80);

	writes(rig->nvme, a, 0x100);
	writes(rig->nic, b, 0x80);
	dma_unmap_phys(&rig->nic->dev, b, 0x80, DMA_BIDIRECTIONAL, 0);
	dma_unmap_phys(&rig->nvme->dev, a, 0x100, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* ---- V6: against the direction --------------------------------------------------------------- */

/* trust: V06: against the direction, refused or not | our reading of the facts: dma-api 3.6 */
static void V06_against_the_direction(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t in = dma_map_phys(dev, ram(rig, SZ_4K), SZ_4K, DMA_FROM_DEVICE, 0);
	dma_addr_t out = dma_map_phys(dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
	u64 done = translates(dev) ? 0 : 1;
	u8 byte;

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 2);
	expect_u64(dmasim_dev_read(rig->nvme, in, &byte, 1).done, done);
	expect_told(rig, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, "",
		    done ? "read " : "refused by the IOMMU");
	expect_u64(write_byte(rig->nvme, out, 1).done, done);
	expect_told(rig, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, "",
		    done ? "wrote " : "refused by the IOMMU");
	dma_unmap_phys(dev, in, SZ_4K, DMA_FROM_DEVICE, 0);
	dma_unmap_phys(dev, out, SZ_4K, DMA_TO_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 2);
}

/* Entries of RISC-V and Arm allow no write without a read: the IOMMU lets it through. */
static void V06_reading_what_is_to_be_written(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t in = dma_map_phys(dev, ram(rig, SZ_4K), SZ_4K, DMA_FROM_DEVICE, 0);
	dma_addr_t out = dma_map_phys(dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
	u8 byte;

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 2);
	expect_u64(dmasim_dev_read(rig->nvme, in, &byte, 1).done, 1);
	expect_told(rig, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, "", "read ");
	expect_u64(write_byte(rig->nvme, out, 1).done, 0);
	expect_told(rig, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, "", "refused by the IOMMU");
	dma_unmap_phys(dev, in, SZ_4K, DMA_FROM_DEVICE, 0);
	dma_unmap_phys(dev, out, SZ_4K, DMA_TO_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 2);
}

static void V06_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t in = dma_map_phys(dev, ram(rig, SZ_4K), SZ_4K, DMA_FROM_DEVICE, 0);

	writes(rig->nvme, in, SZ_4K);
	dma_unmap_phys(dev, in, SZ_4K, DMA_FROM_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

/* ---- V7: memory that comes mapped ------------------------------------------------------------ */

/*
 * trust: V07: beyond shared memory, and after it was freed | our reading of the facts: dma-api 6
 */
/*
 * Its pages are whole, its size is not; and when it is free, so is the memory.
 */
static void V07_shared_memory(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma;
	void *cpu = dma_alloc_coherent(dev, 0x900, &dma, GFP_KERNEL);

	assert_non_null(cpu);
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_BEYOND, 1);
	writes(rig->nvme, dma + 0x8fc, 8);
	expect_told(rig, DMASIM_REPORT_ACCESS_BEYOND, "", "4 bytes right behind the mapping");
	dma_free_coherent(dev, 0x900, cpu, dma);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	write_byte(rig->nvme, dma, 1);
	expect_told(rig, DMASIM_REPORT_USE_AFTER_UNMAP, translates(dev) ? "refused" : "unguarded",
		    translates(dev) ? "refused by the IOMMU" : "free: it may become anybody's");
	expect_u64(dmasim_report_count(rig->s), 2);
	dmasim_assert_clean(rig->s);
}

static void V07_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma;
	void *cpu = dma_alloc_coherent(dev, 0x900, &dma, GFP_KERNEL);

	assert_non_null(cpu);
	writes(rig->nvme, dma, 0x900);
	dma_free_coherent(dev, 0x900, cpu, dma);
	dmasim_assert_clean(rig->s);
}

/* ---- V8: another device's -------------------------------------------------------------------- */

/* trust: V08: what was mapped for another device | our reading of the facts: dma-api 18 */
/*
 * One group, one domain: the hardware cannot tell them apart. Without an IOMMU it does not look.
 */
static void V08_mapped_for_another(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma = mapped_for(rig->nvme, ram(rig, SZ_4K), SZ_4K);

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_FOREIGN, 1);
	writes(rig->gpu, dma, 8);
	expect_told(rig, DMASIM_REPORT_ACCESS_FOREIGN, "", "of 0000:03:00.0\n");
	expect_told(rig, DMASIM_REPORT_ACCESS_FOREIGN,
		    translates(&rig->gpu->dev) ? "entry" : "unguarded", "in mapped_for\n");
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_FOREIGN, 1);
}

static void V08_right(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = mapped_for(rig->nvme, buf, SZ_4K), own = mapped_for(rig->gpu, buf, SZ_4K);

	dmasim_suppress(rig->s, DMASIM_REPORT_MAPPINGS_OVERLAP);
	writes(rig->gpu, own, 8);
	writes(rig->nvme, dma, 8);
	dma_unmap_phys(&rig->gpu->dev, own, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_u64(count_reports(rig->s, DMASIM_REPORT_ACCESS_FOREIGN), 0);
}

/* ---- V9: peer memory of a pool --------------------------------------------------------------- */

/* trust: V09: peer memory that its pool has back | our reading of the facts: dma-api 8 */
static void V09_peer_memory(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);
	void *mine;
	u64 bus;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	mine = pci_alloc_p2pmem(rig->gpu, SZ_4K);
	assert_non_null(mine);
	expect_u64(dmasim_virt_to_phys(rig->s, mine), bar);
	bus = pci_p2pmem_virt_to_bus(rig->gpu, mine);
	writes(rig->nvme, bus, SZ_4K);
	expect_u64(dmasim_report_count(rig->s), 0);
	pci_free_p2pmem(rig->gpu, mine, SZ_4K);
	dmasim_expect(rig->s, DMASIM_REPORT_PEER_NOT_GIVEN, 1);
	writes(rig->nvme, bus, 8);
	expect_told(rig, DMASIM_REPORT_PEER_NOT_GIVEN, "", "pci_free_p2pmem() has given it back");
	expect_only(rig->s, DMASIM_REPORT_PEER_NOT_GIVEN, 1);
}

/* The same behind the host bridge, by a mapping that is still alive. */
static void V09_peer_memory_that_is_mapped(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma;
	void *mine;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	mine = pci_alloc_p2pmem(rig->gpu, SZ_4K);
	assert_non_null(mine);
	dma = dma_map_phys(dev, dmasim_virt_to_phys(rig->s, mine), SZ_4K, DMA_BIDIRECTIONAL,
			   DMA_ATTR_MMIO);
	expect_ok(dma_mapping_error(dev, dma));
	writes(rig->nvme, dma, SZ_4K);
	pci_free_p2pmem(rig->gpu, mine, SZ_4K);
	dmasim_expect(rig->s, DMASIM_REPORT_PEER_NOT_GIVEN, 1);
	writes(rig->nvme, dma + 8, 8);
	expect_told(rig, DMASIM_REPORT_PEER_NOT_GIVEN, "", "pci_free_p2pmem() has given it back");
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	expect_only(rig->s, DMASIM_REPORT_PEER_NOT_GIVEN, 1);
}

/* What was given back and out again; and what no pool has ever had, which may be registers. */
static void V09_right(void **state)
{
	struct rig *rig = *state;
	void *mine;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	mine = pci_alloc_p2pmem(rig->gpu, SZ_64K);
	pci_free_p2pmem(rig->gpu, mine, SZ_64K);
	mine = pci_alloc_p2pmem(rig->gpu, SZ_4K);
	assert_non_null(mine);
	writes(rig->nvme, pci_p2pmem_virt_to_bus(rig->gpu, mine), SZ_4K);
	writes(rig->nvme, pci_bus_address(rig->gpu, 0) + 2 * SZ_1M, 8);
	pci_free_p2pmem(rig->gpu, mine, SZ_4K);
	dmasim_assert_clean(rig->s);
}

#define EVERYWHERE(test) \
	IN(strict, test), IN(amd_vi, test), IN(riscv, test), IN(smmuv3, test), IN(direct, test)

TEST_MAIN(IN(strict, V01_across_links), IN(amd_vi, V01_across_links), IN(riscv, V01_across_links),
	  IN(smmuv3, V01_across_links), IN(strict, V01_right), IN(lazy, V02_lazy_window),
	  IN(amd_vi_lazy, V02_lazy_window), IN(riscv_lazy, V02_lazy_window),
	  IN(smmuv3_lazy, V02_lazy_window), IN(lazy, V02_lazy_window_into_free_memory),
	  IN(lazy, V02_lazy_window_into_memory_of_others),
	  IN(amd_vi_lazy, V02_lazy_window_into_memory_of_others),
	  IN(riscv_lazy, V02_lazy_window_into_memory_of_others),
	  IN(smmuv3_lazy, V02_lazy_window_into_memory_of_others), IN(lazy, V02_right),
	  IN(strict, V03_refused), IN(lazy, V03_refused), IN(amd_vi, V03_refused),
	  IN(riscv, V03_refused), IN(smmuv3, V03_refused), IN(direct, V03_unguarded),
	  IN(pass_through, V03_unguarded), IN(lazy, V03_freed_piece), IN(direct, V03_freed_piece),
	  IN(strict, V03_right), IN(direct, V03_right), IN(strict, V04_entry_that_stayed),
	  IN(lazy, V04_entry_that_stayed), IN(amd_vi, V04_entry_that_stayed),
	  IN(riscv, V04_entry_that_stayed), IN(smmuv3, V04_entry_that_stayed),
	  IN(strict, V04_right), EVERYWHERE(V05_beyond), IN(strict, V05_beyond_the_page),
	  IN(direct, V05_beyond_the_page_unguarded), IN(untrusted, V05_beyond_a_copy),
	  IN(bounced, V05_beyond_a_copy), EVERYWHERE(V05_right),
	  IN(strict, V06_against_the_direction), IN(amd_vi, V06_against_the_direction),
	  IN(direct, V06_against_the_direction), IN(riscv, V06_reading_what_is_to_be_written),
	  IN(smmuv3, V06_reading_what_is_to_be_written), EVERYWHERE(V06_right),
	  EVERYWHERE(V07_shared_memory), EVERYWHERE(V07_right),
	  IN(strict_bus, V08_mapped_for_another), IN(direct, V08_mapped_for_another),
	  IN(strict_bus, V08_right), IN(direct, V08_right), IN(strict_bus, V09_peer_memory),
	  IN(direct_bus, V09_peer_memory), IN(strict, V09_peer_memory_that_is_mapped),
	  IN(strict_bus, V09_right))
