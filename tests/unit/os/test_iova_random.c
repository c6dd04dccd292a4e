/* SPDX-License-Identifier: MIT */
/*
 * IOVA allocators against a sorted array of ranges. The array knows which places are free; of an
 * allocator that takes the highest aligned fit it also foretells the exact address.
 */
#include "allocators.h"

#include <stdlib.h>
#include <string.h>

#include "unit/hw/scale.h"

#define STEPS	   200000 /* full count */
#define SHAPES	   2000
#define RANGES_MAX 2048

struct range {
	u64 first, last;
	bool reserved;
};

struct model {
	u64 start_pfn, last_pfn;
	struct range range[RANGES_MAX]; /* ascending, apart */
	u32 count;
	u64 full, short_of_memory; /* how often an allocation failed, and why */
};

/* ---- The sorted array ------------------------------------------------------------------------ */

static void insert(struct model *model, u64 first, u64 last, bool reserved)
{
	u32 at = model->count;

	assert_true(model->count < RANGES_MAX);
	while (at > 0 && model->range[at - 1].first > first)
		at--;
	memmove(&model->range[at + 1], &model->range[at],
		(model->count - at) * sizeof(model->range[0]));
	model->range[at] = (struct range){ first, last, reserved };
	model->count++;
}

static void erase(struct model *model, u32 at)
{
	model->count--;
	memmove(&model->range[at], &model->range[at + 1],
		(model->count - at) * sizeof(model->range[0]));
}

/* Reserved ranges that overlap become one. */
static void reserve(struct model *model, u64 first, u64 last)
{
	for (u32 i = 0; i < model->count;) {
		const struct range *range = &model->range[i];

		if (range->last < first || range->first > last) {
			i++;
			continue;
		}
		first = range->first < first ? range->first : first;
		last = range->last > last ? range->last : last;
		erase(model, i);
	}
	insert(model, first, last, true);
}

/* The highest aligned place in the gap [low, high], which is not empty; or none. */
static u64 fit(u64 low, u64 high, u64 pages)
{
	u64 pfn;

	if (high - low + 1 < pages)
		return IOVA_NO_PFN;
	pfn = high - (pages - 1);
	pfn -= pfn % alignment_of(pages);
	return pfn >= low ? pfn : IOVA_NO_PFN;
}

/* Gap after gap from the top. */
static u64 highest_fit(const struct model *model, u64 pages, u64 limit_pfn)
{
	u64 end = (limit_pfn < model->last_pfn ? limit_pfn : model->last_pfn) + 1;

	for (u32 i = model->count + 1; i-- > 0;) {
		/* The gap above range i - 1; the lowest begins where the space does. */
		u64 low = i ? model->range[i - 1].last + 1 : 0;
		u64 pfn = IOVA_NO_PFN;

		if (low < model->start_pfn)
			low = model->start_pfn;
		if (low < end)
			pfn = fit(low, end - 1, pages);
		if (pfn != IOVA_NO_PFN)
			return pfn;
		if (i && model->range[i - 1].first < end)
			end = model->range[i - 1].first;
	}
	return IOVA_NO_PFN;
}

static bool is_free(const struct model *model, u64 pfn, u64 pages)
{
	for (u32 i = 0; i < model->count; i++) {
		if (model->range[i].first <= pfn + (pages - 1) && model->range[i].last >= pfn)
			return false;
	}
	return true;
}

/* ---- Steps ----------------------------------------------------------------------------------- */

static u64 draw(struct allocator_fixture *fixture, u64 bound)
{
	return dmasim_random(fixture->s, bound);
}

static u64 draw_limit(struct allocator_fixture *fixture)
{
	switch (draw(fixture, 6)) {
	case 0:
		return 0xfffff;
	case 1:
		return fixture->start_pfn +
		       draw(fixture, fixture->last_pfn - fixture->start_pfn + 1);
	case 2:
		return draw(fixture, 2 * fixture->start_pfn + 10);
	default:
		return ~0ULL;
	}
}

static void step_alloc(struct allocator_fixture *fixture, struct model *model)
{
	u64 pages = 1 + draw(fixture, 1ULL << draw(fixture, draw(fixture, 10) ? 7 : 20));
	u64 limit = draw_limit(fixture);
	u64 foretold = highest_fit(model, pages, limit), pfn;
	bool failed;

	dmasim_fail(fixture->s, DMASIM_FAULT_ANY, draw(fixture, 50) ? 0 : 1);
	pfn = allocator_alloc(fixture, pages, limit);
	failed = dmasim_failures(fixture->s);
	dmasim_fail(fixture->s, DMASIM_FAULT_ANY, 0);
	if (failed) {
		expect_u64(pfn, IOVA_NO_PFN);
		model->short_of_memory++;
		return;
	}
	if (fixture->is->highest_fit)
		expect_u64(pfn, foretold);
	if (pfn == IOVA_NO_PFN) {
		model->full++;
		return;
	}
	assert_true(is_free(model, pfn, pages));
	insert(model, pfn, pfn + pages - 1, false);
}

/* Exactly, or a little beside: then nothing happens. */
static void step_free(struct allocator_fixture *fixture, struct model *model)
{
	u32 at = (u32)draw(fixture, model->count);
	const struct range *range = &model->range[at];
	u64 pages = range->last - range->first + 1;

	switch (draw(fixture, 10)) {
	case 0:
		allocator_free(fixture, range->first, pages + 1);
		break;
	case 1:
		if (pages > 1)
			allocator_free(fixture, range->first + 1, pages - 1);
		break;
	case 2:
		if (pages > 1)
			allocator_free(fixture, range->first, pages - 1);
		break;
	default:
		allocator_free(fixture, range->first, pages);
		if (!range->reserved)
			erase(model, at);
	}
}

static void start(struct allocator_fixture *fixture, struct model *model, u64 start_pfn,
		  u64 last_pfn, u32 reservations)
{
	allocator_start(fixture, start_pfn, last_pfn);
	*model = (struct model){ .start_pfn = start_pfn, .last_pfn = last_pfn };
	for (u32 i = 0; i < reservations; i++) {
		u64 first = draw(fixture, last_pfn + 10);
		u64 last = first + draw(fixture, 1 + (last_pfn >> draw(fixture, 12)) / 4);

		expect_ok(allocator_reserve(fixture, first, last));
		reserve(model, first, last);
	}
}

static struct model *new_model(struct allocator_fixture *fixture)
{
	fixture->extra = calloc(1, sizeof(struct model));
	assert_non_null(fixture->extra);
	return fixture->extra;
}

static void run(struct allocator_fixture *fixture, struct model *model, u32 steps)
{
	for (u32 step = 0; step < steps; step++) {
		/* Phases of growth and of decay. */
		u64 growth = step / 2000 % 2 ? 40 : 60;

		if (model->count + 1 < RANGES_MAX && (draw(fixture, 100) < growth || !model->count))
			step_alloc(fixture, model);
		else
			step_free(fixture, model);
	}
}

static void in_a_space_that_is_often_full(void **state)
{
	struct allocator_fixture *fixture = *state;
	struct model *model = new_model(fixture);

	start(fixture, model, 1, 1500, 3);
	run(fixture, model, scaled(STEPS));
	assert_true(model->full > scaled(STEPS) / 100);
	assert_true(model->short_of_memory > 0);
}

static void in_a_space_of_32_bits(void **state)
{
	struct allocator_fixture *fixture = *state;
	struct model *model = new_model(fixture);

	start(fixture, model, 1, 0xfffff, 5);
	run(fixture, model, scaled(STEPS));
	assert_true(model->full > scaled(STEPS) / 100);
}

static void in_a_space_of_48_bits(void **state)
{
	struct allocator_fixture *fixture = *state;
	struct model *model = new_model(fixture);

	start(fixture, model, 1, (1ULL << 36) - 1, 5);
	run(fixture, model, scaled(STEPS));
}

/*
 * trust: placement of IOVAs by the allocator here
 * | an independent model: a sorted array of ranges
 */
/* Many small spaces that begin somewhere, with reservations that reach out of them. */
static void in_spaces_of_all_shapes(void **state)
{
	struct allocator_fixture *fixture = *state;
	struct model *model = new_model(fixture);
	u32 shapes = scaled(SHAPES);

	for (u32 shape = 0; shape < shapes; shape++) {
		u64 first = 1 + draw(fixture, 300);

		start(fixture, model, first, first + draw(fixture, 700), (u32)draw(fixture, 6));
		run(fixture, model, 150);
	}
}

TEST_MAIN(ON_EVERY_ALLOCATOR(in_a_space_that_is_often_full),
	  ON_EVERY_ALLOCATOR(in_a_space_of_32_bits), ON_EVERY_ALLOCATOR(in_a_space_of_48_bits),
	  ON_EVERY_ALLOCATOR(in_spaces_of_all_shapes))
