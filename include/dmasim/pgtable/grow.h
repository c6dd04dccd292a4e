/* SPDX-License-Identifier: MIT */
/*
 * A table that grows: it starts with few levels, and gets more on top when an address asks for
 * them (facts "iova-and-page-tables" 2.1 and 2.7). What was mapped hangs below entry 0 of the new
 * top table, so walks from the old one stay right, and nothing that is cached becomes wrong.
 */
#ifndef DMASIM_PGTABLE_GROW_H
#define DMASIM_PGTABLE_GROW_H

#include <dmasim/lock.h>

#include <dmasim/pgtable/walker.h>

static inline void pt_free_tops(struct pgtable *pt, struct page *tops)
{
	while (tops) {
		struct page *next = tops->next;

		pt_page_free(pt, tops);
		tops = next;
	}
}

/*
 * Puts one more table on top of one that has `levels`, whose address is *root; *tops is the list of
 * those that were put there. 0 or -ENOMEM.
 */
static inline int pt_add_top(const struct pt_format *format, struct pgtable *pt, u8 levels,
			     phys_addr_t *root, struct page **tops)
{
	struct page *page = pt_page_alloc(pt, pt_order(format->index_lg2));
	struct pt_table table;

	if (!page)
		return -ENOMEM;
	page->next = *tops;
	*tops = page;
	table = pt_table_at(pt, page_to_phys(page));
	table.entry[0] = htole64(format->table(pt, *root, levels) | format->flushed);
	pt_flush(pt, &table, 0, 1ULL << format->index_lg2);
	*root = table.phys;
	return 0;
}

/* With the lock held. On failure the old top stays, and works. */
static inline int pt_grow_locked(const struct pt_format *format, struct pgtable *pt, u64 last)
{
	phys_addr_t root = pt->root;
	struct page *tops = NULL;
	u8 levels = pt->levels;
	int err = 0;

	/* Another CPU may have been here before. */
	for (; !err && pt_is_above(format, levels, last); levels++)
		err = pt_add_top(format, pt, levels, &root, &tops);
	if (err || !tops) {
		pt_free_tops(pt, tops);
		return err;
	}
	platform_point(pt->platform, DMASIM_POINT_PT_TOP);
	if (pt->change_top)
		err = pt->change_top(pt->cookie, root, levels);
	/* Hardware may use it already, even if it could not be told to forget the old one. */
	pt->root = root;
	pt->top = pt_table_at(pt, root).entry;
	pt->levels = levels;
	return err;
}

/* Makes the table reach `last`, which lies within its width. 0, -ENOMEM or change_top's error. */
static inline int pt_grow(const struct pt_format *format, struct pgtable *pt, u64 last)
{
	int err;

	platform_lock(pt->platform, &pt->top_lock);
	err = pt_grow_locked(format, pt, last);
	platform_unlock(pt->platform, &pt->top_lock);
	return err;
}

#endif
