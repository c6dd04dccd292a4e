/* SPDX-License-Identifier: MIT */
#include "flawed.h"

#include <stddef.h>

#include <dmasim/lock.h>

struct crumb {
	struct crumb *next;
};

struct range {
	u64 pfn, pages;
	bool there;
};

struct iova_allocator {
	struct flawed *flawed;
	struct iova_allocator *inner;
	struct platform *platform;
	struct platform_lock lock;
	u64 last_pfn;
	u64 allocs, frees, reserves; /* calls */
	bool failed;		     /* the last allocation did */
	bool late;		     /* something was reserved after an allocation */
	struct range before;	     /* what was handed out last */
	struct range stash;	     /* FLAW_RACE: the cache */
	struct crumb *crumbs;	     /* FLAW_GROWS */
	struct dmasim_timer timer;
};

static void never(struct dmasim_timer *timer)
{
	(void)timer;
}

/* ---- Create and destroy ---------------------------------------------------------------------- */

static struct iova_allocator *flawed_create(const struct iova_allocator_config *config)
{
	struct flawed *flawed = config->context;
	struct iova_allocator_config inner = *config;
	struct iova_allocator *a;

	if (flawed->flaw == FLAW_ONE_FOR_ALL && flawed->users) {
		flawed->users++;
		return flawed->only;
	}
	a = platform_alloc(config->platform, DMASIM_FAULT_IOVA_DOMAIN, sizeof(*a));
	if (!a)
		return NULL;
	a->flawed = flawed;
	a->platform = config->platform;
	a->last_pfn = config->last_pfn;
	inner.context = flawed->base->context;
	inner.start_pfn -= flawed->flaw == FLAW_PFN_0;
	inner.last_pfn -= flawed->flaw == FLAW_LAST_PAGE && config->last_pfn > config->start_pfn;
	a->inner = flawed->base->create(&inner);
	if (!a->inner) {
		platform_free(a->platform, a);
		return NULL;
	}
	flawed->only = a;
	flawed->users = 1;
	a->timer.fire = never;
	if (flawed->flaw == FLAW_TIMER)
		a->platform->ops->timer_arm(a->platform->machine, &a->timer, 1000);
	return a;
}

static void flawed_destroy(struct iova_allocator *a)
{
	if (a->flawed->flaw == FLAW_ONE_FOR_ALL && --a->flawed->users)
		return;
	while (a->crumbs) {
		struct crumb *crumb = a->crumbs;

		a->crumbs = crumb->next;
		platform_free(a->platform, crumb);
	}
	if (a->flawed->flaw == FLAW_LEAK)
		platform_alloc(a->platform, DMASIM_FAULT_IOVA_NODE, 24);
	a->flawed->base->destroy(a->inner);
	platform_free(a->platform, a);
}

/* ---- Allocations ----------------------------------------------------------------------------- */

static u64 ask(struct iova_allocator *a, u64 pages, u64 limit_pfn, u32 how)
{
	return a->flawed->base->alloc(a->inner, pages, limit_pfn, how);
}

/* The range before, if it is what is asked for. */
static bool same_again(const struct iova_allocator *a, u64 pages, u64 limit_pfn, u32 how)
{
	const struct range *before = &a->before;

	return before->there && pages == before->pages && before->pfn + pages - 1 <= limit_pfn &&
	       !(before->pfn & ((1ULL << (how & IOVA_ALIGN_LG2)) - 1));
}

static bool is_repeated(const struct iova_allocator *a, u64 pages)
{
	switch (a->flawed->flaw) {
	case FLAW_TWICE:
		return a->allocs % 5 == 0;
	case FLAW_RARE:
		return a->failed && pages == 3;
	case FLAW_LATE:
		return a->allocs > 2000;
	default:
		return false;
	}
}

static u64 grow(struct iova_allocator *a, u64 pages, u64 limit_pfn, u32 how)
{
	struct crumb *crumb;

	crumb = platform_alloc(a->platform, DMASIM_FAULT_IOVA_NODE, sizeof(*crumb));
	if (!crumb)
		return IOVA_NO_PFN;
	crumb->next = a->crumbs;
	a->crumbs = crumb;
	return ask(a, pages, limit_pfn, how);
}

static u64 keep(struct iova_allocator *a, u64 pages, u64 limit_pfn, u32 how)
{
	u64 pfn = ask(a, pages, limit_pfn, how);
	void *memory = platform_alloc(a->platform, DMASIM_FAULT_IOVA_NODE, 24);

	if (!memory)
		return IOVA_NO_PFN;
	platform_free(a->platform, memory);
	return pfn;
}

static u64 second_best(struct iova_allocator *a, u64 pages, u64 limit_pfn, u32 how)
{
	u64 pfn = IOVA_NO_PFN;

	if (a->allocs % 2 && limit_pfn > 50)
		pfn = ask(a, pages, limit_pfn - 50, how);

	return pfn != IOVA_NO_PFN ? pfn : ask(a, pages, limit_pfn, how);
}

static u64 rounded(u64 pages)
{
	return pages > 1ULL << 62 ? pages : 1ULL << iova_natural(pages);
}

/* What it saw in the cache may be gone when the lock is taken. */
static u64 race(struct iova_allocator *a, u64 pages, u64 limit_pfn, u32 how)
{
	struct range seen = a->stash;
	u64 pfn;

	if (seen.there && how & IOVA_CACHE && pages == 1 && seen.pfn <= limit_pfn &&
	    !(how & IOVA_ALIGN_LG2)) {
		platform_lock(a->platform, &a->lock);
		a->stash.there = false;
		platform_unlock(a->platform, &a->lock);
		return seen.pfn;
	}
	pfn = ask(a, pages, limit_pfn, how);
	if (pfn != IOVA_NO_PFN || !(how & IOVA_FLUSH) || !a->stash.there)
		return pfn;
	a->stash.there = false;
	a->flawed->base->free(a->inner, a->stash.pfn, 1, IOVA_CACHE);
	return ask(a, pages, limit_pfn, how);
}

static u64 flawed_alloc_now(struct iova_allocator *a, u64 pages, u64 limit_pfn, u32 how)
{
	if (is_repeated(a, pages) && same_again(a, pages, limit_pfn, how))
		return a->before.pfn;
	switch (a->flawed->flaw) {
	case FLAW_LIMIT:
		return ask(a, pages, a->last_pfn, how);
	case FLAW_LIMIT_BY_ONE:
		return ask(a, pages, limit_pfn + (limit_pfn < a->last_pfn), how);
	case FLAW_ALIGNMENT:
		return ask(a, pages, limit_pfn, how - !!(how & IOVA_ALIGN_LG2));
	case FLAW_HUGE:
		return ask(a, pages & 0xffffffff, limit_pfn, how);
	case FLAW_ROUNDS:
		return ask(a, rounded(pages), limit_pfn, how);
	case FLAW_SECOND_BEST:
		return second_best(a, pages, limit_pfn, how);
	case FLAW_GROWS:
		return grow(a, pages, limit_pfn, how);
	case FLAW_NO_WAY_BACK:
		return keep(a, pages, limit_pfn, how);
	case FLAW_RACE:
		return race(a, pages, limit_pfn, how);
	default:
		return ask(a, pages, limit_pfn, how);
	}
}

static u64 flawed_alloc(struct iova_allocator *a, u64 pages, u64 limit_pfn, u32 how)
{
	u64 pfn;

	a->allocs++;
	pfn = flawed_alloc_now(a, pages, limit_pfn, how);
	a->failed = pfn == IOVA_NO_PFN;
	if (!a->failed)
		a->before = (struct range){ pfn, pages, true };
	return pfn;
}

/* ---- The others ------------------------------------------------------------------------------ */

static void flawed_free(struct iova_allocator *a, u64 pfn, u64 pages, u32 how)
{
	void *memory;

	a->frees++;
	if (pfn == a->before.pfn)
		a->before.there = false;
	switch (a->flawed->flaw) {
	case FLAW_LOST:
		if (a->frees % 11 == 0)
			return;
		break;
	case FLAW_HIDDEN:
		if (how & IOVA_CACHE)
			return;
		break;
	case FLAW_ROUNDS:
		pages = rounded(pages);
		break;
	case FLAW_FREE_ALLOCATES:
		memory = platform_alloc(a->platform, DMASIM_FAULT_IOVA_NODE, 24);
		if (!memory)
			return;
		platform_free(a->platform, memory);
		break;
	case FLAW_RACE:
		if (how & IOVA_CACHE && pages == 1 && !a->stash.there && !a->late) {
			a->stash = (struct range){ pfn, 1, true };
			return;
		}
		break;
	default:
		break;
	}
	a->flawed->base->free(a->inner, pfn, pages, how);
}

static int flawed_reserve(struct iova_allocator *a, u64 first_pfn, u64 last_pfn)
{
	a->reserves++;
	a->late |= a->allocs > 0;
	if (a->flawed->flaw == FLAW_RESERVE && a->reserves % 2 == 0)
		return 0;
	if (a->flawed->flaw == FLAW_RESERVE_LATE && a->allocs)
		return 0;
	if (a->stash.there) {
		a->stash.there = false;
		a->flawed->base->free(a->inner, a->stash.pfn, 1, IOVA_CACHE);
	}
	return a->flawed->base->reserve(a->inner, first_pfn, last_pfn);
}

static bool flawed_next(struct iova_allocator *a, u64 pfn, struct iova_range *range)
{
	bool found = a->flawed->base->next(a->inner, pfn, range);

	if (found && a->flawed->flaw == FLAW_NEXT && range->first_pfn == range->last_pfn)
		return a->flawed->base->next(a->inner, range->last_pfn + 1, range);
	return found;
}

static void flawed_stats(struct iova_allocator *a, struct iova_stats *stats)
{
	a->flawed->base->stats(a->inner, stats);
	stats->ranges += a->flawed->flaw == FLAW_STATS;
}

void flawed_init(struct flawed *flawed, const struct iova_allocator_ops *base, enum flaw flaw)
{
	*flawed = (struct flawed){ .ops = *base, .base = base, .flaw = flaw };
	flawed->ops.name = "flawed";
	flawed->ops.context = flawed;
	if (flaw == FLAW_ROUNDS)
		flawed->ops.traits &= ~(u32)IOVA_HIGHEST_FIT;
	flawed->ops.create = flawed_create;
	flawed->ops.destroy = flawed_destroy;
	flawed->ops.alloc = flawed_alloc;
	flawed->ops.free = flawed_free;
	flawed->ops.reserve = flawed_reserve;
	if (base->next)
		flawed->ops.next = flawed_next;
	if (base->stats)
		flawed->ops.stats = flawed_stats;
}
