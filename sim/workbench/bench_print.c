/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "workbench/bench.h"
#include "workbench/text.h"

/* ---- The table -------------------------------------------------------- */

#define NAME_WIDTH	34
#define ALLOCATOR_WIDTH 20

void bench_print_head(FILE *out, const struct ticks *ticks)
{
	char step[TEXT_BYTES], overhead[TEXT_BYTES];

	fprintf(out,
		"Nanoseconds of one operation, unless said. Batches: median, and least of all "
		"runs; then\nsingle operations, of which the clock's %s are taken away, in steps "
		"of "
		"%s. Bytes are for a\nlive range, at the end and at worst. (loop): the same with "
		"an allocator that does nothing.\n\n",
		text_time(ticks_ps(ticks, ticks->overhead), overhead),
		text_time(ticks_ps(ticks, ticks->step), step));
	fprintf(out, "%-*s %9s  %-*s %8s %8s  %8s %8s %8s %8s  %6s %6s %9s\n", NAME_WIDTH, "work",
		"live", ALLOCATOR_WIDTH, "allocator", "median", "least", "50%", "99%", "99.9%",
		"worst", "bytes", "worst", "failed");
}

static void print_line(FILE *out, const char *name, const char *live,
		       const struct measure_result *result)
{
	char text[7][TEXT_BYTES], failed[TEXT_BYTES + 1] = "";

	fprintf(out, "%-*s %9s  %-*.*s ", NAME_WIDTH, name, live, ALLOCATOR_WIDTH, ALLOCATOR_WIDTH,
		result->ops->name);
	if (result->unable) {
		fprintf(out, "%8s (%s)\n", "-", result->unable);
		return;
	}
	if (result->failed) {
		failed[0] = ' ';
		text_count(result->failed, failed + 1);
	}
	fprintf(out, "%8s %8s  %8s %8s %8s %8s  %6s %6s%s\n", text_time(result->median_ps, text[0]),
		text_time(result->least_ps, text[1]), text_time(result->p50_ps, text[2]),
		text_time(result->p99_ps, text[3]), text_time(result->p999_ps, text[4]),
		text_time(result->worst_ps, text[5]),
		text_ratio(result->bytes, result->live, text[6]),
		text_ratio(result->worst_bytes, result->worst_live, (char[TEXT_BYTES]){ 0 }),
		failed);
}

void bench_print(FILE *out, const char *name, const struct dmasim_iova_workload *workload,
		 const struct measure_result *result, u32 count)
{
	char live[TEXT_BYTES], median[TEXT_BYTES], p50[TEXT_BYTES];
	const struct measure_result *loop = &result[count];

	text_count(workload_live(workload), live);
	for (u32 i = 0; i < count; i++)
		print_line(out, i ? "" : name, i ? "" : live, &result[i]);
	fprintf(out, "%-*s %9s  %-*s %8s %8s  %8s\n", NAME_WIDTH, "", "", ALLOCATOR_WIDTH,
		loop->ops->name, text_time(loop->median_ps, median), "",
		text_time(loop->p50_ps, p50));
}

/* ---- CSV -------------------------------------------------------------- */

void bench_print_csv_head(FILE *out)
{
	fputs("row,workload,live,steps,limit_bits,cpus,cache,seed,allocator,runs,units,median_ps,"
	      "least_ps,samples,p50_ps,p99_ps,p999_ps,worst_ps,loop_median_ps,loop_p50_ps,"
	      "live_end,empty_bytes,bytes,worst_live,worst_bytes,failed\n",
	      out);
}

static void put_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void print_csv_line(FILE *out, const char *name, const struct dmasim_iova_workload *workload,
			   const struct measure_result *result, const struct measure_result *loop)
{
	const struct dmasim_iova_workload_config *config = &workload->config;

	put_quoted(out, name);
	fprintf(out, ",%s,%llu,%llu,%u,%u,%d,%llu,", config->name, workload_live(workload),
		config->steps, config->limit_bits, config->cpus, !config->no_cache, config->seed);
	put_quoted(out, result->ops->name);
	if (result->unable) {
		fputs(",0,,,,,,,,,,,,,,,,\n", out);
		return;
	}
	fprintf(out, ",%u,%llu,%llu,%llu,%llu,%llu,%llu,%llu,%llu,%llu,%llu,", result->runs,
		result->units, result->median_ps, result->least_ps, result->samples, result->p50_ps,
		result->p99_ps, result->p999_ps, result->worst_ps, loop->median_ps, loop->p50_ps);
	fprintf(out, "%llu,%llu,%llu,%llu,%llu,%llu\n", result->live, result->empty_bytes,
		result->bytes, result->worst_live, result->worst_bytes, result->failed);
}

void bench_print_csv(FILE *out, const char *name, const struct dmasim_iova_workload *workload,
		     const struct measure_result *result, u32 count)
{
	for (u32 i = 0; i < count; i++)
		print_csv_line(out, name, workload, &result[i], &result[count]);
}
