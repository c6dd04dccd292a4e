/* SPDX-License-Identifier: MIT */
/*
 * Small worlds: how many states each of our allocators can be driven to, and how many calls from
 * them were judged. The numbers change when an allocator places differently, or when what it
 * remembers does.
 */
#include "rows.h"

#include <stdlib.h>
#include <string.h>

#include "property/seeds.h"
#include "workbench/conform_small.h"

/* Larger worlds are left out: at a scale of 100 %, and where every call takes its time. */
#define TRANSITIONS	 20000000
#define TRANSITIONS_SLOW 50000

struct golden {
	const char *world;
	u64 states, transitions;
};

static void explore(const struct allocator_row *row, const struct golden *golden)
{
	const struct small_world *world;
	struct small_counts counts;
	char said[sizeof(((struct conform *)NULL)->reason)];
	bool good;
	u32 wrong = 0, i;
	u64 most = scaled(100) < 10 ? TRANSITIONS_SLOW : scaled(TRANSITIONS);

	for (i = 0; (world = small_world(i)); i++) {
		struct conform c = {
			.ops = row->ops(),
			.options = {
				.scale_percent = 100, .cpus = world->cpus,
				.repairs = row->repairs, .state = row->state,
			},
		};

		assert_string_equal(golden[i].world, world->name);
		if (!golden[i].states || golden[i].transitions > most)
			continue;
		c.world = iova_world_create(world->cpus);
		good = small_explore(&c, world, &counts);
		expect_u64(iova_world_destroy(c.world), 0);
		memcpy(said, c.reason, sizeof(said));
		if (!good)
			fail_msg("%s", said);
		assert_false(counts.stopped);
		if (counts.states != golden[i].states ||
		    counts.transitions != golden[i].transitions) {
			print_error(
				"%s, \"%s\": %llu states and %llu transitions, not %llu and %llu\n",
				row->name, world->name, counts.states, counts.transitions,
				golden[i].states, golden[i].transitions);
			wrong++;
		}
	}
	expect_u64(wrong, 0);
	assert_null(golden[i].world);
}

/*
 * The highest fit alone decides: a state is what is allocated and cached, and whether the last
 * calls failed, which nobody should remember.
 */
static void every_state_of_exact_was_visited(void **state)
{
	static const struct golden golden[] = {
		{ "eight pages", 3158, 150706 },
		{ "reserved pages", 130, 3050 },
		{ "4 GiB within", 3064, 75868 },
		{ "reservations at any time", 21212, 345746 },
		{ "reservations over what caches hold", 2862, 46204 },
		{ "caches of two CPUs", 938, 25704 },
		{ "caches of two CPUs, five pages", 5624, 223644 },
		{ "eight pages, every size and limit", 3194, 395102 },
		{ NULL, 0, 0 },
	};

	explore(*state, golden);
}

/* It remembers where it was last, on both sides of 4 GiB, and what failed. */
static void every_state_of_linux_was_visited(void **state)
{
	static const struct golden golden[] = {
		{ "eight pages", 35295, 1697220 },
		{ "reserved pages", 803, 19069 },
		{ "4 GiB within", 52840, 1330791 },
		{ "reservations at any time", 0, 0 }, /* IOVA_LOOSE_RESERVE */
		{ "reservations over what caches hold", 0, 0 },
		{ "caches of two CPUs", 14366, 383674 },
		{ "caches of two CPUs, five pages", 195587, 7621018 },
		{ "eight pages, every size and limit", 56471, 7004113 },
		{ NULL, 0, 0 },
	};

	explore(*state, golden);
}

TEST_MAIN(ON_ALLOCATOR(exact, every_state_of_exact_was_visited),
	  ON_ALLOCATOR(linux, every_state_of_linux_was_visited))
