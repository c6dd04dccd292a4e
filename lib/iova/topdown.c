/* SPDX-License-Identifier: MIT */
/*
 * An IOVA allocator that is plainly right: the ranges in use in a tree by address, and a search
 * from the limit downwards that takes the first gap that fits. Linear in the ranges it skips.
 *
 *   start_pfn |..gap..[range][range]....gap....[range]..gap..| limit
 *                                                     <------- search
 */
#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <errno.h>

#include <dmasim/iova.h>
#include <dmasim/lock.h>

struct range {
	union {
		RB_ENTRY(range) by_pfn;
		SLIST_ENTRY(range) spare;
	} link;
	u64 first;
	u64 last;
	bool reserved;
};

RB_HEAD(range_tree, range);
SLIST_HEAD(range_list, range);

struct iova_allocator {
	struct platform *platform;
	struct platform_lock lock;
	u64 start_pfn;
	u64 last_pfn;
	struct range_tree tree;
	struct range_list spares; /* records of freed ranges, for the next ones */
};

static int compare_pfn(struct range *a, struct range *b)
{
	return (a->first > b->first) - (a->first < b->first);
}

RB_PROTOTYPE(range_tree, range, link.by_pfn, compare_pfn)
RB_GENERATE(range_tree, range, link.by_pfn, compare_pfn)

static struct iova_allocator *topdown_create(const struct iova_allocator_config *config)
{
	struct iova_allocator *allocator;

	allocator = platform_alloc(config->platform, DMASIM_FAULT_IOVA_DOMAIN, sizeof(*allocator));
	if (!allocator)
		return NULL;
	allocator->platform = config->platform;
	allocator->start_pfn = config->start_pfn;
	allocator->last_pfn = config->last_pfn;
	RB_INIT(&allocator->tree);
	SLIST_INIT(&allocator->spares);
	return allocator;
}

static void topdown_destroy(struct iova_allocator *allocator)
{
	struct range *range = RB_MIN(range_tree, &allocator->tree);

	while (range) {
		struct range *next = RB_NEXT(range_tree, &allocator->tree, range);

		RB_REMOVE(range_tree, &allocator->tree, range);
		platform_free(allocator->platform, range);
		range = next;
	}
	while (!SLIST_EMPTY(&allocator->spares)) {
		range = SLIST_FIRST(&allocator->spares);
		SLIST_REMOVE_HEAD(&allocator->spares, link.spare);
		platform_free(allocator->platform, range);
	}
	platform_free(allocator->platform, allocator);
}

static struct range *new_range(struct iova_allocator *allocator)
{
	struct range *range = SLIST_FIRST(&allocator->spares);

	if (!range)
		return platform_alloc(allocator->platform, DMASIM_FAULT_IOVA_NODE, sizeof(*range));
	SLIST_REMOVE_HEAD(&allocator->spares, link.spare);
	return range;
}

static void insert(struct iova_allocator *allocator, struct range *range, u64 first, u64 last,
		   bool reserved)
{
	*range = (struct range){ .first = first, .last = last, .reserved = reserved };
	RB_INSERT(range_tree, &allocator->tree, range);
}

static void drop(struct iova_allocator *allocator, struct range *range)
{
	RB_REMOVE(range_tree, &allocator->tree, range);
	SLIST_INSERT_HEAD(&allocator->spares, range, link.spare);
}

/* The last range that starts at or below pfn. */
static struct range *at_or_below(struct iova_allocator *allocator, u64 pfn)
{
	struct range *range = RB_ROOT(&allocator->tree);
	struct range *best = NULL;

	while (range) {
		if (range->first <= pfn) {
			best = range;
			range = RB_RIGHT(range, link.by_pfn);
		} else {
			range = RB_LEFT(range, link.by_pfn);
		}
	}
	return best;
}

/* The highest aligned run of `pages` in the gap [low, high], or IOVA_NO_PFN. */
static u64 fit(u64 low, u64 high, u64 pages, u64 align)
{
	u64 pfn;

	if (high < low || high - low < pages - 1)
		return IOVA_NO_PFN;
	pfn = (high - (pages - 1)) & ~(align - 1);
	return pfn < low ? IOVA_NO_PFN : pfn;
}

static u64 search(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u64 align)
{
	u64 high = limit_pfn < allocator->last_pfn ? limit_pfn : allocator->last_pfn;
	struct range *range = at_or_below(allocator, high);

	while (range) {
		u64 low = range->last + 1 > allocator->start_pfn ? range->last + 1
								 : allocator->start_pfn;
		u64 pfn = range->last < high ? fit(low, high, pages, align) : IOVA_NO_PFN;

		if (pfn != IOVA_NO_PFN || range->first <= allocator->start_pfn)
			return pfn;
		high = range->first - 1;
		range = RB_PREV(range_tree, &allocator->tree, range);
	}
	return fit(allocator->start_pfn, high, pages, align);
}

static u64 take(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u32 how)
{
	struct range *range;
	u64 pfn;

	if (!pages || pages > 1ULL << 62)
		return IOVA_NO_PFN;
	pfn = search(allocator, pages, limit_pfn, 1ULL << (how & IOVA_ALIGN_LG2));
	if (pfn == IOVA_NO_PFN)
		return IOVA_NO_PFN;
	range = new_range(allocator);
	if (!range)
		return IOVA_NO_PFN;
	insert(allocator, range, pfn, pfn + pages - 1, false);
	return pfn;
}

static void give_back(struct iova_allocator *allocator, u64 pfn, u64 pages)
{
	struct range *range = at_or_below(allocator, pfn);

	if (range && !range->reserved && range->first == pfn && range->last - pfn == pages - 1)
		drop(allocator, range);
}

static u64 topdown_alloc(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u32 how)
{
	u64 pfn;

	platform_lock(allocator->platform, &allocator->lock);
	pfn = take(allocator, pages, limit_pfn, how);
	platform_unlock(allocator->platform, &allocator->lock);
	return pfn;
}

static void topdown_free(struct iova_allocator *allocator, u64 pfn, u64 pages, u32 how)
{
	(void)how;
	platform_lock(allocator->platform, &allocator->lock);
	give_back(allocator, pfn, pages);
	platform_unlock(allocator->platform, &allocator->lock);
}

/* Overlapping ones become one range. */
static int topdown_reserve(struct iova_allocator *allocator, u64 first_pfn, u64 last_pfn)
{
	struct range *range;

	for (;;) {
		range = at_or_below(allocator, last_pfn);
		if (!range || range->last < first_pfn)
			break;
		if (range->first < first_pfn)
			first_pfn = range->first;
		if (range->last > last_pfn)
			last_pfn = range->last;
		drop(allocator, range);
	}
	range = new_range(allocator);
	if (!range)
		return -ENOMEM;
	insert(allocator, range, first_pfn, last_pfn, true);
	return 0;
}

const struct iova_allocator_ops *dmasim_iova_topdown(void)
{
	static const struct iova_allocator_ops ops = {
		.size = sizeof(ops),
		.name = "topdown",
		.traits = IOVA_HIGHEST_FIT,
		.create = topdown_create,
		.destroy = topdown_destroy,
		.alloc = topdown_alloc,
		.free = topdown_free,
		.reserve = topdown_reserve,
	};

	return &ops;
}
