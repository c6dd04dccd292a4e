/* SPDX-License-Identifier: MIT */
#include "workbench/conform.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <dmasim/contract.h>

#define SEED_DEFAULT  1
#define SCALE_DEFAULT 10
#define CPUS_DEFAULT  4

static bool check_table(struct conform *c)
{
	const struct iova_allocator_ops *ops = c->ops;

	if (ops->size != sizeof(*ops))
		return conform_wrong(c, "size is %zu: sizeof(struct iova_allocator_ops) is %zu",
				     ops->size, sizeof(*ops));
	if (!ops->name || !ops->name[0])
		return conform_wrong(c, "it has no name");
	if (!ops->create || !ops->destroy || !ops->alloc || !ops->free || !ops->reserve)
		return conform_wrong(c, "create, destroy, alloc, free or reserve is missing");
	return true;
}

enum {
	TABLE,
	START,
	LIMIT,
	ALIGNED,
	APART,
	WHOLE,
	HIGHEST,
	REFUSES,
	RESERVED,
	RESERVED_LATE,
	FOUND_AGAIN,
	CACHES,
	TELLS,
	DOMAINS,
	LEAVES_NOTHING,
	STEADY,
	FREE_TAKES_NONE,
	NO_MEMORY,
	SMALL_WORLDS,
	RANDOM,
	CPUS,
	CHECKS,
};

#define NEEDS(check) (1U << (check))
/* A set of live ranges that can be trusted. */
#define PLACES	     (NEEDS(START) | NEEDS(LIMIT) | NEEDS(ALIGNED) | NEEDS(APART))
#define EVERYTHING   (NEEDS(SMALL_WORLDS) - 1)

static const struct {
	const char *name;
	u32 needs; /* the checks that this one rests on, besides the table's */
	conform_check run;
	const char *what;
} checks[CHECKS] = {
	[TABLE] = { "table", 0, check_table, "the table is whole" },
	[START] = { "start", 0, conform_check_start,
		    "nothing is handed out below the start of the space, and never pfn 0" },
	[LIMIT] = { "limit", 0, conform_check_limit,
		    "nothing is handed out above the limit or the end of the space" },
	[ALIGNED] = { "aligned", 0, conform_check_aligned, "every alignment is kept" },
	[APART] = { "apart", 0, conform_check_apart, "what is allocated does not overlap" },
	[WHOLE] = { "whole", PLACES, conform_check_whole,
		    "all of the space can be used, up to the last page" },
	[HIGHEST] = { "highest", NEEDS(WHOLE), conform_check_highest,
		      "with IOVA_HIGHEST_FIT, the highest place is taken" },
	[REFUSES] = { "refuses", NEEDS(START) | NEEDS(LIMIT), conform_check_refuses,
		      "sizes that cannot be are refused" },
	[RESERVED] = { "reserved", NEEDS(WHOLE), conform_check_reserved,
		       "what is reserved first is not handed out, and nothing else is lost" },
	[RESERVED_LATE] = { "reserved_late", NEEDS(RESERVED), conform_check_reserved_late,
			    "what is reserved over live, freed or cached ranges is kept, too" },
	[FOUND_AGAIN] = { "found_again", NEEDS(WHOLE), conform_check_found_again,
			  "what was freed can be had again, as one gap" },
	[CACHES] = { "caches", NEEDS(FOUND_AGAIN), conform_check_caches,
		     "with IOVA_FLUSH nothing stays hidden in caches" },
	[TELLS] = { "tells", NEEDS(HIGHEST) | NEEDS(CACHES) | NEEDS(RESERVED), conform_check_tells,
		    "next and stats tell what is so" },
	[DOMAINS] = { "domains", NEEDS(FOUND_AGAIN), conform_check_domains,
		      "two allocators know nothing of each other" },
	[LEAVES_NOTHING] = { "leaves_nothing", 0, conform_check_leaves_nothing,
			     "destroy gives back all memory, and no timer is left" },
	[STEADY] = { "steady", NEEDS(CACHES), conform_check_steady,
		     "memory does not grow with use" },
	[FREE_TAKES_NONE] = { "free_takes_none", PLACES, conform_check_free_takes_none,
			      "freeing takes no memory" },
	[NO_MEMORY] = { "no_memory", NEEDS(TELLS) | NEEDS(LEAVES_NOTHING) | NEEDS(FREE_TAKES_NONE),
			conform_check_no_memory,
			"without memory a call fails and nothing changes, at each allocation" },
	[SMALL_WORLDS] = { "small_worlds", EVERYTHING, conform_check_small_worlds,
			   "all that can be done with a few pages" },
	[RANDOM] = { "random", EVERYTHING | NEEDS(SMALL_WORLDS), conform_check_random,
		     "random calls against a model" },
	[CPUS] = { "cpus", EVERYTHING | NEEDS(RANDOM), conform_check_cpus,
		   "other CPUs run at each preemption point" },
};

const char *dmasim_iova_conform_check(u32 index, const char **what)
{
	if (index >= CHECKS)
		return NULL;
	if (what)
		*what = checks[index].what;
	return checks[index].name;
}

/* ---- What checks share ----------------------------------------------------------------------- */

bool conform_wrong(struct conform *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->reason, sizeof(c->reason), format, args);
	va_end(args);
	return false;
}

#define LINES_TOLD 32

bool conform_wrong_after(struct conform *c, const char *what, const char *where,
			 const struct iova_allocator_config *space, char *log)
{
	size_t length = log ? strlen(log) : 0;
	const char *from = log ? log + length : "";
	u32 lines = 0;

	while (log && from > log && lines <= LINES_TOLD)
		lines += *--from == '\n';
	if (length)
		log[length - 1] = '\0';
	conform_wrong(c, "%s\n%sspace 0x%llx to 0x%llx, granule_lg2 %u, %u CPUs%s%s%s", what, where,
		      space->start_pfn, space->last_pfn, space->granule_lg2,
		      iova_world_cpus(c->world), lines > LINES_TOLD ? ": the last calls" : "",
		      length && lines <= LINES_TOLD ? "\n" : "", from);
	free(log);
	return false;
}

void conform_note(struct conform *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->note, sizeof(c->note), format, args);
	va_end(args);
}

bool conform_has(const struct conform *c, enum iova_trait trait)
{
	return c->ops->traits & (u32)trait;
}

u64 conform_last(const struct conform *c, u64 last_pfn)
{
	return c->ops->max_pfn && c->ops->max_pfn < last_pfn ? c->ops->max_pfn : last_pfn;
}

u32 conform_scaled(const struct conform *c, u64 full)
{
	u64 count = full * c->options.scale_percent / 100;

	return count ? (u32)count : 1;
}

void conform_end(struct conform *c)
{
	if (c->allocator)
		c->ops->destroy(c->allocator);
	c->allocator = NULL;
}

bool conform_start(struct conform *c, u64 start_pfn, u64 last_pfn)
{
	const struct iova_allocator_config config = {
		.platform = iova_world_platform(c->world),
		.cpus = iova_world_cpus(c->world),
		.granule_lg2 = 12,
		.start_pfn = start_pfn,
		.last_pfn = last_pfn,
		.repairs = c->options.repairs,
		.context = c->ops->context,
	};

	conform_end(c);
	c->start_pfn = start_pfn;
	c->last_pfn = last_pfn;
	c->allocator = c->ops->create(&config);
	return c->allocator ||
	       conform_wrong(c, "create fails for 0x%llx to 0x%llx", start_pfn, last_pfn);
}

u64 conform_alloc(struct conform *c, u64 pages, u64 limit_pfn, u32 how)
{
	u64 limit = limit_pfn < c->last_pfn ? limit_pfn : c->last_pfn;

	return c->ops->alloc(c->allocator, pages, limit, how);
}

void conform_free(struct conform *c, u64 pfn, u64 pages, u32 how)
{
	c->ops->free(c->allocator, pfn, pages, how);
}

int conform_reserve(struct conform *c, u64 first_pfn, u64 last_pfn)
{
	return c->ops->reserve(c->allocator, first_pfn, last_pfn);
}

u32 conform_take_all(struct conform *c, bool got[CONFORM_SPACE])
{
	u32 count;

	memset(got, 0, CONFORM_SPACE * sizeof(got[0]));
	for (count = 0; count <= CONFORM_SPACE; count++) {
		u64 pfn = conform_alloc(c, 1, CONFORM_NO_LIMIT, 0);

		if (pfn == IOVA_NO_PFN)
			break;
		if (pfn < CONFORM_SPACE)
			got[pfn] = true;
	}
	return count;
}

/* ---- The run --------------------------------------------------------------------------------- */

/* A reason of several lines: all but the first are comments. */
static void print_reason(FILE *out, const char *reason)
{
	size_t length = strcspn(reason, "\n");

	fprintf(out, ": %.*s\n", (int)length, reason);
	while (reason[length]) {
		reason += length + 1;
		length = strcspn(reason, "\n");
		fprintf(out, "#   %.*s\n", (int)length, reason);
	}
}

static void print_failure(const struct conform *c, const char *name, FILE *out)
{
	print_reason(out, c->reason);
	fprintf(out, "# again: %s --check %s --seed 0x%llx", c->options.command, name, c->seed);
	if (c->options.scale_percent != SCALE_DEFAULT)
		fprintf(out, " --scale %u", c->options.scale_percent);
	fputc('\n', out);
}

static bool run(struct conform *c, u32 index)
{
	bool good;

	c->seed = c->options.seed;
	c->reason[0] = '\0';
	c->note[0] = '\0';
	c->world = iova_world_create(c->options.cpus);
	DMASIM_CONTRACT(c->world, "there is memory for the judge");
	good = checks[index].run(c);
	conform_end(c);
	iova_world_destroy(c->world);
	return good;
}

/* Returns whether the check failed. */
static bool run_and_tell(struct conform *c, u32 index, u32 number, FILE *out)
{
	bool good = run(c, index);

	if (!out)
		return !good;
	fprintf(out, "%sok %u - %s", good ? "" : "not ", number, checks[index].name);
	if (!good)
		print_failure(c, checks[index].name, out);
	else if (c->note[0])
		fprintf(out, " # %s\n", c->note);
	else
		fputc('\n', out);
	fflush(out);
	return !good;
}

/* A check that this one rests on, directly, and that did not pass; NULL: there is none. */
static const char *hindered(u32 index, u32 bad)
{
	u32 hindering = bad & (checks[index].needs | (index ? NEEDS(TABLE) : 0));

	return hindering ? checks[__builtin_ctz(hindering)].name : NULL;
}

static u32 run_all(struct conform *c, FILE *out)
{
	u32 failed = 0, bad = 0;

	if (out)
		fprintf(out, "1..%u\n", (u32)CHECKS);
	for (u32 i = 0; i < CHECKS; i++) {
		const char *because = hindered(i, bad);

		if (!because && run_and_tell(c, i, i + 1, out))
			failed++;
		else if (!because)
			continue;
		bad |= NEEDS(i);
		if (because && out)
			fprintf(out, "ok %u - %s # SKIP after %s\n", i + 1, checks[i].name,
				because);
	}
	return failed;
}

static u32 run_one(struct conform *c, FILE *out)
{
	for (u32 i = 0; i < CHECKS; i++) {
		if (strcmp(checks[i].name, c->options.check))
			continue;
		if (out)
			fputs("1..1\n", out);
		return run_and_tell(c, i, 1, out);
	}
	if (out)
		fprintf(out, "1..1\nnot ok 1 - %s: there is no such check\n", c->options.check);
	return 1;
}

u32 dmasim_iova_conform(const struct iova_allocator_ops *ops,
			const struct dmasim_iova_conform_options *options, FILE *out)
{
	struct conform c = { .ops = ops };

	DMASIM_CONTRACT(ops, "there is an allocator to judge");
	if (options) {
		DMASIM_CONTRACT(options->size == sizeof(*options),
				"the options begin with DMASIM_IOVA_CONFORM");
		c.options = *options;
	}
	if (!c.options.seed)
		c.options.seed = SEED_DEFAULT;
	if (!c.options.scale_percent)
		c.options.scale_percent = SCALE_DEFAULT;
	if (!c.options.cpus)
		c.options.cpus = CPUS_DEFAULT;
	if (!c.options.command)
		c.options.command = "dmasim iova check";
	if (out)
		fprintf(out, "TAP version 13\n# allocator: %s, seed 0x%llx, scale %u %%\n",
			ops->size == sizeof(*ops) && ops->name ? ops->name : "?", c.options.seed,
			c.options.scale_percent);
	return c.options.check ? run_one(&c, out) : run_all(&c, out);
}
