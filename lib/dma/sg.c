/* SPDX-License-Identifier: MIT */
/*
 * Scatterlists: the entry points, and direct mode (facts "dma-api" 4.1 and 4.2).
 */
#include "dma/sg.h"

#include "dma/direct.h"
#include "mm/page.h"

DMASIM_HOT void dma_sg_tell(struct device *dev, struct dma_sg_told *told)
{
	struct platform *p = dev->os->platform;

	if (DMASIM_LIKELY(!told->count))
		return;
	p->ops->event(p->machine,
		      &(struct dmasim_event){
			      .type = DMASIM_EVENT_MAP_SG_ENTRY,
			      .dev = dev->id,
			      .dir = told->call.dir,
			      .attrs = told->call.attrs,
			      .done = told->count,
			      .list = &(struct dmasim_event_list){ .entry = told->entry },
			      .site = dev->site,
		      });
	told->count = 0;
}

DMASIM_HOT static void direct_unmap_sg(struct device *dev, struct scatterlist *sg, int count,
				       struct dma_call call)
{
	struct scatterlist *s;
	int i;

	for_each_sg(sg, s, count, i) {
		if (sg_dma_is_bus_address(s))
			sg_dma_unmark_bus_address(s);
		else
			dma_direct_unmap_phys(dev, s->dma_address, sg_dma_len(s), call);
	}
}

static int direct_map_entry(struct device *dev, struct scatterlist *s,
			    struct pci_p2pdma_map_state *p2p, struct dma_call call)
{
	switch (pci_p2pdma_state(p2p, dev, sg_page(s))) {
	case PCI_P2PDMA_MAP_BUS_ADDR:
		s->dma_address = pci_p2pdma_bus_addr_map(p2p->mem, sg_phys(s));
		sg_dma_mark_bus_address(s);
		break;
	case PCI_P2PDMA_MAP_THRU_HOST_BRIDGE:
		if (os_has_bug(dev->os, DMASIM_BUG_HOSTBRIDGE_BREAK))
			break;
		/* fall through */
	case PCI_P2PDMA_MAP_NONE:
		s->dma_address = dma_direct_map_phys(dev, sg_phys(s), s->length, call);
		if (s->dma_address == DMA_MAPPING_ERROR)
			return -EIO;
		break;
	default:
		return -EREMOTEIO;
	}
	sg_dma_len(s) = s->length;
	return 0;
}

DMASIM_HOT void dma_sg_add_mapped(struct device *dev, struct dma_sg_told *told,
				  struct scatterlist *sg, int nents)
{
	struct dmasim_sg_entry *entry = told->entry + told->count;
	struct scatterlist *s;
	int i;

	if (DMASIM_LIKELY(!dev->os->platform->listening))
		return;
	for_each_sg(sg, s, nents, i) {
		if (DMASIM_UNLIKELY(entry == told->entry + DMA_SG_TOLD)) {
			told->count = DMA_SG_TOLD;
			dma_sg_tell(dev, told);
			entry = told->entry;
		}
		*entry++ = (struct dmasim_sg_entry){ .dma = s->dma_address,
						     .phys = page_phys(sg_page(s)) + s->offset,
						     .size = s->length,
						     .done = sg_dma_len(s),
						     .bus_address = sg_dma_is_bus_address(s) };
	}
	told->count = (u32)(entry - told->entry);
}

/* One DMA segment for each entry. */
static int direct_map_sg(struct device *dev, struct scatterlist *sg, int nents,
			 struct dma_call call, struct dma_sg_told *told)
{
	struct pci_p2pdma_map_state p2p = { 0 };
	struct scatterlist *s;
	int i;

	for_each_sg(sg, s, nents, i) {
		int err = direct_map_entry(dev, s, &p2p, call);

		if (err) {
			call.attrs |= DMA_ATTR_SKIP_CPU_SYNC;
			direct_unmap_sg(dev, sg, i, call);
			return err;
		}
	}
	dma_sg_add_mapped(dev, told, sg, nents);
	return nents;
}

/* What the CPU's half of a list says, as one number: asked for where somebody listens. */
DMASIM_HOT static u64 digest(struct scatterlist *sg, int nents)
{
	u64 digest = 0, within;
	struct scatterlist *s;
	int i;

	_Static_assert(offsetof(struct scatterlist, length) ==
			       offsetof(struct scatterlist, offset) + sizeof(within) / 2,
		       "where it is in its page: one number");
	for_each_sg(sg, s, nents, i) {
		memcpy(&within, (const u8 *)s + offsetof(struct scatterlist, offset),
		       sizeof(within));
		/* No entry waits long for the one before it. */
		digest = digest * 3 + (s->page_link * 0x9e3779b97f4a7c15ULL + within);
	}
	return digest;
}

/* The number of segments, or one of -EINVAL, -ENOMEM, -EIO, -EREMOTEIO, -EOPNOTSUPP. */
DMASIM_HOT static int map_sg(struct device *dev, struct scatterlist *sg, int nents,
			     struct dma_call call)
{
	struct iommu_domain *domain;
	struct dma_sg_told told;
	u64 before = 0;
	int count;

	if (!dma_valid_direction(dev, call.dir))
		return -EINVAL;
	if (call.attrs & DMA_ATTR_REQUIRE_COHERENT && !dev->dma_coherent)
		return -EOPNOTSUPP;
	if (!dma_has_mask(dev))
		return 0;
	if (!dma_ready(dev))
		return -ENOMEM;
	domain = iommu_dma_domain(dev);
	if (DMASIM_UNLIKELY(dev->os->platform->listening))
		before = digest(sg, nents);
	dma_sg_begin(&told, call);
	if (dma_mapping_fails(dev))
		count = -ENOMEM;
	else
		count = domain ? iommu_dma_map_sg(dev, domain, sg, nents, call, &told)
			       : direct_map_sg(dev, sg, nents, call, &told);
	if (!count) {
		dma_warn(dev, DMASIM_REPORT_BAD_ARGUMENT, 0, 0, "a scatterlist without entries");
		count = -EIO;
	}
	PLATFORM_EVENT(
		dev->os->platform, MAP_SG, .dev = dev->id, .count = (u32)nents, .dir = call.dir,
		.attrs = call.attrs, .ret = count,
		.list = &(struct dmasim_event_list){ .sg = sg,
						     .entry = told.entry,
						     .boundary = dma_get_seg_boundary(dev),
						     .segment_bytes = dma_get_max_seg_size(dev),
						     .changed = digest(sg, nents) != before },
		.done = told.count, .site = dev->site);
	return count;
}

DMASIM_HOT unsigned int dma_map_sg_attrs(struct device *dev, struct scatterlist *sg, int nents,
					 enum dma_data_direction dir, unsigned long attrs)
{
	int count = map_sg(dev, sg, nents, (struct dma_call){ dir, attrs });

	dma_leave(dev);
	return count < 0 ? 0 : (unsigned int)count;
}

int dma_map_sgtable(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		    unsigned long attrs)
{
	int count = map_sg(dev, sgt->sgl, (int)sgt->orig_nents, (struct dma_call){ dir, attrs });

	dma_leave(dev);
	if (count < 0)
		return count;
	sgt->nents = (unsigned int)count;
	return 0;
}

DMASIM_HOT static void unmap_sg(struct device *dev, struct scatterlist *sg, int nents,
				struct dma_call call)
{
	const struct platform *platform = dev->os->platform;
	struct dmasim_event_list list;
	struct iommu_domain *domain;
	struct dmasim_event event;
	bool listening;

	if (!dma_valid_direction(dev, call.dir) || !dma_has_mask(dev) || !dma_ready(dev))
		return;
	domain = iommu_dma_domain(dev);
	listening = DMASIM_UNLIKELY(platform->listening);
	if (listening) {
		list = (struct dmasim_event_list){ .sg = sg,
						   .merged = domain && !sg_dma_is_swiotlb(sg) };
		event = (struct dmasim_event){ .type = DMASIM_EVENT_UNMAP_SG_ENTRY,
					       .dev = dev->id,
					       .count = (u32)nents,
					       .dir = call.dir,
					       .attrs = call.attrs,
					       .list = &list,
					       .site = dev->site };
		/* As the list describes it now: the unmap takes flags from it. */
		platform->ops->event(platform->machine, &event);
	}
	if (domain)
		iommu_dma_unmap_sg(dev, domain, sg, nents, call);
	else
		direct_unmap_sg(dev, sg, nents, call);
	if (listening) {
		event.type = DMASIM_EVENT_UNMAP_SG;
		platform->ops->event(platform->machine, &event);
	}
}

DMASIM_HOT void dma_unmap_sg_attrs(struct device *dev, struct scatterlist *sg, int nents,
				   enum dma_data_direction dir, unsigned long attrs)
{
	unmap_sg(dev, sg, nents, (struct dma_call){ dir, attrs });
	dma_leave(dev);
}

void dma_unmap_sgtable(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		       unsigned long attrs)
{
	unmap_sg(dev, sgt->sgl, (int)sgt->orig_nents, (struct dma_call){ dir, attrs });
	dma_leave(dev);
}
