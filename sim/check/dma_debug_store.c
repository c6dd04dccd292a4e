/* SPDX-License-Identifier: MIT */
/*
 * dma-debug's account: entries in buckets, and the cache lines that mappings begin in.
 */
#include "check/dma_debug.h"

#include <dmasim/dma.h>

/* A line that a mapping begins in which the device may write. */
struct debug_line {
	struct interval at; /* its number; first member */
	u32 overlaps;	    /* mappings beyond the first; DMA_DEBUG_OVERLAP_MAX: or more */
	bool shared;	    /* the first one says that others may share it */
};

u32 dma_debug_bucket_of(u64 dma)
{
	return (u32)(dma >> DMA_DEBUG_BUCKET_SHIFT) & (DMA_DEBUG_BUCKETS - 1);
}

static void *record(struct dma_debug *debug, size_t bytes)
{
	return memory_alloc(&debug->world->memory, DMASIM_FAULT_DMA_DEBUG, bytes);
}

void dma_debug_give_up(struct dma_debug *debug, const char *why)
{
	debug->disabled = true;
	dma_debug_say(debug, "DMA-API: %s\n", why);
}

static bool make_buckets(struct dma_debug *debug)
{
	if (debug->buckets)
		return true;
	debug->buckets = record(debug, DMA_DEBUG_BUCKETS * sizeof(*debug->buckets));
	for (u32 i = 0; debug->buckets && i < DMA_DEBUG_BUCKETS; i++)
		TAILQ_INIT(&debug->buckets[i]);
	return debug->buckets;
}

/* ---- Cache lines ------------------------------------------------------ */

#define SHARES (DMA_ATTR_DEBUGGING_IGNORE_CACHELINES | DMA_ATTR_REQUIRE_COHERENT)

static u64 line_of(const struct dma_debug_entry *entry)
{
	return entry->phys >> DMA_DEBUG_LINE_SHIFT;
}

static struct debug_line *find_line(struct dma_debug *debug, u64 line)
{
	return (struct debug_line *)interval_first(&debug->lines, line, line);
}

static void tell_exceeded(struct dma_debug *debug, u64 number)
{
	char line[128];
	struct text text;

	if (debug->told_exceeded)
		return;
	debug->told_exceeded = true;
	text_init(&text, line, sizeof(line));
	dma_debug_text_exceeded(&text, number);
	dma_debug_say(debug, "DMA-API: %s\n", line);
}

/* One more mapping begins in a line that others do. */
static void add_overlap(struct dma_debug *debug, struct debug_line *line,
			const struct dma_debug_entry *entry)
{
	bool shares = entry->attrs & SHARES;
	bool mayshare = shares && line->shared;

	if (line->overlaps < DMA_DEBUG_OVERLAP_MAX)
		line->overlaps++;
	else if (!shares)
		tell_exceeded(debug, line->at.start);
	if (debug->config.tells_overlap && !mayshare && !(entry->attrs & DMA_ATTR_SKIP_CPU_SYNC))
		dma_debug_error(debug, entry->dev, entry,
				&(struct dma_debug_message){ .check = DMA_DEBUG_OVERLAP });
}

static void add_line(struct dma_debug *debug, const struct dma_debug_entry *entry)
{
	struct debug_line *line;

	if (entry->dir == DMA_TO_DEVICE)
		return;
	line = find_line(debug, line_of(entry));
	if (line) {
		add_overlap(debug, line, entry);
		return;
	}
	line = record(debug, sizeof(*line));
	if (!line) {
		dma_debug_give_up(debug, "cacheline tracking ENOMEM, dma-debug disabled");
		return;
	}
	line->at.start = line->at.last = line_of(entry);
	line->shared = entry->attrs & SHARES;
	interval_insert(&debug->lines, &line->at);
}

static void remove_line(struct dma_debug *debug, const struct dma_debug_entry *entry)
{
	struct debug_line *line;

	if (entry->dir == DMA_TO_DEVICE)
		return;
	line = find_line(debug, line_of(entry));
	if (!line)
		return;
	if (line->overlaps) {
		line->overlaps--;
		return;
	}
	interval_remove(&debug->lines, &line->at);
	memory_free(&debug->world->memory, line);
}

/* ---- Entries ---------------------------------------------------------- */

static bool take_entry(struct dma_debug *debug)
{
	if (!debug->free) {
		debug->free += DMA_DEBUG_GROWTH;
		debug->total += DMA_DEBUG_GROWTH;
		if (!(debug->total % DMA_DEBUG_ENTRIES))
			dma_debug_say(debug, "DMA-API: dma_debug_entry pool grown to %u (%u00%%)\n",
				      debug->total, debug->total / DMA_DEBUG_ENTRIES);
	}
	debug->free--;
	if (debug->free < debug->least_free)
		debug->least_free = debug->free;
	return true;
}

void dma_debug_add(struct dma_debug *debug, const struct dma_debug_entry *entry)
{
	struct dma_debug_entry *added = NULL;

	if (debug->disabled)
		return;
	if (make_buckets(debug))
		added = record(debug, sizeof(*added));
	if (!added) {
		dma_debug_give_up(debug, "debugging out of memory - disabling");
		return;
	}
	take_entry(debug);
	*added = *entry;
	TAILQ_INSERT_TAIL(&debug->buckets[dma_debug_bucket_of(entry->dma)], added, link);
	add_line(debug, added);
}

void dma_debug_remove(struct dma_debug *debug, struct dma_debug_entry *entry)
{
	remove_line(debug, entry);
	TAILQ_REMOVE(&debug->buckets[dma_debug_bucket_of(entry->dma)], entry, link);
	memory_free(&debug->world->memory, entry);
	debug->free++;
}

/* ---- Finding ---------------------------------------------------------- */

typedef bool debug_match(const struct dma_debug_entry *ref, const struct dma_debug_entry *entry);

static bool is_at(const struct dma_debug_entry *ref, const struct dma_debug_entry *entry)
{
	return ref->dev == entry->dev && ref->dma == entry->dma;
}

static bool is_around(const struct dma_debug_entry *ref, const struct dma_debug_entry *entry)
{
	return ref->dev == entry->dev && entry->dma <= ref->dma &&
	       entry->dma + entry->size >= ref->dma + ref->size;
}

static u32 likeness(const struct dma_debug_entry *ref, const struct dma_debug_entry *entry)
{
	return (u32)(ref->size == entry->size) + (u32)(ref->type == entry->type) +
	       (u32)(ref->dir == entry->dir) + (u32)(ref->entries == entry->entries);
}

/* Of several, only one that is alike in everything. */
static struct dma_debug_entry *find_in(const struct dma_debug_bucket *bucket,
				       const struct dma_debug_entry *ref, debug_match *match)
{
	struct dma_debug_entry *entry, *found = NULL;
	u32 matches = 0;

	TAILQ_FOREACH(entry, bucket, link) {
		if (!match(ref, entry))
			continue;
		if (likeness(ref, entry) == 4)
			return entry;
		found = entry;
		matches++;
	}
	return matches == 1 ? found : NULL;
}

struct dma_debug_entry *dma_debug_find(struct dma_debug *debug, const struct dma_debug_entry *ref)
{
	if (!debug->buckets)
		return NULL;
	return find_in(&debug->buckets[dma_debug_bucket_of(ref->dma)], ref, is_at);
}

struct dma_debug_entry *dma_debug_find_around(struct dma_debug *debug,
					      const struct dma_debug_entry *ref)
{
	u64 back = ref->dma >> DMA_DEBUG_BUCKET_SHIFT;
	u32 bucket = dma_debug_bucket_of(ref->dma);

	if (!debug->buckets)
		return NULL;
	if (back > DMA_DEBUG_BUCKETS - 1)
		back = DMA_DEBUG_BUCKETS - 1;
	for (u64 i = 0; i <= back; i++) {
		struct dma_debug_entry *found = find_in(&debug->buckets[bucket], ref, is_around);

		if (found)
			return found;
		bucket = (bucket - 1) & (DMA_DEBUG_BUCKETS - 1);
	}
	return NULL;
}

/* ---- Beginning and end ------------------------------------------------ */

void dma_debug_init(struct dma_debug *debug, struct world *world,
		    const struct dma_debug_config *config)
{
	*debug = (struct dma_debug){
		.config = *config,
		.world = world,
		.to_print = 1,
		.free = DMA_DEBUG_ENTRIES,
		.least_free = DMA_DEBUG_ENTRIES,
		.total = DMA_DEBUG_ENTRIES,
	};
	interval_tree_init(&debug->lines);
	if (!config->on)
		return;
	dma_debug_say(debug, "DMA-API: preallocated %d debug entries\n", DMA_DEBUG_ENTRIES);
	dma_debug_say(debug, "DMA-API: debugging enabled by kernel config\n");
}

void dma_debug_fini(struct dma_debug *debug)
{
	struct memory *memory = &debug->world->memory;
	struct interval *line;

	while ((line = interval_any(&debug->lines))) {
		interval_remove(&debug->lines, line);
		memory_free(memory, line);
	}
	for (u32 i = 0; debug->buckets && i < DMA_DEBUG_BUCKETS; i++) {
		while (!TAILQ_EMPTY(&debug->buckets[i]))
			dma_debug_remove(debug, TAILQ_FIRST(&debug->buckets[i]));
	}
	memory_free(memory, debug->buckets);
	memory_free(memory, debug->log);
	debug->buckets = NULL;
	debug->log = NULL;
}
