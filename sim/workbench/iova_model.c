/* SPDX-License-Identifier: MIT */
#include "workbench/iova_model.h"

#include <stdlib.h>
#include <string.h>

#include <dmasim/contract.h>

/* ---- Spans ----------------------------------------------------------------------------------- */

u32 iova_spans_at(const struct iova_spans *spans, u64 pfn)
{
	u32 low = 0, high = spans->count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (spans->at[middle].last < pfn)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct iova_span *iova_spans_meet(const struct iova_spans *spans, u64 first, u64 last)
{
	u32 index = iova_spans_at(spans, first);

	if (index == spans->count || spans->at[index].first > last)
		return NULL;
	return &spans->at[index];
}

static void insert(struct iova_spans *spans, struct iova_span span)
{
	u32 index = iova_spans_at(spans, span.first);

	if (spans->count == spans->room) {
		spans->room = spans->room ? 2 * spans->room : 64;
		spans->at = realloc(spans->at, spans->room * sizeof(spans->at[0]));
		DMASIM_CONTRACT(spans->at, "there is memory for the judge");
	}
	memmove(&spans->at[index + 1], &spans->at[index],
		(spans->count - index) * sizeof(spans->at[0]));
	spans->at[index] = span;
	spans->count++;
}

static void erase(struct iova_spans *spans, u32 index)
{
	spans->count--;
	memmove(&spans->at[index], &spans->at[index + 1],
		(spans->count - index) * sizeof(spans->at[0]));
}

/* Becomes one with all that it overlaps. */
static void merge(struct iova_spans *spans, u64 first, u64 last)
{
	u32 index = iova_spans_at(spans, first);

	while (index < spans->count && spans->at[index].first <= last) {
		if (spans->at[index].first < first)
			first = spans->at[index].first;
		if (spans->at[index].last > last)
			last = spans->at[index].last;
		erase(spans, index);
	}
	insert(spans, (struct iova_span){ first, last, last, 0, 0 });
}

/* No span has a pfn of [first, last] any more. */
static void cut(struct iova_spans *spans, u64 first, u64 last)
{
	u32 index = iova_spans_at(spans, first);

	while (index < spans->count && spans->at[index].first <= last) {
		struct iova_span span = spans->at[index];

		erase(spans, index);
		if (span.first < first)
			insert(spans, (struct iova_span){ span.first, first - 1, first - 1, 0, 0 });
		if (span.last > last) {
			insert(spans, (struct iova_span){ last + 1, span.last, span.last, 0, 0 });
			return;
		}
		index = iova_spans_at(spans, first);
	}
}

/* ---- The model ------------------------------------------------------------------------------- */

void iova_model_init(struct iova_model *model, u64 start_pfn, u64 last_pfn)
{
	*model = (struct iova_model){ .start_pfn = start_pfn, .last_pfn = last_pfn };
}

void iova_model_fini(struct iova_model *model)
{
	free(model->live.at);
	free(model->reserved.at);
	free(model->lost.at);
}

void iova_model_insert(struct iova_model *model, u64 pfn, u64 pages, u32 how, u64 call)
{
	u64 last = pfn + (pages - 1);
	struct iova_span span = { pfn, last, last, how & IOVA_CACHE, call };

	if (how & IOVA_CACHE)
		span.held = pfn + ((1ULL << iova_natural(pages)) - 1);
	cut(&model->lost, span.first, span.last);
	insert(&model->live, span);
}

void iova_model_free(struct iova_model *model, u32 index)
{
	struct iova_span span = model->live.at[index];

	erase(&model->live, index);
	if (iova_spans_meet(&model->reserved, span.first, span.held))
		iova_model_lose(model, span.first, span.held);
}

void iova_model_reserve(struct iova_model *model, u64 first_pfn, u64 last_pfn)
{
	merge(&model->reserved, first_pfn, last_pfn);
}

void iova_model_lose(struct iova_model *model, u64 first_pfn, u64 last_pfn)
{
	merge(&model->lost, first_pfn, last_pfn);
}

/* ---- Gaps ------------------------------------------------------------------------------------ */

/* Gaps from the top: [low, high] is one. */
struct gaps {
	const struct iova_model *model;
	u64 low, high;
	u64 below; /* the next gap ends below this pfn */
};

/* The span that reaches highest of those that begin below `end`; false: there is none. */
static bool top_below(const struct iova_model *model, u64 end, struct iova_span *top)
{
	const struct iova_spans *all[] = { &model->live, &model->reserved, &model->lost };
	bool found = false;

	for (u32 i = 0; i < 3; i++) {
		u32 index = end ? iova_spans_at(all[i], end - 1) : 0;

		if (index < all[i]->count && all[i]->at[index].first < end)
			index++;
		if (!index)
			continue;
		if (!found || all[i]->at[index - 1].held > top->held)
			*top = all[i]->at[index - 1];
		found = true;
	}
	return found;
}

static bool next_gap(struct gaps *gaps)
{
	u64 start = gaps->model->start_pfn;
	struct iova_span top = { 0 };

	while (gaps->below > start) {
		u64 low = start, end = gaps->below;
		bool found = top_below(gaps->model, end, &top);

		if (found && top.held >= low)
			low = top.held + 1;
		gaps->below = found ? top.first : 0;
		if (low >= end || !low)
			continue;
		gaps->low = low;
		gaps->high = end - 1;
		return true;
	}
	return false;
}

static struct gaps gaps_under(const struct iova_model *model, u64 limit_pfn)
{
	u64 limit = limit_pfn < model->last_pfn ? limit_pfn : model->last_pfn;

	return (struct gaps){ .model = model, .below = limit + 1 };
}

u64 iova_model_fit(const struct iova_model *model, u64 pages, u64 limit_pfn, u32 align_lg2)
{
	struct gaps gaps = gaps_under(model, limit_pfn);

	while (next_gap(&gaps)) {
		u64 pfn;

		if (gaps.high - gaps.low < pages - 1)
			continue;
		pfn = (gaps.high - (pages - 1)) >> align_lg2 << align_lg2;
		if (pfn >= gaps.low)
			return pfn;
	}
	return IOVA_NO_PFN;
}

u64 iova_model_largest(const struct iova_model *model)
{
	struct gaps gaps = gaps_under(model, model->last_pfn);
	u64 largest = 0;

	while (next_gap(&gaps)) {
		if (gaps.high - gaps.low + 1 > largest)
			largest = gaps.high - gaps.low + 1;
	}
	return largest;
}

bool iova_model_covers(const struct iova_model *model, u64 pfn, u64 *last)
{
	const struct iova_spans *all[] = { &model->live, &model->reserved, &model->lost };

	for (u32 i = 0; i < 3; i++) {
		u32 index = iova_spans_at(all[i], pfn);

		if (index < all[i]->count && all[i]->at[index].first <= pfn) {
			*last = all[i]->at[index].held;
			return true;
		}
		/* The one below may have been rounded up to here. */
		if (index && all[i]->at[index - 1].held >= pfn) {
			*last = all[i]->at[index - 1].held;
			return true;
		}
	}
	return false;
}
