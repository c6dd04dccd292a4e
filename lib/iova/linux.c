/* SPDX-License-Identifier: MIT */
/*
 * Linux's allocator: the same places, the same failures, for the same calls (facts
 * "iova-and-page-tables" 1.1, 1.2; 6.12 to 7.3). Linux walks a red-black tree range by range; here
 * an index of the gaps finds the end of the walk.
 *
 * The policy is next fit, downwards from the last range of its class (below or above 4 GiB), and
 * once more above that range:
 *
 *   start |  . . . . . . . . . . . . [last of its class] . . . . . . | limit
 *           <------ pass one -------                     <-- two --
 *
 * A failure is remembered: 32-bit requests of that size or more fail at once until something that
 * begins below 4 GiB is freed.
 */
#include "iova/linux.h"

#include "iova/index_hot.h"
#include "iova/rcache.h"

struct cached {
	u64 first_pfn;
	u64 last_pfn;
};

struct iova_allocator {
	struct platform *platform;
	struct platform_lock lock; /* of what follows, but the caches */
	struct iova_index index;
	u64 start_pfn;
	u64 end32_pfn; /* 4 GiB */
	u64 pfn_max;   /* of what is reserved */
	/* The last range of each class; above everything: [~0, ~0]. */
	struct cached cached;
	struct cached cached32;
	u64 max32;
	u32 max32_align_lg2; /* of the request that failed (IOVA_REPAIR_MAX32) */
	bool repair_max32;
	struct iova_rcaches rcaches;
	struct iova_cpu_rcache cpu[][IOVA_RCACHE_CLASSES];
};

static const struct cached anchor = { .first_pfn = ~0ULL, .last_pfn = ~0ULL };

/* ---- Ranges ----------------------------------------------------------- */

DMASIM_HOT static bool search_above(struct iova_allocator *allocator, struct iova_search *search,
				    u64 top, u64 lowest, struct iova_place *place)
{
	search->top = top;
	return (index_search_near(&allocator->index, search, place) ||
		iova_index_search(&allocator->index, search, place)) &&
	       place->pfn >= lowest;
}

static bool fails_at_once(const struct iova_allocator *allocator, const struct iova_search *search)
{
	return search->pages >= allocator->max32 &&
	       (!allocator->repair_max32 || search->align_lg2 >= allocator->max32_align_lg2);
}

static void remember_failure(struct iova_allocator *allocator, const struct iova_search *search,
			     u64 limit)
{
	/* What fails below some other limit says nothing about all of the 32-bit space. */
	if (allocator->repair_max32 && limit != allocator->end32_pfn)
		return;
	allocator->max32 = search->pages;
	allocator->max32_align_lg2 = search->align_lg2;
}

static u64 take(struct iova_allocator *allocator, struct iova_search *search, u64 limit)
{
	bool low = limit <= allocator->end32_pfn;
	struct cached *from = low ? &allocator->cached32 : &allocator->cached;
	struct iova_place place;

	if (low && fails_at_once(allocator, search))
		return IOVA_NO_PFN;
	if (!search_above(allocator, search, limit < from->first_pfn ? limit : from->first_pfn,
			  allocator->start_pfn, &place) &&
	    (from->last_pfn >= limit ||
	     !search_above(allocator, search, limit, from->last_pfn + 1, &place))) {
		remember_failure(allocator, search, limit);
		return IOVA_NO_PFN;
	}
	if (index_insert(&allocator->index, place, place.pfn + (search->pages - 1), false))
		return IOVA_NO_PFN;
	/* The class is that of the place, not of the limit. */
	from = place.pfn + search->pages <= allocator->end32_pfn ? &allocator->cached32
								 : &allocator->cached;
	from->first_pfn = place.pfn;
	from->last_pfn = place.pfn + (search->pages - 1);
	return place.pfn;
}

/* A limit of ~0 wraps to 0, the lowest of 32-bit limits, as in Linux. */
DMASIM_HOT static u64 alloc_range(struct iova_allocator *allocator, u64 pages, u64 limit_pfn,
				  u32 align_lg2)
{
	struct iova_search search = {
		.pages = pages,
		.align_lg2 = align_lg2,
	};
	u64 pfn;

	platform_lock(allocator->platform, &allocator->lock);
	pfn = take(allocator, &search, limit_pfn + 1);
	platform_unlock(allocator->platform, &allocator->lock);
	return pfn;
}

/* Number by number: a copy as a whole would wait for its parts to be in the cache. */
static void set_cached(struct cached *cached, const struct iova_range *range)
{
	cached->first_pfn = range->first_pfn;
	cached->last_pfn = range->last_pfn;
}

/* The range that contains pfn, whatever its size; nothing, if there is none. */
DMASIM_HOT static void free_range(struct iova_allocator *allocator, u64 pfn)
{
	struct iova_range range, above;

	platform_lock(allocator->platform, &allocator->lock);
	if (index_remove(&allocator->index, pfn, &range, &above)) {
		if (range.last_pfn == allocator->cached32.last_pfn ||
		    (range.last_pfn < allocator->end32_pfn &&
		     range.first_pfn >= allocator->cached32.first_pfn))
			set_cached(&allocator->cached32, &above);
		if (range.first_pfn < allocator->end32_pfn)
			allocator->max32 = allocator->end32_pfn;
		if (range.first_pfn >= allocator->cached.first_pfn)
			set_cached(&allocator->cached, &above);
	}
	platform_unlock(allocator->platform, &allocator->lock);
}

/* ---- The caches above ------------------------------------------------- */

static u32 order_of(u64 pages)
{
	return iova_natural(pages);
}

static u64 alloc_fast(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u32 how)
{
	u32 order = order_of(pages);
	u32 align_lg2 = how & IOVA_ALIGN_LG2;
	u64 pfn;

	if (order < IOVA_RCACHE_CLASSES) {
		pages = 1ULL << order;
		/* A limit below the size wraps, as in Linux: such a range is above no limit. */
		pfn = align_lg2 > order
			      ? IOVA_NO_PFN
			      : iova_rcache_get(&allocator->rcaches, order, limit_pfn + 1 - pages);
		if (DMASIM_LIKELY(pfn != IOVA_NO_PFN))
			return pfn;
	}
	align_lg2 = align_lg2 > order ? align_lg2 : order;
	pfn = alloc_range(allocator, pages, limit_pfn, align_lg2);
	if (pfn != IOVA_NO_PFN || !(how & IOVA_FLUSH))
		return pfn;
	iova_rcaches_flush(&allocator->rcaches);
	return alloc_range(allocator, pages, limit_pfn, align_lg2);
}

static void give_back(struct iova_rcaches *rcaches, u64 pfn)
{
	free_range((struct iova_allocator *)((char *)rcaches -
					     offsetof(struct iova_allocator, rcaches)),
		   pfn);
}

/* ---- The table -------------------------------------------------------- */

static struct iova_allocator *linux_create(const struct iova_allocator_config *config)
{
	struct iova_allocator *allocator;

	allocator = platform_alloc(config->platform, DMASIM_FAULT_IOVA_DOMAIN,
				   sizeof(*allocator) + config->cpus * sizeof(allocator->cpu[0]));
	if (!allocator)
		return NULL;
	allocator->platform = config->platform;
	iova_index_init(&allocator->index, config->platform);
	allocator->start_pfn = config->start_pfn;
	allocator->end32_pfn = 1ULL << (32 - config->granule_lg2);
	/* Page ~0 is no range's: it stands for what is above all of them. */
	allocator->pfn_max = (~0ULL - 1) >> config->granule_lg2;
	allocator->cached = anchor;
	allocator->cached32 = anchor;
	allocator->max32 = allocator->end32_pfn;
	allocator->repair_max32 = config->repairs & (1U << IOVA_REPAIR_MAX32);
	allocator->rcaches.platform = config->platform;
	allocator->rcaches.cpus = config->cpus;
	allocator->rcaches.cpu = allocator->cpu;
	allocator->rcaches.search_all = config->repairs & (1U << IOVA_REPAIR_CACHE_MISS);
	allocator->rcaches.give_back = give_back;
	iova_rcaches_init(&allocator->rcaches);
	return allocator;
}

static void linux_destroy(struct iova_allocator *allocator)
{
	iova_rcaches_fini(&allocator->rcaches);
	iova_index_fini(&allocator->index);
	platform_free(allocator->platform, allocator);
}

DMASIM_HOT static u64 linux_alloc(struct iova_allocator *allocator, u64 pages, u64 limit_pfn,
				  u32 how)
{
	if (DMASIM_UNLIKELY(!pages))
		return IOVA_NO_PFN;
	if (how & IOVA_CACHE)
		return alloc_fast(allocator, pages, limit_pfn, how);
	return alloc_range(allocator, pages, limit_pfn, how & IOVA_ALIGN_LG2);
}

DMASIM_HOT static void linux_free(struct iova_allocator *allocator, u64 pfn, u64 pages, u32 how)
{
	u32 order = order_of(pages);

	if ((how & IOVA_CACHE) && order < IOVA_RCACHE_CLASSES &&
	    iova_rcache_put(&allocator->rcaches, order, pfn))
		return;
	free_range(allocator, pfn);
}

/* The range begins at `first` now; if it is a cached one, that one does. */
static int extend(struct iova_allocator *allocator, const struct iova_range *range, u64 first)
{
	int err = iova_index_extend(&allocator->index, range->last_pfn, first);

	if (err)
		return err;
	if (range->last_pfn == allocator->cached.last_pfn)
		allocator->cached.first_pfn = first;
	if (range->last_pfn == allocator->cached32.last_pfn)
		allocator->cached32.first_pfn = first;
	return 0;
}

/* Ranges that overlap grow downwards over the gap below them; the rest becomes one of its own. */
static int reserve(struct iova_allocator *allocator, u64 first_pfn, u64 last_pfn)
{
	struct iova_range range;

	while (iova_index_next(&allocator->index, first_pfn, &range) &&
	       range.first_pfn <= last_pfn) {
		int err = 0;

		if (first_pfn < range.first_pfn)
			err = extend(allocator, &range, first_pfn);
		if (err || last_pfn <= range.last_pfn)
			return err;
		first_pfn = range.last_pfn + 1;
	}
	return iova_index_insert_at(&allocator->index, first_pfn, last_pfn, true);
}

static int linux_reserve(struct iova_allocator *allocator, u64 first_pfn, u64 last_pfn)
{
	int err;

	/* There is nothing above. Linux refuses it, where its callers are (reserve_iova()). */
	if (first_pfn > allocator->pfn_max)
		return 0;
	if (last_pfn > allocator->pfn_max)
		last_pfn = allocator->pfn_max;
	platform_lock(allocator->platform, &allocator->lock);
	err = reserve(allocator, first_pfn, last_pfn);
	platform_unlock(allocator->platform, &allocator->lock);
	return err;
}

static bool linux_next(struct iova_allocator *allocator, u64 pfn, struct iova_range *range)
{
	return iova_index_next(&allocator->index, pfn, range);
}

static void linux_stats(struct iova_allocator *allocator, struct iova_stats *stats)
{
	*stats = (struct iova_stats){ .ranges = allocator->index.count };
	for (u32 order = 0; order < IOVA_RCACHE_CLASSES; order++) {
		u64 count = iova_rcaches_count(&allocator->rcaches, order);

		stats->cached_ranges += count;
		stats->cached_pages += count << order;
	}
}

/* ---- For comparison --------------------------------------------------- */

void iova_linux_state(const struct iova_allocator *allocator, struct iova_linux_state *state)
{
	*state = (struct iova_linux_state){
		.cached_pfn = allocator->cached.first_pfn,
		.cached32_pfn = allocator->cached32.first_pfn,
		.max32 = allocator->max32,
		.nodes = allocator->index.count,
	};
}

u32 iova_linux_trim(struct iova_allocator *allocator, u32 order)
{
	return iova_rcaches_trim(&allocator->rcaches, order);
}

u32 iova_linux_depot(const struct iova_allocator *allocator, u32 order)
{
	return allocator->rcaches.depot[order].count;
}

const struct iova_allocator_ops *dmasim_iova_linux(void)
{
	static const struct iova_allocator_ops ops = {
		.size = sizeof(ops),
		.name = "linux",
		.traits = IOVA_FAILS_EARLY | IOVA_FREE_ALLOCATES | IOVA_LOOSE_RESERVE |
			  IOVA_LIMIT_WRAPS,
		.create = linux_create,
		.destroy = linux_destroy,
		.alloc = linux_alloc,
		.free = linux_free,
		.reserve = linux_reserve,
		.next = linux_next,
		.stats = linux_stats,
	};

	return &ops;
}
