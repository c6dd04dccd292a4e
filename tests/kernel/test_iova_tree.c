/* SPDX-License-Identifier: MIT */
/*
 * Linux's own IOVA allocator (-Dkernel_source) beside what claims to do the same: the allocator
 * "linux", and the rules written out that other tests judge with. DMASIM_SEED is the seed of the
 * first run of each test; the others count on from it.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dmasim/workbench.h>

#include "in_step.h"
#include "iova_subject_tree.h"
#include "iova_tree.h"
#include "property/seeds.h"
#include "unit/os/iova_vectors.h"
#include "workbench/iova_world.h"

/* Operations of each test, full count. */
#define FAST_STEPS 10000000
#define SLOW_STEPS 1000000
#define RULE_STEPS 200000

static const char *missing(void)
{
	return dmasim_iova_tree() ? NULL
				  : "no kernel tree was given: ./tests/run --all installs one, or "
				    "meson configure build -Dkernel_source=FOLDER";
}

/* ---- Workloads ------------------------------------------------------------------------------- */

/* Small sizes through the caches, up to tens of thousands live: magazines, depots, trims. */
static const struct workload cached = {
	.steps = 50000,
	.live_max = LIVE_MAX,
	.fast_percent = 100,
	.odd_limit_percent = 10,
	.find_permille = 5,
	.pass_permille = 1,
	.narrow_percent = 30,
};

/* Both ways, reserved ranges at the start and in between. */
static const struct workload mixed = {
	.steps = 20000,
	.live_max = 4096,
	.fast_percent = 60,
	.unaligned_percent = 20,
	.odd_limit_percent = 20,
	.reserve_permille = 3,
	.find_permille = 20,
	.pass_permille = 2,
	.misfree_permille = 3,
	.narrow_percent = 30,
};

/* Without the caches, odd sizes, spaces that fill up and fall to pieces. */
static const struct workload ageing = {
	.steps = 15000,
	.live_max = 4096,
	.unaligned_percent = 50,
	.odd_limit_percent = 10,
	.reserve_permille = 1,
	.find_permille = 10,
	.misfree_permille = 5,
	.narrow_percent = 50,
	.odd_sizes = true,
};

/* The same, asked for what cannot be. */
static const struct workload adversary = {
	.steps = 10000,
	.live_max = 4096,
	.fast_percent = 10,
	.unaligned_percent = 50,
	.odd_limit_percent = 50,
	.reserve_permille = 5,
	.find_permille = 10,
	.pass_permille = 1,
	.misfree_permille = 10,
	.narrow_percent = 60,
	.odd_sizes = true,
	.impossible_limits = true,
};

/* Runs until all operations are done. */
static void stay_in_step(const struct iova_subject_ops *other, const struct workload *workload,
			 u32 steps_full)
{
	struct in_step *run = malloc(sizeof(*run));
	u64 first = test_seed(1);
	u32 steps = scaled(steps_full), runs = 0;

	assert_non_null(run);
	in_step_init(run, &iova_subject_tree, other);
	for (u32 done = 0; done < steps; done += workload->steps, runs++) {
		/* Should it crash. */
		seed_failed(first + runs);
		if (in_step_run(run, workload, first + runs))
			continue;
		print_error("seed 0x%llx, the tree is the first:\n", first + runs);
		in_step_explain(run);
		fail();
	}
	seed_failed(first);
	print_message("# %u runs from seed 0x%llx: %llu placed, %llu refused; %llu in caches, "
		      "%llu trims\n",
		      runs, first, run->placed, run->refused, run->most_cached, run->trims);
	/* A few runs need not have seen it all. */
	if (runs >= 20) {
		assert_true(run->placed > 0 && run->refused > 0);
		assert_true(run->most_cached > 0 || !workload->fast_percent);
		assert_true(run->trims > 0 || workload->fast_percent < 100);
	}
	in_step_fini(run);
	free(run);
}

/* ---- The tree, and what other tests judge with ----------------------------------------------- */

/* The stand-ins for the kernel around it change nothing. */
static void the_tree_gives_what_was_recorded_of_it(void **state)
{
	meet_the_vectors(*state);
}

/* The rules search a sorted array, so there is less of it. */
static void rules_in_step(struct workload workload)
{
	workload.steps /= 4;
	workload.live_max /= 8;
	stay_in_step(&iova_subject_rules, &workload, RULE_STEPS);
}

/*
 * trust: Linux's rules for IOVAs as tests judge by them, with caches
 * | Linux's own code: iova.c of 6.12 and 7.3, compiled beside ours
 */
static void the_rules_written_out_do_what_the_tree_does_with_caches(void **state)
{
	(void)state;
	rules_in_step(cached);
	rules_in_step(mixed);
}

/*
 * trust: the same rules without caches, and for impossible requests
 * | Linux's own code: iova.c of 6.12 and 7.3, compiled beside ours
 */
static void the_rules_written_out_do_what_the_tree_does_without_caches(void **state)
{
	(void)state;
	rules_in_step(ageing);
	rules_in_step(adversary);
}

/* One that forgets its failures. */
static u64 forgetful_alloc(struct iova_subject *subject, u64 size, u64 limit, u32 align_lg2)
{
	u64 pfn = iova_subject_rules.alloc(subject, size, limit, align_lg2);

	subject->rules->max32 = subject->rules->boundary;
	return pfn;
}

static void one_that_does_not_do_what_the_tree_does_is_found_out(void **state)
{
	struct iova_subject_ops forgetful = iova_subject_rules;
	struct in_step *run = malloc(sizeof(*run));
	struct step refused = { .kind = STEP_ALLOC, .pages = 64, .pfn = 32 };

	(void)state;
	assert_non_null(run);
	forgetful.alloc = forgetful_alloc;
	in_step_init(run, &iova_subject_tree, &forgetful);
	run->one.ops->start(&run->one, 1, 12, 1);
	run->two.ops->start(&run->two, 1, 12, 1);
	assert_false(in_step_do(run, &refused));
	assert_non_null(strstr(run->different, "remembered failure: 0x40"));
	assert_false(in_step_run(run, &adversary, 1));
	in_step_fini(run);
	free(run);
}

/* ---- The tree by itself ---------------------------------------------------------------------- */

struct tree {
	struct iova_world *world;
	const struct iova_allocator_ops *ops;
	struct iova_allocator *allocator;
};

static struct tree tree_in(struct iova_world *world)
{
	struct tree tree = { world, dmasim_iova_tree(), NULL };

	tree.allocator = tree.ops->create(&(struct iova_allocator_config){
		.platform = iova_world_platform(world),
		.cpus = iova_world_cpus(world),
		.granule_lg2 = 12,
		.start_pfn = 1,
		.last_pfn = ~0ULL,
	});
	return tree;
}

static u64 state_of(struct iova_allocator *allocator)
{
	struct dmasim_tree_state state;

	dmasim_tree_state(allocator, &state);
	return (state.cached_pfn * 31 + state.cached32_pfn) * 31 + state.max32;
}

/*
 * All that can be done with a few pages, and much at random. Small counts do without the first, and
 * full ones tell more of its states apart.
 */
static void the_workbench_finds_in_the_tree_what_its_table_says(void **state)
{
	struct dmasim_iova_conform_options options = {
		DMASIM_IOVA_CONFORM,
		.seed = test_seed(1),
		.scale_percent = scaled(100),
		.state = scaled(100) >= 100 ? state_of : NULL,
	};

	(void)state;
	if (options.scale_percent < 10)
		options.check = "random";
	if (!dmasim_iova_conform(dmasim_iova_tree(), &options, NULL))
		return;
	dmasim_iova_conform(dmasim_iova_tree(), &options, stderr);
	fail();
}

static void a_hit_of_the_cache_leaves_the_trees_lock_alone(void **state)
{
	struct tree tree = tree_in(iova_world_create(2));
	struct dmasim_tree_state before, after;
	u64 pfn;

	(void)state;
	pfn = tree.ops->alloc(tree.allocator, 1, 0xfffff, IOVA_CACHE);
	dmasim_tree_state(tree.allocator, &before);
	assert_true(before.locked > 0);
	for (u32 i = 0; i < 300; i++) {
		tree.ops->free(tree.allocator, pfn, 1, IOVA_CACHE);
		expect_u64(tree.ops->alloc(tree.allocator, 1, 0xfffff, IOVA_CACHE), pfn);
	}
	dmasim_tree_state(tree.allocator, &after);
	expect_u64(after.locked, before.locked);
	tree.ops->destroy(tree.allocator);
	expect_u64(iova_world_destroy(tree.world), 0);
}

/* Fills magazines on one CPU, and a depot. Returns how many allocations failed. */
static u32 use_all_memory(struct tree *tree)
{
	u64 pfn[600];
	u32 failed = 0;

	for (u32 i = 0; i < 600; i++) {
		pfn[i] = tree->ops->alloc(tree->allocator, 1, 0xfffff, IOVA_CACHE);
		failed += pfn[i] == IOVA_NO_PFN;
	}
	failed += tree->ops->reserve(tree->allocator, 0x1000, 0x1fff) != 0;
	for (u32 i = 0; i < 600; i++) {
		if (pfn[i] != IOVA_NO_PFN)
			tree->ops->free(tree->allocator, pfn[i], 1, IOVA_CACHE);
	}
	return failed;
}

static void every_failure_of_memory_is_lived_through_and_leaks_nothing(void **state)
{
	u32 creations = 0, failures = 0;
	bool fired = true;

	(void)state;
	for (u64 nth = 1; fired; nth++) {
		struct iova_world *world = iova_world_create(2);
		struct tree tree;

		iova_world_fail(world, DMASIM_FAULT_ANY, nth);
		tree = tree_in(world);
		creations += !tree.allocator;
		if (tree.allocator) {
			failures += use_all_memory(&tree);
			tree.ops->destroy(tree.allocator);
		}
		fired = iova_world_counts(world)->failures;
		expect_u64(iova_world_destroy(world), 0);
	}
	assert_in_range(creations, 8, 100);
	assert_in_range(failures, 5, 100);
}

/* Two that live at once, and the first to come goes first, share nothing. */
static void two_of_them_have_memory_and_cpus_of_their_own(void **state)
{
	struct tree one = tree_in(iova_world_create(1)), two = tree_in(iova_world_create(3));

	(void)state;
	iova_world_set_cpu(two.world, 2);
	expect_u64(one.ops->alloc(one.allocator, 1, 99, IOVA_CACHE), 99);
	expect_u64(two.ops->alloc(two.allocator, 1, 99, IOVA_CACHE), 99);
	two.ops->free(two.allocator, 99, 1, IOVA_CACHE);
	expect_u64(one.ops->alloc(one.allocator, 1, 99, IOVA_CACHE), 98);
	one.ops->destroy(one.allocator);
	expect_u64(iova_world_destroy(one.world), 0);
	iova_world_set_cpu(two.world, 0);
	expect_u64(two.ops->alloc(two.allocator, 1, 99, IOVA_CACHE), 98);
	iova_world_set_cpu(two.world, 2);
	expect_u64(two.ops->alloc(two.allocator, 1, 99, IOVA_CACHE), 99);
	two.ops->destroy(two.allocator);
	expect_u64(iova_world_destroy(two.world), 0);
}

/* ---- The allocator "linux" ------------------------------------------------------------------- */

/*
 * trust: what the allocator "linux" gives and remembers, with caches
 * | Linux's own code: iova.c of 6.12 and 7.3, compiled beside ours
 */
static void linux_does_what_the_tree_does_with_caches(void **state)
{
	(void)state;
	stay_in_step(&iova_subject_linux, &cached, FAST_STEPS);
}

/*
 * trust: the same with reserved ranges, and some past the caches
 * | Linux's own code: iova.c of 6.12 and 7.3, compiled beside ours
 */
static void linux_does_what_the_tree_does_on_mixed_work(void **state)
{
	(void)state;
	stay_in_step(&iova_subject_linux, &mixed, FAST_STEPS);
}

/*
 * trust: the same past the caches, in spaces that fall to pieces
 * | Linux's own code: iova.c of 6.12 and 7.3, compiled beside ours
 */
static void linux_does_what_the_tree_does_when_it_ages(void **state)
{
	(void)state;
	stay_in_step(&iova_subject_linux, &ageing, SLOW_STEPS);
}

/*
 * trust: the same for impossible limits and sizes
 * | Linux's own code: iova.c of 6.12 and 7.3, compiled beside ours
 */
static void linux_does_what_the_tree_does_for_an_adversary(void **state)
{
	(void)state;
	stay_in_step(&iova_subject_linux, &adversary, SLOW_STEPS);
}

/* ---- The modules ----------------------------------------------------------------------------- */

static const struct iova_allocator_ops *plugin(const char *name, void **module)
{
	const struct iova_allocator_ops *(*table)(void) = NULL;
	const char *folder = getenv("DMASIM_KERNEL_MODULES");
	char path[1024];

	assert_non_null(folder);
	snprintf(path, sizeof(path), "%s/%s.so", folder, name);
	*module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!*module)
		fail_msg("%s", dlerror());
	/* A pointer to a function may be one to an object here, and C does not say so. */
	*(void **)&table = dlsym(*module, "dmasim_iova_plugin");
	assert_non_null(table);
	return table();
}

static u64 play(const struct iova_allocator_ops *ops, u32 seed)
{
	struct iova_world *world = iova_world_create(2);
	struct dice dice = dice_of(seed, 0);
	u64 pfn[64] = { 0 }, sum = 0;
	struct iova_allocator *allocator = ops->create(&(struct iova_allocator_config){
		.platform = iova_world_platform(world),
		.cpus = 2,
		.granule_lg2 = 12,
		.start_pfn = 1,
		.last_pfn = 0xfffff,
	});

	assert_non_null(allocator);
	for (u32 i = 0; i < 5000; i++) {
		u64 *slot = &pfn[dice_below(&dice, 64)];

		iova_world_set_cpu(world, (u32)dice_below(&dice, 2));
		if (*slot)
			ops->free(allocator, *slot, 5, IOVA_CACHE);
		*slot = *slot ? 0 : ops->alloc(allocator, 5, 0xfffff, 3 | IOVA_CACHE);
		sum = sum * 31 + *slot;
	}
	ops->destroy(allocator);
	expect_u64(iova_world_destroy(world), 0);
	return sum;
}

static void both_modules_do_what_the_tree_does_without_their_locks_too(void **state)
{
	void *with, *without;
	const struct iova_allocator_ops *locks = plugin("iova_tree", &with);
	const struct iova_allocator_ops *no_locks = plugin("iova_tree_no_locks", &without);

	(void)state;
	assert_string_equal(locks->name, dmasim_iova_tree()->name);
	assert_non_null(strstr(no_locks->name, "-no-locks"));
	expect_u64(play(locks, 1), play(dmasim_iova_tree(), 1));
	expect_u64(play(no_locks, 1), play(dmasim_iova_tree(), 1));
	assert_true(play(locks, 1) != play(locks, 2));
	dlclose(with);
	dlclose(without);
}

TEST_MAIN_UNLESS(missing, ON_TREE(the_tree_gives_what_was_recorded_of_it),
		 cmocka_unit_test(the_rules_written_out_do_what_the_tree_does_with_caches),
		 cmocka_unit_test(the_rules_written_out_do_what_the_tree_does_without_caches),
		 cmocka_unit_test(linux_does_what_the_tree_does_with_caches),
		 cmocka_unit_test(linux_does_what_the_tree_does_on_mixed_work),
		 cmocka_unit_test(linux_does_what_the_tree_does_when_it_ages),
		 cmocka_unit_test(linux_does_what_the_tree_does_for_an_adversary),
		 cmocka_unit_test(one_that_does_not_do_what_the_tree_does_is_found_out),
		 cmocka_unit_test(the_workbench_finds_in_the_tree_what_its_table_says),
		 cmocka_unit_test(a_hit_of_the_cache_leaves_the_trees_lock_alone),
		 cmocka_unit_test(every_failure_of_memory_is_lived_through_and_leaks_nothing),
		 cmocka_unit_test(two_of_them_have_memory_and_cpus_of_their_own),
		 cmocka_unit_test(both_modules_do_what_the_tree_does_without_their_locks_too))
