/* SPDX-License-Identifier: MIT */
#include "workbench/pt_conform.h"

#include <stdlib.h>
#include <string.h>

#include <dmasim/contract.h>
#include <dmasim/pgtable/format.h>

#define SEED_DEFAULT  1
#define SCALE_DEFAULT 10

/* What the walker of all formats takes for granted in a format. */
static bool is_whole(struct pt_conform *c, const struct pt_format *format)
{
	if (!format->leaf || !format->table || !format->is_table || !format->address ||
	    !format->prot)
		return pt_wrong(c,
				"leaf, table, is_table, address or prot of the format is missing");
	if (!format->is_dirty != !format->clean || !format->clean != !format->dirty)
		return pt_wrong(c, "of is_dirty, clean and dirty the format has some, not all");
	return !format->many || format->leaf_lg2 ||
	       pt_wrong(c, "the format has `many`, and no leaf_lg2 that says how large such are");
}

static bool check_config(struct pt_conform *c)
{
	const struct pgtable_config *config = &c->subject->config;

	if (config->levels > PGTABLE_LEVELS_MAX || config->levels_max > PGTABLE_LEVELS_MAX)
		return pt_wrong(c, "the configuration has %u levels: at most %u",
				config->levels > config->levels_max ? config->levels
								    : config->levels_max,
				PGTABLE_LEVELS_MAX);
	return config->pa_bits < 64 ||
	       pt_wrong(c, "the configuration has pa_bits %u: at most 63", config->pa_bits);
}

static bool check_table(struct pt_conform *c)
{
	const struct pgtable_ops *ops = c->subject->ops;
	const struct dmasim_walker_ops *walker = c->subject->walker;

	if (ops->size != sizeof(*ops))
		return pt_wrong(c, "size is %zu: sizeof(struct pgtable_ops) is %zu", ops->size,
				sizeof(*ops));
	if (!ops->name || !ops->name[0])
		return pt_wrong(c, "it has no name");
	if (!ops->init || !ops->fini || !ops->map || !ops->unmap || !ops->iova_to_phys)
		return pt_wrong(c, "init, fini, map, unmap or iova_to_phys is missing");
	if (walker && (walker->size != sizeof(*walker) || !walker->walk))
		return pt_wrong(c, "the walker has no size (DMASIM_WALKER_OPS) or no walk");
	return (!ops->format || is_whole(c, ops->format)) && check_config(c);
}

enum {
	TABLE,
	EMPTY,
	SIZES,
	WIDTH,
	RIGHTS,
	CHOICE,
	REFUSES,
	IN_USE,
	HOLE,
	ELSEWHERE,
	INSIDE,
	TABLES_LATER,
	REPLACED,
	NO_MEMORY,
	POINTS,
	PROTECT,
	DIRTY,
	RESHAPE,
	RANDOM,
	INCOHERENT,
	CHECKS,
};

#define NEEDS(check) (1U << (check))
#define EVERYTHING   (NEEDS(RANDOM) - 1)

static const struct {
	const char *name;
	u32 needs; /* the checks that this one rests on */
	pt_check run;
	const char *what;
} checks[CHECKS] = {
	[TABLE] = { "table", 0, check_table, "the table of functions is whole" },
	[EMPTY] = { "empty", NEEDS(TABLE), pt_check_empty,
		    "in a new table nothing is mapped, and fini gives back all of it" },
	[SIZES] = { "sizes", NEEDS(EMPTY), pt_check_sizes,
		    "a leaf of every size is found as it was mapped, and goes" },
	[WIDTH] = { "width", NEEDS(SIZES), pt_check_width,
		    "leaves and tables may be wherever physical addresses lead" },
	[RIGHTS] = { "rights", NEEDS(SIZES), pt_check_rights,
		     "a leaf of every size allows what it was mapped for" },
	[CHOICE] = { "choice", NEEDS(SIZES), pt_check_choice,
		     "leaves are as large as the addresses allow" },
	[REFUSES] = { "refuses", NEEDS(EMPTY), pt_check_refuses,
		      "what cannot be mapped is refused with its error" },
	[IN_USE] = { "in_use", NEEDS(SIZES), pt_check_in_use,
		     "over a leaf nothing is mapped: EADDRINUSE, and what was done is counted" },
	[HOLE] = { "hole", NEEDS(SIZES), pt_check_hole, "an unmap stops at the first hole" },
	[ELSEWHERE] = { "elsewhere", NEEDS(SIZES), pt_check_elsewhere,
			"what is mapped at one address is not found, and does not go, at others" },
	[INSIDE] = { "inside", NEEDS(SIZES), pt_check_inside,
		     "an unmap that starts inside a leaf is refused, one that ends there takes "
		     "it" },
	[TABLES_LATER] = { "tables_later", NEEDS(SIZES), pt_check_tables_later,
			   "tables go when their gather does, and do not pile up" },
	[REPLACED] = { "replaced", NEEDS(SIZES) | NEEDS(IN_USE), pt_check_replaced,
		       "a leaf takes the place of empty tables" },
	[NO_MEMORY] = { "no_memory", NEEDS(SIZES), pt_check_no_memory,
			"without memory a map fails, at each allocation, and counts what it did" },
	[POINTS] = { "points", NEEDS(SIZES), pt_check_points,
		     "hardware may read at any moment: it finds the leaf, or nothing" },
	[PROTECT] = { "protect", NEEDS(RIGHTS), pt_check_protect, "protect gives other rights" },
	[DIRTY] = { "dirty", NEEDS(SIZES), pt_check_dirty, "marks of what was written" },
	[RESHAPE] = { "reshape", NEEDS(SIZES), pt_check_reshape,
		      "cut and collapse: addresses lead where they led before" },
	[RANDOM] = { "random", EVERYTHING, pt_check_random, "random calls against a model" },
	[INCOHERENT] = { "incoherent", EVERYTHING | NEEDS(RANDOM), pt_check_incoherent,
			 "hardware that does not snoop sees all that was written" },
};

const char *dmasim_pgtable_conform_check(u32 index, const char **what)
{
	if (index >= CHECKS)
		return NULL;
	if (what)
		*what = checks[index].what;
	return checks[index].name;
}

/* ---- The run --------------------------------------------------------------------------------- */

/* Returns whether the check failed. */
static bool run_and_tell(struct pt_conform *c, u32 index, u32 number, FILE *out)
{
	bool good;

	c->reason[0] = '\0';
	c->absent = NULL;
	good = checks[index].run(c);
	good = pt_end(c) && good;
	if (!out)
		return !good;
	fprintf(out, "%sok %u - %s", good ? "" : "not ", number, checks[index].name);
	if (!good)
		fprintf(out, ": %s", c->reason);
	else if (c->absent)
		fprintf(out, " # SKIP it has no %s", c->absent);
	fputc('\n', out);
	fflush(out);
	return !good;
}

static u32 run_all(struct pt_conform *c, FILE *out)
{
	u32 failed = 0, bad = 0;

	if (out)
		fprintf(out, "1..%u\n", (u32)CHECKS);
	for (u32 i = 0; i < CHECKS; i++) {
		u32 hindering = bad & checks[i].needs;

		if (hindering)
			bad |= NEEDS(i);
		if (hindering && out)
			fprintf(out, "ok %u - %s # SKIP after %s\n", i + 1, checks[i].name,
				checks[__builtin_ctz(hindering)].name);
		if (hindering || !run_and_tell(c, i, i + 1, out))
			continue;
		bad |= NEEDS(i);
		failed++;
	}
	return failed;
}

static u32 run_one(struct pt_conform *c, FILE *out)
{
	if (out)
		fputs("1..1\n", out);
	for (u32 i = 0; i < CHECKS; i++) {
		if (!strcmp(checks[i].name, c->options.check))
			return run_and_tell(c, i, 1, out);
	}
	if (out)
		fprintf(out, "not ok 1 - %s: there is no such check\n", c->options.check);
	return 1;
}

static void set_options(struct pt_conform *c, const struct dmasim_pgtable_conform_options *options)
{
	if (options) {
		DMASIM_CONTRACT(options->size == sizeof(*options),
				"the options begin with DMASIM_PGTABLE_CONFORM");
		c->options = *options;
	}
	if (!c->options.seed)
		c->options.seed = SEED_DEFAULT;
	if (!c->options.scale_percent)
		c->options.scale_percent = SCALE_DEFAULT;
}

u32 dmasim_pgtable_conform(const struct dmasim_pgtable_subject *subject,
			   const struct dmasim_pgtable_conform_options *options, FILE *out)
{
	struct pt_conform *c = calloc(1, sizeof(*c));
	u32 failed;

	DMASIM_CONTRACT(subject && subject->size == sizeof(*subject) && subject->ops,
			"a subject begins with DMASIM_PGTABLE_SUBJECT, and has a format");
	DMASIM_CONTRACT(c, "there is memory for the judge");
	c->model = calloc(1, sizeof(*c->model));
	DMASIM_CONTRACT(c->model, "there is memory for the judge");
	c->subject = subject;
	set_options(c, options);
	if (out)
		fprintf(out,
			"TAP version 13\n# page-table format: %s%s, seed 0x%llx, scale %u %%\n",
			subject->ops->size == sizeof(*subject->ops) && subject->ops->name
				? subject->ops->name
				: "?",
			subject->walker ? " with its walker" : "", c->options.seed,
			c->options.scale_percent);
	failed = c->options.check ? run_one(c, out) : run_all(c, out);
	free(c->model);
	free(c);
	return failed;
}
