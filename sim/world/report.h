/* SPDX-License-Identifier: MIT */
/*
 * The list of reports of one machine, and what its user expects.
 */
#ifndef WORLD_REPORT_H
#define WORLD_REPORT_H

#include <bsd/sys/queue.h>

#include <dmasim/report.h>

#include "world/memory.h"
#include "world/report_rule.h"

#define REPORT_ID_MAX 128

/* A place in the program; file NULL: not known. */
struct report_site {
	const char *file;
	const char *function;
	int line;
};

/* What a report says. */
struct report_content {
	enum dmasim_report_id id;
	u64 at_ns;
	dmasim_sbdf dev;
	u64 dma;
	u64 size;
	struct report_site call;
	struct report_site mapped;
	struct report_site unmapped;
	u64 mapping; /* with mapping_size 0: no mapping is concerned */
	u64 mapping_size;
	phys_addr_t mapping_phys;
	const char *line;
	const char *text;
	const char *linux_text; /* NULL or "": none */
};

struct report {
	STAILQ_ENTRY(report) link;
	struct report_content says; /* its strings lie behind the struct */
	bool expected;		    /* or suppressed */
	bool suppressed;
	bool shown; /* to whoever asks for news */
};

STAILQ_HEAD(report_list, report);

/* Hears of each report that nobody expected, NULL: one that could not be recorded. */
typedef void report_listener(void *cookie, const struct report *report);

struct reports {
	struct memory *memory;
	struct report_list list;
	u32 count;
	const struct report *found; /* asked for last, and its place */
	u32 found_at;
	u32 lost; /* could not be recorded: no memory */
	u32 lost_unexpected;
	u32 expected[REPORT_ID_MAX];
	bool suppressed[REPORT_ID_MAX];
	struct report_rule_list rules; /* what is said of some reports of a kind */
	report_listener *listener;     /* NULL: nobody */
	void *cookie;
	bool telling; /* the listener has not come back */
};

void reports_init(struct reports *reports, struct memory *memory);

/* The strings are copied. */
void reports_add(struct reports *reports, const struct report_content *content);

/* That of a place in the list; NULL: there is none. One after the other costs one step each. */
const struct report *reports_at(struct reports *reports, u32 index);

void reports_suppress(struct reports *reports, enum dmasim_report_id id);
void reports_expect(struct reports *reports, enum dmasim_report_id id, u32 count);

#endif
