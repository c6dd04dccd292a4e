/* SPDX-License-Identifier: MIT */
/*
 * struct page: one 4 KiB page of RAM, of adopted memory or of a BAR.
 *
 * Pages live in sections of 2 MiB that are made when first asked for (dmasim_page()). A page of a
 * BAR that was given to peer-to-peer use knows its provider.
 */
#ifndef DMASIM_PAGE_H
#define DMASIM_PAGE_H

#include <dmasim/types.h>

struct page_section;
struct p2pdma_provider;

struct page {
	struct page_section *section;
	/* The provider of a peer-to-peer page; NULL: ordinary memory. */
	struct p2pdma_provider *provider;
	struct page *next; /* for whoever owns the page at the moment */
	u8 order;	   /* log2 of the pages that its owner got with it, this one the first */
};

DMASIM_BEGIN_DECLS

phys_addr_t page_to_phys(const struct page *page) DMASIM_LINUX(page_to_phys);

/* True for a page of a BAR that pci_p2pdma_add_resource() made peer memory. */
static inline bool is_pci_p2pdma_page(const struct page *page)
{
	return page && page->provider;
}

DMASIM_END_DECLS

#endif
