/* SPDX-License-Identifier: MIT */
/*
 * Chance from a seed: splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
 * generators", 2014), the same on every host.
 */
#ifndef WORKBENCH_IOVA_DICE_H
#define WORKBENCH_IOVA_DICE_H

#include <dmasim/types.h>

struct iova_dice {
	u64 state; /* the seed, to begin with */
};

static inline u64 iova_dice_next(struct iova_dice *dice)
{
	u64 x = dice->state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* In [0, bound), bound at least 1; the bias is below bound / 2^64. */
static inline u64 iova_dice_below(struct iova_dice *dice, u64 bound)
{
	return iova_dice_next(dice) % bound;
}

/* True in so many of a hundred cases. */
static inline bool iova_dice_percent(struct iova_dice *dice, u64 percent)
{
	return iova_dice_below(dice, 100) < percent;
}

#endif
