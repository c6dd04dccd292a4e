/* SPDX-License-Identifier: MIT */
/*
 * Rules: which reports are expected, or suppressed, by what they say; and the matching itself,
 * which lists use, too.
 */
#ifndef WORLD_REPORT_RULE_H
#define WORLD_REPORT_RULE_H

#include <bsd/sys/queue.h>

#include <dmasim/report.h>

#include "world/memory.h"

struct report;

struct report_rule {
	STAILQ_ENTRY(report_rule) link;
	bool suppress;
	struct dmasim_report_match match; /* its strings lie behind the struct */
	u32 left;			  /* an expectation: so many have yet to come */
	u64 matched;
	const char *file; /* that it was read from; NULL: the program made it */
	u32 line;
};

STAILQ_HEAD(report_rule_list, report_rule);

/* True if the report is what the match asks for. */
bool report_matches(const struct report *report, const struct dmasim_report_match *match);

/* '*' is any text, also none, '?' any byte. */
bool report_glob(const char *pattern, const char *text);

/* A copy of it, its strings too, behind the others. 0 or -ENOMEM. */
int report_rule_add(struct report_rule_list *rules, struct memory *memory,
		    const struct report_rule *rule);
void report_rules_free(struct report_rule_list *rules, struct memory *memory);

/*
 * The first rule that suppresses the report, else the first that still expects it, and counts it
 * there. NULL: none does.
 */
const struct report_rule *report_rules_take(struct report_rule_list *rules,
					    const struct report *report);

#endif
