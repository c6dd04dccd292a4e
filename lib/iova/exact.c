/* SPDX-License-Identifier: MIT */
/*
 * The highest place that fits, always: any size and alignment, below any limit, also to say that
 * there is none; in O(log n) for the sizes and alignments that dmasim/iova.h names. Nothing is
 * rounded, nothing is remembered of failures, and space below 4 GiB is used last by those who can
 * do without.
 *
 * A cache for each CPU answers most calls: a shelf for each side of 4 GiB, with a stack for each
 * size. It is bounded, because what it holds is in the way of others: SHELF_PAGES, below 4 GiB no
 * more than the CPU's share of SHELF_SHARE, and STACK_RANGES of each size; what is too much goes
 * back, oldest first. When nothing fits, caches are asked for a range of the size, and with
 * IOVA_FLUSH emptied one CPU after the other, only until it fits.
 *
 *   CPU   high  1 page  [..........]      freed last, used first
 *               2 pages [...]             above and below 4 GiB apart
 *         low   1 page  [.......]
 *               ...
 *
 * Freeing never takes memory: a stack is made when its first range is allocated.
 */
#include <string.h>

#include <dmasim/iova.h>
#include <dmasim/lock.h>

#include "iova/index_hot.h"

#define SHELF_PAGES   16384U
#define SHELF_SHARE   8U  /* all CPUs' shelves together hold no more of 4 GiB than this part */
#define STACK_SIZES   32U /* ranges of 1 to 32 pages are cached */
#define STACK_RANGES  63U
/* Sizes for which it is known from where on to look: 1, 2, 4 ... pages. */
#define BARREN_ORDERS 7U

enum zone {
	ZONE_LOW, /* ends below 4 GiB */
	ZONE_HIGH,
	ZONES,
};

struct stack {
	u64 count;
	u64 pfn[STACK_RANGES];
};

/* A CPU's ranges of one zone. */
struct shelf {
	u32 pages;
	struct stack *stack[STACK_SIZES];
};

struct cpu_cache {
	struct platform_lock lock;
	struct shelf shelf[ZONES];
};

struct iova_allocator {
	struct platform *platform;
	struct platform_lock lock; /* of the index */
	struct iova_index index;
	u64 start_pfn;
	u64 last_pfn;
	u64 end32_pfn;
	/* Above this page there is no place for 1 << order pages at a multiple of their number. */
	u64 barren_pfn[BARREN_ORDERS];
	bool live_reserved; /* a range was reserved that was allocated, and must not be cached */
	u32 cpus;
	u32 shelf_pages[ZONES]; /* of a CPU, at most */
	struct cpu_cache cpu[];
};

/* ---- Ranges ----------------------------------------------------------- */

/* Below what is known to be of no use. */
static u64 barren_for(const struct iova_allocator *allocator, u64 pages, u32 align_lg2)
{
	u32 order = pages >> BARREN_ORDERS ? BARREN_ORDERS - 1 : fit_log2(pages);

	return align_lg2 < iova_natural(pages) ? ~0ULL : allocator->barren_pfn[order];
}

static bool search(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u32 align_lg2,
		   struct iova_place *place)
{
	struct iova_search search = {
		.top = limit_pfn + 1,
		.pages = pages,
		.align_lg2 = align_lg2,
	};
	u64 barren = barren_for(allocator, pages, align_lg2);

	if (search.top > barren)
		search.top = barren;
	return (index_search_near(&allocator->index, &search, place) ||
		iova_index_search(&allocator->index, &search, place)) &&
	       place->pfn >= allocator->start_pfn;
}

/* The highest place at or below the limit is taken: what is above it is of no use. */
static void note_taken(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u32 align_lg2,
		       u64 pfn)
{
	u32 order = iova_natural(pages);
	bool highest = limit_pfn == allocator->last_pfn ||
		       limit_pfn + 1 >= barren_for(allocator, pages, align_lg2);

	if (highest && align_lg2 == order && order < BARREN_ORDERS)
		allocator->barren_pfn[order] = pfn + pages;
}

static u64 alloc_range(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u32 align_lg2)
{
	struct iova_place place;
	u64 pfn = IOVA_NO_PFN;

	if (limit_pfn > allocator->last_pfn)
		limit_pfn = allocator->last_pfn;
	platform_lock(allocator->platform, &allocator->lock);
	if (search(allocator, pages, limit_pfn, align_lg2, &place) &&
	    !index_insert(&allocator->index, place, place.pfn + (pages - 1), false)) {
		pfn = place.pfn;
		note_taken(allocator, pages, limit_pfn, align_lg2, pfn);
	}
	platform_unlock(allocator->platform, &allocator->lock);
	return pfn;
}

static void free_range(struct iova_allocator *allocator, u64 pfn, u64 pages)
{
	u64 end;

	platform_lock(allocator->platform, &allocator->lock);
	if (index_remove_exact(&allocator->index, pfn, pfn + (pages - 1), &end)) {
		for (u32 order = 0; order < BARREN_ORDERS; order++) {
			if (allocator->barren_pfn[order] < end)
				allocator->barren_pfn[order] = end;
		}
	}
	platform_unlock(allocator->platform, &allocator->lock);
}

/* ---- Caches ----------------------------------------------------------- */

static enum zone zone_of(const struct iova_allocator *allocator, u64 last_pfn)
{
	return last_pfn < allocator->end32_pfn ? ZONE_LOW : ZONE_HIGH;
}

/* The newest range of a stack, if it will do. */
static u64 pop(struct shelf *shelf, u64 pages, u64 limit_pfn, u64 align_mask)
{
	struct stack *stack = shelf->stack[pages - 1];
	u64 pfn;

	if (!stack || !stack->count)
		return IOVA_NO_PFN;
	pfn = stack->pfn[stack->count - 1];
	if (pfn + (pages - 1) > limit_pfn || pfn & align_mask)
		return IOVA_NO_PFN;
	stack->count--;
	shelf->pages -= (u32)pages;
	return pfn;
}

/* Gives the older `count` ranges of a stack back. */
static void give_back(struct iova_allocator *allocator, struct shelf *shelf, u64 pages, u64 count)
{
	struct stack *stack = shelf->stack[pages - 1];

	for (u64 i = 0; i < count; i++)
		free_range(allocator, stack->pfn[i], pages);
	stack->count -= count;
	shelf->pages -= (u32)(pages * count);
	memmove(stack->pfn, stack->pfn + count, stack->count * sizeof(stack->pfn[0]));
}

static u64 cached_pages(const struct cpu_cache *cpu)
{
	return (u64)cpu->shelf[ZONE_LOW].pages + cpu->shelf[ZONE_HIGH].pages;
}

static void empty_cache(struct iova_allocator *allocator, struct cpu_cache *cpu)
{
	platform_lock(allocator->platform, &cpu->lock);
	for (u32 zone = 0; zone < ZONES; zone++) {
		struct shelf *shelf = &cpu->shelf[zone];

		for (u32 pages = 1; shelf->pages && pages <= STACK_SIZES; pages++) {
			if (shelf->stack[pages - 1])
				give_back(allocator, shelf, pages, shelf->stack[pages - 1]->count);
		}
	}
	platform_unlock(allocator->platform, &cpu->lock);
}

/* Some CPU's, of this size, in the zone where it may be missed least. */
static u64 take_from_others(struct iova_allocator *allocator, u64 pages, u64 limit_pfn,
			    u64 align_mask)
{
	u64 pfn = IOVA_NO_PFN;

	for (u32 i = 0; i < allocator->cpus && pfn == IOVA_NO_PFN; i++) {
		struct cpu_cache *cpu = &allocator->cpu[i];

		platform_lock(allocator->platform, &cpu->lock);
		for (u32 zone = ZONES; zone-- && pfn == IOVA_NO_PFN;)
			pfn = pop(&cpu->shelf[zone], pages, limit_pfn, align_mask);
		platform_unlock(allocator->platform, &cpu->lock);
	}
	return pfn;
}

/* There is no place, or no memory. */
static u64 alloc_last(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u32 how)
{
	u32 align_lg2 = how & IOVA_ALIGN_LG2;
	u64 pfn = IOVA_NO_PFN;

	if (pages <= STACK_SIZES && how & (IOVA_CACHE | IOVA_FLUSH))
		pfn = take_from_others(allocator, pages, limit_pfn, (1ULL << align_lg2) - 1);
	for (u32 i = 0; i < allocator->cpus && pfn == IOVA_NO_PFN && how & IOVA_FLUSH; i++) {
		if (!cached_pages(&allocator->cpu[i]))
			continue;
		empty_cache(allocator, &allocator->cpu[i]);
		pfn = alloc_range(allocator, pages, limit_pfn, align_lg2);
	}
	return pfn;
}

/* For what is freed later. Without memory that goes back at once. */
static void make_stack(struct iova_allocator *allocator, struct cpu_cache *cpu, u64 last_pfn,
		       u64 pages)
{
	struct stack **stack = &cpu->shelf[zone_of(allocator, last_pfn)].stack[pages - 1];

	if (!*stack)
		*stack = platform_alloc(allocator->platform, DMASIM_FAULT_IOVA_MAGAZINE,
					sizeof(**stack));
}

static bool is_cached(u64 pages, u32 how)
{
	return how & IOVA_CACHE && pages && pages <= STACK_SIZES;
}

static u64 alloc_cached(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u32 how)
{
	struct cpu_cache *cpu = &allocator->cpu[allocator->platform->cpu];
	u64 align_mask = (1ULL << (how & IOVA_ALIGN_LG2)) - 1;
	u64 pfn;

	platform_lock(allocator->platform, &cpu->lock);
	pfn = pop(&cpu->shelf[zone_of(allocator, limit_pfn)], pages, limit_pfn, align_mask);
	platform_unlock(allocator->platform, &cpu->lock);
	return pfn;
}

static u64 exact_alloc(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u32 how)
{
	u64 pfn;

	if (DMASIM_UNLIKELY(!pages))
		return IOVA_NO_PFN;
	if (is_cached(pages, how)) {
		pfn = alloc_cached(allocator, pages, limit_pfn, how);
		if (DMASIM_LIKELY(pfn != IOVA_NO_PFN))
			return pfn;
	}
	pfn = alloc_range(allocator, pages, limit_pfn, how & IOVA_ALIGN_LG2);
	if (pfn == IOVA_NO_PFN)
		pfn = alloc_last(allocator, pages, limit_pfn, how);
	else if (is_cached(pages, how))
		make_stack(allocator, &allocator->cpu[allocator->platform->cpu], pfn + pages - 1,
			   pages);
	return pfn;
}

static void push(struct shelf *shelf, u64 pfn, u64 pages)
{
	struct stack *stack = shelf->stack[pages - 1];

	stack->pfn[stack->count++] = pfn;
	shelf->pages += (u32)pages;
}

/* The stack is full, or the shelf: the older half of the stack goes back, or this range. */
static void free_much(struct iova_allocator *allocator, struct shelf *shelf, u64 pfn, u64 pages)
{
	const struct stack *stack = shelf->stack[pages - 1];

	if (!stack || !stack->count) {
		free_range(allocator, pfn, pages);
		return;
	}
	give_back(allocator, shelf, pages, (stack->count + 1) / 2);
	push(shelf, pfn, pages);
}

static bool is_reserved(struct iova_allocator *allocator, u64 pfn)
{
	struct iova_range range;
	bool reserved;

	platform_lock(allocator->platform, &allocator->lock);
	reserved = iova_index_find(&allocator->index, pfn, &range) && range.reserved;
	platform_unlock(allocator->platform, &allocator->lock);
	return reserved;
}

static void free_cached(struct iova_allocator *allocator, u64 pfn, u64 pages)
{
	struct cpu_cache *cpu = &allocator->cpu[allocator->platform->cpu];
	enum zone zone = zone_of(allocator, pfn + pages - 1);
	struct shelf *shelf = &cpu->shelf[zone];
	const struct stack *stack = shelf->stack[pages - 1];

	platform_lock(allocator->platform, &cpu->lock);
	if (DMASIM_UNLIKELY(allocator->live_reserved && is_reserved(allocator, pfn))) {
		/* It stays taken. */
	} else if (DMASIM_LIKELY(stack && stack->count < STACK_RANGES &&
				 shelf->pages + pages <= allocator->shelf_pages[zone])) {
		push(shelf, pfn, pages);
	} else {
		free_much(allocator, shelf, pfn, pages);
	}
	platform_unlock(allocator->platform, &cpu->lock);
}

static void exact_free(struct iova_allocator *allocator, u64 pfn, u64 pages, u32 how)
{
	if (is_cached(pages, how))
		free_cached(allocator, pfn, pages);
	else
		free_range(allocator, pfn, pages);
}

/* ---- The table -------------------------------------------------------- */

static struct iova_allocator *exact_create(const struct iova_allocator_config *config)
{
	struct iova_allocator *allocator;
	u64 share;

	allocator = platform_alloc(config->platform, DMASIM_FAULT_IOVA_DOMAIN,
				   sizeof(*allocator) + config->cpus * sizeof(allocator->cpu[0]));
	if (!allocator)
		return NULL;
	allocator->platform = config->platform;
	iova_index_init(&allocator->index, config->platform);
	allocator->start_pfn = config->start_pfn;
	/* Page ~0 is never given: what ends there has no page after it. */
	allocator->last_pfn = config->last_pfn < ~0ULL ? config->last_pfn : ~0ULL - 1;
	allocator->end32_pfn = 1ULL << (32 - config->granule_lg2);
	memset(allocator->barren_pfn, 0xff, sizeof(allocator->barren_pfn));
	allocator->cpus = config->cpus;
	share = allocator->end32_pfn / SHELF_SHARE / config->cpus;
	allocator->shelf_pages[ZONE_LOW] = share < SHELF_PAGES ? (u32)share : SHELF_PAGES;
	allocator->shelf_pages[ZONE_HIGH] = SHELF_PAGES;
	return allocator;
}

static void exact_destroy(struct iova_allocator *allocator)
{
	for (u32 i = 0; i < allocator->cpus; i++) {
		for (u32 size = 0; size < ZONES * STACK_SIZES; size++)
			platform_free(allocator->platform, allocator->cpu[i]
								   .shelf[size / STACK_SIZES]
								   .stack[size % STACK_SIZES]);
	}
	iova_index_fini(&allocator->index);
	platform_free(allocator->platform, allocator);
}

/* How many gaps lie between the ranges in [first_pfn, last_pfn]. */
static u64 count_gaps(struct iova_allocator *allocator, u64 first_pfn, u64 last_pfn)
{
	struct iova_range range;
	u64 gaps = 0;

	while (iova_index_next(&allocator->index, first_pfn, &range) &&
	       range.first_pfn <= last_pfn) {
		gaps += first_pfn < range.first_pfn;
		if (range.last_pfn >= last_pfn)
			return gaps;
		first_pfn = range.last_pfn + 1;
	}
	return gaps + 1;
}

/* What is in use there stays so for good, too; what is free becomes ranges of its own. */
static int reserve_around(struct iova_allocator *allocator, u64 first_pfn, u64 last_pfn)
{
	struct iova_range range;
	int err = iova_index_prepare(&allocator->index, count_gaps(allocator, first_pfn, last_pfn));

	/* Nothing fails from here on. */
	while (!err && iova_index_next(&allocator->index, first_pfn, &range) &&
	       range.first_pfn <= last_pfn) {
		allocator->live_reserved |= !range.reserved;
		iova_index_keep(&allocator->index, range.first_pfn);
		if (first_pfn < range.first_pfn)
			err = iova_index_insert_at(&allocator->index, first_pfn,
						   range.first_pfn - 1, true);
		if (range.last_pfn >= last_pfn)
			return err;
		first_pfn = range.last_pfn + 1;
	}
	return err ? err : iova_index_insert_at(&allocator->index, first_pfn, last_pfn, true);
}

static int reserve(struct iova_allocator *allocator, u64 first_pfn, u64 last_pfn)
{
	struct iova_range range;
	int err;

	if (!iova_index_next(&allocator->index, first_pfn, &range) || range.first_pfn > last_pfn)
		return iova_index_insert_at(&allocator->index, first_pfn, last_pfn, true);
	err = reserve_around(allocator, first_pfn, last_pfn);
	iova_index_settle(&allocator->index);
	return err;
}

static void empty_caches(struct iova_allocator *allocator)
{
	for (u32 i = 0; i < allocator->cpus; i++)
		empty_cache(allocator, &allocator->cpu[i]);
}

static int exact_reserve(struct iova_allocator *allocator, u64 first_pfn, u64 last_pfn)
{
	int err;

	/* What is cached is free, and not to stay taken as a whole. */
	empty_caches(allocator);
	platform_lock(allocator->platform, &allocator->lock);
	err = reserve(allocator, first_pfn, last_pfn);
	platform_unlock(allocator->platform, &allocator->lock);
	/* What another CPU has put there since is not to come back. */
	empty_caches(allocator);
	return err;
}

static bool exact_next(struct iova_allocator *allocator, u64 pfn, struct iova_range *range)
{
	return iova_index_next(&allocator->index, pfn, range);
}

static void exact_stats(struct iova_allocator *allocator, struct iova_stats *stats)
{
	*stats = (struct iova_stats){ .ranges = allocator->index.count };
	for (u32 i = 0; i < allocator->cpus; i++) {
		stats->cached_pages += cached_pages(&allocator->cpu[i]);
		for (u32 size = 0; size < ZONES * STACK_SIZES; size++) {
			const struct stack *stack = allocator->cpu[i]
							    .shelf[size / STACK_SIZES]
							    .stack[size % STACK_SIZES];

			stats->cached_ranges += stack ? stack->count : 0;
		}
	}
}

const struct iova_allocator_ops *dmasim_iova_exact(void)
{
	static const struct iova_allocator_ops ops = {
		.size = sizeof(ops),
		.name = "exact",
		.traits = IOVA_HIGHEST_FIT,
		.create = exact_create,
		.destroy = exact_destroy,
		.alloc = exact_alloc,
		.free = exact_free,
		.reserve = exact_reserve,
		.next = exact_next,
		.stats = exact_stats,
	};

	return &ops;
}
