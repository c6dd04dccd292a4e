/* SPDX-License-Identifier: MIT */
#include "workbench/space.h"

#include <stdlib.h>

u32 space_order(u64 pages)
{
	return 63 - (u32)__builtin_clzll(pages);
}

u32 space_class(u64 pages)
{
	u32 order = iova_natural(pages);

	return order < SPACE_CLASSES ? order : SPACE_CLASSES - 1;
}

/* ---- What the workload knows ------------------------------------------ */

/* A live or reserved range, sorted by its first pfn. */
struct known {
	u64 first;
	u64 last;
	u8 kind;
};

struct knowledge {
	struct known *range;
	size_t count;
};

static int compare(const void *a, const void *b)
{
	const struct known *one = a, *two = b;

	return one->first < two->first ? -1 : one->first > two->first;
}

static void know(struct knowledge *knowledge, u64 first, u64 last, enum space_kind kind)
{
	knowledge->range[knowledge->count++] =
		(struct known){ .first = first, .last = last, .kind = (u8)kind };
}

static bool gather(struct knowledge *knowledge, const struct player *player)
{
	const struct dmasim_iova_workload *workload = player->workload;
	size_t reserved = 0;

	for (size_t i = 0; i < workload->count; i++)
		reserved += workload->op[i].type == WORKLOAD_RESERVE;
	knowledge->range =
		reallocarray(NULL, workload->id_count + reserved + 1, sizeof(*knowledge->range));
	if (!knowledge->range)
		return false;
	for (size_t i = 0; i < workload->count; i++) {
		const struct workload_op *op = &workload->op[i];

		if (op->type == WORKLOAD_RESERVE)
			know(knowledge, op->pages, op->limit, SPACE_RESERVED);
	}
	for (u32 id = 0; id < workload->id_count; id++) {
		u64 pfn = player->pfn[id];

		if (pfn != IOVA_NO_PFN)
			know(knowledge, pfn, pfn + workload->id[id].pages - 1, SPACE_LIVE);
	}
	qsort(knowledge->range, knowledge->count, sizeof(*knowledge->range), compare);
	return true;
}

/* ---- Stretches -------------------------------------------------------- */

static bool make_room(struct space *space)
{
	size_t room = space->room ? 2 * space->room : 1024;
	struct space_stretch *grown;

	if (space->count < space->room)
		return true;
	grown = reallocarray(space->stretch, room, sizeof(*grown));
	if (!grown)
		return false;
	space->stretch = grown;
	space->room = room;
	return true;
}

/* Neighbours of one kind become one stretch, but live ranges do not. */
static bool add(struct space *space, u64 first, u64 last, enum space_kind kind, u32 class)
{
	struct space_stretch *next;

	if (!make_room(space))
		return false;
	next = &space->stretch[space->count];
	if (space->count && kind != SPACE_LIVE && next[-1].kind == kind) {
		next[-1].last = last;
		return true;
	}
	*next = (struct space_stretch){ .first = first,
					.last = last,
					.kind = (u8)kind,
					.class = (u8) class };
	space->count++;
	return true;
}

/* Where the survey stands. */
struct survey {
	struct space *space;
	struct player *player;
	struct knowledge known;
	struct iova_range range; /* of the allocator, the first that ends at or above the place */
	bool has_range;
	u64 live_end; /* the last live range ended just before this pfn */
};

static void look(struct survey *survey, u64 pfn)
{
	const struct iova_allocator_ops *ops = survey->player->ops;

	if (!ops->next || (survey->has_range && survey->range.last_pfn >= pfn))
		return;
	survey->has_range = ops->next(survey->player->allocator, pfn, &survey->range);
	if (!survey->has_range)
		survey->range = (struct iova_range){ ~0ULL, ~0ULL, false };
}

/* From `pfn` up to what is known, `end`: free or not, as the allocator says. */
static bool add_unknown(struct survey *survey, u64 pfn, u64 end)
{
	while (pfn < end) {
		u64 last = end - 1;
		enum space_kind kind = SPACE_FREE;

		look(survey, pfn);
		if (survey->has_range && survey->range.first_pfn <= pfn) {
			if (survey->range.last_pfn < last)
				last = survey->range.last_pfn;
			if (survey->range.reserved)
				kind = SPACE_RESERVED;
			else
				kind = pfn == survey->live_end && survey->range.first_pfn < pfn
					       ? SPACE_ROUNDING
					       : SPACE_CACHED;
		} else if (survey->has_range && survey->range.first_pfn <= last) {
			last = survey->range.first_pfn - 1;
		}
		if (!add(survey->space, pfn, last, kind, 0))
			return false;
		pfn = last + 1;
	}
	return true;
}

static bool survey_space(struct survey *survey)
{
	const struct dmasim_iova_workload *workload = survey->player->workload;
	u64 pfn = workload->start_pfn, end = survey->player->last_pfn + 1;

	for (size_t i = 0; i < survey->known.count && pfn < end; i++) {
		const struct known *known = &survey->known.range[i];
		u64 first = known->first > pfn ? known->first : pfn;
		u64 last = known->last < end ? known->last : end - 1;

		if (known->last < pfn || first >= end)
			continue;
		if (!add_unknown(survey, pfn, first) ||
		    !add(survey->space, first, last, known->kind,
			 space_class(known->last - known->first + 1)))
			return false;
		pfn = last + 1;
		survey->live_end = known->kind == SPACE_LIVE ? pfn : 0;
	}
	return add_unknown(survey, pfn, end);
}

/* ---- Figures ---------------------------------------------------------- */

/* Pages of [first, last] in aligned runs of 2^order. */
static u64 usable(u64 first, u64 last, u32 order)
{
	u64 run = 1ULL << order, begin = (first + run - 1) & ~(run - 1),
	    end = (last + 1) & ~(run - 1);

	return end > begin ? end - begin : 0;
}

static void count_hole(struct space *space, const struct space_stretch *hole)
{
	u64 pages = hole->last - hole->first + 1;

	space->holes++;
	space->hole_pages += pages;
	space->hole_count[space_order(pages)]++;
	if (pages > space->hole_largest)
		space->hole_largest = pages;
	for (u32 order = 0; order < SPACE_ORDERS; order++)
		space->usable_pages[order] += usable(hole->first, hole->last, order);
}

static void count_all(struct space *space)
{
	u64 used = 0;

	for (size_t i = 0; i < space->count; i++) {
		const struct space_stretch *stretch = &space->stretch[i];
		u64 pages = stretch->last - stretch->first + 1;

		space->pages[stretch->kind] += pages;
		space->ranges[stretch->kind]++;
		if (stretch->kind == SPACE_LIVE)
			space->class_ranges[stretch->class]++;
		if (stretch->kind != SPACE_FREE)
			used += pages;
	}
	for (size_t i = 0; i < space->count; i++) {
		const struct space_stretch *stretch = &space->stretch[i];
		u64 pages = stretch->last - stretch->first + 1;

		if (stretch->kind != SPACE_FREE)
			continue;
		if (pages <= used) {
			count_hole(space, stretch);
			continue;
		}
		space->open++;
		space->open_pages += pages;
	}
}

bool space_init(struct space *space, struct player *player)
{
	struct survey survey = { .space = space, .player = player };
	bool done;

	*space = (struct space){ .told = player->ops->next };
	done = gather(&survey.known, player) && survey_space(&survey);
	free(survey.known.range);
	if (done)
		count_all(space);
	else
		space_fini(space);
	return done;
}

void space_fini(struct space *space)
{
	free(space->stretch);
	space->stretch = NULL;
}
