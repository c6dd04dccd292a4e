/* SPDX-License-Identifier: MIT */
/*
 * The per-CPU cache of freed ranges, as Linux has it (facts "iova-and-page-tables" 1.2, 7.3):
 * magazines of 127, six size classes, two magazines for each CPU and class, full ones in a depot
 * that a timer trims. A range in a magazine is still in use for the allocator below.
 *
 *   CPU 0   class 0   [loaded] [prev]        depot of class 0: [full] [full] ...
 *           class 1   [loaded] [prev]        depot of class 1: ...
 */
#ifndef IOVA_RCACHE_H
#define IOVA_RCACHE_H

#include <dmasim/iova.h>
#include <dmasim/lock.h>

#define IOVA_MAG_SIZE	    127U
#define IOVA_RCACHE_CLASSES 6U /* 1, 2, 4, 8, 16 and 32 pages */
#define IOVA_DEPOT_DELAY_NS 100000000ULL

struct iova_magazine {
	union {
		u64 count;
		struct iova_magazine *next; /* in a depot, where all are full */
	};
	u64 pfn[IOVA_MAG_SIZE];
};

struct iova_cpu_rcache {
	struct platform_lock lock;
	struct iova_magazine *loaded; /* NULL is as good as empty */
	struct iova_magazine *prev;
};

struct iova_rcaches;

struct iova_depot {
	struct platform_lock lock;
	struct iova_magazine *full;
	u32 count;
	struct dmasim_timer timer;
	bool trimming; /* the timer's work has begun, and not ended */
	struct iova_rcaches *rcaches;
};

struct iova_rcaches {
	struct platform *platform;
	u32 cpus;
	bool search_all; /* IOVA_REPAIR_CACHE_MISS */
	/* Takes a range back for good. */
	void (*give_back)(struct iova_rcaches *rcaches, u64 pfn);
	struct iova_depot depot[IOVA_RCACHE_CLASSES];
	struct iova_cpu_rcache (*cpu)[IOVA_RCACHE_CLASSES];
};

/* platform, cpus, cpu, search_all and give_back are set. */
void iova_rcaches_init(struct iova_rcaches *rcaches);

/* Frees the magazines; what is in them stays where it is. */
void iova_rcaches_fini(struct iova_rcaches *rcaches);

/* Gives all ranges back, those of the CPUs first. */
void iova_rcaches_flush(struct iova_rcaches *rcaches);

/* One run of the timer's work. Returns the full magazines that are left. */
u32 iova_rcaches_trim(struct iova_rcaches *rcaches, u32 order);

u64 iova_rcaches_count(const struct iova_rcaches *rcaches, u32 order);

/* The rest of the two below. */
u64 iova_rcache_get_more(struct iova_rcaches *rcaches, u32 order, u64 highest_pfn);
bool iova_rcache_put_more(struct iova_rcaches *rcaches, u32 order, u64 pfn);

static inline struct iova_cpu_rcache *iova_rcache_here(struct iova_rcaches *rcaches, u32 order)
{
	return &rcaches->cpu[rcaches->platform->cpu][order];
}

/* A range of 1 << class pages that begins at or below highest_pfn; IOVA_NO_PFN: none. */
static inline u64 iova_rcache_get(struct iova_rcaches *rcaches, u32 order, u64 highest_pfn)
{
	struct iova_cpu_rcache *cpu = iova_rcache_here(rcaches, order);
	struct iova_magazine *loaded;
	u64 pfn = IOVA_NO_PFN;

	platform_lock(rcaches->platform, &cpu->lock);
	loaded = cpu->loaded;
	if (DMASIM_LIKELY(loaded && loaded->count && loaded->pfn[loaded->count - 1] <= highest_pfn))
		pfn = loaded->pfn[--loaded->count];
	else
		pfn = iova_rcache_get_more(rcaches, order, highest_pfn);
	platform_unlock(rcaches->platform, &cpu->lock);
	return pfn;
}

/* Takes the range. False: there is no room, and no memory for more. */
static inline bool iova_rcache_put(struct iova_rcaches *rcaches, u32 order, u64 pfn)
{
	struct iova_cpu_rcache *cpu = iova_rcache_here(rcaches, order);
	struct iova_magazine *loaded;
	bool taken = true;

	platform_lock(rcaches->platform, &cpu->lock);
	loaded = cpu->loaded;
	if (DMASIM_LIKELY(loaded && loaded->count < IOVA_MAG_SIZE))
		loaded->pfn[loaded->count++] = pfn;
	else
		taken = iova_rcache_put_more(rcaches, order, pfn);
	platform_unlock(rcaches->platform, &cpu->lock);
	return taken;
}

#endif
