/* SPDX-License-Identifier: MIT */
/*
 * Which cells there are, what they are called, and where their buffers lie.
 */
#include "matrix/matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matrix/cover.h"

const unsigned long full_attr[6] = {
	DMA_ATTR_SKIP_CPU_SYNC, DMA_ATTR_MMIO,	  DMA_ATTR_REQUIRE_COHERENT,
	DMA_ATTR_PRIVILEGED,	DMA_ATTR_NO_WARN, DMA_ATTR_CC_SHARED,
};

const unsigned long other_attr[6] = {
	DMA_ATTR_WEAK_ORDERING,	     DMA_ATTR_WRITE_COMBINE,
	DMA_ATTR_NO_KERNEL_MAPPING,  DMA_ATTR_FORCE_CONTIGUOUS,
	DMA_ATTR_ALLOC_SINGLE_PAGES, DMA_ATTR_DEBUGGING_IGNORE_CACHELINES,
};

const char *const mode_name[MODES] = {
	"direct",	  "direct_ranges", "direct_mask32",   "pass_through", "strict",
	"lazy",		  "untrusted",	   "forced",	      "restricted",   "no_snoop",
	"no_snoop_iommu", "kmalloc",	   "kmalloc_iommu",   "p2p_bus",      "p2p_bridge",
	"amd_vi",	  "amd_vi_lazy",   "amd_vi_np_cache", "first_stage",  "riscv",
	"smmuv3",
};

const char *const call_name[CALLS] = {
	"map_phys",
	"map_page",
	"map_single",
	"map_resource",
	"map_sg",
	"map_sgtable",
	"one_link",
	"links",
	"alloc_coherent",
	"alloc_pages",
	"alloc_noncontiguous",
};

static const char *const dir_name[DIRECTIONS] = { "BIDIRECTIONAL", "TO_DEVICE", "FROM_DEVICE" };

static const struct {
	const char *name;
	u32 offset;
	u32 bytes;
} places[PLACES] = {
	[PLACE_PAGES] = { "pages", 0, 0x2000 },
	[PLACE_IN_PAGE] = { "in_page", 0x200, 0x800 },
	[PLACE_ODD] = { "odd", 0x123, 0x5a7 },
	[PLACE_SUB_LINE] = { "sub_line", 0x48, 24 },
	[PLACE_CROSSING] = { "crossing", 0xe85, 0x2345 },
	[PLACE_BOUNDARY] = { "boundary", 0xd41, 0x6ab },
	[PLACE_START] = { "start", 0, 0x321 },
	[PLACE_LARGE] = { "large", 0, 0x12300 },
	[PLACE_HUGE] = { "huge", 0x40, 0x4b0c3 },
};

bool is_list(enum call call)
{
	return call == CALL_MAP_SG || call == CALL_MAP_SGTABLE;
}

bool is_two_step(enum call call)
{
	return call == CALL_ONE_LINK || call == CALL_LINKS;
}

bool is_alloc(enum call call)
{
	return call >= CALL_ALLOC_COHERENT;
}

/* ---- Shapes ----------------------------------------------------------- */

/* Cuts at the ends of the first two pages, as links must be. Returns the number of parts. */
static u32 cut_at_pages(u32 offset, u32 bytes, u32 part[PIECES_MAX])
{
	u32 count = 0;

	while (count < PIECES_MAX - 1 && bytes > 4096 - offset) {
		part[count] = 4096 - offset;
		bytes -= part[count++];
		offset = 0;
	}
	part[count++] = bytes;
	return count;
}

/* Puts the parts into the region out of order and apart, so that nothing joins by chance. */
static void put_apart(struct shape *shape, u32 first_offset, u32 other_offset)
{
	static const u32 order[PIECES_MAX] = { 1, 2, 0 };
	u32 page = 1;

	for (u32 i = 0; i < PIECES_MAX; i++) {
		u32 k = order[i];
		u32 offset = k ? other_offset : first_offset;

		if (k >= shape->count)
			continue;
		shape->piece[k].at = page * 4096 + offset;
		page += (offset + shape->piece[k].bytes + 4095) / 4096 + 1;
	}
}

void shape_of(const struct cell *cell, struct shape *shape)
{
	u32 offset = places[cell->place].offset, other_offset = 0;
	u32 part[PIECES_MAX] = { places[cell->place].bytes };

	*shape = (struct shape){ .bytes = part[0], .count = 1 };
	if (is_alloc(cell->call))
		offset = 0;
	if (is_list(cell->call) || cell->call == CALL_LINKS)
		shape->count = cut_at_pages(offset, shape->bytes, part);
	if (is_list(cell->call) && shape->count == 1) {
		part[0] = shape->bytes / 2;
		part[1] = shape->bytes - part[0];
		shape->count = 2;
		other_offset = 0x333;
	}
	for (u32 k = 0; k < shape->count; k++)
		shape->piece[k].bytes = part[k];
	put_apart(shape, offset, other_offset);
}

/* ---- Names ------------------------------------------------------------ */

void cell_text(const struct cell *cell, char text[CELL_TEXT])
{
	snprintf(text, CELL_TEXT, "%s,%s,%s,%s,0x%lx", mode_name[cell->mode], call_name[cell->call],
		 dir_name[cell->dir], places[cell->place].name, cell->attrs);
}

/* The index of the name that ends at the next comma; moves *text behind it. -1: none. */
static int take_name(const char **text, const char *const names[], size_t count, size_t stride)
{
	size_t length = strcspn(*text, ",");

	for (size_t i = 0; i < count; i++) {
		const char *name = *(const char *const *)((const char *)names + i * stride);

		if (strlen(name) == length && !strncmp(name, *text, length)) {
			*text += length + ((*text)[length] == ',');
			return (int)i;
		}
	}
	return -1;
}

bool cell_parse(const char *text, struct cell *cell)
{
	int mode = take_name(&text, mode_name, MODES, sizeof(mode_name[0]));
	int call = mode < 0 ? -1 : take_name(&text, call_name, CALLS, sizeof(call_name[0]));
	int dir = call < 0 ? -1 : take_name(&text, dir_name, DIRECTIONS, sizeof(dir_name[0]));
	int place = dir < 0 ? -1 : take_name(&text, &places[0].name, PLACES, sizeof(places[0]));
	char *end;

	if (place < 0)
		return false;
	*cell = (struct cell){ (enum mode)mode, (enum call)call, (enum dma_data_direction)dir,
			       (enum place)place, strtoul(text, &end, 0) };
	return end != text && !*end;
}

/* ---- Lists ------------------------------------------------------------ */

/* dma_alloc_attrs() has no direction, dma_alloc_pages() no attributes. */
static bool is_said(const struct cell *cell)
{
	if (cell->call == CALL_ALLOC_COHERENT)
		return cell->dir == DMA_BIDIRECTIONAL;
	return cell->call != CALL_ALLOC_PAGES || !cell->attrs;
}

static void add(struct cell_list *list, struct cell cell)
{
	if (is_said(&cell))
		list->cell[list->count++] = cell;
}

static unsigned long attrs_of(const unsigned long attr[6], const u8 *level)
{
	unsigned long attrs = 0;

	for (u32 i = 0; i < 6; i++)
		attrs |= level[i] ? attr[i] : 0;
	return attrs;
}

static void add_full(struct cell_list *list, struct cell cell)
{
	for (u32 dir = 0; dir < DIRECTIONS; dir++)
		for (u32 place = 0; place < PLACES_FULL; place++)
			for (u32 set = 0; set < 64; set++) {
				u8 level[6];

				for (u32 i = 0; i < 6; i++)
					level[i] = set >> i & 1;
				cell.dir = (enum dma_data_direction)dir;
				cell.place = (enum place)place;
				cell.attrs = attrs_of(full_attr, level);
				add(list, cell);
			}
}

/* Every pair of: direction, place, and one of the twelve attributes there or not. */
static const u8 pair_levels[COVER_FACTORS] = {
	DIRECTIONS, PLACES, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
};

static void add_pairs(struct cell_list *list, struct cell cell, const struct cover *cover)
{
	for (u32 row = 0; row < cover->rows; row++) {
		const u8 *level = cover->row[row];

		cell.dir = (enum dma_data_direction)level[0];
		cell.place = (enum place)level[1];
		cell.attrs = attrs_of(full_attr, level + 2) | attrs_of(other_attr, level + 8);
		add(list, cell);
	}
}

/* The pairs have this place too, but hardly with nothing else that makes the mapping fail. */
static void add_huge(struct cell_list *list, struct cell cell)
{
	cell.place = PLACE_HUGE;
	for (u32 dir = 0; dir < DIRECTIONS; dir++) {
		cell.dir = (enum dma_data_direction)dir;
		cell.attrs = 0;
		add(list, cell);
		cell.attrs = DMA_ATTR_NO_WARN;
		add(list, cell);
	}
}

bool cells_of(enum mode mode, enum call call, struct cell_list *list)
{
	struct cell cell = { .mode = mode, .call = call };
	struct cover cover;
	u32 most = DIRECTIONS * PLACES_FULL * 64 + COVER_ROWS + 2 * DIRECTIONS;

	*list = (struct cell_list){ .cell = calloc(most, sizeof(struct cell)) };
	if (!list->cell || !cover_make(&cover, pair_levels))
		return false;
	add_full(list, cell);
	add_pairs(list, cell, &cover);
	add_huge(list, cell);
	return true;
}
