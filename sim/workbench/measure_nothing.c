/* SPDX-License-Identifier: MIT */
/*
 * An allocator that does nothing: what a workload costs with it is what the loop costs.
 */
#include "workbench/measure.h"

struct iova_allocator {
	struct platform *platform;
};

static struct iova_allocator *nothing_create(const struct iova_allocator_config *config)
{
	struct iova_allocator *allocator =
		platform_alloc(config->platform, DMASIM_FAULT_IOVA_DOMAIN, sizeof(*allocator));

	if (allocator)
		allocator->platform = config->platform;
	return allocator;
}

static void nothing_destroy(struct iova_allocator *allocator)
{
	platform_free(allocator->platform, allocator);
}

static u64 nothing_alloc(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u32 how)
{
	(void)allocator;
	(void)pages;
	(void)limit_pfn;
	(void)how;
	return 1;
}

static void nothing_free(struct iova_allocator *allocator, u64 pfn, u64 pages, u32 how)
{
	(void)allocator;
	(void)pfn;
	(void)pages;
	(void)how;
}

static int nothing_reserve(struct iova_allocator *allocator, u64 first_pfn, u64 last_pfn)
{
	(void)allocator;
	(void)first_pfn;
	(void)last_pfn;
	return 0;
}

static bool nothing_next(struct iova_allocator *allocator, u64 pfn, struct iova_range *range)
{
	(void)allocator;
	*range = (struct iova_range){ pfn, pfn, false };
	return true;
}

const struct iova_allocator_ops *measure_nothing(void)
{
	static const struct iova_allocator_ops ops = {
		.size = sizeof(ops),
		.name = "(loop)",
		.create = nothing_create,
		.destroy = nothing_destroy,
		.alloc = nothing_alloc,
		.free = nothing_free,
		.reserve = nothing_reserve,
		.next = nothing_next,
	};

	return &ops;
}
