/* SPDX-License-Identifier: MIT */
/*
 * The workbench's platform without a machine: memory that is counted and fails, time, CPUs,
 * preemption points.
 */
#include "support/expect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <dmasim/lock.h>

#include "workbench/iova_world.h"

#define NODE DMASIM_FAULT_IOVA_NODE

static int setup(void **state)
{
	*state = iova_world_create(3);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	return iova_world_destroy(*state) ? -1 : 0;
}

static void memory_is_zeroed_and_counted(void **state)
{
	const struct iova_world_counts *counts = iova_world_counts(*state);
	struct platform *p = iova_world_platform(*state);
	static const u8 zeroes[100];
	void *a, *b;

	a = platform_alloc(p, NODE, 100);
	b = platform_alloc(p, DMASIM_FAULT_IOVA_DOMAIN, 7);
	assert_memory_equal(a, zeroes, 100);
	expect_u64((uintptr_t)a % 16, 0);
	expect_u64(counts->live_blocks, 2);
	expect_u64(counts->live_bytes, 107);
	expect_u64(counts->live_of[NODE], 1);
	expect_u64(counts->bytes_of[NODE], 100);
	memset(a, 0xff, 100);
	platform_free(p, a);
	platform_free(p, NULL);
	expect_u64(counts->bytes_of[NODE], 0);
	a = platform_alloc(p, NODE, 100);
	assert_memory_equal(a, zeroes, 100);
	platform_free(p, b);
	platform_free(p, a);
	expect_u64(counts->live_blocks, 0);
	expect_u64(counts->live_bytes, 0);
	expect_u64(counts->peak_bytes, 107);
	expect_u64(counts->allocations, 3);
	expect_u64(counts->frees, 3);
}

static void the_nth_allocation_fails_once(void **state)
{
	const struct iova_world_counts *counts = iova_world_counts(*state);
	struct platform *p = iova_world_platform(*state);
	void *memory[4];

	iova_world_fail(*state, NODE, 2);
	memory[0] = platform_alloc(p, NODE, 1);
	memory[1] = platform_alloc(p, DMASIM_FAULT_IOVA_DOMAIN, 1);
	assert_null(platform_alloc(p, NODE, 1));
	expect_u64(counts->failures, 1);
	memory[2] = platform_alloc(p, NODE, 1);
	iova_world_fail(*state, DMASIM_FAULT_ANY, 1);
	expect_u64(counts->failures, 0);
	assert_null(platform_alloc(p, DMASIM_FAULT_IOVA_DOMAIN, 1));
	iova_world_fail(*state, DMASIM_FAULT_ANY, 1);
	iova_world_fail(*state, DMASIM_FAULT_ANY, 0);
	memory[3] = platform_alloc(p, NODE, 1);
	expect_u64(counts->live_blocks, 4);
	for (int i = 0; i < 4; i++) {
		assert_non_null(memory[i]);
		platform_free(p, memory[i]);
	}
}

static void what_is_left_is_counted_at_the_end(void **state)
{
	struct iova_world *world = iova_world_create(1);
	struct platform *p = iova_world_platform(world);
	struct dmasim_timer timer = { 0 };

	(void)state;
	platform_alloc(p, NODE, 1);
	platform_alloc(p, NODE, 5);
	p->ops->timer_arm(p->machine, &timer, 1);
	expect_u64(iova_world_destroy(world), 3);
}

/* ---- Time ------------------------------------------------------------------------------------ */

struct probe {
	struct dmasim_timer timer; /* first, so that the callback finds the probe */
	struct iova_world *world;
	char *log;
	char name;
	u32 again;
};

static void fire(struct dmasim_timer *timer)
{
	struct probe *probe = (struct probe *)timer;
	struct platform *p = iova_world_platform(probe->world);

	assert_false(timer->pending);
	expect_u64(platform_now(p), timer->deadline_ns);
	strncat(probe->log, &probe->name, 1);
	if (probe->again) {
		probe->again--;
		p->ops->timer_arm(p->machine, timer, 0);
	}
}

static void timers_fire_in_the_order_of_their_deadlines(void **state)
{
	struct platform *p = iova_world_platform(*state);
	char log[16] = "";
	struct probe probe[4];

	for (int i = 0; i < 4; i++)
		probe[i] = (struct probe){
			.timer.fire = fire, .world = *state, .log = log, .name = "abcd"[i]
		};
	probe[0].again = 2;
	p->ops->timer_arm(p->machine, &probe[0].timer, 50);
	p->ops->timer_arm(p->machine, &probe[1].timer, 10);
	p->ops->timer_arm(p->machine, &probe[2].timer, 10);
	p->ops->timer_arm(p->machine, &probe[3].timer, 5);
	expect_u64(iova_world_counts(*state)->pending_timers, 4);
	/* Moved behind its equals, and one that never fires. */
	p->ops->timer_arm(p->machine, &probe[1].timer, 10);
	p->ops->timer_cancel(p->machine, &probe[3].timer);
	p->ops->timer_cancel(p->machine, &probe[3].timer);
	iova_world_advance(*state, 9);
	assert_string_equal(log, "");
	expect_u64(platform_now(p), 9);
	iova_world_advance(*state, 1);
	assert_string_equal(log, "cb");
	iova_world_advance(*state, 41);
	assert_string_equal(log, "cbaa");
	iova_world_advance(*state, 1);
	assert_string_equal(log, "cbaaa");
	expect_u64(iova_world_counts(*state)->pending_timers, 0);
}

/* ---- CPUs and points ------------------------------------------------------------------------- */

static void the_cpu_is_the_one_that_was_set(void **state)
{
	struct platform *p = iova_world_platform(*state);

	expect_u64(iova_world_cpus(*state), 3);
	expect_u64(p->cpu, 0);
	iova_world_set_cpu(*state, 2);
	expect_u64(p->cpu, 2);
}

static void count_locks(void *context, enum dmasim_point point)
{
	u64 *locks = context;

	*locks += point == DMASIM_POINT_LOCK;
}

static void points_are_counted_while_somebody_steps(void **state)
{
	const struct iova_world_counts *counts = iova_world_counts(*state);
	struct platform *p = iova_world_platform(*state);
	struct platform_lock lock = { 0 };
	u64 locks = 0;

	platform_lock(p, &lock);
	platform_unlock(p, &lock);
	expect_u64(counts->points, 0);
	iova_world_step(*state, NULL, NULL);
	platform_lock(p, &lock);
	platform_unlock(p, &lock);
	expect_u64(counts->points, 2);
	iova_world_step(*state, count_locks, &locks);
	platform_lock(p, &lock);
	platform_unlock(p, &lock);
	expect_u64(locks, 1);
	iova_world_run_freely(*state);
	platform_lock(p, &lock);
	platform_unlock(p, &lock);
	expect_u64(counts->points, 4);
	expect_u64(locks, 1);
}

/* Page frames, PCI and IOMMUs: nothing can be had, and nothing breaks. */
static void there_is_no_machine(void **state)
{
	struct platform *p = iova_world_platform(*state);
	const struct platform_report report = { 0 };
	const struct platform_context context = { 0 };

	expect_u64(platform_frames_alloc(p, DMASIM_FAULT_FRAMES, 1), PLATFORM_NO_PHYS);
	platform_frames_free(p, DMASIM_FAULT_FRAMES, 0, 1);
	assert_null(platform_ptr(p, 0));
	expect_u64(p->ops->phys(p->machine, p), PLATFORM_NO_PHYS);
	assert_null(p->ops->bar_ptr(p->machine, DMASIM_FAULT_BAR_CHUNK, 0, 1));
	expect_u64(p->ops->config_read(p->machine, 0, 0, 4), 0xffffffff);
	p->ops->config_write(p->machine, 0, 0, 4, 0);
	expect_u64(platform_firmware(p)->memory_count, 0);
	expect_error(p->ops->context_set(p->machine, 0, 0, &context), -ENOMEM);
	expect_error(p->ops->queue_submit(p->machine, 0, NULL, 0), -EINVAL);
	p->ops->queue_clear_error(p->machine, 0);
	expect_error(p->ops->queue_wait(p->machine, 0), -EINVAL);
	p->ops->cache_clean(p->machine, 0, 1);
	p->ops->cache_invalidate(p->machine, 0, 1);
	p->ops->cache_bypass(p->machine, 0, 1, true);
	expect_u64(p->ops->chance(p->machine, 7), 0);
	p->ops->event(p->machine, NULL);
	platform_report(p, &report);
	expect_u64(iova_world_counts(*state)->reports, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TEST_MAIN(TEST(memory_is_zeroed_and_counted), TEST(the_nth_allocation_fails_once),
	  TEST(what_is_left_is_counted_at_the_end),
	  TEST(timers_fire_in_the_order_of_their_deadlines), TEST(the_cpu_is_the_one_that_was_set),
	  TEST(points_are_counted_while_somebody_steps), TEST(there_is_no_machine))
