/* SPDX-License-Identifier: MIT */
/*
 * Context entries that an IOMMU may still have cached: each that translated at any time since the
 * last completed invalidation that covers it. Through one of them a device still reaches the page
 * table that it points to.
 */
#ifndef CHECK_CACHED_CONTEXT_H
#define CHECK_CACHED_CONTEXT_H

#include "check/interval.h"
#include "hw/hw.h"

struct cached_context;

/* The same entry by the page table that it points to. */
struct cached_root {
	struct interval at; /* first member */
	struct cached_context *context;
};

struct cached_context {
	struct interval at; /* first member: the requester */
	struct hw_iommu *iommu;
	struct hw_context context;
	u64 since_ns;
	struct cached_root root;
};

struct cached_contexts {
	struct world *world;
	struct interval_tree by_requester;
	struct interval_tree by_root;
	bool *blind;
};

void cached_contexts_init(struct cached_contexts *contexts, struct world *world, bool *blind);
void cached_contexts_fini(struct cached_contexts *contexts);

/* The entry of a requester says this now. */
void cached_context_set(struct cached_contexts *contexts, struct hw_iommu *iommu, u16 requester,
			const struct hw_context *context);

/* A completed invalidation of contexts. What the entries say now may be cached again at once. */
void cached_contexts_invalidated(struct cached_contexts *contexts, struct hw_iommu *iommu,
				 const struct hw_invalidation *what);

/* An entry through which this top table may still be reached; NULL: none. */
const struct cached_context *cached_context_use(const struct cached_contexts *contexts,
						phys_addr_t root);

/* Forgets all entries that lead to this top table, so that they are told once. */
void cached_context_forget(struct cached_contexts *contexts, phys_addr_t root);

#endif
