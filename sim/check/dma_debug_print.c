/* SPDX-License-Identifier: MIT */
/*
 * What dma-debug prints, and when: by itself the first error only.
 */
#include "check/dma_debug.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#define LINE_BYTES 512

/* Room for `bytes` more and an end. False: no memory, and the line is lost. */
static bool make_room(struct dma_debug *debug, size_t bytes)
{
	size_t room = debug->log_room ? debug->log_room : 2 * LINE_BYTES;
	char *log;

	if (debug->log_length + bytes < debug->log_room)
		return true;
	while (debug->log_length + bytes >= room)
		room *= 2;
	log = memory_alloc(&debug->world->memory, DMASIM_FAULT_DMA_DEBUG, room);
	if (!log)
		return false;
	if (debug->log)
		memcpy(log, debug->log, debug->log_length);
	memory_free(&debug->world->memory, debug->log);
	debug->log = log;
	debug->log_room = room;
	return true;
}

static void print(struct dma_debug *debug, const char *line)
{
	size_t bytes = strlen(line);

	if (make_room(debug, bytes)) {
		memcpy(debug->log + debug->log_length, line, bytes + 1);
		debug->log_length += bytes;
	}
	debug->config.print(debug->config.cookie, line);
}

void dma_debug_say(struct dma_debug *debug, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	print(debug, line);
}

void dma_debug_set_filter(struct dma_debug *debug, const char *name)
{
	strlcpy(debug->filter, name, sizeof(debug->filter));
	if (*name)
		dma_debug_say(debug, "DMA-API: enable driver filter for driver [%s]\n",
			      debug->filter);
}

void dma_debug_prefix(const struct dma_debug *debug, struct text *text, dmasim_sbdf dev)
{
	text_add(text, "DMA-API: ");
	if (dev == DMASIM_NO_SBDF) {
		text_add(text, "NULL NULL: ");
		return;
	}
	text_add(text, "%s ", debug->config.driver(debug->config.cookie, dev));
	text_add_bdf(text, dev);
	text_add(text, ": ");
}

static bool is_told(const struct dma_debug *debug, dmasim_sbdf dev)
{
	if (!debug->all_errors && !debug->to_print)
		return false;
	return !*debug->filter || dev == DMASIM_NO_SBDF ||
	       !strcmp(debug->filter, debug->config.driver(debug->config.cookie, dev));
}

void dma_debug_error(struct dma_debug *debug, dmasim_sbdf dev, const struct dma_debug_entry *entry,
		     const struct dma_debug_message *message)
{
	char line[LINE_BYTES];
	struct text text;

	debug->errors++;
	if (is_told(debug, dev)) {
		text_init(&text, line, sizeof(line));
		dma_debug_prefix(debug, &text, dev);
		dma_debug_text(&text, message);
		dma_debug_say(debug, "%s\n", line);
		if (entry)
			dma_debug_say(debug, "DMA-API: Mapped at:\n");
		if (entry && entry->site)
			dma_debug_say(debug, " %s at %s:%d\n", entry->site->function,
				      entry->site->file, entry->site->line);
	}
	if (debug->to_print)
		debug->to_print--;
}

static const char *asked_words(enum dma_debug_asked asked)
{
	static const char *const words[] = {
		[DMA_DEBUG_NEVER_ASKED] = "dma map error check not applicable",
		[DMA_DEBUG_NOT_ASKED] = "dma map error not checked",
		[DMA_DEBUG_ASKED] = "dma map error checked",
	};

	return words[asked];
}

static void dump_entry(const struct dma_debug *debug, struct text *text, u32 bucket,
		       const struct dma_debug_entry *entry)
{
	text_add(text, "%s ", debug->config.driver(debug->config.cookie, entry->dev));
	text_add_bdf(text, entry->dev);
	text_add(text, " %s idx %u P=0x%016llx D=%llx L=%llx cln=0x%016llx %s %s attrs=0x%llx\n",
		 dma_debug_type(entry->type), bucket, entry->phys, entry->dma, entry->size,
		 entry->phys >> DMA_DEBUG_LINE_SHIFT, dma_debug_direction(entry->dir),
		 asked_words(entry->asked), entry->attrs);
}

u32 dma_debug_dump(struct dma_debug *debug, struct text *text)
{
	const struct dma_debug_entry *entry;
	u32 count = 0;

	for (u32 i = 0; debug->buckets && i < DMA_DEBUG_BUCKETS; i++) {
		TAILQ_FOREACH(entry, &debug->buckets[i], link) {
			dump_entry(debug, text, i, entry);
			count++;
		}
	}
	return count;
}
