/* SPDX-License-Identifier: MIT */
/*
 * What both pictures say in words.
 */
#include <stdarg.h>
#include <string.h>

#include "pt.h"

DMASIM_PRINTF(3, 4) static void add(char *text, size_t len, const char *format, ...)
{
	size_t length = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + length, len - length, format, args);
	va_end(args);
}

/* ---- Rights that are asked for ---------------------------------------- */

static const struct {
	char letter;
	u32 prot;
} letters[] = {
	{ 'r', IOMMU_READ },   { 'w', IOMMU_WRITE }, { 'c', IOMMU_CACHE },
	{ 'n', IOMMU_NOEXEC }, { 'm', IOMMU_MMIO },  { 'p', IOMMU_PRIV },
};

#define LETTERS (sizeof(letters) / sizeof(letters[0]))

const char *pt_prot_text(u32 prot, char text[PT_PROT_BYTES])
{
	text[0] = '\0';
	for (size_t i = 0; i < LETTERS; i++) {
		if (prot & letters[i].prot)
			add(text, PT_PROT_BYTES, "%c", letters[i].letter);
	}
	if (!prot)
		add(text, PT_PROT_BYTES, "-");
	return text;
}

bool pt_read_prot(const char *text, u32 *prot)
{
	*prot = 0;
	if (!strcmp(text, "-"))
		return true;
	for (; *text; text++) {
		size_t i = 0;

		while (i < LETTERS && letters[i].letter != *text)
			i++;
		if (i == LETTERS || *prot & letters[i].prot)
			return false;
		*prot |= letters[i].prot;
	}
	return true;
}

/* ---- Sizes ------------------------------------------------------------ */

/* "4K", "512G" */
static void add_size(char *text, u32 lg2)
{
	add(text, PT_HEAD_BYTES, "%u%c", 1U << lg2 % 10, "BKMGTPE"[lg2 / 10]);
}

const char *pt_sizes_text(u64 sizes, char text[PT_HEAD_BYTES])
{
	text[0] = '\0';
	for (u32 lg2 = 10; lg2 < 63; lg2++) {
		u32 last = lg2;

		if (!(sizes >> lg2 & 1))
			continue;
		while (sizes >> (last + 1) & 1)
			last++;
		add(text, PT_HEAD_BYTES, "%s", *text ? ", " : "");
		add_size(text, lg2);
		if (last > lg2 + 1) {
			add(text, PT_HEAD_BYTES, " to ");
			add_size(text, last);
			lg2 = last;
		}
	}
	return text;
}

/* ---- The whole -------------------------------------------------------- */

const char *pt_tree_title(const struct pt_tree *tree, char text[PT_HEAD_BYTES])
{
	const struct pt_options *options = tree->options;
	struct pt_shape shape = options->format->shape(&options->layout);
	u8 levels = tree->levels;

	snprintf(text, PT_HEAD_BYTES, "%s, %u level%s", shape.title, levels,
		 levels == 1 ? "" : "s");
	if (shape.grows && levels < shape.levels_max)
		add(text, PT_HEAD_BYTES, " that may grow to %u", shape.levels_max);
	add(text, PT_HEAD_BYTES, "; IOVAs of %u bits", tree->va_bits);
	add(text, PT_HEAD_BYTES, ", physical addresses of %u", options->layout.pa_bits);
	return text;
}

static const char *plural(u64 count)
{
	return count == 1 ? "" : "s";
}

const char *pt_tree_total(const struct pt_tree *tree, char text[PT_HEAD_BYTES])
{
	struct pt_level_count count[PGTABLE_LEVELS_MAX], all = { 0 };

	pt_tree_count(tree, count);
	for (u32 level = 0; level < PGTABLE_LEVELS_MAX; level++) {
		all.tables += count[level].tables;
		all.bytes += count[level].bytes;
		all.leaves += count[level].leaves;
		all.mapped += count[level].mapped;
	}
	snprintf(text, PT_HEAD_BYTES, "%llu table%s, %s; %llu lea%s", all.tables,
		 plural(all.tables), walk_size(all.bytes).text, all.leaves,
		 all.leaves == 1 ? "f" : "ves");
	if (all.leaves)
		add(text, PT_HEAD_BYTES, " map%s %s", all.leaves == 1 ? "s" : "",
		    walk_size(all.mapped).text);
	return text;
}

/* ---- A row ------------------------------------------------------------ */

const char *pt_row_place(const struct pt_row *row, char text[PT_PLACE_BYTES])
{
	if (row->count == 1)
		snprintf(text, PT_PLACE_BYTES, "[%u]", row->first);
	else
		snprintf(text, PT_PLACE_BYTES, "[%u..%u]", row->first, row->first + row->count - 1);
	return text;
}

static void add_leaves(const struct pt_tree *tree, const struct pt_node *node,
		       const struct pt_row *row, char text[PT_SAYS_BYTES])
{
	u32 items = pt_row_items(tree, node, row), leaves = row->count / items;
	const char *size = walk_size_lg2(row->said.lg2).text;

	if (row->first % items || row->count % items)
		snprintf(text, PT_SAYS_BYTES, "%u of %u entries of a leaf of %s", row->count, items,
			 size);
	else if (leaves == 1)
		snprintf(text, PT_SAYS_BYTES, "a leaf of %s", size);
	else
		snprintf(text, PT_SAYS_BYTES, "%u leaves of %s%s", leaves, size,
			 row->apart || items > 1 ? "" : " of the same memory");
	add(text, PT_SAYS_BYTES, ", %s", row->said.rights);
	for (u32 i = 0; i < 3 && row->said.also[i]; i++)
		add(text, PT_SAYS_BYTES, ", %s", row->said.also[i]);
}

static void add_malformed(const struct pt_row *row, char text[PT_SAYS_BYTES])
{
	u64 reserved = row->said.reserved;
	char bits[8];

	if (!reserved) {
		snprintf(text, PT_SAYS_BYTES, "malformed: %s", row->said.wrong);
		return;
	}
	snprintf(text, PT_SAYS_BYTES, "malformed: bit%s", reserved & (reserved - 1) ? "s" : "");
	while (reserved) {
		walk_take_run(&reserved, bits, sizeof(bits));
		add(text, PT_SAYS_BYTES, " %s", bits);
	}
	add(text, PT_SAYS_BYTES, " must be 0");
}

const char *pt_row_says(const struct pt_tree *tree, const struct pt_node *node,
			const struct pt_row *row, char text[PT_SAYS_BYTES])
{
	switch (row->said.kind) {
	case WALK_ABSENT:
		snprintf(text, PT_SAYS_BYTES, "absent");
		break;
	case WALK_TABLE:
		snprintf(text, PT_SAYS_BYTES, "table 0x%llx%s", row->said.phys,
			 row->said.also[0] ? ", encrypted" : "");
		if (row->said.next + 1 < node->level)
			add(text, PT_SAYS_BYTES, " of level %u", row->said.next);
		break;
	case WALK_LEAF:
		add_leaves(tree, node, row, text);
		break;
	default:
		add_malformed(row, text);
		break;
	}
	return text;
}
