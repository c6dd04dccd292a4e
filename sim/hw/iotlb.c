/* SPDX-License-Identifier: MIT */
#include "hw/iotlb.h"

#include <errno.h>

static u64 entries_of(const struct iotlb *iotlb)
{
	return (u64)iotlb->sets * iotlb->ways;
}

int iotlb_init(struct iotlb *iotlb, struct world *world, u32 entry_count, u32 ways)
{
	u32 sets = 1;

	while ((u64)sets * ways < entry_count)
		sets *= 2;
	*iotlb = (struct iotlb){ .world = world, .sets = sets, .ways = ways };
	if (entries_of(iotlb) > SIZE_MAX / sizeof(*iotlb->entry))
		return -ENOMEM;
	iotlb->entry = memory_alloc(&world->memory, DMASIM_FAULT_IOMMU_UNIT,
				    sizeof(*iotlb->entry) * entries_of(iotlb));
	return iotlb->entry ? 0 : -ENOMEM;
}

void iotlb_fini(struct iotlb *iotlb)
{
	memory_free(&iotlb->world->memory, iotlb->entry);
	iotlb->entry = NULL;
}

/* Consecutive pages fall into consecutive sets; domains are spread apart. */
static struct iotlb_entry *set_of(const struct iotlb *iotlb, u16 domain, u64 page)
{
	u64 index = (page + (u64)domain * 0x9e37) & (iotlb->sets - 1);

	return iotlb->entry + index * iotlb->ways;
}

static struct iotlb_entry *lookup(const struct iotlb *iotlb, u16 domain, u64 iova, u8 page_lg2)
{
	u64 page = iova >> page_lg2;
	struct iotlb_entry *way = set_of(iotlb, domain, page);

	for (u32 i = 0; i < iotlb->ways; i++) {
		if (way[i].valid && way[i].page == page && way[i].domain == domain &&
		    way[i].page_lg2 == page_lg2)
			return &way[i];
	}
	return NULL;
}

const struct iotlb_entry *iotlb_find(struct iotlb *iotlb, u16 domain, u64 iova)
{
	for (u64 sizes = iotlb->present; sizes; sizes &= sizes - 1) {
		struct iotlb_entry *entry;

		entry = lookup(iotlb, domain, iova, (u8)__builtin_ctzll(sizes));
		if (entry) {
			entry->used_at = ++iotlb->clock;
			return entry;
		}
	}
	return NULL;
}

static void drop(struct iotlb *iotlb, struct iotlb_entry *entry)
{
	entry->valid = false;
	if (!--iotlb->count[entry->page_lg2])
		iotlb->present &= ~(1ULL << entry->page_lg2);
}

static struct iotlb_entry *pick_victim(struct iotlb *iotlb, struct iotlb_entry *way)
{
	struct iotlb_entry *oldest = way;

	for (u32 i = 0; i < iotlb->ways; i++) {
		if (!way[i].valid)
			return &way[i];
		if (way[i].used_at < oldest->used_at)
			oldest = &way[i];
	}
	/* Answer 0, the plain run's, is the oldest. */
	return way + ((u64)(oldest - way) + world_choose(iotlb->world, iotlb->ways)) % iotlb->ways;
}

void iotlb_fill(struct iotlb *iotlb, const struct iotlb_entry *entry)
{
	struct iotlb_entry *victim;

	victim = pick_victim(iotlb, set_of(iotlb, entry->domain, entry->page));
	if (victim->valid)
		drop(iotlb, victim);
	*victim = *entry;
	victim->valid = true;
	victim->used_at = ++iotlb->clock;
	iotlb->count[entry->page_lg2]++;
	iotlb->present |= 1ULL << entry->page_lg2;
}

static bool touches(const struct iotlb_entry *entry, u64 start, u64 last)
{
	u64 first_byte = entry->page << entry->page_lg2;
	u64 last_byte = first_byte + ((1ULL << entry->page_lg2) - 1);

	return first_byte <= last && last_byte >= start;
}

/* Visits every entry: for ranges of more pages than there are entries. */
static void sweep(struct iotlb *iotlb, bool all_domains, u16 domain, u64 start, u64 last)
{
	struct iotlb_entry *end = iotlb->entry + entries_of(iotlb);

	iotlb->compared += entries_of(iotlb);
	for (struct iotlb_entry *entry = iotlb->entry; entry < end; entry++) {
		if (entry->valid && (all_domains || entry->domain == domain) &&
		    touches(entry, start, last))
			drop(iotlb, entry);
	}
}

void iotlb_invalidate_range(struct iotlb *iotlb, u16 domain, u64 start, u64 last)
{
	u64 entries = entries_of(iotlb);

	for (u64 sizes = iotlb->present; sizes; sizes &= sizes - 1) {
		u8 lg2 = (u8)__builtin_ctzll(sizes);
		u64 page = start >> lg2;
		u64 last_page = last >> lg2;

		if (last_page - page >= entries) {
			sweep(iotlb, false, domain, start, last);
			return;
		}
		for (;; page++) {
			struct iotlb_entry *entry = lookup(iotlb, domain, page << lg2, lg2);

			iotlb->compared += iotlb->ways;
			if (entry)
				drop(iotlb, entry);
			if (page == last_page)
				break;
		}
	}
}

void iotlb_invalidate_domain(struct iotlb *iotlb, u16 domain)
{
	sweep(iotlb, false, domain, 0, ~0ULL);
}

void iotlb_invalidate_all(struct iotlb *iotlb)
{
	sweep(iotlb, true, 0, 0, ~0ULL);
}
