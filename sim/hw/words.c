/* SPDX-License-Identifier: MIT */
#include "hw/words.h"

#include <endian.h>
#include <string.h>

/* Two words, where a vector may be; and where it may not. */
typedef u64 pair __attribute__((vector_size(16), may_alias));
typedef u64 loose_pair __attribute__((vector_size(16), aligned(8), may_alias));

static inline u64 word_at(const u8 *words, u64 i)
{
	u64 word;

	memcpy(&word, words + i * sizeof(word), sizeof(word));
	return word;
}

static inline const pair *pairs_at(const u8 *words, u64 i)
{
	return (const pair *)(const void *)(words + i * sizeof(u64));
}

/* Words before the first that a vector may begin with: none, one, or all. */
static inline u64 before_pairs(const u8 *words, u64 count)
{
	u64 within = (uintptr_t)words % sizeof(pair);

	if (!within)
		return 0;
	return within == sizeof(u64) && count ? 1 : count;
}

#define GROUP 32 /* words that are looked at together */
#define SMALL 8	 /* towards the end */

static inline pair any_of(const pair *at, u32 words)
{
	pair any = { 0, 0 };

#pragma GCC unroll 16
	for (u32 i = 0; i < words / 2; i++)
		any |= at[i];
	return any;
}

static inline pair differ_of(const pair *at, u32 words, pair both)
{
	pair differ = { 0, 0 };

#pragma GCC unroll 16
	for (u32 i = 0; i < words / 2; i++)
		differ |= at[i] ^ both;
	return differ;
}

static inline bool is_empty(pair any)
{
	return !(any[0] | any[1]);
}

DMASIM_HOT u64 words_empty(const u8 *words, u64 count)
{
	u64 before = before_pairs(words, count), i = 0;

	while (i < before && !word_at(words, i))
		i++;
	if (i < before)
		return i;
	while (i + GROUP <= count && is_empty(any_of(pairs_at(words, i), GROUP)))
		i += GROUP;
	while (i + SMALL <= count && is_empty(any_of(pairs_at(words, i), SMALL)))
		i += SMALL;
	while (i < count && !word_at(words, i))
		i++;
	return i;
}

DMASIM_HOT u64 words_differ(const u8 *words, u64 count, u64 word)
{
	u64 before = before_pairs(words, count), i = 0, differ = 0;
	pair pairs = { 0, 0 }, both = { word, word };

	for (; i < before; i++)
		differ |= word_at(words, i) ^ word;
	for (; i + GROUP <= count; i += GROUP)
		pairs |= differ_of(pairs_at(words, i), GROUP, both);
	for (; i < count; i++)
		differ |= word_at(words, i) ^ word;
	return differ | pairs[0] | pairs[1];
}

bool words_step(const u8 *words, u64 count, u64 first, u64 step)
{
	u64 i = 0, differ = 0;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const pair two = { 2 * step, 2 * step }, four = two + two, six = four + two;
	pair next = { first, first + step }, differ_pair = { 0, 0 };

	for (; i + 8 <= count; i += 8, next += four + four) {
		const loose_pair *at = (const loose_pair *)(const void *)(words + i * sizeof(u64));

		differ_pair |= ((at[0] ^ next) | (at[1] ^ (next + two))) |
			       ((at[2] ^ (next + four)) | (at[3] ^ (next + six)));
	}
	differ = differ_pair[0] | differ_pair[1];
#endif
	for (; i < count; i++)
		differ |= le64toh(word_at(words, i)) ^ (first + i * step);
	return !differ;
}
