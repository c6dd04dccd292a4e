/* SPDX-License-Identifier: MIT */
/*
 * Chance for tests: a small generator (splitmix64) whose whole state is one number, so that each
 * step of a run can have its own, and a run without one of its steps is still the same in all
 * others.
 */
#ifndef PROPERTY_DICE_H
#define PROPERTY_DICE_H

#include <dmasim/types.h>

struct dice {
	u64 state;
};

static inline u64 dice_word(struct dice *dice)
{
	u64 word = dice->state += 0x9e3779b97f4a7c15ULL;

	word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9ULL;
	word = (word ^ (word >> 27)) * 0x94d049bb133111ebULL;
	return word ^ (word >> 31);
}

/* The dice of one step of a run. */
static inline struct dice dice_of(u64 seed, u64 step)
{
	struct dice dice = { seed };

	dice.state = dice_word(&dice) + step * 0xd1342543de82ef95ULL;
	return dice;
}

/* In [0, bound); bound >= 1. */
static inline u64 dice_below(struct dice *dice, u64 bound)
{
	return dice_word(dice) % bound;
}

/* In [low, high]. */
static inline u64 dice_from(struct dice *dice, u64 low, u64 high)
{
	return low + dice_below(dice, high - low + 1);
}

static inline bool dice_chance(struct dice *dice, u32 percent)
{
	return dice_below(dice, 100) < percent;
}

#endif
