/* SPDX-License-Identifier: MIT */
/*
 * One CPU ends what has a timer while another one runs that timer's work, in every order with one
 * preemption: nothing goes on afterwards.
 */
#include "support/expect.h"

#include "iova/flush_queue.h"
#include "workbench/iova_world.h"
#include "world/explore.h"

#define CPUS	    2
#define LAST_PFN    1000
#define MAGAZINE    127
#define LONG_ENOUGH (120ULL * 1000 * 1000) /* for any of the timers */
#define ADDED	    3

struct ending {
	struct iova_world *world;
	struct iova_allocator *allocator;
	struct flush_queue *fq;
	bool ended;
};

static void at_point(void *context, enum dmasim_point point)
{
	(void)point;
	if (schedule_is_running(context))
		schedule_point(context);
}

static bool at_held_lock(void *context, const bool *held)
{
	return schedule_wait(context, held);
}

static void pass_time(void *context)
{
	struct ending *ending = context;

	iova_world_advance(ending->world, LONG_ENOUGH);
}

/* begin: makes what has a timer, which is pending then. */
static void explore(void (*begin)(struct ending *ending), void (*end)(void *context), u64 runs)
{
	struct explorer *explorer = explorer_create(1);

	assert_non_null(explorer);
	while (explorer_next(explorer)) {
		struct ending ending = { .world = iova_world_create(CPUS) };
		const struct schedule_task task[] = {
			{ .run = pass_time, .context = &ending, .cpu = 0 },
			{ .run = end, .context = &ending, .cpu = 1 },
		};
		struct schedule schedule;

		begin(&ending);
		expect_u64(iova_world_counts(ending.world)->pending_timers, 1);
		schedule_init(&schedule, &iova_world_platform(ending.world)->cpu);
		iova_world_step(ending.world, at_point, &schedule);
		iova_world_wait(ending.world, at_held_lock);
		expect_ok(schedule_run(&schedule, task, 2, explorer_chooser(explorer)));
		if (iova_world_destroy(ending.world))
			fail_msg("choices %s: something is left", schedule_choices(&schedule));
		schedule_fini(&schedule);
	}
	assert_true(explorer_counts(explorer).runs >= runs);
	explorer_destroy(explorer);
}

/* ---- The depot of "linux" -------------------------------------------------------------------- */

/* More full magazines than stay. */
static void fill_depot(struct ending *ending)
{
	const struct iova_allocator_ops *ops = dmasim_iova_linux();
	u64 pfn[6 * MAGAZINE];

	ending->allocator = ops->create(&(struct iova_allocator_config){
		.platform = iova_world_platform(ending->world),
		.cpus = CPUS,
		.granule_lg2 = 12,
		.start_pfn = 1,
		.last_pfn = LAST_PFN,
	});
	assert_non_null(ending->allocator);
	for (u32 i = 0; i < 6 * MAGAZINE; i++)
		pfn[i] = ops->alloc(ending->allocator, 1, LAST_PFN, IOVA_CACHE);
	for (u32 i = 0; i < 6 * MAGAZINE; i++)
		ops->free(ending->allocator, pfn[i], 1, IOVA_CACHE);
}

static void destroy_allocator(void *context)
{
	struct ending *ending = context;

	dmasim_iova_linux()->destroy(ending->allocator);
}

static void the_depot_is_not_trimmed_after_its_end(void **state)
{
	(void)state;
	explore(fill_depot, destroy_allocator, 100);
}

/* ---- The flush queue ------------------------------------------------------------------------- */

static int flush(void *domain)
{
	struct ending *ending = domain;

	assert_false(ending->ended);
	return 0;
}

static void release(void *domain, u64 iova, u64 bytes, struct page *tables, bool cached)
{
	struct ending *ending = domain;

	(void)iova, (void)bytes, (void)tables, (void)cached;
	assert_false(ending->ended);
}

static void forget(void *domain, struct page *tables)
{
	(void)domain, (void)tables;
}

static void fill_queue(struct ending *ending)
{
	static const struct flush_queue_ops ops = { .flush = flush, .release = release };

	ending->fq = flush_queue_create(&(struct flush_queue_config){
		.platform = iova_world_platform(ending->world),
		.ops = &ops,
		.domain = ending,
		.cpus = CPUS,
		.entries = 8,
	});
	assert_non_null(ending->fq);
	for (u64 i = 0; i < ADDED; i++)
		flush_queue_add(ending->fq, i << 12, 1 << 12, NULL);
}

static void destroy_queue(void *context)
{
	struct ending *ending = context;

	flush_queue_destroy(ending->fq, forget);
	ending->ended = true;
}

static void the_queue_does_not_flush_after_its_end(void **state)
{
	(void)state;
	explore(fill_queue, destroy_queue, 10);
}

TEST_MAIN(cmocka_unit_test(the_depot_is_not_trimmed_after_its_end),
	  cmocka_unit_test(the_queue_does_not_flush_after_its_end))
