/* SPDX-License-Identifier: MIT */
/*
 * What a benchmark prints.
 */
#ifndef WORKBENCH_BENCH_H
#define WORKBENCH_BENCH_H

#include "workbench/measure.h"

struct bench_row {
	const char *name;
	struct dmasim_iova_workload_config config;
};

/* Results: of the allocators, and at result[count] of the loop. */
void bench_print_head(FILE *out, const struct ticks *ticks);
void bench_print(FILE *out, const char *name, const struct dmasim_iova_workload *workload,
		 const struct measure_result *result, u32 count);

void bench_print_csv_head(FILE *out);
void bench_print_csv(FILE *out, const char *name, const struct dmasim_iova_workload *workload,
		     const struct measure_result *result, u32 count);

#endif
