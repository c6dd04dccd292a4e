/* SPDX-License-Identifier: MIT */
/*
 * What Linux's dma-debug would print, word for word (facts "dma-api" 11): for dma-debug itself, and
 * beside the checker's own reports.
 *
 * The numbers of a check are those of the facts, D1 to D23. Pointers stand as a kernel prints them
 * that has not got its secret yet: the same on each run.
 */
#ifndef CHECK_DMA_DEBUG_TEXT_H
#define CHECK_DMA_DEBUG_TEXT_H

#include "world/text.h"

enum dma_debug_check {
	DMA_DEBUG_NONE,
	DMA_DEBUG_OVERLAP = 1,
	DMA_DEBUG_STACK = 2,
	DMA_DEBUG_TEXT = 3,
	DMA_DEBUG_INVALID = 4,
	DMA_DEBUG_SEGMENT_LENGTH = 5,
	DMA_DEBUG_SEGMENT_BOUNDARY = 6,
	DMA_DEBUG_ERROR_VALUE = 7,
	DMA_DEBUG_NOT_ALLOCATED = 8,
	DMA_DEBUG_SIZE = 9,
	DMA_DEBUG_FUNCTION = 10,
	DMA_DEBUG_CPU_ADDRESS = 11,
	DMA_DEBUG_ENTRY_COUNT = 12,
	DMA_DEBUG_DIRECTION = 13,
	DMA_DEBUG_NOT_CHECKED = 14,
	DMA_DEBUG_SYNC_NOT_ALLOCATED = 15,
	DMA_DEBUG_SYNC_OUTSIDE = 16,
	DMA_DEBUG_SYNC_DIRECTION = 17,
	DMA_DEBUG_SYNC_READ_ONLY = 18,
	DMA_DEBUG_SYNC_WRITE_ONLY = 19,
	DMA_DEBUG_SYNC_COUNT = 20,
	DMA_DEBUG_PENDING = 21,
	DMA_DEBUG_ATTRS = 22,
	DMA_DEBUG_RESOURCE_RAM = 23,
	DMA_DEBUG_VMALLOC, /* D4's other half */
	DMA_DEBUG_CHECKS,
};

#define DMA_DEBUG_NUMBERS 4
#define DMA_DEBUG_WORDS	  2

/* A message: its numbers and its words, each in the order in which the text has them. */
struct dma_debug_message {
	enum dma_debug_check check;
	u64 number[DMA_DEBUG_NUMBERS];
	const char *word[DMA_DEBUG_WORDS];
};

/* The text after "DMA-API: <driver> <device>: ", without a newline at its end. */
void dma_debug_text(struct text *text, const struct dma_debug_message *message);

/* "exceeded 7 overlapping mappings of cacheline 0x...": a warning of its own, told once. */
void dma_debug_text_exceeded(struct text *text, u64 cacheline);

/* DMA_TO_DEVICE and so on. */
const char *dma_debug_direction(u32 dir);

/* What an entry is called. */
enum dma_debug_type {
	DMA_DEBUG_SINGLE, /* only of syncs */
	DMA_DEBUG_SG,
	DMA_DEBUG_COHERENT,
	DMA_DEBUG_NONCOHERENT,
	DMA_DEBUG_PHY,
};

const char *dma_debug_type(enum dma_debug_type type);

/* The most mappings beyond the first that a cache line is counted for. */
#define DMA_DEBUG_OVERLAP_MAX 7

#endif
