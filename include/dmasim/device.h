/* SPDX-License-Identifier: MIT */
/*
 * struct device: what the DMA API needs to know of a device.
 */
#ifndef DMASIM_DEVICE_H
#define DMASIM_DEVICE_H

#include <dmasim/site.h>
#include <dmasim/types.h>

struct os;
struct iommu_group;
struct iommu_domain;
struct io_tlb_pool;
struct platform_dma_range;

/* Owned by the machine. Drivers use dma_set_mask() and the mapping calls, not the fields. */
struct device {
	struct os *os;
	dmasim_sbdf id;
	char name[16]; /* "0000:3a:00.0" */

	u64 *dma_mask; /* NULL: the device does no DMA */
	u64 coherent_dma_mask;
	u64 bus_dma_limit;	   /* highest address the way to the device carries; 0: no limit */
	u32 max_segment_size;	   /* of a scatterlist's DMA segment; 0: 64 KiB */
	u64 segment_boundary_mask; /* addresses a DMA segment may not cross; 0: none */
	u64 min_align_mask;	   /* address bits that a bounced buffer keeps */

	bool dma_coherent;	    /* its requests see the CPU's cache */
	bool dma_skip_sync;	    /* dma_sync_ calls have nothing to do */
	bool pci_32bit_workaround;  /* IOVAs are tried below 4 GiB first */
	bool untrusted;		    /* sees nothing but what is mapped for it, to the byte */
	struct io_tlb_pool *io_tlb; /* memory it is restricted to; NULL: none */

	/* Bus addresses that lead to memory; none: they are physical addresses. */
	const struct platform_dma_range *dma_range;
	u32 dma_range_count;

	struct iommu_group *iommu_group; /* NULL: no IOMMU serves the device */
	void *driver_data;		 /* dev_set_drvdata() */

	/* Where the running call came from; see site.h. */
	const struct dmasim_site *site;
};

static inline const char *dev_name(const struct device *dev)
{
	return dev->name;
}

/* Notes the place of the next call. The macros of call-sites.h use it. */
static inline struct device *dmasim_called_at(struct device *dev, const struct dmasim_site *site)
{
	if (dev)
		dev->site = site;
	return dev;
}

#endif
