/* SPDX-License-Identifier: MIT */
/*
 * Workloads as text, one operation a line: the grammar is in dmasim/iova-bench.h.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "workbench/workload.h"

#define TITLE	 "dmasim-iova-trace"
#define VERSION	 1
#define WORD_MAX 8

/* ---- Writing ---------------------------------------------------------- */

static void write_how(FILE *out, u32 how)
{
	fprintf(out, "%u%s%s", how & IOVA_ALIGN_LG2, how & IOVA_CACHE ? "+cache" : "",
		how & IOVA_FLUSH ? "+flush" : "");
}

static void write_op(FILE *out, const struct workload_op *op)
{
	switch (op->type) {
	case WORKLOAD_ALLOC:
	case WORKLOAD_RETRY:
		fprintf(out, "%s %u %llu 0x%llx ", op->type == WORKLOAD_ALLOC ? "alloc" : "retry",
			op->id, op->pages, op->limit);
		write_how(out, op->how);
		fprintf(out, " %u\n", op->cpu);
		break;
	case WORKLOAD_FREE:
		fprintf(out, "free %u %u\n", op->id, op->cpu);
		break;
	case WORKLOAD_RESERVE:
		fprintf(out, "reserve 0x%llx 0x%llx\n", op->pages, op->limit);
		break;
	case WORKLOAD_FIND:
		fprintf(out, "find %u\n", op->id);
		break;
	default:
		fprintf(out, "advance %llu\n", op->limit);
	}
}

bool dmasim_iova_workload_write(const struct dmasim_iova_workload *workload, FILE *out)
{
	bool timing = false;

	fprintf(out, "%s %d\nspace 0x%llx 0x%llx %u\n", TITLE, VERSION, workload->start_pfn,
		workload->last_pfn, workload->cpus);
	for (size_t i = 0; i < workload->count; i++) {
		const struct workload_op *op = &workload->op[i];

		if (op->timed != timing) {
			timing = op->timed;
			fprintf(out, "timing %s\n", timing ? "on" : "off");
		}
		write_op(out, op);
	}
	return !ferror(out);
}

/* ---- Reading: one line ------------------------------------------------ */

struct trace_reader {
	const char *file;
	u64 line;
	u32 word_count;
	char *word[WORD_MAX + 1]; /* of this line; one more than any line may have */
	struct dmasim_iova_workload *workload;
	bool titled;
	struct dmasim_iova_error *error;
};

/* Returns false, so that a reader can end with it. */
static bool wrong(struct trace_reader *r, const char *format, ...) DMASIM_PRINTF(2, 3);

static bool wrong(struct trace_reader *r, const char *format, ...)
{
	char what[160];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(r->error->text, sizeof(r->error->text), "%s:%llu: %s", r->file, r->line, what);
	return false;
}

static void split(struct trace_reader *r, char *line)
{
	char *rest = line, *word;

	r->word_count = 0;
	while (r->word_count <= WORD_MAX && (word = strtok_r(rest, " \t\r\n", &rest))) {
		if (word[0] == '#')
			break;
		r->word[r->word_count++] = word;
	}
}

static bool number(struct trace_reader *r, u32 index, const char *name, u64 max, u64 *value)
{
	const char *text = r->word[index];
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	if (text[0] >= '0' && text[0] <= '9' && !*end && !errno && *value <= max)
		return true;
	return wrong(r, "%s is '%.32s', expected a number up to %llu", name, text, max);
}

static bool read_id(struct trace_reader *r, u32 *id)
{
	u64 value;

	if (!number(r, 1, "ID", WORKLOAD_IDS_MAX - 1, &value))
		return false;
	*id = (u32)value;
	return true;
}

static bool read_cpu(struct trace_reader *r, u32 index, u16 *cpu)
{
	u64 value;

	if (!number(r, index, "CPU", r->workload->cpus - 1, &value))
		return false;
	*cpu = (u16)value;
	return true;
}

/* "5", "0+cache", "3+cache+flush" */
static bool read_how(struct trace_reader *r, u32 index, u8 *how)
{
	char *end;
	u64 align = strtoull(r->word[index], &end, 10);
	u32 flags = 0;

	if (!strncmp(end, "+cache", 6)) {
		flags |= IOVA_CACHE;
		end += 6;
	}
	if (flags && !strncmp(end, "+flush", 6)) {
		flags |= IOVA_FLUSH;
		end += 6;
	}
	if (r->word[index][0] < '0' || r->word[index][0] > '9' || *end || align > 52)
		return wrong(r,
			     "HOW is '%.32s', expected log2 of the alignment, 0 to 52, and "
			     "maybe +cache, +flush",
			     r->word[index]);
	*how = (u8)((u32)align | flags);
	return true;
}

static bool no_memory(struct trace_reader *r)
{
	return wrong(r, "no memory for the operations up to here, expected a smaller trace");
}

/* ---- Reading: the statements ------------------------------------------ */

/* The id as it is now, NULL: an error was told. */
static struct workload_id *id_of(struct trace_reader *r, u32 id)
{
	struct workload_id *held = workload_id(r->workload, id);

	if (!held)
		no_memory(r);
	return held;
}

static bool read_request(struct trace_reader *r, struct workload_op *op)
{
	return read_id(r, &op->id) && number(r, 2, "PAGES", WORKLOAD_PAGES_MAX, &op->pages) &&
	       number(r, 3, "LIMIT", r->workload->last_pfn, &op->limit) &&
	       read_how(r, 4, &op->how) && read_cpu(r, 5, &op->cpu) &&
	       (op->pages || wrong(r, "PAGES is 0, expected 1 or more"));
}

static bool read_alloc(struct trace_reader *r, struct workload_op *op)
{
	struct workload_id *held;

	if (!read_request(r, op))
		return false;
	held = id_of(r, op->id);
	if (!held)
		return false;
	if (held->held)
		return wrong(r, "ID %u is allocated, expected its free before", op->id);
	*held = (struct workload_id){ op->pages, op->how & IOVA_CACHE, true };
	return true;
}

static bool read_retry(struct trace_reader *r, struct workload_op *op)
{
	const struct dmasim_iova_workload *workload = r->workload;
	const struct workload_op *before;

	if (!read_request(r, op))
		return false;
	if (!workload->count)
		return wrong(r, "a retry of ID %u, expected right behind its alloc", op->id);
	before = &workload->op[workload->count - 1];
	if ((before->type != WORKLOAD_ALLOC && before->type != WORKLOAD_RETRY) ||
	    before->id != op->id)
		return wrong(r, "a retry of ID %u, expected right behind its alloc", op->id);
	if (before->pages != op->pages || (before->how ^ op->how) & IOVA_CACHE)
		return wrong(r, "another range, expected the PAGES and +cache of the alloc before");
	return true;
}

static bool read_free(struct trace_reader *r, struct workload_op *op)
{
	struct workload_id *held;

	if (!read_id(r, &op->id) || !read_cpu(r, 2, &op->cpu))
		return false;
	held = id_of(r, op->id);
	if (!held)
		return false;
	if (!held->held)
		return wrong(r, "ID %u is free, expected its alloc before", op->id);
	held->held = false;
	op->pages = held->pages;
	op->how = held->how;
	return true;
}

static bool read_reserve(struct trace_reader *r, struct workload_op *op)
{
	if (!number(r, 1, "FIRST", ~0ULL, &op->pages) || !number(r, 2, "LAST", ~0ULL, &op->limit))
		return false;
	return op->pages <= op->limit || wrong(r, "LAST is below FIRST, expected it not to be");
}

static bool read_find(struct trace_reader *r, struct workload_op *op)
{
	struct workload_id *held;

	if (!read_id(r, &op->id))
		return false;
	held = id_of(r, op->id);
	return held && (held->held || wrong(r, "ID %u is free, expected its alloc before", op->id));
}

static bool read_advance(struct trace_reader *r, struct workload_op *op)
{
	return number(r, 1, "NS", ~0ULL, &op->limit);
}

static const struct {
	const char *word;
	u32 fields;
	const char *expected;
	bool (*read)(struct trace_reader *r, struct workload_op *op);
} statements[WORKLOAD_TYPE_COUNT] = {
	[WORKLOAD_ALLOC] = { "alloc", 5, "ID PAGES LIMIT HOW CPU", read_alloc },
	[WORKLOAD_RETRY] = { "retry", 5, "ID PAGES LIMIT HOW CPU", read_retry },
	[WORKLOAD_FREE] = { "free", 2, "ID CPU", read_free },
	[WORKLOAD_RESERVE] = { "reserve", 2, "FIRST LAST", read_reserve },
	[WORKLOAD_FIND] = { "find", 1, "ID", read_find },
	[WORKLOAD_ADVANCE] = { "advance", 1, "NS", read_advance },
};

static bool has_fields(struct trace_reader *r, u32 fields, const char *expected)
{
	if (r->word_count == fields + 1)
		return true;
	return wrong(r, "'%s' has %u field%s, expected %u: %s", r->word[0], r->word_count - 1,
		     r->word_count == 2 ? "" : "s", fields, expected);
}

static bool read_timing(struct trace_reader *r)
{
	bool on;

	if (!has_fields(r, 1, "on|off"))
		return false;
	on = !strcmp(r->word[1], "on");
	if (!on && strcmp(r->word[1], "off"))
		return wrong(r, "timing is '%.32s', expected on or off", r->word[1]);
	r->workload->timing = on;
	return true;
}

static bool read_statement(struct trace_reader *r)
{
	if (!strcmp(r->word[0], "timing"))
		return read_timing(r);
	for (u32 type = 0; type < WORKLOAD_TYPE_COUNT; type++) {
		struct workload_op op = { .type = (u8)(type & 0x7f) };

		if (strcmp(r->word[0], statements[type].word))
			continue;
		if (!has_fields(r, statements[type].fields, statements[type].expected) ||
		    !statements[type].read(r, &op))
			return false;
		workload_add(r->workload, &op);
		return !r->workload->no_memory || no_memory(r);
	}
	return wrong(r, "'%.32s', expected alloc, retry, free, reserve, find, advance or timing",
		     r->word[0]);
}

/* ---- Reading: the head ------------------------------------------------ */

static bool read_title(struct trace_reader *r)
{
	u64 version;

	if (strcmp(r->word[0], TITLE) || r->word_count != 2)
		return wrong(r, "no trace of IOVAs, expected '%s %d' first", TITLE, VERSION);
	r->titled = true;
	if (!number(r, 1, "the version", ~0ULL, &version))
		return false;
	return version == VERSION || wrong(r, "version %llu, expected %d", version, VERSION);
}

static bool read_space(struct trace_reader *r)
{
	u64 start, last, cpus;

	if (strcmp(r->word[0], "space"))
		return wrong(r, "'%.32s', expected 'space START LAST CPUS'", r->word[0]);
	if (!has_fields(r, 3, "START LAST CPUS") || !number(r, 1, "START", ~0ULL, &start) ||
	    !number(r, 2, "LAST", WORKLOAD_PAGES_MAX - 1, &last) ||
	    !number(r, 3, "CPUS", DMASIM_IOVA_CPUS_MAX, &cpus))
		return false;
	if (!start || start > last)
		return wrong(r, "START is 0x%llx, expected 1 to LAST", start);
	if (!cpus)
		return wrong(r, "CPUS is 0, expected 1 or more");
	r->workload = workload_new("trace", start, last, (u32)cpus);
	return r->workload || no_memory(r);
}

static bool read_line(struct trace_reader *r, char *line)
{
	split(r, line);
	if (!r->word_count)
		return true;
	if (!r->titled)
		return read_title(r);
	return r->workload ? read_statement(r) : read_space(r);
}

static bool read_all(struct trace_reader *r, FILE *in)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	bool good = true;

	errno = 0;
	while (good && (length = getline(&line, &room, in)) >= 0) {
		r->line++;
		if (memchr(line, '\0', (size_t)length))
			good = wrong(r, "a byte of value 0, expected text");
		else
			good = read_line(r, line);
	}
	free(line);
	if (!good)
		return false;
	if (!feof(in)) {
		snprintf(r->error->text, sizeof(r->error->text), "%s: %s", r->file,
			 strerror(errno ? errno : EIO));
		return false;
	}
	r->line++;
	if (!r->titled)
		return wrong(r, "the end, expected '%s %d'", TITLE, VERSION);
	return r->workload || wrong(r, "the end, expected 'space START LAST CPUS'");
}

struct dmasim_iova_workload *dmasim_iova_workload_read(FILE *in, const char *file,
						       struct dmasim_iova_error *error)
{
	struct trace_reader r = { .file = file, .error = error };

	if (read_all(&r, in))
		return r.workload;
	dmasim_iova_workload_destroy(r.workload);
	return NULL;
}
