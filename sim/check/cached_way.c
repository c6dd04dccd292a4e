/* SPDX-License-Identifier: MIT */
#include "check/cached_way.h"

#include <endian.h>
#include <string.h>

#include "check/cached_inside.h"

/* Where an entry stands on the host; NULL: it has no place there, or is not seen as it stands. */
static const u8 *host_of(const struct cached_domain *domain, phys_addr_t entry)
{
	const struct hw_walker *walker = &domain->iommu->walker;
	u64 chunk = entry >> RAM_CHUNK_LG2, word;

	if (walker->cache || !hw_walker_fetch(walker, entry, 0, &word) ||
	    !ram_is_recent(walker->ram, chunk))
		return NULL;
	return ram_recent(walker->ram, chunk) + entry % RAM_CHUNK_BYTES;
}

/* What entries of tables say that are reached by as much is the same. */
static void learn_from_others(const struct cached_domain *domain, struct cached_way *way)
{
	way->knows_page = false;
	for (u32 i = 0; i < CACHED_WAYS && !way->knows_page; i++) {
		const struct cached_way *other = &domain->way[i];

		if (!other->count || !other->knows_page || other->table->read != way->table->read ||
		    other->table->write != way->table->write)
			continue;
		way->knows_page = true;
		way->allows = other->allows;
		way->page_bits = other->page_bits;
		way->page_shift = other->page_shift;
		way->page_word = other->page_word;
	}
}

void cached_way_keep(struct cached_domain *domain, const struct cached_step *step, u32 count,
		     u64 start, u64 last)
{
	struct cached_way *way = cached_way_of(domain, start);

	way->count = 0;
	for (u32 i = 0; i < count; i++) {
		const struct cached_table *table = step[i].table;

		if (!table || table->at.start > start || table->at.last < last ||
		    (table->levels == 1) != (i == count - 1))
			return;
		way->entry[i] = host_of(domain, step[i].entry);
		if (!way->entry[i])
			return;
		memcpy(&way->word[i], way->entry[i], sizeof(way->word[i]));
	}
	if (!count)
		return;
	way->table = step[count - 1].table;
	way->start = way->table->at.start;
	way->last = way->table->at.last;
	way->pages = host_of(domain, way->table->phys);
	way->ram = domain->iommu->walker.ram;
	way->dropped = way->ram->dropped;
	way->count = way->pages ? count : 0;
	learn_from_others(domain, way);
}

/* Of the page at an address, in the last table. */
static const u8 *entry_of(const struct cached_way *way, u64 iova)
{
	return way->pages + ((iova - way->start) >> INTERVAL_PAGE_LG2) * sizeof(u64);
}

static u64 read_entry(const u8 *entry)
{
	u64 word;

	memcpy(&word, entry, sizeof(word));
	return le64toh(word);
}

void cached_way_learn(const struct cached_domain *domain, struct cached_way *way, u64 iova,
		      bool read, bool write)
{
	const struct hw_iommu *iommu = domain->iommu;

	way->page_bits = iommu->arch->page_bits(&iommu->walker);
	if (iommu->caching_mode || !way->page_bits)
		return;
	way->page_shift = iommu->arch->page_shift;
	way->page_word = read_entry(entry_of(way, iova)) & ~way->page_bits;
	way->allows = (read ? CACHED_PAGE_READ : 0) | (write ? CACHED_PAGE_WRITE : 0);
	way->knows_page = true;
}

/* Held against a leaf that covers it. */
static bool is_of(const struct cached_leaf *leaf, u64 start, u64 says)
{
	u64 phys = leaf->phys + (start - leaf->at.start);

	return leaf->page_lg2 == CACHED_PAGE_LG2 && !leaf->absent && !leaf->accessed &&
	       !leaf->dirty &&
	       (phys | (leaf->read ? CACHED_PAGE_READ : 0) |
		(leaf->write ? CACHED_PAGE_WRITE : 0)) == says;
}

/* What holds there, of a page that is not among the rows; NULL: nothing. */
static const struct cached_leaf *holding_leaf(const struct cached_domain *domain, u64 start)
{
	struct interval *at = interval_first(&domain->leaves, start, start | CACHED_PAGE_LAST);

	while (at && !cached_holds((struct cached_leaf *)at))
		at = interval_next(&domain->leaves, at, start, start | CACHED_PAGE_LAST);
	return (struct cached_leaf *)at;
}

/* One page. False: the set has something else. */
static bool compare_page(struct cached *cached, struct cached_domain *domain, u64 start, u64 says,
			 struct check_moment now)
{
	struct cached_pages *pages = domain->rows.near[cached_pages_slot(start)];
	const struct cached_leaf *leaf;

	if (!cached_pages_are(pages, start) || pages->ended & cached_pages_bit(start))
		pages = cached_pages_make_room(cached, domain, start);
	if (!pages)
		return true;
	if (cached_pages_holds(pages, start))
		return cached_pages_says(pages, start, says);
	leaf = domain->holding ? holding_leaf(domain, start) : NULL;
	if (DMASIM_UNLIKELY(leaf != NULL))
		return leaf->at.start <= start && leaf->at.last >= (start | CACHED_PAGE_LAST) &&
		       is_of(leaf, start, says);
	cached_pages_fill(pages, &domain->rows, start, says, now);
	return true;
}

/* Like pages side by side that lead to memory side by side. */
static bool is_run(const struct cached_way *way, u64 start, u64 last, u64 first)
{
	const u8 *entry = entry_of(way, start), *end = entry_of(way, last);
	u64 word = first, step = (u64)PAGE_SIZE >> way->page_shift;

	for (; entry <= end; entry += sizeof(word), word += step) {
		if (read_entry(entry) != word)
			return false;
	}
	return !(((word - step) ^ first) & ~way->page_bits);
}

/* Such pages, which are one leaf. False: the set has something there. */
static bool add_run(struct cached *cached, struct cached_domain *domain, u64 start, u64 last,
		    u64 says, struct check_moment now)
{
	struct cached_leaf *leaf;

	if (cached_any(domain, start, last))
		return false;
	leaf = cached_leaf_new(cached);
	if (!leaf)
		return true;
	*leaf = (struct cached_leaf){
		.at = { .start = start, .last = last },
		.domain = domain,
		.phys = says & ~CACHED_PAGE_LAST,
		.page_lg2 = CACHED_PAGE_LG2,
		.read = says & CACHED_PAGE_READ,
		.write = says & CACHED_PAGE_WRITE,
		.since = now,
		.until = CHECK_NEVER,
	};
	cached_leaf_put(cached, leaf);
	return true;
}

static bool any_entry(const struct cached_way *way, u64 start, u64 last)
{
	const u8 *entry = entry_of(way, start), *end = entry_of(way, last);
	u64 any = 0;

	for (; entry <= end; entry += sizeof(any))
		any |= read_entry(entry);
	return any;
}

/* True if a page that was there may reach beyond [start, last]. */
static bool any_beyond(const struct cached_domain *domain, u64 start, u64 last)
{
	struct interval *at = NULL;

	if (domain->large && domain->holding)
		at = interval_first(&domain->leaves, start, last);
	for (; at; at = interval_next(&domain->leaves, at, start, last)) {
		const struct cached_leaf *leaf = (const struct cached_leaf *)at;

		if (cached_holds(leaf) && leaf->page_lg2 > INTERVAL_PAGE_LG2 &&
		    (at->start < start || at->last > last))
			return true;
	}
	return false;
}

/* Nothing is there. False: what was there may reach farther. */
static bool end_pages(struct cached *cached, struct cached_domain *domain, u64 start, u64 last,
		      struct check_moment now)
{
	struct interval *at = NULL;

	if (any_beyond(domain, start, last))
		return false;
	cached_pages_end(cached, domain, start, last, now);
	if (domain->holding)
		at = interval_first(&domain->leaves, start, last);
	while (at) {
		struct cached_leaf *leaf = (struct cached_leaf *)at;
		u64 from = at->start > start ? at->start : start;
		u64 to = at->last < last ? at->last : last;

		at = interval_next(&domain->leaves, at, start, last);
		if (cached_holds(leaf))
			cached_leaf_end(cached, leaf, from, to, now);
	}
	return true;
}

bool cached_way_compare(struct cached *cached, struct cached_domain *domain, u64 start, u64 last,
			struct check_moment now)
{
	const struct cached_way *way = cached_way_of(domain, start);
	u64 word, says;

	if (!way->knows_page || (start | ~last) & CACHED_PAGE_LAST ||
	    !cached_way_holds(way, start, last))
		return false;
	word = read_entry(entry_of(way, start));
	says = (word & way->page_bits) << way->page_shift | way->allows;
	if (word && (word & ~way->page_bits) != way->page_word)
		return false;
	if (word && last - start == CACHED_PAGE_LAST)
		return compare_page(cached, domain, start, says, now);
	if (word)
		return is_run(way, start, last, word) &&
		       add_run(cached, domain, start, last, says, now);
	return !any_entry(way, start, last) && end_pages(cached, domain, start, last, now);
}
