/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite catches what is wrong: each allocator with a flaw fails the one check that
 * is about it, and no other.
 */
#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include <dmasim/workbench.h>

#include "flawed.h"
#include "property/seeds.h"

static const struct {
	enum flaw flaw;
	const char *check; /* NULL: none fails */
	bool on_linux;	   /* the one below is "linux", which has caches and tells ranges */
} rows[] = {
	{ FLAW_NONE, NULL, false },
	{ FLAW_NONE, NULL, true },
	{ FLAW_PFN_0, "start", false },
	{ FLAW_LIMIT, "limit", false },
	{ FLAW_LIMIT_BY_ONE, "limit", false },
	{ FLAW_ALIGNMENT, "aligned", false },
	{ FLAW_TWICE, "apart", false },
	{ FLAW_LAST_PAGE, "whole", false },
	{ FLAW_SECOND_BEST, "highest", false },
	{ FLAW_HUGE, "refuses", false },
	{ FLAW_RESERVE, "reserved", false },
	{ FLAW_RESERVE, "reserved", true },
	{ FLAW_RESERVE_LATE, "reserved_late", false },
	{ FLAW_LOST, "found_again", false },
	{ FLAW_LOST, "found_again", true },
	{ FLAW_ROUNDS, "found_again", false },
	{ FLAW_HIDDEN, "caches", false },
	{ FLAW_HIDDEN, "caches", true },
	{ FLAW_NEXT, "tells", true },
	{ FLAW_STATS, "tells", true },
	{ FLAW_ONE_FOR_ALL, "domains", false },
	{ FLAW_LEAK, "leaves_nothing", false },
	{ FLAW_TIMER, "leaves_nothing", false },
	{ FLAW_GROWS, "steady", false },
	{ FLAW_FREE_ALLOCATES, "free_takes_none", false },
	{ FLAW_NO_WAY_BACK, "no_memory", false },
	{ FLAW_RARE, "small_worlds", false },
	{ FLAW_LATE, "random", false },
	{ FLAW_RACE, "cpus", false },
};

/* The checks that failed, each with a space behind it. */
static void failed_checks(FILE *out, char *names, size_t size)
{
	char line[1024], name[64];

	names[0] = '\0';
	rewind(out);
	while (fgets(line, sizeof(line), out)) {
		if (sscanf(line, "not ok %*u - %63[a-z_]", name) != 1)
			continue;
		assert_true(strlen(names) + strlen(name) + 2 < size);
		strcat(strcat(names, name), " ");
	}
}

static void show(FILE *out)
{
	char line[1024];

	rewind(out);
	while (fgets(line, sizeof(line), out))
		print_error("%s", line);
}

/* Whether it fails as it should. */
static bool judge(u32 row)
{
	const struct dmasim_iova_conform_options options = {
		DMASIM_IOVA_CONFORM, .scale_percent = rows[row].on_linux ? 1 : 10
	};
	char names[512], expected[64] = "";
	struct flawed flawed;
	FILE *out = tmpfile();
	u32 failed;

	assert_non_null(out);
	flawed_init(&flawed, rows[row].on_linux ? dmasim_iova_linux() : dmasim_iova_exact(),
		    rows[row].flaw);
	failed = dmasim_iova_conform(&flawed.ops, &options, out);
	failed_checks(out, names, sizeof(names));
	if (rows[row].check)
		snprintf(expected, sizeof(expected), "%s ", rows[row].check);
	if (strcmp(names, expected)) {
		show(out);
		print_error("row %u fails \"%s\", not \"%s\"\n", row, names, expected);
	}
	fclose(out);
	return !strcmp(names, expected) && failed == (rows[row].check ? 1 : 0);
}

/* All that is tried before it comes first: minutes, where every call takes its time. */
static bool comes_late(u32 row)
{
	static const char *const late[] = { "small_worlds", "random", "cpus" };

	for (u32 i = 0; rows[row].check && i < sizeof(late) / sizeof(late[0]); i++) {
		if (!strcmp(rows[row].check, late[i]))
			return true;
	}
	return !rows[row].check;
}

static void each_flaw_fails_its_own_check_alone(void **state)
{
	u32 wrong = 0;

	(void)state;
	for (u32 row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
		wrong += !(scaled(100) < 10 && comes_late(row)) && !judge(row);
	expect_u64(wrong, 0);
}

static void every_flaw_and_every_check_has_a_row(void **state)
{
	const char *name;

	(void)state;
	for (int flaw = 0; flaw < FLAW_COUNT; flaw++) {
		bool found = false;

		for (u32 row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
			found |= rows[row].flaw == (enum flaw)flaw;
		assert_true(found);
	}
	for (u32 i = 1; (name = dmasim_iova_conform_check(i, NULL)); i++) {
		bool found = false;

		for (u32 row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
			found |= rows[row].check && !strcmp(rows[row].check, name);
		if (!found)
			fail_msg("no flaw is for the check %s", name);
	}
}

/* Lines of a failure's comment that are calls. */
static u32 count_calls(FILE *out)
{
	char line[1024];
	u32 count = 0;

	rewind(out);
	while (fgets(line, sizeof(line), out))
		count += !strncmp(line, "#   ", 4) && strstr(line, "cpu ");
	return count;
}

/* Of the calls of a random run those are told that it takes. */
static void a_random_failure_is_told_in_few_calls(void **state)
{
	static const struct {
		enum flaw flaw;
		const char *check;
		u32 calls; /* at most */
	} told[] = {
		{ FLAW_LIMIT, "random", 2 },	{ FLAW_TWICE, "random", 12 },
		{ FLAW_RESERVE, "random", 12 }, { FLAW_LOST, "random", 32 },
		{ FLAW_RACE, "cpus", 16 },	{ FLAW_RARE, "small_worlds", 3 },
	};

	/* Where every call is slow, the first ones. */
	u32 count = scaled(100) < 10 ? 2 : sizeof(told) / sizeof(told[0]);

	(void)state;
	for (u32 i = 0; i < count; i++) {
		const struct dmasim_iova_conform_options options = { DMASIM_IOVA_CONFORM,
								     .check = told[i].check };
		struct flawed flawed;
		FILE *out = tmpfile();
		u32 calls;

		assert_non_null(out);
		flawed_init(&flawed, dmasim_iova_bitmap(), told[i].flaw);
		expect_u64(dmasim_iova_conform(&flawed.ops, &options, out), 1);
		calls = count_calls(out);
		if (!calls || calls > told[i].calls) {
			show(out);
			fail_msg("flaw %u is told in %u calls", told[i].flaw, calls);
		}
		fclose(out);
	}
}

/* What is not a table is not called. */
static void a_table_that_is_not_whole_is_not_used(void **state)
{
	struct iova_allocator_ops ops = *dmasim_iova_exact();

	(void)state;
	ops.size--;
	expect_u64(dmasim_iova_conform(&ops, NULL, NULL), 1);
	ops.size++;
	ops.reserve = NULL;
	expect_u64(dmasim_iova_conform(&ops, NULL, NULL), 1);
	ops.reserve = dmasim_iova_exact()->reserve;
	ops.name = NULL;
	expect_u64(dmasim_iova_conform(&ops, NULL, NULL), 1);
}

TEST_MAIN(cmocka_unit_test(each_flaw_fails_its_own_check_alone),
	  cmocka_unit_test(every_flaw_and_every_check_has_a_row),
	  cmocka_unit_test(a_random_failure_is_told_in_few_calls),
	  cmocka_unit_test(a_table_that_is_not_whole_is_not_used))
