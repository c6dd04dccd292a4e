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

/* What this thread has had of a CPU. Dearer than the others. */
static inline u64 ticks_cpu_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (u64)used.tv_sec * 1000000000ULL + (u64)used.tv_nsec;
}

/* When the host was last looked at: to know how long it gave the CPU to others since. */
struct ticks_mark {
	u64 wall_ns;
	u64 cpu_ns;
};

static inline void ticks_mark(struct ticks_mark *mark)
{
	mark->wall_ns = ticks_ns();
	mark->cpu_ns = ticks_cpu_ns();
}

struct ticks {
	u64 per_ms;
	u64 overhead; /* between two readings with nothing between, the least seen */
	u64 step;     /* the least that two such intervals differ by: finer it cannot tell */
};

/* Takes some milliseconds. */
void ticks_init(struct ticks *ticks);

/*
 * Ticks that something took, without the time that others had the CPU since the mark, which is set
 * anew; short ones are left as they are, and so is the mark.
 */
u64 ticks_own(const struct ticks *ticks, struct ticks_mark *mark, u64 passed);

/* Picoseconds of so many ticks. */
static inline u64 ticks_ps(const struct ticks *ticks, u64 count)
{
	return count / ticks->per_ms * TICKS_PS_PER_MS +
	       count % ticks->per_ms * TICKS_PS_PER_MS / ticks->per_ms;
}

#endif
