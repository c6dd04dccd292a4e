/* SPDX-License-Identifier: MIT */
/*
 * Misuse of the two-step API that no kernel sees, S01 to S22: for each a program that gives exactly
 * its report, which says what to change, and a right one that gives none.
 *
 * Pages are linked one by one: where leaves have every size, they stay apart.
 */
#ifndef CATALOGUE_TWO_STEP_H
#define CATALOGUE_TWO_STEP_H

#include "catalogue/bounce.h"
#include "unit/api/sites.h"

/* Every mode behind an IOMMU that a call of a state may notice. */
#define BEHIND_ALL(test)                                                                       \
	IN(strict, test), IN(lazy, test), IN(amd_vi, test), IN(riscv, test), IN(smmuv3, test), \
		IN(amd_vi_lazy, test), IN(riscv_lazy, test), IN(smmuv3_lazy, test),            \
		IN(strict_cm, test), IN(lazy_cm, test), IN(untrusted, test), IN(no_snoop, test)

#define PAGES(count) ((size_t)(count)*SZ_4K)

/* A state of the rig's nvme, and a buffer as long. */
struct pages {
	struct rig *rig;
	struct device *dev;
	phys_addr_t buf;
	struct dma_iova_state st;
};

static inline struct pages pages_of(struct rig *rig, u32 count)
{
	struct pages pages = { rig, &rig->nvme->dev, ram(rig, PAGES(count)), { 0 } };

	assert_true(dma_iova_try_alloc(pages.dev, &pages.st, 0, PAGES(count)));
	return pages;
}

static inline int link_page(struct pages *pages, u32 page)
{
	return dma_iova_link(pages->dev, &pages->st, pages->buf + PAGES(page), PAGES(page), SZ_4K,
			     DMA_BIDIRECTIONAL, 0);
}

static inline void unlink_pages(struct pages *pages, u32 first, u32 count)
{
	dma_iova_unlink(pages->dev, &pages->st, PAGES(first), PAGES(count), DMA_BIDIRECTIONAL, 0);
}

static inline void sync_pages(struct pages *pages, u32 first, u32 count)
{
	expect_ok(dma_iova_sync(pages->dev, &pages->st, PAGES(first), PAGES(count)));
}

static inline void destroy_pages(struct pages *pages, u32 count)
{
	dma_iova_destroy(pages->dev, &pages->st, PAGES(count), DMA_BIDIRECTIONAL, 0);
}

/* All of them, ready to be used. */
static inline struct pages linked_pages(struct rig *rig, u32 count)
{
	struct pages pages = pages_of(rig, count);

	for (u32 page = 0; page < count; page++)
		expect_ok(link_page(&pages, page));
	sync_pages(&pages, 0, count);
	return pages;
}

static inline bool page_is_used(struct pages *pages, u32 page)
{
	return write_byte(pages->rig->nvme, pages->st.addr + PAGES(page), 0x5a).done == 1;
}

/* This one report comes next. */
static inline void about_to(struct rig *rig, enum dmasim_report_id id)
{
	dmasim_expect(rig->s, id, 1);
}

/* It came, with these words, and nothing else is wrong. */
static inline void expect_one(struct rig *rig, enum dmasim_report_id id, const char *words)
{
	expect_says(rig->s, id, words);
	expect_only(rig->s, id, 1);
}

#endif
