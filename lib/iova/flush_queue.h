/* SPDX-License-Identifier: MIT */
/*
 * The flush queue of a lazy domain: what was unmapped waits until one invalidation of the whole
 * domain has covered all of it (facts "iova-and-page-tables" 1.4).
 *
 * Each CPU has a ring. An entry remembers how many flushes had begun when it was queued: it may be
 * reused once more than those have finished.
 */
#ifndef IOVA_FLUSH_QUEUE_H
#define IOVA_FLUSH_QUEUE_H

#include <dmasim/types.h>

#define FLUSH_QUEUE_ENTRIES    256 /* one is never used */
#define FLUSH_QUEUE_TIMEOUT_NS 10000000ULL

struct flush_queue;
struct iommu_domain;
struct page;

/* NULL: no memory, and the domain is strict. */
struct flush_queue *flush_queue_create(struct iommu_domain *domain);

/* Frees the page tables that wait; the IOVAs go with their allocator. */
void flush_queue_destroy(struct flush_queue *fq);

/*
 * [iova, iova + bytes) was unmapped but not invalidated; tables: the page-table pages that went
 * with it. All is freed after the next flush: when the ring is full, or 10 ms after the first.
 */
void flush_queue_add(struct flush_queue *fq, u64 iova, u64 bytes, struct page *tables);

#endif
