/* SPDX-License-Identifier: MIT */
/*
 * The model's changes that leave every address where it leads: rights, cuts, larger leaves.
 */
#include "table_model.h"

#include <errno.h>

static u64 page_bytes(const struct model *model)
{
	return 1ULL << model->granule_lg2;
}

static u8 level_of(const struct model *model, u8 lg2)
{
	return (u8)((lg2 - model->granule_lg2) / model->index_lg2);
}

static u8 level_lg2(const struct model *model, u8 level)
{
	return (u8)(model->granule_lg2 + model->index_lg2 * level);
}

static bool *table_at(const struct model *model, u64 iova, u8 level)
{
	return &model->table[level][(iova - model->base) >> level_lg2(model, level + 1)];
}

u64 model_leaves(const struct model *model, u64 iova, u64 bytes)
{
	u64 count = 0, at = iova;

	while (at < iova + bytes) {
		u8 lg2 = model_page(model, at)->leaf_lg2;

		count += lg2 != 0;
		at = lg2 ? model_leaf_start(model, at) + (1ULL << lg2) : at + page_bytes(model);
	}
	return count;
}

struct model_change model_protect(struct model *model, u64 iova, u64 bytes, u32 prot)
{
	struct model_change change = { 0 };
	u64 at = iova;

	while (at < iova + bytes && !change.err) {
		u8 lg2 = at - model->base < model->bytes ? model_page(model, at)->leaf_lg2 : 0;

		if (!lg2 || model_leaf_start(model, at) != at) {
			change.err = lg2 ? -EINVAL : -ENOENT;
			break;
		}
		for (u64 end = at + (1ULL << lg2); at < end; at += page_bytes(model))
			model_page(model, at)->prot = (u8)prot;
	}
	change.done = at - iova;
	return change;
}

/* [iova, iova + bytes) is in leaves of 2^lg2 bytes from now on. */
static void resize(const struct model *model, u64 iova, u64 bytes, u8 lg2)
{
	for (u64 at = iova; at < iova + bytes; at += page_bytes(model))
		model_page(model, at)->leaf_lg2 = lg2;
}

/* The smallest size of a level; 0: it has none. */
static u8 smallest_lg2(const struct model *model, u8 level)
{
	for (u8 lg2 = level_lg2(model, level); lg2 < level_lg2(model, level + 1); lg2++) {
		if (model->sizes >> lg2 & 1)
			return lg2;
	}
	return 0;
}

/* Tables of the levels below, down to one that has leaves. */
static void cut_into_tables(const struct model *model, u64 start, u64 bytes, u8 level)
{
	u8 lg2;

	do {
		level--;
		for (u64 at = start; at < start + bytes; at += 1ULL << level_lg2(model, level + 1))
			*table_at(model, at, level) = true;
		lg2 = smallest_lg2(model, level);
	} while (!lg2);
	resize(model, start, bytes, lg2);
}

struct model_change model_cut(struct model *model, u64 iova)
{
	struct model_change change = { 0 };

	if (!model_page(model, iova)->leaf_lg2)
		change.err = -ENOENT;
	while (!change.err && model_leaf_start(model, iova) != iova) {
		u64 start = model_leaf_start(model, iova);
		u8 lg2 = model_page(model, iova)->leaf_lg2;
		u8 level = level_of(model, lg2);
		bool many = lg2 > level_lg2(model, level);

		change.leaf_levels |= (u8)(1U << level);
		if (many && model->sizes >> level_lg2(model, level) & 1) {
			resize(model, start, 1ULL << lg2, level_lg2(model, level));
			continue;
		}
		cut_into_tables(model, start, 1ULL << lg2, level);
	}
	return change;
}

/* True if the block is more than one leaf, and could be one. */
static bool is_one(const struct model *model, u64 iova, u8 lg2)
{
	const struct model_page *first = model_page(model, iova);

	if (!first->leaf_lg2 || first->leaf_lg2 >= lg2 || first->phys & ((1ULL << lg2) - 1))
		return false;
	for (u64 at = 0; at < 1ULL << lg2; at += page_bytes(model)) {
		const struct model_page *page = model_page(model, iova + at);

		if (!page->leaf_lg2 || page->leaf_lg2 >= lg2 || page->prot != first->prot ||
		    page->phys != first->phys + at)
			return false;
	}
	return true;
}

static void join(struct model *model, u64 iova, u8 lg2, struct model_change *change)
{
	u64 bytes = 1ULL << lg2;

	change->done += model_leaves(model, iova, bytes) - 1;
	resize(model, iova, bytes, lg2);
	for (u8 below = 0; below < level_of(model, lg2); below++) {
		for (u64 at = iova; at < iova + bytes; at += 1ULL << level_lg2(model, below + 1))
			*table_at(model, at, below) = false;
	}
}

struct model_change model_collapse(struct model *model, u64 iova, u64 bytes)
{
	struct model_change change = { 0 };

	for (u8 lg2 = 62; lg2 > model->granule_lg2; lg2--) {
		u64 size = 1ULL << lg2;

		if (!(model->sizes >> lg2 & 1))
			continue;
		for (u64 at = (iova + size - 1) & ~(size - 1);
		     at >= iova && at + size <= iova + bytes && at + size > at; at += size) {
			if (is_one(model, at, lg2))
				join(model, at, lg2, &change);
		}
	}
	return change;
}
