/* SPDX-License-Identifier: MIT */
/*
 * Contracts that are broken on purpose: the program's own dmasim_contract_failed() is called
 * instead of the message and the abort, and jumps out. For one source of a program.
 */
#ifndef UNIT_API_BROKEN_H
#define UNIT_API_BROKEN_H

#include <setjmp.h>
#include <string.h>

#include "support/expect.h"

struct broken {
	jmp_buf jump;
	bool armed;
	const char *what;
	const char *file;
	int line;
};

/* The callback has no context of its own. */
static inline struct broken *broken(void)
{
	static struct broken it;

	return &it;
}

void dmasim_contract_failed(const char *what, const char *file, int line)
{
	struct broken *b = broken();

	if (!b->armed)
		return;
	b->armed = false;
	b->what = what;
	b->file = file;
	b->line = line;
	longjmp(b->jump, 1);
}

static inline void expect_broken_(const char *call)
{
	struct broken *b = broken();

	b->armed = false;
	if (!b->what)
		fail_msg("no contract was broken by %s", call);
	assert_true(strlen(b->what) > 0);
	assert_true(strlen(b->file) > 0);
	assert_true(b->line > 0);
}

#define expect_broken(call)                    \
	do {                                   \
		broken()->what = NULL;         \
		broken()->armed = true;        \
		if (!setjmp(broken()->jump)) { \
			call;                  \
		}                              \
		expect_broken_(#call);         \
	} while (0)

#endif
