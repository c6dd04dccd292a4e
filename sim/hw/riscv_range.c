/* SPDX-License-Identifier: MIT */
/*
 * All that RISC-V page tables say of a range of addresses. What an entry says: riscv_entry.h.
 */
#include "hw/riscv_entry.h"

/* A walk over a range of addresses as the tables count them: without what is above their bits. */
struct ranging {
	struct hw_range_walk range;
	const struct hw_riscv_stage *stage;
	u64 above; /* that */
};

static void walk_table(const struct ranging *ranging, phys_addr_t table, u8 level, u64 base);

/* How many entries from this one on say the same of pages side by side. */
static u64 count_run(const struct ranging *ranging, const struct hw_place *place, u64 entry)
{
	u64 step = 1ULL << (RISCV_PTE_PPN_SHIFT + RISCV_INDEX_BITS * place->level), next;
	u64 count = 1;

	while (hw_place_ahead(&ranging->range, place, count, &next) &&
	       next == entry + count * step && !((next ^ entry) & RISCV_PTE_RESERVED))
		count++;
	return count;
}

/* The same of a page that several entries hold: those that agree on it. */
static u64 count_agreeing(const struct ranging *ranging, const struct hw_place *place, u64 entry)
{
	u64 items = 1ULL << (RISCV_NAPOT_LG2 - RISCV_GRANULE_LG2), next;
	u64 count = 1;

	while ((place->index + count) % items &&
	       hw_place_ahead(&ranging->range, place, count, &next) && next == entry)
		count++;
	return count;
}

/* Without marks an entry lets nobody through that hardware would have to mark it for. */
static u64 rights_of(const struct hw_riscv_stage *stage, u64 entry)
{
	if (!(entry & RISCV_PTE_U))
		return 0;
	if (stage->marks)
		return entry;
	if (!(entry & RISCV_PTE_A))
		return 0;
	return entry & RISCV_PTE_D ? entry : entry & ~RISCV_PTE_W;
}

/* Tells a page, or a run of them; returns how many entries. */
static u64 tell_leaf(const struct ranging *ranging, const struct hw_place *place, u64 entry)
{
	const struct hw_riscv_stage *stage = ranging->stage;
	u8 lg2 = riscv_leaf_lg2(entry, place->level);
	u64 within = (1ULL << lg2) - 1;
	u64 rights = rights_of(stage, entry);
	u64 count = 1;

	if (!lg2)
		return 1;
	if (entry & RISCV_PTE_N)
		count = count_agreeing(ranging, place, entry);
	else if (ranging->range.walker->runs)
		count = count_run(ranging, place, entry);
	ranging->range.leaf(
		ranging->range.cookie,
		&(struct hw_leaf){
			.iova = place->base | ranging->above,
			.bytes = count << riscv_level_lg2(place->level),
			.phys = (riscv_page_number(entry) << RISCV_GRANULE_LG2 & ~within) |
				(place->base & within),
			.page_lg2 = lg2,
			.read = rights & RISCV_PTE_R,
			.write = rights & RISCV_PTE_W,
			.accessed = stage->marks && entry & RISCV_PTE_A,
			.dirty = stage->marks && entry & RISCV_PTE_D,
		});
	return count;
}

bool hw_riscv_larger_page(const struct hw_riscv_stage *stage, u64 entry, struct hw_leaf *leaf)
{
	u64 rights = rights_of(stage, entry);

	if (!(entry & RISCV_PTE_V) || !(entry & RISCV_PTE_N) ||
	    riscv_is_malformed(stage, entry, 0) || !riscv_is_leaf(entry))
		return false;
	leaf->page_lg2 = riscv_leaf_lg2(entry, 0);
	leaf->phys = (riscv_page_number(entry) & ~RISCV_NAPOT_MASK) << RISCV_GRANULE_LG2;
	leaf->read = rights & RISCV_PTE_R;
	leaf->write = rights & RISCV_PTE_W;
	leaf->accessed = leaf->dirty = false;
	return leaf->page_lg2;
}

/* Returns how many entries it has told. */
static u64 visit_entry(const struct ranging *ranging, const struct hw_place *place, u64 entry)
{
	const struct hw_range_walk *range = &ranging->range;
	phys_addr_t phys = riscv_page_number(entry) << RISCV_GRANULE_LG2;

	if (!(entry & RISCV_PTE_V)) {
		if (range->walker->absents)
			hw_range_tell_absent(range, place->base | ranging->above,
					     riscv_level_lg2(place->level));
		return 1;
	}
	if (riscv_is_malformed(ranging->stage, entry, place->level))
		return 1;
	if (riscv_is_leaf(entry))
		return tell_leaf(ranging, place, entry);
	if (range->table)
		range->table(range->cookie,
			     &(struct hw_table){
				     .iova = place->base | ranging->above,
				     .bytes = 1ULL << riscv_level_lg2(place->level),
				     .phys = phys,
				     .entry = place->table + place->index * sizeof(entry),
				     .levels = place->level,
				     .read = true,
				     .write = true,
			     });
	walk_table(ranging, phys, place->level - 1, place->base);
	return 1;
}

/* `base` is the first address that the table maps. At most five levels deep. */
static void walk_table(const struct ranging *ranging, phys_addr_t table, u8 level, u64 base)
{
	const struct hw_range_walk *range = &ranging->range;
	u8 lg2 = riscv_level_lg2(level);
	u64 index_last = riscv_entries_of(ranging->stage, level) - 1;
	u64 index_wanted = (range->last - base) >> lg2;
	struct hw_place place = {
		.table = table,
		.entries = hw_walker_entries(range->walker, table),
		.index = range->start > base ? (range->start - base) >> lg2 : 0,
		.last = index_wanted < index_last ? index_wanted : index_last,
		.level = level,
	};

	while (place.index <= place.last) {
		u64 entry, told = 1;

		if (!hw_walker_entry(range->walker, place.entries, table, place.index, &entry))
			return;
		place.base = base + (place.index << lg2);
		if (entry || range->walker->absents)
			told = visit_entry(ranging, &place, entry);
		place.index += told;
	}
}

/* The part of [start, last] that begins with these bits above those that the tables count. */
static void walk_part(const struct ranging *whole, u64 first, u64 end, u64 above)
{
	struct ranging part = *whole;

	if (whole->range.start > (end | above) || whole->range.last < (first | above))
		return;
	if (part.range.start < (first | above))
		part.range.start = first | above;
	if (part.range.last > (end | above))
		part.range.last = end | above;
	part.range.start &= ~above;
	part.range.last &= ~above;
	part.above = above;
	walk_table(&part, part.stage->root, part.stage->levels - 1, 0);
}

void hw_walk_riscv_range(const struct hw_riscv_stage *stage, bool signs, u64 start, u64 last,
			 hw_walk_leaf *leaf, hw_walk_table *table, void *cookie)
{
	const struct ranging whole = { { stage->walker, start, last, leaf, table, cookie },
				       stage,
				       0 };
	u8 bits = riscv_address_bits(stage);
	u64 end = (1ULL << bits) - 1, half = 1ULL << (bits - 1);

	if (!signs) {
		walk_part(&whole, 0, end, 0);
		return;
	}
	walk_part(&whole, 0, half - 1, 0);
	walk_part(&whole, half, end, ~end);
}
