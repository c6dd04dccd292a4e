/* SPDX-License-Identifier: MIT */
/*
 * Measuring: how long one run takes, as a median over samples.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <dmasim/types.h>

#define MEASURE_SAMPLES 31

/* Ends the program where a benchmark does not do what it measures. */
void must(bool condition, const char *what);

/* Nanoseconds of one run. A warm-up of half a millisecond says how often it fits into a sample. */
u64 measure_ns(void (*run)(void *cookie), void *cookie);

#endif
