/* SPDX-License-Identifier: MIT */
/*
 * Walks of RISC-V page tables, of one stage or of two. What an entry says: riscv_entry.h.
 *
 * An entry is judged in the order of the reference model: is it there, is it well formed, does it
 * allow the access, does its size fit, are its marks set.
 */
#include "hw/hw.h"
#include "hw/quick_walk.h"
#include "hw/riscv_entry.h"

enum trouble {
	NO_TROUBLE,
	TROUBLE_PAGE,	/* a page fault, of this stage */
	TROUBLE_GUEST,	/* one of the second stage */
	TROUBLE_ACCESS, /* there is no memory */
};

bool hw_walk_riscv_reaches(const struct hw_riscv_stage *stage, u64 iova)
{
	u8 bits = riscv_address_bits(stage);
	u64 above = iova >> (bits - 1);

	if (stage->guest)
		return !(iova >> bits);
	return !above || above == ~0ULL >> (bits - 1);
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
	u8 lg2 = riscv_leaf_lg2(entry, level);

	walk->read = entry & RISCV_PTE_R && entry & RISCV_PTE_U;
	walk->write = entry & RISCV_PTE_W && entry & RISCV_PTE_U;
	if (!riscv_is_allowed(journey->stage, entry, journey->access) || !lg2)
		return TROUBLE_PAGE;
	trouble = mark(journey, at, &entry);
	if (trouble)
		return trouble;
	walk->accessed = entry & RISCV_PTE_A;
	walk->dirty = entry & RISCV_PTE_D;
	walk->page_lg2 = lg2;
	walk->phys = (riscv_page_number(entry) << RISCV_GRANULE_LG2 & ~((1ULL << lg2) - 1)) |
		     (iova & ((1ULL << lg2) - 1));
	return NO_TROUBLE;
}

static enum trouble go_down(const struct journey *journey)
{
	const struct hw_riscv_stage *stage = journey->stage;
	struct hw_walk *walk = journey->walk;
	phys_addr_t table = stage->root;

	for (u8 level = stage->levels; level-- > 0;) {
		u64 index = journey->access->iova >> riscv_level_lg2(level) &
			    (riscv_entries_of(stage, level) - 1);
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
			walk->absent_lg2 = riscv_level_lg2(level);
			return TROUBLE_PAGE;
		}
		if (riscv_is_malformed(stage, entry, level))
			return TROUBLE_PAGE;
		if (riscv_is_leaf(entry))
			return arrive(journey, entry, level, table + 8 * index);
		table = riscv_page_number(entry) << RISCV_GRANULE_LG2;
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
		.input_bits = (u8)(riscv_address_bits(stage) - !stage->guest),
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

	from.input_bits = riscv_address_bits(stage);
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
