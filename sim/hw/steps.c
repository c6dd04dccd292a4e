/* SPDX-License-Identifier: MIT */
/*
 * The steps are looked at just before hw_translate() takes them, in its order. What is found counts
 * as used, which it does once more right after: what caches replace next stays the same.
 */
#include "hw/steps.h"

#include <dmasim/hw/vtd.h>

/* All formats so far: 512 entries of 8 bytes in a table, 4 KiB leaves. */
static u64 index_at(u64 iova, u8 level)
{
	return iova >> (VTD_SS_GRANULE_LG2 + VTD_SS_INDEX_BITS * level) &
	       ((1U << VTD_SS_INDEX_BITS) - 1);
}

static void look_at_walk(const struct hw_iommu *iommu, u64 iova, bool write, struct hw_steps *steps)
{
	steps->walked = true;
	iommu->arch->walk(&iommu->walker, &steps->start, iova, write, &steps->walk);
	for (u32 i = 0; i < steps->walk.tables; i++) {
		u64 index = index_at(iova, steps->walk.step[i].levels - 1);

		steps->at[i] = steps->walk.step[i].table + index * sizeof(steps->entry[i]);
		steps->fetched[i] = hw_walker_fetch(&iommu->walker, steps->walk.step[i].table,
						    index, &steps->entry[i]);
	}
}

/* False: the context decides, no table is asked; or its PASIDs do, of which nothing is told. */
static bool look_at_context(const struct hw_iommu *iommu, struct hw_context context, bool write,
			    struct hw_steps *steps)
{
	struct hw_refusal refusal = iommu->arch->context_refusal(iommu, &context, write);

	steps->context = context;
	steps->context_refuses = refusal.code && !refusal.by_tables;
	steps->tables_tell = refusal.by_tables;
	steps->start = (struct hw_walk_start){ context.root, context.levels, !context.no_read,
					       !context.no_write };
	steps->known = WALK_CACHE_LEVELS;
	return !steps->context_refuses && context.type != HW_CONTEXT_PASS_THROUGH &&
	       !iommu->scalable;
}

/* True: it answers. An entry without any permission says that nothing is there. */
static bool look_at_iotlb(struct hw_iommu *iommu, u64 iova, bool write, struct hw_steps *steps)
{
	const struct iotlb_entry *hit =
		iotlb_find(&iommu->iotlb, iotlb_tag(steps->context.domain), iova);

	if (!hit)
		return false;
	steps->iotlb = *hit;
	steps->iotlb_found = true;
	steps->iotlb_hit = (write ? hit->write : hit->read) || !(hit->read || hit->write);
	return steps->iotlb_hit;
}

static void look(struct hw_iommu *iommu, u16 requester, u64 iova, bool write,
		 struct hw_steps *steps)
{
	struct context_cache *contexts = &iommu->context_cache;
	const struct hw_context *cached = contexts->entry ? context_cache_find(contexts, requester)
							  : NULL;
	struct hw_context context = cached ? *cached : hw_context_get(iommu, requester);

	*steps = (struct hw_steps){ .context_hit = cached };
	if (!look_at_context(iommu, context, write, steps))
		return;
	if (!steps->tables_tell && look_at_iotlb(iommu, iova, write, steps))
		return;
	steps->beyond = !iommu->arch->reaches(context.levels, iova);
	if (steps->beyond)
		return;
	steps->known = walk_cache_find(&iommu->walk_cache, iotlb_tag(context.domain), iova, write,
				       &steps->start);
	/* What is cached of tables is the same for all devices of the domain. */
	steps->start.read &= !context.no_read;
	steps->start.write &= !context.no_write;
	look_at_walk(iommu, iova, write, steps);
}

struct hw_translation hw_translate_steps(struct hw_iommu *iommu, u16 requester, u64 iova,
					 bool write, struct hw_steps *steps)
{
	look(iommu, requester, iova, write, steps);
	return hw_translate(iommu, requester, iova, write);
}

struct hw_translation hw_translate_probe_steps(struct hw_iommu *iommu, u16 requester, u64 iova,
					       bool write, struct hw_steps *steps)
{
	*steps = (struct hw_steps){ .context_hit = false };
	if (look_at_context(iommu, hw_context_get(iommu, requester), write, steps)) {
		steps->beyond = !iommu->arch->reaches(steps->context.levels, iova);
		if (!steps->beyond)
			look_at_walk(iommu, iova, write, steps);
	}
	return hw_translate_probe(iommu, requester, iova, write);
}
