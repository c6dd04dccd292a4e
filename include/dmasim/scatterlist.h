/* SPDX-License-Identifier: MIT */
/*
 * struct scatterlist and struct sg_table (facts "dma-api" 1.6).
 *
 * A list has two halves in one array: pages (offset, length) for the CPU, and after mapping the DMA
 * segments (dma_address, dma_length), which may be fewer. A DMA segment with SG_DMA_BUS_ADDRESS
 * holds a PCI bus address: there is nothing to unmap for it.
 */
#ifndef DMASIM_SCATTERLIST_H
#define DMASIM_SCATTERLIST_H

#include <string.h>

#include <dmasim/page.h>
#include <dmasim/types.h>

struct scatterlist {
	unsigned long page_link; /* struct page *, and SG_CHAIN and SG_END in the low bits */
	unsigned int offset;
	unsigned int length;
	dma_addr_t dma_address;
	unsigned int dma_length;
	unsigned int dma_flags;
};

struct sg_table {
	struct scatterlist *sgl;
	unsigned int nents;	 /* DMA segments, set by dma_map_sgtable() */
	unsigned int orig_nents; /* CPU entries */
};

#define SG_CHAIN	  1UL
#define SG_END		  2UL
#define SG_PAGE_LINK_MASK (SG_CHAIN | SG_END)

#define SG_DMA_BUS_ADDRESS (1U << 0)
#define SG_DMA_SWIOTLB	   (1U << 1)

#define sg_dma_address(sg) ((sg)->dma_address)
#define sg_dma_len(sg)	   ((sg)->dma_length)

static inline bool sg_is_last(const struct scatterlist *sg)
{
	return (sg->page_link & SG_END) != 0;
}

static inline bool sg_is_chain(const struct scatterlist *sg)
{
	return (sg->page_link & SG_CHAIN) != 0;
}

/* The entry after this one, across chained arrays; NULL after the last. */
static inline struct scatterlist *sg_next(struct scatterlist *sg)
{
	if (sg_is_last(sg))
		return NULL;
	sg++;
	/* Guessed, not computed: else each entry waits for what the one before says. */
	if (__builtin_expect_with_probability(sg_is_chain(sg), 0, 0.999))
		sg = (struct scatterlist *)(sg->page_link & ~SG_PAGE_LINK_MASK);
	return sg;
}

static inline struct page *sg_page(const struct scatterlist *sg)
{
	return (struct page *)(sg->page_link & ~SG_PAGE_LINK_MASK);
}

static inline void sg_assign_page(struct scatterlist *sg, struct page *page)
{
	sg->page_link = (sg->page_link & SG_PAGE_LINK_MASK) | (unsigned long)page;
}

/* len bytes from `offset` of the page on; a run of pages may follow it physically. */
static inline void sg_set_page(struct scatterlist *sg, struct page *page, unsigned int len,
			       unsigned int offset)
{
	sg_assign_page(sg, page);
	sg->offset = offset;
	sg->length = len;
}

static inline void sg_mark_end(struct scatterlist *sg)
{
	sg->page_link = (sg->page_link | SG_END) & ~SG_CHAIN;
}

static inline void sg_unmark_end(struct scatterlist *sg)
{
	sg->page_link &= ~SG_END;
}

/* The last of prv's prv_nents entries becomes the link to the list `sgl`. */
static inline void sg_chain(struct scatterlist *prv, unsigned int prv_nents,
			    struct scatterlist *sgl)
{
	struct scatterlist *link = &prv[prv_nents - 1];

	link->offset = 0;
	link->length = 0;
	link->page_link = ((unsigned long)sgl | SG_CHAIN) & ~SG_END;
}

/* Zeroes the entries and marks the last. */
static inline void sg_init_table(struct scatterlist *sgl, unsigned int nents)
{
	memset(sgl, 0, sizeof(*sgl) * nents);
	sg_mark_end(&sgl[nents - 1]);
}

static inline phys_addr_t sg_phys(const struct scatterlist *sg)
{
	return page_to_phys(sg_page(sg)) + sg->offset;
}

static inline bool sg_dma_is_bus_address(const struct scatterlist *sg)
{
	return (sg->dma_flags & SG_DMA_BUS_ADDRESS) != 0;
}

static inline void sg_dma_mark_bus_address(struct scatterlist *sg)
{
	sg->dma_flags |= SG_DMA_BUS_ADDRESS;
}

static inline void sg_dma_unmark_bus_address(struct scatterlist *sg)
{
	sg->dma_flags &= ~SG_DMA_BUS_ADDRESS;
}

/* Set on the first entry of a list that was mapped one by one, with copies; never cleared. */
static inline bool sg_dma_is_swiotlb(const struct scatterlist *sg)
{
	return (sg->dma_flags & SG_DMA_SWIOTLB) != 0;
}

static inline void sg_dma_mark_swiotlb(struct scatterlist *sg)
{
	sg->dma_flags |= SG_DMA_SWIOTLB;
}

#define for_each_sg(sglist, sg, nr, i) \
	for ((i) = 0, (sg) = (sglist); (i) < (nr); (i)++, (sg) = sg_next(sg))

/* CPU entries, and DMA segments, of a table. */
#define for_each_sgtable_sg(sgt, sg, i)	    for_each_sg((sgt)->sgl, sg, (sgt)->orig_nents, i)
#define for_each_sgtable_dma_sg(sgt, sg, i) for_each_sg((sgt)->sgl, sg, (sgt)->nents, i)

#endif
