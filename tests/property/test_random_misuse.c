/* SPDX-License-Identifier: MIT */
/*
 * Random drivers that do one thing wrong: of each kind of misuse in each mode, how many are
 * reported, at that call or where they first do harm. See misuse.h.
 *
 * DMASIM_MISUSE=kind,mode with DMASIM_SEED shows one run.
 */
#include <stdlib.h>
#include <string.h>

#include "property/misuse.h"
#include "property/seeds.h"
#include "property/shrink.h"
#include "support/expect.h"

#define RUNS_FULL    60 /* of each kind in each mode */
#define STEPS	     200
#define FLOOR	     99 /* of 100, of all together and of a kind that states none */
#define MISSES_SHOWN 12
#define SEEDS_EACH   100000
#define RESULTS	     (MISUSE_BROKEN + 1)

struct counts {
	u32 of[RESULTS];
};

static u32 done(const struct counts *counts)
{
	return counts->of[MISUSE_AT_CALL] + counts->of[MISUSE_LATER] + counts->of[MISUSE_OTHER] +
	       counts->of[MISUSE_MISSED];
}

static u32 found(const struct counts *counts)
{
	return counts->of[MISUSE_AT_CALL] + counts->of[MISUSE_LATER];
}

static bool is_enough(const struct counts *counts, u32 floor)
{
	return (u64)found(counts) * 100 >= (u64)done(counts) * floor;
}

static void show(const struct misuse_kind *kind, enum mode mode, u64 seed)
{
	struct driver_script script = { .mode = mode, .seed = seed, .steps = STEPS };
	struct misuse_outcome outcome;

	script.log = stderr;
	misuse_run(&script, kind, &outcome);
	fprintf(stderr, "# result %d at step %u, call %llu: %s\n", (int)outcome.result,
		outcome.step, outcome.call, outcome.text);
}

/* How a miss is looked at. */
static void tell_miss(const struct misuse_kind *kind, enum mode mode, u64 seed,
		      const struct misuse_outcome *outcome)
{
	fprintf(stderr, "# DMASIM_SEED=0x%llx DMASIM_MISUSE=%s,%s: call %llu: %s\n", seed,
		kind->name, mode_name[mode], outcome->call,
		outcome->report ? dmasim_report_name(outcome->report) : "nothing is reported");
}

static const char *chosen_text(void)
{
	return getenv("DMASIM_MISUSE");
}

/* "kind,mode", or "kind": only these. */
static bool is_chosen(const char *name, enum mode mode)
{
	const char *text = chosen_text();
	size_t length = text ? strcspn(text, ",") : 0;

	if (!text)
		return true;
	return !strncmp(text, name, length) && !name[length] &&
	       (!text[length] || !strcmp(text + length + 1, mode_name[mode]));
}

static bool is_one_run(void)
{
	return chosen_text() && strchr(chosen_text(), ',');
}

/* Seeds of one kind in one mode. */
static void run_kind(const struct misuse_kind *kind, enum mode mode, u64 first,
		     struct counts *counts)
{
	u32 runs = scaled(RUNS_FULL), told = 0;
	struct misuse_outcome outcome;

	/* Each has seeds of its own, but for one that was asked for. */
	if (!is_one_run())
		first += SEEDS_EACH * ((u64)(kind - misuse_kinds) * MODES + mode);
	for (u64 seed = first; seed < first + runs; seed++) {
		misuse_run(&(struct driver_script){ .mode = mode, .seed = seed, .steps = STEPS },
			   kind, &outcome);
		counts->of[outcome.result]++;
		if (outcome.result == MISUSE_BROKEN) {
			print_error("seed 0x%llx, mode %s: %s\n", seed, mode_name[mode],
				    outcome.text);
			seed_failed(seed);
			fail();
		}
		if ((outcome.result == MISUSE_OTHER || outcome.result == MISUSE_MISSED) &&
		    told++ < MISSES_SHOWN)
			tell_miss(kind, mode, seed, &outcome);
	}
}

static void add(struct counts *to, const struct counts *counts)
{
	for (u32 i = 0; i < RESULTS; i++)
		to->of[i] += counts->of[i];
}

/* A contract that a misuse breaks would be dmasim's own failure to report it. */
void dmasim_contract_failed(const char *what, const char *file, int line)
{
	print_error("contract broken: %s\n", what);
	_fail(file, line);
}

static void print_line(const char *name, const struct counts *counts)
{
	print_message("# %-22s %6u %6u %6u %6u %6u\n", name, done(counts),
		      counts->of[MISUSE_AT_CALL], counts->of[MISUSE_LATER],
		      counts->of[MISUSE_OTHER], counts->of[MISUSE_MISSED]);
}

/*
 * trust: one misuse of the DMA API in a random driver, of each kind in each mode, is reported
 * | an independent model: a driver that keeps to the rules but once
 */
static void a_misuse_is_reported_at_its_call_or_where_it_does_harm(void **state)
{
	u64 first = test_seed(1);
	struct counts all = { 0 }, modes[MODES] = { 0 };
	bool enough = true;

	(void)state;
	print_message("# %-22s %6s %6s %6s %6s %6s\n", "", "done", "call", "later", "other",
		      "missed");
	for (u32 i = 0; i < misuse_kind_count; i++) {
		const struct misuse_kind *kind = &misuse_kinds[i];
		struct counts of_kind = { 0 };

		for (enum mode mode = 0; mode < MODES; mode++) {
			struct counts counts = { 0 };

			if (!is_chosen(kind->name, mode))
				continue;
			if (is_one_run())
				show(kind, mode, first);
			run_kind(kind, mode, first, &counts);
			add(&of_kind, &counts);
			add(&modes[mode], &counts);
		}
		if (!done(&of_kind))
			continue;
		print_line(kind->name, &of_kind);
		enough &= is_enough(&of_kind, kind->floor ? kind->floor : FLOOR);
		add(&all, &of_kind);
	}
	for (enum mode mode = 0; mode < MODES; mode++)
		print_line(mode_name[mode], &modes[mode]);
	print_line("all", &all);
	assert_true(enough);
	assert_true(is_enough(&all, FLOOR));
}

TEST_MAIN(cmocka_unit_test(a_misuse_is_reported_at_its_call_or_where_it_does_harm))
