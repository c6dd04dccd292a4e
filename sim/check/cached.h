/* SPDX-License-Identifier: MIT */
/*
 * The set of everything that an IOMMU may still have cached: each translation and each table page
 * that was reachable in a domain's page table at any time since the last completed invalidation
 * that covers it.
 *
 * It is filled by walking the real tables with the hardware's own walker whenever the software says
 * that it mapped something, and emptied only by what the hardware says it has executed and waited
 * for. So it judges every page-table format and every unmap strategy without knowing them.
 */
#ifndef CHECK_CACHED_H
#define CHECK_CACHED_H

#include <bsd/sys/queue.h>

#include "check/cached_context.h"
#include "check/interval.h"
#include "hw/hw.h"

/* A stretch of IOVAs that may translate to a stretch of memory. */
struct cached_leaf {
	struct interval at; /* first member */
	phys_addr_t phys;
	bool read;
	bool write;
	u64 since_ns;
};

/* A stretch of IOVAs that may be cached as absent though they were mapped since. */
struct cached_absent {
	struct interval at; /* first member */
};

struct cached_table;

/* The same table by its physical address. */
struct cached_page {
	struct interval at; /* first member */
	struct cached_table *table;
};

/* A table page that a walk of these IOVAs may still read. */
struct cached_table {
	struct interval at; /* first member */
	phys_addr_t phys;
	u32 domain;
	struct cached_page page;
};

struct cached_domain {
	SLIST_ENTRY(cached_domain) link;
	struct hw_iommu *iommu;
	u32 domain;
	phys_addr_t root;
	u8 levels;
	struct interval_tree leaves;
	struct interval_tree tables;
	struct interval_tree absents; /* of a unit in caching mode */
};

/* An executed invalidation that no wait has confirmed yet. */
struct cached_pending {
	STAILQ_ENTRY(cached_pending) link;
	struct hw_iommu *iommu;
	struct hw_invalidation what;
};

SLIST_HEAD(cached_domain_list, cached_domain);
STAILQ_HEAD(cached_pending_list, cached_pending);

struct cached {
	struct world *world;
	struct cached_domain_list domains;
	struct cached_pending_list pending;
	struct interval_tree tables_by_phys;
	struct cached_contexts contexts;
	bool *blind;
};

void cached_init(struct cached *cached, struct world *world, bool *blind);
void cached_fini(struct cached *cached);

/* A context entry points to this table now. */
void cached_domain_set(struct cached *cached, struct hw_iommu *iommu, u32 domain, phys_addr_t root,
		       u8 levels);
struct cached_domain *cached_domain_find(const struct cached *cached, u32 domain);

/* The software has written entries for [start, last]. */
void cached_mapped(struct cached *cached, struct cached_domain *domain, u64 start, u64 last);

/* The hardware has executed an invalidation; and a wait, for commands with lower numbers. */
void cached_invalidated(struct cached *cached, struct hw_iommu *iommu,
			const struct hw_invalidation *what);
void cached_waited(struct cached *cached, struct hw_iommu *iommu, u64 number);

/*
 * A translation of [start, last] that may be cached though the tables no longer give it; NULL:
 * none.
 */
const struct cached_leaf *cached_stale(const struct cached_domain *domain, u64 start, u64 last);

/*
 * What may be cached as absent of [start, last] since entries were written there, each told once;
 * false: nothing. A unit that is not in caching mode has nothing.
 */
bool cached_absent_take(struct cached *cached, struct cached_domain *domain, u64 start, u64 last);

/* Forgets the translations of [start, last], so that they are told once. */
void cached_forget(struct cached *cached, struct cached_domain *domain, u64 start, u64 last);

/* The table entry through which this page may still be walked; NULL: none. */
const struct cached_table *cached_table_use(const struct cached *cached, phys_addr_t table);

#endif
