/* SPDX-License-Identifier: MIT */
/*
 * From a finding to a report: the machine-readable line and the block for people.
 */
#ifndef CHECK_EXPLAIN_H
#define CHECK_EXPLAIN_H

#include "check/check.h"

/* All that is known about one finding; what does not apply stays 0. */
struct finding {
	enum dmasim_report_id id;
	dmasim_sbdf dev; /* DMASIM_NO_SBDF: none */
	u64 dma;
	u64 size;
	const char *what;	       /* one clause: what happened here */
	const char *cause;	       /* one word: why */
	const char *explained;	       /* lines of the block: why, and what follows */
	const char *hardware;	       /* what it would have done, where the number does not tell */
	const struct piece *piece;     /* the mapping concerned */
	const struct piece *own;       /* the one that this call made, if it meets `piece` */
	const struct owner_past *past; /* a mapping that was there before */
	const struct owner_range *range;
	const struct dmasim_site *site; /* of the call that did it */
	const struct hw_access *access; /* what the device did */
	const char *linux_says;		/* what Linux would print */
	/* And what its dma-debug would; check 0: nothing. */
	struct dma_debug_message debug[2];
	phys_addr_t expected_phys; /* where the access should have gone; 0: not known */
};

DMASIM_COLD void check_report(struct check *check, const struct finding *finding);

/* Adds it to the list of reports: with these texts, and what a program may want to know of it. */
void check_record(struct check *check, const struct finding *finding,
		  const struct report_content *texts);

#endif
