/* SPDX-License-Identifier: MIT */
/*
 * The tables as they lie in memory: read from the top down, as hardware reads them, and taken apart
 * by the architecture's bits.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "pt.h"

/* So that what was poked into tables cannot lead on and on. */
#define NODES_MAX (1U << 17)

struct reader {
	struct pt_tree *tree;
	struct dmasim *machine;
	const struct pt_format *format;
	const struct pt_layout *layout;
	u64 *word; /* of one table */
};

/* Room for one more; NULL: no memory. */
static void *grow(void *array, u32 count, u32 *room, size_t bytes)
{
	u32 more = *room ? *room * 2 : 64;
	void *larger;

	if (count < *room)
		return array;
	larger = realloc(array, more * bytes);
	if (larger)
		*room = more;
	return larger;
}

static struct pt_node *add_node(struct pt_tree *tree)
{
	struct pt_node *node =
		grow(tree->node, tree->node_count, &tree->node_room, sizeof(*tree->node));

	if (!node)
		return NULL;
	tree->node = node;
	return &node[tree->node_count++];
}

static struct pt_row *add_row(struct pt_tree *tree)
{
	struct pt_row *row = grow(tree->row, tree->row_count, &tree->row_room, sizeof(*tree->row));

	if (!row)
		return NULL;
	tree->row = row;
	return &row[tree->row_count++];
}

/* ---- Rows ------------------------------------------------------------- */

static u32 items_of(const struct pt_layout *layout, const struct pt_said *said, u8 level)
{
	return said->kind == WALK_LEAF ? 1U << (said->lg2 - pt_level_lg2(layout, level)) : 1;
}

/* True if an entry goes on with what the row before it says. */
static bool goes_on(const struct reader *reader, const struct pt_node *node,
		    const struct pt_row *row, u64 word, const struct pt_said *said)
{
	u64 address = pt_fields(reader->format, reader->layout, word, node->level).address;
	u32 items = items_of(reader->layout, &row->said, node->level);
	u64 bytes = 1ULL << pt_level_lg2(reader->layout, node->level);
	u64 last = row->word + (row->count - 1) * row->apart;

	if (row->said.kind != WALK_LEAF || said->kind != WALK_LEAF || (word ^ last) & ~address)
		return false;
	if (!said->own_address && items > 1)
		return word == last && (row->first + row->count) % items;
	if (row->count > 1 && word != last + row->apart)
		return false;
	/* Two pages of the same memory go on, too. */
	return said->phys == row->said.phys + row->count * bytes ||
	       (word == row->word && !row->apart);
}

static bool add_entry(struct reader *reader, u32 node_index, u32 index, u64 word)
{
	struct pt_tree *tree = reader->tree;
	struct pt_node *node = &tree->node[node_index];
	struct pt_said said = reader->format->say(reader->layout, word, node->level);
	struct pt_row *last = node->row_count ? &tree->row[tree->row_count - 1] : NULL;

	if (last && last->first + last->count == index &&
	    goes_on(reader, node, last, word, &said)) {
		last->apart = last->count == 1 ? word - last->word : last->apart;
		last->count++;
		return true;
	}
	last = add_row(tree);
	if (!last)
		return false;
	*last = (struct pt_row){
		.first = index,
		.count = 1,
		.word = word,
		.iova = node->iova + ((u64)index << pt_level_lg2(reader->layout, node->level)),
		.said = said,
		.child = PT_NONE,
	};
	node->row_count++;
	return true;
}

/* ---- Tables ----------------------------------------------------------- */

static u32 entries_of(const struct pt_tree *tree, const struct pt_layout *layout, u8 level)
{
	u32 lg2 = pt_index_bits(layout), reach = 64 - pt_level_lg2(layout, level);

	if (level == tree->levels - 1)
		lg2 += layout->top_extra_lg2;
	return 1U << (lg2 < reach ? lg2 : reach);
}

/* Returns the node, or PT_NONE: no memory. */
static u32 read_table(struct reader *reader, phys_addr_t phys, u8 level, u64 iova)
{
	struct pt_tree *tree = reader->tree;
	u32 index = tree->node_count, entries = entries_of(tree, reader->layout, level);
	struct pt_node *node = add_node(tree);
	u64 bytes = entries * sizeof(*reader->word);

	if (!node)
		return PT_NONE;
	*node = (struct pt_node){ phys, level, entries, iova, .row = tree->row_count };
	node->lost = dmasim_read(reader->machine, phys, reader->word, bytes) != bytes;
	for (u32 i = 0; !node->lost && i < entries; i++) {
		u64 word = le64toh(reader->word[i]);

		if (word && !add_entry(reader, index, i, word))
			return PT_NONE;
	}
	return index;
}

static int read_all(struct reader *reader, phys_addr_t phys, u8 level, u64 iova, u32 *index)
{
	struct pt_tree *tree = reader->tree;
	u32 row, end;

	if (tree->node_count == NODES_MAX)
		return cli_bad_input("pt: more than %u tables", NODES_MAX);
	*index = read_table(reader, phys, level, iova);
	if (*index == PT_NONE)
		return cli_bad_input("pt: no memory");
	row = tree->node[*index].row;
	for (end = row + tree->node[*index].row_count; row < end; row++) {
		struct pt_said said = tree->row[row].said;
		u32 child = PT_NONE;
		int status = 0;

		if (said.kind == WALK_TABLE)
			status =
				read_all(reader, said.phys, said.next, tree->row[row].iova, &child);
		if (status)
			return status;
		tree->row[row].child = child;
	}
	return 0;
}

int pt_tree_read(struct pt_tree *tree, const struct pt_bench *bench)
{
	const struct pt_layout *layout = &bench->options->layout;
	struct reader reader = { tree, bench->machine, bench->options->format, layout };
	u32 top;
	int status;

	*tree = (struct pt_tree){
		.options = bench->options,
		.levels = bench->pt.levels,
		.va_bits = bench->pt.va_bits,
		.page_sizes = bench->pt.page_sizes,
	};
	reader.word = calloc(1ULL << (pt_index_bits(layout) + layout->top_extra_lg2),
			     sizeof(*reader.word));
	if (!reader.word)
		return cli_bad_input("pt: no memory");
	status = read_all(&reader, bench->pt.root, tree->levels - 1, 0, &top);
	free(reader.word);
	return status;
}

void pt_tree_free(struct pt_tree *tree)
{
	free(tree->node);
	free(tree->row);
}

/* ---- What follows from it --------------------------------------------- */

u64 pt_tree_iova(const struct pt_tree *tree, u64 iova)
{
	const struct pt_options *options = tree->options;

	if (options->format->shape(&options->layout).sign_extends && tree->va_bits < 64 &&
	    iova >> (tree->va_bits - 1) & 1)
		iova |= ~0ULL << tree->va_bits;
	return iova;
}

u32 pt_row_items(const struct pt_tree *tree, const struct pt_node *node, const struct pt_row *row)
{
	return items_of(&tree->options->layout, &row->said, node->level);
}

u64 pt_row_bytes(const struct pt_tree *tree, const struct pt_node *node, const struct pt_row *row)
{
	return (u64)row->count << pt_level_lg2(&tree->options->layout, node->level);
}

/* The address of a leaf of equal entries is that of its first. */
phys_addr_t pt_row_phys(const struct pt_row *row)
{
	if (row->said.own_address)
		return row->said.phys;
	return row->said.phys | (row->iova & ((1ULL << row->said.lg2) - 1));
}

void pt_tree_count(const struct pt_tree *tree, struct pt_level_count count[PGTABLE_LEVELS_MAX])
{
	memset(count, 0, PGTABLE_LEVELS_MAX * sizeof(*count));
	for (u32 i = 0; i < tree->node_count; i++) {
		const struct pt_node *node = &tree->node[i];
		struct pt_level_count *level = &count[node->level];

		level->tables++;
		level->bytes += 8ULL << pt_index_bits(&tree->options->layout);
		if (!i)
			level->bytes <<= tree->options->layout.top_extra_lg2;
		for (u32 at = node->row; at < node->row + node->row_count; at++) {
			const struct pt_row *row = &tree->row[at];
			u32 items = pt_row_items(tree, node, row);

			level->entries += row->count;
			if (row->said.kind != WALK_LEAF)
				continue;
			level->leaves += (row->first + row->count + items - 1) / items -
					 (row->first + items - 1) / items;
			level->mapped += pt_row_bytes(tree, node, row);
		}
	}
}
