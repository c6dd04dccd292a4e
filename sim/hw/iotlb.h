/* SPDX-License-Identifier: MIT */
/*
 * A translation cache: sets of some ways, tagged by domain, page and page size.
 *
 * Which way is replaced is the hardware's choice: the least recently used one in a plain run, any
 * of the set in a run with random choices.
 *
 * What it takes, in entries looked at, whatever the size of the cache:
 *
 *   a lookup, invalidating a page    one set for each page size that is present (a cache that is
 *                                    fully associative has one set: all of its entries)
 *   a window of several pages        one set for each of them and each size; of a size of which
 *                                    it has more than there are valid entries: what its domain has
 *   a domain                         its valid entries
 *   everything                       all valid entries
 *
 * So a translation that was filled once is looked at once for the end of its domain. A domain's
 * entries are in a list; domains share one whose numbers differ by a multiple of the lists, which
 * are at least as many as entries, or one for each domain.
 */
#ifndef HW_IOTLB_H
#define HW_IOTLB_H

#include <bsd/sys/queue.h>

#include "world/world.h"

#define IOTLB_WAYS 4 /* if nothing else is said */

/*
 * Whose translation it is. In the tag of an entry the page size stands above it, so that two
 * entries are told apart by two words, tag and page.
 *
 *   63        58 57    38 37 36  35     16 15       0
 *    page size    0       N  P    PASID     domain      P: there is a PASID; else both are 0
 *                                                       N: of both stages together
 */
#define IOTLB_TAG_DOMAIN_MASK 0xffffULL
#define IOTLB_TAG_SIZE_SHIFT  58
#define IOTLB_TAG_MASK	      ((1ULL << IOTLB_TAG_SIZE_SHIFT) - 1)

#define IOTLB_TAG_PASID_SHIFT 16
#define IOTLB_TAG_PASID_SET   (1ULL << 36)
#define IOTLB_TAG_NESTED      (1ULL << 37)

/* A domain without PASID. */
static inline u64 iotlb_tag(u16 domain)
{
	return domain;
}

/* A PASID of a domain: what its first stage gives. */
static inline u64 iotlb_pasid_tag(u16 domain, u32 pasid)
{
	return IOTLB_TAG_PASID_SET | (u64)pasid << IOTLB_TAG_PASID_SHIFT | domain;
}

/* The same where that is below a second stage. */
static inline u64 iotlb_nested_tag(u16 domain, u32 pasid)
{
	return IOTLB_TAG_NESTED | iotlb_pasid_tag(domain, pasid);
}

struct iotlb_entry {
	u64 tag;	  /* iotlb_tag(); in the cache with the page size, 0: not valid */
	u64 page;	  /* iova >> page_lg2 */
	phys_addr_t phys; /* of the page */
	u64 used_at;	  /* 0: not valid */
	LIST_ENTRY(iotlb_entry) of_domain;
	u8 page_lg2; /* at least 1 */
	bool read;
	bool write;
	bool accessed; /* what the entry that was walked to says, where it has such bits */
	bool dirty;
};

static inline u16 iotlb_domain(const struct iotlb_entry *entry)
{
	return entry->tag & IOTLB_TAG_DOMAIN_MASK;
}

/* The valid entries of a domain. */
struct iotlb_list {
	LIST_HEAD(, iotlb_entry) entries;
	LIST_ENTRY(iotlb_list) filled; /* among the lists that are not empty */
};

struct iotlb {
	struct world *world;
	struct iotlb_entry *entry; /* sets x ways */
	struct iotlb_entry *last;  /* found or filled last: looked at first */
	struct iotlb_list *list;   /* by domain, modulo their number: a power of two */
	LIST_HEAD(, iotlb_list) filled;
	u32 sets; /* a power of two */
	u32 ways;
	u32 lists;
	u64 clock;
	u64 present;   /* a bit for each page size that has entries: absent ones cost no probe */
	u64 valid;     /* entries */
	u32 count[64]; /* of them, by page size */
	u64 compared;  /* entries that invalidations have looked at */
};

/*
 * Ways, at least 1, times as many sets as entry_count needs: a power of two. One set of all entries
 * is fully associative. 0 or -ENOMEM.
 */
int iotlb_init(struct iotlb *iotlb, struct world *world, u32 entry_count, u32 ways);
void iotlb_fini(struct iotlb *iotlb);

/* iotlb_find() where the entry found last is not the answer. */
const struct iotlb_entry *iotlb_look_up(struct iotlb *iotlb, u64 tag, u64 iova);

static inline bool iotlb_matches(const struct iotlb_entry *entry, u64 tag, u8 page_lg2, u64 iova)
{
	return entry->page == iova >> page_lg2 &&
	       entry->tag == (tag | (u64)page_lg2 << IOTLB_TAG_SIZE_SHIFT);
}

static inline const struct iotlb_entry *iotlb_use(struct iotlb *iotlb, struct iotlb_entry *entry)
{
	entry->used_at = ++iotlb->clock;
	iotlb->last = entry;
	return entry;
}

/* NULL on a miss. Valid until the next call. Counts as a use. Small pages are looked for first. */
static inline const struct iotlb_entry *iotlb_find(struct iotlb *iotlb, u64 tag, u64 iova)
{
	if (!iotlb->present)
		return NULL;
	if (iotlb_matches(iotlb->last, tag, (u8)__builtin_ctzll(iotlb->present), iova))
		return iotlb_use(iotlb, iotlb->last);
	return iotlb_look_up(iotlb, tag, iova);
}

/*
 * The valid entries of a domain, whatever their PASID, that touch [start, last]: the first behind
 * `after` (NULL: of all). NULL: none. A look from outside: it is no use, and counts for nothing.
 */
const struct iotlb_entry *iotlb_peek(const struct iotlb *iotlb, u16 domain, u64 start, u64 last,
				     const struct iotlb_entry *after);

/*
 * An entry for the page around iova, in the place of what its set must give up: valid from now on,
 * with tag and page. The caller says the rest: phys, permissions, marks.
 */
struct iotlb_entry *iotlb_claim(struct iotlb *iotlb, u64 tag, u64 iova, u8 page_lg2);

/* The same, filled in. `entry` is complete but for used_at and the list. */
void iotlb_fill(struct iotlb *iotlb, const struct iotlb_entry *entry);

/* Drops every translation of the tag that touches [start, last]. */
void iotlb_invalidate_range(struct iotlb *iotlb, u64 tag, u64 start, u64 last);

/*
 * The same, but pages of more than 2^page_lg2_max bytes stay: for commands that need not drop a
 * page that is larger than their window (AMD; facts "iova-and-page-tables" 3.3). That something is
 * absent is no page: it goes, else a map of one page could not be made known.
 */
void iotlb_invalidate_small_pages(struct iotlb *iotlb, u64 tag, u64 start, u64 last,
				  u8 page_lg2_max);

/* The same as iotlb_invalidate_range(), of pages whose sizes have a bit, and what is absent. */
void iotlb_invalidate_sizes(struct iotlb *iotlb, u64 tag, u64 start, u64 last, u64 sizes);

/* Drops every translation of the domain, whatever its PASID. */
void iotlb_invalidate_domain(struct iotlb *iotlb, u16 domain);
/* Those of both stages together, whatever the PASID and the address. */
void iotlb_invalidate_nested(struct iotlb *iotlb, u16 domain);
void iotlb_invalidate_all(struct iotlb *iotlb);

#endif
