/* SPDX-License-Identifier: MIT */
/*
 * The two-step API: one state around a transaction (facts "dma-api" 5). None of it is a one-shot
 * mapping: the IOVA is allocated once, entries come and go below it, and it is freed at the end.
 */
#include "dma/two_step.h"

#include "iova/flush_queue.h"

static void bad_argument(struct device *dev, const struct dma_iova_state *state, size_t size,
			 const char *what)
{
	dma_warn(dev, DMASIM_REPORT_BAD_ARGUMENT, state->addr, size, what);
}

/* No IOMMU serves the device: Linux would follow a NULL pointer here. */
static void say_no_domain(struct device *dev, const struct dma_iova_state *state, size_t size)
{
	dma_warn(dev, DMASIM_REPORT_STATE_UNKNOWN, state->addr, size,
		 "dma_iova_try_alloc() said no: each piece is to be mapped by itself");
}

/* ---- Allocating ------------------------------------------------------- */

static bool try_alloc(struct device *dev, struct dma_iova_state *state, phys_addr_t phys,
		      size_t size)
{
	struct iommu_domain *domain = dma_ready(dev) ? iommu_dma_domain(dev) : NULL;
	u64 iova;

	if (!domain)
		return false;
	if (!size || (u64)size & DMA_IOVA_USE_SWIOTLB) {
		bad_argument(dev, state, size, "dma_iova_try_alloc() of no bytes, or of 2^63");
		return false;
	}
	if (dma_mapping_fails(dev))
		return false;
	iova = iommu_dma_alloc_iova(dev, domain, iommu_dma_span(domain, phys, size),
				    dma_limit(dev));
	if (!iova)
		return false;
	state->addr = iova + iommu_dma_offset(domain, phys);
	state->__size = size;
	return true;
}

DMASIM_HOT bool dma_iova_try_alloc(struct device *dev, struct dma_iova_state *state,
				   phys_addr_t phys, size_t size)
{
	bool done;

	*state = (struct dma_iova_state){ 0 };
	done = try_alloc(dev, state, phys, size);
	PLATFORM_EVENT(dev->os->platform, TRY_ALLOC, .dev = dev->id, .dma = state->addr,
		       .phys = phys, .size = size, .ret = done, .pointer = state,
		       .site = dev->site);
	dma_leave(dev);
	return done;
}

/* ---- Linking ---------------------------------------------------------- */

DMASIM_HOT int iova_link_granules(const struct dma_link *link)
{
	struct device *dev = link->dev;
	u64 start_pad = iommu_dma_offset(link->domain, link->phys);

	if (!dev->dma_coherent && !(link->call.attrs & DMA_ATTRS_NO_CACHE))
		arch_sync_dma_for_device(dev, link->phys, link->size);
	return iommu_map_nosync(
		link->domain, link->state->addr + link->offset - start_pad, link->phys - start_pad,
		iommu_dma_span(link->domain, link->phys, link->size), dma_prot(dev, link->call));
}

static int link_piece(const struct dma_link *link)
{
	struct device *dev = link->dev;
	unsigned long attrs = link->call.attrs;

	if (iommu_dma_offset(link->domain, link->phys) && link->offset) {
		bad_argument(
			dev, link->state, link->size,
			"dma_iova_link() of a buffer that starts inside a granule at offset > 0");
		return -EIO;
	}
	if (attrs & DMA_ATTR_REQUIRE_COHERENT) {
		if (link->state->__size & DMA_IOVA_USE_SWIOTLB) {
			bad_argument(dev, link->state, link->size,
				     "dma_iova_link() that may not bounce, of a state that has");
			return -EOPNOTSUPP;
		}
		if (!dev->dma_coherent)
			return -EOPNOTSUPP;
	}
	/* The page table refuses it. */
	if (!(dma_prot(dev, link->call) & (IOMMU_READ | IOMMU_WRITE)))
		dma_warn(dev, DMASIM_REPORT_BAD_DIRECTION, link->state->addr, link->size,
			 "a link is to, from or bidirectional");
	if (DMASIM_UNLIKELY(dev_use_swiotlb(dev, link->size, link->call.dir) &&
			    iommu_dma_offset(link->domain, link->phys | link->size))) {
		if (attrs & (DMA_ATTR_MMIO | DMA_ATTR_REQUIRE_COHERENT))
			return -EPERM;
		return iova_link_bounced(link);
	}
	return iova_link_granules(link);
}

DMASIM_HOT int dma_iova_link(struct device *dev, struct dma_iova_state *state, phys_addr_t phys,
			     size_t offset, size_t size, enum dma_data_direction dir,
			     unsigned long attrs)
{
	const struct dma_link link = {
		dev, iommu_dma_domain(dev), state, phys, offset, size, { dir, attrs },
	};
	int err = -EOPNOTSUPP;

	if (link.domain) {
		err = dma_mapping_fails(dev) ? -ENOMEM : link_piece(&link);
		PLATFORM_EVENT(dev->os->platform, LINK, .dev = dev->id, .dma = state->addr,
			       .phys = phys, .offset = offset, .size = size, .dir = dir,
			       .attrs = attrs, .ret = err, .site = dev->site);
	} else {
		say_no_domain(dev, state, size);
	}
	dma_leave(dev);
	return err;
}

DMASIM_HOT int dma_iova_sync(struct device *dev, struct dma_iova_state *state, size_t offset,
			     size_t size)
{
	struct iommu_domain *domain = iommu_dma_domain(dev);
	u64 start = state->addr + offset;
	int err = -EOPNOTSUPP;

	if (domain) {
		err = iommu_sync_map(domain, iommu_dma_base(domain, start),
				     iommu_dma_span(domain, start, size));
		PLATFORM_EVENT(dev->os->platform, SYNC, .dev = dev->id, .dma = state->addr,
			       .offset = offset, .size = size, .ret = err, .site = dev->site);
	} else {
		say_no_domain(dev, state, size);
	}
	dma_leave(dev);
	return err;
}

/* ---- Unlinking -------------------------------------------------------- */

/* Copies and caches need the translations: they are looked after before those go. */
static void look_after(const struct dma_link *link)
{
	bool cached = !link->dev->dma_coherent && !(link->call.attrs & DMA_ATTRS_NO_CACHE);

	if (cached || link->state->__size & DMA_IOVA_USE_SWIOTLB)
		iova_unlink_slow(link);
}

DMASIM_HOT void iova_unlink(const struct dma_link *link)
{
	u64 start = link->state->addr + link->offset;

	look_after(link);
	iommu_dma_unmap_range(link->dev, link->domain, iommu_dma_base(link->domain, start),
			      iommu_dma_span(link->domain, start, link->size));
}

void dma_iova_unlink(struct device *dev, struct dma_iova_state *state, size_t offset, size_t size,
		     enum dma_data_direction dir, unsigned long attrs)
{
	const struct dma_link link = {
		dev, iommu_dma_domain(dev), state, 0, offset, size, { dir, attrs },
	};

	if (link.domain) {
		iova_unlink(&link);
		PLATFORM_EVENT(dev->os->platform, UNLINK, .dev = dev->id, .dma = state->addr,
			       .offset = offset, .size = size, .dir = dir, .attrs = attrs,
			       .site = dev->site);
	} else {
		say_no_domain(dev, state, size);
	}
	dma_leave(dev);
}

/* ---- The end ---------------------------------------------------------- */

static void free_range(struct iommu_domain *domain, struct dma_iova_state *state)
{
	iommu_free_iova(domain, iommu_dma_base(domain, state->addr),
			iommu_dma_span(domain, state->addr, dma_iova_size(state)));
}

void dma_iova_free(struct device *dev, struct dma_iova_state *state)
{
	struct iommu_domain *domain = iommu_dma_domain(dev);

	if (domain) {
		free_range(domain, state);
		PLATFORM_EVENT(dev->os->platform, FREE, .dev = dev->id, .dma = state->addr,
			       .size = dma_iova_size(state), .site = dev->site);
	} else {
		say_no_domain(dev, state, dma_iova_size(state));
	}
	dma_leave(dev);
}

static void destroy(const struct dma_link *link)
{
	if (!link->size) {
		free_range(link->domain, link->state);
	} else if (os_has_bug(link->dev->os, DMASIM_BUG_DESTROY_MAPPED_LEN)) {
		/* Up to 7.1: unlinked and freed in one go, by the length that was linked. */
		look_after(link);
		iommu_dma_unmap(link->dev, link->domain, link->state->addr, link->size);
	} else {
		iova_unlink(link);
		free_range(link->domain, link->state);
	}
}

DMASIM_HOT void dma_iova_destroy(struct device *dev, struct dma_iova_state *state,
				 size_t mapped_len, enum dma_data_direction dir,
				 unsigned long attrs)
{
	const struct dma_link link = {
		dev, iommu_dma_domain(dev), state, 0, 0, mapped_len, { dir, attrs },
	};

	if (link.domain) {
		destroy(&link);
		PLATFORM_EVENT(dev->os->platform, DESTROY, .dev = dev->id, .dma = state->addr,
			       .size = mapped_len, .dir = dir, .attrs = attrs, .site = dev->site);
	} else {
		say_no_domain(dev, state, mapped_len);
	}
	dma_leave(dev);
}
