/* SPDX-License-Identifier: MIT */
#include "check/check.h"

#include "check/explain.h"
#include "check/judge.h"

static void watch_ends(void *cookie, struct piece *piece)
{
	cpu_end(cookie, piece);
}

void check_init(struct check *check, struct world *world, struct hw *hw, bool judging,
		const struct dma_debug_config *debug)
{
	*check = (struct check){ .world = world, .hw = hw, .judging = judging };
	for (u32 i = 0; i < CHECK_CPUS; i++)
		STAILQ_INIT(&check->calls[i].stale);
	check_on_cpu(check, 0);
	SLIST_INIT(&check->verdicts);
	owners_init(&check->owners, world, &check->blind);
	check->owners.watch_ends = watch_ends;
	check->owners.cookie = check;
	check->owners.frames_allocated = &hw->frames.allocations;
	cached_init(&check->cached, world, &check->blind);
	bounces_init(&check->bounces, world, &check->blind);
	givens_init(&check->givens, world, &check->blind);
	memory_kinds_init(&check->kinds, world, &check->blind);
	dma_debug_init(&check->debug, world, debug);
}

void check_fini(struct check *check)
{
	while (!SLIST_EMPTY(&check->verdicts)) {
		struct check_verdict *verdict = SLIST_FIRST(&check->verdicts);

		SLIST_REMOVE_HEAD(&check->verdicts, link);
		memory_free(&check->world->memory, verdict);
	}
	for (u32 i = 0; i < CHECK_CPUS; i++) {
		stale_fini(check, &check->calls[i].stale);
		check_segments_fini(&check->calls[i].segments, &check->world->memory);
	}
	cpu_fini(check);
	owners_fini(&check->owners);
	cached_fini(&check->cached);
	bounces_fini(&check->bounces);
	givens_fini(&check->givens);
	memory_kinds_fini(&check->kinds);
	dma_debug_fini(&check->debug);
}

void check_firmware(struct check *check, const struct platform_firmware *firmware)
{
	check->firmware = firmware;
	check->free.known = false;
}

static void tell_held(struct check *check, struct check_call *call)
{
	const struct platform_report *report = &call->held.report;

	if (!call->held.valid)
		return;
	call->held.valid = false;
	check_report(check, &(struct finding){
				    .id = report->id,
				    .dev = report->dev,
				    .dma = report->dma,
				    .size = report->size,
				    .site = report->site,
				    .what = report->what,
			    });
}

static void tell_blind(struct check *check)
{
	if (check->blind && !check->told_blind) {
		check->told_blind = true;
		check_let_go(check);
		if (check->judging)
			check_report(check, &(struct finding){ .id = DMASIM_REPORT_CHECKER_BLIND,
							       .dev = DMASIM_NO_SBDF });
	}
}

void check_settle_call(struct check *check)
{
	tell_held(check, check->call);
	tell_blind(check);
}

/* Where somebody looks at the reports, what was held back for a call's end is told as it is. */
static void trace_settled(struct check *check)
{
	const struct check_call *call = check->calls;

	while (!call->held.valid && STAILQ_EMPTY(&call->stale)) {
		if (++call == check->calls + CHECK_CPUS)
			return;
	}
	if (trace_begin(&check->world->trace, "settled"))
		trace_end(&check->world->trace);
}

void check_settle(struct check *check)
{
	check_catch_up(check);
	if (DMASIM_UNLIKELY(check->world->trace.on))
		trace_settled(check);
	for (u32 i = 0; i < CHECK_CPUS; i++) {
		stale_tell(check, &check->calls[i].stale, NULL);
		tell_held(check, &check->calls[i]);
	}
	tell_blind(check);
}

/*
 * Linux warns twice of an unlink that finds too little: where it looks for copies, and later. And
 * what a call does to a kernel after something else was found in it comes of that.
 */
static bool says_the_same(const struct check_held *held, const struct platform_report *report)
{
	if (!held->valid || held->report.dev != report->dev)
		return false;
	if (report->id == DMASIM_REPORT_KERNEL_MISUSE)
		return held->report.id != report->id;
	return report->id == DMASIM_REPORT_UNMAP_SHORT && held->report.id == report->id;
}

static void trace_warning(struct trace *trace, const struct platform_report *report)
{
	if (!trace_begin(trace, "warn"))
		return;
	trace_word(trace, "id", dmasim_report_name(report->id));
	if (report->dev != DMASIM_NO_SBDF)
		trace_bdf(trace, "dev", report->dev);
	trace_hex(trace, "dma", report->dma);
	trace_dec(trace, "size", report->size);
	trace_text(trace, "what", report->what ? report->what : "");
	trace_end(trace);
}

/* One mistake is told once: the event that follows may say the same more precisely. */
void check_software_report(struct check *check, const struct platform_report *report)
{
	trace_warning(&check->world->trace, report);
	if (says_the_same(&check->call->held, report))
		return;
	check_settle_call(check);
	check->call->held.valid = true;
	check->call->held.report = *report;
}

void check_context(struct check *check, struct hw_iommu *iommu, u16 requester,
		   const struct hw_context *context)
{
	check_catch_up(check);
	if (check->judging)
		cached_context_written(&check->cached, iommu, requester, context);
}

void check_table_freed(struct check *check, phys_addr_t table)
{
	check_catch_up(check);
	stale_judge_table(check, table);
}

void check_frames_allocated(struct check *check, phys_addr_t phys, u64 bytes)
{
	check_catch_up(check);
	stale_judge_frames(check, phys, bytes);
}

void check_filled(void *cookie, struct hw_iommu *iommu, u16 domain, const struct hw_leaf *page)
{
	struct check *check = cookie;

	check_catch_up(check);
	if (check_can_judge(check))
		cached_filled(&check->cached, iommu, domain, page);
}

/*
 * What a command takes of what is kept; NULL: nothing. In scalable mode what is kept of a requester
 * is the entry of its requests without PASID: the commands for these are to it what those for
 * contexts are otherwise, in `changed`. What tables gave is that of these requests, too.
 */
static const struct hw_invalidation *kept_by(const struct check *check,
					     const struct hw_iommu *iommu,
					     const struct hw_invalidation *what,
					     struct hw_invalidation *changed)
{
	if (DMASIM_UNLIKELY(!check->judging))
		return NULL;
	if (DMASIM_UNLIKELY(iommu->scalable)) {
		if (what->what == HW_INVALIDATED_CONTEXT || what->pasid != HW_RID_PASID)
			return NULL;
		if (what->what == HW_INVALIDATED_PASID) {
			*changed = *what;
			changed->what = HW_INVALIDATED_CONTEXT;
			return changed;
		}
	}
	if (DMASIM_LIKELY(what->what == HW_INVALIDATED_IOTLB))
		return what;
	switch (what->what) {
	case HW_INVALIDATED_CONTEXT:
		return what;
	case HW_INVALIDATED_DEVICE_TLB:
		return what->has_pasid ? NULL : what;
	default:
		return NULL;
	}
}

DMASIM_HOT void check_submitted(void *cookie, struct hw_iommu *iommu,
				const struct hw_invalidation *what)
{
	struct check *check = cookie;
	struct hw_invalidation changed;

	check_catch_up(check);
	what = kept_by(check, iommu, what, &changed);
	if (DMASIM_LIKELY(what != NULL))
		cached_submitted(&check->cached, iommu, what);
}

DMASIM_HOT void check_invalidated(void *cookie, struct hw_iommu *iommu,
				  const struct hw_invalidation *what)
{
	struct check *check = cookie;
	struct hw_invalidation changed;

	check_catch_up(check);
	what = kept_by(check, iommu, what, &changed);
	if (DMASIM_LIKELY(what != NULL))
		cached_executed(&check->cached, iommu, what);
}

DMASIM_HOT void check_waited(void *cookie, struct hw_iommu *iommu, u64 number)
{
	struct check *check = cookie;

	check_catch_up(check);
	if (DMASIM_LIKELY(check->judging))
		cached_waited(&check->cached, iommu, number);
}

void check_ats_off(void *cookie, struct hw_iommu *iommu, u16 requester)
{
	struct check *check = cookie;

	check_catch_up(check);
	if (check->judging)
		cached_device_off(&check->cached, iommu, requester);
}

void check_timed_out(void *cookie, struct hw_iommu *iommu, const struct hw_invalidation *what)
{
	struct check *check = cookie;
	char text_of_it[96];
	struct text text;

	check_catch_up(check);
	text_init(&text, text_of_it, sizeof(text_of_it));
	text_add(&text, "unit %u has waited for a minute, and its queue has stopped", iommu->unit);
	check_report(check, &(struct finding){
				    .id = DMASIM_REPORT_DEVICE_TLB_TIMEOUT,
				    .dev = (u32)hw_iommu_segment(iommu) << 16 | what->requester,
				    .dma = what->start,
				    .size = what->last - what->start + 1, /* 0: all there is */
				    .what = text_of_it,
			    });
}

void check_queue_error(void *cookie, struct hw_iommu *iommu, const u64 command[2])
{
	struct check *check = cookie;
	char what[96];
	struct text text;

	text_init(&text, what, sizeof(what));
	text_add(&text, "unit %u, descriptor 0x%016llx 0x%016llx", iommu->unit, command[0],
		 command[1]);
	check_report(check, &(struct finding){ .id = DMASIM_REPORT_QUEUE_ERROR,
					       .dev = DMASIM_NO_SBDF,
					       .what = what });
}

/* Whose leaks are told, and how many mappings those are. */
struct leak_query {
	dmasim_sbdf dev; /* DMASIM_NO_SBDF: all */
	const char *what;
	u64 count;
};

static bool is_asked_for(const struct leak_query *query, dmasim_sbdf dev)
{
	return query->dev == DMASIM_NO_SBDF || query->dev == dev;
}

static void tell_leak(struct check *check, const struct piece *piece,
		      const struct leak_query *query)
{
	u64 size = piece->at.last - piece->at.start + 1;

	check_report(check, &(struct finding){
				    .id = DMASIM_REPORT_MAPPING_LEAKED,
				    .dev = piece->dev,
				    .dma = piece->at.start,
				    .size = size,
				    .what = query->what,
				    .piece = piece,
				    .debug[0] = { .check = query->count ? DMA_DEBUG_PENDING
									: DMA_DEBUG_NONE,
						  .number = { query->count, piece->at.start, size },
						  .word = { dma_debug_direction(piece->dir),
							    dma_debug_type(judge_type(piece)) } },
			    });
}

/* The links of a range are told with it. */
static u64 take_links(struct owner_space *space, const struct owner_range *range,
		      const struct piece **first)
{
	struct piece *piece = owners_first(space, range->at.start, range->at.last);
	u64 count = 0;

	for (; piece; piece = owners_next(space, piece, range->at.start, range->at.last)) {
		if (piece->kind != PIECE_LINK || piece->state != range->state || piece->told)
			continue;
		piece->told = true;
		*first = count++ ? *first : piece;
	}
	return count;
}

static void add_links(struct text *text, u64 count, const char *what)
{
	if (what)
		text_add(text, "%s%s", what, count ? "; " : "");
	if (count)
		text_add(text, "%llu link%s of it, of which this is the first", count,
			 count == 1 ? "" : "s");
}

/* Nobody can end it who has only the struct: something else is in there. */
static void tell_range_leak(struct check *check, struct owner_space *space,
			    const struct owner_range *range, const struct leak_query *query)
{
	const struct owner_range *over = owners_range_over(space, range);
	const struct piece *first = NULL;
	u64 links = take_links(space, range, &first);
	char what[160];
	struct text text;

	text_init(&text, what, sizeof(what));
	add_links(&text, links,
		  over ? "the call below allocated into the same struct dma_iova_state"
		       : query->what);
	check_report(check, &(struct finding){
				    .id = DMASIM_REPORT_MAPPING_LEAKED,
				    .dev = range->dev,
				    .dma = range->at.start,
				    .size = range->size,
				    .what = *what ? what : NULL,
				    .range = range,
				    .piece = first,
				    .site = over ? over->site : NULL,
			    });
}

static void tell_ranges(struct check *check, struct owner_space *space,
			const struct leak_query *query)
{
	struct interval *at;

	for (at = interval_first(&space->ranges, 0, ~0ULL); at;
	     at = interval_next(&space->ranges, at, 0, ~0ULL)) {
		struct owner_range *range = (struct owner_range *)at;

		if (!is_asked_for(query, range->dev))
			continue;
		if (!range->told)
			tell_range_leak(check, space, range, query);
		range->told = true;
	}
}

static void tell_pieces(struct check *check, struct owner_space *space,
			const struct leak_query *query)
{
	struct piece *piece;

	for (piece = owners_first(space, 0, ~0ULL); piece;
	     piece = owners_next(space, piece, 0, ~0ULL)) {
		if (!is_asked_for(query, piece->dev))
			continue;
		if (!piece->told && !owners_is_excused(&check->owners, piece))
			tell_leak(check, piece, query);
		piece->told = true;
	}
}

u64 check_alive(struct check *check)
{
	struct owner_space *space;
	struct interval *at;
	u64 count = 0;

	SLIST_FOREACH(space, &check->owners.spaces, link) {
		count += space->linked;
		owners_spread_lists(space, 0, ~0ULL);
		for (at = interval_first(&space->pieces, 0, ~0ULL); at;
		     at = interval_next(&space->pieces, at, 0, ~0ULL))
			count++;
		for (at = interval_first(&space->ranges, 0, ~0ULL); at;
		     at = interval_next(&space->ranges, at, 0, ~0ULL))
			count += !owners_first(space, at->start, at->last);
	}
	return count;
}

void check_leaks(struct check *check)
{
	const struct leak_query all = { .dev = DMASIM_NO_SBDF };
	struct owner_space *space;

	if (trace_begin(&check->world->trace, "leaks_sought"))
		trace_end(&check->world->trace);
	if (!check_can_judge(check))
		return;
	SLIST_FOREACH(space, &check->owners.spaces, link) {
		tell_ranges(check, space, &all);
		tell_pieces(check, space, &all);
	}
}

void check_unbound(struct check *check, const struct dmasim_event *event)
{
	struct leak_query query = { .dev = event->dev,
				    .what = "the driver has let go of its device" };
	struct owner_space *space = owners_space(&check->owners, event->dev);
	const struct piece *piece;

	if (!space || !check_can_judge(check))
		return;
	for (piece = owners_first(space, 0, ~0ULL); piece;
	     piece = owners_next(space, (struct piece *)(uintptr_t)piece, 0, ~0ULL))
		query.count += piece->dev == event->dev && piece->kind != PIECE_LINK;
	tell_ranges(check, space, &query);
	tell_pieces(check, space, &query);
}
