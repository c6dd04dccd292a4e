/* SPDX-License-Identifier: MIT */
#include "check/bounces.h"

/* at: the copy, in the pool. */
struct bounce {
	struct interval at; /* first member */
	struct interval of; /* the buffer */
};

void bounces_init(struct bounces *bounces, struct world *world, bool *blind)
{
	*bounces = (struct bounces){ .world = world, .blind = blind };
	interval_tree_init(&bounces->tree);
	interval_tree_init(&bounces->originals);
}

static void drop(struct bounces *bounces, struct interval *interval)
{
	interval_remove(&bounces->tree, interval);
	interval_remove(&bounces->originals, &((struct bounce *)interval)->of);
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
	bounce->of.start = event->phys;
	bounce->of.last = event->phys + event->size - 1;
	interval_insert(&bounces->tree, &bounce->at);
	interval_insert(&bounces->originals, &bounce->of);
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

	return interval ? ((const struct bounce *)(const void *)interval)->of.start +
				  (phys - interval->start)
			: phys;
}

bool bounces_has(const struct bounces *bounces, phys_addr_t phys)
{
	return interval_first(&bounces->originals, phys, phys);
}
