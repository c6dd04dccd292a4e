/* SPDX-License-Identifier: MIT */
#include "ranges.h"

#define RANGES	  25 /* of one tree of tables */
#define WHOLE	  3  /* of them every page is looked at */
#define ADDRESSES 40 /* of each, at random */

u64 ranges_draw(const struct rig *rig, u64 bound)
{
	return random_below(&rig->bench->world.random, bound);
}

static u64 extend(const struct rig *rig, const struct ranges *ranges, u64 iova)
{
	u64 sign = 1ULL << (12 + 9 * rig->tables.levels - 1);

	return ranges->repeat_highest && iova & sign ? iova | ~(2 * sign - 1) : iova;
}

static u64 draw_iova(const struct rig *rig, const struct ranges *ranges)
{
	u64 iova = ranges_draw(rig, 4096);

	for (u8 level = 0; level < rig->tables.levels; level++)
		iova |= ranges->place[ranges_draw(rig, RANGES_PLACES)] << (12 + 9 * level);
	return extend(rig, ranges, iova);
}

static void compare(const struct rig *rig, const struct ranges *ranges, u64 iova)
{
	const struct hw_leaf *leaf;

	if (iova < rig->found->first || iova > rig->found->last)
		return;
	leaf = found_leaf_at(rig->found, iova);
	for (int write = 0; write < 2; write++) {
		struct hw_walk walk = ranges->walk(rig, iova, write);
		bool allowed = leaf && (write ? leaf->write : leaf->read);

		if (allowed != !walk.fault)
			fail_msg("0x%llx: walk fault 0x%x, range %s", iova, walk.fault,
				 leaf ? "has a leaf" : "has nothing");
		for (u8 i = 1; i < walk.tables; i++)
			ranges->expect_table(found_step(rig->found, &walk, i, iova), &walk.step[i]);
		if (walk.fault)
			continue;
		expect_u64(walk.phys, leaf->phys + (iova - leaf->iova));
		ranges->expect_leaf(leaf, &walk);
	}
}

/* A page of each entry that is in use, in tables of all levels. */
static void compare_all(const struct rig *rig, const struct ranges *ranges)
{
	u32 combinations = 1;

	for (u8 level = 0; level < rig->tables.levels; level++)
		combinations *= RANGES_PLACES;
	for (u32 n = 0; n < combinations; n++) {
		u64 iova = 0;
		u32 rest = n;

		for (u8 level = 0; level < rig->tables.levels; level++, rest /= RANGES_PLACES)
			iova |= ranges->place[rest % RANGES_PLACES] << (12 + 9 * level);
		compare(rig, ranges, extend(rig, ranges, iova));
	}
}

void ranges_try(struct rig *rig, const struct ranges *ranges, u64 leaves[2])
{
	struct found *found = rig->found;

	for (u32 n = 0; n < RANGES; n++) {
		u64 a = draw_iova(rig, ranges), b = draw_iova(rig, ranges);

		found->first = a < b ? a : b;
		found->last = a < b ? b : a;
		ranges->walk_range(rig, found_table);
		compare(rig, ranges, found->first);
		compare(rig, ranges, found->last);
		if (n < WHOLE)
			compare_all(rig, ranges);
		for (u32 i = 0; i < ADDRESSES; i++)
			compare(rig, ranges, draw_iova(rig, ranges));
		for (u32 i = 0; i < found->leaves; i++)
			leaves[found->leaf[i].iova >> 63]++;
	}
}
