/* SPDX-License-Identifier: MIT */
/*
 * The DMA API, with Linux's names, types and return values (facts "dma-api" 1 to 5, Linux 7.3).
 *
 * Three ways to map, and what unmap knows in each:
 *
 *   one call    dma_map_phys, dma_map_page     unmap gets a dma_addr_t and must take it for an IOVA
 *   list        dma_map_sg, dma_map_sgtable    a flag per entry tells bus addresses from IOVAs
 *   two steps   dma_iova_try_alloc, _link,     a state around the whole; the caller keeps the map
 *               _sync, _unlink, _destroy       type beside it
 *
 * A device behind an IOMMU is in strict mode: a mapping is invalidated before its unmap returns. A
 * device without one is in direct mode: the DMA address is the physical address, within its mask.
 * Where the kernel would BUG or WARN there is a report, and the call returns its error value. No
 * function here sleeps or blocks; sizes are in bytes.
 */
#ifndef DMASIM_DMA_H
#define DMASIM_DMA_H

#include <errno.h>

#include <dmasim/device.h>
#include <dmasim/page.h>
#include <dmasim/scatterlist.h>
#include <dmasim/types.h>

/* Seen from the device: it reads what goes TO it and writes what comes FROM it. Facts 1.1. */
enum dma_data_direction {
	DMA_BIDIRECTIONAL = 0,
	DMA_TO_DEVICE = 1,
	DMA_FROM_DEVICE = 2,
	DMA_NONE = 3,
};

/* What a failed mapping returns. Address 0 is a legal DMA address in direct mode. Facts 1.2. */
#define DMA_MAPPING_ERROR (~(dma_addr_t)0)

#define DMA_BIT_MASK(n) (((n) == 64) ? ~0ULL : ((1ULL << (n)) - 1))

/* Attributes, facts 1.3. Those without effect on a coherent machine are accepted. */
#define DMA_ATTR_WEAK_ORDERING	   (1UL << 1)
#define DMA_ATTR_WRITE_COMBINE	   (1UL << 2)
#define DMA_ATTR_NO_KERNEL_MAPPING (1UL << 4)
#define DMA_ATTR_SKIP_CPU_SYNC	   (1UL << 5)
#define DMA_ATTR_NO_WARN	   (1UL << 8)
#define DMA_ATTR_PRIVILEGED	   (1UL << 9)
#define DMA_ATTR_MMIO		   (1UL << 10) /* phys is not RAM */
#define DMA_ATTR_REQUIRE_COHERENT  (1UL << 12)
#define DMA_ATTR_CC_SHARED	   (1UL << 13) /* refused behind an IOMMU */

/*
 * The state of one two-step mapping: Linux's 16 bytes. It may be copied; it is not cleared when the
 * range is freed. Facts 1.4.
 */
struct dma_iova_state {
	dma_addr_t addr; /* of the first byte, with the offset of the phys given at allocation */
	u64 __size;	 /* bytes asked for */
};

#define DMA_IOVA_USE_SWIOTLB (1ULL << 63)

static inline size_t dma_iova_size(struct dma_iova_state *state)
{
	return (size_t)(state->__size & ~DMA_IOVA_USE_SWIOTLB);
}

/* True while *state describes a range (also after it was freed: see above). */
static inline bool dma_use_iova(struct dma_iova_state *state)
{
	return state->__size != 0;
}

DMASIM_BEGIN_DECLS

/* ---- Masks ------------------------------------------------------------ */

/*
 * The highest address the device can put on the bus. 0, or -EIO if the device has no mask, or
 * (direct mode) the mask is below 32 bits and does not cover all RAM. Facts 2.
 */
int dma_set_mask(struct device *dev, u64 mask) DMASIM_LINUX(dma_set_mask);

/* The mask; 32 bits if the device has none. */
u64 dma_get_mask(struct device *dev) DMASIM_LINUX(dma_get_mask);

/* Limits of a DMA segment that dma_map_sg() may form; 64 KiB and none unless set. Facts 2. */
void dma_set_max_seg_size(struct device *dev, unsigned int size) DMASIM_LINUX(dma_set_max_seg_size);
void dma_set_seg_boundary(struct device *dev, unsigned long mask)
	DMASIM_LINUX(dma_set_seg_boundary);

/* ---- One call per mapping --------------------------------------------- */

/*
 * Maps [phys, phys + size) and returns the address for the device, or DMA_MAPPING_ERROR. Facts 3.1,
 * 3.4, 3.6. Behind an IOMMU the granules around the buffer become visible to the device too.
 */
dma_addr_t dma_map_phys(struct device *dev, phys_addr_t phys, size_t size,
			enum dma_data_direction dir, unsigned long attrs)
	DMASIM_LINUX(dma_map_phys);

/*
 * Ends a mapping, given only its address: behind an IOMMU the address is taken for an IOVA. One
 * that does not translate is reported and nothing is freed. size, dir and attrs are those of the
 * map. Facts 3.2, 3.5, 3.7.
 */
void dma_unmap_phys(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir,
		    unsigned long attrs) DMASIM_LINUX(dma_unmap_phys);

/*
 * The same for a page. A page of peer memory is mapped as if it were RAM: this call does not look
 * at its map type. DMA_ATTR_MMIO is refused: the map returns the error value, the unmap does
 * nothing. Facts 3.3.
 */
dma_addr_t dma_map_page_attrs(struct device *dev, struct page *page, size_t offset, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
	DMASIM_LINUX(dma_map_page_attrs);
void dma_unmap_page_attrs(struct device *dev, dma_addr_t addr, size_t size,
			  enum dma_data_direction dir, unsigned long attrs)
	DMASIM_LINUX(dma_unmap_page_attrs);

#define dma_map_page(d, p, o, s, r) dma_map_page_attrs(d, p, o, s, r, 0)
#define dma_unmap_page(d, a, s, r)  dma_unmap_page_attrs(d, a, s, r, 0)

/* 0, or -ENOMEM if the address is DMA_MAPPING_ERROR. */
int dma_mapping_error(struct device *dev, dma_addr_t addr)
	DMASIM_LINUX(dma_mapping_error) DMASIM_MUST_CHECK;

/* False only where unmapping does nothing: direct mode on a coherent machine. Facts 3.10. */
bool dma_need_unmap(struct device *dev) DMASIM_LINUX(dma_need_unmap);

/* The granule minus 1 where the IOMMU can join pieces, 0 in direct mode. Facts 3.11. */
unsigned long dma_get_merge_boundary(struct device *dev) DMASIM_LINUX(dma_get_merge_boundary);

/* ---- Scatterlists ----------------------------------------------------- */

/*
 * Maps nents entries; peer memory below a common switch gets its bus address and the flag. Returns
 * the number of DMA segments, 0 on any error. Facts 4.
 */
unsigned int dma_map_sg_attrs(struct device *dev, struct scatterlist *sg, int nents,
			      enum dma_data_direction dir, unsigned long attrs)
	DMASIM_LINUX(dma_map_sg_attrs) DMASIM_MUST_CHECK;

/* nents is the number given to the map, not the one it returned. */
void dma_unmap_sg_attrs(struct device *dev, struct scatterlist *sg, int nents,
			enum dma_data_direction dir, unsigned long attrs)
	DMASIM_LINUX(dma_unmap_sg_attrs);

/*
 * Sets sgt->nents. 0, or -EINVAL (bad use), -ENOMEM (try later), -EIO (a piece could not be
 * mapped), -EREMOTEIO (peer memory that the device cannot reach).
 */
int dma_map_sgtable(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		    unsigned long attrs) DMASIM_LINUX(dma_map_sgtable) DMASIM_MUST_CHECK;
void dma_unmap_sgtable(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		       unsigned long attrs) DMASIM_LINUX(dma_unmap_sgtable);

#define dma_map_sg(d, s, n, r)	 dma_map_sg_attrs(d, s, n, r, 0)
#define dma_unmap_sg(d, s, n, r) dma_unmap_sg_attrs(d, s, n, r, 0)

/* ---- Two steps -------------------------------------------------------- */

/*
 * Zeroes *state, then allocates IOVA space for size bytes. Only the offset of phys in its granule
 * is used: state->addr has the same. False: no IOMMU serves the device (map each piece by itself
 * instead), or there is no space, or size is 0 or has bit 63 set (reported). Facts 5.1.
 */
bool dma_iova_try_alloc(struct device *dev, struct dma_iova_state *state, phys_addr_t phys,
			size_t size) DMASIM_LINUX(dma_iova_try_alloc) DMASIM_MUST_CHECK;

/*
 * Writes the entries for [phys, phys + size) at `offset` of the range. Each link but the first
 * starts on a granule, each but the last ends on one. Not usable before dma_iova_sync(). Facts 5.2.
 * 0, -EIO (phys in the middle of a granule at offset > 0, reported), -EADDRINUSE (linked already),
 * -ENXIO (address or phys not aligned), -ERANGE, -EOVERFLOW, -EINVAL (no direction, or size 0),
 * -ENOMEM.
 */
int dma_iova_link(struct device *dev, struct dma_iova_state *state, phys_addr_t phys, size_t offset,
		  size_t size, enum dma_data_direction dir, unsigned long attrs)
	DMASIM_LINUX(dma_iova_link) DMASIM_MUST_CHECK;

/* Makes [offset, offset + size) usable by the device. 0 or the IOMMU driver's error. Facts 5.4. */
int dma_iova_sync(struct device *dev, struct dma_iova_state *state, size_t offset, size_t size)
	DMASIM_LINUX(dma_iova_sync) DMASIM_MUST_CHECK;

/*
 * Removes the entries of [offset, offset + size), rounded out to granules, and invalidates before
 * it returns. The range stays allocated. Facts 5.5.
 */
void dma_iova_unlink(struct device *dev, struct dma_iova_state *state, size_t offset, size_t size,
		     enum dma_data_direction dir, unsigned long attrs)
	DMASIM_LINUX(dma_iova_unlink);

/* Frees the whole range; everything must be unlinked. *state is not cleared. Facts 5.6. */
void dma_iova_free(struct device *dev, struct dma_iova_state *state) DMASIM_LINUX(dma_iova_free);

/* Unlinks [0, mapped_len), unless that is 0, and frees the whole range. Facts 5.7. */
void dma_iova_destroy(struct device *dev, struct dma_iova_state *state, size_t mapped_len,
		      enum dma_data_direction dir, unsigned long attrs)
	DMASIM_LINUX(dma_iova_destroy);

DMASIM_END_DECLS

#include <dmasim/call-sites.h>

#endif
