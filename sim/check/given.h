/* SPDX-License-Identifier: MIT */
/*
 * What pools of peer memory have given out (pci_alloc_p2pmem()), and what came back: a BAR is one
 * piece to the hardware, whoever has which part of it.
 */
#ifndef CHECK_GIVEN_H
#define CHECK_GIVEN_H

#include <bsd/sys/queue.h>

#include <dmasim/event.h>

#include "check/interval.h"
#include "world/world.h"

/* A stretch of a BAR as the CPU sees it. */
struct given {
	struct interval at; /* first member */
	TAILQ_ENTRY(given) returned;
	bool is_over; /* it came back */
};

#define GIVEN_OVER_MAX 64

/* What came back is kept for a while, to explain what comes too late. */
struct givens {
	struct world *world;
	struct interval_tree tree;
	TAILQ_HEAD(, given) over; /* oldest first */
	u32 over_count;
	bool *blind; /* set when memory runs out */
};

void givens_init(struct givens *givens, struct world *world, bool *blind);
void givens_fini(struct givens *givens);

/* P2P_ALLOC and P2P_FREE. */
void givens_add(struct givens *givens, const struct dmasim_event *event);
void givens_end(struct givens *givens, const struct dmasim_event *event);

/*
 * True if some of [phys, last] came back; *first is where that begins. Of what a pool has never
 * given out nothing is known: the rest of a BAR may be registers.
 */
bool givens_came_back(const struct givens *givens, u64 phys, u64 last, u64 *first);

#endif
