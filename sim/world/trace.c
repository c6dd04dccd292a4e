/* SPDX-License-Identifier: MIT */
#include "world/trace.h"

#define FNV_OFFSET 0xcbf29ce484222325ULL
#define FNV_PRIME  0x100000001b3ULL

void trace_init(struct trace *trace, const struct clock *clock, FILE *file, bool on)
{
	trace->clock = clock;
	trace->file = file;
	trace->on = on || file;
	trace->hash = FNV_OFFSET;
	trace->lines = 0;
	trace->cpu = NULL;
	text_init(&trace->line, trace->buffer, sizeof(trace->buffer));
}

static void write_line(struct trace *trace, const char *line, size_t length)
{
	u64 hash = trace->hash;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (u8)line[i]) * FNV_PRIME;
	trace->hash = (hash ^ '\n') * FNV_PRIME;
	trace->lines++;
	if (trace->file)
		fprintf(trace->file, "%s\n", line);
}

void trace_header(struct trace *trace, const char *line)
{
	size_t length = 0;

	if (!trace->on)
		return;
	while (line[length])
		length++;
	write_line(trace, line, length);
}

DMASIM_HOT bool trace_begin(struct trace *trace, const char *name)
{
	if (DMASIM_LIKELY(!trace->on))
		return false;
	text_init(&trace->line, trace->buffer, sizeof(trace->buffer));
	text_add(&trace->line, "t=%llu cpu=%u %s", trace->clock->now_ns,
		 trace->cpu ? *trace->cpu : 0, name);
	return true;
}

void trace_hex(struct trace *trace, const char *key, u64 value)
{
	text_add(&trace->line, " %s=0x%llx", key, value);
}

void trace_dec(struct trace *trace, const char *key, u64 value)
{
	text_add(&trace->line, " %s=%llu", key, value);
}

void trace_word(struct trace *trace, const char *key, const char *word)
{
	text_add(&trace->line, " %s=%s", key, word);
}

void trace_bdf(struct trace *trace, const char *key, dmasim_sbdf dev)
{
	text_add(&trace->line, " %s=", key);
	text_add_bdf(&trace->line, dev);
}

void trace_text(struct trace *trace, const char *key, const char *value)
{
	char copy[TRACE_TEXT_BYTES];
	size_t length = 0;

	for (; length < sizeof(copy) - 1 && value[length]; length++)
		copy[length] = value[length] == '"' ? '\'' : value[length];
	copy[length] = '\0';
	text_add(&trace->line, " %s=\"%s\"", key, copy);
}

void trace_ret(struct trace *trace, const char *key, s64 value)
{
	text_add(&trace->line, " %s=", key);
	if (value >= 0) {
		text_add(&trace->line, "%lld", value);
		return;
	}
	text_add(&trace->line, "-");
	text_add_errno(&trace->line, (int)-value);
}

void trace_end(struct trace *trace)
{
	write_line(trace, trace->line.at, trace->line.length);
}
