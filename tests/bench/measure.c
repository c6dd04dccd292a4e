/* SPDX-License-Identifier: MIT */
#include "bench/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SAMPLE_NS 500000

void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "benchmark: %s\n", what);
	exit(1);
}

static u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * 1000000000ULL + (u64)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	u64 one = *(const u64 *)a, two = *(const u64 *)b;

	return one < two ? -1 : one > two;
}

static u32 repetitions(void (*run)(void *cookie), void *cookie)
{
	u64 start = now_ns();
	u32 count = 0;

	while (now_ns() - start < SAMPLE_NS) {
		run(cookie);
		count++;
	}
	return count;
}

u64 measure_ns(void (*run)(void *cookie), void *cookie)
{
	u32 count = repetitions(run, cookie);
	u64 sample[MEASURE_SAMPLES];

	for (u32 i = 0; i < MEASURE_SAMPLES; i++) {
		u64 start = now_ns();

		for (u32 k = 0; k < count; k++)
			run(cookie);
		sample[i] = (now_ns() - start) / count;
	}
	qsort(sample, MEASURE_SAMPLES, sizeof(sample[0]), compare);
	return sample[MEASURE_SAMPLES / 2];
}
