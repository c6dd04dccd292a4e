/* SPDX-License-Identifier: MIT */
#include "table_model.h"

#include <errno.h>
#include <stdlib.h>

/* log2 of the bytes that a table of this level maps. */
static u8 span_lg2(const struct model *model, u8 level)
{
	return (u8)(model->granule_lg2 + model->index_lg2 * (level + 1));
}

/* How many tables of a level the window has: one at least, even if it maps more than the window. */
static u64 places(const struct model *model, u8 level)
{
	u64 count = model->bytes >> span_lg2(model, level);

	return count ? count : 1;
}

static u64 place_of(const struct model *model, u64 iova, u8 level)
{
	return (iova - model->base) >> span_lg2(model, level);
}

void model_init(struct model *model)
{
	model->page = calloc(model->bytes >> model->granule_lg2, sizeof(*model->page));
	assert_non_null(model->page);
	for (u8 level = 0; level + 1 < model->levels; level++) {
		model->table[level] = calloc(places(model, level), sizeof(bool));
		assert_non_null(model->table[level]);
	}
}

void model_fini(struct model *model)
{
	free(model->page);
	for (u8 level = 0; level + 1 < model->levels; level++)
		free(model->table[level]);
}

struct model_page *model_page(const struct model *model, u64 iova)
{
	return &model->page[(iova - model->base) >> model->granule_lg2];
}

u64 model_leaf_start(const struct model *model, u64 iova)
{
	return iova & ~((1ULL << model_page(model, iova)->leaf_lg2) - 1);
}

u64 model_tables(const struct model *model)
{
	u64 count = 0;

	for (u8 level = 0; level + 1 < model->levels; level++) {
		for (u64 place = 0; place < places(model, level); place++)
			count += model->table[level][place];
	}
	return count;
}

static u8 best_size_lg2(const struct model *model, u64 iova, phys_addr_t phys, u64 bytes)
{
	u8 best = 0;

	for (u8 lg2 = 1; lg2 < 63; lg2++) {
		if (model->sizes >> lg2 & 1 && iova % (1ULL << lg2) == 0 &&
		    phys % (1ULL << lg2) == 0 && 1ULL << lg2 <= bytes)
			best = lg2;
	}
	return best;
}

static u8 level_of(const struct model *model, u8 lg2)
{
	return (u8)((lg2 - model->granule_lg2) / model->index_lg2);
}

static bool is_free(const struct model *model, u64 iova, u64 bytes)
{
	for (u64 at = 0; at < bytes; at += 1ULL << model->granule_lg2) {
		if (model_page(model, iova + at)->leaf_lg2)
			return false;
	}
	return true;
}

/* Tables below a level whose place a leaf takes; they are empty. */
static u8 drop_tables_below(struct model *model, u64 iova, u64 bytes, u8 level)
{
	u8 dropped = 0;

	for (u8 below = 0; below < level; below++) {
		for (u64 at = iova; at < iova + bytes; at += 1ULL << span_lg2(model, below)) {
			bool *table = &model->table[below][place_of(model, at, below)];

			dropped |= *table ? (u8)(2U << below) : 0;
			*table = false;
		}
	}
	return dropped;
}

/* One leaf. 0 or -EADDRINUSE. */
static int put_leaf(struct model *model, u64 iova, phys_addr_t phys, u8 lg2, u32 prot,
		    struct model_change *change)
{
	u64 size = 1ULL << lg2;
	u8 level = level_of(model, lg2);

	if (model_page(model, iova)->leaf_lg2 > lg2)
		return -EADDRINUSE;
	for (u8 above = level; above + 1 < model->levels; above++)
		model->table[above][place_of(model, iova, above)] = true;
	if (!is_free(model, iova, size))
		return -EADDRINUSE;
	change->table_levels |= drop_tables_below(model, iova, size, level);
	for (u64 at = 0; at < size; at += 1ULL << model->granule_lg2)
		*model_page(model, iova + at) = (struct model_page){ phys + at, lg2, (u8)prot };
	return 0;
}

struct model_change model_map(struct model *model, u64 iova, phys_addr_t phys, u64 bytes, u32 prot)
{
	struct model_change change = { 0 };

	while (change.done < bytes) {
		u64 at = iova + change.done;
		u8 lg2 = best_size_lg2(model, at, phys + change.done, bytes - change.done);

		change.err = put_leaf(model, at, phys + change.done, lg2, prot, &change);
		if (change.err)
			break;
		change.done += 1ULL << lg2;
	}
	return change;
}

/* Tables whose whole span was asked for, and passed by the walk. */
static u8 drop_covered_tables(struct model *model, u64 iova, u64 last, u64 end)
{
	u8 dropped = 0;

	for (u8 level = 0; level + 1 < model->levels; level++) {
		u64 span = 1ULL << span_lg2(model, level);

		for (u64 at = (iova + span - 1) & ~(span - 1);
		     at >= iova && at + (span - 1) <= last && at + span <= end; at += span) {
			bool *table = &model->table[level][place_of(model, at, level)];

			dropped |= *table ? (u8)(2U << level) : 0;
			*table = false;
		}
	}
	return dropped;
}

struct model_change model_unmap(struct model *model, u64 iova, u64 bytes)
{
	struct model_change change = { 0 };
	u64 end = iova;

	while (end < iova + bytes && end - model->base < model->bytes) {
		u8 lg2 = model_page(model, end)->leaf_lg2;

		if (!lg2 || model_leaf_start(model, end) != end)
			break;
		for (u64 at = 0; at < 1ULL << lg2; at += 1ULL << model->granule_lg2)
			model_page(model, end + at)->leaf_lg2 = 0;
		change.leaf_levels |= (u8)(1U << level_of(model, lg2));
		end += 1ULL << lg2;
	}
	change.done = end - iova;
	change.table_levels = drop_covered_tables(model, iova, iova + bytes - 1, end);
	return change;
}
