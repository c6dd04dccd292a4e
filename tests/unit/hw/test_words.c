/* SPDX-License-Identifier: MIT */
/*
 * Stretches of tables, looked at many words at a time, against one word after the other.
 */
#include "bench.h"

#include <string.h>

#include "hw/words.h"

#define WORDS 200

/* Words at any address: tables that a program gave may be anywhere. */
struct stretch {
	_Alignas(64) u8 bytes[(WORDS + 2) * sizeof(u64)];
};

static void set(u8 *words, u64 i, u64 word)
{
	memcpy(words + i * sizeof(word), &word, sizeof(word));
}

static u64 get(const u8 *words, u64 i)
{
	u64 word;

	memcpy(&word, words + i * sizeof(word), sizeof(word));
	return word;
}

static u64 plain_empty(const u8 *words, u64 count)
{
	u64 i = 0;

	while (i < count && !get(words, i))
		i++;
	return i;
}

static u64 plain_differ(const u8 *words, u64 count, u64 word)
{
	u64 differ = 0;

	for (u64 i = 0; i < count; i++)
		differ |= get(words, i) ^ word;
	return differ;
}

/* What is beside the words is no business of theirs. */
static u8 *fill(struct stretch *stretch, u32 shift, u64 count, u64 word)
{
	u8 *words = stretch->bytes + shift;

	memset(stretch, 0xff, sizeof(*stretch));
	for (u64 i = 0; i < count; i++)
		set(words, i, word);
	return words;
}

static void each_word_is_seen(void **state)
{
	static const u32 shifts[] = { 0, 1, 4, 8, 12 };
	struct stretch stretch;

	(void)state;
	for (u32 s = 0; s < sizeof(shifts) / sizeof(shifts[0]); s++) {
		for (u64 count = 0; count <= WORDS; count += count < 70 ? 1 : 13) {
			u8 *words = fill(&stretch, shifts[s], count, 0);

			expect_u64(words_empty(words, count), count);
			expect_u64(words_differ(words, count, 0), 0);
			for (u64 i = 0; i < count; i++) {
				set(words, i, 1ULL << (i % 64));
				expect_u64(words_empty(words, count), i);
				expect_u64(words_differ(words, count, 0), 1ULL << (i % 64));
				set(words, i, 0);
			}
		}
	}
}

static void any_words_are_as_one_after_the_other(void **state)
{
	struct stretch stretch;
	struct random random;

	(void)state;
	random_init(&random, 5);
	for (u32 round = 0; round < 20000; round++) {
		u64 count = random_below(&random, WORDS + 1), word = random_below(&random, 3);
		u8 *words = fill(&stretch, (u32)random_below(&random, 3) * 4, count, word);

		for (u64 i = random_below(&random, 4); i; i--) {
			if (count)
				set(words, random_below(&random, count), random_below(&random, 3));
		}
		expect_u64(words_empty(words, count), plain_empty(words, count));
		expect_u64(words_differ(words, count, word), plain_differ(words, count, word));
	}
}

static void steps_are_steps(void **state)
{
	struct stretch stretch;

	(void)state;
	for (u64 count = 1; count <= WORDS; count += count < 40 ? 1 : 17) {
		u8 *words = fill(&stretch, 8, count, 0);

		for (u64 i = 0; i < count; i++)
			set(words, i, htole64(0x1003 + i * 0x1000));
		assert_true(words_step(words, count, 0x1003, 0x1000));
		for (u64 i = 0; i < count; i++) {
			set(words, i, htole64(0x1003 + i * 0x1000) ^ htole64(0x20));
			assert_false(words_step(words, count, 0x1003, 0x1000));
			set(words, i, htole64(0x1003 + i * 0x1000));
		}
	}
}

TEST_MAIN(cmocka_unit_test(each_word_is_seen),
	  cmocka_unit_test(any_words_are_as_one_after_the_other), cmocka_unit_test(steps_are_steps))
