/* SPDX-License-Identifier: MIT */
/*
 * Pools: where they come from, and which slots are lent. Copying is in swiotlb_copy.c.
 */
#include "dma/swiotlb_pool.h"

#include "dma/direct.h"

/* ---- Pools ------------------------------------------------------------ */

static u32 area_count(const struct os *os, u64 slots)
{
	u32 wanted = os->swiotlb_areas ? os->swiotlb_areas : os->cpus;
	u32 areas = 1;

	while (areas < wanted && 2 * areas <= slots / IO_TLB_SEGSIZE)
		areas *= 2;
	return areas;
}

static struct io_tlb_pool *new_pool(struct os *os, phys_addr_t start, u64 bytes, u32 areas)
{
	u64 slots = bytes >> IO_TLB_SHIFT;
	struct io_tlb_pool *pool;

	pool = os_alloc(os, DMASIM_FAULT_SWIOTLB, sizeof(*pool) + areas * sizeof(pool->area[0]));
	if (!pool)
		return NULL;
	pool->slot = os_alloc(os, DMASIM_FAULT_SWIOTLB, slots * sizeof(*pool->slot));
	if (!pool->slot) {
		os_free(os, pool);
		return NULL;
	}
	pool->start = start;
	pool->slots = slots;
	pool->areas = areas;
	pool->area_slots = (u32)(slots / areas);
	return pool;
}

/* As much as asked for, or half of it, and so on: down to 1 MiB. Below 4 GiB, for small masks. */
static struct io_tlb_pool *new_default_pool(struct os *os)
{
	for (u64 bytes = os->swiotlb_bytes; bytes >= SZ_1M; bytes /= 2) {
		u64 frames = bytes >> PAGE_SHIFT;
		phys_addr_t start = platform_frames_alloc_below(os->platform, DMASIM_FAULT_SWIOTLB,
								frames, DMA_BIT_MASK(32));
		struct io_tlb_pool *pool;

		if (start == PLATFORM_NO_PHYS)
			continue;
		pool = new_pool(os, start, bytes, area_count(os, bytes >> IO_TLB_SHIFT));
		if (!pool)
			platform_frames_free(os->platform, DMASIM_FAULT_SWIOTLB, start, frames);
		return pool;
	}
	return NULL;
}

struct io_tlb_pool *swiotlb_restricted_pool(struct os *os, phys_addr_t start, u64 bytes)
{
	struct io_tlb_pool *pool =
		new_pool(os, start, bytes, area_count(os, bytes >> IO_TLB_SHIFT));

	if (pool)
		pool->restricted = true;
	return pool;
}

void swiotlb_destroy(struct os *os, struct io_tlb_pool *pool)
{
	if (!pool)
		return;
	if (!pool->restricted)
		platform_frames_free(os->platform, DMASIM_FAULT_SWIOTLB, pool->start,
				     (pool->slots << IO_TLB_SHIFT) >> PAGE_SHIFT);
	os_free(os, pool->slot);
	os_free(os, pool);
}

/* A PC has one if some RAM is beyond 32 bits, or if everything is to be bounced. Facts 7.1. */
static bool has_default_pool(const struct os *os)
{
	const struct platform_firmware *firmware = os->firmware;

	if (os->swiotlb_mode == OS_SWIOTLB_OFF)
		return false;
	if (os->swiotlb_mode == OS_SWIOTLB_FORCE)
		return true;
	for (u32 i = 0; i < firmware->memory_count; i++) {
		if (firmware->memory[i].start + firmware->memory[i].bytes - 1 > DMA_BIT_MASK(32))
			return true;
	}
	return false;
}

struct io_tlb_pool *swiotlb_pool(struct device *dev)
{
	struct os *os = dev->os;

	if (dev->io_tlb)
		return dev->io_tlb;
	if (!os->swiotlb && has_default_pool(os))
		os->swiotlb = new_default_pool(os);
	return os->swiotlb;
}

bool is_swiotlb_active(struct device *dev)
{
	return dev->io_tlb || dev->os->swiotlb || has_default_pool(dev->os);
}

bool is_swiotlb_force_bounce(struct device *dev)
{
	return dev->io_tlb || dev->os->swiotlb_mode == OS_SWIOTLB_FORCE;
}

/* The pool, if it is there already. */
static struct io_tlb_pool *existing_pool(const struct device *dev)
{
	return dev->io_tlb ? dev->io_tlb : dev->os->swiotlb;
}

DMASIM_HOT bool is_swiotlb_buffer(struct device *dev, phys_addr_t phys)
{
	const struct io_tlb_pool *pool = existing_pool(dev);

	return pool && phys - pool->start < pool->slots << IO_TLB_SHIFT;
}

size_t swiotlb_max_mapping_size(struct device *dev)
{
	u64 kept = (dev->min_align_mask + IO_TLB_SIZE - 1) & ~(u64)(IO_TLB_SIZE - 1);

	return kept < IO_TLB_MAX_BYTES ? (size_t)(IO_TLB_MAX_BYTES - kept) : 0;
}

struct swiotlb_use swiotlb_use(const struct io_tlb_pool *pool)
{
	struct swiotlb_use use = { 0 };

	if (!pool)
		return use;
	use.slots = pool->slots;
	use.high_water = pool->high_water;
	for (u32 i = 0; i < pool->areas; i++)
		use.used += pool->area[i].used;
	return use;
}

/* ---- Slots ------------------------------------------------------------ */

static u32 segment_offset(u64 slot)
{
	return (u32)(slot & (IO_TLB_SEGSIZE - 1));
}

/* Free slots from `slot` on, up to the segment's end at most. */
static u32 free_run(const struct io_tlb_pool *pool, u64 slot)
{
	return IO_TLB_SEGSIZE - segment_offset(slot) - pool->slot[slot].missing;
}

static void set_free_run(struct io_tlb_pool *pool, u64 slot, u32 run)
{
	pool->slot[slot].missing = (u16)(IO_TLB_SEGSIZE - segment_offset(slot) - run);
}

/* What a search looks for; all masks of address bits. */
struct wanted {
	phys_addr_t orig;
	u64 total; /* bytes, with what comes before and after */
	u32 slots;
	u64 align_mask; /* bits of the run's address that are 0 */
	u64 keep_mask;	/* bits of it that are those of orig */
	u64 boundary;	/* mask of addresses that a run may not cross */
	u64 base;	/* of the pool, as a DMA address within the boundary */
	u32 stride;	/* slots from one candidate to the next */
};

static struct wanted want(struct device *dev, const struct io_tlb_pool *pool, phys_addr_t orig,
			  size_t size, u64 align_mask)
{
	u64 offset = swiotlb_kept(dev, orig, align_mask);
	struct wanted wanted = { .orig = orig };
	u64 widest;

	wanted.total = (size + offset + align_mask) & ~align_mask;
	wanted.slots = (u32)((wanted.total + IO_TLB_SIZE - 1) >> IO_TLB_SHIFT);
	/* Who asks for nothing and fills a page gets a page, as it always was. */
	if (!align_mask && !dev->min_align_mask && wanted.total >= PAGE_SIZE)
		align_mask = PAGE_SIZE - 1;
	wanted.align_mask = align_mask | (IO_TLB_SIZE - 1);
	wanted.keep_mask = dev->min_align_mask & ~wanted.align_mask;
	wanted.boundary = dma_get_seg_boundary(dev);
	wanted.base = phys_to_dma(dev, pool->start) & wanted.boundary;
	widest = wanted.align_mask > wanted.keep_mask ? wanted.align_mask : wanted.keep_mask;
	wanted.stride = (u32)(widest >> IO_TLB_SHIFT) + 1;
	return wanted;
}

static bool lies_right(const struct wanted *wanted, u64 address)
{
	if (address & wanted->align_mask)
		return false;
	return !wanted->orig || (address & wanted->keep_mask) == (wanted->orig & wanted->keep_mask);
}

static bool crosses(const struct wanted *wanted, u64 address)
{
	u64 room = wanted->boundary - (address & wanted->boundary);

	return room < ((u64)wanted->slots << IO_TLB_SHIFT) - 1;
}

/* The first slot of a free run, found from the area's index on; -1: none. */
static s64 search(const struct io_tlb_pool *pool, u32 area, const struct wanted *wanted)
{
	u64 first = (u64)area * pool->area_slots;
	u32 at = pool->area[area].index;
	u32 visited = 0;

	if (wanted->slots > pool->area_slots - pool->area[area].used)
		return -1;
	while (visited < pool->area_slots) {
		u64 slot = first + at;
		u64 address = wanted->base + (slot << IO_TLB_SHIFT);
		u32 step = 1;

		if (lies_right(wanted, address)) {
			if (free_run(pool, slot) >= wanted->slots && !crosses(wanted, address))
				return (s64)slot;
			step = wanted->stride;
		}
		visited += step;
		at += step;
		if (at >= pool->area_slots)
			at = 0;
	}
	return -1;
}

/* Runs that ended where `slot` begins are `run` slots long now. */
static void rebuild_before(struct io_tlb_pool *pool, u64 slot, u32 run)
{
	while (segment_offset(slot) && free_run(pool, slot - 1))
		set_free_run(pool, --slot, ++run);
}

static void take(struct io_tlb_pool *pool, u32 area, u64 first, const struct wanted *wanted,
		 u64 below_slot)
{
	struct io_tlb_area *of = &pool->area[area];
	u64 used = 0;

	for (u32 k = 0; k < wanted->slots; k++) {
		set_free_run(pool, first + k, 0);
		pool->slot[first + k].alloc_size =
			wanted->total - below_slot - ((u64)k << IO_TLB_SHIFT);
		pool->slot[first + k].lent = false;
	}
	rebuild_before(pool, first, 0);
	of->used += wanted->slots;
	of->index = (u32)(first + wanted->slots - (u64)area * pool->area_slots);
	if (of->index >= pool->area_slots)
		of->index = 0;
	for (u32 i = 0; i < pool->areas; i++)
		used += pool->area[i].used;
	if (used > pool->high_water)
		pool->high_water = used;
}

/* Looks through the areas, the CPU's own first. */
static s64 find_slots(struct device *dev, struct io_tlb_pool *pool, phys_addr_t orig, size_t size,
		      u64 align_mask)
{
	struct platform *p = dev->os->platform;
	struct wanted wanted = want(dev, pool, orig, size, align_mask);

	if (wanted.slots > IO_TLB_SEGSIZE)
		return -1;
	for (u32 i = 0; i < pool->areas; i++) {
		u32 area = (p->cpu + i) & (pool->areas - 1);
		s64 slot;

		platform_lock(p, &pool->area[area].lock);
		slot = search(pool, area, &wanted);
		if (slot >= 0)
			take(pool, area, (u64)slot, &wanted, swiotlb_kept_in_slot(dev, orig));
		platform_unlock(p, &pool->area[area].lock);
		if (slot >= 0)
			return slot;
	}
	return -1;
}

s64 swiotlb_lend(struct device *dev, struct io_tlb_pool *pool, phys_addr_t orig, size_t size,
		 u64 align_mask)
{
	u64 offset = swiotlb_kept(dev, orig, align_mask);
	s64 slot = find_slots(dev, pool, orig, size, align_mask);

	if (slot < 0)
		return -1;
	slot += (s64)(offset >> IO_TLB_SHIFT);
	pool->slot[slot].pad_slots = (u16)(offset >> IO_TLB_SHIFT);
	return slot;
}

void swiotlb_take_back(struct os *os, struct io_tlb_pool *pool, u64 slot, u64 within)
{
	u64 first = slot - pool->slot[slot].pad_slots;
	u32 area = (u32)(first / pool->area_slots);
	u32 slots, run = 0;

	/* Nothing is lent there: an address that was unmapped before. */
	if (!pool->slot[first].alloc_size)
		return;
	slots = (u32)((pool->slot[first].alloc_size + within + IO_TLB_SIZE - 1) >> IO_TLB_SHIFT);
	platform_lock(os->platform, &pool->area[area].lock);
	if (segment_offset(first) + slots < IO_TLB_SEGSIZE)
		run = free_run(pool, first + slots);
	for (u32 k = slots; k-- > 0;) {
		set_free_run(pool, first + k, ++run);
		pool->slot[first + k].lent = false;
		pool->slot[first + k].alloc_size = 0;
		pool->slot[first + k].pad_slots = 0;
	}
	rebuild_before(pool, first, run);
	pool->area[area].used -= slots;
	platform_unlock(os->platform, &pool->area[area].lock);
}
