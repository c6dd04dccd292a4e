/* SPDX-License-Identifier: MIT */
#include "hw/context.h"

#include <errno.h>

#define WAYS_MAX 4

int context_cache_init(struct context_cache *cache, struct world *world, u32 entry_count)
{
	u32 entries = entry_count ? 1 : 0;

	while (entries && entries < entry_count && entries < 1U << 16)
		entries *= 2;
	*cache = (struct context_cache){ .world = world };
	if (!entries)
		return 0;
	cache->ways = entries < WAYS_MAX ? entries : WAYS_MAX;
	cache->sets = entries / cache->ways;
	cache->entry = memory_alloc(&world->memory, DMASIM_FAULT_IOMMU_UNIT,
				    sizeof(*cache->entry) * entries);
	return cache->entry ? 0 : -ENOMEM;
}

void context_cache_fini(struct context_cache *cache)
{
	memory_free(&cache->world->memory, cache->entry);
	cache->entry = NULL;
}

/*
 * Functions of one device fall into one set each as far as there are sets; buses and PASIDs are
 * spread.
 */
static struct context_entry *set_of(const struct context_cache *cache, u64 tag)
{
	u16 requester = tag & 0xffff;
	u64 index = requester + (requester >> 8) * 0x1fU + (tag >> 16) * 0x2bU;

	return cache->entry + (index & (cache->sets - 1)) * cache->ways;
}

static struct context_entry *lookup(const struct context_cache *cache, u64 tag)
{
	struct context_entry *way;

	if (!cache->entry)
		return NULL;
	way = set_of(cache, tag);
	for (u32 i = 0; i < cache->ways; i++) {
		if (way[i].valid && way[i].tag == tag)
			return &way[i];
	}
	return NULL;
}

const struct hw_context *context_cache_find(struct context_cache *cache, u64 tag)
{
	struct context_entry *entry = lookup(cache, tag);

	if (!entry)
		return NULL;
	entry->used_at = ++cache->clock;
	return &entry->context;
}

const struct hw_context *context_cache_peek(const struct context_cache *cache, u64 tag)
{
	const struct context_entry *entry = lookup(cache, tag);

	return entry ? &entry->context : NULL;
}

static struct context_entry *pick_victim(struct context_cache *cache, struct context_entry *way)
{
	u32 oldest = 0;

	for (u32 i = 0; i < cache->ways; i++) {
		if (!way[i].valid)
			return &way[i];
		if (way[i].used_at < way[oldest].used_at)
			oldest = i;
	}
	/* Answer 0, the plain run's, is the oldest. */
	return way + (oldest + world_choose(cache->world, cache->ways)) % cache->ways;
}

void context_cache_fill(struct context_cache *cache, u64 tag, u16 domain, struct hw_context context)
{
	if (!cache->entry)
		return;
	*pick_victim(cache, set_of(cache, tag)) = (struct context_entry){
		.used_at = ++cache->clock,
		.context = context,
		.tag = tag,
		.domain = domain,
		.valid = true,
	};
}

void context_cache_invalidate(struct context_cache *cache, bool all_domains, u16 domain, u64 tag,
			      u64 ignored)
{
	u64 entries = (u64)cache->sets * cache->ways;

	for (u64 i = 0; i < entries; i++) {
		struct context_entry *entry = &cache->entry[i];

		if ((all_domains || entry->domain == domain) && !((entry->tag ^ tag) & ~ignored))
			entry->valid = false;
	}
}
