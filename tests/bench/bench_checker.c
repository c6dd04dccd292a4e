/* SPDX-License-Identifier: MIT */
/*
 * What the checker costs: each flow with it off and on, in turns, for each architecture and policy.
 *
 * Columns: nanoseconds of one run, off and on, medians; and how many times the second is the first.
 * Nothing here passes or fails by time. Usage: bench_checker [part of a flow's name]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/flows.h"
#include "bench/measure.h"

#define TURNS 5

static const struct mode {
	const char *name;
	struct dmasim_config config;
} modes[] = {
	{ "VT-d, strict", { DMASIM_CONFIG, .iommu = DMASIM_VTD, .policy = DMASIM_STRICT } },
	{ "VT-d, lazy", { DMASIM_CONFIG, .iommu = DMASIM_VTD, .policy = DMASIM_LAZY } },
	{ "AMD, strict", { DMASIM_CONFIG, .iommu = DMASIM_AMD_VI, .policy = DMASIM_STRICT } },
	{ "AMD, lazy", { DMASIM_CONFIG, .iommu = DMASIM_AMD_VI, .policy = DMASIM_LAZY } },
	{ "no IOMMU", { DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU } },
};

struct running {
	const struct flow *flow;
	struct flow_machine *machine;
};

static void run(void *cookie)
{
	const struct running *running = cookie;

	running->flow->run(running->machine);
}

static struct running start(const struct flow *flow, const struct mode *mode, bool checked)
{
	struct running running = { flow, calloc(1, sizeof(*running.machine)) };
	struct dmasim_config config = mode->config;

	must(running.machine, "no memory");
	config.no_check = !checked;
	flow_machine_init(running.machine, &config);
	return running;
}

static void end(struct running *running)
{
	flow_machine_fini(running->machine);
	free(running->machine);
}

static int compare(const void *a, const void *b)
{
	u64 one = *(const u64 *)a, two = *(const u64 *)b;

	return one < two ? -1 : one > two;
}

/* A slow minute of the host is slow for both. */
static void measure(const struct flow *flow, const struct mode *mode)
{
	struct running off = start(flow, mode, false), on = start(flow, mode, true);
	u64 ns[2][TURNS];

	for (u32 turn = 0; turn < TURNS; turn++) {
		ns[0][turn] = measure_ns(run, &off);
		ns[1][turn] = measure_ns(run, &on);
	}
	for (u32 i = 0; i < 2; i++)
		qsort(ns[i], TURNS, sizeof(ns[i][0]), compare);
	printf("| %-34s | %-12s | %7llu | %7llu | %3llu.%02llu |\n", flow->name, mode->name,
	       ns[0][TURNS / 2], ns[1][TURNS / 2], ns[1][TURNS / 2] / ns[0][TURNS / 2],
	       ns[1][TURNS / 2] * 100 / ns[0][TURNS / 2] % 100);
	fflush(stdout);
	end(&off);
	end(&on);
}

/* Those that have an IOMMU's rows and those that have not are the same calls. */
static bool is_wanted(const struct flow *flow, int argc, char **argv)
{
	return !flow->without_iommu && strcmp(flow->name, flows[0].name) &&
	       (argc < 2 || strstr(flow->name, argv[1]));
}

int main(int argc, char **argv)
{
	printf("| flow                               | mode         |     off |      on |  times "
	       "|\n"
	       "| ---------------------------------- | ------------ | ------: | ------: | -----: "
	       "|\n");
	for (const struct flow *flow = flows; flow->name; flow++) {
		for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
			bool two_step = strstr(flow->name, "two steps");

			/* Without an IOMMU there are no two steps. */
			if (is_wanted(flow, argc, argv) &&
			    !(two_step && modes[i].config.iommu == DMASIM_NO_IOMMU))
				measure(flow, &modes[i]);
		}
	}
	return 0;
}
