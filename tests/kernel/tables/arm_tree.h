/* SPDX-License-Identifier: MIT */
/*
 * Linux's own drivers/iommu/io-pgtable-arm.c, compiled from a kernel tree (-Dkernel_source), as it
 * is: what a test or a benchmark needs of it. Its tables lie in the process: where one has the
 * physical address of another, that is a host pointer.
 */
#ifndef KERNEL_ARM_TREE_H
#define KERNEL_ARM_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arm_tree;

struct arm_tree_config {
	bool stage_2;
	unsigned long page_sizes;
	unsigned int ias, oas;
	bool non_secure;
	bool hw_dirty;
};

/* False: there is no tree, and nothing below may be called. */
bool arm_tree_is_there(void);

/* NULL: it refuses the configuration. */
struct arm_tree *arm_tree_new(const struct arm_tree_config *config);
void arm_tree_free(struct arm_tree *tree);

/* The sizes it grants, its top table, and how many levels there are: Linux chooses. */
unsigned long arm_tree_page_sizes(const struct arm_tree *tree);
const uint64_t *arm_tree_top(const struct arm_tree *tree);
unsigned int arm_tree_levels(const struct arm_tree *tree);

/* count pages of one size; *mapped as Linux has it. 0 or an errno. */
int arm_tree_map(struct arm_tree *tree, unsigned long iova, uint64_t phys, size_t size,
		 size_t count, int prot, size_t *mapped);
size_t arm_tree_unmap(struct arm_tree *tree, unsigned long iova, size_t size, size_t count);
uint64_t arm_tree_iova_to_phys(struct arm_tree *tree, unsigned long iova);

#endif
