/* SPDX-License-Identifier: MIT */
/*
 * Walks of Armv8 page tables, of one stage or of two. What a descriptor says: arm_entry.h.
 */
#include "hw/arm_entry.h"
#include "hw/hw.h"
#include "hw/quick_walk.h"

/* ---- Walking ---------------------------------------------------------- */

struct journey {
	const struct hw_arm_stage *stage;
	const struct hw_arm_access *access;
	struct hw_walk *walk;
	struct arm_limits limits;
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
static bool permit(const struct journey *journey, const struct arm_rights *rights, u64 *entry)
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
	struct arm_rights rights =
		arm_rights_of(stage, &journey->limits, entry, access->privileged);
	u8 lg2 = arm_level_lg2(stage, level);
	phys_addr_t page = arm_address_in(stage, entry, lg2);
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
	walk->dirty = arm_is_dirty(stage, entry);
	walk->page_lg2 = arm_page_lg2(stage, entry, level);
	walk->phys = page | (access->iova & ((1ULL << lg2) - 1));
	return true;
}

/* What an unprivileged request may do below a table. */
static struct hw_walk_start step_at(phys_addr_t table, u8 level, const struct arm_limits *limits)
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
		phys_addr_t address = table + 8 * arm_index_of(stage, journey->access->iova, level);
		phys_addr_t at;
		enum arm_kind kind;
		u64 entry;

		walk->step[walk->tables++] = step_at(table, level, &journey->limits);
		if (!find_entry(journey, address, false, &at))
			return false;
		walk->reads++;
		if (!hw_walker_fetch(stage->walker, at, 0, &entry))
			return refuse(journey, ARM_F_WALK_EABT, ARM_CLASS_TABLE);
		kind = arm_kind_of(stage, entry, level);
		if (kind == ARM_KIND_INVALID) {
			walk->absent_lg2 = arm_level_lg2(stage, level);
			return refuse(journey, ARM_F_TRANSLATION, ARM_CLASS_INPUT);
		}
		if (kind == ARM_KIND_LEAF)
			return arrive(journey, entry, level, address);
		table = arm_address_in(stage, entry, stage->granule_lg2);
		if (table >> stage->output_bits)
			return refuse(journey, ARM_F_ADDR_SIZE, ARM_CLASS_TABLE);
		if (!stage->second_stage)
			arm_limit(&journey->limits, entry);
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
	walk->dirty = arm_is_dirty(stage, found.leaf);
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
