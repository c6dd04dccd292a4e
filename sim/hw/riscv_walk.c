/* SPDX-License-Identifier: MIT */
/*
 * RISC-V page tables, as hardware reads them (facts "iova-and-page-tables" 2.5 and 2.6).
 *
 *   63 62 61 60  54 53                                        10 9   8 7 6 5 4 3 2 1 0
 *   N  PBMT  reserved  page number of a page or of a table       RSW   D A G U X W R V
 *
 * An entry is judged in the order of the reference model: is it there, is it well formed, does it
 * allow the access, does its size fit, are its marks set.
 */
#include <dmasim/hw/riscv.h>

#include "hw/hw.h"
#include "hw/quick_walk.h"
#include "hw/riscv_walk.h"

#define GRANULE (1ULL << RISCV_GRANULE_LG2)

enum trouble {
	NO_TROUBLE,
	TROUBLE_PAGE,	/* a page fault, of this stage */
	TROUBLE_GUEST,	/* one of the second stage */
	TROUBLE_ACCESS, /* there is no memory */
};

static u8 level_lg2(u8 level)
{
	return (u8)(RISCV_GRANULE_LG2 + RISCV_INDEX_BITS * level);
}

static u8 address_bits(const struct hw_riscv_stage *stage)
{
	return level_lg2(stage->levels) + (stage->guest ? RISCV_TOP_EXTRA : 0);
}

static u64 entries_of(const struct hw_riscv_stage *stage, u8 level)
{
	bool wide = stage->guest && level == stage->levels - 1;

	return 1ULL << (RISCV_INDEX_BITS + (wide ? RISCV_TOP_EXTRA : 0));
}

bool hw_walk_riscv_reaches(const struct hw_riscv_stage *stage, u64 iova)
{
	u8 bits = address_bits(stage);
	u64 above = iova >> (bits - 1);

	if (stage->guest)
		return !(iova >> bits);
	return !above || above == ~0ULL >> (bits - 1);
}

static u64 page_number(u64 entry)
{
	return entry >> RISCV_PTE_PPN_SHIFT & RISCV_PTE_PPN_MASK;
}

/* ---- One entry -------------------------------------------------------- */

static bool is_leaf(u64 entry)
{
	return entry & (RISCV_PTE_R | RISCV_PTE_W | RISCV_PTE_X);
}

static bool is_malformed(const struct hw_riscv_stage *stage, u64 entry, u8 level)
{
	u64 type = entry >> RISCV_PTE_PBMT & 3;
	u64 reserved = RISCV_PTE_RESERVED;

	if (stage->software_bits)
		reserved &= ~(3ULL << 59);
	if ((entry & (RISCV_PTE_R | RISCV_PTE_W)) == RISCV_PTE_W || entry & reserved)
		return true;
	if (type == 3 || (type && !stage->pbmt))
		return true;
	if (entry & RISCV_PTE_N && (level || !stage->napot))
		return true;
	if (is_leaf(entry))
		return false;
	return !level || entry & (RISCV_PTE_A | RISCV_PTE_D | RISCV_PTE_U) || type ||
	       entry & RISCV_PTE_N;
}

/* A G stage knows no supervisor: its pages are all the user's. */
static bool is_allowed(const struct hw_riscv_stage *stage, u64 entry,
		       const struct hw_riscv_access *access)
{
	bool user = entry & RISCV_PTE_U;

	if (access->supervisor && !stage->guest) {
		if (user && (access->execute || !access->sum))
			return false;
	} else if (!user) {
		return false;
	}
	if (access->execute && !(entry & RISCV_PTE_X))
		return false;
	if (access->write)
		return entry & RISCV_PTE_W;
	return access->execute || entry & RISCV_PTE_R;
}

/* log2 of a leaf's size; 0: there is no such leaf. */
static u8 leaf_lg2(u64 entry, u8 level)
{
	if (entry & RISCV_PTE_N)
		return (page_number(entry) & RISCV_NAPOT_MASK) == RISCV_NAPOT_PPN ? RISCV_NAPOT_LG2
										  : 0;
	return page_number(entry) & ((1ULL << (level_lg2(level) - RISCV_GRANULE_LG2)) - 1)
		       ? 0
		       : level_lg2(level);
}

/* ---- Walking ---------------------------------------------------------- */

struct journey {
	const struct hw_riscv_stage *stage;
	const struct hw_riscv_access *access;
	struct hw_walk *walk;
};

/* Where an address of this stage's tables lies in memory. */
static enum trouble find_entry(const struct journey *journey, phys_addr_t address, bool write,
			       phys_addr_t *at)
{
	const struct hw_riscv_access implicit = { .iova = address, .write = write };
	struct hw_walk below;

	*at = address;
	if (!journey->stage->second)
		return NO_TROUBLE;
	below = hw_walk_riscv(journey->stage->second, &implicit);
	journey->walk->reads += below.reads;
	*at = below.phys;
	if (!below.fault)
		return NO_TROUBLE;
	return below.fault >= RISCV_CAUSE_GUEST_PAGE_X ? TROUBLE_GUEST : TROUBLE_ACCESS;
}

/* A and D of the leaf: they are set, or missing. */
static enum trouble mark(const struct journey *journey, phys_addr_t address, u64 *entry)
{
	u64 wanted = RISCV_PTE_A | (journey->access->write ? RISCV_PTE_D : 0);
	phys_addr_t at;
	enum trouble trouble;
	u64 raw;

	if ((*entry & wanted) == wanted)
		return NO_TROUBLE;
	if (!journey->stage->marks)
		return TROUBLE_PAGE;
	/* The table's own page must be one that the second stage lets be written. */
	trouble = find_entry(journey, address, true, &at);
	if (trouble)
		return trouble;
	*entry |= wanted;
	raw = htole64(*entry);
	hw_cache_snooped(journey->stage->marks, at, &raw, sizeof(raw));
	return ram_write(&journey->stage->marks->ram, at, &raw, sizeof(raw)) == sizeof(raw)
		       ? NO_TROUBLE
		       : TROUBLE_ACCESS;
}

static enum trouble arrive(const struct journey *journey, u64 entry, u8 level, phys_addr_t at)
{
	struct hw_walk *walk = journey->walk;
	u64 iova = journey->access->iova;
	enum trouble trouble;
	u8 lg2 = leaf_lg2(entry, level);

	walk->read = entry & RISCV_PTE_R && entry & RISCV_PTE_U;
	walk->write = entry & RISCV_PTE_W && entry & RISCV_PTE_U;
	if (!is_allowed(journey->stage, entry, journey->access) || !lg2)
		return TROUBLE_PAGE;
	trouble = mark(journey, at, &entry);
	if (trouble)
		return trouble;
	walk->accessed = entry & RISCV_PTE_A;
	walk->dirty = entry & RISCV_PTE_D;
	walk->page_lg2 = lg2;
	walk->phys = (page_number(entry) << RISCV_GRANULE_LG2 & ~((1ULL << lg2) - 1)) |
		     (iova & ((1ULL << lg2) - 1));
	return NO_TROUBLE;
}

static enum trouble go_down(const struct journey *journey)
{
	const struct hw_riscv_stage *stage = journey->stage;
	struct hw_walk *walk = journey->walk;
	phys_addr_t table = stage->root;

	for (u8 level = stage->levels; level-- > 0;) {
		u64 index = journey->access->iova >> level_lg2(level) &
			    (entries_of(stage, level) - 1);
		enum trouble trouble;
		phys_addr_t at;
		u64 entry;

		walk->step[walk->tables++] = (struct hw_walk_start){ table, level + 1, true, true };
		trouble = find_entry(journey, table + 8 * index, false, &at);
		if (trouble)
			return trouble;
		walk->reads++;
		if (!hw_walker_fetch(stage->walker, at & ~7ULL, 0, &entry))
			return TROUBLE_ACCESS;
		if (!(entry & RISCV_PTE_V)) {
			walk->absent_lg2 = level_lg2(level);
			return TROUBLE_PAGE;
		}
		if (is_malformed(stage, entry, level))
			return TROUBLE_PAGE;
		if (is_leaf(entry))
			return arrive(journey, entry, level, table + 8 * index);
		table = page_number(entry) << RISCV_GRANULE_LG2;
	}
	return TROUBLE_PAGE;
}

/* The last of both stages: the first's page, as far as the second's goes. */
static enum trouble pass_second(const struct journey *journey)
{
	const struct hw_riscv_stage *second = journey->stage->second;
	struct hw_riscv_access access = *journey->access;
	struct hw_walk *walk = journey->walk;
	struct hw_walk below;

	if (!second)
		return NO_TROUBLE;
	access.iova = walk->phys;
	below = hw_walk_riscv(second, &access);
	walk->reads += below.reads;
	if (below.fault)
		return below.fault >= RISCV_CAUSE_GUEST_PAGE_X ? TROUBLE_GUEST : TROUBLE_ACCESS;
	walk->phys = below.phys;
	walk->read &= below.read;
	walk->write &= below.write;
	/* A write by this translation leaves nothing to be marked in either stage. */
	walk->dirty &= below.dirty;
	if (below.page_lg2 < walk->page_lg2)
		walk->page_lg2 = below.page_lg2;
	return NO_TROUBLE;
}

static u8 cause_of(enum trouble trouble, const struct hw_riscv_stage *stage,
		   const struct hw_riscv_access *access)
{
	static const u8 causes[3][3] = {
		{ RISCV_CAUSE_PAGE_R, RISCV_CAUSE_PAGE_W, RISCV_CAUSE_PAGE_X },
		{ RISCV_CAUSE_GUEST_PAGE_R, RISCV_CAUSE_GUEST_PAGE_W, RISCV_CAUSE_GUEST_PAGE_X },
		{ RISCV_CAUSE_ACCESS_R, RISCV_CAUSE_ACCESS_W, RISCV_CAUSE_ACCESS_X },
	};

	if (trouble == TROUBLE_PAGE && stage->guest)
		trouble = TROUBLE_GUEST;
	return causes[trouble - TROUBLE_PAGE][access->execute ? 2 : access->write];
}

/* ---- What most walks meet --------------------------------------------- */

static const struct quick_format quick_format = {
	.granule_lg2 = RISCV_GRANULE_LG2,
	.up = RISCV_GRANULE_LG2 - RISCV_PTE_PPN_SHIFT,
	.pages = RISCV_PTE_PPN_MASK << RISCV_GRANULE_LG2,
};

/* A pointer has V, and what nobody looks at; a leaf none of what is special. */
#define POINTER_BITS (~(RISCV_PTE_PPN_MASK << RISCV_PTE_PPN_SHIFT | RISCV_PTE_RSW | RISCV_PTE_G))
#define SPECIAL_BITS (RISCV_PTE_N | 3ULL << RISCV_PTE_PBMT | RISCV_PTE_RESERVED)

/* Of a first stage the lower half of its addresses. */
static inline struct quick_stage quick_stage(const struct hw_riscv_stage *stage)
{
	return (struct quick_stage){
		.root = stage->root,
		.levels = stage->levels,
		.input_bits = (u8)(address_bits(stage) - !stage->guest),
		.table = { RISCV_PTE_V, POINTER_BITS & ~RISCV_PTE_V },
	};
}

/* A leaf by which a user may do it, and nothing is left to mark. */
static inline struct quick_entry quick_leaf(bool write)
{
	u64 wanted = RISCV_PTE_V | RISCV_PTE_R | RISCV_PTE_U | RISCV_PTE_A;

	if (write)
		wanted |= RISCV_PTE_W | RISCV_PTE_D;
	return (struct quick_entry){ wanted, SPECIAL_BITS };
}

static bool quick(const struct hw_riscv_stage *stage, const struct hw_riscv_access *access,
		  struct quick_found *found)
{
	const struct quick_stage first = quick_stage(stage);
	const struct quick_entry leaf = quick_leaf(access->write);
	const struct ram *ram = stage->walker->ram;

	if (stage->second) {
		const struct quick_stage second = quick_stage(stage->second);
		const struct quick_pair pair = { &first, &second, quick_leaf(false) };

		return quick_walk_both(quick_format, &pair, &leaf, &leaf, ram, access->iova, found);
	}
	return quick_walk(quick_format, &first, &leaf, ram, access->iova, found);
}

static void end_quickly(const struct hw_riscv_stage *stage, const struct quick_found *found,
			struct hw_walk *walk)
{
	u64 rights = found->leaf & found->second_leaf;

	hw_walk_begin(walk);
	walk->page_lg2 = RISCV_GRANULE_LG2;
	walk->phys = found->phys;
	walk->accessed = true;
	walk->dirty = rights & RISCV_PTE_D;
	hw_walk_end(walk, true, rights & RISCV_PTE_W, stage->levels);
	if (stage->second)
		walk->reads += (stage->levels + 1U) * stage->second->levels;
}

static bool walk_quickly(const struct hw_riscv_stage *stage, const struct hw_riscv_access *access,
			 struct hw_walk *walk)
{
	struct quick_found found;

	if (stage->walker->cache || access->execute || access->supervisor ||
	    !quick(stage, access, &found))
		return false;
	end_quickly(stage, &found, walk);
	return true;
}

/* From a table that reaches the address, whatever is above the bits that it counts. */
static bool walk_quickly_from(const struct hw_riscv_stage *stage,
			      const struct hw_riscv_access *access, struct hw_walk *walk)
{
	const struct quick_entry leaf = quick_leaf(access->write);
	struct quick_stage from = quick_stage(stage);
	struct quick_found found;

	from.input_bits = address_bits(stage);
	if (stage->walker->cache ||
	    !quick_walk(quick_format, &from, &leaf, stage->walker->ram,
			access->iova & ((1ULL << from.input_bits) - 1), &found))
		return false;
	end_quickly(stage, &found, walk);
	return true;
}

void hw_walk_riscv_to(const struct hw_riscv_stage *stage, const struct hw_riscv_access *access,
		      struct hw_walk *walk)
{
	const struct journey journey = { stage, access, walk };
	enum trouble trouble = TROUBLE_PAGE;

	if (walk->no_steps && walk_quickly(stage, access, walk))
		return;
	*walk = (struct hw_walk){ .no_steps = walk->no_steps };
	if (hw_walk_riscv_reaches(stage, access->iova))
		trouble = go_down(&journey);
	if (!trouble)
		trouble = pass_second(&journey);
	if (trouble)
		walk->fault = cause_of(trouble, stage, access);
}

void hw_walk_riscv_from(const struct hw_riscv_stage *stage, u64 iova, bool write,
			struct hw_walk *walk)
{
	const struct hw_riscv_access access = { .iova = iova, .write = write };
	const struct journey journey = { stage, &access, walk };
	enum trouble trouble;

	if (walk->no_steps && walk_quickly_from(stage, &access, walk))
		return;
	*walk = (struct hw_walk){ .no_steps = walk->no_steps };
	trouble = go_down(&journey);
	if (trouble)
		walk->fault = cause_of(trouble, stage, &access);
}

struct hw_walk hw_walk_riscv(const struct hw_riscv_stage *stage,
			     const struct hw_riscv_access *access)
{
	struct hw_walk walk = { .no_steps = false };

	hw_walk_riscv_to(stage, access, &walk);
	return walk;
}

/* ---- Ranges ----------------------------------------------------------- */

/* A walk over a range of addresses as the tables count them: without what is above their bits. */
struct ranging {
	struct hw_range_walk range;
	const struct hw_riscv_stage *stage;
	u64 above; /* that */
};

/* An entry of a table, and the last one of it that the range reaches. */
struct place {
	phys_addr_t table;
	const u8 *entries; /* hw_walker_entries() */
	u64 index;
	u64 last;
	u8 level;
	u64 base; /* what the entry maps */
};

static void walk_table(const struct ranging *ranging, phys_addr_t table, u8 level, u64 base);

/* How many entries from this one on say the same of pages side by side. */
static u64 count_run(const struct ranging *ranging, const struct place *place, u64 entry)
{
	u64 step = 1ULL << (RISCV_PTE_PPN_SHIFT + RISCV_INDEX_BITS * place->level), next;
	u64 count = 1;

	while (place->index + count <= place->last &&
	       hw_walker_entry(ranging->range.walker, place->entries, place->table,
			       place->index + count, &next) &&
	       next == entry + count * step && !((next ^ entry) & RISCV_PTE_RESERVED))
		count++;
	return count;
}

/* The same of a page that several entries hold: those that agree on it. */
static u64 count_agreeing(const struct ranging *ranging, const struct place *place, u64 entry)
{
	u64 items = 1ULL << (RISCV_NAPOT_LG2 - RISCV_GRANULE_LG2), next;
	u64 count = 1;

	while ((place->index + count) % items && place->index + count <= place->last &&
	       hw_walker_entry(ranging->range.walker, place->entries, place->table,
			       place->index + count, &next) &&
	       next == entry)
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
static u64 tell_leaf(const struct ranging *ranging, const struct place *place, u64 entry)
{
	const struct hw_riscv_stage *stage = ranging->stage;
	u8 lg2 = leaf_lg2(entry, place->level);
	u64 within = (1ULL << lg2) - 1;
	u64 rights = rights_of(stage, entry);
	u64 count = 1;

	if (!lg2)
		return 1;
	if (entry & RISCV_PTE_N)
		count = count_agreeing(ranging, place, entry);
	else if (ranging->range.walker->runs)
		count = count_run(ranging, place, entry);
	ranging->range.leaf(ranging->range.cookie,
			    &(struct hw_leaf){
				    .iova = place->base | ranging->above,
				    .bytes = count << level_lg2(place->level),
				    .phys = (page_number(entry) << RISCV_GRANULE_LG2 & ~within) |
					    (place->base & within),
				    .page_lg2 = lg2,
				    .read = rights & RISCV_PTE_R,
				    .write = rights & RISCV_PTE_W,
				    .accessed = stage->marks && entry & RISCV_PTE_A,
				    .dirty = stage->marks && entry & RISCV_PTE_D,
			    });
	return count;
}

/* Returns how many entries it has told. */
static u64 visit_entry(const struct ranging *ranging, const struct place *place, u64 entry)
{
	const struct hw_range_walk *range = &ranging->range;
	phys_addr_t phys = page_number(entry) << RISCV_GRANULE_LG2;

	if (!(entry & RISCV_PTE_V)) {
		if (range->walker->absents)
			hw_range_tell_absent(range, place->base | ranging->above,
					     level_lg2(place->level));
		return 1;
	}
	if (is_malformed(ranging->stage, entry, place->level))
		return 1;
	if (is_leaf(entry))
		return tell_leaf(ranging, place, entry);
	if (range->table)
		range->table(range->cookie,
			     &(struct hw_table){
				     .iova = place->base | ranging->above,
				     .bytes = 1ULL << level_lg2(place->level),
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
	u8 lg2 = level_lg2(level);
	u64 index_last = entries_of(ranging->stage, level) - 1;
	u64 index_wanted = (range->last - base) >> lg2;
	struct place place = {
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
	u8 bits = address_bits(stage);
	u64 end = (1ULL << bits) - 1, half = 1ULL << (bits - 1);

	if (!signs) {
		walk_part(&whole, 0, end, 0);
		return;
	}
	walk_part(&whole, 0, half - 1, 0);
	walk_part(&whole, half, end, ~end);
}
