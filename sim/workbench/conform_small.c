/* SPDX-License-Identifier: MIT */
#include "workbench/conform_small.h"

#include <stdlib.h>
#include <string.h>

#include <dmasim/contract.h>

#include "workbench/small_states.h"

#define OPS_MAX		    512
#define PATH_MAX	    64
/*
 * An allocator that never comes back to a state is stopped after so many of a world's: 300 at a
 * scale of 1 %, 30,000 at 10, and all that matter at 100.
 */
#define STATES_MAX(percent) (300ULL * (percent) * (percent))

static const struct small_world worlds[] = {
	{
		.name = "eight pages",
		.start = 1,
		.last = 8,
		.granule_lg2 = 12,
		.cpus = 1,
		.sizes = { 1, 2, 3, 4, 5, 8 },
		.limits = { 8, 7, 5, 3 },
	},
	{
		.name = "reserved pages",
		.start = 1,
		.last = 8,
		.granule_lg2 = 12,
		.cpus = 1,
		.sizes = { 1, 2, 3, 4 },
		.limits = { 8, 6, 4 },
		.reserved_count = 3,
		.reserve_count = 3,
		.reserve = { { 0, 1 }, { 4, 4 }, { 8, 20 } },
	},
	{
		/* Granules of 512 MiB: 8 of them are 4 GiB. */
		.name = "4 GiB within",
		.start = 3,
		.last = 10,
		.granule_lg2 = 29,
		.cpus = 1,
		.sizes = { 1, 2, 3, 4 },
		.limits = { 10, 7, 5 },
	},
	{
		.name = "reservations at any time",
		.start = 2,
		.last = 7,
		.granule_lg2 = 12,
		.cpus = 1,
		.sizes = { 1, 2, 3 },
		.limits = { 7, 5 },
		.reserve_count = 4,
		.reserve = { { 0, 2 }, { 4, 5 }, { 5, 6 }, { 7, 9 } },
	},
	{
		.name = "reservations over what caches hold",
		.start = 1,
		.last = 4,
		.granule_lg2 = 12,
		.cpus = 1,
		.cache = true,
		.sizes = { 1, 2 },
		.limits = { 4, 2 },
		.reserve_count = 2,
		.reserve = { { 2, 2 }, { 3, 4 } },
	},
	{
		.name = "caches of two CPUs",
		.start = 1,
		.last = 4,
		.granule_lg2 = 12,
		.cpus = 2,
		.cache = true,
		.sizes = { 1, 2 },
		.limits = { 4, 2 },
	},
	{
		.name = "caches of two CPUs, five pages",
		.start = 1,
		.last = 5,
		.granule_lg2 = 12,
		.cpus = 2,
		.cache = true,
		.long_only = true,
		.sizes = { 1, 2, 3 },
		.limits = { 5, 3 },
	},
	{
		.name = "eight pages, every size and limit",
		.start = 1,
		.last = 8,
		.granule_lg2 = 12,
		.cpus = 1,
		.long_only = true,
		.sizes = { 1, 2, 3, 4, 5, 6, 7, 8 },
		.limits = { 8, 7, 6, 5, 4, 3, 2, 1 },
	},
};

const struct small_world *small_world(u32 index)
{
	return index < sizeof(worlds) / sizeof(worlds[0]) ? &worlds[index] : NULL;
}

/* ---- Operations ------------------------------------------------------------------------------ */

struct explorer {
	struct conform *c;
	const struct small_world *world;
	struct small_states states;
	struct small_op op[OPS_MAX]; /* allocations and reservations; frees depend on the state */
	u32 op_count;
	struct small_op path[PATH_MAX];
	u32 path_length;
};

static void add_op(struct explorer *e, struct small_op op)
{
	DMASIM_CONTRACT(e->op_count < OPS_MAX, "a small world has few operations");
	e->op[e->op_count++] = op;
}

static void list_allocations(struct explorer *e, u8 pages, u8 limit, u8 cpu)
{
	u8 natural = (u8)iova_natural(pages);

	add_op(e, (struct small_op){ SMALL_ALLOC, pages, limit, natural, cpu });
	if (e->world->cache) {
		add_op(e,
		       (struct small_op){ SMALL_ALLOC, pages, limit, natural | IOVA_CACHE, cpu });
		add_op(e, (struct small_op){ SMALL_ALLOC, pages, limit,
					     natural | IOVA_CACHE | IOVA_FLUSH, cpu });
	} else if (pages > 1) {
		add_op(e, (struct small_op){ SMALL_ALLOC, pages, limit, 0, cpu });
	}
}

static void list_ops(struct explorer *e)
{
	const struct small_world *world = e->world;

	for (u8 cpu = 0; cpu < world->cpus; cpu++) {
		for (u32 s = 0; s < SMALL_SIZES && world->sizes[s]; s++) {
			for (u32 l = 0; l < SMALL_LIMITS && world->limits[l]; l++)
				list_allocations(e, world->sizes[s], world->limits[l], cpu);
		}
	}
	for (u32 i = world->reserved_count; i < world->reserve_count; i++)
		add_op(e, (struct small_op){ SMALL_RESERVE, world->reserve[i].first,
					     world->reserve[i].last, 0, 0 });
}

static u64 apply(struct iova_judge *judge, struct small_op op)
{
	u64 pfn;

	iova_world_set_cpu(judge->world, op.cpu);
	switch (op.kind) {
	case SMALL_ALLOC:
		return iova_judge_alloc(judge, op.a, op.b, op.how);
	case SMALL_FREE:
		pfn = judge->model.live.at[op.a].first;
		iova_judge_free(judge, op.a);
		return pfn;
	case SMALL_RESERVE:
		return (u64)iova_judge_reserve(judge, op.a, op.b);
	default:
		return 0;
	}
}

static struct iova_allocator_config space_of(const struct explorer *e)
{
	return (struct iova_allocator_config){
		.granule_lg2 = e->world->granule_lg2,
		.start_pfn = e->world->start,
		.last_pfn = e->world->last,
		.repairs = e->c->options.repairs,
	};
}

static bool begin(struct explorer *e, struct iova_judge *judge)
{
	const struct iova_allocator_config space = space_of(e);
	const struct small_world *world = e->world;

	if (!iova_judge_begin(judge, e->c->ops, e->c->world, &space))
		return false;
	for (u32 i = 0; i < world->reserved_count; i++)
		iova_judge_reserve(judge, world->reserve[i].first, world->reserve[i].last);
	return !judge->wrong[0];
}

/* The state at the end of the path, in a new allocator. */
static bool replay(struct explorer *e, struct iova_judge *judge)
{
	if (!begin(e, judge))
		return false;
	for (u32 i = 0; i < e->path_length && !judge->wrong[0]; i++)
		apply(judge, e->path[i]);
	return !judge->wrong[0];
}

static void set_path(struct explorer *e, u32 state)
{
	u32 length = 0;

	for (u32 at = state; at; at = e->states.at[at].parent)
		length++;
	DMASIM_CONTRACT(length < PATH_MAX, "states of a small world are near");
	e->path_length = length;
	for (u32 at = state; at; at = e->states.at[at].parent)
		e->path[--length] = e->states.at[at].op;
}

/* ---- What tells states apart ----------------------------------------------------------------- */

/* Four bits a page: live, first of its range, reserved, through a cache (or nobody knows). */
static u64 page_bits(const struct iova_model *model, u64 pfn)
{
	const struct iova_span *live = iova_spans_meet(&model->live, pfn, pfn);
	u64 bits = 0;

	if (live)
		bits |= 1 | (live->first == pfn ? 2 : 0) | (live->how ? 8 : 0);
	if (iova_spans_meet(&model->reserved, pfn, pfn))
		bits |= 4;
	if (iova_spans_meet(&model->lost, pfn, pfn))
		bits |= 8;
	return bits;
}

static u64 hash(u64 sum, u64 number)
{
	sum = (sum ^ number) * 0x9e3779b97f4a7c15ULL;
	return sum ^ (sum >> 29);
}

static struct small_key key_of(struct explorer *e, const struct iova_judge *judge)
{
	struct small_key key = { 0,
				 (judge->cached ? 1U : 0) + (judge->failed_since_free ? 2U : 0) };

	for (u64 pfn = e->world->start; pfn <= e->world->last; pfn++)
		key.pages = key.pages << 4 | page_bits(&judge->model, pfn);
	if (e->c->options.state)
		key.history = hash(key.history, e->c->options.state(judge->allocator));
	return key;
}

/* What comes when one kind of request is made until it fails, in a copy of the path and `op`. */
static u64 probe(struct explorer *e, struct small_op op, struct small_op kind, u64 sum)
{
	struct iova_judge judge;

	if (replay(e, &judge))
		apply(&judge, op);
	for (u32 i = 0; i < 16 && !judge.wrong[0]; i++) {
		u64 pfn = apply(&judge, kind);

		sum = hash(sum, pfn);
		if (pfn == IOVA_NO_PFN)
			break;
	}
	/* What goes wrong from here is found from the state itself. */
	iova_judge_end(&judge);
	return sum;
}

static u64 probe_all(struct explorer *e, struct small_op op, u64 sum)
{
	const struct small_world *world = e->world;

	for (u8 cpu = 0; cpu < world->cpus; cpu++) {
		for (u8 pages = 1; pages <= 2; pages++) {
			u8 how = pages - 1 + (world->cache ? IOVA_CACHE : 0);

			for (u32 l = 0; l < (world->cache ? 1 : 2); l++)
				sum = probe(e, op,
					    (struct small_op){ SMALL_ALLOC, pages, world->limits[l],
							       how, cpu },
					    sum);
		}
	}
	return sum;
}

/* The key's history, and what answers tell of it: not where it is known to be all. */
static u64 history_of(struct explorer *e, struct small_op op, struct small_key key)
{
	bool known = e->c->options.state || conform_has(e->c, IOVA_HIGHEST_FIT);

	return known && !e->world->cache ? key.history : probe_all(e, op, key.history);
}

/* ---- Failures, told -------------------------------------------------------------------------- */

/* How a path ends. */
enum ending {
	ENDS_WITH_IT,	  /* the operation */
	FINDS_NO_MEMORY,  /* the operation does, and then all is freed */
	ENDS_WITH_NOTHING /* all is freed */
};

static void end(struct explorer *e, struct iova_judge *judge, struct small_op op,
		enum ending ending)
{
	iova_world_fail(e->c->world, DMASIM_FAULT_ANY, ending == FINDS_NO_MEMORY);
	apply(judge, op);
	iova_world_fail(e->c->world, DMASIM_FAULT_ANY, 0);
	if (ending != ENDS_WITH_IT && !judge->wrong[0])
		iova_judge_drain(judge);
}

/* The path and its end once more, told. */
static bool explain(struct explorer *e, struct small_op op, enum ending ending, const char *wrong)
{
	const struct iova_allocator_config space = space_of(e);
	struct iova_judge judge;
	char where[128];
	char *log = NULL;
	size_t size;

	if (begin(e, &judge)) {
		judge.log = open_memstream(&log, &size);
		for (u32 i = 0; i < e->path_length; i++)
			apply(&judge, e->path[i]);
		end(e, &judge, op, ending);
		if (judge.log)
			fclose(judge.log);
		judge.log = NULL;
	}
	iova_judge_end(&judge);
	snprintf(where, sizeof(where), "in the world \"%s\": ", e->world->name);
	return conform_wrong_after(e->c, wrong, where, &space, log);
}

/* ---- Exploration ----------------------------------------------------------------------------- */

/* The operation again, but the memory that it takes is not there: the state stays. */
static bool without_memory(struct explorer *e, struct small_op op, struct small_key before)
{
	struct small_key after;
	struct iova_judge judge;
	bool good = replay(e, &judge), failed;
	u64 answer = 0;

	iova_world_fail(e->c->world, DMASIM_FAULT_ANY, 1);
	if (good)
		answer = apply(&judge, op);
	failed = op.kind == SMALL_ALLOC ? answer == IOVA_NO_PFN : answer != 0;
	iova_world_fail(e->c->world, DMASIM_FAULT_ANY, 0);
	if (!judge.wrong[0])
		iova_judge_tells(&judge);
	after = key_of(e, &judge);
	if (!judge.wrong[0] && failed && !e->world->cache && op.kind != SMALL_FREE &&
	    !(op.kind == SMALL_RESERVE && conform_has(e->c, IOVA_LOOSE_RESERVE)) &&
	    (after.pages != before.pages ||
	     (e->c->options.state && after.history != before.history)))
		iova_judge_wrong(&judge, "a call that found no memory changed the state");
	if (!judge.wrong[0])
		iova_judge_drain(&judge);
	good = !judge.wrong[0] || explain(e, op, FINDS_NO_MEMORY, judge.wrong);
	iova_judge_end(&judge);
	return good;
}

static bool transition(struct explorer *e, u32 from, struct small_op op)
{
	u64 allocations, taken;
	struct iova_judge judge;
	struct small_key key;
	bool good = replay(e, &judge);

	allocations = iova_world_counts(e->c->world)->allocations;
	if (good)
		apply(&judge, op);
	taken = iova_world_counts(e->c->world)->allocations - allocations;
	if (!judge.wrong[0])
		iova_judge_tells(&judge);
	good = !judge.wrong[0] || explain(e, op, ENDS_WITH_IT, judge.wrong);
	key = key_of(e, &judge);
	iova_judge_end(&judge);
	if (good && taken)
		good = without_memory(e, op, e->states.at[from].plain);
	if (!good)
		return false;
	small_states_add(&e->states, from, op, key, history_of(e, op, key));
	return true;
}

/* Everything freed: nothing is lost, from here. */
static bool drains(struct explorer *e)
{
	const struct small_op nothing = { SMALL_NONE };
	struct iova_judge judge;
	bool good;

	if (replay(e, &judge))
		iova_judge_drain(&judge);
	good = !judge.wrong[0] || explain(e, nothing, ENDS_WITH_NOTHING, judge.wrong);
	iova_judge_end(&judge);
	return good;
}

static bool visit(struct explorer *e, u32 state, u64 *transitions)
{
	u8 live = (u8)small_key_live(e->states.at[state].key);

	set_path(e, state);
	if (!drains(e))
		return false;
	for (u32 i = 0; i < e->op_count; i++) {
		++*transitions;
		if (!transition(e, state, e->op[i]))
			return false;
	}
	for (u8 cpu = 0; cpu < e->world->cpus; cpu++) {
		for (u8 i = 0; i < live; i++) {
			++*transitions;
			if (!transition(e, state, (struct small_op){ SMALL_FREE, i, 0, 0, cpu }))
				return false;
		}
	}
	return true;
}

bool small_explore(struct conform *c, const struct small_world *world, struct small_counts *counts)
{
	const u64 states_max = STATES_MAX(c->options.scale_percent);
	struct explorer e = { .c = c, .world = world };
	struct iova_judge judge;
	struct small_key first;
	bool good;

	*counts = (struct small_counts){ 0 };
	list_ops(&e);
	good = begin(&e, &judge);
	first = key_of(&e, &judge);
	if (!good)
		conform_wrong(c, "%s", judge.wrong);
	iova_judge_end(&judge);
	small_states_begin(&e.states, first,
			   history_of(&e, (struct small_op){ SMALL_NONE }, first));
	for (u32 i = 0; good && i < e.states.count; i++) {
		if (e.states.count > states_max) {
			counts->stopped = true;
			break;
		}
		good = visit(&e, i, &counts->transitions);
	}
	counts->states = e.states.count;
	small_states_end(&e.states);
	return good;
}

bool conform_check_small_worlds(struct conform *c)
{
	struct small_counts sum = { 0 };
	const struct small_world *world;
	u32 done = 0;

	for (u32 i = 0; (world = small_world(i)); i++) {
		struct small_counts counts;

		if (world->long_only && c->options.scale_percent < 100)
			continue;
		if (world->reserve_count > world->reserved_count &&
		    conform_has(c, IOVA_LOOSE_RESERVE))
			continue;
		iova_world_destroy(c->world);
		c->world = iova_world_create(world->cpus);
		DMASIM_CONTRACT(c->world, "there is memory for the judge");
		if (!small_explore(c, world, &counts))
			return false;
		done++;
		sum.states += counts.states;
		sum.transitions += counts.transitions;
		sum.stopped |= counts.stopped;
	}
	conform_note(c, "%u worlds, %llu states, %llu transitions%s", done, sum.states,
		     sum.transitions, sum.stopped ? ", and there are more" : "");
	return true;
}
