/* SPDX-License-Identifier: MIT */
/*
 * What is lent for bouncing: where a device goes that reaches a copy, it reaches the buffer.
 */
#ifndef CHECK_BOUNCES_H
#define CHECK_BOUNCES_H

#include <dmasim/event.h>

#include "check/interval.h"
#include "world/world.h"

struct bounces {
	struct world *world;
	struct interval_tree tree;	/* by the copy */
	struct interval_tree originals; /* by the buffer */
	bool *blind;			/* set when memory runs out */
};

void bounces_init(struct bounces *bounces, struct world *world, bool *blind);
void bounces_fini(struct bounces *bounces);

void bounces_add(struct bounces *bounces, const struct dmasim_event *event);
void bounces_end(struct bounces *bounces, const struct dmasim_event *event);

/* True if any memory has a copy. */
static inline bool bounces_any(const struct bounces *bounces)
{
	return !RB_EMPTY(&bounces->originals.root);
}

/* True if the memory at phys has a copy. */
bool bounces_has(const struct bounces *bounces, phys_addr_t phys);

/* The buffer's address if phys is in a copy, else phys. */
phys_addr_t bounces_original(const struct bounces *bounces, phys_addr_t phys);

#endif
