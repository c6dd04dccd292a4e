/* SPDX-License-Identifier: MIT */
#include <linux/io-pgtable.h>
#include <linux/slab.h>

#include "arm_tree.h"

struct arm_tree {
	struct io_pgtable_cfg config;
	struct io_pgtable *table;
};

bool arm_tree_is_there(void)
{
	return true;
}

/* Nothing is cached here. */
static void flush_all(void *cookie)
{
	(void)cookie;
}

static void flush_walk(unsigned long iova, size_t bytes, size_t granule, void *cookie)
{
	(void)iova, (void)bytes, (void)granule, (void)cookie;
}

static void add_page(struct iommu_iotlb_gather *gather, unsigned long iova, size_t granule,
		     void *cookie)
{
	(void)gather, (void)iova, (void)granule, (void)cookie;
}

static const struct iommu_flush_ops flush_ops = { flush_all, flush_walk, add_page };

struct arm_tree *arm_tree_new(const struct arm_tree_config *config)
{
	struct arm_tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return NULL;
	tree->config = (struct io_pgtable_cfg){
		.quirks = (config->non_secure ? IO_PGTABLE_QUIRK_ARM_NS : 0) |
			  (config->hw_dirty ? IO_PGTABLE_QUIRK_ARM_HD : 0),
		.pgsize_bitmap = config->page_sizes,
		.ias = config->ias,
		.oas = config->oas,
		.coherent_walk = true,
		.tlb = &flush_ops,
	};
	tree->table = (config->stage_2 ? io_pgtable_arm_64_lpae_s2_init_fns
				       : io_pgtable_arm_64_lpae_s1_init_fns)
			      .alloc(&tree->config, NULL);
	if (!tree->table) {
		free(tree);
		return NULL;
	}
	tree->table->fmt = config->stage_2 ? ARM_64_LPAE_S2 : ARM_64_LPAE_S1;
	tree->table->cfg = tree->config;
	return tree;
}

void arm_tree_free(struct arm_tree *tree)
{
	io_pgtable_arm_64_lpae_s1_init_fns.free(tree->table);
	free(tree);
}

unsigned long arm_tree_page_sizes(const struct arm_tree *tree)
{
	return tree->config.pgsize_bitmap;
}

const uint64_t *arm_tree_top(const struct arm_tree *tree)
{
	const struct io_pgtable_cfg *config = &tree->config;
	u64 top = tree->table->fmt == ARM_64_LPAE_S2 ? config->arm_lpae_s2_cfg.vttbr
						     : config->arm_lpae_s1_cfg.ttbr;

	return (const uint64_t *)(uintptr_t)top;
}

/* Of a second stage VTCR.SL0 says where it begins, with a code of its own for 4 KiB granules. */
unsigned int arm_tree_levels(const struct arm_tree *tree)
{
	const struct io_pgtable_cfg *config = &tree->config;
	unsigned int granule_lg2 = (unsigned int)__ffs(config->pgsize_bitmap);

	if (tree->table->fmt == ARM_64_LPAE_S2)
		return config->arm_lpae_s2_cfg.vtcr.sl + (granule_lg2 == 12 ? 2 : 1);
	return (config->ias - 4) / (granule_lg2 - 3);
}

int arm_tree_map(struct arm_tree *tree, unsigned long iova, uint64_t phys, size_t size,
		 size_t count, int prot, size_t *mapped)
{
	struct io_pgtable_ops *ops = &tree->table->ops;

	return ops->map_pages(ops, iova, phys, size, count, prot, GFP_KERNEL, mapped);
}

size_t arm_tree_unmap(struct arm_tree *tree, unsigned long iova, size_t size, size_t count)
{
	struct io_pgtable_ops *ops = &tree->table->ops;
	struct iommu_iotlb_gather gather = { false };

	return ops->unmap_pages(ops, iova, size, count, &gather);
}

uint64_t arm_tree_iova_to_phys(struct arm_tree *tree, unsigned long iova)
{
	struct io_pgtable_ops *ops = &tree->table->ops;

	return ops->iova_to_phys(ops, iova);
}
