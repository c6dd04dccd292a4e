/* SPDX-License-Identifier: MIT */
#include "workbench/workload.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 1024

/* ---- The list --------------------------------------------------------- */

struct dmasim_iova_workload *workload_new(const char *name, u64 start_pfn, u64 last_pfn, u32 cpus)
{
	struct dmasim_iova_workload *workload = calloc(1, sizeof(*workload));

	if (!workload)
		return NULL;
	snprintf(workload->name, sizeof(workload->name), "%s", name);
	workload->start_pfn = start_pfn;
	workload->last_pfn = last_pfn;
	workload->cpus = cpus;
	workload->config.name = workload->name;
	workload->config.cpus = cpus;
	return workload;
}

void dmasim_iova_workload_destroy(struct dmasim_iova_workload *workload)
{
	if (!workload)
		return;
	free(workload->op);
	free(workload->id);
	free(workload);
}

void workload_add(struct dmasim_iova_workload *workload, const struct workload_op *op)
{
	if (workload->count == workload->room) {
		size_t room = workload->room ? 2 * workload->room : FIRST_ROOM;
		struct workload_op *grown = reallocarray(workload->op, room, sizeof(*grown));

		if (!grown) {
			workload->no_memory = true;
			return;
		}
		workload->op = grown;
		workload->room = room;
	}
	workload->op[workload->count] = *op;
	workload->op[workload->count++].timed = workload->timing;
}

struct workload_id *workload_id(struct dmasim_iova_workload *workload, u32 id)
{
	if (id >= workload->id_room) {
		u32 room = workload->id_room ? workload->id_room : FIRST_ROOM;
		struct workload_id *grown;

		while (room <= id)
			room *= 2;
		grown = reallocarray(workload->id, room, sizeof(*grown));
		if (!grown) {
			workload->no_memory = true;
			return NULL;
		}
		memset(grown + workload->id_room, 0, (room - workload->id_room) * sizeof(*grown));
		workload->id = grown;
		workload->id_room = room;
	}
	if (id >= workload->id_count)
		workload->id_count = id + 1;
	return &workload->id[id];
}

u64 workload_live(const struct dmasim_iova_workload *workload)
{
	u64 live = 0;

	for (size_t i = 0; i < workload->count && !workload->op[i].timed; i++) {
		live += workload->op[i].type == WORKLOAD_ALLOC;
		live -= workload->op[i].type == WORKLOAD_FREE;
	}
	return live;
}

/* ---- Operations ------------------------------------------------------- */

void workload_alloc(struct dmasim_iova_workload *workload, u32 id, u64 pages, u64 limit, u32 how)
{
	struct workload_id *held = workload_id(workload, id);

	if (!held)
		return;
	*held = (struct workload_id){ .pages = pages, .how = how & IOVA_CACHE, .held = true };
	workload_add(workload, &(struct workload_op){ .type = WORKLOAD_ALLOC,
						      .id = id,
						      .pages = pages,
						      .limit = limit,
						      .how = (u8)how });
}

void workload_retry(struct dmasim_iova_workload *workload, u64 limit, u32 how)
{
	struct workload_op op;

	if (workload->no_memory)
		return;
	op = workload->op[workload->count - 1];
	op.type = WORKLOAD_RETRY;
	op.limit = limit;
	op.how = (u8)how;
	workload_add(workload, &op);
}

void workload_free(struct dmasim_iova_workload *workload, u32 id)
{
	struct workload_id *held = workload_id(workload, id);

	if (!held)
		return;
	held->held = false;
	workload_add(workload, &(struct workload_op){ .type = WORKLOAD_FREE,
						      .id = id,
						      .pages = held->pages,
						      .how = held->how });
}

void workload_find(struct dmasim_iova_workload *workload, u32 id)
{
	workload_add(workload, &(struct workload_op){ .type = WORKLOAD_FIND, .id = id });
}

void workload_reserve(struct dmasim_iova_workload *workload, u64 first_pfn, u64 last_pfn)
{
	workload_add(workload, &(struct workload_op){ .type = WORKLOAD_RESERVE,
						      .pages = first_pfn,
						      .limit = last_pfn });
}

void workload_on_cpu(struct dmasim_iova_workload *workload, u32 cpu)
{
	if (!workload->no_memory)
		workload->op[workload->count - 1].cpu = (u16)cpu;
}

/* ---- Chance ----------------------------------------------------------- */

u64 workload_roll(struct workload_dice *dice)
{
	u64 word = dice->state += 0x9e3779b97f4a7c15ULL;

	word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9ULL;
	word = (word ^ (word >> 27)) * 0x94d049bb133111ebULL;
	return word ^ (word >> 31);
}

u64 workload_below(struct workload_dice *dice, u64 bound)
{
	return workload_roll(dice) % bound;
}

/* ---- Names ------------------------------------------------------------ */

static const struct workload_kind kinds[] = {
	{ "uniform", "one page, allocated and freed at once, beside live ones", workload_uniform, 0,
	  200000, 1, false },
	{ "churn", "one page: a random one is freed, another allocated", workload_churn, 1000,
	  200000, 1, false },
	{ "mixed", "1 to 32 pages, a random one is freed and another allocated", workload_mixed,
	  1000, 200000, 1, false },
	{ "ring", "a ring of one-page buffers, the oldest is freed first", workload_ring, 1024,
	  200000, 1, false },
	{ "pair", "one CPU allocates, another frees", workload_pair, 1024, 200000, 2, false },
	{ "ageing", "1 to 32 pages after long churn, without caches", workload_ageing, 1000, 40000,
	  1, true },
	{ "full32", "the 32-bit space is full: a failure there, then an address above",
	  workload_full32, 65536, 100000, 1, false },
	{ "adversary", "4 GiB of single pages, every second one freed, 2 pages fail",
	  workload_adversary, 524288, 1000, 1, true },
	{ "adversary-fit", "the same, and one more is freed: 2 pages fit in the last place",
	  workload_adversary_fit, 524288, 1000, 1, true },
	{ "walk", "holes of one page, then 2 pages that fit below all of them", workload_walk,
	  100000, 1000, 1, true },
	{ "flush", "an allocation fails while caches are full", workload_flush, 100000, 5, 1,
	  false },
	{ "windows", "ranges are reserved beside 10,000 others", workload_windows, 0, 1000, 1,
	  true },
	{ "lookup", "the range of an address is asked for", workload_lookup, 100000, 200000, 1,
	  true },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *dmasim_iova_workload_name(u32 index, const char **what)
{
	if (index >= KINDS)
		return NULL;
	if (what)
		*what = kinds[index].what;
	return kinds[index].name;
}

static const struct workload_kind *kind_of(const char *name)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	}
	return NULL;
}

/* ---- Making one ------------------------------------------------------- */

#define GRANULE_LG2	 12
#define LIMIT_BITS	 48
#define SPACE_BITS_LEAST 48 /* of the domain, whatever is asked for */

static const char *refused(const struct dmasim_iova_workload_config *config,
			   const struct workload_kind *kind)
{
	if (!kind)
		return "no such workload";
	if (config->live > DMASIM_IOVA_LIVE_MAX)
		return "too many live ranges: 8,000,000 are the most";
	if (config->limit_bits && (config->limit_bits < 13 || config->limit_bits > 63))
		return "the limit is 13 to 63 bits";
	if (config->cpus > DMASIM_IOVA_CPUS_MAX)
		return "256 CPUs are the most";
	return NULL;
}

static u64 pfn_below(u32 bits)
{
	return (1ULL << (bits - GRANULE_LG2)) - 1;
}

static u32 larger(u32 a, u32 b)
{
	return a > b ? a : b;
}

static struct workload_plan plan_of(const struct dmasim_iova_workload_config *config,
				    const struct workload_kind *kind)
{
	u64 steps = config->brief ? (kind->steps + 9) / 10 : kind->steps;

	return (struct workload_plan){
		.live = config->live ? config->live : kind->live,
		.steps = config->steps ? config->steps : steps,
		.limit = pfn_below(config->limit_bits ? config->limit_bits : LIMIT_BITS),
		.cpus = larger(config->cpus, kind->cpus_min),
		.cache = config->no_cache || kind->uncached ? 0 : IOVA_CACHE,
		.dice = { config->seed ? config->seed : 1 },
	};
}

static void note_config(struct dmasim_iova_workload *workload,
			const struct dmasim_iova_workload_config *config,
			const struct workload_plan *plan)
{
	workload->config.live = plan->live;
	workload->config.steps = plan->steps;
	workload->config.seed = plan->dice.state;
	workload->config.limit_bits = config->limit_bits ? config->limit_bits : LIMIT_BITS;
	workload->config.no_cache = !plan->cache;
}

struct dmasim_iova_workload *dmasim_iova_workload_create(
	const struct dmasim_iova_workload_config *config, struct dmasim_iova_error *error)
{
	const struct workload_kind *kind = kind_of(config->name);
	const char *why = refused(config, kind);
	struct dmasim_iova_workload *workload;
	struct workload_plan plan;

	if (why) {
		snprintf(error->text, sizeof(error->text), "workload %s: %s", config->name, why);
		return NULL;
	}
	plan = plan_of(config, kind);
	workload = workload_new(kind->name, 1,
				pfn_below(larger(config->limit_bits, SPACE_BITS_LEAST)), plan.cpus);
	if (workload) {
		note_config(workload, config, &plan);
		kind->build(workload, &plan);
	}
	if (workload && !workload->no_memory)
		return workload;
	dmasim_iova_workload_destroy(workload);
	snprintf(error->text, sizeof(error->text), "workload %s: no memory", config->name);
	return NULL;
}
