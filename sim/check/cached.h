/* SPDX-License-Identifier: MIT */
/*
 * The set of everything that IOMMUs may still have cached.
 *
 * What the set says, exactly. At any moment, of one unit and one domain id:
 *
 *   A context entry *may be cached* from when it is written, until it is replaced and a completed
 *   invalidation of contexts has covered it (cached_context.h).
 *   A table *may be walked* if it is the top of a context that may be cached, or a non-leaf entry
 *   of a table that may be walked leads to it, or it is a table that may be cached.
 *   A table below the top *may be cached*, for the addresses that it maps and with what the entries
 *   above it allow, if an entry of a table that may be walked leads there now; or did, and no
 *   completed invalidation of non-leaf entries has covered any of these addresses since.
 *   A page (a leaf of any size, with its permissions and its accessed and dirty bits) *may be
 *   cached* if an entry of a table that may be walked says so now; or did, and no completed
 *   invalidation has covered it since. A page that lets nobody through is none.
 *   In caching mode that nothing is there may be cached in the same way, as a page of the size that
 *   an empty entry would map. Of one of more than 4 KiB, non-leaf entries know, too: to cover it,
 *   an invalidation must be for those; but `larger_stay` spares none.
 *
 * Since: an invalidation counts from when a wait behind it is over, and only for what had ended
 * before it was submitted, as it may have been executed at once. What still holds stays, as it may
 * be cached again at once. Covers: it is of the unit, and of the domain id or of all; and its
 * window shares an address with the page, or with what the table maps. A page, a table, is dropped
 * whole. With `larger_stay` what is larger than the window stays.
 * Commands before a wait may take effect in any order, but for what the architecture says
 * (hw_arch.contexts_first). So what only a cached table led to ends when a command is submitted
 * that is for both, or else when a wait confirms one for the table; and what only a context led to,
 * when its command was submitted, if those behind it have to wait for it.
 *
 * When something ended is known from the events of the software (map, unmap, changed), each of
 * which has the tables of its range compared with the set; so does each command, for its window,
 * before it counts as submitted. What the hardware really caches is compared as it is cached. So
 * only an entry that was written by hand, was gone again before any of these, and was never used
 * can be missed.
 *
 * What a device may have in its own TLB: cached_device.h.
 *
 * One case is judged too strictly. What is changed while a command that drops the context which led
 * there is submitted and not yet waited for counts as changed behind the commands submitted with
 * it, "too early", though nothing leads there any more. Software that waits first never meets it.
 *
 * All ranges are inclusive: they may end with the last address there is.
 */
#ifndef CHECK_CACHED_H
#define CHECK_CACHED_H

#include <bsd/sys/queue.h>

#include "check/cached_context.h"
#include "check/cached_device.h"
#include "check/cached_pages.h"
#include "check/cached_unit.h"
#include "check/interval.h"
#include "check/moment.h"
#include "check/pool.h"
#include "hw/hw.h"

/* A stretch of pages of one size that translates to a stretch of memory. */
struct cached_leaf {
	struct interval at;		   /* addresses; first member */
	LIST_ENTRY(cached_leaf) unindexed; /* before that */
	struct cached_domain *domain;
	phys_addr_t phys;
	u8 page_lg2;
	bool read;
	bool write;
	bool accessed;
	bool dirty;
	bool absent;	/* caching mode: it says that nothing is there */
	bool unmapped;	/* it holds, but the software says that it has cleared it */
	bool indexed;	/* it has ended, and somebody has asked for it by its memory */
	bool told;	/* reported */
	bool told_page; /* that its memory is used again, too */
	struct check_moment since;
	struct check_moment until; /* never: the tables say so now */
	u64 round;		   /* of the comparison that has confirmed some of it last, */
	u64 next;		   /* up to here, */
	bool confirmed;		   /* or all */
	struct interval by_phys;   /* if it is indexed */
};

/* A table below the top. */
struct cached_table {
	struct interval at;	 /* what it maps; first member */
	struct interval by_phys; /* its first byte */
	struct cached_domain *domain;
	phys_addr_t phys;
	u8 levels; /* from it on: 1 has the smallest leaves */
	bool read;
	bool write;
	struct check_moment since;
	struct check_moment until;
	u64 round;
};

/* A top table that a context which may be cached leads to. */
struct cached_source {
	SLIST_ENTRY(cached_source) link;
	phys_addr_t root;
	u8 levels; /* for hw_walk_range() */
	bool read; /* what the context allows */
	bool write;
	bool used; /* while they are looked for: a context leads here */
};

SLIST_HEAD(cached_source_list, cached_source);

#define CACHED_WAY_MAX 6

/* That are kept, by the address: so many at first, and with a domain that goes through more, */
#define CACHED_WAYS	 4
#define CACHED_WAYS_MANY 256 /* so many */
#define CACHED_WAYS_LOST 32  /* once so many had to go for another */

/*
 * The way from the top down to a table with the smallest leaves, as a comparison found it last:
 * cached_way.h.
 */
struct cached_way {
	u32 count; /* entries above that table; 0: there is no such way */
	u64 age;   /* of the domain's ways, when it was found: if that is another now, neither */
	const u8 *entry[CACHED_WAY_MAX];
	u64 word[CACHED_WAY_MAX]; /* what they said, as it stands in memory */
	const struct ram *ram;	  /* where they stand: pointers into it have been valid */
	u64 dropped;		  /* since it had dropped so many extents */
	const struct cached_table *table;
	u64 start; /* what it maps */
	u64 last;
	const u8 *pages; /* its entries */
	bool is_plain;	 /* its entries can be read here: an empty one is 0, */
	bool knows_page; /* and what one of a page says is known: */
	u64 allows;	 /* this, without marks, as rows have it, */
	u64 page_bits;	 /* if it is, but for these, its address moved down by page_shift, */
	u64 page_word;	 /* this */
	u8 page_shift;
};

/* A domain id of a unit. */
struct cached_domain {
	struct interval at;	    /* the id; first member */
	struct cached_domain *next; /* of the same id, of another unit */
	struct hw_iommu *iommu;
	u32 domain;
	phys_addr_t root; /* the tables that hold now: those of the latest context */
	u8 levels;	  /* for hw_walk_range() */
	bool first_stage; /* of requests without PASID, in scalable mode */
	struct cached_source_list sources;
	struct cached_way first_ways[CACHED_WAYS];
	struct cached_way *way; /* these, or more */
	u32 ways;
	u32 ways_lost;
	u64 ways_age;			     /* counts up when all are forgotten */
	const struct cached_way *way_taught; /* that has learned last what a page says */
	struct interval_tree leaves;
	u64 count;		 /* of them */
	u64 holding;		 /* of these */
	u64 ended_last;		 /* the order of when the last of the others ended */
	bool large;		 /* some were of more than 4 KiB */
	bool has_left;		 /* some were marked as unmapped while they held */
	struct cached_rows rows; /* the others (cached_pages.h) */
	struct interval_tree tables;
	u32 ended_tables;
};

/* From the end of a translation to the completed invalidation that covered it. */
struct cached_windows {
	u64 count; /* stretches */
	u64 open;  /* that no invalidation has covered yet */
	u64 longest_ns;
	u64 total_ns;
	u64 pages_reused; /* page frames that were allocated again in such a window */
};

#define CACHED_ROW 64

/* Pages that were mapped one after the other: cached_row.h. */
struct cached_row {
	const struct cached_way *way; /* to the table that they are in; NULL: there is no row, */
	struct cached_domain *domain; /* but one page; compared, not followed */
	u32 id;			      /* of it */
	u64 last;		      /* of what the table maps */
	u64 next;		      /* the address behind them */
	u32 count; /* so many of them are not in the set yet; what their entries said: */
	u64 says[CACHED_ROW];
};

struct cached {
	struct world *world;
	struct check_clock clock;
	struct interval_tree domains; /* by id */
	bool caching;		      /* a unit of one of them is in caching mode */
	struct cached_domain *recent; /* found last, the first of its id */
	struct cached_unit_list units;
	struct interval_tree tables_by_phys;
	struct interval_tree ended_by_phys;
	LIST_HEAD(, cached_leaf) unindexed; /* leaves that have ended and are not there yet */
	struct check_pool leaves;	    /* records */
	struct check_pool pages;
	struct check_pool moments; /* of pages */
	LIST_HEAD(, cached_pages) pages_ended;
	u64 ended; /* leaves */
	struct cached_contexts contexts;
	struct cached_device_list devices;
	struct cached_windows windows;
	struct cached_row row;
	u64 round;
	bool *blind; /* set when memory runs out: the set is not complete from then on */
};

void cached_init(struct cached *cached, struct world *world, bool *blind);
void cached_fini(struct cached *cached);

/* The context entry of a requester says this now. */
void cached_context_written(struct cached *cached, struct hw_iommu *iommu, u16 requester,
			    const struct hw_context *context);

struct cached_domain *cached_domain_search(struct cached *cached, u32 domain);

/* A domain by its id, and the next: several units may have one. NULL: none. */
static inline struct cached_domain *cached_domain_first(struct cached *cached, u32 domain)
{
	if (DMASIM_LIKELY(cached->recent && cached->recent->domain == domain))
		return cached->recent;
	return cached_domain_search(cached, domain);
}

static inline struct cached_domain *cached_domain_next(const struct cached_domain *domain)
{
	return domain->next;
}

/* That of one unit; NULL: none. */
struct cached_domain *cached_domain_find(struct cached *cached, const struct hw_iommu *iommu,
					 u32 domain);

/* The unit caches what is absent, too; never of a first stage (facts 3.2). */
static inline bool cached_has_absents(const struct cached_domain *domain)
{
	return domain->iommu->caching_mode && !domain->first_stage;
}

/* What hw_walk_range() is told beside the levels of a table of the domain below its top. */
static inline u8 cached_below_top(const struct cached_domain *domain)
{
	if (domain->first_stage)
		return HW_FIRST_STAGE | HW_BELOW_TOP;
	return domain->iommu->arch->signs ? HW_BELOW_TOP : 0;
}

/*
 * The command is for what is tagged so: by this domain, and, where that is a first stage, by the
 * PASID of requests without one.
 */
static inline bool cached_is_tagged(const struct cached_domain *domain,
				    const struct hw_invalidation *what)
{
	return what->all_domains ||
	       (what->domain == domain->domain && what->has_pasid == domain->first_stage);
}

/* The software has changed entries for [start, last], or may have: compares. */
void cached_changed(struct cached *cached, struct cached_domain *domain, u64 start, u64 last);

/*
 * Compares what is simple in a few steps: cached_way.h. False: it is not simple, and nothing was
 * done.
 */
bool cached_way_compare(struct cached *cached, struct cached_domain *domain, u64 start, u64 last,
			struct check_moment now);

/* It has mapped [start, last]: tables that are new were empty before pages came into them. */
void cached_mapped_somehow(struct cached *cached, struct cached_domain *domain, u64 start, u64 last,
			   struct check_moment now);
/* What holds there, and was left when it was unmapped, is mapped again. */
void cached_mapped_over(struct cached *cached, struct cached_domain *domain, u64 start, u64 last);
static inline void cached_mapped(struct cached *cached, struct cached_domain *domain, u64 start,
				 u64 last)
{
	struct check_moment now = check_now(&cached->clock);

	if (DMASIM_UNLIKELY(!cached_way_compare(cached, domain, start, last, now)))
		cached_mapped_somehow(cached, domain, start, last, now);
	if (DMASIM_UNLIKELY(domain->has_left))
		cached_mapped_over(cached, domain, start, last);
}

/*
 * It has unmapped [start, last], and that was compared. What the unit still reads there, as it does
 * not snoop or as the entry was left, holds on; but to the software it is gone.
 */
void cached_unmapped(struct cached *cached, struct cached_domain *domain, u64 start, u64 last);

/* The hardware has cached this page. */
void cached_filled(struct cached *cached, struct hw_iommu *iommu, u32 domain,
		   const struct hw_leaf *leaf);

/* The hardware was given an invalidation; has executed it; has executed a wait of that number. */
void cached_submitted(struct cached *cached, struct hw_iommu *iommu,
		      const struct hw_invalidation *what);
void cached_executed(struct cached *cached, struct hw_iommu *iommu,
		     const struct hw_invalidation *what);
void cached_waited(struct cached *cached, struct hw_iommu *iommu, u64 number);

/* ---- Judging ---------------------------------------------------------- */

/* True if the set has anything of [start, last], whatever it is. */
static inline bool cached_any(const struct cached_domain *domain, u64 start, u64 last)
{
	return (domain->rows.pages && cached_pages_any(&domain->rows, start, last)) ||
	       (domain->count && interval_first(&domain->leaves, start, last));
}

/* The same of its whole address space. */
static inline bool cached_any_at_all(const struct cached_domain *domain)
{
	return (domain->rows.pages | domain->count) != 0;
}

/* What is wrong with a page that may be cached, held against what the tables say now. */
enum cached_harm {
	CACHED_HARMLESS = 0,
	CACHED_GONE,	   /* nothing is there any more */
	CACHED_OTHER,	   /* other memory is */
	CACHED_PERMISSION, /* it allows more */
	CACHED_LARGER,	   /* the page is larger than those in the tables */
	CACHED_DIRTY,	   /* its D bit is set, in the tables it was cleared */
	CACHED_ACCESSED,   /* the same of the A bit */
};

/*
 * The first page of [start, last] that may be cached, has not been told, and does harm; *from and
 * *to are the part of the stretch that it begins, within [start, last]. NULL: none.
 */
DMASIM_COLD struct cached_leaf *cached_stale(struct cached *cached, struct cached_domain *domain,
					     u64 start, u64 last, enum cached_harm *harm, u64 *from,
					     u64 *to);

/* Marks what has ended in [start, last] as told. */
DMASIM_COLD void cached_told(struct cached *cached, struct cached_domain *domain, u64 start,
			     u64 last);

/* What is wrong with all of a stretch of a leaf. */
enum cached_harm cached_harm(const struct cached_domain *domain, const struct cached_leaf *leaf,
			     u64 start, u64 last);

/*
 * True if it may be cached that something of [start, last] is absent which the tables have now;
 * told once. A unit that is not in caching mode has nothing.
 */
bool cached_absent_take(struct cached *cached, struct cached_domain *domain, u64 start, u64 last);

/* The ended leaves that may reach [start, last] of memory. */
struct cached_leaf *cached_reaching(struct cached *cached, phys_addr_t start, phys_addr_t last);
struct cached_leaf *cached_reaching_next(const struct cached *cached, struct cached_leaf *leaf,
					 phys_addr_t start, phys_addr_t last);

/* The record of a table that may be cached; NULL: none. It is the one that goes first. */
const struct cached_table *cached_table_use(const struct cached *cached, phys_addr_t table);

/* Forgets the contexts that lead to this top table, so that they are told once. */
void cached_top_forget(struct cached *cached, phys_addr_t root);

/* Forgets this table, which is nobody's table any more, so that it is told once. */
void cached_table_forget(struct cached *cached, phys_addr_t table);

#endif
