/* SPDX-License-Identifier: MIT */
#include "check/reach.h"

#include "iova/flush_queue.h"

/*
 * What may be cached and leads there, though nothing in the tables does any more; or, where the
 * unit does not snoop, in the tables as the software sees them.
 */
static const struct cached_leaf *ended_leaf(const struct cached_domain *domain, u64 dma,
					    phys_addr_t phys)
{
	const struct interval *at;

	for (at = interval_first(&domain->leaves, dma, dma); at;
	     at = interval_next(&domain->leaves, at, dma, dma)) {
		const struct cached_leaf *leaf = (const struct cached_leaf *)(const void *)at;

		if (leaf->absent || leaf->phys + (dma - at->start) != phys)
			continue;
		if (check_happened(leaf->until) || (leaf->unmapped && domain->iommu->walker.cache))
			return leaf;
	}
	return NULL;
}

/* The same of the pages of which nothing else is to be said. */
static bool is_ended_page(const struct cached_domain *domain, u64 dma, phys_addr_t phys)
{
	const struct cached_pages *pages = cached_pages_first(&domain->rows, dma, dma);

	return pages && pages->ended & cached_pages_bit(dma) &&
	       !((pages->says[cached_pages_index(dma)] ^ phys) & ~CACHED_PAGE_LAST);
}

static bool is_refused(const struct hw_target *target)
{
	return target->kind == HW_TARGET_FAULT || target->kind == HW_TARGET_BLOCKED ||
	       target->kind == HW_TARGET_UNSUPPORTED;
}

enum reach_kind reach_of(struct check *check, const struct hw_access *access, u64 dma)
{
	const struct hw_target *target = access->target;
	phys_addr_t phys = target->phys + (dma - access->address);
	const struct cached_domain *domain;
	const struct owner_space *space;
	const struct cached_leaf *leaf;

	if (is_refused(target))
		return REACH_REFUSED;
	space = owners_space(&check->owners, hw_function_sbdf(access->from));
	if (!target->iommu || target->as_it_is || !space || !space->is_domain)
		return REACH_UNGUARDED;
	domain = cached_domain_find(&check->cached, target->iommu, target->domain);
	leaf = domain ? ended_leaf(domain, dma, phys) : NULL;
	if (leaf)
		return leaf->told || leaf->unmapped ? REACH_STALE : REACH_PENDING;
	if (domain && is_ended_page(domain, dma, phys))
		return REACH_PENDING;
	return target->translated ? REACH_DEVICE_TLB : REACH_ENTRY;
}

const char *reach_word(enum reach_kind kind)
{
	static const char *const words[] = {
		[REACH_REFUSED] = "refused",	   [REACH_UNGUARDED] = "unguarded",
		[REACH_PENDING] = "lazy",	   [REACH_STALE] = "stale",
		[REACH_DEVICE_TLB] = "device-tlb", [REACH_ENTRY] = "entry",
	};

	return words[kind];
}

/* The unit's queue for all CPUs together waits longer. */
static u64 flushed_after(const struct check *check, const struct hw_access *access)
{
	const struct platform_firmware *firmware = check->firmware;

	for (u32 i = 0; firmware && i < firmware->iommu_count; i++) {
		if (firmware->iommu[i].unit == access->target->iommu->unit &&
		    firmware->iommu[i].shadow_on_flush)
			return FLUSH_QUEUE_SINGLE_TIMEOUT_NS;
	}
	return FLUSH_QUEUE_TIMEOUT_NS;
}

void reach_text(struct check *check, struct text *text, enum reach_kind kind,
		const struct owner_past *past, const struct hw_access *access)
{
	u64 now = check->world->clock.now_ns;

	if (!past)
		return;
	text_add(text, "  %-9s over since t=%llu, for %llu ns", "window", past->piece.ended.ns,
		 now - past->piece.ended.ns);
	if (kind == REACH_PENDING)
		text_add(text, "; its invalidation comes by t=%llu",
			 past->piece.ended.ns + flushed_after(check, access));
	text_add(text, "\n");
}
