/* SPDX-License-Identifier: MIT */
/*
 * Virtual CPUs at once: turns, choices and their replay, timers in between, locks, deadlocks.
 */
#include "support/examples.h"
#include "unit/api/machines.h"

#include <dmasim/kernel.h>
#include <dmasim/lock.h>

#define MS 1000000ULL

struct job {
	struct rig *rig;
	phys_addr_t phys;
	dma_addr_t dma;
	u32 times;
	u64 ended_ns;
};

/* Maps, writes through, unmaps; so often. */
static void map_and_unmap(struct dmasim *s, void *context)
{
	struct job *job = context;
	struct device *dev = &job->rig->nvme->dev;
	u8 byte = 1;

	for (u32 i = 0; i < job->times; i++) {
		job->dma = dma_map_phys(dev, job->phys, SZ_4K, DMA_BIDIRECTIONAL, 0);
		dmasim_dev_write(job->rig->nvme, job->dma, &byte, 1);
		dma_unmap_phys(dev, job->dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	}
	job->ended_ns = dmasim_now(s);
}

static void do_nothing(struct dmasim *s, void *context)
{
	(void)s;
	(void)context;
}

struct jobs {
	struct job job[4];
	struct dmasim_task task[4];
};

static void jobs_init(struct jobs *jobs, struct rig *rig, u32 times)
{
	for (u32 i = 0; i < 4; i++) {
		jobs->job[i] = (struct job){ rig, ram(rig, SZ_4K), 0, times, 0 };
		jobs->task[i] = (struct dmasim_task){ map_and_unmap, &jobs->job[i] };
	}
}

static int setup_hashed(void **state)
{
	return rig_setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .policy = DMASIM_LAZY,
							      .trace_hash = true });
}

static int setup_lazy(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .policy = DMASIM_LAZY });
}

/* ---- Turns ----------------------------------------------------------------------------------- */

static void in_order_no_task_is_interrupted(void **state)
{
	struct rig *rig = *state;
	struct jobs jobs;

	jobs_init(&jobs, rig, 1);
	expect_ok(dmasim_run_cpus(rig->s, jobs.task, 4, &(struct dmasim_schedule){ 0 }));
	/* At the start of each but the last there is a choice. */
	assert_memory_equal(dmasim_choices(rig->s), "0", 1);
	for (u32 i = 0; i < 4; i++)
		assert_true(jobs.job[i].dma != 0);
	dmasim_assert_clean(rig->s);
}

static void before_the_first_run_there_are_no_choices(void **state)
{
	struct rig *rig = *state;

	assert_string_equal(dmasim_choices(rig->s), "");
}

static u64 hash_of(const struct dmasim_schedule *how, u32 count, char *choices, size_t size)
{
	struct rig *rig;
	void *state;
	struct jobs jobs;
	u64 hash;

	expect_u64((u64)setup_hashed(&state), 0);
	rig = state;
	jobs_init(&jobs, rig, 3);
	expect_ok(dmasim_run_cpus(rig->s, jobs.task, count, how));
	snprintf(choices, size, "%s", dmasim_choices(rig->s));
	hash = dmasim_trace_hash(rig->s);
	dmasim_assert_clean(rig->s);
	expect_u64((u64)rig_teardown(&state), 0);
	return hash;
}

static void a_seed_gives_an_interleaving_and_its_choices_give_it_again(void **state)
{
	u64 first = 0;
	u32 others = 0;

	(void)state;
	for (u64 seed = 1; seed <= 20; seed++) {
		char choices[2048], again[2048];
		struct dmasim_schedule how = { .seed = seed, .timers = 2 };
		u64 hash = hash_of(&how, 4, choices, sizeof(choices));

		expect_u64(hash_of(&how, 4, again, sizeof(again)), hash);
		assert_string_equal(again, choices);
		how = (struct dmasim_schedule){ .choices = choices, .timers = 2 };
		expect_u64(hash_of(&how, 4, again, sizeof(again)), hash);
		assert_string_equal(again, choices);
		first = seed == 1 ? hash : first;
		others += hash != first;
	}
	expect_u64(others, 19);
}

static void choices_that_do_not_fit_are_refused(void **state)
{
	struct rig *rig = *state;
	struct jobs jobs;

	jobs_init(&jobs, rig, 1);
	expect_error(
		dmasim_run_cpus(rig->s, jobs.task, 2, &(struct dmasim_schedule){ .choices = "3" }),
		-EINVAL);
	expect_error(
		dmasim_run_cpus(rig->s, jobs.task, 2, &(struct dmasim_schedule){ .choices = "x" }),
		-EINVAL);
	dmasim_assert_clean(rig->s);
}

static void each_task_has_its_cpu_and_the_program_keeps_its_own(void **state)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *file = open_memstream(&text, &bytes);
	struct rig rig;
	struct jobs jobs;

	(void)state;
	assert_non_null(file);
	rig_init(&rig, &(struct dmasim_config){ DMASIM_CONFIG, .trace = file });
	dmasim_set_cpu(rig.s, 3);
	jobs_init(&jobs, &rig, 1);
	expect_ok(dmasim_run_cpus(rig.s, jobs.task, 2, &(struct dmasim_schedule){ 0 }));
	map_and_unmap(rig.s, &jobs.job[2]);
	rig_fini(&rig);
	fclose(file);
	assert_non_null(strstr(text, " cpu=0 dma_map_phys "));
	assert_non_null(strstr(text, " cpu=1 dma_map_phys "));
	assert_null(strstr(text, " cpu=2 "));
	assert_non_null(strstr(text, " cpu=3 dma_map_phys "));
	free(text);
}

/* ---- Timers ---------------------------------------------------------------------------------- */

static void a_timer_fires_whenever_it_is_chosen(void **state)
{
	struct rig *rig = *state;
	struct jobs jobs;

	jobs_init(&jobs, rig, 1);
	map_and_unmap(rig->s, &jobs.job[0]);
	/* The flush queue's timer is the last task: here it is first. */
	expect_ok(dmasim_run_cpus(
		rig->s, jobs.task, 1,
		&(struct dmasim_schedule){ .choices = "1111111111111111", .timers = 1 }));
	expect_u64(jobs.job[0].ended_ns, 10 * MS);
	expect_u64(dmasim_now(rig->s), 10 * MS);
	/* Nobody lets it. */
	expect_ok(dmasim_run_cpus(rig->s, jobs.task, 1, &(struct dmasim_schedule){ 0 }));
	expect_u64(dmasim_now(rig->s), 10 * MS);
	dmasim_assert_clean(rig->s);
}

/* ---- Explorers ------------------------------------------------------------------------------- */

static void an_explorer_counts_the_orders_of_tasks_without_points(void **state)
{
	struct rig *rig = *state;
	struct dmasim_explorer *explorer = dmasim_explorer_create(DMASIM_ALL_PREEMPTIONS);
	const struct dmasim_task task[] = { { do_nothing, NULL },
					    { do_nothing, NULL },
					    { do_nothing, NULL } };
	u64 runs = 0;

	assert_non_null(explorer);
	while (dmasim_explorer_next(explorer)) {
		expect_u64(dmasim_explorer_runs(explorer), runs);
		assert_false(dmasim_explorer_complete(explorer));
		expect_ok(dmasim_run_cpus(rig->s, task, 3,
					  &(struct dmasim_schedule){ .explorer = explorer }));
		runs++;
	}
	/* 3! */
	expect_u64(runs, 6);
	expect_u64(dmasim_explorer_runs(explorer), 6);
	assert_true(dmasim_explorer_complete(explorer));
	assert_false(dmasim_explorer_next(explorer));
	dmasim_explorer_destroy(explorer);
	dmasim_explorer_destroy(NULL);
}

static void the_environment_names_the_only_run(void **state)
{
	struct rig *rig = *state;
	struct dmasim_explorer *explorer;
	const struct dmasim_task task[] = { { do_nothing, NULL }, { do_nothing, NULL } };

	setenv("DMASIM_CHOICES", "1", 1);
	explorer = dmasim_explorer_create(0);
	assert_non_null(explorer);
	assert_true(dmasim_explorer_next(explorer));
	expect_ok(dmasim_run_cpus(rig->s, task, 2,
				  &(struct dmasim_schedule){ .explorer = explorer }));
	assert_string_equal(dmasim_choices(rig->s), "1");
	assert_false(dmasim_explorer_next(explorer));
	expect_u64(dmasim_explorer_runs(explorer), 1);
	assert_false(dmasim_explorer_complete(explorer));
	dmasim_explorer_destroy(explorer);
	unsetenv("DMASIM_CHOICES");
}

/* ---- Locks: an allocator of one's own -------------------------------------------------------- */

/* Two locks around another allocator, taken in one order or in two. */
struct locked {
	const struct iova_allocator_ops *inner;
	struct iova_allocator *allocator;
	struct platform *platform;
	struct platform_lock lock[2];
	bool crossed;
};

static struct iova_allocator *locked_create(const struct iova_allocator_config *config)
{
	const bool *crossed = config->context;
	struct iova_allocator_config inner = *config;
	struct locked *locked =
		platform_alloc(config->platform, DMASIM_FAULT_IOVA_DOMAIN, sizeof(*locked));

	if (!locked)
		return NULL;
	locked->inner = dmasim_iova_exact();
	locked->platform = config->platform;
	locked->crossed = *crossed;
	inner.context = locked->inner->context;
	locked->allocator = locked->inner->create(&inner);
	assert_non_null(locked->allocator);
	return (struct iova_allocator *)locked;
}

static void locked_destroy(struct iova_allocator *allocator)
{
	struct locked *locked = (struct locked *)allocator;

	locked->inner->destroy(locked->allocator);
	platform_free(locked->platform, locked);
}

static void lock_both(struct locked *locked, u32 first)
{
	platform_lock(locked->platform, &locked->lock[first]);
	platform_lock(locked->platform, &locked->lock[1 - first]);
}

static void unlock_both(struct locked *locked)
{
	platform_unlock(locked->platform, &locked->lock[0]);
	platform_unlock(locked->platform, &locked->lock[1]);
}

static u64 locked_alloc(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u32 how)
{
	struct locked *locked = (struct locked *)allocator;
	u64 pfn;

	lock_both(locked, 0);
	pfn = locked->inner->alloc(locked->allocator, pages, limit_pfn, how);
	unlock_both(locked);
	return pfn;
}

static void locked_free(struct iova_allocator *allocator, u64 pfn, u64 pages, u32 how)
{
	struct locked *locked = (struct locked *)allocator;

	lock_both(locked, locked->crossed ? 1 : 0);
	locked->inner->free(locked->allocator, pfn, pages, how);
	unlock_both(locked);
}

static int locked_reserve(struct iova_allocator *allocator, u64 first_pfn, u64 last_pfn)
{
	struct locked *locked = (struct locked *)allocator;

	return locked->inner->reserve(locked->allocator, first_pfn, last_pfn);
}

/* Runs two CPUs until one order of turns stops them all; the number of orders tried. */
static u64 find_deadlock(bool crossed, bool *found)
{
	const struct iova_allocator_ops ops = {
		.size = sizeof(ops),
		.name = "locked",
		.context = &crossed,
		.create = locked_create,
		.destroy = locked_destroy,
		.alloc = locked_alloc,
		.free = locked_free,
		.reserve = locked_reserve,
	};
	struct dmasim_explorer *explorer = dmasim_explorer_create(1);
	u64 runs;

	assert_non_null(explorer);
	*found = false;
	while (!*found && dmasim_explorer_next(explorer)) {
		struct rig rig;
		struct jobs jobs;
		int err;

		rig_init(&rig, &(struct dmasim_config){ DMASIM_CONFIG, .iova_ops = &ops });
		jobs_init(&jobs, &rig, 1);
		err = dmasim_run_cpus(rig.s, jobs.task, 2,
				      &(struct dmasim_schedule){ .explorer = explorer });
		*found = err == -EDEADLK;
		if (*found) {
			dmasim_suppress(rig.s, DMASIM_REPORT_MAPPING_LEAKED);
			expect_u64(count_reports(rig.s, DMASIM_REPORT_DEADLOCK), 1);
			/* What ran is left as it is: the end of the machine is all that is left. */
			examples_of(rig.s);
			dmasim_destroy(rig.s);
		} else {
			expect_ok(err);
			dmasim_assert_clean(rig.s);
			rig_fini(&rig);
		}
	}
	runs = dmasim_explorer_runs(explorer);
	dmasim_explorer_destroy(explorer);
	return runs;
}

static void a_deadlock_is_found_and_reported(void **state)
{
	bool found;

	(void)state;
	assert_true(find_deadlock(true, &found) < 1000);
	assert_true(found);
}

static void locks_in_one_order_never_stop_all(void **state)
{
	bool found;

	(void)state;
	assert_true(find_deadlock(false, &found) > 20);
	assert_false(found);
}

/* ---- Locks: a driver's ----------------------------------------------------------------------- */

struct driver {
	struct rig *rig;
	spinlock_t lock;
	phys_addr_t phys;
	u32 inside; /* CPUs that hold the lock */
	u32 most;
	u32 waited;
};

/* An allocator without caches: after a map and its unmap it is as it was. */
static int setup_uncached(void **state)
{
	return rig_setup_with(
		state, &(struct dmasim_config){ DMASIM_CONFIG, .iova_ops = dmasim_iova_bitmap() });
}

/* It maps while it holds its lock, where other CPUs may step in. */
static void map_under_lock(struct dmasim *s, void *context)
{
	struct driver *driver = context;
	struct device *dev = &driver->rig->nvme->dev;
	dma_addr_t dma;

	(void)s;
	driver->waited += driver->lock.held;
	spin_lock(&driver->lock);
	driver->inside++;
	driver->most = driver->inside > driver->most ? driver->inside : driver->most;
	dma = dma_map_phys(dev, driver->phys, SZ_4K, DMA_TO_DEVICE, 0);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	driver->inside--;
	spin_unlock(&driver->lock);
}

static void a_drivers_lock_keeps_other_cpus_out(void **state)
{
	struct rig *rig = *state;
	struct driver driver = { .rig = rig, .phys = ram(rig, SZ_4K) };
	struct dmasim_explorer *explorer = dmasim_explorer_create(1);
	const struct dmasim_task task[] = { { map_under_lock, &driver },
					    { map_under_lock, &driver } };

	assert_non_null(explorer);
	dmasim_enter(rig->s);
	/* Mapped and unmapped before: each run finds the machine the same. */
	map_under_lock(rig->s, &driver);
	while (dmasim_explorer_next(explorer))
		expect_ok(dmasim_run_cpus(rig->s, task, 2,
					  &(struct dmasim_schedule){ .explorer = explorer }));
	assert_true(dmasim_explorer_complete(explorer));
	dmasim_explorer_destroy(explorer);
	assert_true(driver.waited > 10);
	expect_u64(driver.most, 1);
	assert_false(driver.lock.held);
	/* Alone, it would wait for ever. */
	dmasim_expect(rig->s, DMASIM_REPORT_KERNEL_MISUSE, 1);
	spin_lock(&driver.lock);
	spin_lock(&driver.lock);
	spin_unlock(&driver.lock);
	assert_true(driver.lock.held);
	spin_unlock(&driver.lock);
	assert_false(driver.lock.held);
	dmasim_assert_clean(rig->s);
	dmasim_enter(NULL);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup_lazy, rig_teardown)

TEST_MAIN(T(in_order_no_task_is_interrupted), T(before_the_first_run_there_are_no_choices),
	  cmocka_unit_test(a_seed_gives_an_interleaving_and_its_choices_give_it_again),
	  T(choices_that_do_not_fit_are_refused),
	  cmocka_unit_test(each_task_has_its_cpu_and_the_program_keeps_its_own),
	  T(a_timer_fires_whenever_it_is_chosen),
	  T(an_explorer_counts_the_orders_of_tasks_without_points),
	  T(the_environment_names_the_only_run), cmocka_unit_test(a_deadlock_is_found_and_reported),
	  cmocka_unit_test(locks_in_one_order_never_stop_all),
	  cmocka_unit_test_setup_teardown(a_drivers_lock_keeps_other_cpus_out, setup_uncached,
					  rig_teardown))
