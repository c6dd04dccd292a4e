/* SPDX-License-Identifier: MIT */
#include "hw/iotlb.h"

#include <errno.h>

#define LISTS_MAX (1U << 16) /* a list for each domain */

static u64 entries_of(const struct iotlb *iotlb)
{
	return (u64)iotlb->sets * iotlb->ways;
}

static u32 lists_for(u64 entries)
{
	u32 lists = 1;

	while (lists < entries && lists < LISTS_MAX)
		lists *= 2;
	return lists;
}

/* Entries and lists are one allocation. */
int iotlb_init(struct iotlb *iotlb, struct world *world, u32 entry_count, u32 ways)
{
	u64 bytes;
	u32 sets = 1;

	while ((u64)sets * ways < entry_count)
		sets *= 2;
	*iotlb = (struct iotlb){ .world = world, .sets = sets, .ways = ways };
	iotlb->lists = lists_for(entries_of(iotlb));
	bytes = entries_of(iotlb) * sizeof(*iotlb->entry) + iotlb->lists * sizeof(*iotlb->list);
	if (bytes > SIZE_MAX)
		return -ENOMEM;
	iotlb->entry = memory_alloc(&world->memory, DMASIM_FAULT_IOMMU_UNIT, (size_t)bytes);
	if (!iotlb->entry)
		return -ENOMEM;
	iotlb->list = (struct iotlb_list *)(iotlb->entry + entries_of(iotlb));
	iotlb->last = iotlb->entry;
	return 0;
}

void iotlb_fini(struct iotlb *iotlb)
{
	memory_free(&iotlb->world->memory, iotlb->entry);
	iotlb->entry = NULL;
}

static u64 sized(u64 tag, u8 page_lg2)
{
	return tag | (u64)page_lg2 << IOTLB_TAG_SIZE_SHIFT;
}

/* Consecutive pages fall into consecutive sets; domains and PASIDs are spread apart. */
static struct iotlb_entry *set_of(const struct iotlb *iotlb, u64 tag, u64 page)
{
	u64 index = (page + (tag ^ tag >> 16) * 0x9e37) & (iotlb->sets - 1);

	return iotlb->entry + index * iotlb->ways;
}

/* Of several ways that have the page, for different domains or sizes. */
static struct iotlb_entry *find_among(const struct iotlb *iotlb, struct iotlb_entry *way, u64 key,
				      u64 page)
{
	for (u32 i = 0; i < iotlb->ways; i++) {
		if (way[i].page == page && way[i].tag == key)
			return &way[i];
	}
	return NULL;
}

/*
 * Looks at all ways, without a branch: which one it is cannot be foretold, and a branch that was
 * foretold wrongly takes longer than a few ways.
 */
static inline struct iotlb_entry *find_page(const struct iotlb *iotlb, u64 tag, u64 iova,
					    u8 page_lg2)
{
	u64 key = sized(tag, page_lg2), page = iova >> page_lg2;
	struct iotlb_entry *set = set_of(iotlb, key, page), *end = set + iotlb->ways;
	struct iotlb_entry *found = NULL;

	for (struct iotlb_entry *way = set; way < end; way++)
		found = way->page == page ? way : found;
	if (!found || DMASIM_LIKELY(found->tag == key))
		return found;
	return find_among(iotlb, set, key, page);
}

static const struct iotlb_entry *look_up_sizes(struct iotlb *iotlb, u64 tag, u64 iova)
{
	for (u64 sizes = iotlb->present; sizes; sizes &= sizes - 1) {
		struct iotlb_entry *entry;

		entry = find_page(iotlb, tag, iova, (u8)__builtin_ctzll(sizes));
		if (entry)
			return iotlb_use(iotlb, entry);
	}
	return NULL;
}

const struct iotlb_entry *iotlb_look_up(struct iotlb *iotlb, u64 tag, u64 iova)
{
	struct iotlb_entry *entry;

	/* Mostly there is one size: then this is all, without a call or a loop around it. */
	if (iotlb->present & (iotlb->present - 1))
		return look_up_sizes(iotlb, tag, iova);
	entry = find_page(iotlb, tag, iova, (u8)__builtin_ctzll(iotlb->present));
	return entry ? iotlb_use(iotlb, entry) : NULL;
}

static struct iotlb_list *list_of(const struct iotlb *iotlb, u64 tag)
{
	return iotlb->list + (tag & IOTLB_TAG_DOMAIN_MASK & (iotlb->lists - 1));
}

/* The entry has its tag: it becomes one of its domain, and of its size. */
static void enlist(struct iotlb *iotlb, struct iotlb_entry *entry)
{
	struct iotlb_list *list = list_of(iotlb, entry->tag);

	if (LIST_EMPTY(&list->entries))
		LIST_INSERT_HEAD(&iotlb->filled, list, filled);
	LIST_INSERT_HEAD(&list->entries, entry, of_domain);
	iotlb->valid++;
	iotlb->count[entry->page_lg2]++;
	iotlb->present |= 1ULL << entry->page_lg2;
}

static void drop(struct iotlb *iotlb, struct iotlb_entry *entry)
{
	struct iotlb_list *list = list_of(iotlb, entry->tag);

	LIST_REMOVE(entry, of_domain);
	if (LIST_EMPTY(&list->entries))
		LIST_REMOVE(list, filled);
	entry->tag = 0;
	entry->used_at = 0;
	iotlb->valid--;
	if (!--iotlb->count[entry->page_lg2])
		iotlb->present &= ~(1ULL << entry->page_lg2);
}

/* One that is not valid has the oldest time of all. */
static inline struct iotlb_entry *oldest_of(const struct iotlb *iotlb, struct iotlb_entry *way)
{
	struct iotlb_entry *oldest = way, *end = way + iotlb->ways;
	u64 oldest_at = way->used_at;

	while (++way < end) {
		oldest = way->used_at < oldest_at ? way : oldest;
		oldest_at = way->used_at < oldest_at ? way->used_at : oldest_at;
	}
	return oldest;
}

/* Which one gives way is a choice: answer 0, the plain run's, is the oldest. */
static struct iotlb_entry *choose_victim(struct iotlb *iotlb, struct iotlb_entry *way,
					 struct iotlb_entry *oldest)
{
	u64 victim = (u64)(oldest - way);

	if (oldest->used_at)
		victim += world_choose(iotlb->world, iotlb->ways);
	return &way[victim < iotlb->ways ? victim : victim - iotlb->ways];
}

static struct iotlb_entry *take(struct iotlb *iotlb, struct iotlb_entry *entry, u64 page)
{
	entry->page = page;
	entry->used_at = ++iotlb->clock;
	iotlb->last = entry;
	return entry;
}

/* The entry changes domain or size, or comes to life; or hardware chooses. */
static struct iotlb_entry *claim_any(struct iotlb *iotlb, struct iotlb_entry *oldest, u64 key,
				     u64 page)
{
	struct iotlb_entry *victim = choose_victim(iotlb, set_of(iotlb, key, page), oldest);

	if (victim->tag != key) {
		if (victim->tag)
			drop(iotlb, victim);
		victim->tag = key;
		victim->page_lg2 = (u8)(key >> IOTLB_TAG_SIZE_SHIFT);
		enlist(iotlb, victim);
	}
	return take(iotlb, victim, page);
}

struct iotlb_entry *iotlb_claim(struct iotlb *iotlb, u64 tag, u64 iova, u8 page_lg2)
{
	u64 key = sized(tag, page_lg2), page = iova >> page_lg2;
	struct iotlb_entry *oldest = oldest_of(iotlb, set_of(iotlb, key, page));

	/* Mostly one of the same domain and size gives way: what is counted stays. */
	if (oldest->tag == key && !iotlb->world->random_choices)
		return take(iotlb, oldest, page);
	return claim_any(iotlb, oldest, key, page);
}

void iotlb_fill(struct iotlb *iotlb, const struct iotlb_entry *entry)
{
	u64 iova = entry->page << entry->page_lg2;
	struct iotlb_entry *claimed = iotlb_claim(iotlb, entry->tag, iova, entry->page_lg2);

	claimed->phys = entry->phys;
	claimed->read = entry->read;
	claimed->write = entry->write;
	claimed->accessed = entry->accessed;
	claimed->dirty = entry->dirty;
}

/* What an invalidation takes. */
struct window {
	u64 tag;
	u64 tag_mask; /* bits of the tag that count */
	u64 start;
	u64 last;
	u64 sizes; /* a bit for each page size that goes; what is absent goes whatever its size */
};

static bool takes_size(const struct window *window, const struct iotlb_entry *entry)
{
	return window->sizes >> entry->page_lg2 & 1 || (!entry->read && !entry->write);
}

static bool takes(const struct window *window, const struct iotlb_entry *entry)
{
	u64 first_byte = entry->page << entry->page_lg2;
	u64 last_byte = first_byte + ((1ULL << entry->page_lg2) - 1);

	return !((entry->tag ^ window->tag) & window->tag_mask) && takes_size(window, entry) &&
	       first_byte <= window->last && last_byte >= window->start;
}

/* Visits the entries of a domain, where to look for each page would take longer. */
static void sweep(struct iotlb *iotlb, struct iotlb_list *list, const struct window *window)
{
	struct iotlb_entry *entry, *next;

	LIST_FOREACH_SAFE(entry, &list->entries, of_domain, next) {
		iotlb->compared++;
		if (takes(window, entry))
			drop(iotlb, entry);
	}
}

static void invalidate(struct iotlb *iotlb, const struct window *window)
{
	for (u64 sizes = iotlb->present; sizes; sizes &= sizes - 1) {
		u8 lg2 = (u8)__builtin_ctzll(sizes);
		u64 page = window->start >> lg2;
		u64 last_page = window->last >> lg2;

		if (last_page - page >= iotlb->valid) {
			sweep(iotlb, list_of(iotlb, window->tag), window);
			return;
		}
		for (;; page++) {
			struct iotlb_entry *entry;

			entry = find_page(iotlb, window->tag, page << lg2, lg2);

			iotlb->compared += iotlb->ways;
			if (entry && takes_size(window, entry))
				drop(iotlb, entry);
			if (page == last_page)
				break;
		}
	}
}

DMASIM_HOT void iotlb_invalidate_range(struct iotlb *iotlb, u64 tag, u64 start, u64 last)
{
	invalidate(iotlb, &(struct window){ tag, IOTLB_TAG_MASK, start, last, ~0ULL });
}

void iotlb_invalidate_small_pages(struct iotlb *iotlb, u64 tag, u64 start, u64 last,
				  u8 page_lg2_max)
{
	u64 sizes = page_lg2_max < 63 ? (2ULL << page_lg2_max) - 1 : ~0ULL;

	iotlb_invalidate_sizes(iotlb, tag, start, last, sizes);
}

void iotlb_invalidate_sizes(struct iotlb *iotlb, u64 tag, u64 start, u64 last, u64 sizes)
{
	invalidate(iotlb, &(struct window){ tag, IOTLB_TAG_MASK, start, last, sizes });
}

void iotlb_invalidate_domain(struct iotlb *iotlb, u16 domain)
{
	sweep(iotlb, list_of(iotlb, domain),
	      &(struct window){ domain, IOTLB_TAG_DOMAIN_MASK, 0, ~0ULL, ~0ULL });
}

void iotlb_invalidate_nested(struct iotlb *iotlb, u16 domain)
{
	sweep(iotlb, list_of(iotlb, domain),
	      &(struct window){ domain | IOTLB_TAG_NESTED, IOTLB_TAG_DOMAIN_MASK | IOTLB_TAG_NESTED,
				0, ~0ULL, ~0ULL });
}

void iotlb_invalidate_all(struct iotlb *iotlb)
{
	while (!LIST_EMPTY(&iotlb->filled))
		sweep(iotlb, LIST_FIRST(&iotlb->filled),
		      &(struct window){ .last = ~0ULL, .sizes = ~0ULL });
}

const struct iotlb_entry *iotlb_peek(const struct iotlb *iotlb, u16 domain, u64 start, u64 last,
				     const struct iotlb_entry *after)
{
	const struct iotlb_entry *entry = after ? after + 1 : iotlb->entry;

	for (; entry < iotlb->entry + entries_of(iotlb); entry++) {
		u64 first;

		if (!entry->used_at || iotlb_domain(entry) != domain)
			continue;
		first = entry->page << entry->page_lg2;
		if (first <= last && first + ((1ULL << entry->page_lg2) - 1) >= start)
			return entry;
	}
	return NULL;
}
