/* SPDX-License-Identifier: MIT */
/*
 * What an invalidation is for.
 */
#ifndef CHECK_CACHED_COVERS_H
#define CHECK_CACHED_COVERS_H

#include "check/cached_inside.h"

/* Pages, and what entries map, of that size: they stay. */
static inline bool cached_leaves_it(const struct hw_invalidation *what, u8 lg2)
{
	u64 bytes_less_1 = lg2 < 64 ? (1ULL << lg2) - 1 : ~0ULL;

	return DMASIM_UNLIKELY(what->larger_stay) && bytes_less_1 > what->last - what->start;
}

static inline bool cached_leaves_page(const struct hw_invalidation *what, u8 lg2)
{
	return cached_leaves_it(what, lg2) || hw_hint_spares(what, lg2);
}

static inline bool cached_covers_table(const struct hw_invalidation *what,
				       const struct cached_table *table)
{
	return !what->leaf_only && what->start <= table->at.last && what->last >= table->at.start &&
	       !cached_leaves_it(what, (u8)(12 + 9 * table->levels));
}

/* Whatever window it has: it drops such leaves. */
static inline bool cached_is_for_leaf(const struct hw_invalidation *what,
				      const struct cached_leaf *leaf)
{
	return leaf->absent ? leaf->page_lg2 <= 12 || !what->leaf_only
			    : !cached_leaves_page(what, leaf->page_lg2);
}

static inline bool cached_covers_leaf(const struct hw_invalidation *what,
				      const struct cached_leaf *leaf)
{
	return cached_is_for_leaf(what, leaf) && what->start <= leaf->at.last &&
	       what->last >= leaf->at.start;
}

/* The table has ended before the command, and goes by it. */
static inline bool cached_takes_table(const struct cached_command *command,
				      const struct cached_table *table)
{
	const struct hw_invalidation *what = &command->what;

	return what->what == HW_INVALIDATED_IOTLB && cached_is_tagged(table->domain, what) &&
	       check_before(table->until, command->submitted) && cached_covers_table(what, table);
}

/* The domains that a command is about, one after the other; NULL: no more. */
struct cached_domain *cached_concerned(struct cached *cached, const struct hw_iommu *iommu,
				       const struct hw_invalidation *what,
				       struct cached_domain *after);

/* The only one that a command is about, as one mostly is; NULL: there may be others. */
static inline struct cached_domain *cached_only_concerned(struct cached *cached,
							  const struct hw_iommu *iommu,
							  const struct hw_invalidation *what)
{
	struct cached_domain *first;

	if (DMASIM_UNLIKELY(what->all_domains))
		return NULL;
	first = cached_domain_first(cached, what->domain);
	if (DMASIM_UNLIKELY(!first) || DMASIM_UNLIKELY(cached_domain_next(first) != NULL) ||
	    DMASIM_UNLIKELY(first->iommu != iommu) ||
	    DMASIM_UNLIKELY(what->has_pasid != first->first_stage))
		return NULL;
	return first;
}

#endif
