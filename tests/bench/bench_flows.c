/* SPDX-License-Identifier: MIT */
/*
 * How long flows take on the host: medians, in nanoseconds, as a table.
 *
 * Three machines do the same: bare (no checker, no trace), checked (the default), traced (checked,
 * with the hash of a trace). Nothing here passes or fails by time. Usage: bench_flows [part of a
 * row's name]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/flows.h"
#include "bench/measure.h"

#define MODE_COUNT 3

static const char *const mode_name[MODE_COUNT] = { "bare", "checked", "traced" };

/* ---- Measuring ------------------------------------------------------------------------------- */

/* A row on its machine, as measure_ns() wants it. */
struct running {
	const struct flow *row;
	struct flow_machine *bench;
};

static void run_row(void *cookie)
{
	const struct running *running = cookie;

	running->row->run(running->bench);
}

static void init(struct flow_machine *bench, u32 mode, bool iommu)
{
	flow_machine_init(bench,
			  &(struct dmasim_config){ DMASIM_CONFIG, .no_check = mode == 0,
						   .trace_hash = mode == 2,
						   .iommu = iommu ? DMASIM_VTD : DMASIM_NO_IOMMU });
}

static void measure(const struct flow *row)
{
	printf("| %-42s |", row->name);
	for (u32 mode = 0; mode < MODE_COUNT; mode++) {
		struct flow_machine *bench = calloc(1, sizeof(*bench));

		must(bench, "no memory");
		init(bench, mode, !row->without_iommu);
		printf(" %9llu |", measure_ns(run_row, &(struct running){ row, bench }));
		fflush(stdout);
		flow_machine_fini(bench);
		free(bench);
	}
	printf("\n");
}

int main(int argc, char **argv)
{
	printf("Median of %d samples, ns per run\n\n| %-42s |", MEASURE_SAMPLES, "flow");
	for (u32 mode = 0; mode < MODE_COUNT; mode++)
		printf(" %9s |", mode_name[mode]);
	printf("\n| %.42s | --------: | --------: | --------: |\n",
	       "------------------------------------------");
	for (const struct flow *row = flows; row->name; row++)
		if (argc < 2 || strstr(row->name, argv[1]))
			measure(row);
	return 0;
}
