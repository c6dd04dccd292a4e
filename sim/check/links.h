/* SPDX-License-Identifier: MIT */
/*
 * Links of one page, in rows.
 *
 *   range    |==================================|
 *   rows     |--- 64 pages ---|--- the rest ----|
 *   linked    1 1 1 1 0 0 1 1  1 1 1 1
 *
 * Most states are many links of a page each that are made in one place of the driver, and differ in
 * nothing but their addresses. So they are bits of a row, with the memory that each leads to; what
 * else is to be said of them is said once. Rows begin and end, and are synced, many at a time.
 * Whoever asks for a link finds a piece: what cannot be said here is said by spreading links out
 * into pieces, and they stay so.
 *
 * In a space that links are in, two of them have one page only if the account is wrong.
 */
#ifndef CHECK_LINKS_H
#define CHECK_LINKS_H

#include <bsd/sys/queue.h>

#include "check/owner.h"

#define LINKS_PAGES 64 /* of a row */
#define LINKS_NEAR  8  /* rows that are found at once */

#define LINKS_PAGE_LAST ((1ULL << INTERVAL_PAGE_LG2) - 1)
#define LINKS_ROW_LG2	(INTERVAL_PAGE_LG2 + 6)

struct owner_row {
	struct interval at; /* the pages that it is for; first member */
	struct owner_space *space;
	u64 linked; /* a bit for each page, by its number */
	u64 synced;
	u64 attrs;
	const struct dmasim_site *site;
	dmasim_sbdf dev;
	u32 state;
	u8 dir;
	phys_addr_t phys[LINKS_PAGES];

	/* When it is over. */
	struct piece_end ended; /* of each, but for its addresses; its age is that of the first */
	STAILQ_ENTRY(owner_row) later;
	TAILQ_HEAD(, piece) shown; /* records of those that were asked for */
};

/* The rows of a space. */
struct owner_links {
	struct owners *owners;
	struct owner_space *space;
	struct interval_tree rows;
	struct owner_row *near[LINKS_NEAR]; /* used last, by address */
	STAILQ_HEAD(, owner_row) past;	    /* oldest first */
};

/* Without memory all links are pieces, and the checker is blind. */
void links_init(struct owners *owners, struct owner_space *space);
void links_fini(struct owners *owners, struct owner_space *space);

static inline u64 links_bit(u64 address)
{
	return 1ULL << (address >> INTERVAL_PAGE_LG2) % LINKS_PAGES;
}

static inline struct owner_row **links_near(struct owner_links *links, u64 address)
{
	return &links->near[(address >> LINKS_ROW_LG2) % LINKS_NEAR];
}

/* The pages of a row that are in [start, last], which touches it. */
static inline u64 links_mask(const struct owner_row *row, u64 start, u64 last)
{
	u64 mask = ~0ULL;

	if (start > row->at.start)
		mask &= -links_bit(start);
	if (last < row->at.last)
		mask &= links_bit(last) * 2 - 1;
	return mask;
}

/* True: links of the space are in rows. */
static inline bool links_in_rows(const struct owner_space *space)
{
	return space->linked != space->whole;
}

/* True: there is a row for pages of [start, last]. */
bool links_has_row(const struct owner_links *links, u64 start, u64 last);

/* True if a link may be in this row. */
static inline bool links_is_like(const struct owner_row *row, const struct owner_range *range,
				 const struct dmasim_event *event)
{
	return row->state == range->state && row->dir == event->dir && row->attrs == event->attrs &&
	       row->site == event->site;
}

/* The row for a link at an address of the range; NULL: there can be none. */
struct owner_row *links_row(struct owner_links *links, const struct owner_range *range, u64 address,
			    const struct dmasim_event *event);

/*
 * True if the link is kept in a row: it is one page of several that the range, which it is in, has.
 * It is not synced, and nothing was told of it.
 */
static inline bool links_add(struct owner_space *space, const struct owner_range *range,
			     const struct dmasim_event *event)
{
	u64 address = event->dma + event->offset;
	struct owner_row *row;

	if (event->size != LINKS_PAGE_LAST + 1 || address & LINKS_PAGE_LAST ||
	    range->size <= LINKS_PAGE_LAST + 1 || !space->links)
		return false;
	row = *links_near(space->links, address);
	if (!row || address - row->at.start > row->at.last - row->at.start ||
	    !links_is_like(row, range, event))
		row = links_row(space->links, range, address, event);
	if (!row || row->linked & links_bit(address))
		return false;
	row->linked |= links_bit(address);
	row->phys[(address >> INTERVAL_PAGE_LG2) % LINKS_PAGES] = event->phys;
	space->linked++;
	return true;
}

/* Links of [start, last] are synced. True: any is in a row. */
bool links_sync(struct owner_links *links, u64 start, u64 last);

/*
 * Ends links of [start, last] that are in rows, if there is nothing to be told of any that ends
 * there: in direction and attributes they are as `event` says, which ends them. range: that of the
 * event; NULL: not known. Those that are still there afterwards are ended one by one.
 */
void links_end(struct owner_links *links, u64 start, u64 last, const struct owner_range *range,
	       const struct dmasim_event *event);

/*
 * The latest link that ended in a row and had this address for the device (DMASIM_NO_SBDF: any).
 * NULL: none is remembered.
 */
const struct owner_past *links_past(struct owner_links *links, dmasim_sbdf dev, u64 dma);

/* Tells the addresses of those that ended in rows by a call that was made there. */
typedef void links_ended(void *cookie, u64 dma);
void links_ended_by(const struct owner_links *links, const struct dmasim_site *where,
		    links_ended *ended, void *cookie);

#endif
