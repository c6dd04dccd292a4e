/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <dmasim/hw/amd.h>

#include "walk.h"

#define COLUMNS 100

static void print_label(const char *label)
{
	printf("  %-13s  ", label);
}

static bool is_amd(const struct walk_options *options)
{
	return options->format->iommu == DMASIM_AMD_VI;
}

/* ---- Context and caches ----------------------------------------------- */

static const char *hit_or_miss(u32 entries, bool hit)
{
	return !entries ? "none" : hit ? "hit" : "miss";
}

static void print_context(const struct walk_options *options, const struct dmasim_walk *walk)
{
	const struct walk_format *format = options->format;
	u32 requester = walk->requester;

	print_label(format->context_cache);
	printf("%s; ", hit_or_miss(options->context_entries, walk->context_hit));
	if (walk->context == DMASIM_WALK_ABSENT)
		printf("requester %02x:%02x.%u has no %s that lets it\n", requester >> 8,
		       requester >> 3 & 0x1f, requester & 7, format->context);
	else if (walk->context == DMASIM_WALK_PASS_THROUGH)
		printf("domain %u: addresses pass as they are\n", walk->domain);
	else if (is_amd(options))
		printf("device table entry: domain %u, mode %u (levels %u to 0), top table "
		       "0x%llx\n",
		       walk->domain, walk->levels, walk->levels - 1U, walk->root);
	else
		printf("domain %u, %u levels, top table 0x%llx\n", walk->domain, walk->levels,
		       walk->root);
}

static void print_iotlb(const struct dmasim_walk *walk)
{
	bool absent = !walk->iotlb_read && !walk->iotlb_write;

	print_label("IOTLB");
	if (!walk->iotlb_found) {
		printf("miss\n");
		return;
	}
	printf("%s; ", walk->iotlb_hit ? "hit" : "miss");
	if (absent) {
		printf("that nothing is mapped in %s at 0x%llx\n",
		       walk_size_lg2(walk->iotlb_lg2).text, walk->iotlb_iova);
		return;
	}
	printf("0x%llx to 0x%llx, %s, %s%s\n", walk->iotlb_iova, walk->iotlb_phys,
	       walk_size_lg2(walk->iotlb_lg2).text,
	       walk_permissions(walk->iotlb_read, walk->iotlb_write),
	       walk->iotlb_hit ? "" : ": not for this access");
}

static void print_walk_cache(const struct walk_options *options, const struct dmasim_walk *walk)
{
	print_label("walk cache");
	printf("%s; ", hit_or_miss(options->walk_entries, walk->walk_cache_hit));
	if (walk->walk_cache_hit)
		printf("the walk begins at the table of level %u at 0x%llx, %s\n",
		       walk->start_level, walk->start_table,
		       walk_permissions(walk->start_read, walk->start_write));
	else
		printf("the walk begins at the top table\n");
}

/* ---- Entries ---------------------------------------------------------- */

/* Columns as wide as what is in them. */
struct widths {
	int table;
	int at;
	int value;
};

static int hex_width(u64 value)
{
	return snprintf(NULL, 0, "0x%llx", value);
}

static void widen(int *width, int needed)
{
	*width = needed > *width ? needed : *width;
}

static struct widths widths_of(const struct dmasim_walk *walk)
{
	struct widths widths = { 5, 8, 5 };

	for (u32 i = 0; i < walk->entries; i++) {
		widen(&widths.table, hex_width(walk->entry[i].table));
		widen(&widths.at, hex_width(walk->entry[i].at));
		widen(&widths.value, hex_width(walk->entry[i].value));
	}
	return widths;
}

static void print_hex(int width, u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", value);
	printf("  %*s", width, text);
}

/* Words, wrapped where they are too many for a line. */
static void print_words(const struct walk_words *words, int indent)
{
	int column = indent;

	for (u32 i = 0; i < words->count; i++) {
		int length = (int)strlen(words->word[i]);

		if (i && column + 1 + length > COLUMNS)
			column = printf("\n%*s", indent, "") - 1;
		else if (i)
			column += printf(" ");
		column += length;
		fputs(words->word[i], stdout);
	}
	printf("\n");
}

static void print_entry(const struct walk_options *options, const struct dmasim_walk_entry *entry,
			const struct widths *widths)
{
	u32 low = walk_level_lg2(entry->level);
	u32 high = low + WALK_INDEX_BITS - 1 < 63 ? low + WALK_INDEX_BITS - 1 : 63;
	struct walk_words words;
	char bits[8];
	int indent;

	snprintf(bits, sizeof(bits), "%u:%u", high, low);
	indent = printf("  %-5u  %-5s  %5u", entry->level, bits, entry->index);
	print_hex(widths->table, entry->table);
	print_hex(widths->at, entry->at);
	indent += 2 + widths->table + 2 + widths->at + 2 + widths->value + 2 + 4 + 2;
	if (!entry->fetched) {
		printf("  %*s        no memory\n", widths->value, "-");
		return;
	}
	print_hex(widths->value, entry->value);
	printf("  %-4s  ", walk_permissions(entry->read, entry->write));
	walk_say(options->format, &options->unit, entry->level, entry->value, &words);
	print_words(&words, indent);
}

static void print_entries(const struct walk_options *options, const struct dmasim_walk *walk)
{
	struct widths widths = widths_of(walk);

	printf("  level  bits   index  %*s  %*s  %*s  left  entry\n", widths.table, "table",
	       widths.at, "entry at", widths.value, "value");
	for (u32 i = 0; i < walk->entries; i++)
		print_entry(options, &walk->entry[i], &widths);
}

/* ---- The end ---------------------------------------------------------- */

static void print_reason(const struct dmasim_walk *walk)
{
	const char *sentence = dmasim_fault_sentence(DMASIM_LOG_VTD_DMA, walk->fault);
	char text[512];

	snprintf(text, sizeof(text), "fault 0x%02x: %s", walk->fault,
		 sentence ? sentence : "the code is not assigned");
	cli_print_wrapped(2, 4, text);
}

/* Of what has a name: "cause 13", "event 0x10". */
static void print_named(const struct dmasim_walk *walk, enum dmasim_fault_kind kind, bool event)
{
	const char *name = dmasim_fault_reason(kind, walk->fault);
	const char *sentence = dmasim_fault_sentence(kind, walk->fault);
	char code[32], text[512];

	snprintf(code, sizeof(code), event ? "event 0x%02x" : "cause %u", walk->fault);
	snprintf(text, sizeof(text), "%s, %s: %s", code, name ? name : "without a name",
		 sentence ? sentence : "the code is not assigned");
	cli_print_wrapped(2, 4, text);
}

/* What a page fault is the flags tell, and they more exactly than the event. */
static void print_event(const struct dmasim_walk *walk)
{
	const struct dmasim_fault_line line = { .kind = DMASIM_LOG_AMD_EVENT,
						.reason = walk->fault,
						.flags = walk->fault_flags };
	const char *sentence = walk->fault == AMD_EVENT_IO_PAGE_FAULT
				       ? cli_page_fault_text(walk->fault_flags)
				       : dmasim_fault_sentence(line.kind, walk->fault);
	const char *name = dmasim_fault_reason(line.kind, walk->fault);
	char flags[256], text[512];

	snprintf(text, sizeof(text), "event 0x%x, %s: %s", walk->fault,
		 name ? name : "without a name", sentence ? sentence : "the code is not assigned");
	cli_print_wrapped(2, 4, text);
	dmasim_fault_flags(&line, flags, sizeof(flags));
	snprintf(text, sizeof(text), "flags 0x%03x: %s", walk->fault_flags, flags);
	cli_print_wrapped(2, 4, text);
}

static void print_fault(const struct walk_options *options, const struct dmasim_walk *walk)
{
	if (is_amd(options))
		print_event(walk);
	else if (options->format->iommu == DMASIM_RISCV)
		print_named(walk, DMASIM_LOG_RISCV, false);
	else if (options->format->iommu == DMASIM_SMMUV3)
		print_named(walk, DMASIM_LOG_SMMUV3, true);
	else
		print_reason(walk);
	/* As it stands in a log. */
	printf("  %s\n", walk->line);
}

static void print_result(const struct dmasim_walk *walk, u64 iova)
{
	u64 offset = iova & ((1ULL << walk->page_lg2) - 1);

	if (walk->context == DMASIM_WALK_PASS_THROUGH) {
		printf("  = 0x%llx\n", walk->phys);
		return;
	}
	printf("  = 0x%llx: page 0x%llx + 0x%llx, %s, %s\n", walk->phys, walk->phys - offset,
	       offset, walk_size_lg2(walk->page_lg2).text,
	       walk_permissions(walk->read, walk->write));
}

void walk_print(const struct walk_options *options, const struct dmasim_walk *walk, u64 iova)
{
	print_context(options, walk);
	if (walk->context == DMASIM_WALK_TRANSLATE) {
		print_iotlb(walk);
		if (walk->beyond)
			printf("  tables of %u levels have no entry for bits %u and up\n",
			       walk->levels, walk_level_lg2(walk->levels));
		else if (!walk->iotlb_hit)
			print_walk_cache(options, walk);
		if (walk->entries)
			print_entries(options, walk);
	}
	if (walk->fault)
		print_fault(options, walk);
	else
		print_result(walk, iova);
}
