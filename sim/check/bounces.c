/* SPDX-License-Identifier: MIT */
#include "check/bounces.h"

/* at: the copy, in the pool. */
struct bounce {
	struct interval at; /* first member */
	phys_addr_t orig;
};

void bounces_init(struct bounces *bounces, struct world *world, bool *blind)
{
	*bounces = (struct bounces){ .world = world, .blind = blind };
	interval_tree_init(&bounces->tree);
}

static void drop(struct bounces *bounces, struct interval *interval)
{
	interval_remove(&bounces->tree, interval);
	memory_free(&bounces->world->memory, interval);
}

void bounces_fini(struct bounces *bounces)
{
	struct interval *interval;

	while ((interval = interval_any(&bounces->tree)))
		drop(bounces, interval);
}

/* What is lent again was given back: an unmap that named another address left the record. */
static void drop_overlapping(struct bounces *bounces, u64 start, u64 last)
{
	struct interval *old;

	while ((old = interval_first(&bounces->tree, start, last)))
		drop(bounces, old);
}

void bounces_add(struct bounces *bounces, const struct dmasim_event *event)
{
	u64 last = event->dma + event->size - 1;
	struct bounce *bounce;

	drop_overlapping(bounces, event->dma, last);
	bounce = memory_alloc(&bounces->world->memory, DMASIM_FAULT_CHECK_RECORD, sizeof(*bounce));
	if (!bounce) {
		*bounces->blind = true;
		return;
	}
	bounce->at.start = event->dma;
	bounce->at.last = last;
	bounce->orig = event->phys;
	interval_insert(&bounces->tree, &bounce->at);
}

void bounces_end(struct bounces *bounces, const struct dmasim_event *event)
{
	struct interval *interval = interval_first(&bounces->tree, event->dma, event->dma);

	if (interval && interval->start == event->dma)
		drop(bounces, interval);
}

phys_addr_t bounces_original(const struct bounces *bounces, phys_addr_t phys)
{
	const struct interval *interval = interval_first(&bounces->tree, phys, phys);

	return interval ? ((const struct bounce *)(const void *)interval)->orig +
				  (phys - interval->start)
			: phys;
}

bool bounces_has(const struct bounces *bounces, phys_addr_t phys)
{
	struct interval *at;

	for (at = interval_first(&bounces->tree, 0, ~0ULL); at;
	     at = interval_next(&bounces->tree, at, 0, ~0ULL)) {
		const struct bounce *bounce = (const struct bounce *)(const void *)at;

		if (phys - bounce->orig <= at->last - at->start)
			return true;
	}
	return false;
}
