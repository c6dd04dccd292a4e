/* SPDX-License-Identifier: MIT */
/*
 * pgtable_NAME, the table of a format: NAME is its struct pt_format, NAME_init() calls pt_init().
 * Each function here is the walker with the format's own written into it.
 */
#ifndef DMASIM_PGTABLE_DEFINE_OPS_H
#define DMASIM_PGTABLE_DEFINE_OPS_H

#include <dmasim/pgtable/reshape.h>
#include <dmasim/pgtable/walker.h>

#define PT_DEFINE_OPS(layout)                                                                    \
	static void layout##_fini(struct pgtable *pt)                                            \
	{                                                                                        \
		pt_free_tree(&layout, pt, pt->root, pt->levels - 1);                             \
	}                                                                                        \
                                                                                                 \
	static int layout##_map(struct pgtable *pt, u64 iova, phys_addr_t phys, u64 bytes,       \
				u32 prot, struct iommu_iotlb_gather *gather, u64 *mapped)        \
	{                                                                                        \
		return pt_map(&layout, pt, iova, phys, bytes, prot, gather, mapped);             \
	}                                                                                        \
                                                                                                 \
	static u64 layout##_unmap(struct pgtable *pt, u64 iova, u64 bytes,                       \
				  struct iommu_iotlb_gather *gather)                             \
	{                                                                                        \
		return pt_unmap(&layout, pt, iova, bytes, gather);                               \
	}                                                                                        \
                                                                                                 \
	static phys_addr_t layout##_iova_to_phys(struct pgtable *pt, u64 iova)                   \
	{                                                                                        \
		return pt_iova_to_phys(&layout, pt, iova);                                       \
	}                                                                                        \
                                                                                                 \
	static int layout##_iterate(struct pgtable *pt, u64 iova, u64 bytes,                     \
				    pgtable_leaf_fn *leaf, void *cookie)                         \
	{                                                                                        \
		return pt_iterate(&layout, pt, iova, bytes, leaf, cookie);                       \
	}                                                                                        \
                                                                                                 \
	static int layout##_dirty_read(struct pgtable *pt, u64 iova, u64 bytes, bool clear,      \
				       pgtable_dirty_fn *tell, void *cookie,                     \
				       struct iommu_iotlb_gather *gather)                        \
	{                                                                                        \
		return pt_read_and_clear_dirty(&layout, pt, iova, bytes, clear, tell, cookie,    \
					       gather);                                          \
	}                                                                                        \
                                                                                                 \
	static int layout##_set_dirty(struct pgtable *pt, u64 iova)                              \
	{                                                                                        \
		return pt_set_dirty(&layout, pt, iova);                                          \
	}                                                                                        \
                                                                                                 \
	static int layout##_protect(struct pgtable *pt, u64 iova, u64 bytes, u32 prot,           \
				    struct iommu_iotlb_gather *gather, u64 *changed)             \
	{                                                                                        \
		return pt_protect_range(&layout, pt, iova, bytes, prot, gather, changed);        \
	}                                                                                        \
                                                                                                 \
	static int layout##_cut(struct pgtable *pt, u64 iova, struct iommu_iotlb_gather *gather) \
	{                                                                                        \
		return pt_cut(&layout, pt, iova, gather);                                        \
	}                                                                                        \
                                                                                                 \
	static int layout##_collapse(struct pgtable *pt, u64 iova, u64 bytes,                    \
				     struct iommu_iotlb_gather *gather, u64 *fewer)              \
	{                                                                                        \
		return pt_collapse_range(&layout, pt, iova, bytes, gather, fewer);               \
	}                                                                                        \
                                                                                                 \
	const struct pgtable_ops pgtable_##layout = {                                            \
		.size = sizeof(struct pgtable_ops),                                              \
		.name = #layout,                                                                 \
		.format = &layout,                                                               \
		.init = layout##_init,                                                           \
		.fini = layout##_fini,                                                           \
		.map = layout##_map,                                                             \
		.unmap = layout##_unmap,                                                         \
		.iova_to_phys = layout##_iova_to_phys,                                           \
		.iterate = layout##_iterate,                                                     \
		.read_and_clear_dirty = layout##_dirty_read,                                     \
		.set_dirty = layout##_set_dirty,                                                 \
		.protect = layout##_protect,                                                     \
		.cut = layout##_cut,                                                             \
		.collapse = layout##_collapse,                                                   \
	}

#endif
