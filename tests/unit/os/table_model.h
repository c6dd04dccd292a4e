/* SPDX-License-Identifier: MIT */
/*
 * A plain model of one page table, as far as a window of it: an array with what each page of the
 * smallest size is mapped to, and which tables exist. Written from the rules of facts
 * "iova-and-page-tables" 2.7 alone.
 */
#ifndef UNIT_OS_TABLE_MODEL_H
#define UNIT_OS_TABLE_MODEL_H

#include "support/expect.h"

#define MODEL_LEVELS_MAX 6

struct model_page {
	phys_addr_t phys;
	u8 leaf_lg2; /* size of the leaf it belongs to; 0: not mapped */
	u8 prot;
};

struct model {
	u64 base; /* the window: aligned to its size, a power of two */
	u64 bytes;
	u64 sizes; /* bit n: leaves of 2^n bytes */
	u8 granule_lg2;
	u8 index_lg2;
	u8 levels;
	struct model_page *page;
	bool *table[MODEL_LEVELS_MAX]; /* by level, then by place in the window; not the top */
};

struct model_change {
	u64 done;	 /* bytes */
	int err;	 /* of a map */
	u8 leaf_levels;	 /* bits of the leaves that went */
	u8 table_levels; /* bits of the levels that tables hung on, which went */
};

void model_init(struct model *model);
void model_fini(struct model *model);

struct model_change model_map(struct model *model, u64 iova, phys_addr_t phys, u64 bytes, u32 prot);
struct model_change model_unmap(struct model *model, u64 iova, u64 bytes);

/* As many leaves as there are, from one address up to another. */
u64 model_leaves(const struct model *model, u64 iova, u64 bytes);

struct model_change model_protect(struct model *model, u64 iova, u64 bytes, u32 prot);
/* err: 0, -ENOENT. */
struct model_change model_cut(struct model *model, u64 iova);
/* done: how many leaves there are less. */
struct model_change model_collapse(struct model *model, u64 iova, u64 bytes);

struct model_page *model_page(const struct model *model, u64 iova);

/* Where the leaf that iova lies in begins. */
u64 model_leaf_start(const struct model *model, u64 iova);

/* Tables that exist, the top not counted. */
u64 model_tables(const struct model *model);

#endif
