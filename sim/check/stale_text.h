/* SPDX-License-Identifier: MIT */
/*
 * What is still cached, in words: why, what it reaches, through which cache, and what a device
 * would do there.
 */
#ifndef CHECK_STALE_TEXT_H
#define CHECK_STALE_TEXT_H

#include "check/check.h"
#include "check/why.h"

/* Each writes lines for the block of a report, and returns the cause in one word. */
const char *stale_text_leaf(struct check *check, struct text *text, const struct cached_leaf *leaf,
			    u64 start, u64 last);
const char *stale_text_fetched(struct check *check, struct text *text,
			       const struct cached_device_stale *stale);
const char *stale_text_table(struct check *check, struct text *text,
			     const struct cached_table *table);
const char *stale_text_context(struct check *check, struct text *text,
			       const struct cached_context *context);

/* Whose the bytes at a target are: "page frames that are in use", "BAR 0 of 0000:04:00.0". */
void stale_text_owner(struct check *check, struct text *text, const struct hw_target *target);

#endif
