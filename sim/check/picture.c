/* SPDX-License-Identifier: MIT */
#include "check/picture.h"

#include <string.h>

#include <dmasim/dma.h>

#include "check/share.h"
#include "check/view.h"

#define ROWS	    8 /* of a picture */
#define COLUMNS	    100
#define LINE_DIGITS 4

static const char *const kind_names[] = {
	[PIECE_PHYS] = "dma_map_phys",
	[PIECE_SG] = "dma_map_sg",
	[PIECE_SG_BUS] = "dma_map_sg (bus address)",
	[PIECE_LINK] = "dma_iova_link",
	[PIECE_ALLOC] = "dma_alloc",
};

const char *picture_kind(const struct piece *piece)
{
	return kind_names[piece->kind];
}

const char *picture_direction(const struct piece *piece)
{
	static const char *const names[] = { "BIDIRECTIONAL", "TO_DEVICE", "FROM_DEVICE", "NONE" };

	return names[piece->dir & 3];
}

/* ---- Which reports, and the names of their columns -------------------- */

#define NO_PICTURE ""

/* What the second column is, in up to six letters; NULL: "call". */
static const char *const columns[] = {
	/* Their numbers are no DMA addresses, or nothing is to be seen there. */
	[DMASIM_REPORT_QUEUE_ERROR] = NO_PICTURE,    [DMASIM_REPORT_BAD_ARGUMENT] = NO_PICTURE,
	[DMASIM_REPORT_NO_DMA_MASK] = NO_PICTURE,    [DMASIM_REPORT_BOUNCE_FULL] = NO_PICTURE,
	[DMASIM_REPORT_DIRECT_REGION] = NO_PICTURE,  [DMASIM_REPORT_KERNEL_MISUSE] = NO_PICTURE,
	[DMASIM_REPORT_DEADLOCK] = NO_PICTURE,	     [DMASIM_REPORT_STALE_CONTEXT] = NO_PICTURE,
	[DMASIM_REPORT_UNMAP_NOT_MAPPED] = "unmap",  [DMASIM_REPORT_UNMAP_MISMATCH] = "unmap",
	[DMASIM_REPORT_UNMAP_FOREIGN] = "unmap",     [DMASIM_REPORT_UNMAP_SHORT] = "unmap",
	[DMASIM_REPORT_BUS_FLAG_LOST] = "unmap",     [DMASIM_REPORT_MAPPING_UNCHECKED] = "unmap",
	[DMASIM_REPORT_SYNC_NOT_MAPPED] = "sync",    [DMASIM_REPORT_SYNC_MISMATCH] = "sync",
	[DMASIM_REPORT_BOUNCE_OVERRUN] = "sync",     [DMASIM_REPORT_FREE_WITH_LINKS] = "freed",
	[DMASIM_REPORT_MAPPING_LEAKED] = "leaked",   [DMASIM_REPORT_STALE_TRANSLATION] = "cached",
	[DMASIM_REPORT_MIXED_PAGE_SIZES] = "cached", [DMASIM_REPORT_ABSENT_CACHED] = "cached",
	[DMASIM_REPORT_TABLE_FREED_EARLY] = "table", [DMASIM_REPORT_DEVICE_TLB_TIMEOUT] = "asked",
	[DMASIM_REPORT_PEER_RELEASED] = "gone",	     [DMASIM_REPORT_PEER_REVOKED] = "gone",
	[DMASIM_REPORT_MAPPINGS_OVERLAP] = "new",    [DMASIM_REPORT_IOVA_IN_WINDOW] = "IOVA",
};

#define NAMED (sizeof(columns) / sizeof(columns[0]))

static const char *column_of(const struct finding *finding)
{
	const char *name = (size_t)finding->id < NAMED ? columns[finding->id] : NULL;

	if (finding->access)
		return "device";
	return name ? name : "call";
}

bool picture_has(const struct finding *finding)
{
	return *column_of(finding);
}

/* ---- What is to be seen ----------------------------------------------- */

/* The bytes that the device touched or the call named; size 0 is one address. */
static struct view_span touched_by(const struct finding *finding)
{
	const struct hw_access *access = finding->access;
	u64 start = access ? access->address : finding->dma;
	u64 size = access ? access->bytes : finding->size;

	if (finding->id == DMASIM_REPORT_FREE_WITH_LINKS && finding->range)
		return (struct view_span){ finding->range->at.start, finding->range->at.last };
	return view_span(start, size ? size : 1);
}

static struct owner_space *space_of(struct check *check, const struct finding *finding)
{
	if (finding->piece)
		return finding->piece->space;
	if (finding->past)
		return finding->past->piece.space;
	return finding->dev != DMASIM_NO_SBDF ? owners_space(&check->owners, finding->dev) : NULL;
}

/* Two mappings of the same memory: the picture is of that. */
static bool look_at_memory(struct view *view, const struct finding *finding)
{
	const struct piece *own = finding->own;

	if (!own || !finding->piece)
		return false;
	*view = (struct view){
		.unit = SHARE_LINE_BYTES,
		.touched = view_span(own->phys, own->at.last - own->at.start + 1),
		.spot = own->phys,
	};
	view_include(view, view->touched);
	view_show(view, finding->piece,
		  view_span(finding->piece->phys,
			    finding->piece->at.last - finding->piece->at.start + 1));
	return true;
}

static bool look_at_addresses(struct view *view, struct check *check, const struct finding *finding)
{
	struct owner_space *space = space_of(check, finding);

	if (!space || (!finding->dma && !finding->size && !finding->access))
		return false;
	*view = (struct view){
		.space = space,
		.unit = space->is_domain ? FRAME_BYTES : 1,
		.touched = touched_by(finding),
		.spot = finding->dma,
		.site = finding->site,
	};
	view_include(view, view->touched);
	if (finding->piece) {
		view_include(view, view_piece_span(finding->piece));
		view_show(view, finding->piece, view_piece_span(finding->piece));
	}
	if (finding->past) {
		view->was = view_piece_span(&finding->past->piece);
		view->has_was = true;
		view_include(view, view->was);
	}
	if (finding->range)
		view_include(view, (struct view_span){ finding->range->at.start,
						       finding->range->at.last });
	if (finding->piece && finding->range)
		view->spot = finding->piece->at.start;
	view_collect(view);
	return true;
}

/* ---- Lines ------------------------------------------------------------ */

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A place, if the row has room for it, whatever the line's number is. */
static void add_place(struct text *row, const char *before, const struct dmasim_site *site)
{
	const char *name = site ? file_name(site->file) : NULL;

	if (name && row->length + strlen(before) + strlen(name) + LINE_DIGITS + 1 <= COLUMNS)
		text_add(row, "%s%s:%d", before, name, site->line);
}

static void add_mapping(struct text *text, const struct finding *finding, const struct piece *piece)
{
	bool own = piece == finding->piece;

	if (own)
		text_add(text, finding->own ? "mapped already" : "this mapping");
	else
		text_add(text, "%s", picture_kind(piece));
	if (!own && piece->dir != DMA_NONE)
		text_add(text, ", %s", picture_direction(piece));
	if (finding->dev != DMASIM_NO_SBDF && piece->dev != finding->dev) {
		text_add(text, ", of ");
		text_add_bdf(text, piece->dev);
	}
	if (!piece->synced)
		text_add(text, ", not synced");
	if (!own)
		add_place(text, ", ", piece->site);
}

/* Where it ended: " by this call", " at nic.c:120". */
static void add_end(struct text *text, const struct finding *finding, const struct owner_past *past)
{
	if (past->piece.ended.where && past->piece.ended.where == finding->site)
		text_add(text, " by this call");
	else
		add_place(text, " at ", past->piece.ended.where);
}

static void add_nothing(struct text *text, const struct view *view, const struct finding *finding,
			const struct view_row *row)
{
	if (row->range && row->past) {
		text_add(text, "state %u, unlinked", row->range->state);
		add_end(text, finding, row->past);
	} else if (row->range) {
		text_add(text, "state %u, nothing linked", row->range->state);
	} else if (row->beside) {
		text_add(text, view->space ? "nothing, but its page is mapped"
					   : "nothing, but the cache line is shared");
	} else if (row->past) {
		text_add(text, "nothing: was %s, ended", picture_kind(&row->past->piece));
		add_end(text, finding, row->past);
	} else {
		text_add(text, "nothing");
	}
}

static void add_bars(struct text *text, const struct view_row *row)
{
	const char *there = row->range ? "......" : "      ";

	if (row->piece)
		there = row->piece->synced ? "######" : "++++++";
	text_add(text, "  |%s|%s|  ", there, row->touched ? "******" : "      ");
}

static void add_row(struct text *text, const struct view *view, const struct finding *finding,
		    const struct view_row *row)
{
	char words[2 * COLUMNS];
	char bytes[32];
	struct text line, size;

	text_init(&line, words, sizeof(words));
	text_init(&size, bytes, sizeof(bytes));
	text_add_size(&size, row->last - row->start + 1);
	text_add(&line, "    0x%0*llx-0x%0*llx", view->digits, row->start, view->digits, row->last);
	add_bars(&line, row);
	text_add(&line, "%*s  ", view->size_letters, bytes);
	if (row->pieces > 1)
		text_add(&line, "%u mappings", row->pieces);
	else if (row->piece)
		add_mapping(&line, finding, row->piece);
	else
		add_nothing(&line, view, finding, row);
	text_add(text, "%s\n", words);
}

static void add_rows(struct text *text, const struct view *view, const struct finding *finding)
{
	u32 from = 0, to = view->rows;

	if (view->rows > ROWS) {
		from = view->spot_row > ROWS / 2 ? view->spot_row - ROWS / 2 : 0;
		from = from > view->rows - ROWS ? view->rows - ROWS : from;
		to = from + ROWS;
	}
	if (from || view->more_below)
		text_add(text, "    ...\n");
	for (u32 i = from; i < to; i++)
		add_row(text, view, finding, &view->row[i]);
	if (to < view->rows || view->more_above)
		text_add(text, "    ...\n");
}

void picture_add(struct check *check, struct text *text, const struct finding *finding)
{
	const char *column = column_of(finding);
	struct view view;

	if (!picture_has(finding))
		return;
	if (!look_at_memory(&view, finding) && !look_at_addresses(&view, check, finding))
		return;
	view_rows(&view);
	if (view.space && view.rows < 2)
		return;
	text_add(text, "  %-*s|mapped|%*s%-*s|\n", 2 * view.digits + 9,
		 view.space ? "addresses" : "memory", (6 - (int)strlen(column)) / 2, "",
		 6 - (6 - (int)strlen(column)) / 2, column);
	add_rows(text, &view, finding);
}
