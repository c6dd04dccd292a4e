/* SPDX-License-Identifier: MIT */
/*
 * What the files that judge the software's events share.
 */
#ifndef CHECK_JUDGE_H
#define CHECK_JUDGE_H

#include <dmasim/dma.h>

#include "check/check.h"
#include "check/cpu_first.h"
#include "check/explain.h"
#include "check/share.h"

/* Places within a page, the smallest granule there is. */
#define JUDGE_GRANULE_MASK 0xfffULL

static inline u64 judge_last(u64 start, u64 size)
{
	return start + (size ? size - 1 : 0);
}

/* True for a piece whose entries went by another call than this, or have not gone yet. */
static inline bool judge_is_others(const struct check_taken *taken, const struct piece *piece)
{
	return taken->valid && piece->taken != taken->number;
}

/*
 * Reports a finding about the call that the event ends, together with what the software itself
 * found during that call.
 */
DMASIM_COLD void judge_found(struct check *check, const struct dmasim_event *event,
			     const struct finding *finding);

/* True if it is the memory that was mapped from last, as most is; false: it may be. */
static inline bool judge_is_ram(const struct check *check, phys_addr_t phys)
{
	return phys - check->ram.start < check->ram.bytes;
}

/* A verdict; and all those of a provider, which ends. */
void judge_p2p_type(struct check *check, const struct dmasim_event *event);
void judge_forget_verdicts(struct check *check, dmasim_sbdf provider);

/*
 * A mapping of peer memory: against the verdict, through the IOMMU where the hardware reaches it
 * below the root, or as if it were RAM.
 */
void judge_peer_way(struct check *check, const struct dmasim_event *event);
static inline void judge_way(struct check *check, const struct dmasim_event *event)
{
	if (DMASIM_UNLIKELY(!judge_is_ram(check, event->phys)))
		judge_peer_way(check, event);
}

/*
 * True, and reported: what was unmapped is a bus address. torn: the mapping that had this IOVA, and
 * is gone; NULL: none had. debug: what dma-debug says of it.
 */
DMASIM_COLD bool judge_bus_unmapped(struct check *check, struct owner_space *space,
				    const struct dmasim_event *event, const struct piece *torn,
				    const struct dma_debug_message *debug);

/*
 * True if the address, which no mapping covers, is a bus address that the device was not told to
 * use; *id and *what say how.
 */
bool judge_peer_used(struct check *check, const struct hw_access *access, u64 dma,
		     struct text *what, enum dmasim_report_id *id);

/* Reports that a mapping that is ready for its device may still be cached as absent. */
void judge_absent_cached(struct check *check, const struct dmasim_event *event, u64 start,
			 u64 last);
static inline void judge_no_absent(struct check *check, const struct dmasim_event *event, u64 start,
				   u64 last)
{
	/* Only units in caching mode do that. */
	if (DMASIM_UNLIKELY(check->cached.caching))
		judge_absent_cached(check, event, start, last);
}

/* Nothing of [start, last] may be cached that does harm. */
static inline void judge_no_stale(struct check *check, u32 domain, u64 start, u64 last,
				  enum stale_claim claim)
{
	const struct cached_domain *only = cached_domain_first(&check->cached, domain);

	/* Mostly one unit has the domain, and nothing of it is cached: then there is no search. */
	if (DMASIM_UNLIKELY(!only) || DMASIM_UNLIKELY(cached_domain_next(only) != NULL) ||
	    DMASIM_UNLIKELY(cached_any_at_all(only)) ||
	    DMASIM_UNLIKELY(!SLIST_EMPTY(&check->cached.devices)))
		stale_judge(check, domain, start, last, claim);
}

/* A provider of peer memory ends: no mapping of its BARs may be alive. */
void judge_p2p_release(struct check *check, const struct dmasim_event *event);

/* What Linux calls such a mapping. */
enum dma_debug_type judge_type(const struct piece *piece);

/* The kind of piece that a call of one mapping makes, or ends. */
static inline enum piece_kind judge_kind(const struct dmasim_event *event)
{
	return event->type == DMASIM_EVENT_ALLOC || event->type == DMASIM_EVENT_ALLOC_FREE
		       ? PIECE_ALLOC
		       : PIECE_PHYS;
}

/* Size and direction are for the callers. Facts "dma-api" 11, D22. */
#define JUDGE_ATTRS_OF_A_PAIR                                                     \
	(DMA_ATTR_NO_KERNEL_MAPPING | DMA_ATTR_FORCE_CONTIGUOUS | DMA_ATTR_MMIO | \
	 DMA_ATTR_REQUIRE_COHERENT | DMA_ATTR_PRIVILEGED | DMA_ATTR_CC_SHARED)

/* True if an unmap names attributes that are not those of the map, where they must be. */
static inline bool judge_other_attrs(u64 mapped, u64 unmapped)
{
	return (mapped ^ unmapped) & JUDGE_ATTRS_OF_A_PAIR;
}

/*
 * Everything in which an unmap differs from the mapping it ends; a report for each. `same`: the
 * call, the size, the direction and the attributes are known to be the same.
 */
DMASIM_COLD void judge_differences(struct check *check, const struct dmasim_event *event,
				   const struct piece *was);
static inline void judge_pair(struct check *check, const struct dmasim_event *event,
			      const struct piece *was, bool same)
{
	if (!same || was->kind != PIECE_PHYS || check->report_unchecked)
		judge_differences(check, event, was);
}

/* A mapping of one piece ends. */
void judge_unmap_phys(struct check *check, const struct dmasim_event *event);

/* A mapping is about to end: what the CPU did to its memory is told. */
static inline void judge_settle(struct check *check, const struct dmasim_event *event,
				struct piece *piece)
{
	if (piece->keeps_first && !cpu_first_is_same(check, piece))
		cpu_first_watch(check, piece);
	if (DMASIM_UNLIKELY(piece->watched))
		cpu_settle(check, event, piece);
}

/* A mapping begins: its memory is the device's. */
static inline void judge_give(struct check *check, struct piece *piece)
{
	if (check->cpu.on && !(piece->is_shared && cpu_first_can(check, piece->attrs) &&
			       cpu_first_keep(check, piece)))
		cpu_give(check, piece);
}

/* A new piece leads to memory; NULL: none. */
void judge_what_memory(struct check *check, const struct dmasim_event *event, struct piece *piece);
void judge_shared(struct check *check, const struct dmasim_event *event, struct piece *piece);
static inline void judge_memory(struct check *check, const struct dmasim_event *event,
				struct piece *piece)
{
	if (!piece || !check_can_judge(check))
		return;
	if (DMASIM_UNLIKELY(memory_kinds_any(&check->kinds) || piece->attrs & DMA_ATTR_MMIO))
		judge_what_memory(check, event, piece);
	/* The two-step API has no owner of memory: it is made for what several devices share. */
	if (piece->kind == PIECE_LINK || piece->attrs & DMA_ATTR_MMIO)
		return;
	if (DMASIM_UNLIKELY(!share_begin(&check->owners, piece)))
		judge_shared(check, event, piece);
}
void judge_map_refused(struct check *check, const struct dmasim_event *event);

/* A sync that gives memory to the CPU; else it gives it to the device. */
static inline bool judge_is_for_cpu(const struct dmasim_event *event)
{
	return event->type == DMASIM_EVENT_SYNC_FOR_CPU ||
	       event->type == DMASIM_EVENT_SYNC_SG_FOR_CPU;
}

void judge_turn_single(struct check *check, const struct dmasim_event *event);
void judge_turn_sg(struct check *check, const struct dmasim_event *event);

void judge_map_sg_entry(struct check *check, const struct dmasim_event *event);
void judge_map_sg(struct check *check, const struct dmasim_event *event);
void judge_unmap_sg_entry(struct check *check, const struct dmasim_event *event);
void judge_unmap_sg(struct check *check, const struct dmasim_event *event);
/* It is not what any list was mapped as: the call has kept its segments. */
DMASIM_COLD void judge_unmap_sg_other(struct check *check, struct owner_space *space,
				      const struct dmasim_event *event);

/*
 * The range of the state that a call names. NULL, and reported: the state owns none that the call
 * could mean. One of another device is reported, too.
 */
DMASIM_COLD struct owner_range *judge_no_range(struct check *check,
					       const struct dmasim_event *event,
					       struct owner_space *space);
static inline struct owner_range *judge_range(struct check *check, const struct dmasim_event *event,
					      struct owner_space **space)
{
	struct owner_range *range;

	*space = owners_space(&check->owners, event->dev);
	if (!*space)
		return NULL;
	range = owners_range_find(*space, event->dev, event->dma);
	return DMASIM_LIKELY(range) ? range : judge_no_range(check, event, *space);
}

/* True, and reported: not inside the range. The end of a link that went too far is none again. */
DMASIM_COLD bool judge_goes_out(struct check *check, const struct dmasim_event *event,
				struct owner_space *space, const struct owner_range *range);
static inline bool judge_outside(struct check *check, const struct dmasim_event *event,
				 struct owner_space *space, const struct owner_range *range)
{
	bool inside = event->offset <= range->size && event->size <= range->size - event->offset;

	return DMASIM_UNLIKELY(!inside) && judge_goes_out(check, event, space, range);
}

/* Afterwards links begin and end at both ends of [start, last]. */
void judge_cut(struct check *check, struct owner_space *space, u64 address);
static inline void judge_cut_around(struct check *check, struct owner_space *space, u64 start,
				    u64 last)
{
	if (DMASIM_UNLIKELY(interval_may_cross(&space->pieces, start)))
		judge_cut(check, space, start);
	if (DMASIM_UNLIKELY(interval_may_cross(&space->pieces, last + 1)))
		judge_cut(check, space, last + 1);
}

void judge_try_alloc(struct check *check, const struct dmasim_event *event);
void judge_link(struct check *check, const struct dmasim_event *event);
void judge_sync(struct check *check, const struct dmasim_event *event);
void judge_unlink(struct check *check, const struct dmasim_event *event);
void judge_free(struct check *check, const struct dmasim_event *event);
void judge_destroy(struct check *check, const struct dmasim_event *event);

#endif
