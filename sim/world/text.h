/* SPDX-License-Identifier: MIT */
/*
 * A line or a block of text that is built piece by piece into memory of the caller's. What does not
 * fit is cut; the text is terminated at any time.
 */
#ifndef WORLD_TEXT_H
#define WORLD_TEXT_H

#include <dmasim/types.h>

struct text {
	char *at;
	size_t size;
	size_t length;
};

/* size is at least 1. */
void text_init(struct text *text, char *at, size_t size);

void text_add(struct text *text, const char *format, ...) DMASIM_PRINTF(2, 3);

/* "0000:3a:00.0" */
void text_add_bdf(struct text *text, dmasim_sbdf dev);

/* "4 KiB", "1 MiB", "300 bytes": exact, in the largest unit that divides it. */
void text_add_size(struct text *text, u64 bytes);

/* The name of an errno value: "EINVAL"; its number where Linux's DMA layer has no use for it. */
void text_add_errno(struct text *text, int error);
/* Its value by such a name; 0: none has it. */
int text_find_errno(const char *name, size_t length);

#endif
