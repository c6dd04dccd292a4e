/* SPDX-License-Identifier: MIT */
/*
 * No kernel tree was given: nothing of this is ever called.
 */
#include <stdlib.h>

#include "arm_tree.h"

bool arm_tree_is_there(void)
{
	return false;
}

struct arm_tree *arm_tree_new(const struct arm_tree_config *config)
{
	(void)config;
	abort();
}

void arm_tree_free(struct arm_tree *tree)
{
	(void)tree;
	abort();
}

unsigned long arm_tree_page_sizes(const struct arm_tree *tree)
{
	(void)tree;
	abort();
}

const uint64_t *arm_tree_top(const struct arm_tree *tree)
{
	(void)tree;
	abort();
}

unsigned int arm_tree_levels(const struct arm_tree *tree)
{
	(void)tree;
	abort();
}

int arm_tree_map(struct arm_tree *tree, unsigned long iova, uint64_t phys, size_t size,
		 size_t count, int prot, size_t *mapped)
{
	(void)tree, (void)iova, (void)phys, (void)size, (void)count, (void)prot, (void)mapped;
	abort();
}

size_t arm_tree_unmap(struct arm_tree *tree, unsigned long iova, size_t size, size_t count)
{
	(void)tree, (void)iova, (void)size, (void)count;
	abort();
}

uint64_t arm_tree_iova_to_phys(struct arm_tree *tree, unsigned long iova)
{
	(void)tree, (void)iova;
	abort();
}
