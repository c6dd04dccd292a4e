/* SPDX-License-Identifier: MIT */
#include "workbench/measure.h"

#include <stdlib.h>
#include <string.h>

/* Of each block, so much is timed as a whole; the rest one by one. */
#define BATCH_PARTS  3
#define SINGLE_PARTS 1
#define PARTS	     (BATCH_PARTS + SINGLE_PARTS)

#define NEVER (~(u32)0)

/* One allocator's runs so far. */
struct candidate {
	struct measure_result *result;
	u32 *least; /* of each unit: ticks, the least of its runs; NEVER: it was not timed */
	u64 median[MEASURE_RUNS_MAX]; /* of each run: ticks of a thousand units */
	u64 used_ns;
};

struct measurement {
	const struct measure_config *config;
	struct measure_plan plan;
	const struct ticks *ticks;
	struct candidate *candidate;
	u32 count;
};

static int compare(const void *a, const void *b)
{
	u64 one = *(const u64 *)a, two = *(const u64 *)b;

	return one < two ? -1 : one > two;
}

static int compare_32(const void *a, const void *b)
{
	u32 one = *(const u32 *)a, two = *(const u32 *)b;

	return one < two ? -1 : one > two;
}

static u64 median(u64 *value, u32 count)
{
	qsort(value, count, sizeof(*value), compare);
	return value[count / 2];
}

/* ---- Memory ----------------------------------------------------------- */

static void note_memory(struct measure_result *result, struct player *player)
{
	u64 bytes = iova_world_counts(player->world)->live_bytes;

	result->live = player->live;
	result->empty_bytes = player->empty_bytes;
	result->bytes = bytes > player->empty_bytes ? bytes - player->empty_bytes : 0;
	if (!result->live)
		return;
	if (!result->worst_live ||
	    result->bytes * result->worst_live > result->worst_bytes * result->live) {
		result->worst_live = result->live;
		result->worst_bytes = result->bytes;
	}
}

/* ---- One run ---------------------------------------------------------- */

static void time_units(struct measurement *m, struct candidate *candidate, struct player *player,
		       struct ticks_mark *mark, u32 first, u32 end)
{
	const struct workload_op *list = m->plan.workload->op;

	for (u32 i = first; i < end; i++) {
		const struct workload_op *op = &list[m->plan.unit[i].first];
		const struct workload_op *stop = &list[m->plan.unit[i].end];
		u64 start = ticks_now(), passed;

		do {
			player_do(player, op);
		} while (++op < stop);
		passed = ticks_own(m->ticks, mark, ticks_now() - start);
		passed = passed > m->ticks->overhead ? passed - m->ticks->overhead : 0;
		passed = passed < NEVER ? passed : NEVER - 1;
		if (passed < candidate->least[i])
			candidate->least[i] = (u32)passed;
	}
}

/* The units in blocks. Returns how many were done; *thousand: ticks of a thousand, the median. */
static u32 run_blocks(struct measurement *m, struct candidate *candidate, struct player *player,
		      u64 *thousand)
{
	u32 units = m->plan.unit_count, done = 0, blocks = 0;
	u32 block = (units + MEASURE_BLOCKS_MAX - 1) / MEASURE_BLOCKS_MAX;
	u64 batch[MEASURE_BLOCKS_MAX] = { 0 }, begin_ns = ticks_cpu_ns(), start;
	struct ticks_mark mark;

	while (done < units) {
		u32 size = units - done < block ? units - done : block;
		u32 whole = (size * BATCH_PARTS + PARTS - 1) / PARTS;

		ticks_mark(&mark);
		start = ticks_now();
		measure_batch(&m->plan, player, done, done + whole);
		batch[blocks++] = ticks_own(m->ticks, &mark, ticks_now() - start) * 1000 / whole;
		time_units(m, candidate, player, &mark, done + whole, done + size);
		done += size;
		note_memory(candidate->result, player);
		if (ticks_cpu_ns() - begin_ns > m->config->timed_ms_max * TICKS_NS_PER_MS)
			break;
	}
	*thousand = median(batch, blocks);
	return done;
}

/*
 * So many operations may take long enough to lose the CPU in them. After fewer the mark is left
 * alone: to set it disturbs what comes next.
 */
#define MARK_AFTER 1000

/* Units between which other operations stand. */
static u32 run_alone(struct measurement *m, struct candidate *candidate, struct player *player)
{
	u64 begin_ns = ticks_cpu_ns();
	size_t next = m->plan.unit[0].first;
	struct ticks_mark mark;
	u32 done = 0;

	ticks_mark(&mark);
	while (done < m->plan.unit_count) {
		size_t first = m->plan.unit[done].first;

		player_play(player, next, first);
		if (first - next > MARK_AFTER)
			ticks_mark(&mark);
		time_units(m, candidate, player, &mark, done, done + 1);
		next = m->plan.unit[done++].end;
		if (done % 16 == 0)
			note_memory(candidate->result, player);
		if (ticks_cpu_ns() - begin_ns > m->config->timed_ms_max * TICKS_NS_PER_MS)
			break;
	}
	note_memory(candidate->result, player);
	return done;
}

/* Operations between two looks at the clock. */
#define LEAD_STEP 4096

/* What comes before the timed part. Returns why not, or NULL. */
static const char *run_lead(const struct measurement *m, struct player *player)
{
	u64 begin_ns = ticks_cpu_ns();
	size_t end = m->plan.unit[0].first;

	for (size_t done = 0; done < end; done += LEAD_STEP) {
		player_play(player, done, done + LEAD_STEP < end ? done + LEAD_STEP : end);
		if (player->failed > player->live && player->failed > LEAD_STEP)
			return "its space is too small";
		if (ticks_cpu_ns() - begin_ns > m->config->lead_ms_max * TICKS_NS_PER_MS)
			return "it takes too long to get there";
	}
	return NULL;
}

static void run_timed(struct measurement *m, struct candidate *candidate, struct player *player)
{
	struct measure_result *result = candidate->result;

	note_memory(result, player);
	if (m->plan.alone)
		result->units = run_alone(m, candidate, player);
	else
		result->units = run_blocks(m, candidate, player, &candidate->median[result->runs]);
	result->failed = player->failed;
	result->runs++;
}

/* Returns why there was no run, or NULL. */
static const char *run_once(struct measurement *m, struct candidate *candidate)
{
	const struct iova_allocator_ops *ops = candidate->result->ops;
	struct player player;
	u64 begin_ns = ticks_cpu_ns();
	const char *why;

	if (m->plan.workload->op[m->plan.unit[0].first].type == WORKLOAD_FIND && !ops->next)
		return "it has no next";
	if (!player_open(&player, ops, m->plan.workload))
		return "no memory";
	why = run_lead(m, &player);
	if (!why)
		run_timed(m, candidate, &player);
	player_close(&player);
	candidate->used_ns += ticks_cpu_ns() - begin_ns;
	return why;
}

/* ---- All runs --------------------------------------------------------- */

static void run_all(struct measurement *m)
{
	for (u32 run = 0; run < m->config->runs && run < MEASURE_RUNS_MAX; run++) {
		for (u32 i = 0; i < m->count; i++) {
			struct candidate *candidate = &m->candidate[i];

			if (run && candidate->used_ns > m->config->total_ms_max * TICKS_NS_PER_MS)
				continue;
			if (!candidate->result->unable)
				candidate->result->unable = run_once(m, candidate);
		}
	}
}

/* The units that were timed, in front and in order. */
static u32 gather(u32 *least, u32 count)
{
	u32 kept = 0;

	for (u32 i = 0; i < count; i++) {
		if (least[i] != NEVER)
			least[kept++] = least[i];
	}
	qsort(least, kept, sizeof(*least), compare_32);
	return kept;
}

/* The smallest value that so many of a thousand do not exceed. */
static u64 percentile(const struct measurement *m, const u32 *least, u32 count, u32 permille)
{
	u64 rank = ((u64)count * permille + 999) / 1000;

	return ticks_ps(m->ticks, least[rank ? rank - 1 : 0]);
}

static void conclude(struct measurement *m, struct candidate *candidate)
{
	struct measure_result *result = candidate->result;
	u32 count = gather(candidate->least, m->plan.unit_count);

	if (count) {
		result->samples = count;
		result->p50_ps = percentile(m, candidate->least, count, 500);
		result->p99_ps = percentile(m, candidate->least, count, 990);
		result->p999_ps = percentile(m, candidate->least, count, 999);
		result->worst_ps = percentile(m, candidate->least, count, 1000);
	}
	if (!result->runs)
		return;
	if (m->plan.alone) {
		result->median_ps = result->p50_ps;
		result->least_ps = result->p50_ps;
		return;
	}
	result->median_ps = ticks_ps(m->ticks, median(candidate->median, result->runs)) / 1000;
	result->least_ps = ticks_ps(m->ticks, candidate->median[0]) / 1000;
}

static bool begin(struct measurement *m, const struct iova_allocator_ops *const *allocators,
		  struct measure_result *result)
{
	m->candidate = calloc(m->count, sizeof(*m->candidate));
	if (!m->candidate)
		return false;
	for (u32 i = 0; i < m->count; i++) {
		struct candidate *candidate = &m->candidate[i];

		result[i] = (struct measure_result){ .ops = i + 1 < m->count ? allocators[i]
									     : measure_nothing() };
		candidate->result = &result[i];
		candidate->least =
			reallocarray(NULL, m->plan.unit_count, sizeof(*candidate->least));
		if (!candidate->least)
			return false;
		for (u32 k = 0; k < m->plan.unit_count; k++)
			candidate->least[k] = NEVER;
	}
	return true;
}

bool measure(const struct measure_config *config, const struct ticks *ticks,
	     const struct dmasim_iova_workload *workload,
	     const struct iova_allocator_ops *const *allocators, u32 count,
	     struct measure_result *result)
{
	struct measurement m = { .config = config, .ticks = ticks, .count = count + 1 };
	bool ready = measure_plan_init(&m.plan, workload) && begin(&m, allocators, result);

	if (ready && m.plan.unit_count) {
		run_all(&m);
		for (u32 i = 0; i < m.count; i++)
			conclude(&m, &m.candidate[i]);
	}
	for (u32 i = 0; m.candidate && i < m.count; i++)
		free(m.candidate[i].least);
	free(m.candidate);
	measure_plan_fini(&m.plan);
	return ready;
}
