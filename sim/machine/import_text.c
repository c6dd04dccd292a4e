/* SPDX-License-Identifier: MIT */
/*
 * The text of a function up to its first capability.
 *
 *   01:00.0 3D controller [0302]: NVIDIA Corporation Device [10de:20b0] (rev a1)
 *   	Control: I/O- Mem+ BusMaster+ ...                       command register
 *   	Region 0: Memory at 91000000 (32-bit, non-prefetchable) [size=16M]
 *   	Bus: primary=00, secondary=01, subordinate=01, ...      bridges
 *   	Memory behind bridge: 91000000-920fffff [size=17M] [32-bit]
 *
 * -vv numbers BARs and shows the command register; -v does neither: there BARs are counted, and
 * memory is decoded if a BAR or a window is not marked as disabled.
 */
#include "machine/import_text.h"

#include <ctype.h>
#include <string.h>

#include <dmasim/hw/pci.h>

#define IO_BASE		 0x1c
#define IO_BASE_UPPER16	 0x30
#define ROM_NORMAL	 0x30
#define ROM_BRIDGE	 0x38
#define CLASS_PCI_BRIDGE 0x0604
#define CLASS_CARDBUS	 0x0607

int import_text_error(struct import_text *text, const char *expected)
{
	const char *shown = text->line->text;

	return import_error(text->import, text->line->number,
			    "'%.*s' is not understood; expected %s", 60, shown, expected);
}

void import_text_put(struct import_text *text, u32 at, u32 bytes, u64 value)
{
	for (u32 i = 0; i < bytes && at + i < PCI_CFG_SPACE_EXP_SIZE; i++)
		text->image[at + i] = (u8)(value >> (8 * i));
}

u32 import_text_get(const struct import_text *text, u32 at, u32 bytes)
{
	u32 value = 0;

	for (u32 i = 0; i < bytes && at + i < PCI_CFG_SPACE_EXP_SIZE; i++)
		value |= (u32)text->image[at + i] << (8 * i);
	return value;
}

static void set_bits(struct import_text *text, u32 at, u32 bytes, u32 bits)
{
	import_text_put(text, at, bytes, import_text_get(text, at, bytes) | bits);
}

static u32 header_type(const struct import_text *text)
{
	return text->image[PCI_HEADER_TYPE] & PCI_HEADER_TYPE_MASK;
}

void import_text_begin(struct import_text *text, struct import *import)
{
	memset(text, 0, sizeof(*text));
	text->import = import;
}

/* ---- The header ------------------------------------------------------- */

/* "8086:1901" and no more. */
static bool read_ids(const char *at, size_t length, u32 *vendor, u32 *device)
{
	return length == 9 && import_count_digits(at) == 4 && import_read_digits(at, 4, vendor) &&
	       at[4] == ':' && import_read_digits(at + 5, 4, device);
}

static size_t word_length(const char *at, const char *end)
{
	size_t length = strcspn(at, " ");

	return at + length < end ? length : (size_t)(end - at);
}

/* " (rev a1)", " (prog-if 00 [Normal decode])": the name ends before them. */
static const char *read_revision(struct import_text *text, const char *name)
{
	static const struct {
		const char *begins;
		u32 at;
	} parts[] = { { " (rev ", PCI_CLASS_REVISION }, { " (prog-if ", PCI_CLASS_REVISION + 1 } };
	const char *end = name + strlen(name);

	for (u32 i = 0; i < 2; i++) {
		const char *at = strstr(name, parts[i].begins);
		u32 value;

		if (!at || !import_read_digits(at + strlen(parts[i].begins), 2, &value))
			continue;
		import_text_put(text, parts[i].at, 1, value);
		end = at < end ? at : end;
	}
	return end;
}

/* "0604", "Class 0604", "PCI bridge [0604]", "PCI bridge" */
static void read_class(struct import_text *text, const char *at, size_t length)
{
	const char *number = at;
	u32 value;

	if (length > 6 && import_text_begins(at, "Class "))
		number += 6;
	if (length > 6 && at[length - 1] == ']' && at[length - 6] == '[')
		number = at + length - 5;
	if (import_count_digits(number) == 4 && import_read_digits(number, 4, &value) &&
	    number + 4 + (number[4] == ']') == at + length) {
		import_text_put(text, PCI_CLASS_DEVICE, 2, value);
		return;
	}
	length = length < sizeof(text->class_name) ? length : sizeof(text->class_name) - 1;
	memcpy(text->class_name, at, length);
	text->class_name[length] = '\0';
}

/* "8086:1901", "Device 8086:1901", "... [8086:1901]", or names alone */
static void read_name(struct import_text *text, const char *at, const char *end)
{
	size_t length = (size_t)(end - at);
	u32 vendor, device;
	bool known = read_ids(at, word_length(at, end), &vendor, &device);

	if (!known && length > 7 && import_text_begins(at, "Device "))
		known = read_ids(at + 7, word_length(at + 7, end), &vendor, &device);
	if (!known && length > 11 && end[-1] == ']' && end[-11] == '[')
		known = read_ids(end - 10, 9, &vendor, &device);
	if (known) {
		import_text_put(text, PCI_VENDOR_ID, 2, vendor);
		import_text_put(text, PCI_DEVICE_ID, 2, device);
	} else {
		memcpy(text->device_name, at, length);
		text->device_name[length] = '\0';
	}
}

bool import_text_header(struct import_text *text, const char *rest)
{
	const char *colon = strstr(rest, ": ");
	const char *end;

	while (*rest == ' ')
		rest++;
	if (!colon || colon <= rest)
		return false;
	end = read_revision(text, colon);
	if (end <= colon + 2)
		return false;
	read_class(text, rest, (size_t)(colon - rest));
	read_name(text, colon + 2, end);
	text->named_virtual = strstr(colon, "Virtual Function");
	return true;
}

/* ---- Registers -------------------------------------------------------- */

static bool marked(const char *line, const char *mark)
{
	return strstr(line, mark);
}

static bool read_number(const char *at, u64 *value, const char **end)
{
	u32 digits = import_count_digits(at);

	*value = 0;
	if (!digits || digits > 16)
		return false;
	for (u32 i = 0; i < digits; i++) {
		u32 digit;

		import_read_digits(at + i, 1, &digit);
		*value = *value << 4 | digit;
	}
	*end = at + digits;
	return true;
}

/* "[size=256M]"; 0: it is not told. */
static u64 told_size(const char *line)
{
	static const char units[] = "KMGTP";
	const char *at = strstr(line, "[size=");
	const char *unit;
	u64 bytes = 0;
	u32 lg2 = 0;

	if (!at)
		return 0;
	for (at += 6; isdigit((unsigned char)*at) && bytes < SZ_1M; at++)
		bytes = bytes * 10 + (u64)(*at - '0');
	unit = *at && *at != ']' ? strchr(units, *at) : NULL;
	if (unit) {
		lg2 = 10 * (u32)(unit - units + 1);
		at++;
	}
	/* A size that is no power of two, or not all of it is here, is none of a BAR's. */
	if (*at != ']' || bytes & (bytes - 1) || bytes << lg2 >> lg2 != bytes)
		return 0;
	return bytes << lg2;
}

/* An address that 32 bits do not hold is of an Enhanced Allocation, or the CPU's. */
static void put_memory(struct import_text *text, const char *line, u32 at, u32 left, u64 address)
{
	bool wide = marked(line, "(64-bit");
	u32 low = 0;

	if (!wide && address >> 32 && left && marked(line, "[enhanced]"))
		wide = true;
	if (wide)
		low |= PCI_BASE_ADDRESS_MEM_TYPE_64;
	if (!marked(line, "non-prefetchable"))
		low |= PCI_BASE_ADDRESS_MEM_PREFETCH;
	import_text_put(text, at, 4, ((u32)address & PCI_BASE_ADDRESS_MEM_MASK) | low);
	if (wide && left)
		import_text_put(text, at + 4, 4, address >> 32);
}

int import_text_region(struct import_text *text, const char *line, u32 at, u32 left,
		       struct import_bar *bar)
{
	const char *where = strstr(line, " at ");
	bool io = marked(line, "I/O ports at ");
	bool is_virtual = marked(line, "[virtual]");
	u64 address = 0;

	if (!where || (!io && !marked(line, "Memory at ")))
		return import_text_error(text, "'Memory at' or 'I/O ports at' and an address");
	where += 4;
	if (*where != '<' && !read_number(where, &address, &where))
		return import_text_error(text, "an address of hexadecimal digits");
	/* What the system gave and the registers do not hold. */
	if (is_virtual)
		address = 0;
	if (io)
		import_text_put(text, at, 4,
				((u32)address & PCI_BASE_ADDRESS_IO_MASK) |
					PCI_BASE_ADDRESS_SPACE_IO);
	else
		put_memory(text, line, at, left, address);
	if (address && !marked(line, "[disabled]")) {
		text->io |= io;
		text->memory |= !io;
	}
	bar->bytes = address ? told_size(line) : 0;
	bar->told = bar->bytes;
	return 0;
}

/* `line` begins with what the region is; the index is -v's count or -vv's number. */
static int read_region(struct import_text *text, const char *line, u32 index)
{
	u32 registers = header_type(text) ? PCI_BRIDGE_NUM_BARS : PCI_STD_NUM_BARS;
	u32 at = PCI_BASE_ADDRESS_0 + 4 * index;

	if (index >= registers)
		return import_text_error(text, "a region of 0 to 5, of a bridge 0 or 1");
	/* lspci -F takes the upper half of a 64-bit BAR for a BAR that is not assigned. */
	if (text->upper_halves & 1U << index)
		return 0;
	if (marked(line, "(64-bit"))
		text->upper_halves |= 2U << index;
	text->next_bar = index + 1 + (marked(line, "(64-bit") != 0);
	return import_text_region(text, line, at, registers - index - 1, &text->bar[index]);
}

static int read_numbered_region(struct import_text *text, const char *line)
{
	if (!isdigit((unsigned char)line[7]) || line[8] != ':')
		return import_text_error(text, "a region of 0 to 5");
	return read_region(text, line + 9, (u32)(line[7] - '0'));
}

static int read_counted_region(struct import_text *text, const char *line)
{
	bool nothing = marked(line, "<unassigned>") && !marked(line, "[size=");

	text->bars_counted = true;
	if (nothing || text->next_bar >= PCI_STD_NUM_BARS)
		return 0;
	return read_region(text, line, text->next_bar);
}

static int read_rom(struct import_text *text, const char *line)
{
	const char *where = strstr(line, " at ") + 4;
	u32 at = header_type(text) == PCI_HEADER_TYPE_BRIDGE ? ROM_BRIDGE : ROM_NORMAL;
	u64 address = 0;

	if (*where != '<' && !read_number(where, &address, &where))
		return import_text_error(text, "an address of hexadecimal digits");
	if (!marked(line, "[virtual]") && !(address >> 32))
		import_text_put(text, at, 4, address | !marked(line, "[disabled]"));
	return 0;
}

static int read_control(struct import_text *text, const char *line)
{
	text->has_control = true;
	text->whole = true;
	import_text_bits(text, line);
	return 0;
}

static int read_bits(struct import_text *text, const char *line)
{
	import_text_bits(text, line);
	return 0;
}

/* -v: "Flags: bus master, fast devsel, latency 0, IRQ 16" */
static int read_flags(struct import_text *text, const char *line)
{
	text->whole = true;
	if (marked(line, " bus master"))
		set_bits(text, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	return 0;
}

/* "primary=00, secondary=01, ..." */
static int read_buses(struct import_text *text, const char *line)
{
	static const char *const keys[] = { "primary=", "secondary=", "subordinate=" };
	bool cardbus = import_text_get(text, PCI_CLASS_DEVICE, 2) == CLASS_CARDBUS ||
		       import_text_begins(text->class_name, "CardBus bridge");

	/* Whatever stands there is no BAR, subsystem or ROM. */
	memset(text->image + PCI_PRIMARY_BUS, 0, PCI_CAPABILITY_LIST - PCI_PRIMARY_BUS);
	for (u32 i = PCI_BRIDGE_NUM_BARS; i < PCI_STD_NUM_BARS; i++)
		text->bar[i] = (struct import_bar){ 0 };
	import_text_put(text, PCI_HEADER_TYPE, 1,
			cardbus ? PCI_HEADER_TYPE_CARDBUS : PCI_HEADER_TYPE_BRIDGE);
	for (u32 i = 0; i < 3; i++) {
		const char *at = strstr(line, keys[i]);
		u32 bus;

		if (!at || !import_read_digits(at + strlen(keys[i]), 2, &bus))
			return import_text_error(
				text, "primary=, secondary= and subordinate= with two hexadecimal "
				      "digits each");
		import_text_put(text, PCI_PRIMARY_BUS + i, 1, bus);
	}
	/* Windows that are not told are closed. */
	if (!cardbus) {
		import_text_put(text, IO_BASE, 2, 0x00f0);
		import_text_put(text, PCI_MEMORY_BASE, 4, 0x0000fff0);
		import_text_put(text, PCI_PREF_MEMORY_BASE, 4, 0x0000fff0);
	}
	return 0;
}

/*
 * "91000000-920fffff [size=17M]"; *open: it is a bridge's, and neither disabled nor backwards. 0 or
 * -EINVAL.
 */
static int read_range(struct import_text *text, const char *line, u64 *start, u64 *last, bool *open)
{
	const char *at = strstr(line, "behind bridge:") + 14;

	*open = false;
	at += strspn(at, " ");
	if (!*at || *at == '[' || import_text_begins(at, "None"))
		return 0;
	if (!read_number(at, start, &at) || *at != '-' || !read_number(at + 1, last, &at))
		return import_text_error(text, "a window of FIRST-LAST, or [disabled]");
	*open = header_type(text) == PCI_HEADER_TYPE_BRIDGE && *start < *last &&
		!marked(at, "[disabled]") && !marked(at, "[empty]");
	return 0;
}

static int read_io_window(struct import_text *text, const char *line)
{
	u64 start, last;
	bool open;
	int err = read_range(text, line, &start, &last, &open);

	if (err || !open)
		return err;
	text->io = true;
	import_text_put(text, IO_BASE, 1, start >> 8 & 0xf0);
	import_text_put(text, IO_BASE + 1, 1, last >> 8 & 0xf0);
	if (!marked(line, "[32-bit]") && last < SZ_64K)
		return 0;
	set_bits(text, IO_BASE, 2, 0x0101);
	import_text_put(text, IO_BASE_UPPER16, 2, start >> 16);
	import_text_put(text, IO_BASE_UPPER16 + 2, 2, last >> 16);
	return 0;
}

static int read_window(struct import_text *text, const char *line)
{
	u64 start, last;
	bool open;
	int err = read_range(text, line, &start, &last, &open);

	if (err || !open)
		return err;
	text->memory = true;
	import_text_put(text, PCI_MEMORY_BASE, 2, start >> 16 & PCI_MEMORY_RANGE_MASK);
	import_text_put(text, PCI_MEMORY_LIMIT, 2, last >> 16 & PCI_MEMORY_RANGE_MASK);
	return 0;
}

/* Addresses of 64 bits have 16 digits, or say so. */
static int read_prefetch_window(struct import_text *text, const char *line)
{
	u64 start = 1, last = 0;
	bool open, wide = marked(line, "[64-bit]");
	int err = read_range(text, line, &start, &last, &open);
	u32 type;

	if (err || header_type(text) != PCI_HEADER_TYPE_BRIDGE)
		return err;
	wide = wide || last >> 32 || import_count_digits(strstr(line, "bridge:") + 8) > 8;
	type = wide ? PCI_PREF_RANGE_TYPE_64 : 0;
	set_bits(text, PCI_PREF_MEMORY_BASE, 4, type | type << 16);
	if (!open)
		return 0;
	text->memory = true;
	import_text_put(text, PCI_PREF_MEMORY_BASE, 2, (start >> 16 & PCI_PREF_RANGE_MASK) | type);
	import_text_put(text, PCI_PREF_MEMORY_LIMIT, 2, (last >> 16 & PCI_PREF_RANGE_MASK) | type);
	import_text_put(text, PCI_PREF_BASE_UPPER32, 4, start >> 32);
	import_text_put(text, PCI_PREF_LIMIT_UPPER32, 4, last >> 32);
	return 0;
}

/* The header is not that of the class: there are no bus numbers to wait for. */
static int read_odd_class(struct import_text *text, const char *line)
{
	(void)line;
	text->odd_class = true;
	return 0;
}

static int read_silence(struct import_text *text, const char *line)
{
	(void)line;
	text->silent = true;
	return 0;
}

/* "Subsystem: 1028:0a6b", "... [1028:0a6b]", "Device 1028:0a6b"; names alone are not looked up. */
static int read_subsystem(struct import_text *text, const char *line)
{
	const char *at = line + strlen("Subsystem:");
	const char *end = line + strlen(line);
	u32 vendor, device;

	at += strspn(at, " ");
	if (import_text_begins(at, "Device "))
		at += 7;
	if (end > at + 11 && end[-1] == ']')
		at = end-- - 10;
	if (header_type(text) || !read_ids(at, word_length(at, end), &vendor, &device))
		return 0;
	import_text_put(text, PCI_SUBSYSTEM_VENDOR_ID, 4, vendor | device << 16);
	return 0;
}

/* ---- Lines ------------------------------------------------------------ */

static const struct {
	const char *begins;
	int (*read)(struct import_text *text, const char *line);
} header_lines[] = {
	{ "Control:", read_control },
	{ "Status:", read_bits },
	{ "BridgeCtl:", read_bits },
	{ "Flags:", read_flags },
	{ "Subsystem:", read_subsystem },
	{ "Region ", read_numbered_region },
	{ "Memory at ", read_counted_region },
	{ "[virtual] Memory at ", read_counted_region },
	{ "I/O ports at ", read_counted_region },
	{ "[virtual] I/O ports at ", read_counted_region },
	{ "Expansion ROM at ", read_rom },
	{ "[virtual] Expansion ROM at ", read_rom },
	{ "Bus: ", read_buses },
	{ "I/O behind bridge:", read_io_window },
	{ "Memory behind bridge:", read_window },
	{ "Prefetchable memory behind bridge:", read_prefetch_window },
	{ "!!! Unknown header type", read_silence },
	{ "!!! Invalid class", read_odd_class },
};

int import_text_line(struct import_text *text, const struct import_line *line)
{
	if (line->shape != IMPORT_TAGGED)
		return 0;
	text->line = line;
	if (import_text_begins(line->text, "Capabilities:")) {
		text->any = true;
		return import_text_capability(text, line->text);
	}
	if (text->in_capabilities)
		return import_text_capability_line(text, line->text);
	for (size_t i = 0; i < sizeof(header_lines) / sizeof(header_lines[0]); i++) {
		if (!import_text_begins(line->text, header_lines[i].begins))
			continue;
		/* lspci -k tells of subsystems and drivers, and of no register. */
		text->any |= header_lines[i].read != read_subsystem;
		return header_lines[i].read(text, line->text);
	}
	return 0;
}

bool import_text_lacks_buses(const struct import_text *text)
{
	bool is_bridge = import_text_get(text, PCI_CLASS_DEVICE, 2) == CLASS_PCI_BRIDGE ||
			 !strcmp(text->class_name, "PCI bridge");

	return is_bridge && !header_type(text) && !text->silent && !text->odd_class;
}

void import_text_end(struct import_text *text)
{
	if (!text->has_control && text->memory)
		set_bits(text, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	if (!text->has_control && text->io)
		set_bits(text, PCI_COMMAND, 2, PCI_COMMAND_IO);
	if (text->silent)
		memset(text->image, 0xff, IMPORT_HEADER_BYTES);
}
