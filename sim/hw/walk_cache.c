/* SPDX-License-Identifier: MIT */
#include "hw/walk_cache.h"

#include <dmasim/contract.h>
#include <dmasim/hw/vtd.h>

/* log2 of the bytes that a table of this level maps. */
static u8 table_lg2(u32 level)
{
	return (u8)(VTD_SS_GRANULE_LG2 + VTD_SS_INDEX_BITS * (level + 1));
}

int walk_cache_init(struct walk_cache *cache, struct world *world, u32 levels, u32 entry_count)
{
	u32 ways = entry_count < IOTLB_WAYS ? entry_count : IOTLB_WAYS;

	DMASIM_CONTRACT(levels <= WALK_CACHE_LEVELS, "a walk cache has at most 5 levels");
	*cache = (struct walk_cache){ .levels = 0 };
	for (; entry_count && cache->levels < levels; cache->levels++) {
		int err = iotlb_init(&cache->level[cache->levels], world, entry_count, ways);

		if (!err)
			continue;
		walk_cache_fini(cache);
		return err;
	}
	return 0;
}

void walk_cache_fini(struct walk_cache *cache)
{
	for (u32 level = 0; level < cache->levels; level++)
		iotlb_fini(&cache->level[level]);
	cache->levels = 0;
}

u32 walk_cache_find(struct walk_cache *cache, u64 tag, u64 iova, bool write,
		    struct hw_walk_start *start)
{
	for (u32 level = 0; level + 1U < start->levels && level < cache->levels; level++) {
		const struct iotlb_entry *hit = iotlb_find(&cache->level[level], tag, iova);

		/* Without the permission an upper table may know of more by now. */
		if (!hit || !(write ? hit->write : hit->read))
			continue;
		*start =
			(struct hw_walk_start){ hit->phys, (u8)(level + 1), hit->read, hit->write };
		return level;
	}
	return WALK_CACHE_LEVELS;
}

void walk_cache_fill(struct walk_cache *cache, u64 tag, u64 iova, const struct hw_walk *walk)
{
	/* The first table is where the walk began. */
	for (u32 i = 1; i < walk->tables; i++) {
		const struct hw_walk_start *step = &walk->step[i];
		u32 level = step->levels - 1U;

		if (level >= cache->levels)
			continue;
		/* Of one that was passed over for its permissions. */
		iotlb_invalidate_range(&cache->level[level], tag, iova, iova);
		iotlb_fill(&cache->level[level], &(struct iotlb_entry){
							 .page = iova >> table_lg2(level),
							 .phys = step->table,
							 .tag = tag,
							 .page_lg2 = table_lg2(level),
							 .read = step->read,
							 .write = step->write,
						 });
	}
}

void walk_cache_invalidate_range(struct walk_cache *cache, u64 tag, u64 start, u64 last)
{
	for (u32 level = 0; level < cache->levels; level++)
		iotlb_invalidate_range(&cache->level[level], tag, start, last);
}

void walk_cache_invalidate_domain(struct walk_cache *cache, u16 domain)
{
	for (u32 level = 0; level < cache->levels; level++)
		iotlb_invalidate_domain(&cache->level[level], domain);
}

void walk_cache_invalidate_nested(struct walk_cache *cache, u16 domain)
{
	for (u32 level = 0; level < cache->levels; level++)
		iotlb_invalidate_nested(&cache->level[level], domain);
}

void walk_cache_invalidate_all(struct walk_cache *cache)
{
	for (u32 level = 0; level < cache->levels; level++)
		iotlb_invalidate_all(&cache->level[level]);
}
