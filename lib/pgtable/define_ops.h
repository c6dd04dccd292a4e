/* SPDX-License-Identifier: MIT */
/*
 * pgtable_NAME, the table of a format: NAME is its struct pt_format, NAME_init() calls pt_init().
 * Each function here is the walker with the format's own written into it.
 */
#ifndef PGTABLE_DEFINE_OPS_H
#define PGTABLE_DEFINE_OPS_H

#include "pgtable/walker.h"

#define PT_DEFINE_OPS(format)                                                              \
	static void format##_fini(struct pgtable *pt)                                      \
	{                                                                                  \
		pt_free_tree(&format, pt, pt->root, pt->levels - 1);                       \
	}                                                                                  \
                                                                                           \
	static int format##_map(struct pgtable *pt, u64 iova, phys_addr_t phys, u64 bytes, \
				u32 prot, struct iommu_iotlb_gather *gather, u64 *mapped)  \
	{                                                                                  \
		return pt_map(&format, pt, iova, phys, bytes, prot, gather, mapped);       \
	}                                                                                  \
                                                                                           \
	static u64 format##_unmap(struct pgtable *pt, u64 iova, u64 bytes,                 \
				  struct iommu_iotlb_gather *gather)                       \
	{                                                                                  \
		return pt_unmap(&format, pt, iova, bytes, gather);                         \
	}                                                                                  \
                                                                                           \
	static phys_addr_t format##_iova_to_phys(struct pgtable *pt, u64 iova)             \
	{                                                                                  \
		return pt_iova_to_phys(&format, pt, iova);                                 \
	}                                                                                  \
                                                                                           \
	const struct pgtable_ops pgtable_##format = {                                      \
		.name = #format,                                                           \
		.init = format##_init,                                                     \
		.fini = format##_fini,                                                     \
		.map = format##_map,                                                       \
		.unmap = format##_unmap,                                                   \
		.iova_to_phys = format##_iova_to_phys,                                     \
	}

#endif
