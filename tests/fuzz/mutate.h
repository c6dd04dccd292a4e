/* SPDX-License-Identifier: MIT */
/*
 * Inputs made of others: bits flipped, bytes put in and taken out, two inputs joined, numbers that
 * are ends of something, pieces that the target knows.
 */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include "fuzz.h"
#include "world/random.h"

struct fuzz_input {
	u32 bytes;
	u8 data[FUZZ_INPUT_BYTES];
};

/* Changes the input in a few places; `other` is one to take from. */
void fuzz_mutate(struct fuzz_input *input, const struct fuzz_input *other,
		 const struct fuzz_target *target, struct random *random);

#endif
