/* SPDX-License-Identifier: MIT */
/*
 * Who may use which DMA address: the checker's own account of live mappings, made from what the
 * software says it did. It knows nothing of page tables.
 *
 * Addresses belong to a *space*: the IOVA space of a domain, which its devices share, or the bus of
 * one device that no IOMMU serves. A *piece* is a stretch of addresses that leads to one stretch of
 * physical memory; a *range* is the IOVA space that a two-step state owns.
 */
#ifndef CHECK_OWNER_H
#define CHECK_OWNER_H

#include <bsd/sys/queue.h>

#include <dmasim/event.h>

#include "check/interval.h"
#include "check/pool.h"
#include "world/world.h"

enum piece_kind {
	PIECE_PHYS,   /* dma_map_phys, dma_map_page */
	PIECE_SG,     /* an entry of a scatterlist */
	PIECE_SG_BUS, /* the same, mapped by bus address */
	PIECE_LINK,   /* dma_iova_link */
	PIECE_ALLOC,  /* memory that comes mapped */
};

struct cpu_watch;
struct owner_list;

/* What is kept of a piece's end, in the place of what led to it while it lived. */
struct piece_end {
	u64 start; /* as they were */
	u64 last;
	const struct dmasim_site *where;
	u64 ns;
	u64 frames_allocated; /* by then (frames.h) */
	u64 age;	      /* so many of the space had ended before */
};

#define OWNER_FIRST_BYTES 64

/*
 * Two lines of the host's cache have what every call needs; a third is for lists and for memory
 * that is shared, the rest for what is rare.
 */
struct piece {
	union {
		struct interval at; /* addresses; first member */
		struct piece_end ended;
	};
	phys_addr_t phys; /* of at.start */
	u64 number;	  /* in order of birth, from 1 */

	/* From here to alloc: what the pieces of a list have in common (owner_list.h). */
	struct owner_space *space;
	u64 attrs;
	const struct dmasim_site *site;
	dmasim_sbdf dev;
	u32 state; /* number of the two-step state; 0: none */
	u32 taken; /* the call that took its entries (check_taken); 0: none, or unknown */
	u8 dir;
	u8 kind;  /* PIECE_ */
	u8 alloc; /* DMASIM_ALLOC_, of kind ALLOC */
	bool synced : 1;
	bool told : 1;	      /* its leak was reported */
	bool asked : 1;	      /* dma_mapping_error() was asked about it */
	bool is_shared : 1;   /* it is in `by_phys` of the owners */
	bool watched : 1;     /* its memory is */
	bool keeps_first : 1; /* so is its first line, here (cpu_first.h) */
	u8 no_flag : 2;	      /* so that all are written at once, and none is read before */

	struct owner_list *list; /* of kinds SG: the scatterlist mapping it belongs to */
	TAILQ_ENTRY(piece) of_list;
	struct interval memory;	 /* physical addresses */
	const void *peer;	 /* whose BAR answers while registers are written (peer.c) */
	struct cpu_watch *watch; /* how it is watched (cpu.h) */
	_Alignas(64) u8 first[OWNER_FIRST_BYTES]; /* one line, so that no more is fetched */
};

/* One mapped scatterlist; it goes with its last piece. */
struct owner_list {
	TAILQ_HEAD(, piece) pieces; /* in the order of the entries */
	struct owner_space *space;
	u64 number;  /* in order of birth, from 1; of one that is gone: 0 */
	u32 entries; /* as many as the map was given */
	u32 dir;
	u64 attrs;
	struct piece *waits; /* while it is mapped: this and all behind are not judged yet */
	/*
	 * Its pieces are found by it and not one by one: they follow each other, and nobody has
	 * asked for any of them. A list that is complete is in the tree of these.
	 */
	bool is_together;
	struct interval at; /* then: from its first piece to its last */
	u64 alone_until;    /* up to there no other list has pieces that are together */
};

/* Of a range that has one link, which is all of it, that link (whole.h). */
struct owner_whole {
	bool is_linked; /* it lives */
	bool has_ended; /* with its range */
	bool synced;
	u8 dir;
	phys_addr_t phys;
	u64 attrs;
	const struct dmasim_site *site;

	/* When it is over. */
	struct piece_end ended; /* but for its addresses */
	struct piece *shown;	/* its record, if it was asked for */
};

/* The IOVA space of a dma_iova_state, from try_alloc to free; kept for a while after that. */
struct owner_range {
	struct interval at; /* first member */
	dmasim_sbdf dev;
	u32 state;
	u64 size;
	bool told;	   /* its leak was reported */
	bool is_over;	   /* it was freed, or destroyed */
	const void *where; /* the program's struct: compared, never read */
	const struct dmasim_site *site;
	const struct dmasim_site *ended_at;
	struct owner_whole whole;
};

/*
 * The record of a piece. When it is over the record is kept for a while, to explain what comes too
 * late.
 */
struct owner_past {
	struct piece piece; /* first member */
};

_Static_assert(offsetof(struct piece_end, last) == offsetof(struct interval, last),
	       "an ended piece is still where it was");

#define OWNER_PAST	  64
#define OWNER_PAST_RANGES 64

struct owner_links;

struct owner_space {
	SLIST_ENTRY(owner_space) link;
	RB_ENTRY(owner_space) by_id;
	bool is_domain;
	u32 id; /* domain, or device */
	struct interval_tree pieces;
	u64 linked;		    /* links that are no pieces, but in rows, */
	u64 whole;		    /* or in their ranges: so many of them */
	struct owner_links *links;  /* the rows (links.h); of a domain */
	struct interval_tree lists; /* whose pieces are together */
	u32 together;		    /* so many, with the one that is being mapped: */
	struct owner_list *mapping; /* this; NULL: it is none of those */
	struct interval_tree ranges;
	struct owner_range *range;	     /* found last */
	u64 ended;			     /* pieces, and links in rows */
	struct owner_past *past[OWNER_PAST]; /* a ring, of pieces */
	u32 past_count;
	struct owner_range *past_ranges[OWNER_PAST_RANGES]; /* the same of ranges */
	u32 past_range_count;
};

struct owner_device {
	SLIST_ENTRY(owner_device) link;
	RB_ENTRY(owner_device) by_id;
	dmasim_sbdf dev;
	struct owner_space *space;
	u64 excused; /* pieces up to this number need no unmap: the driver was told so */
	u64 empty;   /* mappings of no bytes that are alive: they have no pieces */
};

SLIST_HEAD(owner_space_list, owner_space);
SLIST_HEAD(owner_device_list, owner_device);
RB_HEAD(owner_space_tree, owner_space);
RB_HEAD(owner_device_tree, owner_device);

struct owners {
	struct world *world;
	struct owner_space_list spaces;
	struct owner_device_list devices;
	struct owner_space_tree spaces_by_id; /* the same: lists keep the order of birth */
	struct owner_device_tree devices_by_id;
	struct owner_device *last;    /* found last */
	struct owner_list *open;      /* the scatterlist that is being mapped */
	struct interval_tree by_phys; /* pieces, by what they lead to (share.h) */
	u32 next_state;
	struct check_pool past;	  /* records: of pieces, */
	struct check_pool lists;  /* of lists, */
	struct check_pool ranges; /* of ranges, */
	struct check_pool rows;	  /* and of rows of links */
	u64 pieces;		  /* that were ever made, */
	u64 lists_made;		  /* and of those */
	/* The memory of a piece that ends is watched. */
	void (*watch_ends)(void *cookie, struct piece *piece);
	void *cookie;
	const u64 *frames_allocated; /* allocations of page frames so far; NULL: not known */
	bool *blind; /* set when memory runs out: the account is wrong from then on */
};

void owners_init(struct owners *owners, struct world *world, bool *blind);
void owners_fini(struct owners *owners);

/* The device's addresses are those of a domain from now on. */
void owners_attach(struct owners *owners, dmasim_sbdf dev, u32 domain);

struct owner_space *owners_space_search(struct owners *owners, dmasim_sbdf dev);

/* The space of a device; made if need be. NULL: blind. */
static inline struct owner_space *owners_space(struct owners *owners, dmasim_sbdf dev)
{
	if (DMASIM_LIKELY(owners->last && owners->last->dev == dev))
		return owners->last->space;
	return owners_space_search(owners, dev);
}

/* The space of a domain; NULL: blind. */
struct owner_space *owners_domain(struct owners *owners, u32 domain);

static inline bool owners_is_of_list(const struct piece *piece)
{
	return piece->kind == PIECE_SG || piece->kind == PIECE_SG_BUS;
}

/* What a new piece is. */
struct piece_desc {
	enum piece_kind kind;
	dmasim_sbdf dev;
	u64 dma;
	u64 size;
	phys_addr_t phys;
	u32 dir;
	u64 attrs;
	u32 state;
	bool synced;
	enum dmasim_alloc alloc;
	const void *where; /* of a range */
	const struct dmasim_site *site;
};

/* The pieces of a list that are together are found one by one afterwards; those of all lists. */
void owners_spread_list(struct owner_list *list);
void owners_search_lists(struct owner_space *space, u64 start, u64 last);
static inline void owners_spread_lists(struct owner_space *space, u64 start, u64 last)
{
	if (DMASIM_UNLIKELY(space->together))
		owners_search_lists(space, start, last);
}

/* Links of [start, last] that are in rows, or in their ranges, are pieces afterwards. */
void links_spread(struct owner_links *links, u64 start, u64 last);
static inline void owners_spread(struct owner_space *space, u64 start, u64 last)
{
	if (DMASIM_UNLIKELY(space->linked))
		links_spread(space->links, start, last);
	owners_spread_lists(space, start, last);
}

/* What a piece is, but for where it is and what it leads to. */
static inline void owners_describe(struct piece *piece, struct owner_space *space,
				   const struct piece_desc *desc)
{
	piece->space = space;
	piece->attrs = desc->attrs;
	piece->site = desc->site;
	piece->dev = desc->dev;
	piece->state = desc->state;
	piece->taken = 0;
	piece->dir = (u8)desc->dir;
	piece->kind = (u8)desc->kind;
	piece->alloc = (u8)desc->alloc;
}

/* Nothing has happened to it. */
static inline void owners_set_flags(struct piece *piece, bool synced)
{
	piece->synced = synced;
	piece->told = false;
	piece->asked = false;
	piece->is_shared = false;
	piece->watched = false;
	piece->keeps_first = false;
	piece->no_flag = 0;
}

/* The record of a piece that is in no space yet. NULL: it has no bytes, or there is no memory. */
static inline struct piece *owners_new_piece(struct owners *owners, struct owner_space *space,
					     const struct piece_desc *desc)
{
	struct piece *piece = desc->size ? check_pool_get(&owners->past) : NULL;

	if (!piece)
		return NULL;
	piece->at.start = desc->dma;
	piece->at.last = desc->dma + desc->size - 1;
	piece->phys = desc->phys;
	owners_describe(piece, space, desc);
	owners_set_flags(piece, desc->synced);
	return piece;
}

/* Adds a piece. NULL: it has no bytes, or there is no memory. */
static inline struct piece *owners_add(struct owners *owners, struct owner_space *space,
				       const struct piece_desc *desc)
{
	struct piece *piece = owners_new_piece(owners, space, desc);

	if (!piece)
		return NULL;
	/* What is there already is older. */
	owners_spread(space, piece->at.start, piece->at.last);
	piece->number = ++owners->pieces;
	interval_insert(&space->pieces, &piece->at);
	return piece;
}

static inline void owners_drop_list(struct owners *owners, struct owner_list *list)
{
	check_pool_put(&owners->lists, list);
	list->number = 0;
}

/* What the device's driver has mapped so far, in one step, may stay as it is: that is no leak. */
void owners_excuse(struct owners *owners, dmasim_sbdf dev);
bool owners_is_excused(struct owners *owners, const struct piece *piece);

/* A mapping of no bytes; its end. False: the device has none. */
void owners_add_empty(struct owners *owners, dmasim_sbdf dev);
bool owners_end_empty(struct owners *owners, dmasim_sbdf dev);

static inline void owners_leave_list(struct owners *owners, struct piece *piece)
{
	if (DMASIM_UNLIKELY(piece->list->waits == piece))
		piece->list->waits = TAILQ_NEXT(piece, of_list);
	TAILQ_REMOVE(&piece->list->pieces, piece, of_list);
	if (DMASIM_UNLIKELY(TAILQ_EMPTY(&piece->list->pieces)) && piece->list != owners->open)
		owners_drop_list(owners, piece->list);
}

static inline void owners_set_end(const struct owners *owners, struct piece_end *end,
				  const struct dmasim_site *where)
{
	end->where = where;
	end->ns = owners->world->clock.now_ns;
	end->frames_allocated = owners->frames_allocated ? *owners->frames_allocated : 0;
}

/*
 * A piece that is not watched, and in no tree of its space any more, is remembered; its list is the
 * caller's business.
 */
static inline void owners_remember(struct owners *owners, struct piece *piece)
{
	struct owner_past *record = (struct owner_past *)piece;
	struct owner_space *space = piece->space;
	struct owner_past **past = &space->past[space->past_count++ % OWNER_PAST];

	if (DMASIM_LIKELY(piece->is_shared))
		interval_remove(&owners->by_phys, &piece->memory);
	if (*past)
		check_pool_put(&owners->past, *past);
	*past = record;
	piece->ended.age = space->ended++;
}

/* How many ended pieces the ring has. */
static inline u32 owners_past_kept(const struct owner_space *space)
{
	return space->past_count < OWNER_PAST ? space->past_count : OWNER_PAST;
}

/* The last that ended are remembered, in whatever way they were kept. */
static inline bool owners_remembers(const struct owner_space *space, u64 age)
{
	return space->ended - age <= OWNER_PAST;
}

/* Ends a piece and remembers it. */
static inline void owners_end(struct owners *owners, struct piece *piece,
			      const struct dmasim_site *where)
{
	if (DMASIM_UNLIKELY(piece->watched))
		owners->watch_ends(owners->cookie, piece);
	if (owners_is_of_list(piece)) {
		if (DMASIM_UNLIKELY(piece->list->is_together))
			owners_spread_list(piece->list);
		owners_leave_list(owners, piece);
	}
	interval_remove(&piece->space->pieces, &piece->at);
	owners_remember(owners, piece);
	owners_set_end(owners, &piece->ended, where);
}

/* After this no piece of kind LINK crosses `address`: one that does becomes two. */
void owners_cut(struct owners *owners, struct owner_space *space, u64 address);

/* The same of those that are not in rows. */
static inline struct piece *owners_first_apart(struct owner_space *space, u64 start, u64 last)
{
	owners_spread_lists(space, start, last);
	return (struct piece *)interval_first(&space->pieces, start, last);
}

/* What is found is a piece from then on, if it was in a row: of all of [start, last]. */
static inline struct piece *owners_first(struct owner_space *space, u64 start, u64 last)
{
	owners_spread(space, start, last);
	return (struct piece *)interval_first(&space->pieces, start, last);
}

/* Of a range that owners_first() was asked for. */
static inline struct piece *owners_next(const struct owner_space *space, struct piece *piece,
					u64 start, u64 last)
{
	return (struct piece *)interval_next(&space->pieces, &piece->at, start, last);
}

/* All live mappings, those of one space after the other: NULL starts, NULL ends. */
struct piece *owners_next_of_all(const struct owners *owners, struct piece *piece);

/* The latest ended piece that covered the address for this device, if nothing covers it now. */
const struct owner_past *owners_past(const struct owner_space *space, dmasim_sbdf dev, u64 dma);

/* The latest one of any device. */
const struct owner_past *owners_past_of_any(const struct owner_space *space, u64 dma);

struct owner_range *owners_range_add(struct owners *owners, struct owner_space *space,
				     const struct piece_desc *desc);
struct owner_range *owners_range_search(struct owner_space *space, dmasim_sbdf dev, u64 dma);

/* The range whose state has this address; NULL: no live state has it. */
static inline struct owner_range *owners_range_find(struct owner_space *space, dmasim_sbdf dev,
						    u64 dma)
{
	struct owner_range *last = space->range;

	if (DMASIM_LIKELY(last && last->at.start == dma && last->dev == dev))
		return last;
	return owners_range_search(space, dev, dma);
}

/* Ends a range and remembers it. */
void owners_range_end(struct owners *owners, struct owner_space *space, struct owner_range *range,
		      const struct dmasim_site *where);

/* How many ended ranges are remembered; the one that ended `back` ends ago, from 1. */
static inline u32 owners_ranges_kept(const struct owner_space *space)
{
	return space->past_range_count < OWNER_PAST_RANGES ? space->past_range_count
							   : OWNER_PAST_RANGES;
}

static inline struct owner_range *owners_range_ended(const struct owner_space *space, u32 back)
{
	return space->past_ranges[(space->past_range_count - back) % OWNER_PAST_RANGES];
}

/* The latest ended range whose state has this address; NULL: none is remembered. */
const struct owner_range *owners_range_past(const struct owner_space *space, dmasim_sbdf dev,
					    u64 dma);

/* A live range of the device that the address is in; NULL: it is in none. */
const struct owner_range *owners_range_at(const struct owner_space *space, dmasim_sbdf dev,
					  u64 dma);

/* A live range of any device whose state has this address; NULL: there is none. */
struct owner_range *owners_range_of_any(struct owners *owners, u64 dma, struct owner_space **space);

/* The one that was allocated into the same struct after this range; NULL: not known. */
const struct owner_range *owners_range_over(const struct owner_space *space,
					    const struct owner_range *range);

#endif
