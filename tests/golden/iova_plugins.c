/* SPDX-License-Identifier: MIT */
/*
 * Plugins as they should not be, one for each PLUGIN_: tests/golden/iova.sh sees what is said of
 * them. The first is whole, but never hands out anything twice: it does not conform.
 */
#include <dmasim/iova.h>

struct iova_allocator {
	struct platform *platform;
	u64 next_pfn;
	u64 last_pfn;
};

static struct iova_allocator *bump_create(const struct iova_allocator_config *config)
{
	struct iova_allocator *allocator =
		platform_alloc(config->platform, DMASIM_FAULT_IOVA_DOMAIN, sizeof(*allocator));

	if (!allocator)
		return NULL;
	allocator->platform = config->platform;
	allocator->next_pfn = config->start_pfn;
	allocator->last_pfn = config->last_pfn;
	return allocator;
}

static void bump_destroy(struct iova_allocator *allocator)
{
	platform_free(allocator->platform, allocator);
}

static u64 bump_alloc(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u32 how)
{
	u64 align = 1ULL << (how & IOVA_ALIGN_LG2);
	u64 pfn = (allocator->next_pfn + align - 1) & ~(align - 1);
	u64 high = limit_pfn < allocator->last_pfn ? limit_pfn : allocator->last_pfn;

	if (pfn > high || high - pfn < pages - 1)
		return IOVA_NO_PFN;
	allocator->next_pfn = pfn + pages;
	return pfn;
}

#ifndef PLUGIN_HALF
static void bump_free(struct iova_allocator *allocator, u64 pfn, u64 pages, u32 how)
{
	(void)allocator;
	(void)pfn;
	(void)pages;
	(void)how;
}
#endif

static int bump_reserve(struct iova_allocator *allocator, u64 first_pfn, u64 last_pfn)
{
	(void)allocator;
	(void)first_pfn;
	(void)last_pfn;
	return 0;
}

static const struct iova_allocator_ops bump = {
#ifdef PLUGIN_OLD
	.size = sizeof(bump) - 8,
#else
	.size = sizeof(bump),
#endif
#ifndef PLUGIN_NAMELESS
	.name = "bump <\"&\">",
#endif
	.create = bump_create,
	.destroy = bump_destroy,
	.alloc = bump_alloc,
#ifndef PLUGIN_HALF
	.free = bump_free,
#endif
	.reserve = bump_reserve,
};

#ifdef PLUGIN_MUTE
DMASIM_API const struct iova_allocator_ops *another_name(void);
DMASIM_API const struct iova_allocator_ops *another_name(void)
{
	return &bump;
}
#else
DMASIM_API const struct iova_allocator_ops *dmasim_iova_plugin(void);
DMASIM_API const struct iova_allocator_ops *dmasim_iova_plugin(void)
{
#ifdef PLUGIN_EMPTY
	return bump.name ? NULL : &bump;
#else
	return &bump;
#endif
}
#endif
