/* SPDX-License-Identifier: MIT */
/*
 * A covering array of strength two: few rows in which every pair of values of every two factors
 * occurs. The same rows every time.
 */
#ifndef MATRIX_COVER_H
#define MATRIX_COVER_H

#include <dmasim/types.h>

#define COVER_FACTORS 14
#define COVER_LEVELS  9
#define COVER_ROWS    64

struct cover {
	u32 rows;
	u8 row[COVER_ROWS][COVER_FACTORS];
};

/* levels: how many values each factor has, at most COVER_LEVELS. False: too few rows. */
bool cover_make(struct cover *cover, const u8 levels[COVER_FACTORS]);

/* How many pairs of values do not occur. */
u32 cover_missing(const struct cover *cover, const u8 levels[COVER_FACTORS]);

#endif
