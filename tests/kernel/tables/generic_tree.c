/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <linux/errno.h>
#include <linux/generic_pt/iommu.h>

#include "generic_tree.h"
#include "tree-iommu-pages.h"

struct generic_tree {
	enum generic_format format;
	union {
		struct pt_iommu iommu; /* the beginning of each */
		struct pt_iommu_amdv1 amdv1;
		struct pt_iommu_vtdss vtdss;
		struct pt_iommu_x86_64 x86_64;
		struct pt_iommu_riscv_64 riscv;
	};
	spinlock_t lock;
};

bool generic_tree_is_there(void)
{
	return true;
}

static void change_top(struct pt_iommu *iommu, phys_addr_t top, unsigned int level)
{
	(void)iommu, (void)top, (void)level;
}

static spinlock_t *get_top_lock(struct pt_iommu *iommu)
{
	return &container_of(iommu, struct generic_tree, iommu)->lock;
}

static const struct pt_iommu_driver_ops driver_ops = { change_top, get_top_lock };

/* ---- One format or another ------------------------------------------------------------------- */

static int init_amdv1(struct generic_tree *tree, const struct generic_tree_config *config,
		      struct pt_iommu_cfg common)
{
	struct pt_iommu_amdv1_cfg cfg = { common, config->levels - 1U };

	/* It has no form without these; nothing is encrypted (linux/mem_encrypt.h). */
	cfg.common.features |= BIT(PT_FEAT_DYNAMIC_TOP) | BIT(PT_FEAT_AMDV1_ENCRYPT_TABLES) |
			       BIT(PT_FEAT_AMDV1_FORCE_COHERENCE);
	return pt_iommu_amdv1_init(&tree->amdv1, &cfg, GFP_KERNEL);
}

static int init_vtdss(struct generic_tree *tree, const struct generic_tree_config *config,
		      struct pt_iommu_cfg common)
{
	struct pt_iommu_vtdss_cfg cfg = { common, config->levels - 1U };

	if (config->snoop)
		cfg.common.features |= BIT(PT_FEAT_VTDSS_FORCE_COHERENCE);
	if (config->force_write)
		cfg.common.features |= BIT(PT_FEAT_VTDSS_FORCE_WRITEABLE);
	return pt_iommu_vtdss_init(&tree->vtdss, &cfg, GFP_KERNEL);
}

static int init_x86_64(struct generic_tree *tree, const struct generic_tree_config *config,
		       struct pt_iommu_cfg common)
{
	struct pt_iommu_x86_64_cfg cfg = { common, config->levels - 1U };

	if (config->sign_extends)
		cfg.common.features |= BIT(PT_FEAT_SIGN_EXTEND);
	return pt_iommu_x86_64_init(&tree->x86_64, &cfg, GFP_KERNEL);
}

static int init_riscv(struct generic_tree *tree, const struct generic_tree_config *config,
		      struct pt_iommu_cfg common)
{
	struct pt_iommu_riscv_64_cfg cfg = { common };

	cfg.common.features |= BIT(PT_FEAT_SIGN_EXTEND) | BIT(PT_FEAT_DETAILED_GATHER);
	if (config->napot)
		cfg.common.features |= BIT(PT_FEAT_RISCV_SVNAPOT_64K);
	return pt_iommu_riscv_64_init(&tree->riscv, &cfg, GFP_KERNEL);
}

static const struct generic_ops {
	int (*init)(struct generic_tree *tree, const struct generic_tree_config *config,
		    struct pt_iommu_cfg common);
	phys_addr_t (*iova_to_phys)(struct iommu_domain *domain, dma_addr_t iova);
	int (*read_and_clear_dirty)(struct iommu_domain *domain, unsigned long iova, size_t size,
				    unsigned long flags, struct iommu_dirty_bitmap *dirty);
} generic_ops[] = {
	{ init_amdv1, pt_iommu_amdv1_iova_to_phys, pt_iommu_amdv1_read_and_clear_dirty },
	{ init_vtdss, pt_iommu_vtdss_iova_to_phys, pt_iommu_vtdss_read_and_clear_dirty },
	{ init_x86_64, pt_iommu_x86_64_iova_to_phys, pt_iommu_x86_64_read_and_clear_dirty },
	{ init_riscv, pt_iommu_riscv_64_iova_to_phys, pt_iommu_riscv_64_read_and_clear_dirty },
};

/* ---- All of them ----------------------------------------------------------------------------- */

struct generic_tree *generic_tree_new(const struct generic_tree_config *config)
{
	struct generic_tree *tree = calloc(1, sizeof(*tree));
	struct pt_iommu_cfg common = {
		.features = config->incoherent ? BIT(PT_FEAT_DMA_INCOHERENT) : 0,
		.hw_max_vasz_lg2 = config->va_bits,
		.hw_max_oasz_lg2 = config->pa_bits,
	};

	if (!tree)
		return NULL;
	tree->format = config->format;
	tree->iommu.driver_ops = &driver_ops;
	tree->iommu.nid = NUMA_NO_NODE;
	/* Nobody looks into it: an address that is not NULL. */
	tree->iommu.iommu_device = (struct device *)tree;
	if (generic_ops[tree->format].init(tree, config, common)) {
		free(tree);
		return NULL;
	}
	if (config->page_sizes)
		tree->iommu.domain.pgsize_bitmap &= config->page_sizes;
	return tree;
}

void generic_tree_free(struct generic_tree *tree)
{
	pt_iommu_deinit(&tree->iommu);
	free(tree);
}

uint64_t generic_tree_page_sizes(const struct generic_tree *tree)
{
	return tree->iommu.domain.pgsize_bitmap;
}

const uint64_t *generic_tree_top(const struct generic_tree *tree, uint8_t *levels)
{
	/* Each has what is common to all of them at the same place. */
	uintptr_t top = tree->amdv1.amdpt.common.top_of_table;

	*levels = (uint8_t)((top & PT_TOP_LEVEL_MASK) + 1);
	return (const uint64_t *)(top & ~(uintptr_t)PT_TOP_LEVEL_MASK);
}

int generic_tree_map(struct generic_tree *tree, uint64_t iova, uint64_t phys, size_t bytes,
		     unsigned int prot, size_t *mapped)
{
	struct pt_iommu *iommu = &tree->iommu;

	return iommu->ops->map_range(iommu, iova, phys, bytes, prot, GFP_KERNEL, mapped);
}

size_t generic_tree_unmap(struct generic_tree *tree, uint64_t iova, size_t bytes,
			  struct generic_gather *gathered)
{
	struct pt_iommu *iommu = &tree->iommu;
	struct iommu_iotlb_gather gather;
	size_t done;

	iommu_iotlb_gather_init(&gather);
	done = iommu->ops->unmap_range(iommu, iova, bytes, &gather);
	*gathered = (struct generic_gather){ gather.start, gather.end, gather.pt.leaf_levels_bitmap,
					     gather.pt.table_levels_bitmap };
	iommu_put_pages_list(&gather.freelist);
	return done;
}

uint64_t generic_tree_iova_to_phys(struct generic_tree *tree, uint64_t iova)
{
	return generic_ops[tree->format].iova_to_phys(&tree->iommu.domain, iova);
}

int generic_tree_set_dirty(struct generic_tree *tree, uint64_t iova)
{
	return tree->iommu.ops->set_dirty ? tree->iommu.ops->set_dirty(&tree->iommu, iova)
					  : -EOPNOTSUPP;
}

int generic_tree_read_and_clear_dirty(struct generic_tree *tree, uint64_t iova, size_t bytes,
				      bool clear, uint64_t *dirty)
{
	struct iova_bitmap bitmap = { 0 };
	struct iommu_iotlb_gather gather;
	struct iommu_dirty_bitmap asked = { &bitmap, &gather };
	int err;

	iommu_iotlb_gather_init(&gather);
	err = generic_ops[tree->format].read_and_clear_dirty(
		&tree->iommu.domain, iova, bytes, clear ? 0 : IOMMU_DIRTY_NO_CLEAR, &asked);
	*dirty += bitmap.told;
	return err;
}
