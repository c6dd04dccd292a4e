/* SPDX-License-Identifier: MIT */
#include "mm/page.h"

#include "os.h"

static int compare_index(struct page_section *a, struct page_section *b)
{
	return (a->index > b->index) - (a->index < b->index);
}

RB_PROTOTYPE(page_section_tree, page_section, by_index, compare_index)
RB_GENERATE(page_section_tree, page_section, by_index, compare_index)

void page_sections_init(struct page_sections *sections)
{
	RB_INIT(&sections->tree);
	SLIST_INIT(&sections->owners);
	sections->last = NULL;
}

void page_sections_fini(struct os *os)
{
	struct page_section_tree *tree = &os->pages.tree;
	struct page_section *section = RB_MIN(page_section_tree, tree);

	while (section) {
		struct page_section *next = RB_NEXT(page_section_tree, tree, section);

		RB_REMOVE(page_section_tree, tree, section);
		os_free(os, section);
		section = next;
	}
	os->pages.last = NULL;
}

static struct page_section *find_section(struct page_sections *sections, u64 index)
{
	struct page_section *section = sections->last;

	if (DMASIM_LIKELY(section && section->index == index))
		return section;
	section = RB_ROOT(&sections->tree);
	while (section && section->index != index)
		section = index < section->index ? RB_LEFT(section, by_index)
						 : RB_RIGHT(section, by_index);
	if (section)
		sections->last = section;
	return section;
}

static struct page *page_in(struct page_section *section, phys_addr_t phys)
{
	return &section->page[(phys >> PAGE_SHIFT) % SECTION_PAGES];
}

struct page *page_find(struct os *os, phys_addr_t phys)
{
	struct page_section *section = find_section(&os->pages, phys >> SECTION_LG2);

	return section ? page_in(section, phys) : NULL;
}

/* Sets the provider of those pages of a section that the range covers. */
static void set_provider(struct page_section *section, const struct page_owner *owner,
			 struct p2pdma_provider *provider)
{
	for (u32 i = 0; i < SECTION_PAGES; i++) {
		struct page *page = &section->page[i];

		if (page_phys(page) - owner->start < owner->bytes)
			page->provider = provider;
	}
}

static void set_provider_everywhere(struct os *os, const struct page_owner *owner,
				    struct p2pdma_provider *provider)
{
	struct page_section *section;

	RB_FOREACH(section, page_section_tree, &os->pages.tree)
		set_provider(section, owner, provider);
}

void page_declare_owner(struct os *os, struct page_owner *owner)
{
	SLIST_INSERT_HEAD(&os->pages.owners, owner, link);
	set_provider_everywhere(os, owner, owner->provider);
}

void page_revoke_owner(struct os *os, struct page_owner *owner)
{
	SLIST_REMOVE(&os->pages.owners, owner, page_owner, link);
	set_provider_everywhere(os, owner, NULL);
}

struct page *page_at(struct os *os, phys_addr_t phys)
{
	struct page *page = page_find(os, phys);
	struct page_section *section;
	struct page_owner *owner;

	if (page)
		return page;
	section = os_alloc(os, DMASIM_FAULT_PAGE_SECTION, sizeof(*section));
	if (!section)
		return NULL;
	section->index = phys >> SECTION_LG2;
	for (u32 i = 0; i < SECTION_PAGES; i++)
		section->page[i].section = section;
	SLIST_FOREACH(owner, &os->pages.owners, link)
		set_provider(section, owner, owner->provider);
	RB_INSERT(page_section_tree, &os->pages.tree, section);
	os->pages.last = section;
	return page_in(section, phys);
}

struct page *page_alloc_order(struct os *os, enum dmasim_fault_point why, u8 order)
{
	phys_addr_t phys = platform_frames_alloc(os->platform, why, 1ULL << order);
	struct page *page;

	if (phys == PLATFORM_NO_PHYS)
		return NULL;
	page = page_at(os, phys);
	if (page)
		page->order = order;
	else
		platform_frames_free(os->platform, why, phys, 1ULL << order);
	return page;
}

void page_free(struct os *os, enum dmasim_fault_point why, struct page *page)
{
	page->next = NULL;
	platform_frames_free(os->platform, why, page_phys(page), 1ULL << page->order);
}

DMASIM_HOT phys_addr_t page_to_phys(const struct page *page)
{
	return page_phys(page);
}
