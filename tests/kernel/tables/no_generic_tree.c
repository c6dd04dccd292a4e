/* SPDX-License-Identifier: MIT */
/*
 * No kernel tree that has generic_pt was given: nothing of this is ever called.
 */
#include <stdlib.h>

#include "generic_tree.h"

bool generic_tree_is_there(void)
{
	return false;
}

struct generic_tree *generic_tree_new(const struct generic_tree_config *config)
{
	(void)config;
	abort();
}

void generic_tree_free(struct generic_tree *tree)
{
	(void)tree;
	abort();
}

uint64_t generic_tree_page_sizes(const struct generic_tree *tree)
{
	(void)tree;
	abort();
}

const uint64_t *generic_tree_top(const struct generic_tree *tree, uint8_t *levels)
{
	(void)tree, (void)levels;
	abort();
}

int generic_tree_map(struct generic_tree *tree, uint64_t iova, uint64_t phys, size_t bytes,
		     unsigned int prot, size_t *mapped)
{
	(void)tree, (void)iova, (void)phys, (void)bytes, (void)prot, (void)mapped;
	abort();
}

size_t generic_tree_unmap(struct generic_tree *tree, uint64_t iova, size_t bytes,
			  struct generic_gather *gathered)
{
	(void)tree, (void)iova, (void)bytes, (void)gathered;
	abort();
}

uint64_t generic_tree_iova_to_phys(struct generic_tree *tree, uint64_t iova)
{
	(void)tree, (void)iova;
	abort();
}

int generic_tree_set_dirty(struct generic_tree *tree, uint64_t iova)
{
	(void)tree, (void)iova;
	abort();
}

int generic_tree_read_and_clear_dirty(struct generic_tree *tree, uint64_t iova, size_t bytes,
				      bool clear, uint64_t *dirty)
{
	(void)tree, (void)iova, (void)bytes, (void)clear, (void)dirty;
	abort();
}
