/* SPDX-License-Identifier: MIT */
#include "check/view.h"

#include "check/links.h"
#include "world/text.h"

#define EACH_WAY   8		 /* mappings below the spot, and above */
#define NEAR_BYTES (64ULL << 30) /* what is farther away is no neighbour */

struct view_span view_span(u64 start, u64 bytes)
{
	u64 last = start + (bytes - 1);

	return (struct view_span){ start, last < start ? ~0ULL : last };
}

struct view_span view_piece_span(const struct piece *piece)
{
	return (struct view_span){ piece->at.start, piece->at.last };
}

static bool meet(struct view_span a, struct view_span b)
{
	return a.start <= b.last && b.start <= a.last;
}

/* ---- Mappings --------------------------------------------------------- */

void view_include(struct view *view, struct view_span span)
{
	if (!view->has_middle)
		view->middle = span;
	view->has_middle = true;
	if (span.start < view->middle.start)
		view->middle.start = span.start;
	if (span.last > view->middle.last)
		view->middle.last = span.last;
}

void view_show(struct view *view, const struct piece *piece, struct view_span span)
{
	for (u32 i = 0; i < view->shown; i++) {
		if (view->piece[i] == piece)
			return;
	}
	if (view->shown == VIEW_SHOWN)
		return;
	view->piece[view->shown] = piece;
	view->span[view->shown++] = span;
}

static void show_interval(struct view *view, const struct interval *at)
{
	view_show(view, (const struct piece *)at, (struct view_span){ at->start, at->last });
}

/* With all that shares addresses with it. */
static void show_around(struct view *view, const struct interval *at)
{
	struct piece *piece = owners_first(view->space, at->start, at->last);

	show_interval(view, at);
	for (u32 i = 0; piece && i < EACH_WAY; i++) {
		show_interval(view, &piece->at);
		piece = owners_next(view->space, piece, at->start, at->last);
	}
}

/* Towards lower addresses: up to the first that lies below the middle. */
static void collect_below(struct view *view)
{
	struct interval *at = interval_before(&view->space->pieces, view->spot);

	for (u32 i = 0; at; i++) {
		if (i == EACH_WAY) {
			view->more_below = true;
			view->middle.start = at->last == ~0ULL ? at->last : at->last + 1;
			return;
		}
		if (at->last < view->middle.start && view->middle.start - at->last > NEAR_BYTES)
			return;
		show_around(view, at);
		if (at->last < view->middle.start)
			return;
		at = interval_before(&view->space->pieces, at->start);
	}
}

static void collect_above(struct view *view)
{
	struct interval *at = interval_after(&view->space->pieces, view->spot);

	for (u32 i = 0; at; i++) {
		if (i == EACH_WAY) {
			view->more_above = true;
			view->middle.last = at->start - 1;
			return;
		}
		if (at->start > view->middle.last && at->start - view->middle.last > NEAR_BYTES)
			return;
		show_around(view, at);
		if (at->start > view->middle.last)
			return;
		at = interval_after(&view->space->pieces, at->start);
	}
}

void view_collect(struct view *view)
{
	struct piece *piece;

	/* It is looked at from all sides. */
	owners_spread(view->space, 0, ~0ULL);
	piece = owners_first(view->space, view->spot, view->spot);
	if (piece)
		show_around(view, &piece->at);
	collect_below(view);
	collect_above(view);
}

/* ---- Rows ------------------------------------------------------------- */

/* Kept in order, each once. */
static void cut_at(struct view *view, u64 address)
{
	u32 at = view->cuts;

	while (at && view->cut[at - 1] > address)
		at--;
	if ((at && view->cut[at - 1] == address) || view->cuts == VIEW_CUTS)
		return;
	for (u32 i = view->cuts++; i > at; i--)
		view->cut[i] = view->cut[i - 1];
	view->cut[at] = address;
}

static void cut_behind(struct view *view, u64 last)
{
	if (last != ~0ULL)
		cut_at(view, last + 1);
}

static void cut_span(struct view *view, struct view_span span)
{
	cut_at(view, span.start);
	cut_behind(view, span.last);
}

/* The picture is of the rest of the unit that an end of the mapping lies in, if it was touched. */
static void include_unit(struct view *view, struct view_span span)
{
	struct view_span before = { span.start & ~(view->unit - 1), span.start - 1 };
	struct view_span behind = { span.last + 1, span.last | (view->unit - 1) };

	if (before.start != span.start && meet(before, view->touched)) {
		view_include(view, before);
		cut_at(view, before.start);
	}
	if (behind.last != span.last && meet(behind, view->touched)) {
		view_include(view, behind);
		cut_behind(view, behind.last);
	}
}

static bool is_in(struct view_span outer, const struct view_row *row)
{
	return row->start >= outer.start && row->last <= outer.last;
}

/* Nothing is mapped there: whose it is all the same, and what was there. */
static void describe_empty(const struct view *view, struct view_row *row)
{
	const struct owner_past *past = owners_past_of_any(view->space, row->start);

	row->range =
		(struct owner_range *)interval_first(&view->space->ranges, row->start, row->start);
	if (past && row->last <= past->piece.at.last)
		row->past = past;
}

static void describe(const struct view *view, struct view_row *row)
{
	u64 mask = ~(view->unit - 1);

	for (u32 i = 0; i < view->shown; i++) {
		struct view_span span = view->span[i];

		if (is_in(span, row)) {
			row->piece = view->piece[i];
			row->pieces++;
		}
		row->beside |= (row->start & mask) == (span.last & mask) ||
			       (row->last & mask) == (span.start & mask);
	}
	row->beside &= !row->piece && ((row->start ^ row->last) & mask) == 0;
	row->touched = is_in(view->touched, row);
	if (view->space && !row->piece)
		describe_empty(view, row);
}

static void measure(struct view *view, const struct view_row *row)
{
	char letters[32];
	struct text text;
	int digits = 1;

	for (u64 rest = row->last >> 4; rest; rest >>= 4)
		digits++;
	text_init(&text, letters, sizeof(letters));
	text_add_size(&text, row->last - row->start + 1);
	if (digits > view->digits)
		view->digits = digits;
	if ((int)text.length > view->size_letters)
		view->size_letters = (int)text.length;
}

/* Where the IOVA space of states begins and ends. */
static void cut_ranges(struct view *view)
{
	struct view_span middle = view->middle;
	struct interval *at;
	u32 count = 0;

	if (!view->space)
		return;
	for (at = interval_first(&view->space->ranges, middle.start, middle.last);
	     at && count < EACH_WAY;
	     at = interval_next(&view->space->ranges, at, middle.start, middle.last), count++)
		cut_span(view, (struct view_span){ at->start, at->last });
}

static void cut_link(void *cookie, u64 dma)
{
	struct view_span span = { dma, dma | LINKS_PAGE_LAST };
	struct view *view = cookie;

	if (meet(span, view->middle))
		cut_span(view, span);
}

/* Links that were all of their ranges, and ended with them by the call. */
static void cut_wholes(struct view *view)
{
	for (u32 back = 1; back <= owners_ranges_kept(view->space); back++) {
		const struct owner_range *range = owners_range_ended(view->space, back);
		struct view_span span = { range->at.start, range->at.last };

		if (range->whole.has_ended &&
		    owners_remembers(view->space, range->whole.ended.age) &&
		    range->ended_at == view->site && meet(span, view->middle))
			cut_span(view, span);
	}
}

/* What the call itself has ended. */
static void cut_ended(struct view *view)
{
	const struct owner_space *space = view->space;
	u32 kept;

	if (!space || !view->site)
		return;
	kept = owners_past_kept(space);
	for (u32 i = 0; i < kept; i++) {
		const struct owner_past *past = space->past[i];
		struct view_span span = view_piece_span(&past->piece);

		if (owners_remembers(space, past->piece.ended.age) &&
		    past->piece.ended.where == view->site && meet(span, view->middle))
			cut_span(view, span);
	}
	if (!space->links)
		return;
	links_ended_by(space->links, view->site, cut_link, view);
	cut_wholes(view);
}

/* Where rows begin; returns all the addresses that are shown. */
static struct view_span cut(struct view *view)
{
	struct view_span all;

	for (u32 i = 0; i < view->shown; i++)
		include_unit(view, view->span[i]);
	all = view->middle;
	cut_span(view, view->middle);
	cut_span(view, view->touched);
	if (view->has_was)
		cut_span(view, view->was);
	cut_ranges(view);
	cut_ended(view);
	for (u32 i = 0; i < view->shown; i++) {
		cut_span(view, view->span[i]);
		all.start = view->span[i].start < all.start ? view->span[i].start : all.start;
		all.last = view->span[i].last > all.last ? view->span[i].last : all.last;
	}
	return all;
}

void view_rows(struct view *view)
{
	struct view_span all = cut(view);

	for (u32 i = 0; i < view->cuts; i++) {
		struct view_row *row = &view->row[view->rows];

		if (view->cut[i] < all.start || view->cut[i] > all.last)
			continue;
		*row = (struct view_row){ .start = view->cut[i], .last = all.last };
		if (i + 1 < view->cuts && view->cut[i + 1] - 1 < all.last)
			row->last = view->cut[i + 1] - 1;
		describe(view, row);
		measure(view, row);
		if (view->spot >= row->start && view->spot <= row->last)
			view->spot_row = view->rows;
		view->rows++;
	}
}
