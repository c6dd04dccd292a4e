/* SPDX-License-Identifier: MIT */
/*
 * VT-d's nested translation, as hardware does it.
 *
 * Where the facts leave a choice:
 *   - what the first stage says against a request comes before what the second stage says about the
 *     page; both are asked for what the request is, those of privilege and to execute as others;
 *   - a table of the first stage that the second does not let be read is 0x75, the top, or 0x76,
 *     whether its entry allows nothing or something else; 0x77 the same of a mark that is to be
 *     set;
 *   - an address in an entry of the first stage that the second stage's tables do not have is 0x74,
 *     of a page as of a table; such a top is 0x73, as one where no memory is;
 *   - what is wrong with the second stage's own entries is told as without a first stage, and so is
 *     what it allows of the page: 0x79 nothing, 0x85 and 0x86 not this;
 *   - marks are set when all has gone well: the second stage's for each of its walks, dirty where
 *     the page of a table is written to, to mark that.
 */
#include "hw/vtd_nested.h"

#include "hw/vtd.h"
#include "hw/vtd_fs_entry.h"
#include "hw/vtd_plain.h"
#include "hw/walk_mark.h"

struct journey {
	const struct hw_walker *walker;
	const struct hw_nested *nested;
	const struct hw_fs_access *access;
};

static phys_addr_t entry_at(phys_addr_t table, u64 iova, u8 level)
{
	return table + fs_index_at(iova, level) * sizeof(u64);
}

/* An address of the second stage. A fault of that, or 0. */
static u8 pass_second(const struct journey *journey, u64 address, bool write, struct hw_walk *below)
{
	const struct hw_nested *nested = journey->nested;
	const struct hw_walk_start start = { nested->second, nested->second_levels, true, true };

	*below = (struct hw_walk){ .no_steps = false };
	if (!hw_walk_vtd_ss_reaches(nested->second_levels, address))
		return VTD_FAULT_SM_SS_BEYOND_MAX;
	hw_walk_vtd_ss_from(journey->walker, &start, address, write, below);
	return hw_vtd_second_stage_fault(below, true);
}

/* Where an entry of the first stage lies in memory. */
static u8 find_entry(const struct journey *journey, phys_addr_t address, bool top, bool write,
		     struct hw_walk *below)
{
	u8 fault = pass_second(journey, address, write, below);

	switch (fault) {
	case VTD_FAULT_SM_SS_BEYOND_MAX:
		return top ? VTD_FAULT_FS_TOP_ACCESS : VTD_FAULT_FS_BEYOND_MGAW;
	case VTD_FAULT_SS_PERMISSION:
	case VTD_FAULT_SM_NO_READ:
	case VTD_FAULT_SM_NO_WRITE:
		if (write)
			return VTD_FAULT_FS_NESTED_WRITE;
		return top ? VTD_FAULT_FS_TOP_NESTED_READ : VTD_FAULT_FS_NESTED_READ;
	default:
		return fault;
	}
}

/* ---- Walking ---------------------------------------------------------- */

static u8 read_entry(const struct journey *journey, phys_addr_t table, u8 level,
		     struct hw_walk *walk, u64 *entry)
{
	bool top = level + 1 == journey->nested->first_levels;
	struct hw_walk below;
	u8 fault = find_entry(journey, entry_at(table, journey->access->iova, level), top, false,
			      &below);

	walk->reads += below.reads;
	if (fault)
		return fault;
	if (!hw_walker_fetch(journey->walker, below.phys, 0, entry))
		return top ? VTD_FAULT_FS_TOP_ACCESS : VTD_FAULT_FS_ACCESS;
	if (!(*entry & X86_FS_PRESENT))
		return VTD_FAULT_FS_NOT_PRESENT;
	if (*entry & fs_reserved_bits(journey->walker, *entry, level))
		return VTD_FAULT_FS_RESERVED;
	return 0;
}

/* The page of the first stage, as far as the second's goes. */
static u8 arrive(const struct journey *journey, const struct fs_rights *rights, u64 entry, u8 level,
		 struct hw_walk *walk)
{
	u8 fault = fs_verdict(rights, journey->access);
	u64 within = (1ULL << fs_level_lg2(level)) - 1;
	struct hw_walk below;

	if (fault)
		return fault;
	fault = pass_second(journey, fs_page_of(entry, level) | (journey->access->iova & within),
			    journey->access->write, &below);
	walk->reads += below.reads;
	if (fault)
		return fault == VTD_FAULT_SM_SS_BEYOND_MAX ? VTD_FAULT_FS_BEYOND_MGAW : fault;
	walk->phys = below.phys;
	walk->page_lg2 = below.page_lg2 < fs_level_lg2(level) ? below.page_lg2
							      : fs_level_lg2(level);
	walk->read = rights->user && below.read;
	walk->write = rights->user && rights->write && below.write;
	return 0;
}

static void go_down(const struct journey *journey, const struct hw_walk_start *start,
		    struct hw_walk *walk)
{
	struct fs_rights rights = { start->write, true, true };
	phys_addr_t table = start->table;

	for (u8 level = start->levels; level-- > 0;) {
		u64 entry = 0;

		fs_note_table(walk, table, level, &rights);
		walk->fault = read_entry(journey, table, level, walk, &entry);
		if (walk->fault)
			return;
		fs_narrow(&rights, entry);
		if (fs_is_leaf(entry, level)) {
			walk->fault = arrive(journey, &rights, entry, level, walk);
			return;
		}
		table = entry & X86_FS_ADDR_MASK;
	}
}

/* ---- What most walks meet --------------------------------------------- */

/* A leaf, or a pointer, without any of these has no reserved bit set and says what it seems to. */
static u64 fs_special_bits(const struct hw_walker *walker)
{
	return (X86_FS_ADDR_MASK & ~((1ULL << walker->address_bits) - 1)) | X86_FS_PAGE_SIZE |
	       X86_FS_NO_EXECUTE;
}

/*
 * The second stage's table that the last of its walks went through on the way to 1 GiB: as long as
 * one walk of the first stage lasts, it leads there for the next, too.
 */
#define NEAR_LG2 30

struct near {
	const struct ram *ram;
	u64 special;
	u64 second;
	u32 top_lg2;
	u64 region; /* address >> NEAR_LG2 */
	u64 table;
	u64 allowed;
};

/* False: it is nothing plain. Else the entry of the page, and what all on the way allow. */
static inline bool second_plain(struct near *near, u64 address, u64 *entry, u64 *allowed)
{
	if (address >> NEAR_LG2 != near->region) {
		if (address >> near->top_lg2)
			return false;
		*entry = near->second;
		*allowed = VTD_SS_READ | VTD_SS_WRITE;
		if (!ss_pass_plain(near->ram, near->special, near->top_lg2, NEAR_LG2, address,
				   entry, allowed))
			return false;
		near->region = address >> NEAR_LG2;
		near->table = *entry;
		near->allowed = *allowed;
	}
	*entry = near->table;
	*allowed = near->allowed;
	return ss_pass_plain(near->ram, near->special, NEAR_LG2, VTD_SS_GRANULE_LG2, address, entry,
			     allowed);
}

/* What all entries of the first stage must have, and the leaf, so that nothing is left to mark. */
static bool is_plain(const struct journey *journey, u64 leaf, u64 every, u64 any)
{
	u64 all = X86_FS_PRESENT | X86_FS_USER | X86_FS_ACCESSED;

	if (journey->access->write)
		all |= X86_FS_WRITE;
	return !(any & fs_special_bits(journey->walker)) && (every & all) == all &&
	       (!journey->access->write || leaf & X86_FS_DIRTY);
}

/* Nothing but tables and pages of 4 KiB in both stages, marked already. False: nothing was done. */
static bool walk_plain(const struct journey *journey, const struct hw_walk_start *start,
		       struct hw_walk *walk)
{
	const struct hw_nested *nested = journey->nested;
	u64 iova = journey->access->iova, asked = VTD_SS_READ;
	struct near near = {
		.ram = journey->walker->ram,
		.special = ss_special_bits(journey->walker),
		.second = nested->second,
		.top_lg2 = ss_levels_lg2(nested->second_levels),
		.region = ~0ULL,
	};
	u64 entry = start->table, every = ~0ULL, any = 0, below, allowed;

	if (nested->second & (PAGE_SIZE - 1))
		return false;
	for (u8 level = start->levels; level-- > 0;) {
		phys_addr_t at = entry_at(entry & X86_FS_ADDR_MASK, iova, level);

		if (!second_plain(&near, at, &below, &allowed) || !(allowed & VTD_SS_READ) ||
		    !hw_walker_recent(near.ram, (below & VTD_SS_ADDR_MASK) | (at & (PAGE_SIZE - 1)),
				      &entry))
			return false;
		every &= entry;
		any |= entry;
	}
	if (journey->access->write)
		asked = VTD_SS_WRITE;
	if (!is_plain(journey, entry, every, any) ||
	    !second_plain(&near, entry & X86_FS_ADDR_MASK, &below, &allowed) || !(allowed & asked))
		return false;
	hw_walk_begin(walk);
	walk->page_lg2 = VTD_SS_GRANULE_LG2;
	walk->phys = (below & VTD_SS_ADDR_MASK) | (iova & (PAGE_SIZE - 1));
	walk->accessed = true;
	walk->dirty = entry & X86_FS_DIRTY;
	hw_walk_end(walk, allowed & VTD_SS_READ, every & X86_FS_WRITE && allowed & VTD_SS_WRITE,
		    start->levels);
	walk->reads += (start->levels + 1U) * nested->second_levels;
	return true;
}

void hw_walk_vtd_nested_to(const struct hw_walker *walker, const struct hw_nested *nested,
			   const struct hw_walk_start *start, const struct hw_fs_access *access,
			   struct hw_walk *walk)
{
	const struct journey journey = { walker, nested, access };

	if (walk->no_steps && !walker->cache && !access->execute && !access->privileged &&
	    !nested->track && !nested->ext_accessed && start->read && start->write &&
	    walk_plain(&journey, start, walk))
		return;
	*walk = (struct hw_walk){ .no_steps = walk->no_steps };
	go_down(&journey, start, walk);
}

/* ---- Marks ------------------------------------------------------------ */

/* A round over what a walk has used: it looks what lacks, or it sets that. */
struct round {
	const struct journey *journey;
	struct hw *hw; /* NULL: it looks */
	bool lacked;   /* a mark of the first stage, or of the second */
	bool second_lacked;
	bool dirty;
};

/* The second stage's, of one of its walks. */
static void mark_second(struct round *round, u64 address, const struct hw_walk *below, bool write)
{
	const struct hw_marks marks = { VTD_SS_ACCESSED, VTD_SS_DIRTY, write };
	struct hw_marked marked;

	if (!round->journey->nested->track)
		return;
	marked = hw_walk_mark(round->journey->walker, round->hw, below, address, &marks);
	round->second_lacked |= marked.lacked;
	round->dirty &= marked.dirty;
}

static u64 wanted_marks(const struct journey *journey, bool leaf)
{
	u64 wanted = X86_FS_ACCESSED;

	if (journey->nested->ext_accessed)
		wanted |= X86_FS_EXT_ACCESSED;
	return leaf && journey->access->write ? wanted | X86_FS_DIRTY : wanted;
}

/* One entry of the first stage: its own marks, and those of the second stage's that lead there. */
static u8 mark_entry(struct round *round, const struct hw_walk *walk, u32 step, u64 *entry)
{
	const struct journey *journey = round->journey;
	u8 level = walk->step[step].levels - 1;
	phys_addr_t at = entry_at(walk->step[step].table, journey->access->iova, level);
	u64 wanted = wanted_marks(journey, step + 1U == walk->tables);
	struct hw_walk below;
	u8 fault = find_entry(journey, at, false, false, &below);
	bool lacks;

	if (fault || !hw_walker_fetch(journey->walker, below.phys, 0, entry))
		return fault ? fault : VTD_FAULT_FS_ACCESS;
	lacks = (*entry & wanted) != wanted;
	round->lacked |= lacks;
	if (lacks) {
		fault = find_entry(journey, at, false, true, &below);
		if (fault)
			return fault;
		*entry |= wanted;
		if (round->hw)
			hw_walk_mark_write(round->hw, below.phys, *entry);
	}
	mark_second(round, at, &below, lacks);
	return 0;
}

static u8 mark_all(struct round *round, const struct hw_walk *walk)
{
	const struct journey *journey = round->journey;
	u64 iova = journey->access->iova, entry = 0, page;
	struct hw_walk below;
	u8 fault = 0, level;

	for (u32 step = 0; step < walk->tables && !fault; step++)
		fault = mark_entry(round, walk, step, &entry);
	if (fault)
		return fault;
	level = walk->step[walk->tables - 1].levels - 1;
	page = fs_page_of(entry, level) | (iova & ((1ULL << fs_level_lg2(level)) - 1));
	round->dirty = entry & X86_FS_DIRTY;
	fault = pass_second(journey, page, journey->access->write, &below);
	if (!fault)
		mark_second(round, page, &below, journey->access->write);
	return fault;
}

u8 hw_mark_vtd_nested(const struct hw_walker *walker, struct hw *hw, const struct hw_nested *nested,
		      const struct hw_fs_access *access, const struct hw_walk *walk, bool *dirty)
{
	const struct journey journey = { walker, nested, access };
	struct round look = { .journey = &journey };
	struct round set = { .journey = &journey, .hw = hw };
	u8 fault = mark_all(&look, walk);

	*dirty = look.dirty;
	if (fault)
		return fault;
	/* A unit that does not snoop cannot set any. */
	if (walker->cache && look.lacked)
		return VTD_FAULT_FS_AD_NO_SNOOP;
	if (walker->cache && look.second_lacked)
		return VTD_FAULT_SS_AD_NO_SNOOP;
	if (!hw || !(look.lacked || look.second_lacked))
		return 0;
	fault = mark_all(&set, walk);
	*dirty = set.dirty;
	return fault;
}
