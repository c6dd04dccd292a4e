/* SPDX-License-Identifier: MIT */
/*
 * Every allocation of every flow fails in turn: at each point by name, and at all points together.
 *
 * For nth = 1, 2, 3 ... the nth pass fails, until a run sees no failure. Each time
 *   - nothing crashes, and every call gives Linux's own error value, or the flow does without;
 *   - a flow that was refused has given back what it took;
 *   - the same flow then succeeds on the same machine with nothing failing, and leaves behind
 *     exactly what it leaves on a machine where nothing ever failed;
 *   - the machine ends clean and without a leak.
 */
#include <stdlib.h>

#include "fault/flows.h"
#include "support/scale.h"

#define NTH_MAX 400

#define FLOWS_MAX 80

/* One flow's sweep. */
struct sweep {
	const struct flow *flow;
	char test_name[80];
	struct stage stage;
	u64 left[2][DMASIM_FAULT_COUNT]; /* in use after one run that nothing disturbed, and two */
	u64 hit[DMASIM_FAULT_COUNT + 1]; /* failures of each point by name, and of any */
	bool running;
	u32 point;
	u64 nth;
};

struct sweeps {
	struct sweep sweep[FLOWS_MAX];
};

/* A contract that breaks because memory is short is a crash. */
void dmasim_contract_failed(const char *what, const char *file, int line)
{
	print_error("contract broken: %s\n", what);
	_fail(file, line);
}

/*
 * What stays after a refusal without being lost: caches that the next call uses (sections of pages,
 * page tables, records of IOVA ranges, verdicts, host memory behind RAM and BARs), what a device is
 * prepared for once, and the simulator's and the checker's own.
 */
static bool may_stay(enum dmasim_fault_point point)
{
	switch (point) {
	case DMASIM_FAULT_IOVA_RECORD:
	case DMASIM_FAULT_P2P_POOL:
	case DMASIM_FAULT_COHERENT:
	case DMASIM_FAULT_DMA_POOL:
	case DMASIM_FAULT_FRAMES:
	case DMASIM_FAULT_ADOPTED:
	case DMASIM_FAULT_PCI_FUNCTION:
	case DMASIM_FAULT_PCI_DEV:
	case DMASIM_FAULT_KMALLOC:
	case DMASIM_FAULT_DRIVER:
		return false;
	default:
		return true;
	}
}

/* What a machine that once could not have it does without from then on. */
static bool can_be_done_without(u32 point)
{
	return point == DMASIM_FAULT_FLUSH_QUEUE || point == DMASIM_FAULT_CACHE ||
	       point == DMASIM_FAULT_IOVA_MAGAZINE;
}

/* The checker stops, the software does not; a report is counted even if it cannot be kept. */
static bool is_never_needed(u32 point)
{
	return point == DMASIM_FAULT_CHECK_RECORD || point == DMASIM_FAULT_CHECK_COPY ||
	       point == DMASIM_FAULT_REPORT || point == DMASIM_FAULT_DMA_DEBUG ||
	       point == DMASIM_FAULT_P2P_VERDICT || can_be_done_without(point);
}

static const char *point_name(u32 point)
{
	return point == DMASIM_FAULT_ANY ? "any"
					 : dmasim_fault_name((enum dmasim_fault_point)point);
}

static void note_use(struct dmasim *s, u64 *use)
{
	for (u32 i = 0; i < DMASIM_FAULT_COUNT; i++)
		use[i] = dmasim_in_use(s, (enum dmasim_fault_point)i);
}

static void expect_same_use(struct dmasim *s, const u64 *use, bool after_refusal)
{
	for (u32 i = 0; i < DMASIM_FAULT_COUNT; i++) {
		u64 now = dmasim_in_use(s, (enum dmasim_fault_point)i);

		if (after_refusal && may_stay((enum dmasim_fault_point)i))
			continue;
		/* Both judges' accounts stop where they went blind. */
		if (i == DMASIM_FAULT_CHECK_RECORD || i == DMASIM_FAULT_CHECK_COPY ||
		    i == DMASIM_FAULT_REPORT || i == DMASIM_FAULT_DMA_DEBUG)
			continue;
		if (can_be_done_without(i) && now < use[i])
			continue;
		if (now != use[i])
			fail_msg("%s: %llu in use, expected %llu",
				 dmasim_fault_name((enum dmasim_fault_point)i), now, use[i]);
	}
}

static void expect_end(struct stage *stage)
{
	u64 leaks;

	dmasim_assert_clean(stage->s);
	leaks = dmasim_destroy(stage->s);
	stage->s = NULL;
	expect_u64(leaks, 0);
	stage_fini(stage);
}

static bool checker_is_blind(struct dmasim *s)
{
	return count_reports(s, DMASIM_REPORT_CHECKER_BLIND) > 0;
}

/* What must hold while something fails on purpose. */
static void expect_outcome(struct sweep *sweep, enum flow_result result, u64 failures)
{
	bool blind = checker_is_blind(sweep->stage.s);

	if (!failures || is_never_needed(sweep->point))
		expect_u64(result, FLOW_DONE);
	if (failures && sweep->point == DMASIM_FAULT_CHECK_RECORD)
		assert_true(blind);
	if (sweep->point != DMASIM_FAULT_CHECK_RECORD && sweep->point != DMASIM_FAULT_ANY)
		assert_false(blind);
}

/* One run. False: nothing failed any more. */
static bool fail_nth(struct sweep *sweep)
{
	struct stage *stage = &sweep->stage;
	u64 before[DMASIM_FAULT_COUNT], failures;
	enum flow_result result;

	stage_init(stage, sweep->flow);
	note_use(stage->s, before);
	dmasim_fail(stage->s, (enum dmasim_fault_point)sweep->point, sweep->nth);
	result = stage_run(stage, sweep->flow);
	failures = dmasim_failures(stage->s);
	dmasim_fail(stage->s, DMASIM_FAULT_ANY, 0);
	expect_outcome(sweep, result, failures);
	if (result == FLOW_REFUSED)
		expect_same_use(stage->s, before, true);
	if (failures) {
		expect_u64(stage_run(stage, sweep->flow), FLOW_DONE);
		expect_same_use(stage->s, sweep->left[result == FLOW_DONE], false);
	}
	expect_end(stage);
	sweep->hit[sweep->point] += failures;
	return failures > 0;
}

static void every_failure_is_survived(void **state)
{
	struct sweep *sweep = *state;

	sweep->running = true;
	sweep->point = DMASIM_FAULT_COUNT + 1;
	stage_init(&sweep->stage, sweep->flow);
	for (u32 i = 0; i < 2; i++) {
		expect_u64(stage_run(&sweep->stage, sweep->flow), FLOW_DONE);
		note_use(sweep->stage.s, sweep->left[i]);
	}
	expect_end(&sweep->stage);

	for (sweep->point = 0; sweep->point <= DMASIM_FAULT_ANY; sweep->point++) {
		sweep->nth = 1;
		while (fail_nth(sweep))
			if ((sweep->nth += scaled_step()) > NTH_MAX)
				fail_msg("%s fails for ever", point_name(sweep->point));
	}
	sweep->running = false;
}

static int end_sweep(void **state)
{
	struct sweep *sweep = *state;

	if (sweep->running)
		print_error("%s: pass %llu of point %s failed\n", sweep->flow->name, sweep->nth,
			    sweep->point > DMASIM_FAULT_ANY ? "none" : point_name(sweep->point));
	stage_fini(&sweep->stage);
	return 0;
}

/*
 * Points that no flow passes: what only creating a machine, or importing a dump, needs; and what
 * stays until a machine ends (test_suppressions).
 */
static bool is_out_of_reach(u32 point)
{
	return point == DMASIM_FAULT_OS || point == DMASIM_FAULT_IMPORT ||
	       point == DMASIM_FAULT_REPORT_RULE;
}

static void every_point_was_reached(void **state)
{
	struct sweeps *sweeps = *state;
	u32 unreached = 0;
	u64 total = 0;

	for (u32 point = 0; point <= DMASIM_FAULT_ANY; point++) {
		u64 hit = 0;

		for (u32 i = 0; i < flow_count; i++)
			hit += sweeps->sweep[i].hit[point];
		print_message("# %6llu failures of %s%s\n", hit, point_name(point),
			      is_out_of_reach(point) ? " (out of reach)" : "");
		total += hit;
		if (!hit && !is_out_of_reach(point))
			unreached++;
	}
	print_message("# %6llu failures injected in all\n", total);
	expect_u64(unreached, 0);
}

int main(int argc, char **argv)
{
	struct sweeps *sweeps = calloc(1, sizeof(*sweeps));
	struct CMUnitTest tests[FLOWS_MAX + 1];
	int failed;

	if (!sweeps || flow_count > FLOWS_MAX)
		return 1;
	for (u32 i = 0; i < flow_count; i++) {
		struct sweep *sweep = &sweeps->sweep[i];

		sweep->flow = &flows[i];
		snprintf(sweep->test_name, sizeof(sweep->test_name),
			 "every_failure_in_%s_is_survived", flows[i].name);
		tests[i] = (struct CMUnitTest){ sweep->test_name, every_failure_is_survived, NULL,
						end_sweep, sweep };
	}
	tests[flow_count] = (struct CMUnitTest){ "every_point_was_reached", every_point_was_reached,
						 NULL, NULL, sweeps };
	test_filter_(argc, argv);
	failed = _cmocka_run_group_tests("fault sweep", tests, flow_count + (argc > 1 ? 0 : 1),
					 NULL, NULL);
	free(sweeps);
	return test_main_(argc, argv, __FILE__, failed);
}
