/* SPDX-License-Identifier: MIT */
/*
 * Our page-table formats by name, and tables of any format in a machine's memory that no IOMMU
 * uses: to look at, to compare, to measure.
 *
 *   const struct pgtable_ops *ops = dmasim_pgtable_by_name("armv8_s2_16k");
 *   const struct pgtable_config config = { .host = dmasim_pgtable_host(s), .levels = 3,
 *                                          .pa_bits = 48, .coherent = true };
 *   struct iommu_iotlb_gather gather;
 *   struct pgtable pt;
 *
 *   if (!ops || ops->init(&pt, &config))
 *           return false;
 *   iommu_iotlb_gather_init(&gather);
 *   ops->map(&pt, iova, phys, bytes, IOMMU_READ | IOMMU_WRITE, &gather, &mapped);
 *   ...
 *   dmasim_pgtable_release(s, &gather);
 *   ops->fini(&pt);
 *
 * dmasim_read() reads their words, from pt.root on.
 */
#ifndef DMASIM_PAGE_TABLE_H
#define DMASIM_PAGE_TABLE_H

#include <dmasim/pgtable/pgtable.h>

DMASIM_BEGIN_DECLS

struct dmasim;

/* Our formats, from 0 on; NULL: there are no more. */
DMASIM_API const struct pgtable_ops *dmasim_pgtable_at(u32 index);

/*
 * The format of one of these names; NULL for another:
 *
 *   amdv1 vtdss x86_64 riscv riscv_g (the x4 forms of a G stage), mock (2 KiB granule),
 *   armv8_s1_4k armv8_s1_16k armv8_s1_64k armv8_s1_4k_lpa2 armv8_s1_16k_lpa2, and with s2
 */
DMASIM_API const struct pgtable_ops *dmasim_pgtable_by_name(const char *name);

/*
 * Where the machine's tables come from, for a struct pgtable_config: page frames that count as
 * DMASIM_FAULT_TABLE_PAGE. It belongs to the machine.
 */
DMASIM_API struct pgtable_host *dmasim_pgtable_host(struct dmasim *s);

/*
 * Frees the tables that wait in the gather, as after the invalidation, and makes it empty. They are
 * of dmasim_pgtable_host().
 */
DMASIM_API void dmasim_pgtable_release(struct dmasim *s, struct iommu_iotlb_gather *gather);

DMASIM_END_DECLS

#endif
