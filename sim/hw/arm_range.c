/* SPDX-License-Identifier: MIT */
/*
 * All that Armv8 page tables say of a range of addresses. What a descriptor says: arm_entry.h.
 */
#include "hw/arm_entry.h"

struct range {
	struct hw_range_walk walk;
	const struct hw_arm_stage *stage;
	u64 run_bits; /* of an address, in which the pages of a run may differ; 0: no runs */
};

/* One table, where its entries are at hand, and what those that led to it forbid. */
struct range_table {
	const struct arm_limits *limits;
	phys_addr_t phys;
	const u8 *entries; /* hw_walker_entries() */
	u8 level;
	u64 base; /* first address that it maps */
};

static void walk_table(const struct range *range, const struct arm_limits *limits,
		       phys_addr_t table, u8 level, u64 base);

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
	struct arm_rights rights = arm_rights_of(stage, table->limits, entry, false);
	u8 lg2 = arm_level_lg2(stage, table->level);
	phys_addr_t phys = arm_address_in(stage, entry, lg2);
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
			.page_lg2 = arm_page_lg2(stage, entry, table->level),
			.read = rights.read,
			.write = rights.write || (rights.writable_later && stage->update_dirty),
			.accessed = stage->update_access && entry & ARM_AF,
			.dirty = stage->update_dirty && arm_is_dirty(stage, entry),
		});
	return count;
}

static void follow(const struct range *range, const struct range_table *table, u64 index, u64 entry)
{
	const struct hw_arm_stage *stage = range->stage;
	u8 lg2 = arm_level_lg2(stage, table->level);
	phys_addr_t phys = arm_address_in(stage, entry, stage->granule_lg2);
	struct arm_limits limits = *table->limits;

	if (phys >> stage->output_bits)
		return;
	if (!stage->second_stage)
		arm_limit(&limits, entry);
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
	u8 lg2 = arm_level_lg2(range->stage, table->level);

	switch (arm_kind_of(range->stage, entry, table->level)) {
	case ARM_KIND_LEAF:
		return tell_leaf(range, table, index, end, entry);
	case ARM_KIND_TABLE:
		follow(range, table, index, entry);
		return 1;
	default:
		if (range->walk.walker->absents)
			hw_range_tell_absent(&range->walk, table->base + (index << lg2), lg2);
		return 1;
	}
}

static void walk_table(const struct range *range, const struct arm_limits *limits,
		       phys_addr_t table, u8 level, u64 base)
{
	const struct hw_arm_stage *stage = range->stage;
	const struct hw_walker *walker = range->walk.walker;
	const struct range_table here = {
		limits, table, stage->granule_lg2 == 12 ? hw_walker_entries(walker, table) : NULL,
		level, base
	};
	u8 lg2 = arm_level_lg2(stage, level);
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
	const struct arm_limits none = { .no_user = false };

	walk_table(&range, &none, stage->root, stage->levels - 1, 0);
}
