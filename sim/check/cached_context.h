/* SPDX-License-Identifier: MIT */
/*
 * Context entries that an IOMMU may still have cached: each that holds, and each that was replaced
 * while no completed invalidation has covered it since. Through one of them a device still reaches
 * the page table that it points to, or all of memory.
 *
 * An entry that lets nothing through is one only where the unit caches such: in caching mode, or as
 * its architecture has it. It is tagged with domain id 0.
 */
#ifndef CHECK_CACHED_CONTEXT_H
#define CHECK_CACHED_CONTEXT_H

#include "check/cached_unit.h"
#include "check/interval.h"
#include "hw/hw.h"

struct cached_context {
	struct interval at;	   /* first member: the requester */
	struct interval by_root;   /* the page table, of one that translates */
	struct interval by_domain; /* the tag */
	struct hw_iommu *iommu;
	struct hw_context context;
	bool told; /* reported */
	struct check_moment since;
	struct check_moment until; /* never: it is what the entry says */
};

struct cached_contexts {
	struct world *world;
	struct interval_tree by_requester;
	struct interval_tree by_root;
	struct interval_tree by_domain;
	bool *blind;
};

void cached_contexts_init(struct cached_contexts *contexts, struct world *world, bool *blind);
void cached_contexts_fini(struct cached_contexts *contexts);

/* The entry of a requester says this from now on. */
void cached_context_set(struct cached_contexts *contexts, struct hw_iommu *iommu, u16 requester,
			const struct hw_context *context, struct check_moment now);

/*
 * A completed invalidation of contexts. What the entries say now may be cached again at once. Calls
 * gone() for each that cannot be cached any more.
 */
void cached_contexts_invalidated(struct cached_contexts *contexts, const struct hw_iommu *iommu,
				 const struct cached_command *command,
				 void (*gone)(void *cookie, const struct cached_context *context),
				 void *cookie);

/* An entry through which this top table may still be reached; NULL: none. */
const struct cached_context *cached_context_use(const struct cached_contexts *contexts,
						phys_addr_t root);

/* What the entry of a requester was, may still be cached, and was not told; NULL: nothing. */
struct cached_context *cached_context_stale(const struct cached_contexts *contexts,
					    const struct hw_iommu *iommu, u16 requester);

/* Forgets all entries that lead to this top table, so that they are told once. */
void cached_context_forget(struct cached_contexts *contexts, phys_addr_t root);

static inline struct cached_context *cached_context_of_domain(struct interval *by_domain)
{
	return (struct cached_context *)((char *)by_domain -
					 offsetof(struct cached_context, by_domain));
}

#endif
