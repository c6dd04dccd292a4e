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
 * Behind an IOMMU a device is in strict mode (a mapping is invalidated before its unmap returns) or
 * in lazy mode (invalidations are collected; dma_iova_ calls stay strict). Without one, or where
 * the IOMMU lets addresses pass, it is in direct mode: the DMA address is the physical address,
 * behind the host bridge's inbound ranges. What a device cannot reach, or may not see, is
 * *bounced*: copied to memory it can reach, and back. A device that does not snoop sees memory, not
 * the CPU's cache: it depends on dma_sync_ calls.
 *
 * IOVAs are the allocator's choice below the mask, and below 4 GiB until that fails a device once
 * (config.forcedac: never). Where the kernel would BUG or WARN there is a report, and the call
 * returns its error value. No function here sleeps or blocks; sizes are in bytes.
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

/* Attributes, facts 1.3. */
#define DMA_ATTR_WEAK_ORDERING		     (1UL << 1) /* without effect here */
#define DMA_ATTR_WRITE_COMBINE		     (1UL << 2) /* without effect here */
#define DMA_ATTR_NO_KERNEL_MAPPING	     (1UL << 4) /* without effect here */
#define DMA_ATTR_SKIP_CPU_SYNC		     (1UL << 5) /* neither caches nor copying back */
#define DMA_ATTR_FORCE_CONTIGUOUS	     (1UL << 6) /* allocations always are, here */
#define DMA_ATTR_ALLOC_SINGLE_PAGES	     (1UL << 7) /* a hint, without effect here */
#define DMA_ATTR_NO_WARN		     (1UL << 8) /* a full bounce pool is not reported */
#define DMA_ATTR_PRIVILEGED		     (1UL << 9)
#define DMA_ATTR_MMIO			     (1UL << 10) /* phys is not RAM */
#define DMA_ATTR_DEBUGGING_IGNORE_CACHELINES (1UL << 11) /* without effect here */
#define DMA_ATTR_REQUIRE_COHERENT	     (1UL << 12) /* fail rather than bounce or flush */
#define DMA_ATTR_CC_SHARED		     (1UL << 13) /* refused behind an IOMMU */
#define __DMA_ATTR_ALLOC_CC_SHARED	     (1UL << 14) /* not for callers */

/* How memory is asked for, as far as it matters to the DMA API. */
typedef unsigned int gfp_t;

#define __GFP_DMA   ((gfp_t)0x01u)
#define __GFP_DMA32 ((gfp_t)0x04u)
#define __GFP_ZERO  ((gfp_t)0x100u)
#define __GFP_COMP  ((gfp_t)0x40000u)
#define GFP_ATOMIC  ((gfp_t)0x20u)
#define GFP_KERNEL  ((gfp_t)0xcc0u)

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
 * The highest address the device can put on the bus, for mappings; for shared memory; for both. 0,
 * or -EIO if the device has no mask, or (direct mode) the mask is below 32 bits and reaches neither
 * all RAM nor the first 16 MiB. The first sets dma_sync_ calls to do nothing for a device that
 * snoops, until something is bounced. Facts 2.
 */
int dma_set_mask(struct device *dev, u64 mask) DMASIM_LINUX(dma_set_mask);
int dma_set_coherent_mask(struct device *dev, u64 mask) DMASIM_LINUX(dma_set_coherent_mask);
int dma_set_mask_and_coherent(struct device *dev, u64 mask) DMASIM_LINUX(dma_set_mask_and_coherent);

/* The mask; 32 bits if the device has none. */
u64 dma_get_mask(struct device *dev) DMASIM_LINUX(dma_get_mask);

/* The mask that reaches all RAM in direct mode; 32 bits behind an IOMMU. Facts 2. */
u64 dma_get_required_mask(struct device *dev) DMASIM_LINUX(dma_get_required_mask);

/* True if the device's mask, its bus or its host bridge leave out some RAM. Facts 3.11. */
bool dma_addressing_limited(struct device *dev) DMASIM_LINUX(dma_addressing_limited);

/*
 * Limits of a DMA segment that dma_map_sg() may form: 64 KiB, and 4 GiB addresses that it does not
 * cross, unless set. The boundary is a mask of low bits (others are reported and left out). Facts
 * 2.
 */
void dma_set_max_seg_size(struct device *dev, unsigned int size) DMASIM_LINUX(dma_set_max_seg_size);
unsigned int dma_get_max_seg_size(struct device *dev) DMASIM_LINUX(dma_get_max_seg_size);
void dma_set_seg_boundary(struct device *dev, unsigned long mask)
	DMASIM_LINUX(dma_set_seg_boundary);
u64 dma_get_seg_boundary(struct device *dev) DMASIM_LINUX(dma_get_seg_boundary);

/* Low address bits that a bounced buffer has in common with its copy; 0 unless set. Facts 7.2. */
void dma_set_min_align_mask(struct device *dev, unsigned int mask)
	DMASIM_LINUX(dma_set_min_align_mask);
unsigned int dma_get_min_align_mask(struct device *dev) DMASIM_LINUX(dma_get_min_align_mask);

/*
 * The longest mapping there can be: 0 without a mask, what a bounce buffer holds where one may be
 * needed, else SIZE_MAX; and the longest that is fast. Facts 3.11.
 */
size_t dma_max_mapping_size(struct device *dev) DMASIM_LINUX(dma_max_mapping_size);
size_t dma_opt_mapping_size(struct device *dev) DMASIM_LINUX(dma_opt_mapping_size);

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

/*
 * The same for a pointer: into the machine's memory (dmasim_ptr()) or into memory it adopted.
 * Others are reported and give the error value. Facts 3.3.
 */
dma_addr_t dma_map_single_attrs(struct device *dev, void *ptr, size_t size,
				enum dma_data_direction dir, unsigned long attrs)
	DMASIM_LINUX(dma_map_single_attrs);
void dma_unmap_single_attrs(struct device *dev, dma_addr_t addr, size_t size,
			    enum dma_data_direction dir, unsigned long attrs)
	DMASIM_LINUX(dma_unmap_single_attrs);

#define dma_map_single(d, p, s, r)   dma_map_single_attrs(d, p, s, r, 0)
#define dma_unmap_single(d, a, s, r) dma_unmap_single_attrs(d, a, s, r, 0)

/* dma_map_phys() and dma_unmap_phys() with DMA_ATTR_MMIO: for what is not RAM. Facts 3.3. */
dma_addr_t dma_map_resource(struct device *dev, phys_addr_t phys, size_t size,
			    enum dma_data_direction dir, unsigned long attrs)
	DMASIM_LINUX(dma_map_resource);
void dma_unmap_resource(struct device *dev, dma_addr_t addr, size_t size,
			enum dma_data_direction dir, unsigned long attrs)
	DMASIM_LINUX(dma_unmap_resource);

/* 0, or -ENOMEM if the address is DMA_MAPPING_ERROR. */
int dma_mapping_error(struct device *dev, dma_addr_t addr)
	DMASIM_LINUX(dma_mapping_error) DMASIM_MUST_CHECK;

/*
 * False only where unmapping does nothing: direct mode, a device that snoops, nothing bounced so
 * far, and not config.dma_debug. So it is asked after mapping. Facts 3.10.
 */
bool dma_need_unmap(struct device *dev) DMASIM_LINUX(dma_need_unmap);

/* The granule minus 1 where the IOMMU can join pieces, 0 in direct mode. Facts 3.11. */
unsigned long dma_get_merge_boundary(struct device *dev) DMASIM_LINUX(dma_get_merge_boundary);

/* ---- Taking turns ----------------------------------------------------- */

/*
 * [addr, addr + size) of a mapping is the CPU's from now on, or the device's. What that needs is
 * done: the CPU's cache is cleaned or invalidated, copies are made. Facts 3.9.
 */
void dma_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
			     enum dma_data_direction dir) DMASIM_LINUX(dma_sync_single_for_cpu);
void dma_sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size,
				enum dma_data_direction dir)
	DMASIM_LINUX(dma_sync_single_for_device);
void dma_sync_single_range_for_cpu(struct device *dev, dma_addr_t addr, unsigned long offset,
				   size_t size, enum dma_data_direction dir)
	DMASIM_LINUX(dma_sync_single_range_for_cpu);
void dma_sync_single_range_for_device(struct device *dev, dma_addr_t addr, unsigned long offset,
				      size_t size, enum dma_data_direction dir)
	DMASIM_LINUX(dma_sync_single_range_for_device);

/* The same for a whole list; nents is the number given to the map. */
void dma_sync_sg_for_cpu(struct device *dev, struct scatterlist *sg, int nents,
			 enum dma_data_direction dir) DMASIM_LINUX(dma_sync_sg_for_cpu);
void dma_sync_sg_for_device(struct device *dev, struct scatterlist *sg, int nents,
			    enum dma_data_direction dir) DMASIM_LINUX(dma_sync_sg_for_device);

#define dma_sync_sgtable_for_cpu(d, t, r)    dma_sync_sg_for_cpu(d, (t)->sgl, (t)->orig_nents, r)
#define dma_sync_sgtable_for_device(d, t, r) dma_sync_sg_for_device(d, (t)->sgl, (t)->orig_nents, r)

/*
 * True if dma_sync_ calls do nothing for any mapping of the device, so far: it snoops, and nothing
 * was bounced for it since its mask was set; and the opposite. Facts 2.
 */
static inline bool dev_dma_skip_sync(const struct device *dev)
{
	return dev->dma_skip_sync;
}

bool dma_dev_need_sync(const struct device *dev) DMASIM_LINUX(dma_dev_need_sync);

/* False if syncing this mapping does nothing. Facts 3.9. */
bool dma_need_sync(struct device *dev, dma_addr_t addr) DMASIM_LINUX(dma_need_sync);

/* ---- Memory that comes mapped ----------------------------------------- */

/*
 * Zeroed memory that CPU and device share without syncs, page aligned and in one piece: its host
 * pointer, and *dma_handle for the device (within its coherent mask). NULL: none, or none that is
 * in one piece on the host, which 64 MiB are at most; below inbound ranges of a host bridge it is
 * looked for at the lowest addresses only; or gfp has __GFP_COMP (reported), attrs has a CC bit,
 * size is 0. A coherent mask of 0 is reported. Freed with the same size, both addresses and attrs;
 * a NULL pointer is nothing. Facts 3.10b.
 */
void *dma_alloc_attrs(struct device *dev, size_t size, dma_addr_t *dma_handle, gfp_t gfp,
		      unsigned long attrs) DMASIM_LINUX(dma_alloc_attrs);
void dma_free_attrs(struct device *dev, size_t size, void *cpu_addr, dma_addr_t dma_handle,
		    unsigned long attrs) DMASIM_LINUX(dma_free_attrs);

#define dma_alloc_coherent(d, s, h, g) dma_alloc_attrs(d, s, h, g, 0)
#define dma_free_coherent(d, s, c, h)  dma_free_attrs(d, s, c, h, 0)

/*
 * Zeroed pages, mapped for dir, that are synced like a mapping: their first page, or their host
 * pointer. NULL: none, or gfp names a zone or __GFP_COMP (reported). Facts 3.10b.
 */
struct page *dma_alloc_pages(struct device *dev, size_t size, dma_addr_t *dma_handle,
			     enum dma_data_direction dir, gfp_t gfp) DMASIM_LINUX(dma_alloc_pages);
void dma_free_pages(struct device *dev, size_t size, struct page *page, dma_addr_t dma_handle,
		    enum dma_data_direction dir) DMASIM_LINUX(dma_free_pages);
void *dma_alloc_noncoherent(struct device *dev, size_t size, dma_addr_t *dma_handle,
			    enum dma_data_direction dir, gfp_t gfp)
	DMASIM_LINUX(dma_alloc_noncoherent);
void dma_free_noncoherent(struct device *dev, size_t size, void *vaddr, dma_addr_t dma_handle,
			  enum dma_data_direction dir) DMASIM_LINUX(dma_free_noncoherent);

/*
 * Memory as a table: one DMA segment of the size rounded up to pages, synced like a list. NULL:
 * none; or attrs beyond ALLOC_SINGLE_PAGES, or __GFP_COMP (reported). The vmap is a host pointer to
 * all of it. The table belongs to the caller until it is freed. Facts 3.10b.
 */
struct sg_table *dma_alloc_noncontiguous(struct device *dev, size_t size,
					 enum dma_data_direction dir, gfp_t gfp,
					 unsigned long attrs) DMASIM_LINUX(dma_alloc_noncontiguous);
void dma_free_noncontiguous(struct device *dev, size_t size, struct sg_table *sgt,
			    enum dma_data_direction dir) DMASIM_LINUX(dma_free_noncontiguous);
void *dma_vmap_noncontiguous(struct device *dev, size_t size, struct sg_table *sgt)
	DMASIM_LINUX(dma_vmap_noncontiguous);
void dma_vunmap_noncontiguous(struct device *dev, void *vaddr)
	DMASIM_LINUX(dma_vunmap_noncontiguous);

/* Pieces of shared memory of one size. */
struct dma_pool;

/*
 * size in bytes, at least 4 are used; align: a power of two, 0 is 1; boundary: a power of two that
 * no piece crosses, not below size, 0: none. A piece has 1 GiB at most when its size is rounded up
 * to align. NULL: these cannot be had, or no memory. The name is not used. The pool belongs to the
 * caller. Pieces that are still in use at its end are reported and their memory is freed all the
 * same; Linux leaks those pages, so that a late DMA still lands in them.
 */
struct dma_pool *dma_pool_create(const char *name, struct device *dev, size_t size, size_t align,
				 size_t boundary) DMASIM_LINUX(dma_pool_create);
void dma_pool_destroy(struct dma_pool *pool) DMASIM_LINUX(dma_pool_destroy);

/* A piece and its DMA address; zeroed by the second, or with __GFP_ZERO. NULL: no memory. */
void *dma_pool_alloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *handle)
	DMASIM_LINUX(dma_pool_alloc);
void *dma_pool_zalloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *handle)
	DMASIM_LINUX(dma_pool_zalloc);

/*
 * Takes a piece back. What is not the start of a piece of the pool, and a piece that is not in use,
 * is reported and nothing is done.
 */
void dma_pool_free(struct dma_pool *pool, void *vaddr, dma_addr_t dma) DMASIM_LINUX(dma_pool_free);

/* As dmasim_called_at(), for the device of a pool; NULL is no pool. */
DMASIM_API struct dma_pool *dmasim_pool_called_at(struct dma_pool *pool,
						  const struct dmasim_site *site);

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
 * Sets sgt->nents. 0, or -EINVAL (bad use), -ENOMEM (try later), -EIO (a piece could not be mapped,
 * or there is none), -EREMOTEIO (peer memory that the device cannot reach), -EOPNOTSUPP
 * (REQUIRE_COHERENT for a device that does not snoop). A device without a mask is reported and has
 * 0 segments, which is no error.
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
 * A device that is untrusted is shown copies of a head and a tail that share a granule; then the
 * state is marked DMA_IOVA_USE_SWIOTLB. 0, -EIO (phys in the middle of a granule at offset > 0,
 * reported as bad-argument), -EADDRINUSE (linked already), -ENXIO (address or phys not aligned),
 * -ERANGE, -EOVERFLOW, -EINVAL (no direction, or size 0), -EPERM (MMIO or REQUIRE_COHERENT that
 * would have to be copied), -EOPNOTSUPP (REQUIRE_COHERENT cannot be had; or no IOMMU serves the
 * device: here, and in the calls below, Linux does not look, and it is reported), -ENOMEM.
 */
int dma_iova_link(struct device *dev, struct dma_iova_state *state, phys_addr_t phys, size_t offset,
		  size_t size, enum dma_data_direction dir, unsigned long attrs)
	DMASIM_LINUX(dma_iova_link) DMASIM_MUST_CHECK;

/*
 * Makes [offset, offset + size) usable by the device. 0, -EOPNOTSUPP (no IOMMU serves the device)
 * or the IOMMU driver's error. Facts 5.4.
 */
int dma_iova_sync(struct device *dev, struct dma_iova_state *state, size_t offset, size_t size)
	DMASIM_LINUX(dma_iova_sync) DMASIM_MUST_CHECK;

/*
 * Removes the entries of [offset, offset + size), rounded out to granules, and invalidates before
 * it returns, in lazy mode too. Copies are copied back before. The range stays allocated. Facts
 * 5.5.
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
