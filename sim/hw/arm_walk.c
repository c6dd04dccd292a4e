/* SPDX-License-Identifier: MIT */
/*
 * Armv8 page tables, as hardware reads them (facts "iova-and-page-tables" 2.4 and 2.6).
 *
 *   stage 1  63      62:61   60  59   54  53  52    51   47         12 11 10 9:8 7:6 5  4:2  1:0
 *            NSTable APTable UXN/PXN  UXN PXN cont. DBM  address       nG AF SH  AP  NS attr type
 *   stage 2                            XN           DBM  address          AF SH  S2AP  attr  type
 *
 * Levels count from 0, the smallest leaves. What the facts leave open: bits of a block's address
 * below its size are ignored, and what a table forbids is forbidden to all that it leads to.
 */
#include <dmasim/hw/arm.h>

#include "hw/arm_walk.h"
#include "hw/hw.h"
#include "hw/quick_walk.h"

static u8 level_lg2(const struct hw_arm_stage *stage, u8 level)
{
	return (u8)(stage->granule_lg2 + (stage->granule_lg2 - 3) * level);
}

/* A top of several tables side by side has more entries than one. */
static u64 index_of(const struct hw_arm_stage *stage, u64 iova, u8 level)
{
	u64 index = iova >> level_lg2(stage, level);

	return level == stage->levels - 1 ? index
					  : index & ((1ULL << (stage->granule_lg2 - 3)) - 1);
}

/* ---- One descriptor --------------------------------------------------- */

enum kind {
	KIND_INVALID,
	KIND_TABLE,
	KIND_LEAF,
};

/* True where a block may stand above level 0. */
static bool has_blocks(const struct hw_arm_stage *stage, u8 level)
{
	bool wide = stage->lpa2 || (stage->granule_lg2 == 16 && stage->output_bits > ARM_ADDR_TOP);
	u8 most = stage->granule_lg2 == 12 ? 2 : 1;

	return level <= most + (wide ? 1 : 0);
}

static enum kind kind_of(const struct hw_arm_stage *stage, u64 entry, u8 level)
{
	if (!(entry & ARM_DESC_VALID))
		return KIND_INVALID;
	if (!level)
		return entry & ARM_DESC_TABLE ? KIND_LEAF : KIND_INVALID;
	if (entry & ARM_DESC_TABLE)
		return KIND_TABLE;
	return has_blocks(stage, level) ? KIND_LEAF : KIND_INVALID;
}

/* The address in a descriptor; what is below 2^lg2 is not it. */
static phys_addr_t address_in(const struct hw_arm_stage *stage, u64 entry, u8 lg2)
{
	u64 straight = (1ULL << (stage->lpa2 ? ARM_LPA2_TOP : ARM_ADDR_TOP)) - 1;
	phys_addr_t address = entry & straight & ~((1ULL << lg2) - 1);

	if (stage->lpa2)
		address |= (entry >> ARM_LPA2_SHIFT & ARM_LPA2_MASK) << ARM_LPA2_TOP;
	else if (stage->granule_lg2 == 16 && stage->output_bits > ARM_ADDR_TOP)
		address |= (entry >> ARM_64K_HIGH_SHIFT & ARM_64K_HIGH_MASK) << ARM_ADDR_TOP;
	return address;
}

/* log2 of the page that a leaf is, with those beside it if the contiguous bit says so. */
static u8 page_lg2(const struct hw_arm_stage *stage, u64 entry, u8 level)
{
	u8 many = stage->granule_lg2 == 12 ? 4 : stage->granule_lg2 == 14 && !level ? 7 : 5;

	return level_lg2(stage, level) + (entry & ARM_CONTIGUOUS ? many : 0);
}

/* ---- Rights ----------------------------------------------------------- */

struct rights {
	bool read;
	bool write;
	bool execute;
	bool writable_later; /* DBM: a write makes it writable */
};

/* What the tables on the way forbid: bits of the last of them. */
struct limits {
	bool no_user;
	bool read_only;
	bool no_user_execute;
	bool no_privileged_execute;
};

static void limit(struct limits *limits, u64 table)
{
	u64 ap = table >> ARM_S1_AP_TABLE & 3;

	limits->no_user |= ap & 1;
	limits->read_only |= ap >> 1;
	limits->no_user_execute |= (table & ARM_S1_UXN_TABLE) != 0;
	limits->no_privileged_execute |= (table & ARM_S1_PXN_TABLE) != 0;
}

static struct rights first_rights(const struct limits *limits, u64 entry, bool privileged)
{
	bool user = entry & ARM_S1_AP_EL0 && !limits->no_user;
	u64 no_execute = privileged ? ARM_S1_PXN : ARM_S1_UXN;
	bool forbidden = privileged ? limits->no_privileged_execute : limits->no_user_execute;

	if (!privileged && !user)
		return (struct rights){ .execute = !(entry & no_execute) && !forbidden };
	return (struct rights){
		.read = true,
		.write = !(entry & ARM_S1_AP_RO) && !limits->read_only,
		.execute = !(entry & no_execute) && !forbidden,
		.writable_later = entry & ARM_DBM && !limits->read_only,
	};
}

static struct rights second_rights(u64 entry)
{
	return (struct rights){
		.read = entry & ARM_S2_READ,
		.write = entry & ARM_S2_WRITE,
		.execute = entry & ARM_S2_READ && !(entry & ARM_NO_EXECUTE),
		.writable_later = entry & ARM_DBM,
	};
}

static struct rights rights_of(const struct hw_arm_stage *stage, const struct limits *limits,
			       u64 entry, bool privileged)
{
	return stage->second_stage ? second_rights(entry) : first_rights(limits, entry, privileged);
}

static bool is_dirty(const struct hw_arm_stage *stage, u64 entry)
{
	if (!(entry & ARM_DBM))
		return false;
	return stage->second_stage ? entry & ARM_S2_WRITE : !(entry & ARM_S1_AP_RO);
}

/* ---- Walking ---------------------------------------------------------- */

struct journey {
	const struct hw_arm_stage *stage;
	const struct hw_arm_access *access;
	struct hw_walk *walk;
	struct limits limits;
};

static bool refuse(const struct journey *journey, u8 event, u32 class)
{
	journey->walk->fault = event;
	journey->walk->fault_flags = (u16)(class << ARM_FLAG_CLASS);
	if (journey->stage->second_stage)
		journey->walk->fault_flags |= ARM_FLAG_S2;
	return false;
}

/* What the second stage says of an address of the first; false: it refuses. */
static bool pass_second(const struct journey *journey, phys_addr_t address, bool write, u32 class,
			struct hw_walk *below)
{
	const struct hw_arm_access access = {
		.iova = address,
		.write = write,
		.execute = class == ARM_CLASS_INPUT && journey->access->execute,
		.privileged = true,
	};

	*below = hw_walk_arm(journey->stage->second, &access);
	journey->walk->reads += below->reads;
	if (!below->fault)
		return true;
	journey->walk->fault = below->fault;
	journey->walk->fault_flags = (u16)(ARM_FLAG_S2 | class << ARM_FLAG_CLASS);
	return false;
}

/* Where a descriptor lies in memory. */
static bool find_entry(const struct journey *journey, phys_addr_t address, bool write,
		       phys_addr_t *at)
{
	struct hw_walk below;

	*at = address;
	if (!journey->stage->second)
		return true;
	if (!pass_second(journey, address, write, ARM_CLASS_TABLE, &below))
		return false;
	*at = below.phys;
	return true;
}

/* The descriptor becomes another one: hardware has marked it. */
static bool rewrite(const struct journey *journey, phys_addr_t address, u64 entry)
{
	struct hw *hw = journey->stage->hw;
	u64 raw = htole64(entry);
	phys_addr_t at;

	if (!find_entry(journey, address, true, &at))
		return false;
	hw_cache_snooped(hw, at, &raw, sizeof(raw));
	if (ram_write(&hw->ram, at, &raw, sizeof(raw)) != sizeof(raw))
		return refuse(journey, ARM_F_WALK_EABT, ARM_CLASS_TABLE);
	return true;
}

/* What may be done with a page, and what a write to one with DBM changes; false: refused. */
static bool permit(const struct journey *journey, const struct rights *rights, u64 *entry)
{
	const struct hw_arm_stage *stage = journey->stage;
	const struct hw_arm_access *access = journey->access;

	if (access->execute ? rights->execute : access->write ? rights->write : rights->read)
		return true;
	if (!access->write || !rights->writable_later || !stage->update_dirty)
		return refuse(journey, ARM_F_PERMISSION, ARM_CLASS_INPUT);
	*entry = stage->second_stage ? *entry | ARM_S2_WRITE : *entry & ~ARM_S1_AP_RO;
	return true;
}

static bool arrive(struct journey *journey, u64 entry, u8 level, phys_addr_t at)
{
	const struct hw_arm_stage *stage = journey->stage;
	const struct hw_arm_access *access = journey->access;
	struct hw_walk *walk = journey->walk;
	struct rights rights = rights_of(stage, &journey->limits, entry, access->privileged);
	u8 lg2 = level_lg2(stage, level);
	phys_addr_t page = address_in(stage, entry, lg2);
	u64 marked = entry;

	walk->read = rights.read;
	walk->write = rights.write || (rights.writable_later && stage->update_dirty);
	if (page >> stage->output_bits)
		return refuse(journey, ARM_F_ADDR_SIZE, ARM_CLASS_INPUT);
	if (!(entry & ARM_AF) && !stage->update_access)
		return refuse(journey, ARM_F_ACCESS, ARM_CLASS_INPUT);
	marked |= ARM_AF;
	if (!permit(journey, &rights, &marked))
		return false;
	if (marked != entry && !rewrite(journey, at, marked))
		return false;
	entry = marked;
	walk->accessed = true;
	walk->dirty = is_dirty(stage, entry);
	walk->page_lg2 = page_lg2(stage, entry, level);
	walk->phys = page | (access->iova & ((1ULL << lg2) - 1));
	return true;
}

/* What an unprivileged request may do below a table. */
static struct hw_walk_start step_at(phys_addr_t table, u8 level, const struct limits *limits)
{
	return (struct hw_walk_start){ table, level + 1, !limits->no_user,
				       !limits->no_user && !limits->read_only };
}

static bool go_down(struct journey *journey)
{
	const struct hw_arm_stage *stage = journey->stage;
	struct hw_walk *walk = journey->walk;
	phys_addr_t table = stage->root;

	for (u8 level = stage->levels; level-- > 0;) {
		phys_addr_t address = table + 8 * index_of(stage, journey->access->iova, level);
		phys_addr_t at;
		enum kind kind;
		u64 entry;

		walk->step[walk->tables++] = step_at(table, level, &journey->limits);
		if (!find_entry(journey, address, false, &at))
			return false;
		walk->reads++;
		if (!hw_walker_fetch(stage->walker, at, 0, &entry))
			return refuse(journey, ARM_F_WALK_EABT, ARM_CLASS_TABLE);
		kind = kind_of(stage, entry, level);
		if (kind == KIND_INVALID) {
			walk->absent_lg2 = level_lg2(stage, level);
			return refuse(journey, ARM_F_TRANSLATION, ARM_CLASS_INPUT);
		}
		if (kind == KIND_LEAF)
			return arrive(journey, entry, level, address);
		table = address_in(stage, entry, stage->granule_lg2);
		if (table >> stage->output_bits)
			return refuse(journey, ARM_F_ADDR_SIZE, ARM_CLASS_TABLE);
		if (!stage->second_stage)
			limit(&journey->limits, entry);
	}
	return refuse(journey, ARM_F_TRANSLATION, ARM_CLASS_INPUT);
}

/* The first stage's page, as far as the second's goes. */
static void end_in_second(const struct journey *journey)
{
	struct hw_walk *walk = journey->walk;
	struct hw_walk below;

	if (!pass_second(journey, walk->phys, journey->access->write, ARM_CLASS_INPUT, &below))
		return;
	walk->phys = below.phys;
	walk->read &= below.read;
	walk->write &= below.write;
	if (below.page_lg2 < walk->page_lg2)
		walk->page_lg2 = below.page_lg2;
}

/* ---- What most walks meet --------------------------------------------- */

static const struct quick_format quick_4k = { 12, 0, (1ULL << ARM_ADDR_TOP) - 1 };
static const struct quick_format quick_16k = { 14, 0, (1ULL << ARM_ADDR_TOP) - 1 };

/* What tables of a first stage forbid to what they lead to. */
#define TABLE_LIMITS (3ULL << ARM_S1_AP_TABLE | ARM_S1_UXN_TABLE | ARM_S1_PXN_TABLE)

/* Granules of 4 and 16 KiB, and addresses that lie in one place. */
static bool is_plain(const struct hw_arm_stage *stage)
{
	return !stage->walker->cache && !stage->lpa2 && stage->granule_lg2 < 16 &&
	       stage->output_bits <= ARM_ADDR_TOP;
}

/* The bits of an address that are too many for the output. */
static inline u64 too_wide(const struct hw_arm_stage *stage)
{
	return ~((1ULL << stage->output_bits) - 1) & ((1ULL << ARM_ADDR_TOP) - 1);
}

static inline struct quick_stage quick_stage(const struct hw_arm_stage *stage)
{
	return (struct quick_stage){
		.root = stage->root,
		.levels = stage->levels,
		.input_bits = stage->input_bits,
		.table = { ARM_DESC_VALID | ARM_DESC_TABLE, TABLE_LIMITS | too_wide(stage) },
	};
}

/* A page that allows the access to a user, and is marked as accessed. */
static inline struct quick_entry quick_leaf(const struct hw_arm_stage *stage, bool write)
{
	u64 page = ARM_DESC_VALID | ARM_DESC_TABLE | ARM_AF;
	u64 absent = ARM_CONTIGUOUS | too_wide(stage);

	if (stage->second_stage)
		page |= ARM_S2_READ | (write ? ARM_S2_WRITE : 0);
	else
		page |= ARM_S1_AP_EL0;
	if (!stage->second_stage && write)
		absent |= ARM_S1_AP_RO;
	return (struct quick_entry){ page, absent };
}

QUICK_INLINE bool quick_in(struct quick_format format, const struct hw_arm_stage *stage,
			   const struct hw_arm_access *access, struct quick_found *found)
{
	const struct quick_stage first = quick_stage(stage);
	const struct quick_entry leaf = quick_leaf(stage, access->write);
	const struct ram *ram = stage->walker->ram;

	if (stage->second) {
		const struct quick_stage second = quick_stage(stage->second);
		const struct quick_entry last = quick_leaf(stage->second, access->write);
		const struct quick_pair pair = { &first, &second,
						 quick_leaf(stage->second, false) };

		return quick_walk_both(format, &pair, &leaf, &last, ram, access->iova, found);
	}
	return quick_walk(format, &first, &leaf, ram, access->iova, found);
}

static bool quick(const struct hw_arm_stage *stage, const struct hw_arm_access *access,
		  struct quick_found *found)
{
	if (access->execute || access->privileged || !is_plain(stage))
		return false;
	if (stage->second &&
	    (!is_plain(stage->second) || stage->second->granule_lg2 != stage->granule_lg2))
		return false;
	return stage->granule_lg2 == 12 ? quick_in(quick_4k, stage, access, found)
					: quick_in(quick_16k, stage, access, found);
}

/* Nothing above such a leaf forbids anything. */
static inline bool may_be_written(const struct hw_arm_stage *stage, u64 leaf)
{
	bool may = stage->second_stage ? leaf & ARM_S2_WRITE : !(leaf & ARM_S1_AP_RO);

	return may || (leaf & ARM_DBM && stage->update_dirty);
}

/* False: it was something else than most walks meet, and nothing has happened. */
static bool walk_quickly(const struct hw_arm_stage *stage, const struct hw_arm_access *access,
			 struct hw_walk *walk)
{
	struct quick_found found;

	if (!quick(stage, access, &found))
		return false;
	hw_walk_begin(walk);
	walk->page_lg2 = stage->granule_lg2;
	walk->phys = found.phys;
	walk->accessed = true;
	walk->dirty = is_dirty(stage, found.leaf);
	hw_walk_end(walk, true, may_be_written(stage, found.leaf), stage->levels);
	if (stage->second) {
		walk->write &= may_be_written(stage->second, found.second_leaf);
		walk->reads += (stage->levels + 1U) * stage->second->levels;
	}
	return true;
}

void hw_walk_arm_to(const struct hw_arm_stage *stage, const struct hw_arm_access *access,
		    struct hw_walk *walk)
{
	struct journey journey = { .stage = stage, .access = access, .walk = walk };

	if (walk->no_steps && walk_quickly(stage, access, walk))
		return;
	*walk = (struct hw_walk){ .no_steps = walk->no_steps };
	if (stage->input_bits < 64 && access->iova >> stage->input_bits)
		refuse(&journey, ARM_F_TRANSLATION, ARM_CLASS_INPUT);
	else if (go_down(&journey) && stage->second)
		end_in_second(&journey);
}

struct hw_walk hw_walk_arm(const struct hw_arm_stage *stage, const struct hw_arm_access *access)
{
	struct hw_walk walk = { .no_steps = false };

	hw_walk_arm_to(stage, access, &walk);
	return walk;
}

/* ---- Ranges ----------------------------------------------------------- */

struct range {
	struct hw_range_walk walk;
	const struct hw_arm_stage *stage;
	u64 run_bits; /* of an address, in which the pages of a run may differ; 0: no runs */
};

/* One table, where its entries are at hand, and what those that led to it forbid. */
struct range_table {
	const struct limits *limits;
	phys_addr_t phys;
	const u8 *entries; /* hw_walker_entries() */
	u8 level;
	u64 base; /* first address that it maps */
};

static void walk_table(const struct range *range, const struct limits *limits, phys_addr_t table,
		       u8 level, u64 base);

/* How many entries from this one on are like pages that lead to memory side by side. */
static u64 run_of(const struct range *range, const struct range_table *table, u64 index, u64 end,
		  u64 entry)
{
	u8 lg2 = range->stage->granule_lg2;
	u64 count = 1, next;

	if (table->level || entry & ARM_CONTIGUOUS || !range->run_bits)
		return 1;
	while (index + count <= end &&
	       hw_walker_entry(range->walk.walker, table->entries, table->phys, index + count,
			       &next) &&
	       next == entry + (count << lg2) && !((next ^ entry) & ~range->run_bits))
		count++;
	return count;
}

/* Returns how many entries it was. What no request gets through can not be cached. */
static u64 tell_leaf(const struct range *range, const struct range_table *table, u64 index, u64 end,
		     u64 entry)
{
	const struct hw_arm_stage *stage = range->stage;
	struct rights rights = rights_of(stage, table->limits, entry, false);
	u8 lg2 = level_lg2(stage, table->level);
	phys_addr_t phys = address_in(stage, entry, lg2);
	u64 count;

	if (phys >> stage->output_bits || (!(entry & ARM_AF) && !stage->update_access))
		return 1;
	count = run_of(range, table, index, end, entry);
	range->walk.leaf(
		range->walk.cookie,
		&(struct hw_leaf){
			.iova = table->base + (index << lg2),
			.bytes = count << lg2,
			.phys = phys,
			.page_lg2 = page_lg2(stage, entry, table->level),
			.read = rights.read,
			.write = rights.write || (rights.writable_later && stage->update_dirty),
			.accessed = stage->update_access && entry & ARM_AF,
			.dirty = stage->update_dirty && is_dirty(stage, entry),
		});
	return count;
}

static void follow(const struct range *range, const struct range_table *table, u64 index, u64 entry)
{
	const struct hw_arm_stage *stage = range->stage;
	u8 lg2 = level_lg2(stage, table->level);
	phys_addr_t phys = address_in(stage, entry, stage->granule_lg2);
	struct limits limits = *table->limits;

	if (phys >> stage->output_bits)
		return;
	if (!stage->second_stage)
		limit(&limits, entry);
	if (range->walk.table)
		range->walk.table(range->walk.cookie,
				  &(struct hw_table){
					  .iova = table->base + (index << lg2),
					  .bytes = 1ULL << lg2,
					  .phys = phys,
					  .entry = table->phys + index * sizeof(entry),
					  .levels = table->level,
					  .read = !limits.no_user,
					  .write = !limits.no_user && !limits.read_only,
				  });
	walk_table(range, &limits, phys, table->level - 1, table->base + (index << lg2));
}

/* Returns how many entries it was. */
static u64 visit_entry(const struct range *range, const struct range_table *table, u64 index,
		       u64 end, u64 entry)
{
	u8 lg2 = level_lg2(range->stage, table->level);

	switch (kind_of(range->stage, entry, table->level)) {
	case KIND_LEAF:
		return tell_leaf(range, table, index, end, entry);
	case KIND_TABLE:
		follow(range, table, index, entry);
		return 1;
	default:
		if (range->walk.walker->absents)
			hw_range_tell_absent(&range->walk, table->base + (index << lg2), lg2);
		return 1;
	}
}

static void walk_table(const struct range *range, const struct limits *limits, phys_addr_t table,
		       u8 level, u64 base)
{
	const struct hw_arm_stage *stage = range->stage;
	const struct hw_walker *walker = range->walk.walker;
	const struct range_table here = {
		limits, table, stage->granule_lg2 == 12 ? hw_walker_entries(walker, table) : NULL,
		level, base
	};
	u8 lg2 = level_lg2(stage, level);
	bool top = level == stage->levels - 1;
	u64 behind = 1ULL << (top ? stage->input_bits - lg2 : stage->granule_lg2 - 3);
	u64 index = range->walk.start > base ? (range->walk.start - base) >> lg2 : 0;
	u64 end = (range->walk.last - base) >> lg2;

	end = end < behind ? end : behind - 1;
	while (index <= end) {
		u64 entry;

		if (!hw_walker_entry(walker, here.entries, table, index, &entry))
			return;
		if (!entry && !walker->absents)
			index++;
		else
			index += visit_entry(range, &here, index, end, entry);
	}
}

void hw_walk_arm_range(const struct hw_arm_stage *stage, u64 start, u64 last, hw_walk_leaf *leaf,
		       hw_walk_table *table, void *cookie)
{
	const struct range range = {
		.walk = { stage->walker, start, last, leaf, table, cookie },
		.stage = stage,
		.run_bits = stage->walker->runs && stage->output_bits <= ARM_ADDR_TOP
				    ? (1ULL << stage->output_bits) - (1ULL << stage->granule_lg2)
				    : 0,
	};
	const struct limits none = { .no_user = false };

	walk_table(&range, &none, stage->root, stage->levels - 1, 0);
}
