/* SPDX-License-Identifier: MIT */
/*
 * How much a random test does: DMASIM_TEST_SCALE is the percentage of the full count, 10 if it is
 * not set.
 */
#ifndef SUPPORT_SCALE_H
#define SUPPORT_SCALE_H

#include <stdlib.h>

#include <dmasim/types.h>

/* This run's share of the full count, at least 1. */
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

#endif
