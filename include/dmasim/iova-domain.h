/* SPDX-License-Identifier: MIT */
/*
 * Linux's names for IOVA space: what drivers of IOMMUs and others that hand out addresses call.
 * Behind them works whatever allocator the machine was made with (config.iova_ops); its ranges are
 * told in pages of the domain's granule, bounds inclusive.
 *
 * A domain is the caller's memory. Between dmasim_iova_domain_init() and put_iova_domain() it knows
 * its machine; the functions here take that from it. (Linux's init_iova_domain(), which has no
 * machine among its arguments, is in dmasim/kernel.h.)
 *
 * alloc_iova(), reserve_iova() and find_iova() give a struct iova: a record of its own beside the
 * allocator's, made for who asks and counted apart (the fault point "iova"); the calls whose names
 * end in _fast need none. It belongs to the domain, and is valid until its range is freed.
 *
 * Wrong calls do what they do in Linux: freeing what is not allocated is ignored by the tree, and
 * taken for what it claims to be by a cache (facts "dma-api" 6.3, 6.5).
 */
#ifndef DMASIM_IOVA_DOMAIN_H
#define DMASIM_IOVA_DOMAIN_H

#include <dmasim/types.h>

/* Linux's unsigned long: that of a 64-bit kernel, on every host. */
#if __SIZEOF_LONG__ == 8
typedef unsigned long dmasim_ulong;
#else
typedef u64 dmasim_ulong;
#endif

struct dmasim;
struct iova_space;
struct os;

/* A range that is not free. */
struct iova {
	dmasim_ulong pfn_hi; /* its last page */
	dmasim_ulong pfn_lo;
};

struct iova_domain {
	dmasim_ulong granule;	    /* bytes of a page */
	dmasim_ulong start_pfn;	    /* lowest that may be handed out */
	dmasim_ulong dma_32bit_pfn; /* the page at 4 GiB */

	/* dmasim's own. */
	struct os *os;
	struct iova_space *space;
};

DMASIM_BEGIN_DECLS

/*
 * Begins an empty space in memory of the caller's. granule: bytes, a power of two up to PAGE_SIZE;
 * another one would stop a kernel: it is reported, and the domain gives nothing. start_pfn: 1 or
 * more, because 0 is alloc_iova_fast()'s failure. Allocates nothing yet.
 */
DMASIM_API void dmasim_iova_domain_init(struct dmasim *s, struct iova_domain *iovad,
					dmasim_ulong granule, dmasim_ulong start_pfn);

/* Gives the calls named _fast their caches; without them they work, too. 0 or -ENOMEM. */
int iova_domain_init_rcaches(struct iova_domain *iovad) DMASIM_LINUX(iova_domain_init_rcaches);

/* Ends the domain and frees all of it, live ranges and every struct iova included. */
void put_iova_domain(struct iova_domain *iovad) DMASIM_LINUX(put_iova_domain);

/*
 * `size` pages, at least 1, none above limit_pfn; size_aligned: aligned to the power of two not
 * below size. NULL: there is no place, or no memory.
 */
struct iova *alloc_iova(struct iova_domain *iovad, dmasim_ulong size, dmasim_ulong limit_pfn,
			bool size_aligned) DMASIM_LINUX(alloc_iova);

/* Frees the range that holds pfn, whichever of its pages that is. Nothing if there is none. */
void free_iova(struct iova_domain *iovad, dmasim_ulong pfn) DMASIM_LINUX(free_iova);

/* Frees the range, and the record. */
void __free_iova(struct iova_domain *iovad, struct iova *iova) DMASIM_LINUX(__free_iova);

/*
 * The same through the cache of this CPU, naturally aligned; sizes below 32 are rounded up to a
 * power of two. flush_rcache: before it fails the caches are emptied. Returns the first page; 0:
 * there is no place, or no memory.
 */
dmasim_ulong alloc_iova_fast(struct iova_domain *iovad, dmasim_ulong size, dmasim_ulong limit_pfn,
			     bool flush_rcache) DMASIM_LINUX(alloc_iova_fast);

/* `size` as it was asked for. */
void free_iova_fast(struct iova_domain *iovad, dmasim_ulong pfn, dmasim_ulong size)
	DMASIM_LINUX(free_iova_fast);

/*
 * Keeps [pfn_lo, pfn_hi] from being handed out. Returns the range that holds its last page now,
 * which may be larger and older than what was asked for. NULL: a page that no address has (a
 * report, as Linux warns), or no memory.
 */
struct iova *reserve_iova(struct iova_domain *iovad, dmasim_ulong pfn_lo, dmasim_ulong pfn_hi)
	DMASIM_LINUX(reserve_iova);

/*
 * The range that holds pfn: a live one, a reserved one, or one that lies in a cache. NULL: there is
 * none, or no memory for a record. Of allocators that do not tell their ranges only those are found
 * that have a record.
 */
struct iova *find_iova(struct iova_domain *iovad, dmasim_ulong pfn) DMASIM_LINUX(find_iova);

/* Bytes of the largest range that caches keep: 128 KiB. */
dmasim_ulong iova_rcache_range(void) DMASIM_LINUX(iova_rcache_range);

/* ---- Between pages and addresses -------------------------------------- */

static inline dmasim_ulong iova_size(const struct iova *iova)
{
	return iova->pfn_hi - iova->pfn_lo + 1;
}

static inline unsigned int iova_shift(const struct iova_domain *iovad)
{
	return (unsigned int)__builtin_ctzll(iovad->granule);
}

static inline dmasim_ulong iova_mask(const struct iova_domain *iovad)
{
	return iovad->granule - 1;
}

/* Of an address, in its page. */
static inline size_t iova_offset(const struct iova_domain *iovad, dma_addr_t iova)
{
	return (size_t)(iova & iova_mask(iovad));
}

/* Rounded up to whole pages. */
static inline size_t iova_align(const struct iova_domain *iovad, size_t size)
{
	return (size_t)((size + iova_mask(iovad)) & ~iova_mask(iovad));
}

static inline dma_addr_t iova_dma_addr(const struct iova_domain *iovad, const struct iova *iova)
{
	return (dma_addr_t)iova->pfn_lo << iova_shift(iovad);
}

static inline dmasim_ulong iova_pfn(const struct iova_domain *iovad, dma_addr_t iova)
{
	return (dmasim_ulong)(iova >> iova_shift(iovad));
}

DMASIM_END_DECLS

#endif
