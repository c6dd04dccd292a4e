/* SPDX-License-Identifier: MIT */
#include "iova/rcache.h"

static struct iova_magazine *new_magazine(struct iova_rcaches *rcaches)
{
	return platform_alloc(rcaches->platform, DMASIM_FAULT_IOVA_MAGAZINE,
			      sizeof(struct iova_magazine));
}

static void free_magazine(struct iova_rcaches *rcaches, struct iova_magazine *magazine)
{
	platform_free(rcaches->platform, magazine);
}

static bool is_empty(const struct iova_magazine *magazine)
{
	return !magazine || !magazine->count;
}

static bool is_full(const struct iova_magazine *magazine)
{
	return !magazine || magazine->count == IOVA_MAG_SIZE;
}

static void swap(struct iova_cpu_rcache *cpu)
{
	struct iova_magazine *loaded = cpu->loaded;

	cpu->loaded = cpu->prev;
	cpu->prev = loaded;
}

/* ---- The depot -------------------------------------------------------- */

static void depot_push(struct iova_rcaches *rcaches, u32 order, struct iova_magazine *magazine)
{
	struct platform *p = rcaches->platform;
	struct iova_depot *depot = &rcaches->depot[order];

	platform_lock(p, &depot->lock);
	platform_point(p, DMASIM_POINT_MAGAZINE);
	magazine->next = depot->full;
	depot->full = magazine;
	depot->count++;
	platform_unlock(p, &depot->lock);
	if (!depot->timer.pending)
		p->ops->timer_arm(p->machine, &depot->timer, IOVA_DEPOT_DELAY_NS);
}

/* NULL: there is none. */
static struct iova_magazine *depot_pop(struct iova_rcaches *rcaches, u32 order, u32 keep)
{
	struct platform *p = rcaches->platform;
	struct iova_depot *depot = &rcaches->depot[order];
	struct iova_magazine *magazine = NULL;

	platform_lock(p, &depot->lock);
	if (depot->count > keep) {
		platform_point(p, DMASIM_POINT_MAGAZINE);
		magazine = depot->full;
		depot->full = magazine->next;
		depot->count--;
		magazine->count = IOVA_MAG_SIZE;
	}
	platform_unlock(p, &depot->lock);
	return magazine;
}

/* ---- Getting ---------------------------------------------------------- */

/* The newest that fits; the newest of all takes its slot. */
static u64 take(struct iova_magazine *magazine, u64 highest_pfn)
{
	u64 pfn;

	if (!magazine)
		return IOVA_NO_PFN;
	for (u64 i = magazine->count; i--;) {
		pfn = magazine->pfn[i];
		if (pfn > highest_pfn)
			continue;
		magazine->pfn[i] = magazine->pfn[--magazine->count];
		return pfn;
	}
	return IOVA_NO_PFN;
}

/* Makes a full magazine of the depot the loaded one, which is empty. */
static bool load_from_depot(struct iova_rcaches *rcaches, u32 order, struct iova_cpu_rcache *cpu)
{
	struct iova_magazine *full = depot_pop(rcaches, order, 0);

	if (!full)
		return false;
	free_magazine(rcaches, cpu->loaded);
	cpu->loaded = full;
	return true;
}

/* A fitting one of the depot's, wherever it lies (IOVA_REPAIR_CACHE_MISS). */
static u64 take_from_depot(struct iova_rcaches *rcaches, u32 order, u64 highest_pfn)
{
	struct platform *p = rcaches->platform;
	struct iova_depot *depot = &rcaches->depot[order];
	struct iova_cpu_rcache *cpu = iova_rcache_here(rcaches, order);
	u64 pfn = IOVA_NO_PFN;

	platform_lock(p, &depot->lock);
	for (struct iova_magazine *full = depot->full; full && pfn == IOVA_NO_PFN;
	     full = full->next) {
		for (u32 i = IOVA_MAG_SIZE; i-- && pfn == IOVA_NO_PFN;) {
			if (full->pfn[i] > highest_pfn)
				continue;
			/* It stays full: one of the CPU's own takes the slot. */
			pfn = full->pfn[i];
			full->pfn[i] = cpu->loaded->pfn[--cpu->loaded->count];
		}
	}
	platform_unlock(p, &depot->lock);
	return pfn;
}

static u64 take_elsewhere(struct iova_rcaches *rcaches, u32 order, u64 highest_pfn)
{
	struct iova_cpu_rcache *cpu = iova_rcache_here(rcaches, order);
	u64 pfn = take(cpu->prev, highest_pfn);

	return pfn != IOVA_NO_PFN ? pfn : take_from_depot(rcaches, order, highest_pfn);
}

DMASIM_HOT u64 iova_rcache_get_more(struct iova_rcaches *rcaches, u32 order, u64 highest_pfn)
{
	struct iova_cpu_rcache *cpu = iova_rcache_here(rcaches, order);
	u64 pfn;

	if (is_empty(cpu->loaded)) {
		if (!is_empty(cpu->prev))
			swap(cpu);
		else if (!load_from_depot(rcaches, order, cpu))
			return IOVA_NO_PFN;
	}
	pfn = take(cpu->loaded, highest_pfn);
	if (pfn == IOVA_NO_PFN && rcaches->search_all)
		pfn = take_elsewhere(rcaches, order, highest_pfn);
	return pfn;
}

/* ---- Putting ---------------------------------------------------------- */

DMASIM_HOT bool iova_rcache_put_more(struct iova_rcaches *rcaches, u32 order, u64 pfn)
{
	struct iova_cpu_rcache *cpu = iova_rcache_here(rcaches, order);

	if (!is_full(cpu->prev)) {
		swap(cpu);
	} else {
		struct iova_magazine *magazine = new_magazine(rcaches);

		if (!magazine)
			return false;
		if (cpu->loaded && cpu->prev)
			depot_push(rcaches, order, cpu->loaded);
		else if (cpu->loaded)
			cpu->prev = cpu->loaded;
		cpu->loaded = magazine;
	}
	cpu->loaded->pfn[cpu->loaded->count++] = pfn;
	return true;
}

/* ---- Giving back ------------------------------------------------------ */

static void empty(struct iova_rcaches *rcaches, struct iova_magazine *magazine)
{
	if (!magazine)
		return;
	for (u64 i = 0; i < magazine->count; i++)
		rcaches->give_back(rcaches, magazine->pfn[i]);
	magazine->count = 0;
}

static void flush_cpu(struct iova_rcaches *rcaches, struct iova_cpu_rcache *cpu)
{
	platform_lock(rcaches->platform, &cpu->lock);
	empty(rcaches, cpu->loaded);
	empty(rcaches, cpu->prev);
	platform_unlock(rcaches->platform, &cpu->lock);
}

/* False: there is no magazine but the `keep` that stay. */
static bool flush_depot(struct iova_rcaches *rcaches, u32 order, u32 keep)
{
	struct iova_magazine *full = depot_pop(rcaches, order, keep);

	if (!full)
		return false;
	empty(rcaches, full);
	free_magazine(rcaches, full);
	return true;
}

void iova_rcaches_flush(struct iova_rcaches *rcaches)
{
	for (u32 cpu = 0; cpu < rcaches->cpus; cpu++) {
		for (u32 order = 0; order < IOVA_RCACHE_CLASSES; order++)
			flush_cpu(rcaches, &rcaches->cpu[cpu][order]);
	}
	for (u32 order = 0; order < IOVA_RCACHE_CLASSES; order++) {
		while (flush_depot(rcaches, order, 0))
			;
	}
}

u32 iova_rcaches_trim(struct iova_rcaches *rcaches, u32 order)
{
	struct platform *p = rcaches->platform;
	struct iova_depot *depot = &rcaches->depot[order];

	if (flush_depot(rcaches, order, rcaches->cpus) && !depot->timer.pending)
		p->ops->timer_arm(p->machine, &depot->timer, IOVA_DEPOT_DELAY_NS);
	return depot->count;
}

static void on_timer(struct dmasim_timer *timer)
{
	struct iova_depot *depot =
		(struct iova_depot *)((char *)timer - offsetof(struct iova_depot, timer));

	depot->trimming = true;
	iova_rcaches_trim(depot->rcaches, (u32)(depot - depot->rcaches->depot));
	depot->trimming = false;
}

/* ---- All of them ------------------------------------------------------ */

void iova_rcaches_init(struct iova_rcaches *rcaches)
{
	for (u32 order = 0; order < IOVA_RCACHE_CLASSES; order++) {
		rcaches->depot[order].rcaches = rcaches;
		rcaches->depot[order].timer.fire = on_timer;
	}
}

/* The timer does not fire any more, and its work is done. */
static void stop_timer(struct platform *p, struct iova_depot *depot)
{
	while (depot->trimming)
		platform_wait(p, &depot->trimming);
	p->ops->timer_cancel(p->machine, &depot->timer);
}

void iova_rcaches_fini(struct iova_rcaches *rcaches)
{
	struct platform *p = rcaches->platform;

	for (u32 order = 0; order < IOVA_RCACHE_CLASSES; order++) {
		struct iova_magazine *full;

		stop_timer(p, &rcaches->depot[order]);
		while ((full = depot_pop(rcaches, order, 0)))
			free_magazine(rcaches, full);
		for (u32 cpu = 0; cpu < rcaches->cpus; cpu++) {
			free_magazine(rcaches, rcaches->cpu[cpu][order].loaded);
			free_magazine(rcaches, rcaches->cpu[cpu][order].prev);
		}
	}
}

static u64 count_of(const struct iova_magazine *magazine)
{
	return magazine ? magazine->count : 0;
}

u64 iova_rcaches_count(const struct iova_rcaches *rcaches, u32 order)
{
	u64 count = (u64)rcaches->depot[order].count * IOVA_MAG_SIZE;

	for (u32 cpu = 0; cpu < rcaches->cpus; cpu++) {
		const struct iova_cpu_rcache *cache = &rcaches->cpu[cpu][order];

		count += count_of(cache->loaded) + count_of(cache->prev);
	}
	return count;
}
