/* SPDX-License-Identifier: MIT */
/*
 * A program's own IOVA allocator: an unsorted array of ranges, tried from the limit downwards. It
 * has no caches, tells its ranges, and takes memory for each: for tests of what happens without.
 */
#ifndef UNIT_API_PLAIN_IOVA_H
#define UNIT_API_PLAIN_IOVA_H

#include <errno.h>

#include <dmasim/iova.h>

#define PLAIN_RANGES_MAX 64

struct iova_allocator {
	struct platform *platform;
	u64 start_pfn, last_pfn;
	struct iova_range range[PLAIN_RANGES_MAX];
	void *record[PLAIN_RANGES_MAX];
	u32 count;
};

static struct iova_allocator *plain_create(const struct iova_allocator_config *config)
{
	struct iova_allocator *a;

	a = platform_alloc(config->platform, DMASIM_FAULT_IOVA_DOMAIN, sizeof(*a));
	if (!a)
		return NULL;
	a->platform = config->platform;
	a->start_pfn = config->start_pfn;
	a->last_pfn = config->last_pfn;
	return a;
}

static void plain_destroy(struct iova_allocator *a)
{
	while (a->count)
		platform_free(a->platform, a->record[--a->count]);
	platform_free(a->platform, a);
}

/* False: no memory. */
static bool plain_add(struct iova_allocator *a, struct iova_range range)
{
	void *record = platform_alloc(a->platform, DMASIM_FAULT_IOVA_NODE, 1);

	if (!record)
		return false;
	a->record[a->count] = record;
	a->range[a->count++] = range;
	return true;
}

/* The range that overlaps [first, last], or NULL. */
static const struct iova_range *plain_overlap(const struct iova_allocator *a, u64 first, u64 last)
{
	for (u32 i = 0; i < a->count; i++) {
		if (a->range[i].first_pfn <= last && a->range[i].last_pfn >= first)
			return &a->range[i];
	}
	return NULL;
}

static u64 plain_alloc(struct iova_allocator *a, u64 pages, u64 limit_pfn, u32 how)
{
	u64 align = 1ULL << (how & IOVA_ALIGN_LG2);
	u64 end = (limit_pfn < a->last_pfn ? limit_pfn : a->last_pfn - 1) + 1;
	const struct iova_range *in_the_way;
	u64 pfn;

	do {
		if (end < pages || a->count == PLAIN_RANGES_MAX)
			return IOVA_NO_PFN;
		pfn = (end - pages) & ~(align - 1);
		if (pfn < a->start_pfn)
			return IOVA_NO_PFN;
		in_the_way = plain_overlap(a, pfn, pfn + pages - 1);
		end = in_the_way ? in_the_way->first_pfn : end;
	} while (in_the_way);
	if (!plain_add(a, (struct iova_range){ pfn, pfn + pages - 1, false }))
		return IOVA_NO_PFN;
	return pfn;
}

static void plain_free(struct iova_allocator *a, u64 pfn, u64 pages, u32 how)
{
	(void)pages;
	(void)how;
	for (u32 i = 0; i < a->count; i++) {
		if (a->range[i].first_pfn != pfn)
			continue;
		platform_free(a->platform, a->record[i]);
		a->range[i] = a->range[--a->count];
		a->record[i] = a->record[a->count];
	}
}

static int plain_reserve(struct iova_allocator *a, u64 first_pfn, u64 last_pfn)
{
	if (plain_overlap(a, first_pfn, last_pfn))
		return 0;
	return plain_add(a, (struct iova_range){ first_pfn, last_pfn, true }) ? 0 : -ENOMEM;
}

static bool plain_next(struct iova_allocator *a, u64 pfn, struct iova_range *range)
{
	const struct iova_range *best = NULL;

	for (u32 i = 0; i < a->count; i++) {
		if (a->range[i].last_pfn >= pfn && (!best || a->range[i].last_pfn < best->last_pfn))
			best = &a->range[i];
	}
	if (best)
		*range = *best;
	return best;
}

static const struct iova_allocator_ops plain_iova = {
	.size = sizeof(plain_iova),
	.name = "plain",
	.create = plain_create,
	.destroy = plain_destroy,
	.alloc = plain_alloc,
	.free = plain_free,
	.reserve = plain_reserve,
	.next = plain_next,
};

#endif
