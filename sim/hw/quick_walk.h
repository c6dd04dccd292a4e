/* SPDX-License-Identifier: MIT */
/*
 * The quick way down page tables, for formats whose entries have an address in one piece: nothing
 * but tables that are at hand, down to a page of the smallest size. Whatever else there is, is for
 * the walk that knows all of a format: the quick way ends with "no", and nothing has happened.
 *
 * Of entries it is asked once, at the end, whether any was other than expected. What a format is
 * made of are constants: each is compiled for itself.
 */
#ifndef HW_QUICK_WALK_H
#define HW_QUICK_WALK_H

#include "hw/walker.h"

#define QUICK_INLINE static DMASIM_ALWAYS_INLINE

/* A loop over levels, which are few and mostly known. */
#define QUICK_UNROLL _Pragma("GCC unroll 4")

/* A format's constants. */
struct quick_format {
	u8 granule_lg2;
	u8 up;	   /* what an address in an entry is shifted left by */
	u64 pages; /* and the bits that it then can have, those of the granule among them */
};

/* Bits that entries have to have, and that they must not have. */
struct quick_entry {
	u64 ones;
	u64 zeros;
};

/* What all of some entries have, and what any of them has. */
struct quick_seen {
	u64 all;
	u64 any;
};

#define QUICK_NOTHING ((struct quick_seen){ ~0ULL, 0 })

/* One stage. */
struct quick_stage {
	phys_addr_t root;
	u8 levels;
	u8 input_bits; /* no higher bit of an address is set */
	struct quick_entry table;
};

/* Both leaves of an address, all ones where there is no second, and where they lead. */
struct quick_found {
	u64 leaf;
	u64 second_leaf;
	phys_addr_t phys;
};

QUICK_INLINE void quick_see(struct quick_seen *seen, u64 entry)
{
	seen->all &= entry;
	seen->any |= entry;
}

QUICK_INLINE bool quick_is(const struct quick_entry *expected, struct quick_seen seen)
{
	return !((~seen.all & expected->ones) | (seen.any & expected->zeros));
}

QUICK_INLINE bool quick_is_leaf(const struct quick_entry *expected, u64 leaf)
{
	return quick_is(expected, (struct quick_seen){ leaf, leaf });
}

/*
 * What was seen of the tables of both stages, and of the leaves by which tables were read. Within a
 * walk nothing changes: the second stage's last table of tables of leaves is not looked for again.
 */
struct quick_trail {
	struct quick_seen table;
	struct quick_seen second_table;
	struct quick_seen read;
	u64 region; /* the part of the addresses that such a table maps; QUICK_NO_REGION: none is */
	u64 region_entry; /* known; what leads there */
};

#define QUICK_NO_REGION (~0ULL)

QUICK_INLINE phys_addr_t quick_page(struct quick_format format, u64 entry)
{
	return (entry << format.up) & format.pages & ~((1ULL << format.granule_lg2) - 1);
}

QUICK_INLINE phys_addr_t quick_within(struct quick_format format, u64 entry, u64 address)
{
	return quick_page(format, entry) | (address & ((1ULL << format.granule_lg2) - 1));
}

/* Where the entry for the address stands, in a table below the top. */
QUICK_INLINE phys_addr_t quick_at(struct quick_format format, u64 entry, u64 address, u32 level)
{
	u32 index_lg2 = format.granule_lg2 - 3U;
	u32 lg2 = format.granule_lg2 + index_lg2 * level;

	return quick_page(format, entry) | (address >> lg2 & ((1ULL << index_lg2) - 1)) << 3;
}

/* The same of the top, which may have more entries than a table below. */
QUICK_INLINE phys_addr_t quick_at_top(struct quick_format format, const struct quick_stage *stage,
				      u64 address, u32 level)
{
	return stage->root +
	       (address >> (format.granule_lg2 + (format.granule_lg2 - 3U) * level)) * 8;
}

/* One stage, of so many levels, down to a leaf that nobody has looked at yet. */
QUICK_INLINE bool quick_down(struct quick_format format, const struct quick_stage *stage,
			     u32 levels, const struct ram *ram, u64 address, u64 *leaf,
			     struct quick_seen *table)
{
	u64 entry;

	if (address >> stage->input_bits ||
	    !hw_walker_recent(ram, quick_at_top(format, stage, address, levels - 1), &entry))
		return false;
	QUICK_UNROLL
	for (u32 level = levels - 1; level-- > 0;) {
		quick_see(table, entry);
		if (!hw_walker_recent(ram, quick_at(format, entry, address, level), &entry))
			return false;
	}
	*leaf = entry;
	return true;
}

/* The same of a second stage of three levels or more, from as far down as is known. */
QUICK_INLINE bool quick_down_again(struct quick_format format, const struct quick_stage *stage,
				   u32 levels, const struct ram *ram, u64 address, u64 *leaf,
				   struct quick_trail *trail)
{
	u64 region = address >> (format.granule_lg2 + 2 * (format.granule_lg2 - 3U));
	u64 entry = trail->region_entry;

	if (DMASIM_UNLIKELY(region != trail->region)) {
		if (address >> stage->input_bits ||
		    !hw_walker_recent(ram, quick_at_top(format, stage, address, levels - 1),
				      &entry))
			return false;
		for (u32 level = levels - 2; level >= 2; level--) {
			quick_see(&trail->second_table, entry);
			if (!hw_walker_recent(ram, quick_at(format, entry, address, level), &entry))
				return false;
		}
		trail->region = region;
		trail->region_entry = entry;
	}
	quick_see(&trail->second_table, entry);
	if (!hw_walker_recent(ram, quick_at(format, entry, address, 1), &entry))
		return false;
	quick_see(&trail->second_table, entry);
	return hw_walker_recent(ram, quick_at(format, entry, address, 0), leaf);
}

QUICK_INLINE bool quick_down_second(struct quick_format format, const struct quick_stage *stage,
				    u32 levels, const struct ram *ram, u64 address, u64 *leaf,
				    struct quick_trail *trail)
{
	return levels < 3
		       ? quick_down(format, stage, levels, ram, address, leaf, &trail->second_table)
		       : quick_down_again(format, stage, levels, ram, address, leaf, trail);
}

/* Two stages: each address of the first is one that the second translates. */
struct quick_pair {
	const struct quick_stage *first;
	const struct quick_stage *second;
	struct quick_entry second_read; /* a leaf of the second that an entry may be read by */
};

/* The first stage's entry at an address of the second. */
QUICK_INLINE bool quick_fetch(struct quick_format format, const struct quick_pair *pair, u32 levels,
			      const struct ram *ram, phys_addr_t at, u64 *entry,
			      struct quick_trail *trail)
{
	u64 leaf;

	if (!quick_down_second(format, pair->second, levels, ram, at, &leaf, trail))
		return false;
	quick_see(&trail->read, leaf);
	return hw_walker_recent(ram, quick_within(format, leaf, at), entry);
}

QUICK_INLINE bool quick_down_both(struct quick_format format, const struct quick_pair *pair,
				  u32 first_levels, u32 second_levels, const struct ram *ram,
				  u64 address, struct quick_found *found, struct quick_trail *trail)
{
	const struct quick_stage *first = pair->first;
	u64 entry;

	if (address >> first->input_bits ||
	    !quick_fetch(format, pair, second_levels, ram,
			 quick_at_top(format, first, address, first_levels - 1), &entry, trail))
		return false;
	QUICK_UNROLL
	for (u32 level = first_levels - 1; level-- > 0;) {
		quick_see(&trail->table, entry);
		if (!quick_fetch(format, pair, second_levels, ram,
				 quick_at(format, entry, address, level), &entry, trail))
			return false;
	}
	found->leaf = entry;
	found->phys = quick_within(format, entry, address);
	if (!quick_down_second(format, pair->second, second_levels, ram, found->phys,
			       &found->second_leaf, trail))
		return false;
	found->phys = quick_within(format, found->second_leaf, address);
	return true;
}

/* Four levels are what most have. False: it was something else. */
QUICK_INLINE bool quick_walk(struct quick_format format, const struct quick_stage *stage,
			     const struct quick_entry *leaf, const struct ram *ram, u64 address,
			     struct quick_found *found)
{
	struct quick_seen seen = QUICK_NOTHING;
	bool there = stage->levels == 4
			     ? quick_down(format, stage, 4, ram, address, &found->leaf, &seen)
			     : quick_down(format, stage, stage->levels, ram, address, &found->leaf,
					  &seen);

	if (!there || !quick_is(&stage->table, seen) || !quick_is_leaf(leaf, found->leaf))
		return false;
	found->second_leaf = ~0ULL;
	found->phys = quick_within(format, found->leaf, address);
	return true;
}

/* second_leaf: what the second's has to be that the access ends in. */
QUICK_INLINE bool quick_walk_both(struct quick_format format, const struct quick_pair *pair,
				  const struct quick_entry *leaf,
				  const struct quick_entry *second_leaf, const struct ram *ram,
				  u64 address, struct quick_found *found)
{
	u32 first = pair->first->levels, second = pair->second->levels;
	struct quick_trail trail = { QUICK_NOTHING, QUICK_NOTHING, QUICK_NOTHING,
				     .region = QUICK_NO_REGION };
	bool there =
		first == 4 && second == 4
			? quick_down_both(format, pair, 4, 4, ram, address, found, &trail)
			: quick_down_both(format, pair, first, second, ram, address, found, &trail);

	return there && quick_is(&pair->first->table, trail.table) &&
	       quick_is(&pair->second->table, trail.second_table) &&
	       quick_is(&pair->second_read, trail.read) && quick_is_leaf(leaf, found->leaf) &&
	       quick_is_leaf(second_leaf, found->second_leaf);
}

#endif
