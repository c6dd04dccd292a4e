/* SPDX-License-Identifier: MIT */
#include "world/random.h"

static u64 rotate_left(u64 x, unsigned int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

void random_init(struct random *random, u64 seed)
{
	for (int i = 0; i < 4; i++) {
		u64 z = (seed += 0x9e3779b97f4a7c15ULL);

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
		random->state[i] = z ^ (z >> 31);
	}
}

u64 random_next(struct random *random)
{
	u64 *s = random->state;
	u64 result = rotate_left(s[1] * 5, 7) * 9;
	u64 shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate_left(s[3], 45);
	return result;
}

u64 random_below(struct random *random, u64 bound)
{
	/* Values below 2^64 mod bound would favour small results: they are drawn again. */
	u64 reject_below = (0 - bound) % bound;
	u64 value;

	do
		value = random_next(random);
	while (value < reject_below);
	return value % bound;
}
