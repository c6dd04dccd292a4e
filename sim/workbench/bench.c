/* SPDX-License-Identifier: MIT */
/*
 * The benchmark: rows of work, a line for each allocator, as a table and as CSV.
 */
#include <stdlib.h>
#include <string.h>

#include "workbench/bench.h"

/* In quick runs, rows with more live ranges are left out. */
#define QUICK_LIVE_MAX 10000

static const struct bench_row rows[] = {
	{ "1 page, cache hit", { .name = "uniform" } },
	{ "1 page, no cache", { .name = "uniform", .no_cache = true } },
	{ "1 page, no cache", { .name = "uniform", .no_cache = true, .live = 1000 } },
	{ "1 page, no cache", { .name = "uniform", .no_cache = true, .live = 100000 } },
	{ "1 page, random, no cache", { .name = "churn", .no_cache = true, .live = 1000 } },
	{ "1 page, random, no cache", { .name = "churn", .no_cache = true, .live = 100000 } },
	{ "1-32 pages, cache", { .name = "mixed", .live = 1000 } },
	{ "1-32 pages, cache", { .name = "mixed", .live = 100000 } },
	{ "1-32 pages, cache", { .name = "mixed", .live = 1000000, .steps = 400000 } },
	{ "1-32 pages, cache, 32-bit limit", { .name = "mixed", .live = 10000, .limit_bits = 32 } },
	{ "1-32 pages, cache, 8 CPUs", { .name = "mixed", .live = 100000, .cpus = 8 } },
	{ "1-32 pages, cache, 64 CPUs", { .name = "mixed", .live = 100000, .cpus = 64 } },
	{ "1-32 pages, aged, no cache", { .name = "ageing", .live = 1000 } },
	{ "1-32 pages, aged, no cache", { .name = "ageing", .live = 10000 } },
	{ "1-32 pages, aged, no cache", { .name = "ageing", .live = 100000 } },
	{ "1-32 pages, aged, 32-bit limit", { .name = "ageing", .live = 10000, .limit_bits = 32 } },
	{ "ring of 1 page, cache", { .name = "ring" } },
	{ "ring of 1 page, no cache", { .name = "ring", .no_cache = true } },
	{ "alloc on one CPU, free on another", { .name = "pair" } },
	{ "32-bit space full, fallback", { .name = "full32" } },
	{ "holes of 1 page in 4 GiB, 2 fail", { .name = "adversary" } },
	{ "holes of 1 page in 4 GiB, 2 fit", { .name = "adversary-fit" } },
	{ "holes of 1 page, 2 fit below", { .name = "walk", .live = 10000 } },
	{ "holes of 1 page, 2 fit below", { .name = "walk", .live = 100000 } },
	{ "failure, 100,000 in caches", { .name = "flush" } },
	{ "reserve, 10,000 windows", { .name = "windows" } },
	{ "reserve, 10,000 windows below live", { .name = "windows", .live = 100000 } },
	{ "find", { .name = "lookup", .live = 100000 } },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct measure_config usual = {
	.runs = 5,
	.timed_ms_max = 1000,
	.total_ms_max = 3000,
	.lead_ms_max = 300000,
};
static const struct measure_config quick = {
	.runs = 2,
	.timed_ms_max = 100,
	.total_ms_max = 300,
	.lead_ms_max = 3000,
};

static int out_of_memory(struct dmasim_iova_error *error)
{
	snprintf(error->text, sizeof(error->text), "no memory");
	return -1;
}

static int run_row(const struct dmasim_iova_bench *bench, const struct ticks *ticks,
		   const char *name, const struct dmasim_iova_workload *workload, FILE *out,
		   struct dmasim_iova_error *error)
{
	struct measure_result *result = calloc(bench->allocator_count + 1, sizeof(*result));
	struct measure_config config = bench->quick ? quick : usual;
	bool done;

	if (bench->patience_s)
		config.lead_ms_max = bench->patience_s * 1000ULL;
	done = result &&
	       measure(&config, ticks, workload, bench->allocators, bench->allocator_count, result);

	if (done) {
		bench_print(out, name, workload, result, bench->allocator_count);
		if (bench->csv)
			bench_print_csv(bench->csv, name, workload, result, bench->allocator_count);
	}
	free(result);
	return done ? 0 : out_of_memory(error);
}

static int make_and_run(const struct dmasim_iova_bench *bench, const struct ticks *ticks,
			const struct bench_row *row, FILE *out, struct dmasim_iova_error *error)
{
	struct dmasim_iova_workload_config config = row->config;
	struct dmasim_iova_workload *workload;
	int err;

	config.seed = bench->seed ? bench->seed : 1;
	workload = dmasim_iova_workload_create(&config, error);
	if (!workload)
		return -1;
	err = run_row(bench, ticks, row->name, workload, out, error);
	dmasim_iova_workload_destroy(workload);
	return err;
}

static bool is_timed(const struct dmasim_iova_workload *workload)
{
	for (size_t i = 0; i < workload->count; i++) {
		if (workload->op[i].timed)
			return true;
	}
	return false;
}

int dmasim_iova_bench_one(const struct dmasim_iova_bench *bench,
			  const struct dmasim_iova_workload *workload, FILE *out,
			  struct dmasim_iova_error *error)
{
	struct ticks ticks;

	if (!is_timed(workload)) {
		snprintf(error->text, sizeof(error->text),
			 "%s: nothing is timed: expected 'timing on'", workload->name);
		return -1;
	}
	ticks_init(&ticks);
	bench_print_head(out, &ticks);
	if (bench->csv)
		bench_print_csv_head(bench->csv);
	return run_row(bench, &ticks, workload->name, workload, out, error);
}

static bool is_asked_for(const struct bench_row *row, const char *words, bool is_quick)
{
	return (!words || strstr(row->name, words)) &&
	       !(is_quick && row->config.live > QUICK_LIVE_MAX);
}

bool dmasim_iova_bench_has_row(const char *words, bool is_quick)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (is_asked_for(&rows[i], words, is_quick))
			return true;
	}
	return false;
}

int dmasim_iova_bench_rows(const struct dmasim_iova_bench *bench, FILE *out,
			   struct dmasim_iova_error *error)
{
	struct ticks ticks;
	int err = 0;

	ticks_init(&ticks);
	bench_print_head(out, &ticks);
	if (bench->csv)
		bench_print_csv_head(bench->csv);
	for (size_t i = 0; i < ROWS && !err; i++) {
		if (!is_asked_for(&rows[i], bench->row, bench->quick))
			continue;
		err = make_and_run(bench, &ticks, &rows[i], out, error);
		fflush(out);
	}
	return err;
}
