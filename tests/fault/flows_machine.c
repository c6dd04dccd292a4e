/* SPDX-License-Identifier: MIT */
/*
 * Flows of the machine itself: hardware, the start, peer memory, RAM, reports.
 */
#include "fault/flows_inside.h"

/* ---- Hardware, and the start ----------------------------------------------------------------- */

static u32 count_devices(struct dmasim *s)
{
	struct pci_dev *pdev = NULL;
	u32 count = 0;

	while ((pdev = dmasim_next_dev(s, pdev)))
		count++;
	return count;
}

enum flow_result flow_add_host_bridge(struct stage *stage)
{
	struct dmasim_host_bridge bridge = { .bus = (u8)(0x40 + 0x20 * stage->runs) };
	u32 before = count_devices(stage->s);
	int err = dmasim_add_host_bridge(stage->s, &bridge);

	if (err)
		expect_error(err, -ENOMEM);
	/* Its own function 00.0, or nothing. */
	expect_u64(count_devices(stage->s), before + (err ? 0 : 1));
	return err ? FLOW_REFUSED : FLOW_DONE;
}

enum flow_result flow_add_endpoint(struct stage *stage)
{
	struct dmasim_endpoint endpoint = { .bar = { SZ_16K, 0, SZ_1M } };
	u32 before = count_devices(stage->s);
	struct pci_dev *pdev;
	char path[32];

	snprintf(path, sizeof(path), "%02x:01.0/00.0/00.0/00.0", 0x40 + 0x20 * stage->runs);
	pdev = dmasim_add_endpoint(stage->s, path, &endpoint);
	/*
	 * The host bridge, a root port, an upstream and a downstream port, the endpoint; or
	 * nothing.
	 */
	expect_u64(count_devices(stage->s), before + (pdev ? 5 : 0));
	return pdev ? FLOW_DONE : FLOW_REFUSED;
}

enum flow_result flow_add_region(struct stage *stage)
{
	int err = dmasim_add_direct_region(stage->s, NULL, SZ_256M, SZ_64K);

	if (err)
		expect_error(err, -ENOMEM);
	return err ? FLOW_REFUSED : FLOW_DONE;
}

/* A mask needs no memory. */
enum flow_result flow_set_mask(struct stage *stage)
{
	expect_ok(dma_set_mask(&stage->nvme->dev, DMA_BIT_MASK(64)));
	return FLOW_DONE;
}

enum flow_result flow_start_by_group(struct stage *stage)
{
	return dmasim_group(stage->nvme) < 0 ? FLOW_REFUSED : FLOW_DONE;
}

/* A device uses the bus before any driver came: the IOMMU refuses, or cannot be made ready. */
enum flow_result flow_start_by_access(struct stage *stage)
{
	struct dmasim_transfer transfer;
	u8 byte = 0;

	dmasim_suppress(stage->s, DMASIM_REPORT_IOMMU_FAULT);
	transfer = dmasim_dev_write(stage->nvme, stage->buffer, &byte, 1);
	if (transfer.status == DMASIM_HOST_MEMORY)
		return FLOW_REFUSED;
	expect_transfer(transfer, DMASIM_IOMMU_FAULT, 0);
	return FLOW_DONE;
}

/* ---- Peer memory ----------------------------------------------------------------------------- */

/* Each run adds another part of the BAR. */
enum flow_result flow_p2p_add(struct stage *stage)
{
	int err = pci_p2pdma_add_resource(stage->gpu, 0, SZ_64K, (u64)stage->runs * SZ_64K);

	if (err)
		expect_error(err, -ENOMEM);
	return err ? FLOW_REFUSED : FLOW_DONE;
}

enum flow_result flow_p2p_alloc(struct stage *stage)
{
	void *memory = pci_alloc_p2pmem(stage->gpu, SZ_16K);

	if (!memory)
		return FLOW_REFUSED;
	expect_u64(pci_p2pmem_virt_to_bus(stage->gpu, memory),
		   dmasim_virt_to_phys(stage->s, memory));
	pci_free_p2pmem(stage->gpu, memory, SZ_16K);
	return FLOW_DONE;
}

/* A space of the program's own. */
enum flow_result flow_iova_domain(struct stage *stage)
{
	const dmasim_ulong limit = 0xfffff;
	struct iova_domain iovad;
	struct iova *iova;
	dmasim_ulong pfn;
	bool got;

	dmasim_iova_domain_init(stage->s, &iovad, SZ_4K, 1);
	got = !iova_domain_init_rcaches(&iovad);
	iova = alloc_iova(&iovad, 5, limit, false);
	got &= iova && iova->pfn_hi == limit;
	pfn = alloc_iova_fast(&iovad, 4, limit, true);
	got &= pfn && find_iova(&iovad, pfn);
	if (pfn)
		free_iova_fast(&iovad, pfn, 4);
	got &= reserve_iova(&iovad, 3, 9) != NULL;
	put_iova_domain(&iovad);
	return got ? FLOW_DONE : FLOW_REFUSED;
}

/* The verdict is worth keeping, but it is given all the same. */
enum flow_result flow_p2p_type(struct stage *stage)
{
	struct p2pdma_provider *mem = pcim_p2pdma_provider(stage->gpu, 0);

	assert_non_null(mem);
	expect_u64(pci_p2pdma_map_type(mem, &stage->nvme->dev), PCI_P2PDMA_MAP_BUS_ADDR);
	expect_u64(pci_p2pdma_map_type(mem, &stage->disk->dev), PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	return FLOW_DONE;
}

enum flow_result flow_write_bar(struct stage *stage)
{
	return stage_move(stage, stage->nvme, pci_bus_address(stage->gpu, 0) + SZ_64K,
			  pci_resource_start(stage->gpu, 0) + SZ_64K, SZ_4K);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static enum flow_result alloc_of(struct stage *stage, u64 bytes)
{
	phys_addr_t phys = dmasim_alloc(stage->s, bytes);
	enum flow_result result = FLOW_DONE;
	u64 word = 0x0123456789abcdefULL, found = 0;

	if (phys == DMASIM_NO_PHYS)
		return FLOW_REFUSED;
	expect_u64(phys & (bytes - 1), 0);
	if (dmasim_write(stage->s, phys + bytes - sizeof(word), &word, sizeof(word)) !=
	    sizeof(word)) {
		assert_true(dmasim_failures(stage->s) > 0);
		result = FLOW_REFUSED;
	} else {
		expect_u64(dmasim_read(stage->s, phys + bytes - sizeof(word), &found, sizeof(word)),
			   sizeof(word));
		expect_u64(found, word);
	}
	dmasim_free(stage->s, phys, bytes);
	return result;
}

enum flow_result flow_alloc_small(struct stage *stage)
{
	return alloc_of(stage, SZ_4K);
}

enum flow_result flow_alloc_large(struct stage *stage)
{
	return alloc_of(stage, 4 * SZ_1M);
}

/*
 * RAM that nobody has asked for or touched: the host has nothing behind it yet. Each run takes
 * another.
 */
enum flow_result flow_write_ram(struct stage *stage)
{
	phys_addr_t phys = 6ULL * SZ_1G + (u64)stage->runs * SZ_256M;

	return flow_map_phys_of(stage, phys, SZ_16K, 0);
}

/* A mistake is counted even where its report cannot be kept. */
enum flow_result flow_report(struct stage *stage)
{
	u32 before = dmasim_report_count(stage->s);

	dmasim_suppress(stage->s, DMASIM_REPORT_UNMAP_NOT_MAPPED);
	dma_unmap_phys(&stage->nvme->dev, SZ_1M, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(dmasim_report_count(stage->s), before + 1);
	return FLOW_DONE;
}

enum flow_result flow_adopt(struct stage *stage)
{
	phys_addr_t phys = dmasim_adopt(stage->s, stage->own, FLOW_BUFFER);
	enum flow_result result;

	if (phys == DMASIM_NO_PHYS)
		return FLOW_REFUSED;
	expect_u64(dmasim_virt_to_phys(stage->s, stage->own), phys);
	result = flow_map_phys_of(stage, phys, FLOW_BUFFER, 0);
	dmasim_unadopt(stage->s, phys);
	return result;
}
