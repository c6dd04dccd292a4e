/* SPDX-License-Identifier: MIT */
/*
 * The block of a report, for people: what happened, a picture of the addresses, where it was mapped
 * and unmapped, what hardware would have done, what Linux would say, and the line that replays it.
 */
#ifndef CHECK_BLOCK_H
#define CHECK_BLOCK_H

#include "check/explain.h"

/* linux_text: what dma-debug would print, line by line. */
void block_write(struct check *check, struct text *text, const struct finding *finding,
		 const char *linux_text);

#endif
