/* SPDX-License-Identifier: MIT */
/*
 * Steps that change tables, contexts and IOVA space.
 */
#include <string.h>

#include <dmasim/hw/vtd.h>

#include "property/caching.h"

/* ---- IOVA space ------------------------------------------------------------------------------ */

bool caching_step_alloc(struct caching_run *run, struct dice *dice)
{
	u32 domain = caching_pick_domain(dice), at = (u32)dice_below(dice, CACHING_BLOCKS);
	u32 slot = (u32)dice_below(dice, PLAIN_PAGES);
	struct block *block = &run->block[domain][at];

	if (block->state == BLOCK_FREE && dice_chance(dice, 50)) {
		block->state = BLOCK_WHOLE;
		return caching_judge_range(run, DMASIM_EVENT_IOVA_ALLOC, domain,
					   caching_block_range(at));
	}
	if (block->state == BLOCK_WHOLE || block->page[slot])
		return true;
	block->state = BLOCK_PAGES;
	block->page[slot] = true;
	return caching_judge_range(run, DMASIM_EVENT_IOVA_ALLOC, domain,
				   caching_slot_range(at, slot));
}

bool caching_step_free(struct caching_run *run, struct dice *dice)
{
	u32 domain = caching_pick_domain(dice), first = (u32)dice_below(dice, CACHING_BLOCKS);

	for (u32 i = 0; i < CACHING_BLOCKS; i++) {
		u32 at = (first + i) % CACHING_BLOCKS;
		struct block *block = &run->block[domain][at];

		if (block->state == BLOCK_WHOLE && !caching_block_is_mapped(run, domain, at)) {
			block->state = BLOCK_FREE;
			return caching_judge_range(run, DMASIM_EVENT_IOVA_FREE, domain,
						   caching_block_range(at));
		}
		for (u32 slot = 0; block->state == BLOCK_PAGES && slot < PLAIN_PAGES; slot++) {
			if (!block->page[slot] || caching_slot_is_mapped(run, domain, at, slot))
				continue;
			block->page[slot] = false;
			if (!memchr(block->page, true, sizeof(block->page)))
				block->state = BLOCK_FREE;
			return caching_judge_range(run, DMASIM_EVENT_IOVA_FREE, domain,
						   caching_slot_range(at, slot));
		}
	}
	return true;
}

/* ---- Tables ---------------------------------------------------------------------------------- */

bool caching_table_for(struct caching_run *run, u32 domain, u32 block, u8 level, phys_addr_t *table)
{
	*table = run->model.domain[domain].root;
	for (u8 at = PLAIN_LEVELS - 1; at > level; at--) {
		phys_addr_t below = caching_table_of(run, domain, block, at - 1);

		if (!below) {
			if (!caching_table_new(run, at - 1, &below))
				return false;
			caching_note(run, "link table 0x%llx of level %u for block %u of domain %u",
				     below, at - 1, block, domain);
			caching_write(run, *table, at > 1 ? block / 2 : block % 2,
				      below | VTD_SS_READ | VTD_SS_WRITE);
		}
		*table = below;
	}
	return true;
}

static void tell_map(struct caching_run *run, u32 domain, struct range range, u64 entry)
{
	u64 bytes = range.last - range.start + 1;

	caching_note(run, "map 0x%llx-0x%llx of domain %u: 0x%llx", range.start, range.last, domain,
		     entry);
	caching_tell(run, &(struct dmasim_event){ .type = DMASIM_EVENT_IOMMU_MAP,
						  .domain = domain,
						  .dma = range.start,
						  .phys = entry & VTD_SS_ADDR_MASK,
						  .size = bytes,
						  .done = bytes,
						  .prot = entry & 3 });
}

static void tell_unmap(struct caching_run *run, u32 domain, struct range range)
{
	u64 bytes = range.last - range.start + 1;

	caching_tell(run, &(struct dmasim_event){ .type = DMASIM_EVENT_IOMMU_UNMAP,
						  .domain = domain,
						  .dma = range.start,
						  .size = bytes,
						  .done = bytes });
}

/* Where absent entries may be cached they are invalidated first, as it should be or nearly. */
static bool is_ready(struct caching_run *run, u32 domain, struct range range, u64 entry,
		     struct dice *dice)
{
	struct plain_command command = {
		.unit = run->model.domain[domain].unit,
		.domain = (u16)domain,
		.window = range,
		.leaf_only = dice_chance(dice, run->mistakes / 2),
	};

	if (range.start & (range.last - range.start))
		command.window = (struct range){ 0, ~0ULL };
	if (command.window.last == ~0ULL)
		command.leaf_only = false;
	if (run->model.caching_mode && dice_chance(dice, 70)) {
		if (!caching_submit(run, &command, 1))
			return false;
		if (!dice_chance(dice, run->mistakes / 2) && !caching_wait(run, command.unit))
			return false;
	}
	if (dice_chance(dice, run->model.caching_mode ? 30 : 90))
		return true;
	return caching_judge_mapped(run, domain, range, entry & VTD_SS_ADDR_MASK);
}

/* One large leaf for the block, in the place of an empty table if there is one. */
static bool map_block(struct caching_run *run, u32 domain, u32 block, struct dice *dice)
{
	phys_addr_t below = caching_table_of(run, domain, block, 0), table;
	struct range range = caching_block_range(block);
	u64 entry = caching_random_block(dice);

	if (!caching_table_for(run, domain, block, 1, &table))
		return false;
	if (below) {
		caching_note(run, "table 0x%llx is unlinked", below);
		caching_to_limbo(run, below);
		caching_changed(run, domain, range, true);
	}
	caching_write(run, table, block % 2, entry);
	tell_map(run, domain, range, entry);
	return is_ready(run, domain, range, entry, dice);
}

static bool map_slot(struct caching_run *run, u32 domain, u32 block, u32 slot, struct dice *dice)
{
	struct range range = caching_slot_range(block, slot);
	u64 entry = caching_random_page(dice, slot);
	phys_addr_t table;

	if (!caching_table_for(run, domain, block, 0, &table))
		return false;
	caching_write(run, table, slot, entry);
	tell_map(run, domain, range, entry);
	return is_ready(run, domain, range, entry, dice);
}

bool caching_step_map(struct caching_run *run, struct dice *dice)
{
	u32 domain = caching_pick_domain(dice), first = (u32)dice_below(dice, CACHING_BLOCKS);
	u32 slot = (u32)dice_below(dice, PLAIN_SLOTS);

	for (u32 i = 0; i < CACHING_BLOCKS; i++) {
		u32 at = (first + i) % CACHING_BLOCKS;
		struct block *block = &run->block[domain][at];
		bool whole = block->state == BLOCK_WHOLE;

		if (block->state == BLOCK_FREE)
			continue;
		if (whole && dice_chance(dice, 50) && !caching_block_is_mapped(run, domain, at))
			return map_block(run, domain, at, dice);
		for (u32 k = 0; k < PLAIN_SLOTS; k++, slot = (slot + 1) % PLAIN_SLOTS)
			if ((whole || (slot < PLAIN_PAGES && block->page[slot])) &&
			    !caching_slot_is_mapped(run, domain, at, slot))
				return map_slot(run, domain, at, slot, dice);
	}
	return true;
}

static void unmap_at(struct caching_run *run, u32 domain, u32 block, struct dice *dice)
{
	phys_addr_t table = caching_table_of(run, domain, block, 0);
	struct range range = caching_block_range(block);
	u32 slot = (u32)dice_below(dice, PLAIN_SLOTS);

	if (!table) {
		caching_write(run, caching_table_of(run, domain, block, 1), block % 2, 0);
	} else {
		while (!caching_entry(run, table, slot))
			slot = (slot + 1) % PLAIN_SLOTS;
		range = caching_slot_range(block, slot);
		caching_write(run, table, slot, 0);
	}
	caching_note(run, "unmap 0x%llx-0x%llx of domain %u", range.start, range.last, domain);
	tell_unmap(run, domain, range);
	caching_changed(run, domain, range, false);
}

bool caching_step_unmap(struct caching_run *run, struct dice *dice)
{
	u32 domain = caching_pick_domain(dice), first = (u32)dice_below(dice, CACHING_BLOCKS);

	for (u32 i = 0; i < CACHING_BLOCKS; i++) {
		u32 at = (first + i) % CACHING_BLOCKS;

		if (!caching_block_is_mapped(run, domain, at))
			continue;
		unmap_at(run, domain, at, dice);
		return true;
	}
	return true;
}

/* A table goes with all that hangs on it, whether it is empty or not. */
static void unlink_table(struct caching_run *run, u32 domain, u32 block, u8 level)
{
	phys_addr_t table = caching_table_of(run, domain, block, level);
	struct range range = caching_block_range(block);

	caching_note(run, "unlink table 0x%llx of level %u for block %u of domain %u", table, level,
		     block, domain);
	if (level == 1) {
		range.start &= ~(SZ_1G - 1ULL);
		range.last = range.start + SZ_1G - 1;
		for (u32 at = block & ~1U; at <= (block | 1); at++) {
			phys_addr_t below = caching_table_of(run, domain, at, 0);

			if (below)
				caching_to_limbo(run, below);
		}
	}
	caching_to_limbo(run, table);
	caching_write(run, caching_table_of(run, domain, block, level + 1),
		      level ? block / 2 : block % 2, 0);
	tell_unmap(run, domain, range);
	caching_changed(run, domain, range, true);
}

bool caching_step_unlink(struct caching_run *run, struct dice *dice)
{
	u32 domain = caching_pick_domain(dice), first = (u32)dice_below(dice, CACHING_BLOCKS);
	u8 level = dice_chance(dice, 25) ? 1 : 0;

	for (u32 i = 0; i < CACHING_BLOCKS; i++) {
		u32 at = (first + i) % CACHING_BLOCKS;

		if (!caching_table_of(run, domain, at, level))
			continue;
		unlink_table(run, domain, at, level);
		return true;
	}
	return true;
}

bool caching_step_free_table(struct caching_run *run, struct dice *dice)
{
	u32 which;
	phys_addr_t table;

	if (!run->limbo_count)
		return true;
	which = (u32)dice_below(dice, run->limbo_count);
	table = run->limbo[which];
	run->limbo[which] = run->limbo[--run->limbo_count];
	return caching_judge_table(run, table);
}
