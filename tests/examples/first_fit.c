/* SPDX-License-Identifier: MIT */
/*
 * An IOVA allocator in one file, written from dmasim/iova.h: the lowest place that fits, found by
 * walking two lists. To see it judged beside the others:
 *
 *	cc -shared -fPIC first_fit.c -o first_fit.so $(pkg-config --cflags dmasim-workbench)
 *	dmasim iova check --plugin ./first_fit.so
 *
 *   start |[live][live]....[reserved]..[live]......................| limit
 *          -------------------> the first gap that is long enough
 */
#include <errno.h>

#include <dmasim/iova.h>
#include <dmasim/lock.h>

struct range {
	struct range *next;
	u64 first, last;
};

/* Both lists ascend, and ranges of one list do not overlap. */
struct iova_allocator {
	struct platform *platform;
	struct platform_lock lock;
	u64 start_pfn;
	struct range *live;
	struct range *reserved;
};

static struct iova_allocator *first_fit_create(const struct iova_allocator_config *config)
{
	struct iova_allocator *allocator;

	allocator = platform_alloc(config->platform, DMASIM_FAULT_IOVA_DOMAIN, sizeof(*allocator));
	if (!allocator)
		return NULL;
	allocator->platform = config->platform;
	allocator->start_pfn = config->start_pfn;
	return allocator;
}

static void drop(struct iova_allocator *allocator, struct range **at)
{
	struct range *range = *at;

	*at = range->next;
	platform_free(allocator->platform, range);
}

static void first_fit_destroy(struct iova_allocator *allocator)
{
	while (allocator->live)
		drop(allocator, &allocator->live);
	while (allocator->reserved)
		drop(allocator, &allocator->reserved);
	platform_free(allocator->platform, allocator);
}

static struct range *new_range(struct iova_allocator *allocator)
{
	return platform_alloc(allocator->platform, DMASIM_FAULT_IOVA_NODE, sizeof(struct range));
}

static void insert(struct range **at, struct range *range, u64 first, u64 last)
{
	range->first = first;
	range->last = last;
	range->next = *at;
	*at = range;
}

/* Where the list goes on at or above pfn. */
static struct range **from(struct range **at, u64 pfn)
{
	while (*at && (*at)->last < pfn)
		at = &(*at)->next;
	return at;
}

static bool meets(const struct range *range, u64 last)
{
	return range && range->first <= last;
}

/* IOVA_NO_PFN, which is above every limit, if there is no such multiple. */
static u64 round_up(u64 pfn, u64 align)
{
	return pfn > ~0ULL - (align - 1) ? IOVA_NO_PFN : (pfn + (align - 1)) & ~(align - 1);
}

/* The lowest place; *at is where it belongs in the list of live ranges. */
static u64 search(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u64 align,
		  struct range ***at)
{
	struct range **live = &allocator->live, **reserved = &allocator->reserved;
	u64 pfn = round_up(allocator->start_pfn, align);

	while (pfn <= limit_pfn && limit_pfn - pfn >= pages - 1) {
		live = from(live, pfn);
		reserved = from(reserved, pfn);
		if (meets(*live, pfn + (pages - 1))) {
			pfn = round_up((*live)->last + 1, align);
		} else if (meets(*reserved, pfn + (pages - 1))) {
			pfn = round_up((*reserved)->last + 1, align);
		} else {
			*at = live;
			return pfn;
		}
	}
	return IOVA_NO_PFN;
}

static u64 first_fit_alloc(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u32 how)
{
	struct range *range = new_range(allocator);
	struct range **at;
	u64 pfn;

	if (!range)
		return IOVA_NO_PFN;
	platform_lock(allocator->platform, &allocator->lock);
	pfn = search(allocator, pages, limit_pfn, 1ULL << (how & IOVA_ALIGN_LG2), &at);
	if (pfn != IOVA_NO_PFN)
		insert(at, range, pfn, pfn + (pages - 1));
	platform_unlock(allocator->platform, &allocator->lock);
	if (pfn == IOVA_NO_PFN)
		platform_free(allocator->platform, range);
	return pfn;
}

/* What is not exactly one allocation is ignored. */
static void first_fit_free(struct iova_allocator *allocator, u64 pfn, u64 pages, u32 how)
{
	struct range **at;

	(void)how; /* it has no caches */
	platform_lock(allocator->platform, &allocator->lock);
	at = from(&allocator->live, pfn);
	if (*at && (*at)->first == pfn && (*at)->last - pfn == pages - 1)
		drop(allocator, at);
	platform_unlock(allocator->platform, &allocator->lock);
}

/* Reserved ranges that overlap become one; live ones know nothing of them. */
static int first_fit_reserve(struct iova_allocator *allocator, u64 first_pfn, u64 last_pfn)
{
	struct range *range = new_range(allocator);
	struct range **at;

	if (!range)
		return -ENOMEM;
	platform_lock(allocator->platform, &allocator->lock);
	at = from(&allocator->reserved, first_pfn);
	while (meets(*at, last_pfn)) {
		if ((*at)->first < first_pfn)
			first_pfn = (*at)->first;
		if ((*at)->last > last_pfn)
			last_pfn = (*at)->last;
		drop(allocator, at);
	}
	insert(at, range, first_pfn, last_pfn);
	platform_unlock(allocator->platform, &allocator->lock);
	return 0;
}

static const struct iova_allocator_ops first_fit_ops = {
	.size = sizeof(first_fit_ops),
	.name = "first fit",
	.create = first_fit_create,
	.destroy = first_fit_destroy,
	.alloc = first_fit_alloc,
	.free = first_fit_free,
	.reserve = first_fit_reserve,
};

DMASIM_IOVA_PLUGIN(first_fit_ops)
