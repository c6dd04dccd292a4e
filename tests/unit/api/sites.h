/* SPDX-License-Identifier: MIT */
/*
 * Call sites in tests of the checker: a wrong program notes where it calls, and its report must say
 * so.
 */
#ifndef UNIT_API_SITES_H
#define UNIT_API_SITES_H

#include "unit/api/machines.h"

struct place {
	char words[256];
};

/* The call stands on the next line, and on one line. */
#define NEXT_LINE(place)                                                                      \
	snprintf((place).words, sizeof((place).words), "%s:%d in %s", __FILE__, __LINE__ + 1, \
		 __func__)

/* The only report of this kind: its text has all these words. */
static inline void expect_says(struct dmasim *s, enum dmasim_report_id id, const char *words)
{
	struct dmasim_report report;

	if (report_says(s, id, words))
		return;
	for (u32 i = 0; dmasim_report_get(s, i, &report); i++)
		print_error("%s", report.text);
	fail_msg("no report %s says \"%s\"", dmasim_report_name(id), words);
}

/* The first line of every text, and the sentence of the registry in it. */
static inline void expect_headline(struct dmasim *s, enum dmasim_report_id id)
{
	char words[256];

	snprintf(words, sizeof(words), "DMASIM-%03d %s: %s", (int)id, dmasim_report_name(id),
		 dmasim_report_sentence(id));
	expect_says(s, id, words);
}

#endif
