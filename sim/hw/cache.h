/* SPDX-License-Identifier: MIT */
/*
 * The CPU's cache, for everything that does not snoop it.
 *
 * The program reads and writes simulated RAM through host pointers: what it sees there is what its
 * CPU sees, through the cache. Memory itself may hold something else. A request that snoops sees
 * the CPU's view; one that does not sees memory:
 *
 *   CPU  <->  host memory  --clean------->  memory  <->  device that does not snoop
 *             (the cache)  <--invalidate--
 *
 * Memory is kept a second time, from its first difference on, and so is what the CPU's view was
 * when the two last met: a line is dirty if the CPU's view has changed since. Nothing tells of a
 * store that changes nothing, so such a line counts as clean. What was never cleaned is zeros in
 * memory, as if it had been zeroed and written back long ago.
 *
 * A line may leave the cache at any time. A plain run never lets it; one with random choices does,
 * before each request that does not snoop.
 */
#ifndef HW_CACHE_H
#define HW_CACHE_H

#include "hw/ram.h"

#define CACHE_LINE_BYTES 64

struct hw;

/* One line, or as much of it as is memory. */
struct cache_line {
	phys_addr_t at;
	u64 bytes;
	u8 cpu[CACHE_LINE_BYTES]; /* what the CPU sees */
	u8 met[CACHE_LINE_BYTES]; /* what it saw when that was last what memory had */
};

/* Pages that the CPU uses without its cache. */
struct cache_hole {
	RB_ENTRY(cache_hole) by_start;
	phys_addr_t start;
	u64 bytes;
};

RB_HEAD(cache_holes, cache_hole);

struct hw_cache {
	struct world *world;
	struct cache_holes holes;
	struct ram memory;
	struct ram met; /* the CPU's view when it was last the same as memory */
	bool used;	/* something was cleaned, invalidated or not snooped */
	bool broken;	/* no host memory for all this: from then on everything snoops */
};

void hw_cache_init(struct hw_cache *cache, struct world *world);
void hw_cache_fini(struct hw_cache *cache);

/* Writes the dirty ones of the lines that [phys, phys + bytes) touches to memory. */
void hw_cache_clean(struct hw *hw, phys_addr_t phys, u64 bytes);

/*
 * Drops the lines: the CPU sees memory, and loses what it wrote to dirty ones. Lines that the range
 * only touches in part are cleaned first, as software does that knows its neighbours.
 */
void hw_cache_invalidate(struct hw *hw, phys_addr_t phys, u64 bytes);

/* What a request that does not snoop would read now. Returns the bytes that are memory. */
u64 hw_cache_peek(struct hw_cache *cache, struct ram *ram, phys_addr_t phys, void *to, u64 bytes);

/* Requests that do not snoop. Return the bytes done, as ram_read() and ram_write(). */
u64 hw_cache_read(struct hw *hw, phys_addr_t phys, void *to, u64 bytes);
u64 hw_cache_write(struct hw *hw, phys_addr_t phys, const void *from, u64 bytes);

/* A request that snoops has written these bytes: cache and memory agree on them. */
void hw_cache_snooped(struct hw *hw, phys_addr_t phys, const void *from, u64 bytes);

/*
 * The CPU's accesses to these whole pages do not go through the cache any more, or do so again;
 * what the cache has of them is written back and dropped first. Ranges are taken back as they were
 * given.
 */
void hw_cache_bypass(struct hw *hw, phys_addr_t phys, u64 bytes, bool bypass);

/* New page frames: zeros everywhere. */
void hw_cache_zero(struct hw_cache *cache, phys_addr_t phys, u64 bytes);

#endif
