/* SPDX-License-Identifier: MIT */
/*
 * What a picture is of: addresses cut into rows, within each of which nothing changes.
 *
 *   mappings   |=====|     |=====|
 *   touched         |----|
 *   rows       |    ||   | |     |
 */
#ifndef CHECK_VIEW_H
#define CHECK_VIEW_H

#include "check/owner.h"

struct view_span {
	u64 start;
	u64 last;
};

#define VIEW_SHOWN 24
#define VIEW_CUTS  (4 * VIEW_SHOWN + 16)

struct view_row {
	u64 start;
	u64 last;
	const struct piece *piece; /* one that is there; NULL: none */
	u32 pieces;
	bool touched;
	const struct owner_range *range; /* of the state that has it; NULL: none */
	const struct owner_past *past;	 /* the last that ended there; NULL: not known */
	bool beside;			 /* no mapping has it, but a unit that it lies in */
};

struct view {
	struct owner_space *space; /* NULL: the addresses are physical */
	u64 unit;		   /* page or cache line, a power of two; 1: there is none */
	struct view_span touched;
	u64 spot; /* where it went wrong */

	struct view_span middle; /* all that it is about; one mapping on each side is shown, too */
	bool has_middle;
	const struct dmasim_site *site; /* of the call: what that has ended is a row, too */
	struct view_span was;		/* where something ended that it is about */
	bool has_was;
	bool more_below; /* there is more than can be shown */
	bool more_above;
	struct view_span span[VIEW_SHOWN];
	const struct piece *piece[VIEW_SHOWN];
	u32 shown;
	u64 cut[VIEW_CUTS]; /* where rows start */
	u32 cuts;

	struct view_row row[VIEW_CUTS];
	u32 rows;
	u32 spot_row;
	int digits; /* of the longest address */
	int size_letters;
};

/* Cut at the end of the addresses. bytes is at least 1. */
struct view_span view_span(u64 start, u64 bytes);
struct view_span view_piece_span(const struct piece *piece);

/* The picture is about this, too. */
void view_include(struct view *view, struct view_span span);

/* Shows one mapping. */
void view_show(struct view *view, const struct piece *piece, struct view_span span);

/* Shows the mappings of the space in the middle, and one on each side. */
void view_collect(struct view *view);

/* Makes the rows. */
void view_rows(struct view *view);

#endif
