/* SPDX-License-Identifier: MIT */
/*
 * AMD v1 host tables, as hardware reads them (facts "iova-and-page-tables" 2.1 and 2.6).
 *
 *   63  62 61 60 59 58      52 51                        12 11        9  6 5     0
 *   ign IW IR FC U  reserved   address of a page or table   NextLevel    D A    PR
 *
 * A level here is the mode less 1: level 0 holds the 4 KiB leaves. NextLevel of an entry of level
 * n: 0 is a leaf of the level's size, 7 a leaf whose address codes a larger size, 1 to n a pointer
 * to the table of level NextLevel - 1. A pointer may skip levels: the address bits they would
 * index must be 0.
 *
 * Where the facts leave a choice:
 *   - what is wrong with an entry comes before its permissions, and those are judged at the end of
 *     the walk, from all entries together;
 *   - NextLevel 1 to 6 in an entry of level 0 is an illegal level;
 *   - a coded size is larger than the level's own, and less than that of the level above;
 *   - no leaf is larger than 2 PiB, so level 5 has none;
 *   - the address bits below a leaf's natural size are ignored.
 */
#include <dmasim/contract.h>
#include <dmasim/hw/amd.h>

#include "hw/walker.h"

#define ENTRIES	      (1U << AMD_V1_INDEX_BITS)
#define PERMISSIONS   (AMD_V1_READ | AMD_V1_WRITE)
#define SAME_FOR_PAGE (~(AMD_V1_ACCESSED | AMD_V1_DIRTY)) /* hardware marks any of a page's */

enum kind {
	KIND_ABSENT,
	KIND_MALFORMED,
	KIND_LEAF,
	KIND_POINTER,
};

/* What one entry says. */
struct item {
	enum kind kind;
	u8 page_lg2;	  /* leaf */
	u8 next;	  /* pointer: level of the table */
	phys_addr_t phys; /* of the page or of the table */
	u64 allowed;
	u64 word;   /* but for what hardware marks */
	u64 marked; /* that */
};

/* log2 of the bytes that one entry of a level maps. */
static u8 level_lg2(u8 level)
{
	return (u8)(AMD_V1_GRANULE_LG2 + AMD_V1_INDEX_BITS * level);
}

/* The bits of an address below 2^lg2. */
static u64 below(u8 lg2)
{
	return lg2 < 64 ? (1ULL << lg2) - 1 : ~0ULL;
}

/* The size that an address codes: n ones from bit 12 on are a page of 2^(12 + n + 1). */
static u8 coded_lg2(u64 entry)
{
	u8 bits = 52 - AMD_V1_GRANULE_LG2;
	u64 zeros = ~(entry >> AMD_V1_GRANULE_LG2) | 1ULL << bits;

	return (u8)(AMD_V1_GRANULE_LG2 + 1 + __builtin_ctzll(zeros));
}

static struct item decode_leaf(struct item item, u64 entry, u8 level, bool coded)
{
	u8 lg2 = coded ? coded_lg2(entry) : level_lg2(level);
	u8 lg2_min = (u8)(level_lg2(level) + coded);

	if (lg2 < lg2_min || lg2 >= level_lg2(level + 1) || lg2 > AMD_V1_LEAF_LG2_MAX)
		return (struct item){ .kind = KIND_MALFORMED };
	item.kind = KIND_LEAF;
	item.page_lg2 = lg2;
	item.phys = entry & AMD_V1_ADDR_MASK & ~below(lg2);
	return item;
}

static struct item decode(u64 entry, u8 level)
{
	u8 next = entry >> AMD_V1_NEXT_SHIFT & AMD_V1_NEXT_MASK;
	struct item item = {
		.allowed = entry & PERMISSIONS,
		.word = entry & SAME_FOR_PAGE,
		.marked = entry & ~SAME_FOR_PAGE,
	};

	if (!(entry & AMD_V1_PRESENT))
		return (struct item){ .kind = KIND_ABSENT };
	if (entry & AMD_V1_RESERVED)
		return (struct item){ .kind = KIND_MALFORMED };
	if (next == AMD_V1_NEXT_LEAF || next == AMD_V1_NEXT_SIZE)
		return decode_leaf(item, entry, level, next == AMD_V1_NEXT_SIZE);
	if (next > level)
		return (struct item){ .kind = KIND_MALFORMED };
	item.kind = KIND_POINTER;
	item.next = next - 1;
	item.phys = entry & AMD_V1_ADDR_MASK;
	return item;
}

/* The address bits that index the levels which a pointer of `level` skips. */
static u64 skipped_bits(u8 level, u8 next)
{
	return below(level_lg2(level)) & ~below(level_lg2(next + 1));
}

static u64 index_at(u64 iova, u8 level)
{
	return iova >> level_lg2(level) & (ENTRIES - 1);
}

static void refuse(struct hw_walk *walk, u8 code, u16 flags)
{
	walk->fault = code;
	walk->fault_flags |= flags;
}

/* A leaf was reached: the permissions of the walk decide. */
static void arrive(struct hw_walk *walk, const struct item *item, u64 iova, bool allowed)
{
	if (!allowed) {
		refuse(walk, AMD_EVENT_IO_PAGE_FAULT, AMD_FLAG_PR | AMD_FLAG_PE);
		return;
	}
	walk->fault_flags = 0;
	walk->page_lg2 = item->page_lg2;
	walk->phys = item->phys | (iova & below(item->page_lg2));
}

u64 hw_amd_v1_page_bits(const struct hw_walker *walker)
{
	(void)walker;
	return AMD_V1_ADDR_MASK;
}

bool hw_amd_v1_larger_page(const struct hw_walker *walker, u64 entry, struct hw_leaf *leaf)
{
	struct item item = decode(entry, 0);

	(void)walker;
	if (item.kind != KIND_LEAF || item.page_lg2 == AMD_V1_GRANULE_LG2)
		return false;
	leaf->phys = item.phys;
	leaf->page_lg2 = item.page_lg2;
	leaf->read = item.allowed & AMD_V1_READ;
	leaf->write = item.allowed & AMD_V1_WRITE;
	leaf->accessed = item.marked & AMD_V1_ACCESSED;
	leaf->dirty = item.marked & AMD_V1_DIRTY;
	return true;
}

bool hw_walk_amd_v1_reaches(u8 mode, u64 iova)
{
	return !(iova & ~below(level_lg2(mode)));
}

struct hw_walk hw_walk_amd_v1(const struct hw_walker *walker, phys_addr_t root, u8 mode, u64 iova,
			      bool write)
{
	const struct hw_walk_start start = { root, mode, true, true };
	struct hw_walk walk = { .no_steps = false };

	DMASIM_CONTRACT(mode >= AMD_MODE_MIN && mode <= AMD_MODE_MAX, "a page mode is 1 to 6");
	if (!hw_walk_amd_v1_reaches(mode, iova))
		return (struct hw_walk){
			.fault = AMD_EVENT_IO_PAGE_FAULT,
			.fault_flags = AMD_FLAG_PR | AMD_FLAG_RZ | (write ? AMD_FLAG_RW : 0),
			.read = true,
			.write = true,
		};
	hw_walk_amd_v1_from(walker, &start, iova, write, &walk);
	return walk;
}

static struct hw_walk_start step_at(phys_addr_t table, u8 level, u64 allowed)
{
	return (struct hw_walk_start){ table, level + 1, allowed & AMD_V1_READ,
				       allowed & AMD_V1_WRITE };
}

void hw_walk_amd_v1_from(const struct hw_walker *walker, const struct hw_walk_start *start,
			 u64 iova, bool write, struct hw_walk *walk)
{
	u64 asked = write ? AMD_V1_WRITE : AMD_V1_READ;
	u64 allowed = (start->read ? AMD_V1_READ : 0) | (start->write ? AMD_V1_WRITE : 0);
	phys_addr_t table = start->table;
	u8 level = start->levels - 1;
	u32 visited = 0;

	hw_walk_begin(walk);
	walk->fault_flags = write ? AMD_FLAG_RW : 0;
	/* Each turn goes down a level at least. */
	for (;;) {
		struct item item;
		u64 entry;

		if (!walk->no_steps)
			walk->step[visited] = step_at(table, level, allowed);
		visited++;
		if (!hw_walker_fetch(walker, table, index_at(iova, level), &entry)) {
			refuse(walk, AMD_EVENT_PAGE_TAB_HARDWARE_ERROR,
			       AMD_TYPE_MASTER_ABORT << AMD_FLAG_TYPE_SHIFT);
			break;
		}
		item = decode(entry, level);
		if (item.kind == KIND_ABSENT) {
			walk->absent_lg2 = level_lg2(level);
			refuse(walk, AMD_EVENT_IO_PAGE_FAULT, 0);
			break;
		}
		if (item.kind == KIND_MALFORMED) {
			refuse(walk, AMD_EVENT_IO_PAGE_FAULT, AMD_FLAG_PR | AMD_FLAG_RZ);
			break;
		}
		allowed &= item.allowed;
		if (item.kind == KIND_LEAF) {
			arrive(walk, &item, iova, allowed & asked);
			break;
		}
		if (iova & skipped_bits(level, item.next)) {
			refuse(walk, AMD_EVENT_IO_PAGE_FAULT, AMD_FLAG_PR | AMD_FLAG_RZ);
			break;
		}
		table = item.phys;
		level = item.next;
	}
	hw_walk_end(walk, allowed & AMD_V1_READ, allowed & AMD_V1_WRITE, visited);
}

/* ---- Ranges ---------------------------------------------------------------------------------- */

static void walk_table(const struct hw_range_walk *range, phys_addr_t table, u8 level, u64 base,
		       u64 allowed);

struct range_table {
	phys_addr_t phys;
	const u8 *entries; /* hw_walker_entries() */
};

/* Does the entry say the same, as one of the same page? Collects what hardware has marked. */
static bool agrees(const struct hw_range_walk *range, const struct range_table *table, u64 index,
		   u64 word, u64 *marked)
{
	u64 entry;

	if (!hw_walker_entry(range->walker, table->entries, table->phys, index, &entry) ||
	    (entry & SAME_FOR_PAGE) != word)
		return false;
	*marked |= entry & ~SAME_FOR_PAGE;
	return true;
}

/*
 * What an entry of level 0 says, if it says no more than where a page of 4 KiB is and what it
 * allows: the next one of a run is the same but for the address.
 */
static u64 tell_pages(const struct hw_range_walk *range, const struct range_table *table, u64 index,
		      u64 end, u64 entry, u64 base, u64 allowed)
{
	u64 count = 1, next;

	while (range->walker->runs && index + count <= end &&
	       hw_walker_entry(range->walker, table->entries, table->phys, index + count, &next) &&
	       next == entry + (count << AMD_V1_GRANULE_LG2) && !((next ^ entry) & AMD_V1_RESERVED))
		count++;
	allowed &= entry;
	range->leaf(range->cookie, &(struct hw_leaf){
					   .iova = base + (index << AMD_V1_GRANULE_LG2),
					   .bytes = count << AMD_V1_GRANULE_LG2,
					   .phys = entry & AMD_V1_ADDR_MASK,
					   .page_lg2 = AMD_V1_GRANULE_LG2,
					   .read = allowed & AMD_V1_READ,
					   .write = allowed & AMD_V1_WRITE,
					   .accessed = entry & AMD_V1_ACCESSED,
					   .dirty = entry & AMD_V1_DIRTY,
				   });
	return index + count;
}

/* Tells the run of entries around `index` that agree on a page; returns the index behind it. */
static u64 tell_leaf(const struct hw_range_walk *range, const struct range_table *table, u64 index,
		     const struct item *item, u8 level, u64 base, u64 allowed)
{
	u64 items = 1ULL << (item->page_lg2 - level_lg2(level));
	u64 first = index, behind = index + 1;
	u64 page_first = index & ~(items - 1);
	u64 marked = item->marked;

	while (first > page_first && agrees(range, table, first - 1, item->word, &marked))
		first--;
	while (behind < page_first + items && agrees(range, table, behind, item->word, &marked))
		behind++;
	allowed &= item->allowed;
	range->leaf(range->cookie,
		    &(struct hw_leaf){
			    .iova = base + (first << level_lg2(level)),
			    .bytes = (behind - first) << level_lg2(level),
			    .phys = item->phys + ((first - page_first) << level_lg2(level)),
			    .page_lg2 = item->page_lg2,
			    .read = allowed & AMD_V1_READ,
			    .write = allowed & AMD_V1_WRITE,
			    .accessed = marked & AMD_V1_ACCESSED,
			    .dirty = marked & AMD_V1_DIRTY,
		    });
	return behind;
}

static void follow(const struct hw_range_walk *range, phys_addr_t entry, const struct item *item,
		   u64 base, u64 allowed)
{
	/* Of what the entry maps, what skipped levels leave: that with their bits 0. */
	u8 lg2 = level_lg2(item->next + 1);

	if (range->start > base + below(lg2))
		return;
	allowed &= item->allowed;
	if (range->table)
		range->table(range->cookie, &(struct hw_table){
						    .iova = base,
						    .bytes = 1ULL << lg2,
						    .phys = item->phys,
						    .entry = entry,
						    .levels = (u8)(item->next + 1),
						    .read = allowed & AMD_V1_READ,
						    .write = allowed & AMD_V1_WRITE,
					    });
	walk_table(range, item->phys, item->next, base, allowed);
}

/* `base` is the first address that the table maps. At most six levels deep. */
static void walk_table(const struct hw_range_walk *range, phys_addr_t table, u8 level, u64 base,
		       u64 allowed)
{
	u64 span_last = base + below(level_lg2(level + 1));
	u64 first = range->start > base ? (range->start - base) >> level_lg2(level) : 0;
	u64 end = ((range->last < span_last ? range->last : span_last) - base) >> level_lg2(level);

	const struct range_table here = { table, hw_walker_entries(range->walker, table) };

	for (u64 index = first; index <= end;) {
		struct item item;
		u64 entry;

		if (!hw_walker_entry(range->walker, here.entries, table, index, &entry))
			return;
		if (!entry && !range->walker->absents) {
			index = hw_walker_skip_empty(here.entries, index + 1, end);
			continue;
		}
		item = decode(entry, level);
		if (item.kind == KIND_LEAF && item.page_lg2 == AMD_V1_GRANULE_LG2) {
			index = tell_pages(range, &here, index, end, entry, base, allowed);
			continue;
		}
		if (item.kind == KIND_LEAF) {
			index = tell_leaf(range, &here, index, &item, level, base, allowed);
			continue;
		}
		if (item.kind == KIND_POINTER)
			follow(range, table + index * sizeof(entry), &item,
			       base + (index << level_lg2(level)), allowed);
		else if (item.kind == KIND_ABSENT && range->walker->absents && allowed)
			hw_range_tell_absent(range, base + (index << level_lg2(level)),
					     level_lg2(level));
		index++;
	}
}

void hw_walk_amd_v1_range(const struct hw_walker *walker, phys_addr_t root, u8 mode, u64 start,
			  u64 last, hw_walk_leaf *leaf, hw_walk_table *table, void *cookie)
{
	struct hw_range_walk range = { walker, start, last, leaf, table, cookie };
	u64 width_last = below(level_lg2(mode));

	if (start > width_last)
		return;
	if (last > width_last)
		range.last = width_last;
	walk_table(&range, root, mode - 1, 0, PERMISSIONS);
}
