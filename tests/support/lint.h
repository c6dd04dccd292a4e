/* SPDX-License-Identifier: MIT */
/*
 * The trace of a rig, linted: with DMASIM_TEST_LINT in the environment every rig writes one, and at
 * its end the reports that dmasim_lint() finds in it must be the rig's own, in the same order.
 */
#ifndef SUPPORT_LINT_H
#define SUPPORT_LINT_H

#include <dmasim/dmasim.h>

struct rig_trace {
	FILE *file; /* NULL: nobody asked for it, or the test has one of its own */
	char *text;
	size_t bytes;
};

/* The configuration of a rig, with the trace in it if one is wanted; `from` may be NULL. */
struct dmasim_config rig_trace_begin(struct rig_trace *trace, const struct dmasim_config *from);

/* Before the machine goes. False: the two differ, and how is printed. */
bool rig_trace_agrees(struct rig_trace *trace, struct dmasim *s);
void rig_trace_end(struct rig_trace *trace);

#endif
