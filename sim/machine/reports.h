/* SPDX-License-Identifier: MIT */
/*
 * What the files that show reports to programs share.
 */
#ifndef MACHINE_REPORTS_H
#define MACHINE_REPORTS_H

#include "machine/machine.h"

/* The list; what is held back belongs to the past of whoever asks. */
struct reports *reports_settled(struct dmasim *s);

/* A test that fails often aborts: its trace is in the file then, for lint. */
void reports_flush_trace(const struct dmasim *s);

void reports_copy_out(struct dmasim_report *to, const struct report *from);

/* "suppress use-after-unmap dev=0000:03:00.0": the rule, without how often. */
void reports_add_rule(struct text *text, const struct report_rule *rule);

/* Why a file of rules was not read; `expected` is a constant. */
struct suppressions_error {
	u32 line;	      /* 0: it is about the whole file */
	const char *expected; /* NULL: there is no memory, or the file cannot be read */
	char found[64];	      /* what stands there instead; "": the file's end, or its size */
};

/* Adds the rules of a text, all or none. 0, -EINVAL, -ENOMEM. */
int suppressions_parse(struct dmasim *s, const char *text, size_t bytes, const char *name,
		       struct suppressions_error *error);
/* The same of a file; also the errno of opening or reading it, negative. */
int suppressions_read(struct dmasim *s, const char *path, struct suppressions_error *error);

#endif
