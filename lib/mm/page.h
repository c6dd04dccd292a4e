/* SPDX-License-Identifier: MIT */
/*
 * struct page, in sparse sections made when touched; and page frames by their struct page.
 */
#ifndef MM_PAGE_H
#define MM_PAGE_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include <dmasim/page.h>
#include <dmasim/platform.h>

#define SECTION_LG2   21 /* bytes of physical memory that one section describes */
#define SECTION_PAGES (1U << (SECTION_LG2 - PAGE_SHIFT))

struct os;

struct page_section {
	RB_ENTRY(page_section) by_index;
	u64 index; /* phys >> SECTION_LG2 */
	struct page page[SECTION_PAGES];
};

RB_HEAD(page_section_tree, page_section);

/* A range of a BAR whose pages are peer memory. The memory belongs to whoever declares it. */
struct page_owner {
	SLIST_ENTRY(page_owner) link;
	phys_addr_t start;
	u64 bytes;
	struct p2pdma_provider *provider;
};

SLIST_HEAD(page_owner_list, page_owner);

struct page_sections {
	struct page_section_tree tree;
	struct page_section *last; /* found last */
	struct page_owner_list owners;
};

void page_sections_init(struct page_sections *sections);
void page_sections_fini(struct os *os);

/* The page that phys lies in, made if need be; NULL: no memory. */
struct page *page_at(struct os *os, phys_addr_t phys);

/* The page that phys lies in if its section exists, else NULL. */
struct page *page_find(struct os *os, phys_addr_t phys);

/* Pages of the range, those that exist and those to come, know their provider from now on. */
void page_declare_owner(struct os *os, struct page_owner *owner);
void page_revoke_owner(struct os *os, struct page_owner *owner);

static inline phys_addr_t page_phys(const struct page *page)
{
	const struct page_section *section = page->section;

	return (section->index << SECTION_LG2) + ((u64)(page - section->page) << PAGE_SHIFT);
}

/*
 * 2^order zeroed frames, contiguous and naturally aligned, and the page of the first, which knows
 * the order; NULL: no memory.
 */
struct page *page_alloc_order(struct os *os, enum dmasim_fault_point why, u8 order);

static inline struct page *page_alloc(struct os *os, enum dmasim_fault_point why)
{
	return page_alloc_order(os, why, 0);
}

/* Frees all the frames that were allocated with the page. */
void page_free(struct os *os, enum dmasim_fault_point why, struct page *page);

#endif
