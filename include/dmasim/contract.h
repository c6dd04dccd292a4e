/* SPDX-License-Identifier: MIT */
/*
 * Contracts: what the caller of a dmasim function owes it.
 *
 * A broken contract is a bug in the program that links dmasim (a NULL machine, an impossible
 * configuration), not a finding about the code under test. It is checked in every build type.
 */
#ifndef DMASIM_CONTRACT_H
#define DMASIM_CONTRACT_H

#include <stdio.h>
#include <stdlib.h>

#include <dmasim/types.h>

DMASIM_BEGIN_DECLS

/*
 * A program may define this function: it is called instead of the message, and must not return
 * (longjmp out, or end the process). Without it the message goes to stderr and the process aborts.
 */
DMASIM_API __attribute__((weak)) void dmasim_contract_failed(const char *what, const char *file,
							     int line);

DMASIM_END_DECLS

static inline void dmasim_contract_broken(const char *what, const char *file, int line)
{
	if (dmasim_contract_failed)
		dmasim_contract_failed(what, file, line);
	fprintf(stderr, "dmasim: contract broken at %s:%d: %s\n", file, line, what);
	abort();
}

/* `what` says what is owed: DMASIM_CONTRACT(size > 0, "an allocation has a size"). */
#define DMASIM_CONTRACT(condition, what)                                  \
	do {                                                              \
		if (DMASIM_UNLIKELY(!(condition)))                        \
			dmasim_contract_broken(what, __FILE__, __LINE__); \
	} while (0)

#endif
