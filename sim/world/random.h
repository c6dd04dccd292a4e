/* SPDX-License-Identifier: MIT */
/*
 * The machine's only source of chance: xoshiro256**, seeded through splitmix64 (Blackman and Vigna,
 * "Scrambled linear pseudorandom number generators", 2018). No floating point, same on every host.
 */
#ifndef WORLD_RANDOM_H
#define WORLD_RANDOM_H

#include <dmasim/types.h>

struct random {
	u64 state[4];
};

void random_init(struct random *random, u64 seed);

u64 random_next(struct random *random);

/* Uniform in [0, bound); bound is at least 1. */
u64 random_below(struct random *random, u64 bound);

#endif
