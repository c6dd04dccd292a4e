/* SPDX-License-Identifier: MIT */
#include "iova/flush_queue.h"

#include <dmasim/lock.h>

#include "iommu/iommu.h"

struct fq_entry {
	u64 iova;
	u64 bytes;
	u64 counter; /* flushes that had begun when it was queued */
	struct page *tables;
};

struct fq_ring {
	struct platform_lock lock;
	u32 head;
	u32 tail;
	struct fq_entry entry[FLUSH_QUEUE_ENTRIES];
};

struct flush_queue {
	struct iommu_domain *domain;
	struct dmasim_timer timer;
	bool timer_on;
	u64 begun; /* flushes */
	u64 finished;
	bool failed; /* the last one */
	u32 rings;
	struct fq_ring ring[];
};

static struct platform *platform_of(const struct flush_queue *fq)
{
	return fq->domain->os->platform;
}

static u32 next_index(u32 index)
{
	return (index + 1) % FLUSH_QUEUE_ENTRIES;
}

static bool is_full(const struct fq_ring *ring)
{
	return next_index(ring->tail) == ring->head;
}

static void flush(struct flush_queue *fq)
{
	fq->begun++;
	fq->failed = iommu_flush_iotlb_all(fq->domain);
	fq->finished++;
}

/* Frees what the flushes so far have covered. The ring is locked. */
static void recycle(struct flush_queue *fq, struct fq_ring *ring)
{
	u64 finished = fq->finished;

	while (ring->head != ring->tail && ring->entry[ring->head].counter < finished) {
		struct fq_entry *entry = &ring->entry[ring->head];

		/* After a flush that failed hardware may still walk them. */
		if (fq->failed)
			iommu_keep_tables(fq->domain, entry->tables);
		else
			iommu_free_tables(fq->domain->os, entry->tables);
		entry->tables = NULL;
		iommu_free_iova(fq->domain, entry->iova, entry->bytes);
		ring->head = next_index(ring->head);
	}
}

static void on_timer(struct dmasim_timer *timer)
{
	struct flush_queue *fq =
		(struct flush_queue *)((char *)timer - offsetof(struct flush_queue, timer));

	/* What is queued from here on needs the timer again. */
	fq->timer_on = false;
	flush(fq);
	for (u32 i = 0; i < fq->rings; i++) {
		platform_lock(platform_of(fq), &fq->ring[i].lock);
		recycle(fq, &fq->ring[i]);
		platform_unlock(platform_of(fq), &fq->ring[i].lock);
	}
}

struct flush_queue *flush_queue_create(struct iommu_domain *domain)
{
	struct os *os = domain->os;
	struct flush_queue *fq;

	fq = os_alloc(os, DMASIM_FAULT_FLUSH_QUEUE, sizeof(*fq) + os->cpus * sizeof(fq->ring[0]));
	if (!fq)
		return NULL;
	fq->domain = domain;
	fq->timer.fire = on_timer;
	fq->rings = os->cpus;
	return fq;
}

void flush_queue_destroy(struct flush_queue *fq)
{
	struct platform *p = platform_of(fq);

	p->ops->timer_cancel(p->machine, &fq->timer);
	for (u32 i = 0; i < fq->rings; i++) {
		struct fq_ring *ring = &fq->ring[i];

		for (; ring->head != ring->tail; ring->head = next_index(ring->head))
			iommu_free_tables(fq->domain->os, ring->entry[ring->head].tables);
	}
	os_free(fq->domain->os, fq);
}

void flush_queue_add(struct flush_queue *fq, u64 iova, u64 bytes, struct page *tables)
{
	struct platform *p = platform_of(fq);
	struct fq_ring *ring = &fq->ring[p->cpu];

	platform_lock(p, &ring->lock);
	recycle(fq, ring);
	if (is_full(ring)) {
		flush(fq);
		/* The flush began after the last entry was queued: it frees them all. */
		recycle(fq, ring);
		DMASIM_CONTRACT(!is_full(ring), "a flush that is over frees the ring");
	}
	platform_point(p, DMASIM_POINT_RING);
	ring->entry[ring->tail] = (struct fq_entry){
		.iova = iova,
		.bytes = bytes,
		.counter = fq->begun,
		.tables = tables,
	};
	ring->tail = next_index(ring->tail);
	platform_unlock(p, &ring->lock);

	if (fq->timer_on)
		return;
	platform_point(p, DMASIM_POINT_RING);
	fq->timer_on = true;
	p->ops->timer_arm(p->machine, &fq->timer, FLUSH_QUEUE_TIMEOUT_NS);
}
