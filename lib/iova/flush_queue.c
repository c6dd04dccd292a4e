/* SPDX-License-Identifier: MIT */
/*
 * Each store that another CPU can see has a preemption point before it, and so has each load of
 * what no lock protects: the two counters and the timer's flag. Between two points a CPU is alone,
 * which stands for the atomic operations of a kernel.
 */
#include "iova/flush_queue.h"

#include <dmasim/bug.h>
#include <dmasim/lock.h>
#include <dmasim/page.h>

struct fq_entry {
	u64 iova;
	u64 bytes;
	u64 counter;	     /* flushes that had begun when it was queued */
	struct page *tables; /* NULL in a slot that is free */
};

/* Empty if head is tail; full if the next tail would be head. */
struct fq_ring {
	struct platform_lock lock;
	u32 head;
	u32 tail;
	struct fq_entry *entry;
};

struct flush_queue {
	struct platform *platform;
	const struct flush_queue_ops *ops;
	void *domain;
	u32 bugs;
	u32 mask; /* entries of a ring, less one */
	u64 timeout_ns;
	struct dmasim_timer timer;
	bool timer_on;
	bool firing; /* the timer's work has begun, and not ended */
	u64 started;
	u64 finished;
	u64 flushed; /* the highest number of a flush that ended well; numbers are from 1 */
	bool single;
	u32 rings;
	struct fq_ring ring[];
};

static bool has_bug(const struct flush_queue *fq, enum dmasim_bug bug)
{
	return DMASIM_UNLIKELY(fq->bugs & (1U << bug));
}

static u32 next_index(const struct flush_queue *fq, u32 index)
{
	return (index + 1) & fq->mask;
}

static bool is_full(const struct flush_queue *fq, const struct fq_ring *ring)
{
	return next_index(fq, ring->tail) == ring->head;
}

/* No lock covers it: flushes of several CPUs may overlap. */
static void flush(struct flush_queue *fq)
{
	u64 number;
	int err;

	platform_point(fq->platform, DMASIM_POINT_FLUSH);
	number = ++fq->started;
	err = fq->ops->flush(fq->domain);
	if (!err) {
		platform_point(fq->platform, DMASIM_POINT_FLUSH);
		if (fq->flushed < number)
			fq->flushed = number;
	}
	platform_point(fq->platform, DMASIM_POINT_FLUSH);
	fq->finished++;
}

/*
 * Of `finished` flushes that have ended no more than `counter` can have begun before the entry was
 * queued: the rule is sound by counting, in whatever order they end.
 */
static bool is_covered(const struct flush_queue *fq, u64 counter, u64 finished)
{
	if (has_bug(fq, DMASIM_BUG_FQ_RECYCLE_EARLY))
		return counter <= finished;
	return counter < finished;
}

/* Releases what the flushes so far have covered. The ring is locked. */
static void recycle(struct flush_queue *fq, struct fq_ring *ring)
{
	u64 finished;

	platform_point(fq->platform, DMASIM_POINT_FLUSH);
	finished = fq->finished;
	while (ring->head != ring->tail &&
	       is_covered(fq, ring->entry[ring->head].counter, finished)) {
		struct fq_entry *entry = &ring->entry[ring->head];
		struct page *tables = entry->tables;

		entry->tables = NULL;
		/* Flush number n began after all that was queued when n - 1 had begun. */
		fq->ops->release(fq->domain, entry->iova, entry->bytes, tables,
				 fq->flushed <= entry->counter);
		platform_point(fq->platform, DMASIM_POINT_RING);
		ring->head = next_index(fq, ring->head);
	}
}

/*
 * A flush of this CPU covers all that waits in its ring, but the rule counts: while one that began
 * earlier has not ended, it may take as many more flushes as there are such. Linux 7.3 tries once
 * (facts 1.4), and queues all the same.
 */
static void make_room(struct flush_queue *fq, struct fq_ring *ring)
{
	while (is_full(fq, ring)) {
		flush(fq);
		recycle(fq, ring);
		if (has_bug(fq, DMASIM_BUG_FQ_OVERWRITE))
			return;
	}
}

static struct page *join(struct page *front, struct page *back)
{
	struct page *last = front;

	if (!front)
		return back;
	while (last->next)
		last = last->next;
	last->next = back;
	return front;
}

static void put(struct flush_queue *fq, struct fq_ring *ring, const struct fq_entry *what)
{
	struct fq_entry *entry = &ring->entry[ring->tail];
	/* A slot is free, unless the ring was full: then its pages are kept, its address is not. */
	struct page *tables = join(what->tables, entry->tables);

	platform_point(fq->platform, DMASIM_POINT_RING);
	*entry = *what;
	entry->tables = tables;
	entry->counter = fq->started;
	platform_point(fq->platform, DMASIM_POINT_RING);
	ring->tail = next_index(fq, ring->tail);
}

/* Of the CPUs that see the flag clear one sets it, and arms. */
static void start_timer(struct flush_queue *fq)
{
	struct platform *p = fq->platform;
	bool was_on;

	platform_point(p, DMASIM_POINT_FLUSH);
	if (fq->timer_on)
		return;
	platform_point(p, DMASIM_POINT_FLUSH);
	was_on = fq->timer_on;
	fq->timer_on = true;
	if (was_on)
		return;
	platform_point(p, DMASIM_POINT_FLUSH);
	p->ops->timer_arm(p->machine, &fq->timer, fq->timeout_ns);
}

/* What was unmapped is out of the tables, for every CPU and for hardware, before this begins. */
DMASIM_HOT void flush_queue_add(struct flush_queue *fq, u64 iova, u64 bytes, struct page *tables)
{
	struct platform *p = fq->platform;
	struct fq_ring *ring = &fq->ring[fq->single ? 0 : p->cpu];

	platform_lock(p, &ring->lock);
	recycle(fq, ring);
	make_room(fq, ring);
	put(fq, ring, &(struct fq_entry){ .iova = iova, .bytes = bytes, .tables = tables });
	platform_unlock(p, &ring->lock);
	start_timer(fq);
}

static void on_timer(struct dmasim_timer *timer)
{
	struct flush_queue *fq =
		(struct flush_queue *)((char *)timer - offsetof(struct flush_queue, timer));
	struct platform *p = fq->platform;

	fq->firing = true;
	/* First: what is queued from here on needs the timer again. */
	platform_point(p, DMASIM_POINT_FLUSH);
	fq->timer_on = false;
	flush(fq);
	for (u32 i = 0; i < fq->rings; i++) {
		platform_lock(p, &fq->ring[i].lock);
		recycle(fq, &fq->ring[i]);
		platform_unlock(p, &fq->ring[i].lock);
	}
	fq->firing = false;
}

struct flush_queue *flush_queue_create(const struct flush_queue_config *config)
{
	u32 usual = config->single ? FLUSH_QUEUE_SINGLE_ENTRIES : FLUSH_QUEUE_ENTRIES;
	u32 entries = config->entries ? config->entries : usual;
	u32 rings = config->single ? 1 : config->cpus;
	size_t bytes = sizeof(struct flush_queue) + rings * sizeof(struct fq_ring) +
		       (size_t)rings * entries * sizeof(struct fq_entry);
	struct flush_queue *fq = platform_alloc(config->platform, DMASIM_FAULT_FLUSH_QUEUE, bytes);
	struct fq_entry *entry;

	if (!fq)
		return NULL;
	fq->platform = config->platform;
	fq->ops = config->ops;
	fq->domain = config->domain;
	fq->bugs = config->bugs;
	fq->mask = entries - 1;
	fq->timeout_ns = config->single ? FLUSH_QUEUE_SINGLE_TIMEOUT_NS : FLUSH_QUEUE_TIMEOUT_NS;
	fq->timer.fire = on_timer;
	fq->single = config->single;
	fq->rings = rings;
	entry = (struct fq_entry *)&fq->ring[rings];
	for (u32 i = 0; i < rings; i++)
		fq->ring[i].entry = &entry[(size_t)i * entries];
	return fq;
}

void flush_queue_destroy(struct flush_queue *fq, void (*forget)(void *domain, struct page *tables))
{
	struct platform *p = fq->platform;

	while (fq->firing)
		platform_wait(p, &fq->firing);
	p->ops->timer_cancel(p->machine, &fq->timer);
	for (u32 i = 0; i < fq->rings; i++) {
		struct fq_ring *ring = &fq->ring[i];

		for (; ring->head != ring->tail; ring->head = next_index(fq, ring->head))
			forget(fq->domain, ring->entry[ring->head].tables);
	}
	platform_free(p, fq);
}
