/* SPDX-License-Identifier: MIT */
/*
 * How much a property test runs, and what it says when one of its seeds fails.
 *
 * The first seed is DMASIM_SEED, or 1; the others count on from it. DMASIM_TEST_SCALE is the
 * percentage of the full count (10 if it is not set).
 */
#ifndef PROPERTY_SEEDS_H
#define PROPERTY_SEEDS_H

#include <stdio.h>
#include <stdlib.h>

#include <dmasim/types.h>

#include "support/scale.h"

/* The line that runs a failed test again is to begin with the seed that failed. */
static inline void seed_failed(u64 seed)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%llx", seed);
	setenv("DMASIM_SEED", text, 1);
}

#endif
