/* SPDX-License-Identifier: MIT */
/*
 * Linux's names over any allocator. Beside the allocator stands a tree of the records that somebody
 * was given, one for each range at most: a record's last page is its key, because reserving over a
 * range lets it grow downwards and in no other way (facts "iova-and-page-tables" 1.1, RESERVE).
 *
 * Caches free ranges when they see fit, and the allocator does not tell. So a record may outlive
 * its range, as a pointer would in Linux; it goes when its pages are met again.
 */
#include "iova/iova_domain.h"

#include <bsd/sys/tree.h>
#include <errno.h>

#include <dmasim/lock.h>

#define RCACHE_RANGE_LG2 5 /* pages of the largest cached range */

struct iova_record {
	struct iova iova; /* first: what the caller has is a pointer to it */
	RB_ENTRY(iova_record) by_last;
};

RB_HEAD(iova_records, iova_record);

/* What a domain has once it is used. */
struct iova_space {
	struct iova_allocator *allocator;
	struct platform_lock lock; /* of the records; the allocator's own are taken below it */
	struct iova_records records;
	bool cached;
};

static int compare_last(struct iova_record *a, struct iova_record *b)
{
	return (a->iova.pfn_hi > b->iova.pfn_hi) - (a->iova.pfn_hi < b->iova.pfn_hi);
}

RB_PROTOTYPE(iova_records, iova_record, by_last, compare_last)
RB_GENERATE(iova_records, iova_record, by_last, compare_last)

static void misuse(const struct iova_domain *iovad, enum dmasim_report_id id, u64 dma, u64 size,
		   const char *what)
{
	platform_report(iovad->os->platform, &(struct platform_report){
						     .id = id,
						     .dev = DMASIM_NO_SBDF,
						     .dma = dma,
						     .size = size,
						     .what = what,
					     });
}

/* ---- The domain ------------------------------------------------------- */

void iova_domain_init(struct os *os, struct iova_domain *iovad, u64 granule, u64 start_pfn)
{
	*iovad = (struct iova_domain){
		.granule = (dmasim_ulong)granule,
		.start_pfn = (dmasim_ulong)start_pfn,
		.os = os,
	};
	if (granule && !(granule & (granule - 1)) && granule <= PAGE_SIZE) {
		iovad->dma_32bit_pfn = (dmasim_ulong)(SZ_4G >> iova_shift(iovad));
		return;
	}
	misuse(iovad, DMASIM_REPORT_KERNEL_MISUSE, 0, granule,
	       "init_iova_domain() with a granule that is no power of two, or above a page");
	iovad->granule = 0;
}

/* Of all that the allocator serves. */
static u64 last_pfn(const struct os *os)
{
	return os->iova_ops->max_pfn ? os->iova_ops->max_pfn : ~0ULL;
}

static struct iova_space *make_space(struct iova_domain *iovad)
{
	struct os *os = iovad->os;
	struct iova_allocator_config config = {
		.platform = os->platform,
		.cpus = os->cpus,
		.start_pfn = iovad->start_pfn,
		.last_pfn = last_pfn(os),
		.repairs = os->iova_repairs,
		.context = os->iova_ops->context,
	};
	struct iova_space *space;

	if (!iovad->granule)
		return NULL;
	space = os_alloc(os, DMASIM_FAULT_IOVA_DOMAIN, sizeof(*space));
	if (!space)
		return NULL;
	config.granule_lg2 = (u8)iova_shift(iovad);
	space->allocator = os->iova_ops->create(&config);
	if (!space->allocator) {
		os_free(os, space);
		return NULL;
	}
	RB_INIT(&space->records);
	return space;
}

/* Linux's init cannot fail, so memory is asked for when there is an answer to give. */
static struct iova_space *space_of(struct iova_domain *iovad)
{
	if (DMASIM_UNLIKELY(!iovad->space))
		iovad->space = make_space(iovad);
	return iovad->space;
}

int iova_domain_init_rcaches(struct iova_domain *iovad)
{
	struct iova_space *space = space_of(iovad);

	if (!space)
		return -ENOMEM;
	space->cached = true;
	return 0;
}

static void forget(struct iova_domain *iovad, struct iova_record *record)
{
	RB_REMOVE(iova_records, &iovad->space->records, record);
	os_free(iovad->os, record);
}

void put_iova_domain(struct iova_domain *iovad)
{
	struct iova_space *space = iovad->space;

	if (!space)
		return;
	while (!RB_EMPTY(&space->records))
		forget(iovad, RB_ROOT(&space->records));
	iovad->os->iova_ops->destroy(space->allocator);
	os_free(iovad->os, space);
	iovad->space = NULL;
}

dmasim_ulong iova_rcache_range(void)
{
	return PAGE_SIZE << RCACHE_RANGE_LG2;
}

/* ---- Records ---------------------------------------------------------- */

static void lock_records(struct iova_domain *iovad)
{
	platform_lock(iovad->os->platform, &iovad->space->lock);
}

static void unlock_records(struct iova_domain *iovad)
{
	platform_unlock(iovad->os->platform, &iovad->space->lock);
}

/* The record with the lowest last page from pfn up. */
static struct iova_record *record_from(struct iova_space *space, u64 pfn)
{
	struct iova_record key = { .iova.pfn_hi = (dmasim_ulong)pfn };

	return RB_NFIND(iova_records, &space->records, &key);
}

static struct iova_record *new_record(struct iova_domain *iovad)
{
	return os_alloc(iovad->os, DMASIM_FAULT_IOVA_RECORD, sizeof(struct iova_record));
}

/* Records of other ranges that these pages had. */
static void forget_overlaps(struct iova_domain *iovad, u64 first, u64 last)
{
	struct iova_record *record = record_from(iovad->space, first);

	while (record && record->iova.pfn_lo <= last) {
		struct iova_record *next = RB_NEXT(iova_records, &iovad->space->records, record);

		forget(iovad, record);
		record = next;
	}
}

/* Makes `record` that of [first, last]. */
static struct iova *keep(struct iova_domain *iovad, struct iova_record *record, u64 first, u64 last)
{
	forget_overlaps(iovad, first, last);
	record->iova.pfn_lo = (dmasim_ulong)first;
	record->iova.pfn_hi = (dmasim_ulong)last;
	RB_INSERT(iova_records, &iovad->space->records, record);
	return &record->iova;
}

/* The range that holds pfn; false: none that the allocator, or a record, tells of. */
static bool look_up(struct iova_domain *iovad, u64 pfn, struct iova_range *range)
{
	const struct iova_allocator_ops *ops = iovad->os->iova_ops;
	struct iova_space *space = iovad->space;
	const struct iova_record *record;

	if (ops->next)
		return ops->next(space->allocator, pfn, range) && range->first_pfn <= pfn;
	record = record_from(space, pfn);
	if (!record || record->iova.pfn_lo > pfn)
		return false;
	range->first_pfn = record->iova.pfn_lo;
	range->last_pfn = record->iova.pfn_hi;
	return true;
}

/* The record of a range that there is, brought up to date; NULL: it has none. */
static struct iova_record *record_of(struct iova_space *space, const struct iova_range *range)
{
	struct iova_record *record = record_from(space, range->last_pfn);

	if (!record || record->iova.pfn_hi != range->last_pfn)
		return NULL;
	record->iova.pfn_lo = (dmasim_ulong)range->first_pfn;
	return record;
}

static struct iova *find_locked(struct iova_domain *iovad, u64 pfn)
{
	struct iova_record *record;
	struct iova_range range;

	if (!look_up(iovad, pfn, &range)) {
		forget_overlaps(iovad, pfn, pfn);
		return NULL;
	}
	record = record_of(iovad->space, &range);
	if (record)
		return &record->iova;
	record = new_record(iovad);
	return record ? keep(iovad, record, range.first_pfn, range.last_pfn) : NULL;
}

struct iova *find_iova(struct iova_domain *iovad, dmasim_ulong pfn)
{
	struct iova *iova;

	if (!space_of(iovad))
		return NULL;
	lock_records(iovad);
	iova = find_locked(iovad, pfn);
	unlock_records(iovad);
	return iova;
}

/* ---- Through the tree ------------------------------------------------- */

/* In Linux a range of none would lie across its neighbours. */
static bool has_pages(const struct iova_domain *iovad, u64 size)
{
	if (!size)
		misuse(iovad, DMASIM_REPORT_KERNEL_MISUSE, 0, 0, "alloc_iova() of no pages");
	return size;
}

static u64 alloc_below(struct iova_domain *iovad, u64 pages, u64 limit_pfn, u32 how)
{
	u64 last = last_pfn(iovad->os);

	return iovad->os->iova_ops->alloc(iovad->space->allocator, pages,
					  limit_pfn < last ? limit_pfn : last, how);
}

struct iova *alloc_iova(struct iova_domain *iovad, dmasim_ulong size, dmasim_ulong limit_pfn,
			bool size_aligned)
{
	struct iova_space *space = space_of(iovad);
	struct iova_record *record;
	struct iova *iova = NULL;
	u64 pfn;

	if (!has_pages(iovad, size))
		return NULL;
	/* Memory first: a failure of it changes nothing (rule A2). */
	record = space ? new_record(iovad) : NULL;
	if (!record)
		return NULL;
	lock_records(iovad);
	pfn = alloc_below(iovad, size, limit_pfn, size_aligned ? iova_natural(size) : 0);
	if (pfn != IOVA_NO_PFN)
		iova = keep(iovad, record, pfn, pfn + size - 1);
	else
		os_free(iovad->os, record);
	unlock_records(iovad);
	return iova;
}

static void free_locked(struct iova_domain *iovad, u64 pfn)
{
	struct iova_record *record;
	struct iova_range range;

	if (!look_up(iovad, pfn, &range))
		return;
	record = record_of(iovad->space, &range);
	if (record)
		forget(iovad, record);
	iovad->os->iova_ops->free(iovad->space->allocator, range.first_pfn,
				  range.last_pfn - range.first_pfn + 1, 0);
}

void free_iova(struct iova_domain *iovad, dmasim_ulong pfn)
{
	if (!iovad->space)
		return;
	lock_records(iovad);
	free_locked(iovad, pfn);
	unlock_records(iovad);
}

static bool is_record(struct iova_domain *iovad, const struct iova *iova)
{
	const struct iova_record *record = record_from(iovad->space, iova->pfn_hi);

	return record && &record->iova == iova;
}

void __free_iova(struct iova_domain *iovad, struct iova *iova)
{
	bool known = false;

	if (iovad->space) {
		lock_records(iovad);
		known = is_record(iovad, iova);
		if (known)
			free_locked(iovad, iova->pfn_hi);
		unlock_records(iovad);
	}
	if (!known)
		misuse(iovad, DMASIM_REPORT_KERNEL_MISUSE, (u64)iova->pfn_lo, 0,
		       "__free_iova() of what the domain did not give");
}

/* A range that is there may have grown downwards over what was reserved. */
static void refresh(struct iova_domain *iovad, u64 first, u64 last)
{
	struct iova_record *record = record_from(iovad->space, first);
	struct iova_range range;

	for (; record && record->iova.pfn_lo <= last;
	     record = RB_NEXT(iova_records, &iovad->space->records, record)) {
		if (look_up(iovad, record->iova.pfn_hi, &range))
			record_of(iovad->space, &range);
	}
}

/* `record` is for the range if it has none. */
static struct iova *reserve_locked(struct iova_domain *iovad, struct iova_range range,
				   struct iova_record *record)
{
	const struct iova_allocator_ops *ops = iovad->os->iova_ops;
	struct iova_space *space = iovad->space;
	struct iova_record *known;

	if (ops->reserve(space->allocator, range.first_pfn, range.last_pfn)) {
		os_free(iovad->os, record);
		return NULL;
	}
	refresh(iovad, range.first_pfn, range.last_pfn);
	if (ops->next)
		look_up(iovad, range.last_pfn, &range);
	known = record_of(space, &range);
	if (!known)
		return keep(iovad, record, range.first_pfn, range.last_pfn);
	os_free(iovad->os, record);
	return &known->iova;
}

struct iova *reserve_iova(struct iova_domain *iovad, dmasim_ulong pfn_lo, dmasim_ulong pfn_hi)
{
	const struct iova_range range = { .first_pfn = pfn_lo, .last_pfn = pfn_hi };
	struct iova_record *record;
	struct iova *iova;

	if (!space_of(iovad))
		return NULL;
	if (pfn_lo > pfn_hi || pfn_hi > ~0ULL >> iova_shift(iovad)) {
		misuse(iovad, DMASIM_REPORT_BAD_ARGUMENT, pfn_lo, 0,
		       "reserve_iova() of no pages, or of some that no address has");
		return NULL;
	}
	record = new_record(iovad);
	if (!record)
		return NULL;
	lock_records(iovad);
	iova = reserve_locked(iovad, range, record);
	unlock_records(iovad);
	return iova;
}

/* ---- Through the cache ------------------------------------------------ */

/* Without caches Linux rounds all the same: what was cached elsewhere would fit. */
static u64 rounded(u64 size)
{
	return size < 1ULL << RCACHE_RANGE_LG2 ? 1ULL << iova_natural(size) : size;
}

dmasim_ulong alloc_iova_fast(struct iova_domain *iovad, dmasim_ulong size, dmasim_ulong limit_pfn,
			     bool flush_rcache)
{
	struct iova_space *space = space_of(iovad);
	u32 how = iova_natural(size);
	u64 pfn, pages = size;

	if (!space || !has_pages(iovad, size))
		return 0;
	if (space->cached)
		how |= IOVA_CACHE | (flush_rcache ? IOVA_FLUSH : 0);
	else
		pages = rounded(size);
	pfn = alloc_below(iovad, pages, limit_pfn, how);
	return pfn == IOVA_NO_PFN ? 0 : (dmasim_ulong)pfn;
}

/* If the range is gone, and not in a cache, its record is, too. */
static void forget_if_gone(struct iova_domain *iovad, u64 pfn)
{
	struct iova_record *record = record_from(iovad->space, pfn);
	struct iova_range range;

	if (!record || record->iova.pfn_lo > pfn || !iovad->os->iova_ops->next)
		return;
	if (!look_up(iovad, pfn, &range) || range.last_pfn != record->iova.pfn_hi)
		forget(iovad, record);
}

void free_iova_fast(struct iova_domain *iovad, dmasim_ulong pfn, dmasim_ulong size)
{
	struct iova_space *space = iovad->space;

	if (!space)
		return;
	if (!space->cached && iovad->os->iova_ops->next) {
		free_iova(iovad, pfn);
		return;
	}
	if (!space->cached) {
		iovad->os->iova_ops->free(space->allocator, pfn, rounded(size), 0);
		return;
	}
	iovad->os->iova_ops->free(space->allocator, pfn, size, IOVA_CACHE);
	if (DMASIM_LIKELY(RB_EMPTY(&space->records)))
		return;
	lock_records(iovad);
	forget_if_gone(iovad, pfn);
	unlock_records(iovad);
}
