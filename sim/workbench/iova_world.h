/* SPDX-License-Identifier: MIT */
/*
 * A struct platform without a machine, for IOVA allocators: memory that is counted and can fail, a
 * virtual clock with timers, a CPU number, preemption points. What only a machine has (page frames,
 * PCI, IOMMUs) is absent: its functions fail or do nothing.
 */
#ifndef WORKBENCH_IOVA_WORLD_H
#define WORKBENCH_IOVA_WORLD_H

#include <dmasim/platform.h>

struct iova_world;

struct iova_world_counts {
	u64 live_blocks;
	u64 live_bytes; /* as asked for */
	u64 peak_bytes; /* the most that live_bytes has been */
	u64 allocations;
	u64 frees;
	u64 failures;			  /* allocations that failed on purpose */
	u64 live_of[DMASIM_FAULT_COUNT];  /* blocks of each fault point */
	u64 bytes_of[DMASIM_FAULT_COUNT]; /* their bytes */
	u64 pending_timers;
	u64 points;  /* preemption points passed while somebody stepped */
	u64 reports; /* mistakes the software told of */
};

/* At time 0, on CPU 0, with `cpus` of them (at least 1). NULL: no memory. */
struct iova_world *iova_world_create(u32 cpus);
/* Releases what is left. Returns how many blocks and pending timers that was. */
u64 iova_world_destroy(struct iova_world *world);

struct platform *iova_world_platform(struct iova_world *world);
u32 iova_world_cpus(const struct iova_world *world);
const struct iova_world_counts *iova_world_counts(const struct iova_world *world);

/*
 * The nth allocation from now fails, of this fault point or of DMASIM_FAULT_ANY, once; nth 0: none.
 * counts.failures begins at 0 again.
 */
void iova_world_fail(struct iova_world *world, enum dmasim_fault_point point, u64 nth);

/* The virtual CPU that runs from now on, below iova_world_cpus(). */
void iova_world_set_cpu(struct iova_world *world, u32 cpu);

/*
 * Lets time pass. Timers fire at their deadlines, in the order of these and then of their arming;
 * one that is armed without delay fires a nanosecond later.
 */
void iova_world_advance(struct iova_world *world, u64 duration_ns);

/* Called at every preemption point from now on, after it was counted. */
typedef void (*iova_world_hook)(void *context, enum dmasim_point point);

/* Begins to count points (hook may be NULL); iova_world_run_freely() ends it. */
void iova_world_step(struct iova_world *world, iova_world_hook hook, void *context);
void iova_world_run_freely(struct iova_world *world);
/*
 * While somebody steps: where a lock is held, this lets others run until *held is false. False:
 * there are none. It has the context of iova_world_step().
 */
void iova_world_wait(struct iova_world *world, bool (*wait)(void *context, const bool *held));

#endif
