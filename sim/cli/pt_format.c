/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "pt_format.h"

const struct pt_format *pt_format_at(u32 index)
{
	static const struct pt_format *const formats[] = { &pt_amdv1, &pt_vtdss, &pt_x86_64,
							   &pt_armv8, &pt_riscv };

	return index < sizeof(formats) / sizeof(formats[0]) ? formats[index] : NULL;
}

const struct pt_format *pt_format_named(const char *name)
{
	const struct pt_format *format;

	for (u32 i = 0; (format = pt_format_at(i)); i++) {
		if (!strcmp(format->name, name))
			return format;
	}
	return NULL;
}

struct pt_fields pt_fields(const struct pt_format *format, const struct pt_layout *layout,
			   u64 entry, u8 level)
{
	const struct walk_format *walk = format->walk;

	if (format->fields)
		return format->fields(layout, entry, level);
	return (struct pt_fields){ walk->field, walk->field_count, walk->address_mask };
}

struct pt_said pt_said_of(const struct walk_said *walk)
{
	return (struct pt_said){
		.kind = walk->kind,
		.phys = walk->phys,
		.lg2 = walk->page_lg2,
		.next = walk->next,
		.rights = walk_permissions(walk->read, walk->write),
		.reserved = walk->reserved,
		.wrong = walk->wrong,
	};
}

const char *pt_rights(bool read, bool write, bool execute)
{
	static const char *const words[] = {
		"---", "--x", "-w-", "-wx", "r--", "r-x", "rw-", "rwx"
	};

	return words[read << 2 | write << 1 | execute];
}

/* With a space before it, but for the first. */
static void add_name(char text[PT_NAMES_BYTES], const char *name)
{
	size_t length = strlen(text);

	snprintf(text + length, PT_NAMES_BYTES - length, "%s%s", length ? " " : "", name);
}

/* The lowest bit first, as tables of fields may be in any order. */
static const struct walk_field *lowest(const struct pt_fields *fields, u64 left)
{
	const struct walk_field *found = NULL;

	for (u32 i = 0; i < fields->count; i++) {
		const struct walk_field *field = &fields->field[i];
		u64 mask = walk_field_mask(field);

		if (left & mask && mask != fields->address && (!found || field->low < found->low))
			found = field;
	}
	return found;
}

/* What has a name of its own is no address, though it lies where others have theirs. */
static u64 nameless_address(const struct pt_fields *fields)
{
	u64 address = fields->address;

	for (u32 i = 0; i < fields->count; i++) {
		u64 mask = walk_field_mask(&fields->field[i]);

		if (mask != fields->address)
			address &= ~mask;
	}
	return address;
}

static void add_bits(u64 bits, char text[PT_NAMES_BYTES])
{
	char name[32], run[8];

	while (bits) {
		walk_take_run(&bits, run, sizeof(run));
		snprintf(name, sizeof(name), "bit%s %s", strchr(run, ':') ? "s" : "", run);
		add_name(text, name);
	}
}

const char *pt_names(const struct pt_format *format, const struct pt_layout *layout, u64 entry,
		     u8 level, char text[PT_NAMES_BYTES])
{
	struct pt_fields fields = pt_fields(format, layout, entry, level);
	u64 left = entry & ~nameless_address(&fields) & ~layout->encryption;
	const struct walk_field *field;
	char name[32];

	text[0] = '\0';
	while ((field = lowest(&fields, left))) {
		walk_field_text(field, entry, name, sizeof(name));
		add_name(text, name);
		left &= ~walk_field_mask(field);
	}
	add_bits(left, text);
	if (entry & layout->encryption)
		add_name(text, "C");
	return text;
}
