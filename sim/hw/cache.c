/* SPDX-License-Identifier: MIT */
#include "hw/cache.h"

#include <string.h>

#include "hw/hw.h"

/* All addresses that RAM or adopted memory can have. */
#define ADDRESS_SPACE_BYTES (1ULL << 52)

static int compare_holes(const struct cache_hole *a, const struct cache_hole *b)
{
	return a->start < b->start ? -1 : a->start > b->start;
}

RB_PROTOTYPE(cache_holes, cache_hole, by_start, compare_holes)
RB_GENERATE(cache_holes, cache_hole, by_start, compare_holes)

void hw_cache_init(struct hw_cache *cache, struct world *world)
{
	*cache = (struct hw_cache){ .world = world };
	RB_INIT(&cache->holes);
	ram_init(&cache->memory, world, DMASIM_FAULT_CACHE);
	ram_init(&cache->met, world, DMASIM_FAULT_CACHE);
	ram_add_range(&cache->memory, 0, ADDRESS_SPACE_BYTES);
	ram_add_range(&cache->met, 0, ADDRESS_SPACE_BYTES);
}

void hw_cache_fini(struct hw_cache *cache)
{
	struct cache_hole *hole;

	while ((hole = RB_MIN(cache_holes, &cache->holes))) {
		RB_REMOVE(cache_holes, &cache->holes, hole);
		memory_free(&cache->world->memory, hole);
	}
	ram_fini(&cache->memory);
	ram_fini(&cache->met);
}

/* Reads the part of the line around `phys` from `phys` on; false: no memory is there. */
static bool look_at(struct hw *hw, phys_addr_t phys, struct cache_line *line)
{
	u64 left = CACHE_LINE_BYTES - (phys & (CACHE_LINE_BYTES - 1));

	line->at = phys;
	line->bytes = ram_read(&hw->ram, phys, line->cpu, left);
	ram_read(&hw->cache.met, phys, line->met, line->bytes);
	return line->bytes > 0;
}

static bool is_dirty(const struct cache_line *line)
{
	return memcmp(line->cpu, line->met, (size_t)line->bytes) != 0;
}

static phys_addr_t line_start(phys_addr_t phys)
{
	return phys & ~(u64)(CACHE_LINE_BYTES - 1);
}

/* Adopted memory may begin in the middle of a line: then the line begins there. */
static phys_addr_t first_of_line(struct hw *hw, phys_addr_t phys)
{
	phys_addr_t start = line_start(phys);

	while (start < phys && !ram_covered(&hw->ram, start, 1))
		start++;
	return start;
}

/* The cache lets go of its clean lines in an extent: the CPU sees what memory holds of them. */
static void let_go(struct hw *hw, const struct ram_extent *extent)
{
	struct cache_line line;

	for (u64 at = 0; at < extent->bytes; at += CACHE_LINE_BYTES) {
		phys_addr_t last = extent->start + at + CACHE_LINE_BYTES - 1;
		const u8 *memory;

		if (!look_at(hw, first_of_line(hw, last), &line) || is_dirty(&line))
			continue;
		memory = extent->host + (line.at - extent->start);
		if (memcmp(memory, line.cpu, (size_t)line.bytes) != 0)
			hw_ram_write(hw, line.at, memory, line.bytes);
	}
}

static void let_go_of_all(struct hw *hw, struct ram_extent *extent)
{
	if (!extent)
		return;
	let_go_of_all(hw, RB_LEFT(extent, by_phys));
	let_go(hw, extent);
	let_go_of_all(hw, RB_RIGHT(extent, by_phys));
}

/* No host memory for two views: what devices wrote joins the CPU's, and that one remains. */
static void give_up(struct hw *hw)
{
	if (hw->cache.broken)
		return;
	hw->cache.broken = true;
	let_go_of_all(hw, RB_ROOT(&hw->cache.memory.phys_tree));
}

static void put(struct hw *hw, struct ram *view, phys_addr_t at, const u8 *from, u64 bytes)
{
	if (ram_write(view, at, from, bytes) != bytes)
		give_up(hw);
}

static void put_in_cache(struct hw *hw, phys_addr_t at, const u8 *from, u64 bytes)
{
	if (hw_ram_write(hw, at, from, bytes) != bytes)
		give_up(hw);
}

static void write_back(struct hw *hw, const struct cache_line *line)
{
	if (hw->hooks.writing_back)
		hw->hooks.writing_back(hw->hooks.cookie, line);
	put(hw, &hw->cache.memory, line->at, line->cpu, line->bytes);
	put(hw, &hw->cache.met, line->at, line->cpu, line->bytes);
}

static void drop(struct hw *hw, const struct cache_line *line)
{
	u8 memory[CACHE_LINE_BYTES];

	ram_read(&hw->cache.memory, line->at, memory, line->bytes);
	put(hw, &hw->cache.met, line->at, memory, line->bytes);
	if (memcmp(memory, line->cpu, (size_t)line->bytes) != 0)
		put_in_cache(hw, line->at, memory, line->bytes);
}

/* The line that follows `line`. */
static phys_addr_t after(const struct cache_line *line)
{
	return line_start(line->at) + CACHE_LINE_BYTES;
}

void hw_cache_clean(struct hw *hw, phys_addr_t phys, u64 bytes)
{
	phys_addr_t end = phys + bytes;
	struct cache_line line;

	if (!bytes)
		return;
	hw->cache.used = true;
	for (phys = first_of_line(hw, phys); phys < end; phys = after(&line)) {
		if (hw->cache.broken || !look_at(hw, phys, &line))
			return;
		if (is_dirty(&line))
			write_back(hw, &line);
	}
}

void hw_cache_invalidate(struct hw *hw, phys_addr_t phys, u64 bytes)
{
	phys_addr_t start = phys, end = phys + bytes;
	struct cache_line line;

	if (!bytes)
		return;
	hw->cache.used = true;
	for (phys = first_of_line(hw, phys); phys < end; phys = after(&line)) {
		bool in_part;

		if (hw->cache.broken || !look_at(hw, phys, &line))
			return;
		in_part = line.at < start || line.at + line.bytes > end;
		if (in_part && is_dirty(&line))
			write_back(hw, &line);
		drop(hw, &line);
	}
}

/* Lines of the range that leave the cache on their own. */
static void evict(struct hw *hw, phys_addr_t phys, u64 bytes)
{
	phys_addr_t end = phys + bytes;
	struct cache_line line;

	if (!hw->world->random_choices)
		return;
	for (phys = first_of_line(hw, phys); phys < end; phys = after(&line)) {
		if (hw->cache.broken || !look_at(hw, phys, &line))
			return;
		if (!world_choose(hw->world, 2))
			continue;
		if (is_dirty(&line))
			write_back(hw, &line);
		else
			drop(hw, &line);
	}
}

/* True if the CPU does not cache the address. Holes are whole pages. */
static bool in_hole(const struct hw_cache *cache, phys_addr_t phys)
{
	const struct cache_hole *hole = RB_ROOT(&cache->holes);

	while (hole) {
		if (phys - hole->start < hole->bytes)
			return true;
		hole = phys < hole->start ? RB_LEFT(hole, by_start) : RB_RIGHT(hole, by_start);
	}
	return false;
}

void hw_cache_bypass(struct hw *hw, phys_addr_t phys, u64 bytes, bool bypass)
{
	struct hw_cache *cache = &hw->cache;
	struct cache_hole *hole;

	if (bypass) {
		hw_cache_clean(hw, phys, bytes);
		hw_cache_invalidate(hw, phys, bytes);
		hole = memory_alloc(&cache->world->memory, DMASIM_FAULT_CACHE, sizeof(*hole));
		if (!hole) {
			give_up(hw);
			return;
		}
		hole->start = phys;
		hole->bytes = bytes;
		/* It may be one already. */
		if (RB_INSERT(cache_holes, &cache->holes, hole))
			memory_free(&cache->world->memory, hole);
		return;
	}
	hole = RB_FIND(cache_holes, &cache->holes, &(struct cache_hole){ .start = phys });
	if (!hole)
		return;
	RB_REMOVE(cache_holes, &cache->holes, hole);
	memory_free(&cache->world->memory, hole);
	/* Memory and the CPU's view were the same all the time. */
	hw_cache_clean(hw, phys, bytes);
}

u64 hw_cache_peek(struct hw_cache *cache, struct ram *ram, phys_addr_t phys, void *to, u64 bytes)
{
	if (cache->broken || in_hole(cache, phys))
		return ram_read(ram, phys, to, bytes);
	return ram_read(&cache->memory, phys, to, ram_covered(ram, phys, bytes));
}

u64 hw_cache_read(struct hw *hw, phys_addr_t phys, void *to, u64 bytes)
{
	hw->cache.used = true;
	if (!in_hole(&hw->cache, phys))
		evict(hw, phys, bytes);
	return hw_cache_peek(&hw->cache, &hw->ram, phys, to, bytes);
}

u64 hw_cache_write(struct hw *hw, phys_addr_t phys, const void *from, u64 bytes)
{
	hw->cache.used = true;
	if (!in_hole(&hw->cache, phys))
		evict(hw, phys, bytes);
	if (!hw->cache.broken && !in_hole(&hw->cache, phys)) {
		u64 covered = ram_covered(&hw->ram, phys, bytes);

		if (ram_write(&hw->cache.memory, phys, from, covered) == covered)
			return covered;
		give_up(hw);
	}
	return hw_ram_write(hw, phys, from, bytes);
}

void hw_cache_snooped(struct hw *hw, phys_addr_t phys, const void *from, u64 bytes)
{
	if (!hw->cache.used || hw->cache.broken)
		return;
	put(hw, &hw->cache.memory, phys, from, bytes);
	put(hw, &hw->cache.met, phys, from, bytes);
}

void hw_cache_zero(struct hw_cache *cache, phys_addr_t phys, u64 bytes)
{
	if (!cache->used)
		return;
	ram_zero(&cache->memory, phys, bytes);
	ram_zero(&cache->met, phys, bytes);
}
