/* SPDX-License-Identifier: MIT */
/*
 * The flush queue of a lazy domain: what was unmapped waits until one invalidation of the whole
 * domain has covered all of it (facts "iova-and-page-tables" 1.4 and 6.3).
 *
 *   START    flushes that have begun; FINISH  those that have ended; several may overlap
 *   entry    an address range, the table pages that go with it, and START as it was then
 *   rule     an entry goes once FINISH is above its START: so many flushes have ended that one of
 *            them began after it was queued
 *
 * The queue knows its domain through a table of functions alone.
 */
#ifndef IOVA_FLUSH_QUEUE_H
#define IOVA_FLUSH_QUEUE_H

#include <dmasim/platform.h>
#include <dmasim/types.h>

/* A ring for each CPU; of its entries one is never used. */
#define FLUSH_QUEUE_ENTRIES    256
#define FLUSH_QUEUE_TIMEOUT_NS 10000000ULL

/* One ring for all CPUs. */
#define FLUSH_QUEUE_SINGLE_ENTRIES    32768
#define FLUSH_QUEUE_SINGLE_TIMEOUT_NS 1000000000ULL

struct flush_queue;
struct page;

struct flush_queue_ops {
	/* Invalidates all that hardware may have cached of the domain, and waits. 0 or an error. */
	int (*flush)(void *domain);
	/*
	 * Takes back the tables, then [iova, iova + bytes). cached: no flush that covers them went
	 * well, so hardware may still walk the tables.
	 */
	void (*release)(void *domain, u64 iova, u64 bytes, struct page *tables, bool cached);
};

struct flush_queue_config {
	struct platform *platform;
	const struct flush_queue_ops *ops;
	void *domain; /* first argument of the functions */
	bool single;  /* one ring for all CPUs: flushes are dear, and shall be few */
	u32 cpus;     /* platform->cpu is below it */
	u32 entries;  /* of a ring: a power of two from 2 up; 0: as many as Linux has */
	u32 bugs;     /* bits of enum dmasim_bug */
};

/* NULL: no memory, and the domain is strict. */
struct flush_queue *flush_queue_create(const struct flush_queue_config *config);

/*
 * Releases nothing: what waits is given to `forget`, in the order of the rings, for its tables
 * alone. The addresses go with their allocator. Nothing is cached any more.
 */
void flush_queue_destroy(struct flush_queue *fq, void (*forget)(void *domain, struct page *tables));

/*
 * [iova, iova + bytes) was unmapped but not invalidated; tables: the page-table pages that went
 * with it. All is released after the next flush: when the ring is full, or when the time since the
 * first is over.
 */
void flush_queue_add(struct flush_queue *fq, u64 iova, u64 bytes, struct page *tables);

#endif
