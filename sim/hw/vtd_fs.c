/* SPDX-License-Identifier: MIT */
/*
 * VT-d first-stage tables, which are those of x86-64, as hardware reads them (facts
 * "iova-and-page-tables" 2.3 and 2.6).
 *
 *   63  62      52 51                              12 11 10 9 8  7  6 5 4   3   2  1  0
 *   XD  ignored    address of a page or of a table    EA    G PS  D A PCD PWT U/S R/W P
 *
 * An address is sign-extended from the highest bit that the tables index. Where the facts leave a
 * choice: permissions are judged at the end, from all entries together, first U/S, then R/W, then
 * XD; a large leaf's bit 12 is no part of its address.
 */
#include <dmasim/contract.h>

#include "hw/vtd_fs_entry.h"

bool hw_walk_vtd_fs_reaches(u8 levels, u64 iova)
{
	/* All bits from the highest indexed one on are the same. */
	u64 above = iova >> (fs_level_lg2(levels) - 1);

	return !above || above == ~0ULL >> (fs_level_lg2(levels) - 1);
}

struct hw_walk hw_walk_vtd_fs_from(const struct hw_walker *walker,
				   const struct hw_walk_start *start,
				   const struct hw_fs_access *access)
{
	struct fs_rights rights = { start->write, true, true };
	struct hw_walk walk = { .read = false };
	phys_addr_t table = start->table;

	for (u8 level = start->levels; level-- > 0;) {
		u64 entry;

		fs_note_table(&walk, table, level, &rights);
		if (!hw_walker_fetch(walker, table, fs_index_at(access->iova, level), &entry))
			walk.fault = VTD_FAULT_FS_ACCESS;
		else if (!(entry & X86_FS_PRESENT))
			walk.fault = VTD_FAULT_FS_NOT_PRESENT;
		else if (entry & fs_reserved_bits(walker, entry, level))
			walk.fault = VTD_FAULT_FS_RESERVED;
		if (walk.fault)
			return walk;
		fs_narrow(&rights, entry);
		if (fs_is_leaf(entry, level)) {
			walk.page_lg2 = fs_level_lg2(level);
			walk.phys = fs_page_of(entry, level) |
				    (access->iova & ((1ULL << walk.page_lg2) - 1));
			break;
		}
		table = entry & X86_FS_ADDR_MASK;
	}
	walk.fault = fs_verdict(&rights, access);
	walk.read = rights.user;
	walk.write = rights.user && rights.write;
	return walk;
}

/* One range walk, of one half of the addresses. */
struct range_walk {
	const struct hw_walker *walker;
	u64 start; /* without the sign */
	u64 last;
	u64 sign; /* what is above the highest indexed bit */
	hw_walk_leaf *leaf;
	hw_walk_table *table;
	void *cookie;
};

static void walk_table(const struct range_walk *range, phys_addr_t table, u8 level, u64 base,
		       bool write);

static void visit_entry(const struct range_walk *range, phys_addr_t at, u64 entry, u8 level,
			u64 base, bool write)
{
	u64 bytes = 1ULL << fs_level_lg2(level);

	if (!(entry & X86_FS_PRESENT) || (entry & fs_reserved_bits(range->walker, entry, level)))
		return;
	write &= (entry & X86_FS_WRITE) != 0;
	if (fs_is_leaf(entry, level)) {
		range->leaf(range->cookie, &(struct hw_leaf){
						   .iova = range->sign | base,
						   .bytes = bytes,
						   .phys = fs_page_of(entry, level),
						   .page_lg2 = fs_level_lg2(level),
						   .read = true,
						   .write = write,
						   .accessed = entry & X86_FS_ACCESSED,
						   .dirty = entry & X86_FS_DIRTY,
					   });
		return;
	}
	if (range->table)
		range->table(range->cookie, &(struct hw_table){
						    .iova = range->sign | base,
						    .bytes = bytes,
						    .phys = entry & X86_FS_ADDR_MASK,
						    .entry = at,
						    .levels = level,
						    .read = true,
						    .write = write,
					    });
	walk_table(range, entry & X86_FS_ADDR_MASK, level - 1, base, write);
}

/* `base` is the first address that the table maps, without the sign. At most five levels deep. */
static void walk_table(const struct range_walk *range, phys_addr_t table, u8 level, u64 base,
		       bool write)
{
	u64 bytes = 1ULL << fs_level_lg2(level);
	u64 span_last = base + (bytes << X86_FS_INDEX_BITS) - 1;
	u64 first = range->start > base ? (range->start - base) >> fs_level_lg2(level) : 0;
	u64 last = range->last < span_last ? (range->last - base) >> fs_level_lg2(level)
					   : FS_ENTRIES - 1;

	for (u64 index = first; index <= last; index++) {
		u64 entry;

		if (!hw_walker_fetch(range->walker, table, index, &entry))
			return;
		if (entry)
			visit_entry(range, table + index * sizeof(entry), entry, level,
				    base + index * bytes, write);
	}
}

void hw_walk_vtd_fs_range(const struct hw_walker *walker, phys_addr_t root, u8 levels, u64 start,
			  u64 last, hw_walk_leaf *leaf, hw_walk_table *table, void *cookie)
{
	struct range_walk range = { walker, start, last, 0, leaf, table, cookie };
	u64 half, sign;

	if (levels & HW_BELOW_TOP) {
		levels &= HW_LEVELS;
		DMASIM_CONTRACT(levels >= 1 && levels < X86_FS_LEVELS_MAX,
				"a table below the top has 1 to 4 levels");
		if (!(start >> fs_level_lg2(levels)))
			walk_table(&range, root, levels - 1, 0, true);
		return;
	}
	DMASIM_CONTRACT(levels >= X86_FS_LEVELS_MIN && levels <= X86_FS_LEVELS_MAX,
			"a first stage has 4 or 5 levels");
	half = 1ULL << (fs_level_lg2(levels) - 1);
	sign = ~(2 * half - 1);
	if (start < half) {
		range.last = last < half ? last : half - 1;
		walk_table(&range, root, levels - 1, 0, true);
	}
	if (last < -half)
		return;
	range.sign = sign;
	range.start = (start > -half ? start : -half) & ~sign;
	range.last = last & ~sign;
	walk_table(&range, root, levels - 1, 0, true);
}
