/* SPDX-License-Identifier: MIT */
/*
 * Linux's own drivers/iommu/generic_pt, compiled from a kernel tree that has it (-Dkernel_source),
 * as it is: what a test or a benchmark needs of it.
 */
#ifndef KERNEL_GENERIC_TREE_H
#define KERNEL_GENERIC_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum generic_format {
	GENERIC_AMDV1,
	GENERIC_VTDSS,
	GENERIC_X86_64,
	GENERIC_RISCV,
};

struct generic_tree;

struct generic_tree_config {
	enum generic_format format;
	uint8_t levels; /* AMD: to begin with */
	uint8_t va_bits, pa_bits;
	bool sign_extends;   /* x86-64; RISC-V always is */
	bool snoop;	     /* VT-d; AMD's is always so */
	bool force_write;    /* VT-d */
	bool napot;	     /* RISC-V */
	bool incoherent;     /* VT-d, x86-64 */
	uint64_t page_sizes; /* of its sizes these alone; 0: all */
};

/* False: there is no such tree, and nothing below may be called. */
bool generic_tree_is_there(void);

/* NULL: it refuses the configuration. */
struct generic_tree *generic_tree_new(const struct generic_tree_config *config);
void generic_tree_free(struct generic_tree *tree);

/* The sizes it uses, and its top table with the number of its levels now. */
uint64_t generic_tree_page_sizes(const struct generic_tree *tree);
const uint64_t *generic_tree_top(const struct generic_tree *tree, uint8_t *levels);

/* What an unmap wants invalidated; nothing, while start > last. Levels are RISC-V's alone. */
struct generic_gather {
	uint64_t start, last;
	uint8_t leaf_levels, table_levels;
};

/* As its functions of these names; tables that are unmapped are freed before it returns. */
int generic_tree_map(struct generic_tree *tree, uint64_t iova, uint64_t phys, size_t bytes,
		     unsigned int prot, size_t *mapped);
size_t generic_tree_unmap(struct generic_tree *tree, uint64_t iova, size_t bytes,
			  struct generic_gather *gathered);
uint64_t generic_tree_iova_to_phys(struct generic_tree *tree, uint64_t iova);
int generic_tree_set_dirty(struct generic_tree *tree, uint64_t iova);

/* Adds the bytes of leaves that were written to *dirty. 0 or an errno. */
int generic_tree_read_and_clear_dirty(struct generic_tree *tree, uint64_t iova, size_t bytes,
				      bool clear, uint64_t *dirty);

#endif
