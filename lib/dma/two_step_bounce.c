/* SPDX-License-Identifier: MIT */
/*
 * Links whose ends share a granule with something that the device may not see: those ends are
 * copied, what lies between them is linked as it is (facts "dma-api" 5.3 and 5.5).
 *
 *   buffer       |..head|middle granules ...|tail..|
 *   linked to     copy   the buffer itself   copy
 */
#include "dma/swiotlb.h"
#include "dma/two_step.h"

/* Copies [phys, phys + size), which lies in one granule, and links the copy's granule. */
static int link_copy(const struct dma_link *link, phys_addr_t phys, size_t offset, size_t size)
{
	u64 start_pad = iommu_dma_offset(link->domain, phys);
	phys_addr_t tlb = iommu_dma_map_swiotlb(link->dev, link->domain, phys, size, link->call);
	int err;

	if (tlb == DMA_MAPPING_ERROR)
		return -ENOMEM;
	if (!link->dev->dma_coherent && !(link->call.attrs & DMA_ATTR_SKIP_CPU_SYNC))
		arch_sync_dma_for_device(link->dev, tlb, size);
	err = iommu_map_nosync(link->domain, link->state->addr + offset - start_pad,
			       tlb - start_pad, iommu_granule(link->domain),
			       dma_prot(link->dev, link->call));
	if (err) {
		swiotlb_tbl_unmap_single(link->dev, tlb, size, link->call.dir, link->call.attrs);
		return err;
	}
	link->state->__size |= DMA_IOVA_USE_SWIOTLB;
	return 0;
}

static int link_middle(const struct dma_link *link, phys_addr_t phys, size_t offset, size_t size)
{
	struct dma_link middle = *link;

	/* Before 7.3 an empty middle was linked, too: some tables refuse that. */
	if (!size && !os_has_bug(link->dev->os, DMASIM_BUG_ZERO_MIDDLE))
		return 0;
	middle.phys = phys;
	middle.offset = offset;
	middle.size = size;
	return iova_link_granules(&middle);
}

static void undo(const struct dma_link *link, size_t mapped)
{
	struct dma_link done = *link;

	if (!mapped)
		return;
	if (os_has_bug(link->dev->os, DMASIM_BUG_UNLINK_FROM_0))
		done.offset = 0;
	done.size = mapped;
	iova_unlink(&done);
}

int iova_link_bounced(const struct dma_link *link)
{
	u64 granule = iommu_granule(link->domain);
	size_t start_pad = (size_t)iommu_dma_offset(link->domain, link->phys);
	size_t end_pad = (size_t)iommu_dma_offset(link->domain, link->phys + link->size);
	size_t left = link->size;
	size_t done = 0;
	int err;

	if (start_pad) {
		size_t head = (size_t)granule - start_pad;

		if (head > left)
			head = left;
		err = link_copy(link, link->phys, link->offset, head);
		if (err)
			return err;
		left -= head;
		done = head;
		if (!left)
			return 0;
	}
	left -= end_pad;
	err = link_middle(link, link->phys + done, link->offset + done, left);
	if (!err) {
		done += left;
		if (end_pad)
			err = link_copy(link, link->phys + done, link->offset + done, end_pad);
	}
	if (err)
		undo(link, done);
	return err;
}

static void look_after_granule(const struct dma_link *link, phys_addr_t phys, size_t bytes)
{
	struct device *dev = link->dev;

	if (!dev->dma_coherent && !(link->call.attrs & DMA_ATTRS_NO_CACHE))
		arch_sync_dma_for_cpu(dev, phys, bytes, link->call.dir);
	if (is_swiotlb_buffer(dev, phys))
		swiotlb_tbl_unmap_single(dev, phys, bytes, link->call.dir, link->call.attrs);
}

void iova_unlink_slow(const struct dma_link *link)
{
	dma_addr_t at = link->state->addr + link->offset;
	dma_addr_t end = at + link->size;

	while (at < end) {
		u64 bytes = iommu_granule(link->domain) - iommu_dma_offset(link->domain, at);
		phys_addr_t phys = iommu_iova_to_phys(link->domain, at);

		if (bytes > end - at)
			bytes = end - at;
		if (!phys) {
			dma_warn(link->dev, DMASIM_REPORT_UNMAP_SHORT, at, end - at,
				 "a granule that is to be unlinked does not translate");
			return;
		}
		look_after_granule(link, phys, (size_t)bytes);
		at += bytes;
	}
}
