/* SPDX-License-Identifier: MIT */
/*
 * Reports of what is still cached: when the software claims that nothing is, and what it would do.
 */
#ifndef CHECK_STALE_H
#define CHECK_STALE_H

#include <bsd/sys/queue.h>

#include <dmasim/event.h>
#include <dmasim/report.h>

struct check;
struct cached_context;

/* What the software has done that nothing stale of a range may be left. */
enum stale_claim {
	STALE_SYNCED = 0, /* it has invalidated it */
	STALE_UNMAPPED,	  /* the unmap is over */
	STALE_FREED,	  /* its IOVA is free for others */
	STALE_REUSED,	  /* its IOVA was handed out again */
};

#define STALE_TEXT_BYTES 1400

/* Found in the middle of a call: told when it is over, since then it is known whose call it was. */
struct stale {
	STAILQ_ENTRY(stale) link;
	enum dmasim_report_id id;
	u32 domain;
	u64 dma;
	u64 size;
	const char *cause;
	char what[96];
	char text[STALE_TEXT_BYTES]; /* as it was when it was found */
};

STAILQ_HEAD(stale_list, stale);

/* Looks for a translation of [start, last] that may still be cached and does harm. */
void stale_judge(struct check *check, u32 domain, u64 start, u64 last, enum stale_claim claim);

/* Tells what was found; `event` ended the call; NULL: it is nobody's. */
DMASIM_COLD void stale_tell(struct check *check, struct stale_list *found,
			    const struct dmasim_event *event);
void stale_fini(struct check *check, struct stale_list *found);

/* A page of a page table was freed: no context, and no table, may lead there. */
void stale_judge_table(struct check *check, phys_addr_t table);

/* A device was attached: what its context was before must not be cached. */
void stale_judge_context(struct check *check, const struct dmasim_event *event);

/* Page frames were allocated: how many of them may still be reached is counted. */
void stale_judge_frames(struct check *check, phys_addr_t phys, u64 bytes);

#endif
