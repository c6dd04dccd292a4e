/* SPDX-License-Identifier: MIT */
#include "mutate.h"

#include <string.h>

static u32 below(struct random *random, u32 bound)
{
	return (u32)random_below(random, bound);
}

static void insert(struct fuzz_input *input, u32 at, const u8 *data, u32 bytes)
{
	if (bytes > FUZZ_INPUT_BYTES - input->bytes)
		return;
	memmove(input->data + at + bytes, input->data + at, input->bytes - at);
	memcpy(input->data + at, data, bytes);
	input->bytes += bytes;
}

static void cut(struct fuzz_input *input, u32 at, u32 bytes)
{
	if (bytes > input->bytes - at)
		bytes = input->bytes - at;
	memmove(input->data + at, input->data + at + bytes, input->bytes - at - bytes);
	input->bytes -= bytes;
}

/* Numbers at which something ends, in 1 to 8 bytes from `at` on. */
static void put_interesting(struct fuzz_input *input, u32 at, struct random *random)
{
	static const u64 words[] = {
		0,	    1,
		0x7f,	    0x80,
		0xff,	    0xfff,
		0x1000,	    0x1fffff,
		0x200000,   0x3fffffff,
		0x40000000, 0xfee00000,
		0xffffffff, 0x7fffffffffULL,
		1ULL << 39, 1ULL << 47,
		1ULL << 48, 0xffffffffffffULL,
		1ULL << 51, 1ULL << 52,
		1ULL << 62, 0x7ffffffffffff000,
		1ULL << 63, 0xfffffffffffff000ULL,
		~0ULL,
	};
	u64 word = words[below(random, sizeof(words) / sizeof(words[0]))];
	u32 bytes = 1U << below(random, 4);

	for (u32 i = 0; i < bytes && at + i < input->bytes; i++)
		input->data[at + i] = (u8)(word >> (8 * i));
}

static void mutate_once(struct fuzz_input *input, const struct fuzz_input *other,
			const struct fuzz_target *target, struct random *random)
{
	u32 at = below(random, input->bytes + 1);
	const u8 *piece = target->piece[below(random, target->pieces)];
	u8 byte = (u8)random_next(random);
	u32 from;

	switch (below(random, 9)) {
	case 0:
		if (at < input->bytes)
			input->data[at] ^= (u8)(1 << byte % 8);
		break;
	case 1:
		if (at < input->bytes)
			input->data[at] = byte;
		break;
	case 2:
		if (at < input->bytes)
			input->data[at] += (u8)(byte % 9 - 4);
		break;
	case 3:
		put_interesting(input, at, random);
		break;
	case 4:
		insert(input, at, &byte, 1);
		break;
	case 5:
		cut(input, at, 1 + below(random, 1U << byte % 6));
		break;
	case 6:
		from = below(random, other->bytes + 1);
		insert(input, at, other->data + from, below(random, other->bytes - from + 1) % 64);
		break;
	default:
		insert(input, at, piece + 1, piece[0]);
		break;
	}
}

void fuzz_mutate(struct fuzz_input *input, const struct fuzz_input *other,
		 const struct fuzz_target *target, struct random *random)
{
	u32 times = 1 + below(random, 6);

	while (times--)
		mutate_once(input, other, target, random);
}
