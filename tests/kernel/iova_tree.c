// SPDX-License-Identifier: MIT
/*
 * The tree's allocator behind our table. Its file is part of this unit, so that this one sees its
 * magazines.
 */
#include "iova_tree.h"

/* The tree's drivers/iommu/iova.c, as it is. */
#include <tree-iova.h>

#include "standin.h"

struct iova_allocator {
	struct standin kernel;
	struct iova_domain domain;
};

/* The order of their making in the tree. */
enum { CACHE_IOVA, CACHE_MAGAZINE };

static void enter(struct iova_allocator *a)
{
	standin_now = &a->kernel;
}

static struct iova_allocator *tree_create(const struct iova_allocator_config *config)
{
	struct platform *p = config->platform;
	struct iova_allocator *a;

	if (config->granule_lg2 > PAGE_SHIFT)
		return NULL;
	a = platform_alloc(p, DMASIM_FAULT_IOVA_DOMAIN, sizeof(*a));
	if (!a)
		return NULL;
	a->kernel.platform = p;
	a->kernel.cpus = config->cpus;
	enter(a);
	if (iova_cache_get())
		goto free_allocator;
	init_iova_domain(&a->domain, 1UL << config->granule_lg2, config->start_pfn);
	if (iova_domain_init_rcaches(&a->domain))
		goto put_cache;
	return a;

put_cache:
	put_iova_domain(&a->domain);
	iova_cache_put();
	standin_release(&a->kernel);
free_allocator:
	platform_free(p, a);
	return NULL;
}

static void tree_destroy(struct iova_allocator *a)
{
	enter(a);
	put_iova_domain(&a->domain);
	iova_cache_put();
	standin_release(&a->kernel);
	platform_free(a->kernel.platform, a);
}

static u64 alloc_uncached(struct iova_allocator *a, u64 pages, u64 limit_pfn, u32 align_lg2)
{
	struct iova *iova;

	if (align_lg2 && align_lg2 != iova_natural(pages))
		return IOVA_NO_PFN;
	iova = alloc_iova(&a->domain, pages, limit_pfn, align_lg2 > 0);
	return iova ? iova->pfn_lo : IOVA_NO_PFN;
}

static u64 tree_alloc(struct iova_allocator *a, u64 pages, u64 limit_pfn, u32 how)
{
	u32 align_lg2 = how & IOVA_ALIGN_LG2;
	unsigned long pfn;

	enter(a);
	if (!(how & IOVA_CACHE))
		return alloc_uncached(a, pages, limit_pfn, align_lg2);
	/* It aligns them all. */
	if (align_lg2 > iova_natural(pages))
		return IOVA_NO_PFN;
	pfn = alloc_iova_fast(&a->domain, pages, limit_pfn, how & IOVA_FLUSH);
	return pfn ? pfn : IOVA_NO_PFN;
}

static void tree_free(struct iova_allocator *a, u64 pfn, u64 pages, u32 how)
{
	enter(a);
	if (how & IOVA_CACHE)
		free_iova_fast(&a->domain, pfn, pages);
	else
		free_iova(&a->domain, pfn);
}

/* What an address can be: Linux warns about more. */
static u64 pfn_max(const struct iova_allocator *a)
{
	return ~0ULL / a->domain.granule;
}

static int tree_reserve(struct iova_allocator *a, u64 first_pfn, u64 last_pfn)
{
	struct iova_range range;

	if (first_pfn > pfn_max(a))
		return 0;
	if (last_pfn > pfn_max(a))
		last_pfn = pfn_max(a);
	return dmasim_tree_reserve(a, first_pfn, last_pfn, &range) ? 0 : -ENOMEM;
}

static struct iova_range range_of(const struct iova *iova)
{
	return (struct iova_range){ iova->pfn_lo, iova->pfn_hi, false };
}

static bool tree_next(struct iova_allocator *a, u64 pfn, struct iova_range *range)
{
	struct rb_node *node = a->domain.rbroot.rb_node;
	struct iova *best = NULL;

	while (node) {
		struct iova *iova = to_iova(node);

		if (iova->pfn_hi < pfn) {
			node = node->rb_right;
		} else {
			best = iova;
			node = node->rb_left;
		}
	}
	if (!best || best == &a->domain.anchor)
		return false;
	*range = range_of(best);
	return true;
}

static u64 cached_in(const struct iova_rcache *rcache, u32 cpus)
{
	u64 count = (u64)rcache->depot_size * IOVA_MAG_SIZE;

	for (u32 cpu = 0; cpu < cpus; cpu++) {
		struct iova_cpu_rcache *of_cpu = per_cpu_ptr(rcache->cpu_rcaches, cpu);

		count += of_cpu->loaded ? of_cpu->loaded->size : 0;
		count += of_cpu->prev ? of_cpu->prev->size : 0;
	}
	return count;
}

static void tree_stats(struct iova_allocator *a, struct iova_stats *stats)
{
	*stats = (struct iova_stats){ .ranges = a->kernel.arena[CACHE_IOVA].live };
	for (u32 order = 0; order < IOVA_RANGE_CACHE_MAX_SIZE; order++) {
		u64 count = cached_in(&a->domain.rcaches[order], a->kernel.cpus);

		stats->cached_ranges += count;
		stats->cached_pages += count << order;
	}
}

static const struct iova_allocator_ops tree_ops = {
	.size = sizeof(tree_ops),
	.name = KERNEL_NAME,
	.traits = IOVA_FAILS_EARLY | IOVA_FREE_ALLOCATES | IOVA_LOOSE_RESERVE | IOVA_NATURAL_ALIGN |
		  IOVA_LIMIT_WRAPS,
	.create = tree_create,
	.destroy = tree_destroy,
	.alloc = tree_alloc,
	.free = tree_free,
	.reserve = tree_reserve,
	.next = tree_next,
	.stats = tree_stats,
};

const struct iova_allocator_ops *dmasim_iova_tree(void)
{
	return &tree_ops;
}

/* ---- What only the tree tells ---------------------------------------------------------------- */

static u64 lowest_of(const struct iova_allocator *a, const struct rb_node *node)
{
	return node == &a->domain.anchor.node ? IOVA_NO_PFN
					      : rb_entry(node, const struct iova, node)->pfn_lo;
}

void dmasim_tree_state(struct iova_allocator *a, struct dmasim_tree_state *state)
{
	*state = (struct dmasim_tree_state){
		.cached_pfn = lowest_of(a, a->domain.cached_node),
		.cached32_pfn = lowest_of(a, a->domain.cached32_node),
		.max32 = a->domain.max32_alloc_size,
		.nodes = a->kernel.arena[CACHE_IOVA].live,
		.warnings = a->kernel.warnings,
		.locked = a->domain.iova_rbtree_lock.taken,
	};
}

bool dmasim_tree_find(struct iova_allocator *a, u64 pfn, struct iova_range *range)
{
	const struct iova *iova;

	enter(a);
	iova = find_iova(&a->domain, pfn);
	if (iova)
		*range = range_of(iova);
	return iova;
}

bool dmasim_tree_reserve(struct iova_allocator *a, u64 first_pfn, u64 last_pfn,
			 struct iova_range *range)
{
	const struct iova *iova;

	enter(a);
	iova = reserve_iova(&a->domain, first_pfn, last_pfn);
	if (iova)
		*range = range_of(iova);
	return iova;
}

u32 dmasim_tree_depot(struct iova_allocator *a, u32 order)
{
	return a->domain.rcaches[order].depot_size;
}

u32 dmasim_tree_trim(struct iova_allocator *a, u32 order)
{
	struct delayed_work *work = &a->domain.rcaches[order].work;

	enter(a);
	cancel_delayed_work_sync(work);
	work->work.func(&work->work);
	return a->domain.rcaches[order].depot_size;
}
