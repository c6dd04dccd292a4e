/* SPDX-License-Identifier: MIT */
/*
 * The checker over a trace: the same judges that hear a live machine, fed with the lines of a trace
 * (trace.h) that another run has written. Call sites in its reports are lines of the trace.
 *
 *   struct dmasim *s = dmasim_create(NULL);
 *   struct dmasim_lint lint = { .trace = file, .name = "trace.txt" };
 *   struct dmasim_lint_result result;
 *
 *   if (!dmasim_lint(s, &lint, &result))
 *           ... result.found reports, of which dmasim_report_get(s, i, &report) tells ...
 *   dmasim_destroy(s);
 *
 * What a trace does not tell is not seen: page tables and what IOMMUs have cached of them. Which
 * reports that concerns dmasim_lint_sees() says.
 */
#ifndef DMASIM_LINT_H
#define DMASIM_LINT_H

#include <stdio.h>

#include <dmasim/report.h>
#include <dmasim/topology.h>
#include <dmasim/trace.h>

/* What is read, and who hears of it; zero is a good default of all that may be NULL. */
struct dmasim_lint {
	FILE *trace;	  /* from where it stands to its end; it stays the caller's */
	const char *name; /* of the trace, for errors and call sites */
	bool leaks;	  /* what is alive at the end was leaked, also if the run did not ask */
	/*
	 * Each report as it is found, and the line that it is about. Reports are then not kept, and
	 * memory does not grow with them. NULL: they are the machine's, for report.h.
	 */
	void (*found)(void *cookie, const struct dmasim_report *report, u64 line);
	/* A report that the run wrote into its trace and that is not found here, or that is. */
	void (*differs)(void *cookie, const char *text);
	void *cookie;
};

struct dmasim_lint_result {
	u64 lines;
	u64 found;     /* reports */
	u64 missing;   /* that the trace has and lint did not find */
	u64 extra;     /* the other way round */
	u64 not_seen;  /* that the trace has, of kinds that lint cannot see */
	u64 alive;     /* mappings that were alive at the end */
	bool compared; /* the run had its checker on, every one of them */
	struct dmasim_error error;
};

DMASIM_BEGIN_DECLS

/*
 * Reads a trace to its end and judges it; or several, one behind the other in one file. `s` is a
 * machine that nothing was done with but dmasim_create(), dmasim_expect() and dmasim_suppress();
 * afterwards it can be asked for its reports and destroyed. 0; or result->error.text is one line,
 * "name:line: what, what was expected", and what was found before that was told: -EINVAL: the trace
 * is not in the grammar, -EIO: it cannot be read, -ENOMEM.
 */
DMASIM_API int dmasim_lint(struct dmasim *s, const struct dmasim_lint *lint,
			   struct dmasim_lint_result *result);

/* True if a trace tells enough for reports of this kind. */
DMASIM_API bool dmasim_lint_sees(enum dmasim_report_id id);

DMASIM_END_DECLS

#endif
