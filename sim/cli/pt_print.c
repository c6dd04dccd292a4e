/* SPDX-License-Identifier: MIT */
/*
 * The tree as text: below each entry of a table that table, two columns further in.
 */
#include <string.h>

#include "pt.h"

static int indent(u32 depth)
{
	return (int)(2 * depth);
}

void pt_print_said(const char *said)
{
	while (*said) {
		int spaces = (int)strspn(said, " ");

		cli_print_wrapped(spaces, spaces + 4, said + spaces);
		said += strcspn(said, "\n");
		said += *said == '\n';
	}
}

void pt_print_head(const struct pt_tree *tree)
{
	char text[PT_HEAD_BYTES];

	cli_print_wrapped(0, 2, pt_tree_title(tree, text));
	printf("leaves of %s\n\n", pt_sizes_text(tree->page_sizes, text));
}

static void print_row(const struct pt_tree *tree, const struct pt_node *node,
		      const struct pt_row *row, u32 depth)
{
	const struct pt_options *options = tree->options;
	char says[PT_SAYS_BYTES], place[PT_PLACE_BYTES], names[PT_NAMES_BYTES], text[512];
	int length = snprintf(text, sizeof(text), "%s ", pt_row_place(row, place));

	if (row->count > 1)
		length +=
			snprintf(text + length, sizeof(text) - (size_t)length, "%u x ", row->count);
	length += snprintf(text + length, sizeof(text) - (size_t)length, "0x%016llx", row->word);
	if (row->apart)
		length += snprintf(text + length, sizeof(text) - (size_t)length, " +0x%llx",
				   row->apart);
	pt_row_says(tree, node, row, says);
	if (row->said.kind == WALK_LEAF)
		snprintf(text + length, sizeof(text) - (size_t)length, ": 0x%llx to 0x%llx, %s",
			 pt_tree_iova(tree, row->iova), pt_row_phys(row), says);
	else
		snprintf(text + length, sizeof(text) - (size_t)length, ": %s", says);
	cli_print_wrapped(indent(depth), indent(depth) + 4, text);
	pt_names(options->format, &options->layout, row->word, node->level, names);
	if (*names)
		cli_print_wrapped(indent(depth) + 4, indent(depth) + 4, names);
}

static void print_node(const struct pt_tree *tree, u32 index, u32 depth)
{
	const struct pt_node *node = &tree->node[index];
	u64 bytes = (u64)node->entries << pt_level_lg2(&tree->options->layout, node->level);

	printf("%*s%s 0x%llx, level %u", indent(depth), "", index ? "table" : "top table",
	       node->phys, node->level);
	if (index)
		printf(": 0x%llx to 0x%llx", pt_tree_iova(tree, node->iova),
		       pt_tree_iova(tree, node->iova) + bytes - 1);
	printf("%s\n", node->lost ? "; no memory is there" : node->row_count ? "" : "; empty");
	for (u32 i = node->row; i < node->row + node->row_count; i++) {
		const struct pt_row *row = &tree->row[i];

		print_row(tree, node, row, depth + 1);
		if (row->child != PT_NONE)
			print_node(tree, row->child, depth + 2);
	}
}

void pt_print_tree(const struct pt_tree *tree)
{
	char text[PT_HEAD_BYTES];

	print_node(tree, 0, 0);
	printf("\n%s\n", pt_tree_total(tree, text));
}

void pt_print_costs(const struct pt_tree *tree, const struct dmasim_costs *costs)
{
	struct pt_level_count count[PGTABLE_LEVELS_MAX];

	pt_tree_count(tree, count);
	printf("\nlevel  tables     bytes  entries  leaves  mapped\n");
	for (u32 level = tree->levels; level-- > 0;) {
		printf("%-5u  %6llu  %8s  %7llu  %6llu", level, count[level].tables,
		       walk_size(count[level].bytes).text, count[level].entries,
		       count[level].leaves);
		if (count[level].mapped)
			printf("  %s", walk_size(count[level].mapped).text);
		printf("\n");
	}
	printf("\nsince the beginning: %llu leaves written, %llu cleared; %llu tables made, %llu "
	       "freed\n",
	       costs->entries_written, costs->entries_cleared, costs->tables_allocated,
	       costs->tables_freed);
}
