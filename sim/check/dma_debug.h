/* SPDX-License-Identifier: MIT */
/*
 * Linux's dma-debug as a second judge, beside the checker: its own account of mappings, kept and
 * searched by its own rules (facts "dma-api" 11), so that it sees what a debug kernel sees, and is
 * blind where that is.
 *
 *   entry   one mapping, or one entry of a list; in a bucket by bits of its DMA address
 *   line    a cache line in which a mapping begins that the device may write
 */
#ifndef CHECK_DMA_DEBUG_H
#define CHECK_DMA_DEBUG_H

#include <bsd/sys/queue.h>

#include <dmasim/event.h>

#include "check/dma_debug_text.h"
#include "check/interval.h"
#include "world/world.h"

#define DMA_DEBUG_BUCKETS      16384
#define DMA_DEBUG_BUCKET_SHIFT 13
#define DMA_DEBUG_ENTRIES      65536 /* to begin with */
#define DMA_DEBUG_GROWTH       32    /* entries in a page */
#define DMA_DEBUG_LINE_SHIFT   6
#define DMA_DEBUG_FILTER_BYTES 64

enum dma_debug_asked {
	DMA_DEBUG_NEVER_ASKED, /* dma_mapping_error() is not for it */
	DMA_DEBUG_NOT_ASKED,
	DMA_DEBUG_ASKED,
};

struct dma_debug_entry {
	TAILQ_ENTRY(dma_debug_entry) link;
	dmasim_sbdf dev;
	enum dma_debug_type type;
	u64 phys;
	u64 dma;
	u64 size;
	u32 dir;
	u32 entries; /* of the list, as the call has them; 0: no list */
	u32 mapped;  /* and as the map made of them */
	enum dma_debug_asked asked;
	u64 attrs;
	const struct dmasim_site *site;
};

TAILQ_HEAD(dma_debug_bucket, dma_debug_entry);

struct dma_debug_config {
	bool on;
	bool tells_overlap; /* an architecture whose cache lines matter to devices: not x86 */
	void *cookie;
	const char *(*driver)(void *cookie, dmasim_sbdf dev); /* "pci": there is none */
	void (*print)(void *cookie, const char *line);	      /* with its newline */
};

struct dma_debug {
	struct dma_debug_config config;
	struct world *world;
	bool disabled;
	bool all_errors;
	bool told_exceeded;
	u32 errors;
	u32 to_print; /* "num_errors": reports before it falls silent */
	u32 free, least_free, total;
	char filter[DMA_DEBUG_FILTER_BYTES];
	struct dma_debug_bucket *buckets; /* NULL: nothing was mapped yet */
	struct interval_tree lines;
	char *log;
	size_t log_length, log_room;
};

void dma_debug_init(struct dma_debug *debug, struct world *world,
		    const struct dma_debug_config *config);
void dma_debug_fini(struct dma_debug *debug);

/* What the software did. */
void dma_debug_event(struct dma_debug *debug, const struct dmasim_event *event);

/* True if events are wanted. */
static inline bool dma_debug_listens(const struct dma_debug *debug)
{
	return debug->config.on && !debug->disabled;
}

/* Only a driver of this name is told of; "": any. What does not fit is cut. */
void dma_debug_set_filter(struct dma_debug *debug, const char *name);

/* One line for each entry, in the order of the buckets; returns how many there are. */
u32 dma_debug_dump(struct dma_debug *debug, struct text *text);

/* ---- Between its files ------------------------------------------------ */

/* dma_debug_store.c. Adds a copy of *entry; tells overlap. Out of memory all is over. */
DMASIM_COLD void dma_debug_add(struct dma_debug *debug, const struct dma_debug_entry *entry);
void dma_debug_remove(struct dma_debug *debug, struct dma_debug_entry *entry);

/* The entry that *ref means, as an unmap searches, and as a sync does; NULL: none, or too many. */
struct dma_debug_entry *dma_debug_find(struct dma_debug *debug, const struct dma_debug_entry *ref);
struct dma_debug_entry *dma_debug_find_around(struct dma_debug *debug,
					      const struct dma_debug_entry *ref);

u32 dma_debug_bucket_of(u64 dma);
void dma_debug_give_up(struct dma_debug *debug, const char *why);

/*
 * dma_debug_print.c. An error: counted, and told if it may be. entry: what was mapped; NULL: that
 * is not known.
 */
DMASIM_COLD void dma_debug_error(struct dma_debug *debug, dmasim_sbdf dev,
				 const struct dma_debug_entry *entry,
				 const struct dma_debug_message *message);
/* A line of its own, with its newline. */
void dma_debug_say(struct dma_debug *debug, const char *format, ...) DMASIM_PRINTF(2, 3);
/* "DMA-API: nvme 0000:01:00.0: " */
void dma_debug_prefix(const struct dma_debug *debug, struct text *text, dmasim_sbdf dev);

#endif
