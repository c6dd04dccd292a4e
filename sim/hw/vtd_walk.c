/* SPDX-License-Identifier: MIT */
/*
 * VT-d second-stage tables, as hardware reads them (facts "iova-and-page-tables" 2.2 and 2.6).
 *
 *   63 62 61      52 51                              12 11  10 9 8  7  6  3 2 1 0
 *   ign TM ignored    address of a page or of a table   SNP ign D A PS      X W R
 */
#include "hw/vtd_plain.h"

#define ENTRIES_LG2 VTD_SS_INDEX_BITS

/* log2 of the bytes that one entry of a level maps; level 0 holds the 4 KiB leaves. */
static u8 level_lg2(u8 level)
{
	return (u8)(VTD_SS_GRANULE_LG2 + ENTRIES_LG2 * level);
}

static bool present(u64 entry)
{
	return entry & (VTD_SS_READ | VTD_SS_WRITE);
}

static bool is_leaf(u64 entry, u8 level)
{
	return level == 0 || ((level == 1 || level == 2) && (entry & VTD_SS_SUPERPAGE));
}

/* The bits that must be 0 in a present entry of this level. */
static u64 reserved_bits(const struct hw_walker *walker, u64 entry, u8 level)
{
	u64 reserved = VTD_SS_ADDR_MASK & ~((1ULL << walker->address_bits) - 1);

	if (!walker->snoop_control)
		reserved |= VTD_SS_SNOOP;
	if (!walker->device_tlb)
		reserved |= VTD_SS_TM;
	if (level > 2 || (level == 2 && !walker->huge_1g))
		reserved |= VTD_SS_SUPERPAGE;
	if (level == 1 && (entry & VTD_SS_SUPERPAGE))
		reserved |= VTD_SS_2M_RESERVED;
	if (level == 2 && (entry & VTD_SS_SUPERPAGE))
		reserved |= VTD_SS_1G_RESERVED;
	return reserved;
}

static u64 index_at(u64 iova, u8 level)
{
	return (iova >> level_lg2(level)) & ((1ULL << ENTRIES_LG2) - 1);
}

bool hw_walk_vtd_ss_reaches(u8 levels, u64 iova)
{
	return !(iova >> level_lg2(levels));
}

struct hw_walk hw_walk_vtd_ss(const struct hw_walker *walker, phys_addr_t root, u8 levels, u64 iova,
			      bool write)
{
	const struct hw_walk_start start = { root, levels, true, true };
	struct hw_walk walk = { .no_steps = false };

	if (!hw_walk_vtd_ss_reaches(levels, iova))
		return (struct hw_walk){ .fault = VTD_FAULT_BEYOND_MGAW,
					 .read = true,
					 .write = true };
	hw_walk_vtd_ss_from(walker, &start, iova, write, &walk);
	return walk;
}

u64 hw_vtd_ss_page_bits(const struct hw_walker *walker)
{
	return VTD_SS_ADDR_MASK & ((1ULL << walker->address_bits) - 1);
}

static void arrive(struct hw_walk *walk, u64 entry, u8 level, u64 iova)
{
	u64 offset_mask = (1ULL << level_lg2(level)) - 1;

	walk->page_lg2 = level_lg2(level);
	walk->phys = (entry & VTD_SS_ADDR_MASK & ~offset_mask) | (iova & offset_mask);
}

/*
 * What most walks meet. False: it was something else, and `walk` is as it was; reading entries has
 * no effect, so nothing is lost.
 */
static bool walk_plain(const struct hw_walker *walker, const struct hw_walk_start *start, u64 iova,
		       u64 asked, struct hw_walk *walk)
{
	u64 allowed = (start->read ? VTD_SS_READ : 0) | (start->write ? VTD_SS_WRITE : 0);
	u64 entry = start->table;

	if (entry & (PAGE_SIZE - 1) ||
	    !ss_pass_plain(walker->ram, ss_special_bits(walker), level_lg2(start->levels),
			   VTD_SS_GRANULE_LG2, iova, &entry, &allowed) ||
	    !(allowed & asked))
		return false;
	hw_walk_begin(walk);
	walk->page_lg2 = VTD_SS_GRANULE_LG2;
	walk->phys = (entry & VTD_SS_ADDR_MASK) | (iova & (PAGE_SIZE - 1));
	hw_walk_end(walk, allowed & VTD_SS_READ, allowed & VTD_SS_WRITE, start->levels);
	return true;
}

static struct hw_walk_start step_at(phys_addr_t table, u8 level, u64 allowed)
{
	return (struct hw_walk_start){ table, level + 1, allowed & VTD_SS_READ,
				       allowed & VTD_SS_WRITE };
}

void hw_walk_vtd_ss_from(const struct hw_walker *walker, const struct hw_walk_start *start,
			 u64 iova, bool write, struct hw_walk *walk)
{
	const u64 special = ss_special_bits(walker);
	const u64 asked = write ? VTD_SS_WRITE : VTD_SS_READ;
	u64 allowed = (start->read ? VTD_SS_READ : 0) | (start->write ? VTD_SS_WRITE : 0);
	bool no_steps = walk->no_steps;
	phys_addr_t table = start->table;
	u8 level = start->levels;
	u32 visited = 0;

	if (no_steps && !walker->cache && walk_plain(walker, start, iova, asked, walk))
		return;
	hw_walk_begin(walk);
	/* Level 0 has nothing but leaves. */
	for (;;) {
		u64 entry;

		level--;
		if (!no_steps)
			walk->step[visited] = step_at(table, level, allowed);
		visited++;
		if (!hw_walker_fetch(walker, table, index_at(iova, level), &entry)) {
			walk->fault = VTD_FAULT_TABLE_ACCESS;
			break;
		}
		if ((entry & special) && present(entry) &&
		    (entry & reserved_bits(walker, entry, level))) {
			walk->fault = VTD_FAULT_PTE_RESERVED;
			break;
		}
		allowed &= entry;
		if (DMASIM_UNLIKELY(!(allowed & asked))) {
			walk->absent_lg2 = present(entry) ? 0 : level_lg2(level);
			walk->fault = write ? VTD_FAULT_NO_WRITE : VTD_FAULT_NO_READ;
			break;
		}
		if (!level || ((entry & special) && is_leaf(entry, level))) {
			arrive(walk, entry, level, iova);
			break;
		}
		table = entry & VTD_SS_ADDR_MASK;
	}
	hw_walk_end(walk, allowed & VTD_SS_READ, allowed & VTD_SS_WRITE, visited);
}

static void walk_table(const struct hw_range_walk *range, phys_addr_t table, u8 level, u64 base,
		       u64 allowed);

/* Tells a page, or a run of them; returns how many entries. */
static u64 tell_leaf(const struct hw_range_walk *range, const struct hw_place *place, u64 entry,
		     u64 reserved, u64 allowed)
{
	u64 bytes = 1ULL << level_lg2(place->level), count = 1, next;

	if (range->walker->runs) {
		while (hw_place_ahead(range, place, count, &next) &&
		       next == entry + count * bytes && !(next & reserved))
			count++;
	}
	range->leaf(range->cookie, &(struct hw_leaf){
					   .iova = place->base,
					   .bytes = count * bytes,
					   .phys = entry & VTD_SS_ADDR_MASK,
					   .page_lg2 = level_lg2(place->level),
					   .read = allowed & VTD_SS_READ,
					   .write = allowed & VTD_SS_WRITE,
					   .accessed = entry & VTD_SS_ACCESSED,
					   .dirty = entry & VTD_SS_DIRTY,
				   });
	return count;
}

/* Returns how many entries it has told. */
static u64 visit_entry(const struct hw_range_walk *range, const struct hw_place *place, u64 entry,
		       u64 allowed)
{
	u8 level = place->level;
	u64 reserved;

	if (!present(entry)) {
		if (range->walker->absents && allowed)
			hw_range_tell_absent(range, place->base, level_lg2(level));
		return 1;
	}
	reserved = reserved_bits(range->walker, entry, level);
	if (entry & reserved)
		return 1;
	allowed &= entry;
	if (is_leaf(entry, level))
		return tell_leaf(range, place, entry, reserved, allowed);
	if (range->table)
		range->table(range->cookie,
			     &(struct hw_table){
				     .iova = place->base,
				     .bytes = 1ULL << level_lg2(level),
				     .phys = entry & VTD_SS_ADDR_MASK,
				     .entry = place->table + place->index * sizeof(entry),
				     .levels = level,
				     .read = allowed & VTD_SS_READ,
				     .write = allowed & VTD_SS_WRITE,
			     });
	walk_table(range, entry & VTD_SS_ADDR_MASK, level - 1, place->base, allowed);
	return 1;
}

/* `base` is the first address that the table maps. At most five levels deep. */
static void walk_table(const struct hw_range_walk *range, phys_addr_t table, u8 level, u64 base,
		       u64 allowed)
{
	u64 bytes = 1ULL << level_lg2(level);
	u64 span_last = base + (bytes << ENTRIES_LG2) - 1;
	struct hw_place place = {
		.table = table,
		.entries = hw_walker_entries(range->walker, table),
		.index = range->start > base ? (range->start - base) >> level_lg2(level) : 0,
		.last = range->last < span_last ? (range->last - base) >> level_lg2(level)
						: (1ULL << ENTRIES_LG2) - 1,
		.level = level,
	};

	while (place.index <= place.last) {
		u64 entry, told = 1;

		if (!hw_walker_entry(range->walker, place.entries, table, place.index, &entry))
			return;
		place.base = base + place.index * bytes;
		if (entry || range->walker->absents)
			told = visit_entry(range, &place, entry, allowed);
		place.index += told;
		if (!entry && !range->walker->absents)
			place.index = hw_walker_skip_empty(place.entries, place.index, place.last);
	}
}

void hw_walk_vtd_ss_range(const struct hw_walker *walker, phys_addr_t root, u8 levels, u64 start,
			  u64 last, hw_walk_leaf *leaf, hw_walk_table *table, void *cookie)
{
	struct hw_range_walk range = { walker, start, last, leaf, table, cookie };
	u64 width_last = (1ULL << level_lg2(levels)) - 1;

	if (start > width_last)
		return;
	if (last > width_last)
		range.last = width_last;
	walk_table(&range, root, levels - 1, 0, VTD_SS_READ | VTD_SS_WRITE);
}
