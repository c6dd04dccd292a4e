/* SPDX-License-Identifier: MIT */
/*
 * The generator, xoshiro256** seeded through splitmix64, and the world that owns it.
 *
 * The known answers were computed by a separate script from the published definitions. The script
 * itself gives the vectors that other implementations publish: state 1, 2, 3, 4 begins 11520, 0,
 * 1509978240, and splitmix64 of 1477776061723855037 begins 1985237415132408290.
 */
#include "support/expect.h"

#include <string.h>

#include "world/world.h"

static void the_seed_goes_through_splitmix64(void **state)
{
	struct random random;

	(void)state;
	random_init(&random, 1477776061723855037ULL);
	expect_u64(random.state[0], 1985237415132408290ULL);
	expect_u64(random.state[1], 2979275885539914483ULL);
	expect_u64(random.state[2], 13511426838097143398ULL);
	expect_u64(random.state[3], 8488337342461049707ULL);
}

/*
 * trust: the random generator, xoshiro256**
 * | a specification's vector: as other implementations publish it
 */
static void a_given_state_yields_the_published_sequence(void **state)
{
	static const u64 known[] = {
		11520,
		0,
		1509978240,
		1215971899390074240ULL,
		1216172134540287360ULL,
		607988272756665600ULL,
		16172922978634559625ULL,
		8476171486693032832ULL,
		10595114339597558777ULL,
		2904607092377533576ULL,
	};
	struct random random = { { 1, 2, 3, 4 } };

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		expect_u64(random_next(&random), known[i]);
}

static void known_seeds_yield_known_sequences(void **state)
{
	static const struct {
		u64 seed;
		u64 known[5];
	} row[] = {
		{ 0,
		  { 0x99ec5f36cb75f2b4ULL, 0xbf6e1f784956452aULL, 0x1a5f849d4933e6e0ULL,
		    0x6aa594f1262d2d2cULL, 0xbba5ad4a1f842e59ULL } },
		{ 1,
		  { 0xb3f2af6d0fc710c5ULL, 0x853b559647364ceaULL, 0x92f89756082a4514ULL,
		    0x642e1c7bc266a3a7ULL, 0xb27a48e29a233673ULL } },
		{ 0xdeadbeefcafef00dULL,
		  { 0x9e32cfb5bb93eebbULL, 0x16006bd9d4ac0014ULL, 0x8ada5d6d34b6538eULL,
		    0x7c327ca32346a238ULL, 0xc43a6d6a3492ced2ULL } },
		{ ~0ULL,
		  { 0x8f5520d52a7ead08ULL, 0xc476a018caa1802dULL, 0x81de31c0d260469eULL,
		    0xbf658d7e065f3c2fULL, 0x913593fda1bca32aULL } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct random random;

		random_init(&random, row[i].seed);
		for (int n = 0; n < 5; n++)
			expect_u64(random_next(&random), row[i].known[n]);
	}
}

static void the_thousandth_number_is_known_too(void **state)
{
	struct random random;

	(void)state;
	random_init(&random, 1);
	for (int i = 1; i < 1000; i++)
		random_next(&random);
	expect_u64(random_next(&random), 0xb8517c33c344d153ULL);
}

static void a_bound_is_never_reached(void **state)
{
	static const u64 bounds[] = { 1, 2, 3, 10, 1ULL << 32, (1ULL << 63) + 1, ~0ULL };
	struct random random;

	(void)state;
	random_init(&random, test_seed(1));
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		for (int n = 0; n < 1000; n++)
			assert_true(random_below(&random, bounds[i]) < bounds[i]);
	}
}

/* 70 000 draws of 7 values: 10 000 each; five standard deviations are 463. */
static void every_value_below_a_bound_is_as_likely(void **state)
{
	struct random random;
	u32 count[7] = { 0 };

	(void)state;
	random_init(&random, 1);
	for (int n = 0; n < 70000; n++)
		count[random_below(&random, 7)]++;
	for (int value = 0; value < 7; value++)
		assert_in_range(count[value], 10000 - 463, 10000 + 463);
}

/*
 * 2^64 is 3 * 2^62 and a rest of 2^62: plain modulo would give the lowest third half of all draws.
 * Of 30 000 draws a third has 10 000; five standard deviations are 408.
 */
static void a_bound_that_does_not_divide_2_to_the_64_favours_no_value(void **state)
{
	struct random random;
	u32 count[3] = { 0 };

	(void)state;
	random_init(&random, 1);
	for (int n = 0; n < 30000; n++)
		count[random_below(&random, 3ULL << 62) >> 62]++;
	for (int third = 0; third < 3; third++)
		assert_in_range(count[third], 10000 - 408, 10000 + 408);
}

static void a_plain_world_always_gives_answer_0(void **state)
{
	struct world world;

	(void)state;
	world_init(&world, &(struct world_config){ .seed = 1 });
	for (int n = 0; n < 100; n++)
		expect_u64(world_choose(&world, 4), 0);
	/* Nothing was drawn. */
	expect_u64(random_next(&world.random), 0xb3f2af6d0fc710c5ULL);
	world_fini(&world);
}

static void a_random_world_gives_every_answer(void **state)
{
	struct world world;
	u32 seen = 0;

	(void)state;
	world_init(&world, &(struct world_config){ .seed = 1, .random_choices = true });
	for (int n = 0; n < 100; n++) {
		u64 answer = world_choose(&world, 4);

		assert_true(answer < 4);
		seen |= 1U << answer;
	}
	expect_u64(seen, 0xf);
	for (int n = 0; n < 100; n++)
		seen |= world_choose(&world, 2) ? 0x20 : 0x10;
	expect_u64(seen, 0x3f);
	world_fini(&world);
}

/* A world is made in memory that held something else. */
static void a_world_begins_with_nothing(void **state)
{
	struct world world;

	(void)state;
	memset(&world, 0xff, sizeof(world));
	world_init(&world, &(struct world_config){ .seed = 42, .trace = true });
	expect_u64(world.seed, 42);
	expect_u64(world.clock.now_ns, 0);
	for (int i = 0; i < DMASIM_POINT_COUNT; i++)
		expect_u64(world.points[i], 0);
	for (int i = 0; i < DMASIM_FAULT_COUNT; i++)
		expect_u64(world.memory.live[i] + world.memory.passes[i], 0);
	expect_u64(world.reports.count, 0);
	assert_true(STAILQ_EMPTY(&world.reports.list));
	assert_true(trace_begin(&world.trace, "event"));
	trace_end(&world.trace);
	assert_string_equal(world.trace.line.at, "t=0 cpu=0 event");
	world_fini(&world);
}

/* Its timers and its memory end with it. */
static void a_world_ends_with_its_timers_and_its_memory(void **state)
{
	struct dmasim_timer timer = { 0 };
	struct world world;

	(void)state;
	world_init(&world, &(struct world_config){ .seed = 1 });
	clock_arm(&world.clock, &timer, 5);
	assert_non_null(memory_alloc(&world.memory, DMASIM_FAULT_REPORT, 100));
	world_fini(&world);
	assert_false(timer.pending);
	assert_null(world.memory.blocks);
}

/* One possible answer is no choice: it must not disturb the numbers that follow. */
static void a_choice_of_one_draws_nothing(void **state)
{
	struct world world;

	(void)state;
	world_init(&world, &(struct world_config){ .seed = 1, .random_choices = true });
	expect_u64(world_choose(&world, 1), 0);
	expect_u64(random_next(&world.random), 0xb3f2af6d0fc710c5ULL);
	world_fini(&world);
}

TEST_MAIN(cmocka_unit_test(the_seed_goes_through_splitmix64),
	  cmocka_unit_test(a_given_state_yields_the_published_sequence),
	  cmocka_unit_test(known_seeds_yield_known_sequences),
	  cmocka_unit_test(the_thousandth_number_is_known_too),
	  cmocka_unit_test(a_bound_is_never_reached),
	  cmocka_unit_test(every_value_below_a_bound_is_as_likely),
	  cmocka_unit_test(a_bound_that_does_not_divide_2_to_the_64_favours_no_value),
	  cmocka_unit_test(a_plain_world_always_gives_answer_0),
	  cmocka_unit_test(a_random_world_gives_every_answer),
	  cmocka_unit_test(a_choice_of_one_draws_nothing),
	  cmocka_unit_test(a_world_begins_with_nothing),
	  cmocka_unit_test(a_world_ends_with_its_timers_and_its_memory))
