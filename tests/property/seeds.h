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

/* This scale's share of the full count, at least 1. */
static inline u32 scaled(u32 full)
{
	const char *text = getenv("DMASIM_TEST_SCALE");
	u64 percent = text && *text ? strtoull(text, NULL, 10) : 10;
	u64 count = full * percent / 100;

	return count ? (u32)count : 1;
}

/* Of what counts up until nothing is left: every one, or at the smallest scales every fourth. */
static inline u32 scaled_step(void)
{
	return scaled(100) < 10 ? 4 : 1;
}

/* The line that runs a failed test again is to begin with the seed that failed. */
static inline void seed_failed(u64 seed)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%llx", seed);
	setenv("DMASIM_SEED", text, 1);
}

#endif
