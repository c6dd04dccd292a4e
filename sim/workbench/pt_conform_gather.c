/* SPDX-License-Identifier: MIT */
/*
 * What a call has changed must be invalidated: perhaps more is gathered, never less. Of which
 * levels its leaves were counts, too: some hardware is told that, and forgets those alone.
 */
#include <dmasim/pgtable/format.h>

#include "workbench/pt_conform.h"

u32 pt_shown(const struct pt_conform *c, u32 prot)
{
	bool both = c->subject->no_write_only && prot & IOMMU_WRITE;

	return (prot & PT_RW) | (both ? IOMMU_READ : 0);
}

u8 pt_level_bit(const struct pt_conform *c, u8 lg2)
{
	const struct pt_format *format = c->subject->ops->format;
	u8 level;

	if (!format)
		return 0;
	level = (u8)((lg2 - format->granule_lg2) / format->index_lg2);
	return (u8)(1U << (level < c->pt.levels ? level : c->pt.levels - 1));
}

struct pt_change pt_change_of(const struct pt_conform *c, u64 iova, u64 bytes, const u32 *prot)
{
	struct pt_change change = { .start = ~0ULL };
	u32 at = pt_model_find(c->model, iova);

	for (u64 done = 0; at < c->model->count && done < bytes; at++) {
		const struct pgtable_leaf *leaf = &c->model->leaf[at];

		if (leaf->iova != iova + done)
			break;
		done += 1ULL << leaf->lg2;
		if (prot && pt_shown(c, *prot) == pt_shown(c, leaf->prot))
			continue;
		if (change.start > leaf->iova)
			change.start = leaf->iova;
		change.last = leaf->iova | ((1ULL << leaf->lg2) - 1);
		change.leaf_levels |= pt_level_bit(c, leaf->lg2);
	}
	return change;
}

bool pt_gathered(struct pt_conform *c, const char *what, const struct pt_change *change)
{
	const struct iommu_iotlb_gather *gather = &c->gather;

	if (change->start > change->last)
		return true;
	if (gather->start > change->start || gather->last < change->last)
		return pt_wrong(c, "%s changes 0x%llx to 0x%llx and gathers %s0x%llx to 0x%llx",
				what, change->start, change->last,
				iommu_iotlb_gather_empty(gather) ? "nothing: " : "", gather->start,
				gather->last);
	if (!gather->leaf_levels)
		return pt_wrong(c, "%s of 0x%llx gathers no leaf_levels", what, change->start);
	return !(change->leaf_levels & ~gather->leaf_levels) ||
	       pt_wrong(c, "%s of 0x%llx gathers leaf_levels 0x%x, expected 0x%x", what,
			change->start, gather->leaf_levels, change->leaf_levels);
}
