/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "machine/lint.h"

/* ---- Errors and memory ------------------------------------------------ */

int lint_wrong(struct lint *lint, const char *format, ...)
{
	struct dmasim_error *error = &lint->result->error;
	size_t length;
	va_list args;

	snprintf(error->text, sizeof(error->text), "%.200s:%llu: ", lint->name, lint->line);
	length = strlen(error->text);
	va_start(args, format);
	vsnprintf(error->text + length, sizeof(error->text) - length, format, args);
	va_end(args);
	return -EINVAL;
}

int lint_no_memory(struct lint *lint)
{
	lint->no_memory = true;
	lint_wrong(lint, "no memory for what the trace tells");
	return -ENOMEM;
}

void *lint_alloc(struct lint *lint, size_t bytes)
{
	void *memory = memory_alloc(&lint->s->world.memory, DMASIM_FAULT_CHECK_RECORD, bytes);

	if (!memory)
		lint_no_memory(lint);
	return memory;
}

const struct dmasim_site *lint_site(struct lint *lint, const char *function)
{
	struct lint_sites *sites = SLIST_FIRST(&lint->sites);
	struct dmasim_site *site;

	if (!sites || sites->used == LINT_SITES) {
		sites = lint_alloc(lint, sizeof(*sites));
		if (!sites)
			return NULL;
		SLIST_INSERT_HEAD(&lint->sites, sites, link);
	}
	site = &sites->site[sites->used++];
	*site = (struct dmasim_site){ lint->name, (int)lint->line, function };
	return site;
}

/* ---- Reading ---------------------------------------------------------- */

/* More of the file behind what is left of the block. */
static int fill(struct lint *lint)
{
	size_t left = lint->end - lint->start;

	memmove(lint->block, lint->block + lint->start, left);
	lint->start = 0;
	lint->end = left + fread(lint->block + left, 1, LINT_BLOCK_BYTES - left, lint->how->trace);
	lint->at_end = lint->end < LINT_BLOCK_BYTES;
	if (!ferror(lint->how->trace))
		return 0;
	lint_wrong(lint, "cannot read: %s", errno ? strerror(errno) : "an error");
	return -EIO;
}

/* The next line, between `at` and `stop`, where its newline is. 1, 0: none, or an error. */
static int next_line(struct lint *lint)
{
	char *newline = NULL;
	int err;

	for (;;) {
		size_t have = lint->end - lint->start;

		if (have)
			newline = memchr(lint->block + lint->start, '\n', have);
		if (newline || lint->at_end || have >= LINT_LINE_BYTES)
			break;
		err = fill(lint);
		if (err)
			return err;
	}
	if (!newline && lint->start == lint->end)
		return 0;
	lint->line++;
	if (!newline && lint->at_end)
		return lint_wrong(lint, "the line is cut, expected its end");
	if (!newline || newline - (lint->block + lint->start) >= LINT_LINE_BYTES)
		return lint_wrong(lint, "a line of more than %d bytes, expected less",
				  LINT_LINE_BYTES);
	lint->at = lint->block + lint->start;
	lint->stop = newline;
	lint->start = (size_t)(newline - lint->block) + 1;
	return 1;
}

/* What the last trace of the file said is over. */
static void end(struct lint *lint)
{
	lint->result->alive += check_alive(&lint->s->check);
	check_settle(&lint->s->check);
	lint_tell(lint, true);
	lint_compare(lint);
	if (lint->how->leaks)
		check_leaks(&lint->s->check);
	lint_tell(lint, false);
}

static void free_sites(struct lint *lint)
{
	while (!SLIST_EMPTY(&lint->sites)) {
		struct lint_sites *sites = SLIST_FIRST(&lint->sites);

		SLIST_REMOVE_HEAD(&lint->sites, link);
		memory_free(&lint->s->world.memory, sites);
	}
}

/* A file may have several traces, each of a machine of its own. */
static int begin_trace(struct lint *lint)
{
	struct dmasim *s = lint->s;
	const struct dma_debug_config debug = machine_dma_debug(s);

	if (lint->line > 1) {
		end(lint);
		check_fini(&s->check);
		lint_machine_fini(lint);
		free_sites(lint);
		check_init(&s->check, &s->world, &s->hw, true, &debug);
		lint_machine_init(lint);
		lint->time = 0;
		lint->entry_count = 0;
	}
	lint->compared = true;
	return lint_read_header(lint);
}

static int take_line(struct lint *lint)
{
	int err = lint->line == 1 || *lint->at == '#' ? begin_trace(lint) : lint_read_line(lint);

	lint_tell(lint, true);
	if (!err && (lint->no_memory || lint->s->world.reports.lost ||
		     (lint->s->check.blind && !lint->s->check.told_blind)))
		err = lint_no_memory(lint);
	return lint->no_memory ? -ENOMEM : err;
}

static int read_all(struct lint *lint)
{
	int more, err = 0;

	while (!err && (more = next_line(lint))) {
		if (more < 0)
			return more;
		err = take_line(lint);
	}
	if (!err && !lint->line) {
		lint->line = 1;
		return lint_wrong(lint, "an empty file, expected a trace");
	}
	return err;
}

/* ---- Beginning and end ------------------------------------------------ */

static struct lint *begin(struct dmasim *s, const struct dmasim_lint *how,
			  struct dmasim_lint_result *result)
{
	size_t name_bytes = strlen(how->name) + 1;
	struct memory *memory = &s->world.memory;
	struct lint *lint = memory_alloc(memory, DMASIM_FAULT_CHECK_RECORD, sizeof(*lint));

	if (!lint)
		return NULL;
	lint->s = s;
	lint->how = how;
	lint->result = result;
	lint->name = memory_alloc(memory, DMASIM_FAULT_CHECK_RECORD, name_bytes);
	lint->block = memory_alloc(memory, DMASIM_FAULT_CHECK_RECORD, LINT_BLOCK_BYTES);
	s->lint = lint;
	/* What replays it is the program that wrote the trace. */
	s->world.program = NULL;
	SLIST_INIT(&lint->sites);
	RB_INIT(&lint->balances);
	lint_machine_init(lint);
	lint_forms_init(lint);
	if (!lint->name || !lint->block)
		return NULL;
	memcpy(lint->name, how->name, name_bytes);
	return lint;
}

int dmasim_lint(struct dmasim *s, const struct dmasim_lint *how, struct dmasim_lint_result *result)
{
	struct lint *lint;
	int err;

	machine_exists(s);
	DMASIM_CONTRACT(how && how->trace && how->name && result,
			"a trace has a file and a name, and its result a place");
	DMASIM_CONTRACT(!s->lint && !s->os->started && TAILQ_EMPTY(&s->hw.roots),
			"a trace is read into a machine that nothing was done with");
	*result = (struct dmasim_lint_result){ .compared = true };
	lint = begin(s, how, result);
	if (!lint) {
		snprintf(result->error.text, sizeof(result->error.text), "%.200s:1: no memory",
			 how->name);
		return -ENOMEM;
	}
	err = read_all(lint);
	result->lines = lint->line;
	if (!err)
		end(lint);
	return err;
}

void lint_fini(struct dmasim *s)
{
	struct memory *memory = &s->world.memory;
	struct lint *lint = s->lint;

	if (!lint)
		return;
	free_sites(lint);
	lint_compare_fini(lint);
	lint_machine_fini(lint);
	memory_free(memory, lint->entry);
	memory_free(memory, lint->block);
	memory_free(memory, lint->name);
	memory_free(memory, lint);
	s->lint = NULL;
	s->hw.told = NULL;
}
