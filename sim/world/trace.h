/* SPDX-License-Identifier: MIT */
/*
 * The trace: one event a line, key=value, and the hash over the lines. include/dmasim/trace.h has
 * the grammar; here is the only writer.
 *
 * A line is built between trace_begin() and trace_end(). When nobody wants a trace, trace_begin()
 * returns false and the rest is skipped.
 */
#ifndef WORLD_TRACE_H
#define WORLD_TRACE_H

#include <stdio.h>

#include "world/clock.h"
#include "world/text.h"

#define TRACE_LINE_BYTES 1024
#define TRACE_TEXT_BYTES 256 /* of a text in quotes, with its end */

struct trace {
	const struct clock *clock;
	FILE *file; /* NULL: hash only. Belongs to whoever gave it. */
	bool on;
	u64 hash; /* FNV-1a 64 over all lines, newlines included */
	u64 lines;
	const u32 *cpu; /* the virtual CPU that runs; NULL: it is 0 */
	struct text line;
	char buffer[TRACE_LINE_BYTES];
};

void trace_init(struct trace *trace, const struct clock *clock, FILE *file, bool on);

/* "t=42 cpu=0 <name>" */
bool trace_begin(struct trace *trace, const char *name);
void trace_hex(struct trace *trace, const char *key, u64 value);
void trace_dec(struct trace *trace, const char *key, u64 value);
void trace_word(struct trace *trace, const char *key, const char *word);
void trace_bdf(struct trace *trace, const char *key, dmasim_sbdf dev);
/* key="text": quotes within become apostrophes, and a long text is cut. */
void trace_text(struct trace *trace, const char *key, const char *text);
/* 0 and counts as decimals; negative errno values as "-EINVAL". */
void trace_ret(struct trace *trace, const char *key, s64 value);
void trace_end(struct trace *trace);

/* A whole line as it is, for the header. */
void trace_header(struct trace *trace, const char *line);

#endif
