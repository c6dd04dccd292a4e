/* SPDX-License-Identifier: MIT */
#include "check/cached_way.h"

#include <endian.h>
#include <string.h>

#include "check/cached_inside.h"
#include "hw/words.h"
#include "world/memory.h"

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

void cached_ways_init(struct cached_domain *domain)
{
	domain->way = domain->first_ways;
	domain->ways = CACHED_WAYS;
}

void cached_ways_fini(struct cached *cached, struct cached_domain *domain)
{
	if (domain->way != domain->first_ways)
		memory_free(&cached->world->memory, domain->way);
}

/*
 * A domain that goes round through more tables than there are ways would never meet one again. If
 * there is no memory for them it stays with those it has.
 */
static void have_many(struct cached *cached, struct cached_domain *domain)
{
	struct cached_way *many;

	if (domain->ways == CACHED_WAYS_MANY || ++domain->ways_lost % CACHED_WAYS_LOST)
		return;
	many = cached_record(cached, CACHED_WAYS_MANY * sizeof(*many));
	if (!many)
		return;
	domain->way = many;
	domain->ways = CACHED_WAYS_MANY;
	domain->way_taught = NULL;
}

/* What entries of tables say that are reached by as much is the same. */
static void learn_from_another(const struct cached_domain *domain, struct cached_way *way)
{
	const struct cached_way *other = domain->way_taught;

	way->knows_page = other && other != way && cached_way_is_kept(domain, other) &&
			  other->knows_page && other->table->read == way->table->read &&
			  other->table->write == way->table->write;
	if (!way->knows_page)
		return;
	way->allows = other->allows;
	way->page_bits = other->page_bits;
	way->page_shift = other->page_shift;
	way->page_word = other->page_word;
}

void cached_way_keep(struct cached *cached, struct cached_domain *domain,
		     const struct cached_step *step, u32 count, u64 start, u64 last)
{
	struct cached_way *way = cached_way_of(domain, start);

	if (cached_way_is_kept(domain, way) && (start < way->start || start > way->last))
		have_many(cached, domain);
	way = cached_way_of(domain, start);
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
	way->age = domain->ways_age;
	way->count = way->pages ? count : 0;
	way->is_plain = !domain->iommu->caching_mode &&
			domain->iommu->arch->page_bits(&domain->iommu->walker);
	learn_from_another(domain, way);
}

void cached_way_learn(struct cached_domain *domain, struct cached_way *way, u64 iova, bool read,
		      bool write)
{
	const struct hw_iommu *iommu = domain->iommu;

	way->page_bits = iommu->arch->page_bits(&iommu->walker);
	if (iommu->caching_mode || !way->page_bits)
		return;
	way->page_shift = iommu->arch->page_shift;
	way->page_word = cached_way_entry(way, iova) & ~way->page_bits;
	way->allows = (read ? CACHED_PAGE_READ : 0) | (write ? CACHED_PAGE_WRITE : 0);
	way->knows_page = true;
	domain->way_taught = way;
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

bool cached_way_compare_page(struct cached *cached, struct cached_domain *domain, u64 start,
			     u64 says, struct check_moment now)
{
	struct cached_pages *pages = cached_pages_make_room(cached, domain, start);
	const struct cached_leaf *leaf;

	if (!pages)
		return true;
	if (cached_pages_holds(pages, start))
		return cached_pages_says(pages, start, says);
	leaf = domain->holding ? holding_leaf(domain, start) : NULL;
	if (DMASIM_UNLIKELY(leaf != NULL))
		return leaf->at.start <= start && leaf->at.last >= (start | CACHED_PAGE_LAST) &&
		       is_of(leaf, start, says);
	cached_pages_fill(cached, pages, &domain->rows, start, says, &cached->clock, now);
	return true;
}

/* Like pages side by side that lead to memory side by side. */
static bool is_run(const struct cached_way *way, u64 start, u64 last, u64 first)
{
	u64 count = (last - start + 1) >> INTERVAL_PAGE_LG2,
	    step = (u64)PAGE_SIZE >> way->page_shift;

	return words_step(cached_way_place(way, start), count, first, step) &&
	       !(((first + (count - 1) * step) ^ first) & ~way->page_bits);
}

/* Such pages, which are one leaf. False: the set has something there. */
static bool add_run(struct cached *cached, struct cached_domain *domain, u64 start, u64 last,
		    const struct hw_leaf *page, struct check_moment now)
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
		.phys = page->phys,
		.page_lg2 = page->page_lg2,
		.read = page->read,
		.write = page->write,
		.since = now,
		.until = CHECK_NEVER,
	};
	cached_leaf_put(cached, leaf);
	return true;
}

/* Pages of more than 4 KiB in whole, each of which is many like entries. */
static bool add_larger(struct cached *cached, struct cached_domain *domain, u64 start, u64 last,
		       struct check_moment now)
{
	const struct hw_arch *arch = domain->iommu->arch;
	const struct cached_way *way = cached_way_of(domain, start);
	u64 word = cached_way_entry(way, start), bytes;
	struct hw_leaf page;

	if (!arch->larger_page || !arch->larger_page(&domain->iommu->walker, word, &page) ||
	    page.accessed || page.dirty)
		return false;
	page.read = page.read && way->table->read;
	page.write = page.write && way->table->write;
	bytes = 1ULL << page.page_lg2;
	if ((start | (last + 1)) & (bytes - 1) || !(page.read || page.write))
		return false;
	for (u64 at = start; at - 1 != last; at += bytes) {
		if (words_differ(cached_way_place(way, at), bytes >> INTERVAL_PAGE_LG2,
				 htole64(word + ((at - start) >> arch->page_shift))))
			return false;
	}
	return !(((word + ((last + 1 - start - bytes) >> arch->page_shift)) ^ word) &
		 ~arch->page_bits(&domain->iommu->walker)) &&
	       add_run(cached, domain, start, last, &page, now);
}

static bool any_entry(const struct cached_way *way, u64 start, u64 last)
{
	u64 count = (last - start + 1) >> INTERVAL_PAGE_LG2;

	return words_differ(cached_way_place(way, start), count, 0);
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

/* Several pages, or none where one or several were. */
DMASIM_HOT static DMASIM_NOINLINE bool compare_more(struct cached *cached,
						    struct cached_domain *domain, u64 start,
						    u64 last, struct check_moment now)
{
	const struct cached_way *way = cached_way_of(domain, start);
	u64 word = cached_way_entry(way, start);
	struct hw_leaf page;

	if (!way->is_plain)
		return false;
	if (!word)
		return !any_entry(way, start, last) && end_pages(cached, domain, start, last, now);
	if (!way->knows_page || (word & ~way->page_bits) != way->page_word)
		return add_larger(cached, domain, start, last, now);
	page.phys = (word & way->page_bits) << way->page_shift;
	page.page_lg2 = CACHED_PAGE_LG2;
	page.read = way->allows & CACHED_PAGE_READ;
	page.write = way->allows & CACHED_PAGE_WRITE;
	return is_run(way, start, last, word) && add_run(cached, domain, start, last, &page, now);
}

DMASIM_HOT bool cached_way_compare(struct cached *cached, struct cached_domain *domain, u64 start,
				   u64 last, struct check_moment now)
{
	const struct cached_way *way = cached_way_of(domain, start);
	u64 word, says;

	if ((start | ~last) & CACHED_PAGE_LAST || !cached_way_holds(domain, way, start, last))
		return false;
	word = cached_way_entry(way, start);
	if (!word || last - start != CACHED_PAGE_LAST || !way->knows_page)
		return compare_more(cached, domain, start, last, now);
	if ((word & ~way->page_bits) != way->page_word)
		return false;
	says = (word & way->page_bits) << way->page_shift | way->allows;
	return cached_way_compare_page(cached, domain, start, says, now);
}

/* ---- Finding it without a comparison -------------------------------------------------------- */

/* The table of the set that a walk has come to, if the entry that led there can be read here. */
static const struct cached_table *table_at(const struct cached_domain *domain, u64 start,
					   const struct hw_walk_start *to, u64 word)
{
	const struct hw_arch *arch = domain->iommu->arch;
	const struct interval_tree *tables = &domain->tables;
	u64 bits = arch->page_bits(&domain->iommu->walker);
	struct interval *at = interval_first(tables, start, start);

	if ((word & bits) << arch->page_shift != to->table)
		return NULL;
	for (; at; at = interval_next(tables, at, start, start)) {
		const struct cached_table *table = (const struct cached_table *)at;
		u8 lg2 = (u8)(INTERVAL_PAGE_LG2 + 9 * to->levels);

		if (table->phys == to->table && table->levels == to->levels &&
		    table->read == to->read && table->write == to->write &&
		    at->start == start >> lg2 << lg2)
			return table;
	}
	return NULL;
}

/* The tables that a walk to the address from the only top visits, which are all that there are. */
static u32 steps_to(const struct cached_domain *domain, u64 start, u64 last,
		    struct cached_step *step)
{
	const struct cached_source *source = SLIST_FIRST(&domain->sources);
	const struct hw_walk_start top = { source->root, source->levels, source->read,
					   source->write };
	const struct hw_iommu *iommu = domain->iommu;
	struct hw_walk walk = { .no_steps = false };
	struct interval *at;
	u32 count = 0;

	if (!iommu->arch->page_bits(&iommu->walker) || source->levels & HW_FIRST_STAGE ||
	    !iommu->arch->reaches(source->levels, last))
		return 0;
	iommu->arch->walk(&iommu->walker, &top, start, !source->read, &walk);
	for (at = interval_first(&domain->tables, start, last); at;
	     at = interval_next(&domain->tables, at, start, last))
		count++;
	if (count != walk.tables - 1U || count > CACHED_WAY_MAX)
		return 0;
	for (u32 i = 0; i < count; i++) {
		const struct hw_walk_start *from = &walk.step[i];
		u64 index = start >> (3 + 9 * from->levels) & 511, word;

		if (!hw_walker_fetch(&iommu->walker, from->table, index, &word))
			return 0;
		step[i].entry = from->table + index * sizeof(word);
		step[i].table = table_at(domain, start, &walk.step[i + 1], word);
		if (!step[i].table)
			return 0;
	}
	return count;
}

void cached_way_find(struct cached *cached, struct cached_domain *domain, u64 start, u64 last)
{
	const struct cached_source *source = SLIST_FIRST(&domain->sources);
	struct cached_step step[CACHED_WAY_MAX];

	if ((start ^ last) >> CACHED_WAY_LG2 || !source || SLIST_NEXT(source, link) ||
	    domain->ended_tables ||
	    cached_way_holds(domain, cached_way_of(domain, start), start, last))
		return;
	cached_way_keep(cached, domain, step, steps_to(domain, start, last, step), start, last);
}
