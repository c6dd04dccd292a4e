/* SPDX-License-Identifier: MIT */
/*
 * The software's events: the account of mappings is kept, and each call is held against it.
 */
#include <dmasim/dma.h>

#include "check/judge.h"

void judge_found(struct check *check, const struct dmasim_event *event,
		 const struct finding *finding)
{
	struct finding full = *finding;

	if (!check_can_judge(check))
		return;
	full.dev = event->dev;
	full.dma = event->dma + event->offset;
	full.size = event->size;
	full.site = event->site;
	/* The software's own finding about this call is part of this one. */
	if (check->call->held.valid && check->call->held.report.dev == event->dev) {
		full.linux_says = check->call->held.report.what;
		check->call->held.valid = false;
	}
	check_report(check, &full);
}

/* ---- IOVA space ------------------------------------------------------- */

static void tell_window(struct check *check, const struct dmasim_event *event, u64 start, u64 last)
{
	char what[128];
	struct text text;

	text_init(&text, what, sizeof(what));
	text_add(&text, "0x%llx-0x%llx is the host bridge's: a switch below it claims such an ",
		 start, last);
	text_add(&text, "address before the IOMMU sees it");
	judge_found(check, event,
		    &(struct finding){ .id = DMASIM_REPORT_IOVA_IN_WINDOW, .what = what });
}

/* Makes `free` end at a window that is beside it. True: the window is in it. */
static bool is_in(const struct hw_window *window, u64 at, u64 last, struct check_free *free)
{
	u64 start = window->start + window->bus_offset;
	u64 end = judge_last(start, window->bytes);

	if (end < at)
		free->start = end >= free->start ? end + 1 : free->start;
	else if (start > last)
		free->last = start <= free->last ? start - 1 : free->last;
	else
		return true;
	return false;
}

static void judge_iova_window(struct check *check, const struct dmasim_event *event)
{
	const struct hw_root *root = hw_root_find(check->hw, event->dev);
	u64 last = judge_last(event->dma, event->size);
	struct check_free free = { true, event->dev, 0, ~0ULL };

	for (u32 i = 0; root && i < root->window_count; i++) {
		const struct hw_window *window = &root->window[i];
		u64 start = window->start + window->bus_offset;

		if (!is_in(window, event->dma, last, &free))
			continue;
		if (!event->ret && check_can_judge(check) &&
		    hw_function_find(check->hw, event->dev))
			tell_window(check, event, start, judge_last(start, window->bytes));
		return;
	}
	check->free = free;
}

void judge_absent_cached(struct check *check, const struct dmasim_event *event, u64 start, u64 last)
{
	struct owner_space *space = owners_space(&check->owners, event->dev);
	struct cached_domain *domain;
	bool any = false;

	if (!space || !space->is_domain || !check_can_judge(check))
		return;
	for (domain = cached_domain_first(&check->cached, space->id); domain;
	     domain = cached_domain_next(domain)) {
		if (cached_has_absents(domain))
			any |= cached_absent_take(&check->cached, domain, start, last);
	}
	if (!any)
		return;
	check_report(check, &(struct finding){
				    .id = DMASIM_REPORT_ABSENT_CACHED,
				    .dev = event->dev,
				    .dma = start,
				    .size = last - start + 1,
				    .site = event->site,
				    .what = "caching mode: no completed invalidation covered it "
					    "since it was mapped",
			    });
}

/* True if it is known that the host bridge has no window there. */
static bool is_free(const struct check *check, const struct dmasim_event *event, u64 last)
{
	const struct check_free *free = &check->free;

	return DMASIM_LIKELY(free->known) && DMASIM_LIKELY(free->dev == event->dev) &&
	       DMASIM_LIKELY(event->dma >= free->start) && DMASIM_LIKELY(last <= free->last);
}

DMASIM_HOT static void judge_iova(struct check *check, const struct dmasim_event *event)
{
	u64 last = judge_last(event->dma, event->size);

	if (DMASIM_UNLIKELY(!is_free(check, event, last)))
		judge_iova_window(check, event);
	if (DMASIM_LIKELY(!event->ret))
		judge_no_stale(check, event->domain, event->dma, last, STALE_REUSED);
}

DMASIM_HOT static void judge_iova_freed(struct check *check, const struct dmasim_event *event)
{
	judge_no_stale(check, event->domain, event->dma, judge_last(event->dma, event->size),
		       STALE_FREED);
}

/* ---- One call per mapping --------------------------------------------- */

DMASIM_HOT static void on_map_phys(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space;
	struct piece *piece;

	if (event->dma == DMA_MAPPING_ERROR)
		return;
	space = owners_space(&check->owners, event->dev);
	if (!space)
		return;
	piece = owners_add(&check->owners, space,
			   &(struct piece_desc){
				   .kind = judge_kind(event),
				   .dev = event->dev,
				   .dma = event->dma,
				   .size = event->size,
				   .phys = event->phys,
				   .dir = event->dir,
				   .attrs = event->attrs,
				   .synced = true,
				   .alloc = event->alloc,
				   .site = event->site,
			   });
	if (event->size)
		judge_no_absent(check, event, event->dma, judge_last(event->dma, event->size));
	else
		owners_add_empty(&check->owners, event->dev);
	judge_way(check, event);
	if (event->type == DMASIM_EVENT_MAP_PHYS)
		judge_memory(check, event, piece);
	if (piece)
		judge_give(check, piece);
}

/* Asked about an address, for all that is mapped there. */
static void on_mapping_error(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space =
		check->report_unchecked ? owners_space(&check->owners, event->dev) : NULL;
	struct piece *piece = space ? owners_first(space, event->dma, event->dma) : NULL;

	for (; piece; piece = owners_next(space, piece, event->dma, event->dma))
		piece->asked |= piece->dev == event->dev;
}

/* ---- All events ------------------------------------------------------- */

/*
 * While CPUs run at once an address may be mapped again before the event of its unmap comes, which
 * is then about the pieces that were there when their entries went.
 */
static void mark_taken(struct check *check, u32 domain, struct check_taken *taken)
{
	struct owner_space *space = owners_domain(&check->owners, domain);
	struct piece *piece = space ? owners_first(space, taken->start, taken->last) : NULL;

	taken->number = ++check->takings;
	for (; piece; piece = owners_next(space, piece, taken->start, taken->last)) {
		if (!piece->taken)
			piece->taken = taken->number;
	}
}

/* Entries of [start, last] were written by whatever means. */
static void changed(struct check *check, u32 id, u64 start, u64 last)
{
	struct cached_domain *domain = cached_domain_first(&check->cached, id);

	for (; domain && check_can_judge(check); domain = cached_domain_next(domain))
		cached_changed(&check->cached, domain, start, last);
}

static void unmapped_in(struct check *check, struct cached_domain *domain, u64 start, u64 last,
			u64 taken)
{
	cached_changed(&check->cached, domain, start, last);
	if (taken)
		cached_unmapped(&check->cached, domain, start, judge_last(start, taken));
}

/* The entries of `taken` bytes of [start, last] were cleared; mostly in one domain of that id. */
static inline void unmapped(struct check *check, u32 id, u64 start, u64 last, u64 taken)
{
	struct cached_domain *domain = cached_domain_first(&check->cached, id);

	if (DMASIM_UNLIKELY(!domain) || !check_can_judge(check))
		return;
	if (DMASIM_UNLIKELY(!cached_way_end_page(&check->cached, domain, start, last)))
		unmapped_in(check, domain, start, last, taken);
	while (DMASIM_UNLIKELY((domain = cached_domain_next(domain)) != NULL) &&
	       check_can_judge(check))
		unmapped_in(check, domain, start, last, taken);
}

DMASIM_HOT static void on_iommu_unmap(struct check *check, const struct dmasim_event *event)
{
	struct check_taken *taken = &check->call->taken;
	u64 bytes = event->done > event->size ? event->done : event->size;

	/* A part of a table that went may lie behind what went of its leaves. */
	if (DMASIM_LIKELY(bytes) && DMASIM_LIKELY(event->dma + (bytes - 1) >= event->dma))
		unmapped(check, event->domain, event->dma, event->dma + (bytes - 1), event->done);
	if (DMASIM_UNLIKELY(!event->done))
		return;
	*taken = (struct check_taken){
		.valid = true,
		.start = event->dma,
		.last = judge_last(event->dma, event->done),
	};
	if (DMASIM_UNLIKELY(world_cpus_run(check->world)))
		mark_taken(check, event->domain, taken);
}

DMASIM_HOT static void on_iommu_map(struct check *check, const struct dmasim_event *event)
{
	u64 start = event->dma, last = event->dma + (event->done - 1);
	struct cached *cached = &check->cached;
	struct cached_domain *domain = cached_domain_first(cached, event->domain);

	if (DMASIM_UNLIKELY(!event->size))
		check->call->mapped_nothing = true;
	if (DMASIM_UNLIKELY(!domain) || DMASIM_UNLIKELY(!event->done) || !check_can_judge(check))
		return;
	if (DMASIM_LIKELY(cached_way_add_page(cached, domain, start, last)))
		cached_row_begin(cached, domain, last + 1);
	else
		cached_mapped(cached, domain, start, last);
	while (DMASIM_UNLIKELY((domain = cached_domain_next(domain)) != NULL) &&
	       check_can_judge(check))
		cached_mapped(cached, domain, start, last);
}

/* Of a whole address space the size does not fit into its field: it is 0. */
static u64 last_of_range(const struct dmasim_event *event)
{
	return event->dma + (event->size - 1);
}

static void on_iommu_changed(struct check *check, const struct dmasim_event *event)
{
	changed(check, event->domain, event->dma, last_of_range(event));
}

DMASIM_HOT static void on_iommu_synced(struct check *check, const struct dmasim_event *event)
{
	if (DMASIM_LIKELY(!event->ret))
		judge_no_stale(check, event->domain, event->dma, last_of_range(event),
			       STALE_SYNCED);
}

static void on_attach(struct check *check, const struct dmasim_event *event)
{
	/* Number 0: the IOMMU lets the device's addresses pass. */
	if (event->domain)
		owners_attach(&check->owners, event->dev, event->domain);
	stale_judge_context(check, event);
}

/* The driver was told that it need not unmap: what it has mapped is no leak. */
static void on_need_unmap(struct check *check, const struct dmasim_event *event)
{
	if (event->ret)
		return;
	owners_excuse(&check->owners, event->dev);
	cpu_excuse(check, event);
}

static void on_bounce(struct check *check, const struct dmasim_event *event)
{
	bounces_add(&check->bounces, event);
}

static void on_bounce_end(struct check *check, const struct dmasim_event *event)
{
	bounces_end(&check->bounces, event);
}

static void on_p2p_alloc(struct check *check, const struct dmasim_event *event)
{
	givens_add(&check->givens, event);
}

static void on_p2p_free(struct check *check, const struct dmasim_event *event)
{
	givens_end(&check->givens, event);
}

static void judge_last_event(struct check *check, const struct dmasim_event *event);

/* Who judges what; NULL: nothing to judge. */
check_judge *const check_judges[DMASIM_EVENT_COUNT] = {
	[DMASIM_EVENT_ATTACH] = on_attach,
	[DMASIM_EVENT_IOVA_ALLOC] = judge_iova,
	[DMASIM_EVENT_IOVA_FREE] = judge_iova_freed,
	[DMASIM_EVENT_IOMMU_MAP] = on_iommu_map,
	[DMASIM_EVENT_IOMMU_UNMAP] = on_iommu_unmap,
	[DMASIM_EVENT_IOMMU_CHANGED] = on_iommu_changed,
	[DMASIM_EVENT_IOMMU_SYNCED] = on_iommu_synced,
	[DMASIM_EVENT_P2P_TYPE] = judge_p2p_type,
	[DMASIM_EVENT_P2P_RELEASE] = judge_last_event,
	[DMASIM_EVENT_P2P_ALLOC] = on_p2p_alloc,
	[DMASIM_EVENT_P2P_FREE] = on_p2p_free,
	[DMASIM_EVENT_MAP_PHYS] = judge_last_event,
	[DMASIM_EVENT_MAP_REFUSED] = judge_map_refused,
	[DMASIM_EVENT_MAPPING_ERROR] = on_mapping_error,
	[DMASIM_EVENT_UNMAP_PHYS] = judge_last_event,
	[DMASIM_EVENT_SYNC_FOR_CPU] = judge_turn_single,
	[DMASIM_EVENT_SYNC_FOR_DEVICE] = judge_turn_single,
	[DMASIM_EVENT_SYNC_SG_FOR_CPU] = judge_turn_sg,
	[DMASIM_EVENT_SYNC_SG_FOR_DEVICE] = judge_turn_sg,
	[DMASIM_EVENT_UNBOUND] = check_unbound,
	[DMASIM_EVENT_NEED_UNMAP] = on_need_unmap,
	[DMASIM_EVENT_BOUNCE] = on_bounce,
	[DMASIM_EVENT_BOUNCE_END] = on_bounce_end,
	[DMASIM_EVENT_ALLOC] = judge_last_event,
	[DMASIM_EVENT_ALLOC_FREE] = judge_last_event,
	[DMASIM_EVENT_MAP_SG_ENTRY] = judge_map_sg_entry,
	[DMASIM_EVENT_MAP_SG] = judge_last_event,
	[DMASIM_EVENT_UNMAP_SG_ENTRY] = judge_unmap_sg_entry,
	[DMASIM_EVENT_UNMAP_SG] = judge_last_event,
	[DMASIM_EVENT_TRY_ALLOC] = judge_last_event,
	[DMASIM_EVENT_LINK] = judge_last_event,
	[DMASIM_EVENT_SYNC] = judge_last_event,
	[DMASIM_EVENT_UNLINK] = judge_last_event,
	[DMASIM_EVENT_FREE] = judge_last_event,
	[DMASIM_EVENT_DESTROY] = judge_last_event,
};

/* And of the events that end a public call: what was found during the call is told by then. */
static check_judge *const judges_of_calls[DMASIM_EVENT_COUNT] = {
	[DMASIM_EVENT_P2P_RELEASE] = judge_p2p_release,
	[DMASIM_EVENT_MAP_PHYS] = on_map_phys,
	[DMASIM_EVENT_UNMAP_PHYS] = judge_unmap_phys,
	[DMASIM_EVENT_ALLOC] = on_map_phys,
	[DMASIM_EVENT_ALLOC_FREE] = judge_unmap_phys,
	[DMASIM_EVENT_MAP_SG] = judge_map_sg,
	[DMASIM_EVENT_UNMAP_SG] = judge_unmap_sg,
	[DMASIM_EVENT_TRY_ALLOC] = judge_try_alloc,
	[DMASIM_EVENT_LINK] = judge_link,
	[DMASIM_EVENT_SYNC] = judge_sync,
	[DMASIM_EVENT_UNLINK] = judge_unlink,
	[DMASIM_EVENT_FREE] = judge_free,
	[DMASIM_EVENT_DESTROY] = judge_destroy,
};

DMASIM_HOT static void judge_last_event(struct check *check, const struct dmasim_event *event)
{
	struct check_call *call = check->call;

	judges_of_calls[event->type](check, event);
	if (DMASIM_UNLIKELY(!STAILQ_EMPTY(&call->stale)))
		stale_tell(check, &call->stale, event);
	call->began = check->cached.clock.order;
	call->taken.valid = false;
	call->mapped_nothing = false;
	if (DMASIM_UNLIKELY(call->held.valid || check->blind))
		check_settle_call(check);
}

/* It ends a row; of which nothing was asked so far. */
static DMASIM_NOINLINE void judge_behind_row(struct check *check, const struct dmasim_event *event)
{
	check_catch_up(check);
	if (check_judges[event->type])
		check_judges[event->type](check, event);
}

DMASIM_HOT void check_in_row(struct check *check, const struct dmasim_event *event)
{
	bool is_page = event->type == DMASIM_EVENT_IOMMU_MAP && event->done == CACHED_PAGE_LAST + 1;

	if (!is_page || !cached_row_goes_on(&check->cached, event->domain, event->dma))
		judge_behind_row(check, event);
}

u32 check_state(struct check *check, const struct dmasim_event *event)
{
	struct owner_range *range;
	struct owner_space *space;

	if (event->type < DMASIM_EVENT_TRY_ALLOC || event->type > DMASIM_EVENT_DESTROY)
		return 0;
	space = owners_space(&check->owners, event->dev);
	range = space ? owners_range_find(space, event->dev, event->dma) : NULL;
	return range ? range->state : 0;
}
