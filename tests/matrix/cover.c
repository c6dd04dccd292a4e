/* SPDX-License-Identifier: MIT */
#include "matrix/cover.h"

#include <string.h>

/* seen[a][x][b][y], a < b: factor a with value x was in a row with factor b with value y. */
struct seen {
	bool pair[COVER_FACTORS][COVER_LEVELS][COVER_FACTORS][COVER_LEVELS];
};

static bool *pair_of(struct seen *seen, u32 a, u32 x, u32 b, u32 y)
{
	return a < b ? &seen->pair[a][x][b][y] : &seen->pair[b][y][a][x];
}

static void see_row(struct seen *seen, const u8 *row)
{
	for (u32 a = 0; a < COVER_FACTORS; a++)
		for (u32 b = a + 1; b < COVER_FACTORS; b++)
			*pair_of(seen, a, row[a], b, row[b]) = true;
}

/* The first pair that was not seen; false: all were. */
static bool first_unseen(struct seen *seen, const u8 *levels, u8 *row, bool *set)
{
	for (u32 a = 0; a < COVER_FACTORS; a++)
		for (u32 b = a + 1; b < COVER_FACTORS; b++)
			for (u32 x = 0; x < levels[a]; x++)
				for (u32 y = 0; y < levels[b]; y++) {
					if (*pair_of(seen, a, x, b, y))
						continue;
					row[a] = (u8)x;
					row[b] = (u8)y;
					set[a] = set[b] = true;
					return true;
				}
	return false;
}

/* How many new pairs the factor makes with those that are set, if it has this value. */
static u32 gain(struct seen *seen, const u8 *row, const bool *set, u32 factor, u32 value)
{
	u32 count = 0;

	for (u32 other = 0; other < COVER_FACTORS; other++)
		if (set[other])
			count += !*pair_of(seen, factor, value, other, row[other]);
	return count;
}

/* `turn` decides between values that are as good. */
static void fill_row(struct seen *seen, const u8 *levels, u8 *row, bool *set, u32 turn)
{
	for (u32 factor = 0; factor < COVER_FACTORS; factor++) {
		u32 best = 0, best_gain = 0;

		if (set[factor])
			continue;
		for (u32 i = 0; i < levels[factor]; i++) {
			u32 value = (i + turn + factor) % levels[factor];
			u32 got = gain(seen, row, set, factor, value);

			if (!i || got > best_gain) {
				best = value;
				best_gain = got;
			}
		}
		row[factor] = (u8)best;
		set[factor] = true;
	}
}

bool cover_make(struct cover *cover, const u8 levels[COVER_FACTORS])
{
	struct seen seen;

	memset(&seen, 0, sizeof(seen));
	for (cover->rows = 0; cover->rows < COVER_ROWS; cover->rows++) {
		u8 *row = cover->row[cover->rows];
		bool set[COVER_FACTORS] = { false };

		if (!first_unseen(&seen, levels, row, set))
			return true;
		fill_row(&seen, levels, row, set, cover->rows);
		see_row(&seen, row);
	}
	return !cover_missing(cover, levels);
}

static bool occurs(const struct cover *cover, u32 a, u32 x, u32 b, u32 y)
{
	for (u32 i = 0; i < cover->rows; i++)
		if (cover->row[i][a] == x && cover->row[i][b] == y)
			return true;
	return false;
}

u32 cover_missing(const struct cover *cover, const u8 levels[COVER_FACTORS])
{
	u32 missing = 0;

	for (u32 a = 0; a < COVER_FACTORS; a++)
		for (u32 b = a + 1; b < COVER_FACTORS; b++)
			for (u32 x = 0; x < levels[a]; x++)
				for (u32 y = 0; y < levels[b]; y++)
					missing += !occurs(cover, a, x, b, y);
	return missing;
}
