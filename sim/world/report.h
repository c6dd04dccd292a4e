/* SPDX-License-Identifier: MIT */
/*
 * The list of reports of one machine, and what its user expects.
 */
#ifndef WORLD_REPORT_H
#define WORLD_REPORT_H

#include <bsd/sys/queue.h>

#include <dmasim/report.h>

#include "world/memory.h"

#define REPORT_ID_MAX 64

struct report {
	STAILQ_ENTRY(report) link;
	enum dmasim_report_id id;
	u64 at_ns;
	dmasim_sbdf dev;
	u64 dma;
	bool expected;
	const char *line; /* all three lie behind the struct */
	const char *text;
	const char *linux_text;
};

STAILQ_HEAD(report_list, report);

struct reports {
	struct memory *memory;
	struct report_list list;
	u32 count;
	u32 lost; /* could not be recorded: no memory */
	u32 lost_unexpected;
	u32 expected[REPORT_ID_MAX];
	bool suppressed[REPORT_ID_MAX];
};

/* What a new report says. */
struct report_content {
	enum dmasim_report_id id;
	u64 at_ns;
	dmasim_sbdf dev;
	u64 dma;
	const char *line;
	const char *text;
	const char *linux_text; /* NULL or "": none */
};

void reports_init(struct reports *reports, struct memory *memory);

/* The strings are copied. */
void reports_add(struct reports *reports, const struct report_content *content);

void reports_suppress(struct reports *reports, enum dmasim_report_id id);
void reports_expect(struct reports *reports, enum dmasim_report_id id, u32 count);

#endif
