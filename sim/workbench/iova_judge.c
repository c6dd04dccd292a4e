/* SPDX-License-Identifier: MIT */
#include "workbench/iova_judge.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include <dmasim/contract.h>

/* More ranges than this: next goes in a circle. */
#define RANGES_MAX (1U << 20)

void iova_judge_wrong(struct iova_judge *judge, const char *format, ...)
{
	va_list args;

	if (judge->wrong[0])
		return;
	va_start(args, format);
	vsnprintf(judge->wrong, sizeof(judge->wrong), format, args);
	va_end(args);
}

static bool has(const struct iova_judge *judge, u32 trait)
{
	return judge->ops->traits & trait;
}

static u64 failures(const struct iova_judge *judge)
{
	return iova_world_counts(judge->world)->failures;
}

bool iova_judge_begin(struct iova_judge *judge, const struct iova_allocator_ops *ops,
		      struct iova_world *world, const struct iova_allocator_config *space)
{
	struct iova_allocator_config config = *space;
	u64 failed;

	config.platform = iova_world_platform(world);
	config.cpus = iova_world_cpus(world);
	config.context = ops->context;
	*judge = (struct iova_judge){ .ops = ops, .world = world };
	iova_model_init(&judge->model, config.start_pfn, config.last_pfn);
	failed = failures(judge);
	judge->allocator = ops->create(&config);
	if (judge->allocator)
		return true;
	if (failures(judge) == failed)
		iova_judge_wrong(judge, "create fails, though there is memory");
	return false;
}

void iova_judge_end(struct iova_judge *judge)
{
	if (judge->allocator)
		judge->ops->destroy(judge->allocator);
	judge->allocator = NULL;
	iova_model_fini(&judge->model);
}

struct request {
	u64 pages;
	u64 limit_pfn;
	u32 how;
	u32 align_lg2;
};

/* ---- The log --------------------------------------------------------------------------------- */

/* "cpu 1: ", and what it did not find; within another CPU's call, further to the right. */
static void log_call(const struct iova_judge *judge, u64 failed, const char *format, ...)
	DMASIM_PRINTF(3, 4);

static void log_call(const struct iova_judge *judge, u64 failed, const char *format, ...)
{
	va_list args;

	if (DMASIM_LIKELY(!judge->log))
		return;
	fprintf(judge->log, "%*scpu %u: ", (int)(4 * judge->running), "",
		iova_world_platform(judge->world)->cpu);
	va_start(args, format);
	vfprintf(judge->log, format, args);
	va_end(args);
	fputs(failures(judge) != failed ? " (finds no memory)\n" : "\n", judge->log);
}

static const char *flags(u32 how)
{
	static const char *const text[] = { "", " | IOVA_CACHE", " | IOVA_FLUSH",
					    " | IOVA_CACHE | IOVA_FLUSH" };

	return text[how >> 6 & 3];
}

static void log_alloc(const struct iova_judge *judge, u64 failed, const struct request *is, u64 pfn)
{
	char result[32] = "none";

	if (judge->log && pfn != IOVA_NO_PFN)
		snprintf(result, sizeof(result), "0x%llx", pfn);
	log_call(judge, failed, "alloc(%llu, 0x%llx, %u%s) = %s", is->pages, is->limit_pfn,
		 is->align_lg2, flags(is->how), result);
}

/* ---- Allocations ----------------------------------------------------------------------------- */

/* What a cache may make of it: a power of two, naturally aligned. */
static struct request rounded(struct request is)
{
	u32 lg2 = iova_natural(is.pages);

	if (is.how & IOVA_CACHE) {
		is.pages = 1ULL << lg2;
		is.align_lg2 = lg2 > is.align_lg2 ? lg2 : is.align_lg2;
	}
	return is;
}

static void judge_failure(struct iova_judge *judge, struct request is)
{
	struct request most = rounded(is);
	bool flushed = is.how & IOVA_CACHE && is.how & IOVA_FLUSH;
	bool hidden = judge->cached && !flushed;
	bool empty = !judge->model.live.count && is.limit_pfn >= judge->model.last_pfn;
	bool recovered = !judge->failed_since_free;
	u64 fit;

	judge->failed_since_free = true;
	if (flushed)
		judge->cached = false;
	fit = iova_model_fit(&judge->model, most.pages, is.limit_pfn, most.align_lg2);
	if (fit == IOVA_NO_PFN || hidden) {
		judge->full += fit == IOVA_NO_PFN;
		return;
	}
	if (has(judge, IOVA_FAILS_EARLY) && !(empty && recovered)) {
		judge->early++;
		return;
	}
	iova_judge_wrong(judge, "fails, though %llu pages fit at 0x%llx (limit 0x%llx)", is.pages,
			 fit, is.limit_pfn);
}

/* Of what was reserved while this call is on: the call may have come first. */
static bool meets(const struct iova_meeting *meeting, u64 first, u64 last)
{
	for (u32 i = 0; i < meeting->count; i++) {
		if (meeting->span[i].first <= last && meeting->span[i].last >= first)
			return true;
	}
	return false;
}

static void judge_place(struct iova_judge *judge, u64 pfn, struct request is)
{
	const struct iova_model *model = &judge->model;
	u64 last = pfn + (is.pages - 1);
	const struct iova_span *met;

	if (!pfn || pfn < model->start_pfn || last < pfn)
		iova_judge_wrong(judge, "%llu pages at 0x%llx: the space begins at 0x%llx",
				 is.pages, pfn, model->start_pfn);
	if (last > is.limit_pfn || last > model->last_pfn)
		iova_judge_wrong(judge, "%llu pages at 0x%llx: beyond the limit 0x%llx", is.pages,
				 pfn, is.limit_pfn);
	if (pfn & ((1ULL << is.align_lg2) - 1))
		iova_judge_wrong(judge, "%llu pages at 0x%llx: not aligned to 0x%llx", is.pages,
				 pfn, 1ULL << is.align_lg2);
	met = iova_spans_meet(&model->live, pfn, last);
	if (met)
		iova_judge_wrong(judge, "%llu pages at 0x%llx: call %llu took 0x%llx to 0x%llx",
				 is.pages, pfn, met->call, met->first, met->last);
	met = iova_spans_meet(&model->reserved, pfn, last);
	if (met && !meets(&judge->reserved, pfn, last))
		iova_judge_wrong(judge, "%llu pages at 0x%llx: 0x%llx to 0x%llx is reserved",
				 is.pages, pfn, met->first, met->last);
}

static void judge_highest(struct iova_judge *judge, u64 pfn, struct request is)
{
	u64 fit;

	if (!has(judge, IOVA_HIGHEST_FIT) || is.how & IOVA_CACHE || judge->cached ||
	    judge->model.lost.count)
		return;
	fit = iova_model_fit(&judge->model, is.pages, is.limit_pfn, is.align_lg2);
	/* A range that was rounded up may leave its rest to others, or not. */
	if (fit != IOVA_NO_PFN && pfn < fit)
		iova_judge_wrong(judge, "%llu pages at 0x%llx: the highest place is 0x%llx",
				 is.pages, pfn, fit);
}

static void begin_call(struct iova_judge *judge)
{
	judge->calls++;
	if (!judge->running)
		judge->freed.count = judge->reserved.count = 0;
	judge->running++;
}

u64 iova_judge_alloc(struct iova_judge *judge, u64 pages, u64 limit_pfn, u32 how)
{
	u64 limit = limit_pfn < judge->model.last_pfn ? limit_pfn : judge->model.last_pfn;
	struct request is = { pages, limit, how, how & IOVA_ALIGN_LG2 };
	bool alone = !judge->running; /* no other CPU's call is on */
	u64 failed = failures(judge), call = judge->calls + 1, pfn;

	begin_call(judge);
	pfn = judge->ops->alloc(judge->allocator, pages, limit, how);
	judge->running--;
	log_alloc(judge, failed, &is, pfn);
	alone = alone && call == judge->calls;
	if (pfn != IOVA_NO_PFN) {
		judge_place(judge, pfn, is);
		if (judge->wrong[0])
			return pfn;
		if (alone)
			judge_highest(judge, pfn, is);
		iova_model_insert(&judge->model, pfn, pages, how, call);
	} else if (failures(judge) != failed) {
		judge->short_of_memory++;
		/* After a flush it looks once more, and that may fail for want of a place. */
		if (how & IOVA_CACHE && how & IOVA_FLUSH &&
		    iova_model_fit(&judge->model, pages, limit, is.align_lg2) == IOVA_NO_PFN)
			judge->failed_since_free = true;
	} else if (alone) {
		judge_failure(judge, is);
	} else {
		judge->failed_since_free = true;
	}
	return pfn;
}

/* ---- Freeing and reserving ------------------------------------------------------------------- */

static void meet(struct iova_meeting *meeting, struct iova_span span)
{
	DMASIM_CONTRACT(meeting->count < IOVA_JUDGE_MEETS, "few calls are on at once");
	meeting->span[meeting->count++] = span;
}

/* What is reserved while it is freed may stay taken, or not. */
static void lose_freed(struct iova_judge *judge, const struct iova_span *freed,
		       const struct iova_meeting *reserved)
{
	for (u32 i = 0; i < reserved->count; i++) {
		if (reserved->span[i].first <= freed->held &&
		    reserved->span[i].last >= freed->first)
			iova_model_lose(&judge->model, freed->first, freed->held);
	}
}

void iova_judge_free(struct iova_judge *judge, u32 index)
{
	struct iova_span span = judge->model.live.at[index];
	u64 pages = span.last - span.first + 1, failed = failures(judge);

	begin_call(judge);
	/* Before the call: another CPU may have it as soon as the allocator lets go. */
	iova_model_free(&judge->model, index);
	if (span.how & IOVA_CACHE)
		judge->cached = true;
	else
		judge->failed_since_free = false;
	meet(&judge->freed, span);
	judge->ops->free(judge->allocator, span.first, pages, span.how);
	judge->running--;
	lose_freed(judge, &span, &judge->reserved);
	log_call(judge, failed, "free(0x%llx, %llu, %s)", span.first, pages,
		 span.how ? "IOVA_CACHE" : "0");
}

int iova_judge_reserve(struct iova_judge *judge, u64 first_pfn, u64 last_pfn)
{
	const struct iova_span span = { first_pfn, last_pfn, last_pfn, 0, judge->calls + 1 };
	u64 failed = failures(judge);
	int err;

	begin_call(judge);
	meet(&judge->reserved, span);
	err = judge->ops->reserve(judge->allocator, first_pfn, last_pfn);
	judge->running--;
	log_call(judge, failed, "reserve(0x%llx, 0x%llx) = %s", first_pfn, last_pfn,
		 err ? "-ENOMEM" : "0");
	for (u32 i = 0; i < judge->freed.count; i++)
		lose_freed(judge, &judge->freed.span[i], &judge->reserved);
	if (!err)
		iova_model_reserve(&judge->model, first_pfn, last_pfn);
	else if (err != -ENOMEM)
		iova_judge_wrong(judge, "reserve(0x%llx, 0x%llx) = %d: 0 or -ENOMEM", first_pfn,
				 last_pfn, err);
	else if (failures(judge) == failed)
		iova_judge_wrong(judge, "reserve(0x%llx, 0x%llx) fails, though there is memory",
				 first_pfn, last_pfn);
	else if (has(judge, IOVA_LOOSE_RESERVE))
		iova_model_lose(&judge->model, first_pfn, last_pfn);
	return err;
}

/* ---- What it tells --------------------------------------------------------------------------- */

/* Every pfn of the span lies in a range that next gives. */
static void judge_told(struct iova_judge *judge, const struct iova_span *span, const char *what)
{
	u64 pfn = span->first > judge->model.start_pfn ? span->first : judge->model.start_pfn;
	u64 last = span->last < judge->model.last_pfn ? span->last : judge->model.last_pfn;
	struct iova_range range;

	while (pfn <= last) {
		if (!judge->ops->next(judge->allocator, pfn, &range) || range.first_pfn > pfn ||
		    range.last_pfn < pfn) {
			iova_judge_wrong(judge, "next does not tell of 0x%llx, which is %s", pfn,
					 what);
			return;
		}
		pfn = range.last_pfn + 1;
	}
}

/* No pfn of the range is known to be free. */
static void judge_range(struct iova_judge *judge, const struct iova_range *range)
{
	const struct iova_model *model = &judge->model;
	u64 pfn = range->first_pfn > model->start_pfn ? range->first_pfn : model->start_pfn;
	u64 last = range->last_pfn < model->last_pfn ? range->last_pfn : model->last_pfn;

	if (range->reserved &&
	    !iova_spans_meet(&model->reserved, range->first_pfn, range->last_pfn) &&
	    !iova_spans_meet(&model->lost, range->first_pfn, range->last_pfn))
		iova_judge_wrong(judge, "next tells that 0x%llx to 0x%llx is reserved",
				 range->first_pfn, range->last_pfn);
	for (; !judge->cached && pfn <= last; pfn++) {
		if (iova_model_covers(model, pfn, &pfn))
			continue;
		iova_judge_wrong(judge, "next tells of 0x%llx, which is free", pfn);
		return;
	}
}

static u64 judge_next(struct iova_judge *judge)
{
	const struct iova_model *model = &judge->model;
	struct iova_range range, before = { 0 };
	u64 count = 0, from = 0;

	while (count < RANGES_MAX && judge->ops->next(judge->allocator, from, &range)) {
		if (range.first_pfn > range.last_pfn || range.last_pfn < from ||
		    (count && range.first_pfn <= before.last_pfn)) {
			iova_judge_wrong(judge, "next(0x%llx) gives 0x%llx to 0x%llx", from,
					 range.first_pfn, range.last_pfn);
			return count;
		}
		judge_range(judge, &range);
		count++;
		before = range;
		from = range.last_pfn + 1;
	}
	for (u32 i = 0; i < model->live.count; i++)
		judge_told(judge, &model->live.at[i], "live");
	for (u32 i = 0; i < model->reserved.count; i++)
		judge_told(judge, &model->reserved.at[i], "reserved");
	return count;
}

void iova_judge_tells(struct iova_judge *judge)
{
	u64 count = judge->ops->next ? judge_next(judge) : 0;
	struct iova_stats stats = { 0 };

	if (!judge->ops->stats)
		return;
	judge->ops->stats(judge->allocator, &stats);
	if (judge->ops->next && stats.ranges != count)
		iova_judge_wrong(judge, "stats tells of %llu ranges, next of %llu", stats.ranges,
				 count);
	if (stats.cached_ranges > stats.ranges || stats.cached_pages < stats.cached_ranges ||
	    (!judge->cached && (stats.cached_ranges || stats.cached_pages)))
		iova_judge_wrong(judge, "stats tells of %llu ranges in caches, with %llu pages",
				 stats.cached_ranges, stats.cached_pages);
}

/* ---- The end --------------------------------------------------------------------------------- */

/* Those of the caches first: the last word is the space's own. */
static void free_all(struct iova_judge *judge, u32 how)
{
	for (u32 i = judge->model.live.count; i-- > 0 && !judge->wrong[0];) {
		if (judge->model.live.at[i].how == how)
			iova_judge_free(judge, i);
	}
}

/* Takes and gives back at once. */
static void try_out(struct iova_judge *judge, u64 pages, u32 how)
{
	u64 pfn = IOVA_NO_PFN;

	if (!judge->wrong[0])
		pfn = iova_judge_alloc(judge, pages, judge->model.last_pfn, how);
	if (pfn != IOVA_NO_PFN && !judge->wrong[0])
		iova_judge_free(judge, 0);
}

void iova_judge_drain(struct iova_judge *judge)
{
	const struct iova_model *model = &judge->model;
	u64 largest, pages;

	free_all(judge, IOVA_CACHE);
	free_all(judge, 0);
	largest = iova_model_largest(model);
	if (!largest || judge->wrong[0])
		return;
	pages = 1ULL << (63 - (u32)__builtin_clzll(largest));
	while (iova_model_fit(model, pages, model->last_pfn, iova_natural(pages)) == IOVA_NO_PFN)
		pages /= 2;
	try_out(judge, pages, iova_natural(pages) | IOVA_CACHE | IOVA_FLUSH);
	/* What cannot be empties the caches. Some remember that it failed until a page is freed. */
	try_out(judge, model->last_pfn + 1, IOVA_CACHE | IOVA_FLUSH);
	try_out(judge, 1, 0);
	try_out(judge, largest, 0);
}
