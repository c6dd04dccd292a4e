/* SPDX-License-Identifier: MIT */
#include "in_step.h"

#include <stdio.h>
#include <string.h>

/* ---- Comparison ------------------------------------------------------------------------------ */

static bool same(struct in_step *run, const char *what, u64 one, u64 two)
{
	if (one == two)
		return true;
	snprintf(run->different, sizeof(run->different),
		 "%s: 0x%llx for the first and 0x%llx for the second", what, one, two);
	return false;
}

static bool same_state(struct in_step *run)
{
	struct rules_state one = run->one.ops->state(&run->one);
	struct rules_state two = run->two.ops->state(&run->two);

	return same(run, "cached node", one.cached, two.cached) &&
	       same(run, "cached 32-bit node", one.cached32, two.cached32) &&
	       same(run, "remembered failure", one.max32, two.max32) &&
	       same(run, "ranges", one.nodes, two.nodes);
}

/* The lowest range at or above pfn, which is moved behind it. *more: there is one. */
static bool same_next(struct in_step *run, u64 *pfn, bool *more)
{
	struct rules_range one = { 0, 0 }, two = { 0, 0 };

	*more = run->one.ops->next(&run->one, *pfn, &one);
	if (!same(run, "a range at or above it", *more, run->two.ops->next(&run->two, *pfn, &two)))
		return false;
	if (!*more)
		return true;
	*pfn = one.hi + 1;
	return same(run, "its lowest page", one.lo, two.lo) &&
	       same(run, "its highest page", one.hi, two.hi);
}

/* All that lies in the space. */
static bool same_space(struct in_step *run)
{
	u64 pfn = 0, cached = run->one.ops->cached(&run->one);
	bool more = true;

	run->most_cached = cached > run->most_cached ? cached : run->most_cached;
	if (!same(run, "cached ranges", cached, run->two.ops->cached(&run->two)))
		return false;
	while (more) {
		if (!same_next(run, &pfn, &more))
			return false;
	}
	return true;
}

/* ---- One operation --------------------------------------------------------------------------- */

static u64 perform(struct iova_subject *subject, const struct step *step)
{
	struct rules_range range;

	switch (step->kind) {
	case STEP_ALLOC:
		return subject->ops->alloc(subject, step->pages, step->pfn, step->align_lg2);
	case STEP_FREE:
		subject->ops->free(subject, step->pfn);
		return 1;
	case STEP_FAST_ALLOC:
		return subject->ops->fast_alloc(subject, step->pages, step->pfn, step->flush,
						step->cpu);
	case STEP_FAST_FREE:
		subject->ops->fast_free(subject, step->pfn, step->pages, step->cpu);
		return 1;
	case STEP_RESERVE:
		return subject->ops->reserve(subject, step->pfn, step->pfn + step->pages - 1);
	case STEP_FIND:
		return iova_subject_find(subject, step->pfn, &range) ? range.lo : IOVA_NO_PFN;
	case STEP_PASS:
		subject->ops->pass(subject, step->pfn);
		return 1;
	}
	return 0;
}

bool in_step_do(struct in_step *run, const struct step *step)
{
	struct step *kept = &run->done[run->step_count++ % (PREDECESSORS + 1)];

	*kept = *step;
	kept->answer = perform(&run->one, step);
	return same(run, "the answer", kept->answer, perform(&run->two, step)) && same_state(run);
}

static const struct step *last_done(const struct in_step *run)
{
	return &run->done[(run->step_count - 1) % (PREDECESSORS + 1)];
}

/* ---- Draws ----------------------------------------------------------------------------------- */

static u64 below(struct in_step *run, u64 bound)
{
	return dice_below(&run->dice, bound);
}

static bool chance(struct in_step *run, u32 percent)
{
	return dice_chance(&run->dice, percent);
}

static bool one_of_thousand(struct in_step *run, u32 permille)
{
	return below(run, 1000) < permille;
}

static u64 draw_pages(struct in_step *run)
{
	if (run->workload->odd_sizes)
		return 1 + below(run, chance(run, 2) ? 1ULL << below(run, 50) : 64);
	if (chance(run, 3))
		return 1 + below(run, 80);
	if (chance(run, 50))
		return 1ULL << run->usual_lg2;
	return 1 + below(run, 1ULL << run->size_lg2_max);
}

static u32 draw_cpu(struct in_step *run)
{
	return chance(run, 70) ? run->usual_cpu : (u32)below(run, run->cpus);
}

static u64 draw_limit(struct in_step *run, u64 pages)
{
	const u64 b = run->boundary;
	const u64 odd[] = { b - 1,
			    b,
			    b - 2,
			    2 * b - 1,
			    (1ULL << (48 - run->granule_lg2)) - 1,
			    run->first_pfn + below(run, 2 * b),
			    run->first_pfn + below(run, 300),
			    run->first_pfn + below(run, run->last_pfn - run->first_pfn + 1) };
	const u64 impossible[] = { 0,
				   ~0ULL,
				   ~0ULL - 1,
				   pages - 1,
				   below(run, pages),
				   run->first_pfn,
				   run->first_pfn + pages - 2 };

	if (run->workload->impossible_limits && chance(run, 5))
		return impossible[below(run, 7)];
	if (chance(run, run->workload->odd_limit_percent))
		return odd[below(run, 8)];
	return run->last_pfn;
}

static u64 draw_pfn(struct in_step *run)
{
	if (run->live_count && chance(run, 70))
		return run->live[below(run, run->live_count)].pfn + below(run, 40) - below(run, 8);
	return run->first_pfn + below(run, run->last_pfn - run->first_pfn + 1);
}

/* ---- Steps of a run -------------------------------------------------------------------------- */

static bool step_alloc(struct in_step *run)
{
	u64 pages = draw_pages(run);
	struct step step = { .kind = STEP_ALLOC, .pages = pages, .pfn = draw_limit(run, pages) };

	if (chance(run, run->workload->fast_percent))
		step.kind = STEP_FAST_ALLOC;
	else if (!chance(run, run->workload->unaligned_percent))
		step.align_lg2 = iova_natural(pages);
	step.flush = chance(run, 50);
	step.cpu = draw_cpu(run);
	if (!in_step_do(run, &step))
		return false;
	if (last_done(run)->answer == IOVA_NO_PFN) {
		run->refused++;
		return true;
	}
	run->placed++;
	run->live[run->live_count++] =
		(struct live){ last_done(run)->answer, pages, step.kind == STEP_FAST_ALLOC };
	return true;
}

/* The youngest, or any. */
static bool step_free(struct in_step *run)
{
	u32 at = chance(run, 30) ? run->live_count - 1 : (u32)below(run, run->live_count);
	struct live live = run->live[at];

	run->live[at] = run->live[--run->live_count];
	return in_step_do(run, &(struct step){ .kind = live.fast ? STEP_FAST_FREE : STEP_FREE,
					       .pfn = live.pfn,
					       .pages = live.pages,
					       .cpu = draw_cpu(run) });
}

/*
 * An inner page frees the whole range; where nothing lies nothing happens. At ~0 the anchor lies,
 * without which there is no space.
 */
static bool step_misfree(struct in_step *run)
{
	struct rules_range range;
	u64 pfn = draw_pfn(run);
	u32 at = run->live_count ? (u32)below(run, run->live_count) : 0;

	if (run->live_count && !run->live[at].fast) {
		pfn = run->live[at].pfn + below(run, run->live[at].pages);
		run->live[at] = run->live[--run->live_count];
	} else if (pfn == ~0ULL || iova_subject_find(&run->one, pfn, &range)) {
		return true;
	}
	return in_step_do(run, &(struct step){ .kind = STEP_FREE, .pfn = pfn });
}

/* Not above what an address can be: there the table allows what Linux refuses. */
static bool step_reserve(struct in_step *run)
{
	u64 pfn = draw_pfn(run) & (~0ULL >> (run->granule_lg2 + 1));

	return in_step_do(run, &(struct step){ .kind = STEP_RESERVE,
					       .pfn = pfn,
					       .pages = 1 + below(run, 1ULL << below(run, 7)) });
}

static bool step_pass(struct in_step *run)
{
	struct step step = { .kind = STEP_PASS, .pfn = below(run, 300000000) };
	u64 nodes = run->one.ops->state(&run->one).nodes;

	if (!in_step_do(run, &step))
		return false;
	run->trims += run->one.ops->state(&run->one).nodes < nodes;
	return true;
}

static bool step_once(struct in_step *run)
{
	const struct workload *w = run->workload;

	if (one_of_thousand(run, w->pass_permille))
		return step_pass(run);
	if (one_of_thousand(run, w->find_permille))
		return in_step_do(run, &(struct step){ .kind = STEP_FIND, .pfn = draw_pfn(run) });
	if (one_of_thousand(run, w->reserve_permille))
		return step_reserve(run);
	if (one_of_thousand(run, w->misfree_permille))
		return step_misfree(run);
	if (!run->live_count || (run->live_count < w->live_max && chance(run, run->grow_percent)))
		return step_alloc(run);
	return step_free(run);
}

/* ---- Runs ------------------------------------------------------------------------------------ */

static void start(struct in_step *run)
{
	/* Large ones put 4 GiB among few pages. */
	static const u32 granules_lg2[] = { 12, 12, 12, 12, 11, 9, 16, 26, 29 };
	struct dice *dice = &run->dice;

	run->cpus = (u32)dice_from(dice, 1, 5);
	run->granule_lg2 = granules_lg2[below(run, 9)];
	run->boundary = 1ULL << (32 - run->granule_lg2);
	run->first_pfn = chance(run, 70) ? 1 : 1 + below(run, 5000);
	run->size_lg2_max = (u32)below(run, 6);
	if (chance(run, run->workload->narrow_percent))
		run->last_pfn = run->first_pfn + below(run, chance(run, 30) ? 200 : 40000);
	else
		run->last_pfn = chance(run, 30) ? run->boundary - 1
						: (1ULL << (48 - run->granule_lg2)) - 1;
	run->live_count = 0;
	run->one.ops->start(&run->one, run->cpus, run->granule_lg2, run->first_pfn);
	run->two.ops->start(&run->two, run->cpus, run->granule_lg2, run->first_pfn);
}

/* Long ones fill magazines and depots, and empty them. */
static void begin_stretch(struct in_step *run)
{
	bool grow = chance(run, 55);

	if (chance(run, 50))
		run->grow_percent = grow ? 95 : 5;
	else
		run->grow_percent = (u32)dice_from(&run->dice, 20, 80);
	run->usual_lg2 = (u32)below(run, run->size_lg2_max + 1);
	run->usual_cpu = (u32)below(run, run->cpus);
}

void in_step_init(struct in_step *run, const struct iova_subject_ops *one,
		  const struct iova_subject_ops *two)
{
	memset(run, 0, sizeof(*run));
	run->one.ops = one;
	run->two.ops = two;
}

bool in_step_run(struct in_step *run, const struct workload *workload, u64 seed)
{
	run->workload = workload;
	run->dice = dice_of(seed, 0);
	run->step_count = 0;
	run->different[0] = '\0';
	start(run);
	for (u32 i = 0; i < workload->reserve_permille; i++) {
		if (!step_reserve(run))
			return false;
	}
	for (u32 i = 0; i < workload->steps; i++) {
		if (i % (workload->steps / 8) == 0)
			begin_stretch(run);
		if (!step_once(run) || (i % 4096 == 0 && !same_space(run)))
			return false;
	}
	return same_space(run);
}

static void say(const struct step *step)
{
	static const char *const words[] = { "alloc",	"free", "fast alloc", "fast free",
					     "reserve", "find", "pass" };

	fprintf(stderr, "#   %-10s pages 0x%llx, %s 0x%llx", words[step->kind], step->pages,
		step->kind == STEP_ALLOC || step->kind == STEP_FAST_ALLOC ? "limit"
		: step->kind == STEP_PASS				  ? "ns"
									  : "pfn",
		step->pfn);
	if (step->kind == STEP_ALLOC)
		fprintf(stderr, ", aligned to %u bits", step->align_lg2);
	if (step->kind == STEP_FAST_ALLOC || step->kind == STEP_FAST_FREE)
		fprintf(stderr, ", CPU %u%s", step->cpu, step->flush ? ", flush" : "");
	fprintf(stderr, " -> 0x%llx\n", step->answer);
}

void in_step_explain(const struct in_step *run)
{
	u64 from = run->step_count > PREDECESSORS ? run->step_count - PREDECESSORS - 1 : 0;

	fprintf(stderr, "# %u CPUs, granule 2^%u, pages from 0x%llx, the run's own limit 0x%llx\n",
		run->cpus, run->granule_lg2, run->first_pfn, run->last_pfn);
	for (u64 i = from; i < run->step_count; i++)
		say(&run->done[i % (PREDECESSORS + 1)]);
	fprintf(stderr, "# operation %llu: %s\n", run->step_count, run->different);
}

void in_step_fini(struct in_step *run)
{
	run->one.ops->end(&run->one);
	run->two.ops->end(&run->two);
}
