/* SPDX-License-Identifier: MIT */
/*
 * The host's clock, for measuring: the one place where the workbench asks for real time. On x86-64
 * it is the time-stamp counter between fences, so that what is timed has begun and ended; elsewhere
 * the monotonic clock.
 */
#ifndef WORKBENCH_TICKS_H
#define WORKBENCH_TICKS_H

#include <time.h>

#include <dmasim/types.h>

#define TICKS_NS_PER_MS 1000000ULL
#define TICKS_PS_PER_MS 1000000000ULL

static inline u64 ticks_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * 1000000000ULL + (u64)now.tv_nsec;
}

static inline u64 ticks_now(void)
{
#ifdef __x86_64__
	u64 ticks;

	__builtin_ia32_lfence();
	ticks = __builtin_ia32_rdtsc();
	__builtin_ia32_lfence();
	return ticks;
#else
	return ticks_ns();
#endif
}

struct ticks {
	u64 per_ms;
	u64 overhead; /* between two readings with nothing between, the least seen */
	u64 step;     /* the least that two such intervals differ by: finer it cannot tell */
};

/* Takes some milliseconds. */
void ticks_init(struct ticks *ticks);

/* Picoseconds of so many ticks. */
static inline u64 ticks_ps(const struct ticks *ticks, u64 count)
{
	return count / ticks->per_ms * TICKS_PS_PER_MS +
	       count % ticks->per_ms * TICKS_PS_PER_MS / ticks->per_ms;
}

#endif
