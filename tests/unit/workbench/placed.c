/* SPDX-License-Identifier: MIT */
#include "unit/workbench/placed.h"

struct iova_allocator {
	struct placed *placed;
	struct platform *platform;
};

static struct iova_allocator *placed_create(const struct iova_allocator_config *config)
{
	struct iova_allocator *allocator =
		platform_alloc(config->platform, DMASIM_FAULT_IOVA_DOMAIN, sizeof(*allocator));

	if (!allocator)
		return NULL;
	allocator->placed = config->context;
	allocator->platform = config->platform;
	allocator->placed->live++;
	allocator->placed->last_pfn = config->last_pfn;
	return allocator;
}

static void placed_destroy(struct iova_allocator *allocator)
{
	allocator->placed->live--;
	platform_free(allocator->platform, allocator);
}

static u64 placed_alloc(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u32 how)
{
	struct placed *placed = allocator->placed;

	(void)pages;
	(void)how;
	placed->limit = limit_pfn;
	placed->cpus_seen |= 1U << allocator->platform->cpu;
	return placed->pfn[placed->allocations++ % PLACED_MAX];
}

static void placed_free(struct iova_allocator *allocator, u64 pfn, u64 pages, u32 how)
{
	(void)pfn;
	(void)pages;
	(void)how;
	allocator->placed->frees++;
	allocator->placed->cpus_seen |= 1U << allocator->platform->cpu;
}

static int placed_reserve(struct iova_allocator *allocator, u64 first_pfn, u64 last_pfn)
{
	(void)first_pfn;
	(void)last_pfn;
	allocator->placed->reserves++;
	return 0;
}

static bool placed_next(struct iova_allocator *allocator, u64 pfn, struct iova_range *range)
{
	const struct placed *placed = allocator->placed;

	for (u32 i = 0; i < placed->range_count; i++) {
		if (placed->range[i].last_pfn < pfn)
			continue;
		*range = placed->range[i];
		return true;
	}
	return false;
}

struct iova_allocator_ops placed_ops(struct placed *placed, bool with_next)
{
	return (struct iova_allocator_ops){
		.size = sizeof(struct iova_allocator_ops),
		.name = "placed",
		.context = placed,
		.create = placed_create,
		.destroy = placed_destroy,
		.alloc = placed_alloc,
		.free = placed_free,
		.reserve = placed_reserve,
		.next = with_next ? placed_next : NULL,
	};
}
