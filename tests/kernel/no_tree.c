// SPDX-License-Identifier: MIT
/* What stands for iova_tree.c where there is no kernel tree. */
#include "iova_tree.h"

#include <dmasim/contract.h>

const struct iova_allocator_ops *dmasim_iova_tree(void)
{
	return NULL;
}

#define NEVER DMASIM_CONTRACT(false, "without a tree there is no allocator of it")

void dmasim_tree_state(struct iova_allocator *allocator, struct dmasim_tree_state *state)
{
	(void)allocator, (void)state;
	NEVER;
}

bool dmasim_tree_find(struct iova_allocator *allocator, u64 pfn, struct iova_range *range)
{
	(void)allocator, (void)pfn, (void)range;
	NEVER;
	return false;
}

bool dmasim_tree_reserve(struct iova_allocator *allocator, u64 first_pfn, u64 last_pfn,
			 struct iova_range *range)
{
	(void)allocator, (void)first_pfn, (void)last_pfn, (void)range;
	NEVER;
	return false;
}

u32 dmasim_tree_depot(struct iova_allocator *allocator, u32 order)
{
	(void)allocator, (void)order;
	NEVER;
	return 0;
}

u32 dmasim_tree_trim(struct iova_allocator *allocator, u32 order)
{
	(void)allocator, (void)order;
	NEVER;
	return 0;
}
