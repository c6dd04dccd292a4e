/* SPDX-License-Identifier: MIT */
/*
 * A plain model of a page table: the leaves that there are, in order of address. Written from the
 * rules of dmasim/pgtable/pgtable.h alone.
 */
#ifndef WORKBENCH_PT_MODEL_H
#define WORKBENCH_PT_MODEL_H

#include <dmasim/pgtable/pgtable.h>

#define PT_MODEL_LEAVES 8192U

struct pt_model {
	u64 sizes; /* bit n: leaves of 2^n bytes */
	u32 count;
	struct pgtable_leaf leaf[PT_MODEL_LEAVES];
};

/* The largest leaf for the beginning of a range; 0: there is none. */
u8 pt_model_best(u64 sizes, u64 iova, phys_addr_t phys, u64 bytes);

/* The first leaf that ends above an address; count: none does. */
u32 pt_model_find(const struct pt_model *model, u64 iova);
/* The leaf that serves an address; NULL: none. */
const struct pgtable_leaf *pt_model_at(const struct pt_model *model, u64 iova);

/* 0 or -EADDRINUSE; *mapped as a format counts it. It stops when `enough` bytes are mapped. */
int pt_model_map(struct pt_model *model, u64 iova, phys_addr_t phys, u64 bytes, u32 prot,
		 u64 enough, u64 *mapped);
u64 pt_model_unmap(struct pt_model *model, u64 iova, u64 bytes);
/* 0, -EINVAL, -ENOENT. */
int pt_model_protect(struct pt_model *model, u64 iova, u64 bytes, u32 prot, u64 *changed);

#endif
