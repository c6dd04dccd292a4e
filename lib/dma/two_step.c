/* SPDX-License-Identifier: MIT */
/*
 * The two-step API: one state around a transaction (facts "dma-api" 5). None of it is a one-shot
 * mapping: the IOVA is allocated once, entries come and go below it, and it is freed at the end.
 */
#include "dma/dma.h"

static void bad_argument(struct device *dev, const struct dma_iova_state *state, size_t size,
			 const char *what)
{
	dma_warn(dev, DMASIM_REPORT_BAD_ARGUMENT, state->addr, size, what);
}

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
	iova = iommu_dma_alloc_iova(dev, domain, iommu_dma_span(domain, phys, size));
	if (!iova)
		return false;
	state->addr = iova + (phys & (iommu_granule(domain) - 1));
	state->__size = size;
	return true;
}

bool dma_iova_try_alloc(struct device *dev, struct dma_iova_state *state, phys_addr_t phys,
			size_t size)
{
	bool done;

	*state = (struct dma_iova_state){ 0 };
	done = try_alloc(dev, state, phys, size);
	PLATFORM_EVENT(dev->os->platform, TRY_ALLOC, .dev = dev->id, .dma = state->addr,
		       .phys = phys, .size = size, .ret = done, .site = dev->site);
	dma_leave(dev);
	return done;
}

static int link_piece(struct device *dev, struct dma_iova_state *state, phys_addr_t phys,
		      size_t offset, size_t size, struct dma_call call)
{
	struct iommu_domain *domain = iommu_dma_domain(dev);
	u64 start_pad = phys & (iommu_granule(domain) - 1);
	u32 prot = dma_prot(call.dir, call.attrs);

	if (start_pad && offset) {
		bad_argument(
			dev, state, size,
			"dma_iova_link() of a buffer that starts inside a granule at offset > 0");
		return -EIO;
	}
	if (!(prot & (IOMMU_READ | IOMMU_WRITE)))
		dma_warn(dev, DMASIM_REPORT_BAD_DIRECTION, state->addr, size,
			 "a link is to, from or bidirectional");
	return iommu_map_nosync(domain, state->addr + offset - start_pad, phys - start_pad,
				iommu_dma_span(domain, phys, size), prot);
}

int dma_iova_link(struct device *dev, struct dma_iova_state *state, phys_addr_t phys, size_t offset,
		  size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	int err;

	if (!iommu_dma_domain(dev)) {
		dma_leave(dev);
		return -EOPNOTSUPP;
	}
	err = link_piece(dev, state, phys, offset, size, (struct dma_call){ dir, attrs });
	PLATFORM_EVENT(dev->os->platform, LINK, .dev = dev->id, .dma = state->addr, .phys = phys,
		       .offset = offset, .size = size, .dir = dir, .attrs = attrs, .ret = err,
		       .site = dev->site);
	dma_leave(dev);
	return err;
}

int dma_iova_sync(struct device *dev, struct dma_iova_state *state, size_t offset, size_t size)
{
	struct iommu_domain *domain = iommu_dma_domain(dev);
	u64 start = state->addr + offset;
	int err;

	if (!domain) {
		dma_leave(dev);
		return -EOPNOTSUPP;
	}
	err = iommu_sync_map(domain, iommu_dma_base(domain, start),
			     iommu_dma_span(domain, start, size));
	PLATFORM_EVENT(dev->os->platform, SYNC, .dev = dev->id, .dma = state->addr,
		       .offset = offset, .size = size, .ret = err, .site = dev->site);
	dma_leave(dev);
	return err;
}

static void unlink_range(struct device *dev, struct iommu_domain *domain, u64 start, size_t size)
{
	iommu_dma_unmap_range(dev, domain, iommu_dma_base(domain, start),
			      iommu_dma_span(domain, start, size));
}

void dma_iova_unlink(struct device *dev, struct dma_iova_state *state, size_t offset, size_t size,
		     enum dma_data_direction dir, unsigned long attrs)
{
	struct iommu_domain *domain = iommu_dma_domain(dev);

	if (!domain) {
		dma_leave(dev);
		return;
	}
	unlink_range(dev, domain, state->addr + offset, size);
	PLATFORM_EVENT(dev->os->platform, UNLINK, .dev = dev->id, .dma = state->addr,
		       .offset = offset, .size = size, .dir = dir, .attrs = attrs,
		       .site = dev->site);
	dma_leave(dev);
}

static void free_range(struct iommu_domain *domain, struct dma_iova_state *state)
{
	iommu_dma_free_iova(domain, iommu_dma_base(domain, state->addr),
			    iommu_dma_span(domain, state->addr, dma_iova_size(state)));
}

void dma_iova_free(struct device *dev, struct dma_iova_state *state)
{
	struct iommu_domain *domain = iommu_dma_domain(dev);

	if (!domain) {
		dma_leave(dev);
		return;
	}
	free_range(domain, state);
	PLATFORM_EVENT(dev->os->platform, FREE, .dev = dev->id, .dma = state->addr,
		       .size = dma_iova_size(state), .site = dev->site);
	dma_leave(dev);
}

void dma_iova_destroy(struct device *dev, struct dma_iova_state *state, size_t mapped_len,
		      enum dma_data_direction dir, unsigned long attrs)
{
	struct iommu_domain *domain = iommu_dma_domain(dev);

	if (!domain) {
		dma_leave(dev);
		return;
	}
	if (mapped_len)
		unlink_range(dev, domain, state->addr, mapped_len);
	free_range(domain, state);
	PLATFORM_EVENT(dev->os->platform, DESTROY, .dev = dev->id, .dma = state->addr,
		       .size = mapped_len, .dir = dir, .attrs = attrs, .site = dev->site);
	dma_leave(dev);
}
