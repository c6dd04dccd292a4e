/* SPDX-License-Identifier: MIT */
/*
 * Linux's own drivers/iommu/iova.c, compiled from a kernel tree (-Dkernel_source), as an allocator
 * behind the table of dmasim/iova.h; and what only it tells.
 *
 * It is Linux's with all it does: a reserve that overlaps a live range makes that range larger, a
 * free of an inner page frees the whole range. Alignments that Linux has no call for are refused:
 * all but none and the natural one. With IOVA_CACHE all ranges are aligned naturally.
 *
 * It is a static library for tests, and two modules for `dmasim iova --plugin`, in the build folder
 * under tests/kernel: iova_tree.so, whose locks cost what an exchange costs that nobody contends,
 * and iova_tree_no_locks.so, whose locks cost nothing.
 */
#ifndef KERNEL_IOVA_TREE_H
#define KERNEL_IOVA_TREE_H

#include <dmasim/iova.h>

const struct iova_allocator_ops *dmasim_iova_tree(void);

/* ---- For allocators that its create() made --------------------------------------------------- */

struct dmasim_tree_state {
	u64 cached_pfn; /* lowest pfn of the node that is remembered; IOVA_NO_PFN: the anchor */
	u64 cached32_pfn;
	u64 max32;    /* what failed of the 32-bit space */
	u64 nodes;    /* in the tree, without the anchor */
	u64 warnings; /* WARN_ON() that were true */
	u64 locked;   /* how often the tree's lock was taken */
};

void dmasim_tree_state(struct iova_allocator *allocator, struct dmasim_tree_state *state);

/* The range that holds the pfn. */
bool dmasim_tree_find(struct iova_allocator *allocator, u64 pfn, struct iova_range *range);

/* reserve() that tells which node it returned. False: none. */
bool dmasim_tree_reserve(struct iova_allocator *allocator, u64 first_pfn, u64 last_pfn,
			 struct iova_range *range);

/* Full magazines in the depot of a class of sizes (log2 of pages). */
u32 dmasim_tree_depot(struct iova_allocator *allocator, u32 order);

/* Runs the delayed work of a class now. Returns what is left in the depot. */
u32 dmasim_tree_trim(struct iova_allocator *allocator, u32 order);

#endif
