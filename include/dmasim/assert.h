/* SPDX-License-Identifier: MIT */
/*
 * A thin adapter for tests without a framework, which print and abort, as assert() does; also where
 * NDEBUG is defined.
 *
 *	struct dmasim *s = dmasim_create(NULL);
 *	...
 *	dmasim_must_be_clean(s);
 *	...
 *	dmasim_must_end(s);
 */
#ifndef DMASIM_ASSERT_H
#define DMASIM_ASSERT_H

#include <stdio.h>
#include <stdlib.h>

#include <dmasim/machine.h>
#include <dmasim/report.h>

static inline void dmasim_must_be_clean_at(struct dmasim *s, const char *file, int line)
{
	char found[16384];

	if (!dmasim_check_clean(s, found, sizeof(found)))
		return;
	fprintf(stderr, "%s:%d: the machine is not clean:\n%s", file, line, found);
	abort();
}

static inline void dmasim_must_end_at(struct dmasim *s, const char *file, int line)
{
	u64 leaks;

	dmasim_must_be_clean_at(s, file, line);
	leaks = dmasim_destroy(s);
	if (!leaks)
		return;
	fprintf(stderr, "%s:%d: the software leaked %llu allocations\n", file, line, leaks);
	abort();
}

/* What is wrong goes to stderr, with the reports as text, and the process aborts. */
#define dmasim_must_be_clean(s) dmasim_must_be_clean_at((s), __FILE__, __LINE__)

/* The same, then ends the machine, which has given everything back. */
#define dmasim_must_end(s) dmasim_must_end_at((s), __FILE__, __LINE__)

#endif
