/* SPDX-License-Identifier: MIT */
/*
 * Numbers as people read them.
 */
#ifndef WORKBENCH_TEXT_H
#define WORKBENCH_TEXT_H

#include <dmasim/types.h>

#define TEXT_BYTES 32

/* Each writes to text and returns it. */
const char *text_count(u64 count, char text[TEXT_BYTES]); /* "100,000" */
const char *text_time(u64 ps, char text[TEXT_BYTES]);	  /* "5.41", "410", "32.1 us" */
const char *text_pages(u64 pages, char text[TEXT_BYTES]); /* "64 KiB", "1.5 GiB" */
/* part of whole, "12.5 %"; "-": the whole is 0. */
const char *text_share(u64 part, u64 whole, char text[TEXT_BYTES]);
/* "16.0"; "-": the divisor is 0. */
const char *text_ratio(u64 dividend, u64 divisor, char text[TEXT_BYTES]);

#endif
