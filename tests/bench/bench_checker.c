/* SPDX-License-Identifier: MIT */
/*
 * What the checker costs: each flow with it off and on, in turns, for each architecture and policy.
 *
 * Columns: nanoseconds of one run, medians: off; on, but memory is not compared (no_watch); and on;
 * and how many times each of the latter is the first.
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
	{ "SMMUv3, strict", { DMASIM_CONFIG, .iommu = DMASIM_SMMUV3, .policy = DMASIM_STRICT } },
	{ "RISC-V, strict", { DMASIM_CONFIG, .iommu = DMASIM_RISCV, .policy = DMASIM_STRICT } },
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

enum checked {
	NOT,
	UNWATCHED,
	ALL,
	WAYS,
};

static struct running start(const struct flow *flow, const struct mode *mode, enum checked checked)
{
	struct running running = { flow, calloc(1, sizeof(*running.machine)) };
	struct dmasim_config config = mode->config;

	must(running.machine, "no memory");
	config.no_check = checked == NOT;
	config.no_watch = checked == UNWATCHED;
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

static void print_times(u64 ns, u64 of)
{
	printf(" %7llu | %3llu.%02llu |", ns, ns / of, ns * 100 / of % 100);
}

/* A slow minute of the host is slow for all. */
static void measure(const struct flow *flow, const struct mode *mode)
{
	struct running running[WAYS];
	u64 ns[WAYS][TURNS];

	for (enum checked way = NOT; way < WAYS; way++)
		running[way] = start(flow, mode, way);
	for (u32 turn = 0; turn < TURNS; turn++) {
		for (enum checked way = NOT; way < WAYS; way++)
			ns[way][turn] = measure_ns(run, &running[way]);
	}
	for (enum checked way = NOT; way < WAYS; way++) {
		qsort(ns[way], TURNS, sizeof(ns[way][0]), compare);
		end(&running[way]);
	}
	printf("| %-34s | %-14s | %7llu |", flow->name, mode->name, ns[NOT][TURNS / 2]);
	print_times(ns[UNWATCHED][TURNS / 2], ns[NOT][TURNS / 2]);
	print_times(ns[ALL][TURNS / 2], ns[NOT][TURNS / 2]);
	printf("\n");
	fflush(stdout);
}

/* Those that have an IOMMU's rows and those that have not are the same calls. */
static bool is_wanted(const struct flow *flow, int argc, char **argv)
{
	return !flow->without_iommu && strcmp(flow->name, flows[0].name) &&
	       (argc < 2 || strstr(flow->name, argv[1]));
}

int main(int argc, char **argv)
{
	printf("| flow                               | mode           |     off | unwatch |  times "
	       "|"
	       "      on |  times |\n"
	       "| ---------------------------------- | -------------- | ------: | ------: | -----: "
	       "|"
	       " ------: | -----: |\n");
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
