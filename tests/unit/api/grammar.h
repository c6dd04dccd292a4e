/* SPDX-License-Identifier: MIT */
/*
 * A parser of traces, written from trace.h and event.h: it takes what they describe and nothing
 * else.
 */
#ifndef UNIT_API_GRAMMAR_H
#define UNIT_API_GRAMMAR_H

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "support/expect.h"

/* Kinds of values, by key. */
enum trace_kind { HEX, DECIMAL, BDF, WORD, DIRECTION, PROT, RESULT, FLAG, TEXT };

struct trace_field {
	const char *key;
	enum trace_kind kind;
	bool optional;
};

#define TRACE_FIELDS_MAX 24

struct trace_event {
	const char *name;
	struct trace_field field[TRACE_FIELDS_MAX];
};

/* Events of the hardware, as trace.h lists them. */
static const struct trace_event trace_hardware[] = {
	{ "qi_iotlb",
	  { { "unit", DECIMAL, false },
	    { "granularity", WORD, false },
	    { "dom", DECIMAL, true },
	    { "pasid", DECIMAL, true },
	    { "dma", HEX, true },
	    { "size", DECIMAL, true },
	    { "ih", FLAG, false } } },
	{ "qi_context",
	  { { "unit", DECIMAL, false },
	    { "granularity", WORD, false },
	    { "dom", DECIMAL, true },
	    { "source", HEX, true },
	    { "ignored", HEX, true } } },
	{ "qi_pasid",
	  { { "unit", DECIMAL, false },
	    { "granularity", WORD, false },
	    { "dom", DECIMAL, true },
	    { "pasid", DECIMAL, true } } },
	{ "qi_device_tlb",
	  { { "unit", DECIMAL, false },
	    { "source", HEX, false },
	    { "dma", HEX, false },
	    { "size", DECIMAL, true } } },
	{ "amd_iommu_pages",
	  { { "unit", DECIMAL, false },
	    { "granularity", WORD, false },
	    { "dom", DECIMAL, true },
	    { "dma", HEX, true },
	    { "size", DECIMAL, true },
	    { "pde", FLAG, false } } },
	{ "amd_devtab_entry",
	  { { "unit", DECIMAL, false },
	    { "granularity", WORD, false },
	    { "source", HEX, true },
	    { "ignored", HEX, true } } },
	{ "amd_iotlb_pages",
	  { { "unit", DECIMAL, false },
	    { "source", HEX, false },
	    { "dma", HEX, false },
	    { "size", DECIMAL, true } } },
	{ "riscv_iotinval",
	  { { "unit", DECIMAL, false },
	    { "granularity", WORD, false },
	    { "dom", DECIMAL, true },
	    { "dma", HEX, true },
	    { "size", DECIMAL, true },
	    { "nl", FLAG, false } } },
	{ "riscv_iodir",
	  { { "unit", DECIMAL, false },
	    { "granularity", WORD, false },
	    { "source", HEX, true },
	    { "ignored", HEX, true } } },
	{ "riscv_ats_inval",
	  { { "unit", DECIMAL, false },
	    { "source", HEX, false },
	    { "dma", HEX, false },
	    { "size", DECIMAL, true } } },
	{ "smmuv3_tlbi",
	  { { "unit", DECIMAL, false },
	    { "granularity", WORD, false },
	    { "dom", DECIMAL, true },
	    { "dma", HEX, true },
	    { "size", DECIMAL, true },
	    { "level", DECIMAL, true },
	    { "tables", FLAG, false } } },
	{ "smmuv3_cfgi",
	  { { "unit", DECIMAL, false },
	    { "granularity", WORD, false },
	    { "source", HEX, true },
	    { "ignored", HEX, true } } },
	{ "smmuv3_atc_inv",
	  { { "unit", DECIMAL, false },
	    { "source", HEX, false },
	    { "dma", HEX, false },
	    { "size", DECIMAL, true } } },
	{ "hop", { { "at", BDF, false }, { "what", WORD, false }, { "addr", HEX, false } } },
	{ "dev_read",
	  { { "dev", BDF, false },
	    { "dma", HEX, false },
	    { "size", DECIMAL, false },
	    { "done", DECIMAL, false },
	    { "status", WORD, false } } },
	{ "dev_write",
	  { { "dev", BDF, false },
	    { "dma", HEX, false },
	    { "size", DECIMAL, false },
	    { "done", DECIMAL, false },
	    { "status", WORD, false } } },
	{ "dev_access",
	  { { "dev", BDF, false },
	    { "dma", HEX, false },
	    { "size", DECIMAL, false },
	    { "dir", WORD, false },
	    { "to", WORD, false },
	    { "phys", HEX, true },
	    { "at", BDF, true },
	    { "bar", DECIMAL, true },
	    { "off", DECIMAL, true },
	    { "root", FLAG, true },
	    { "why", WORD, true },
	    { "unit", DECIMAL, true },
	    { "source", HEX, true },
	    { "dom", DECIMAL, true },
	    { "pasid", DECIMAL, true },
	    { "reason", HEX, true },
	    { "flags", HEX, true } } },
	{ "ram", { { "phys", HEX, false }, { "size", DECIMAL, false } } },
	{ "window",
	  { { "at", BDF, false },
	    { "last", DECIMAL, false },
	    { "dma", HEX, false },
	    { "size", DECIMAL, false } } },
	{ "device", { { "dev", BDF, false }, { "snoop", FLAG, false } } },
	{ "reserved", { { "dev", BDF, true }, { "dma", HEX, false }, { "size", DECIMAL, false } } },
	{ "bar",
	  { { "dev", BDF, false },
	    { "bar", DECIMAL, false },
	    { "phys", HEX, false },
	    { "bus", HEX, false },
	    { "size", DECIMAL, false } } },
	{ "freed", { { "phys", HEX, false }, { "size", DECIMAL, false } } },
	{ "bar_lost",
	  { { "dev", BDF, false },
	    { "bar", DECIMAL, false },
	    { "at", BDF, false },
	    { "register", HEX, false } } },
	{ "queue_error",
	  { { "unit", DECIMAL, false }, { "low", HEX, false }, { "high", HEX, false } } },
	{ "device_tlb_timeout",
	  { { "unit", DECIMAL, false },
	    { "dev", BDF, false },
	    { "dma", HEX, false },
	    { "size", DECIMAL, true } } },
	{ "memory",
	  { { "phys", HEX, false }, { "size", DECIMAL, false }, { "memory", WORD, false } } },
	{ "sg_entry",
	  { { "dma", HEX, false }, { "size", DECIMAL, false }, { "done", DECIMAL, false } } },
	{ "warn",
	  { { "id", WORD, false },
	    { "dev", BDF, true },
	    { "dma", HEX, false },
	    { "size", DECIMAL, false },
	    { "what", TEXT, false } } },
	{ "settled", { { NULL, WORD, false } } },
	{ "leaks_sought", { { NULL, WORD, false } } },
	{ "dev_walk",
	  { { "dev", BDF, false },
	    { "dma", HEX, false },
	    { "dir", WORD, false },
	    { "phys", HEX, false },
	    { "reason", HEX, false } } },
	{ "fault",
	  { { "unit", DECIMAL, false },
	    { "dev", BDF, false },
	    { "dma", HEX, false },
	    { "reason", HEX, false },
	    { "dir", WORD, false } } },
	{ "report",
	  { { "id", WORD, false },
	    { "dev", BDF, true },
	    { "dma", HEX, true },
	    { "size", DECIMAL, true } } },
};

/* Fields of the software's events, in the order of enum dmasim_event_field. */
static const struct trace_field trace_software_field[] = {
	{ "dev", BDF, false },	     { "peer", BDF, false },	    { "st", DECIMAL, false },
	{ "group", DECIMAL, false }, { "dom", DECIMAL, false },	    { "dma", HEX, false },
	{ "phys", HEX, false },	     { "off", DECIMAL, false },	    { "size", DECIMAL, false },
	{ "done", DECIMAL, false },  { "n", DECIMAL, false },	    { "dir", DIRECTION, false },
	{ "attrs", HEX, true },	     { "prot", PROT, false },	    { "bus", FLAG, false },
	{ "type", WORD, false },     { "ret", RESULT, false },	    { "kind", WORD, false },
	{ "memory", WORD, false },   { "longest", DECIMAL, false }, { "boundary", HEX, false },
	{ "changed", FLAG, true },   { "below", FLAG, true },
};

/* The bit of each: one has two keys. */
static const u8 trace_software_bit[] = { 0,  1,	 2,  3,	 4,  5,	 6,  7,	 8,  9,	 10, 11,
					 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21 };

#define TRACE_SOFTWARE_KEYS (sizeof(trace_software_bit) / sizeof(trace_software_bit[0]))

static const struct {
	const char *name;
	u32 fields;
} trace_software[] = {
#define ROW(id, name, fields) { name, fields },
	DMASIM_EVENTS(ROW)
#undef ROW
};

static inline bool trace_take_decimal(const char **at)
{
	const char *start = *at;

	while (isdigit((unsigned char)**at))
		++*at;
	return *at > start && (*start != '0' || *at == start + 1);
}

static inline bool is_lower_hex(char c)
{
	return isdigit((unsigned char)c) || (c >= 'a' && c <= 'f');
}

static inline bool trace_take_hex(const char **at)
{
	const char *start = *at + 2;

	if (strncmp(*at, "0x", 2) != 0)
		return false;
	for (*at = start; is_lower_hex(**at);)
		++*at;
	return *at > start && *at <= start + 16 && (*start != '0' || *at == start + 1);
}

static inline bool trace_take_bdf(const char **at)
{
	static const char shape[] = "xxxx:xx:xx.7";

	for (int i = 0; shape[i]; i++, ++*at) {
		if (shape[i] == 'x'   ? !is_lower_hex(**at)
		    : shape[i] == '7' ? !(**at >= '0' && **at <= '7')
				      : **at != shape[i])
			return false;
	}
	return true;
}

static inline bool trace_take_word(const char **at)
{
	const char *start = *at;

	while (isalnum((unsigned char)**at) || **at == '_' || **at == '-')
		++*at;
	return *at > start;
}

static inline bool trace_take_one_of(const char **at, const char *const *words)
{
	for (; *words; words++) {
		size_t len = strlen(*words);

		if (!strncmp(*at, *words, len) && ((*at)[len] == ' ' || (*at)[len] == '\n')) {
			*at += len;
			return true;
		}
	}
	return false;
}

/* Letters out of r w c x m p, in this order; a mapping can be read or written at least. */
static inline bool trace_take_prot(const char **at)
{
	const char *start = *at;

	for (const char *letter = "rwcxmp"; *letter; letter++)
		if (**at == *letter)
			++*at;
	return *at > start;
}

static inline bool trace_take_result(const char **at)
{
	if (**at != '-')
		return trace_take_decimal(at);
	if (strncmp(*at, "-E", 2) != 0)
		return false;
	for (*at += 2; isupper((unsigned char)**at);)
		++*at;
	return true;
}

/* In quotes, without any within. */
static inline bool trace_take_text(const char **at)
{
	if (**at != '"')
		return false;
	for (++*at; **at != '"'; ++*at)
		if (**at == '\n' || !**at)
			return false;
	++*at;
	return true;
}

static inline bool trace_take_value(const char **at, enum trace_kind kind)
{
	static const char *const directions[] = { "BIDIRECTIONAL", "TO_DEVICE", "FROM_DEVICE",
						  "NONE", NULL };
	static const char *const flags[] = { "0", "1", NULL };

	switch (kind) {
	case HEX:
		return trace_take_hex(at);
	case DECIMAL:
		return trace_take_decimal(at);
	case BDF:
		return trace_take_bdf(at);
	case DIRECTION:
		return trace_take_one_of(at, directions);
	case FLAG:
		return trace_take_one_of(at, flags);
	case PROT:
		return trace_take_prot(at);
	case RESULT:
		return trace_take_result(at);
	case WORD:
		return trace_take_word(at);
	case TEXT:
		return trace_take_text(at);
	}
	return false;
}

/* " key=value" if it is there. */
static inline bool trace_take_field(const char **at, const struct trace_field *field)
{
	size_t len = strlen(field->key);

	if (**at != ' ' || strncmp(*at + 1, field->key, len) != 0 || (*at)[1 + len] != '=')
		return false;
	*at += len + 2;
	return trace_take_value(at, field->kind);
}

static inline bool trace_take_fields(const char **at, const struct trace_field *field)
{
	for (; field->key; field++)
		if (!trace_take_field(at, field) && !field->optional)
			return false;
	return **at == '\n';
}

static inline bool trace_take_event(const char **at)
{
	size_t len = strcspn(*at, " \n");
	const char *name = *at;

	*at += len;
	for (size_t i = 0; i < sizeof(trace_software) / sizeof(trace_software[0]); i++) {
		struct trace_field field[TRACE_FIELDS_MAX] = { 0 };
		u32 count = 0;

		if (strlen(trace_software[i].name) != len ||
		    strncmp(trace_software[i].name, name, len) != 0)
			continue;
		for (u32 key = 0; key < TRACE_SOFTWARE_KEYS; key++)
			if (trace_software[i].fields & (1u << trace_software_bit[key]))
				field[count++] = trace_software_field[key];
		return trace_take_fields(at, field);
	}
	for (size_t i = 0; i < sizeof(trace_hardware) / sizeof(trace_hardware[0]); i++)
		if (strlen(trace_hardware[i].name) == len &&
		    !strncmp(trace_hardware[i].name, name, len))
			return trace_take_fields(at, trace_hardware[i].field);
	return false;
}

/* One line; *time is that of the line before, and moves on. */
static inline bool trace_take_line(const char **at, u64 *time)
{
	u64 before = *time;

	if (strncmp(*at, "t=", 2) != 0)
		return false;
	*time = strtoull(*at + 2, NULL, 10);
	*at += 2;
	if (!trace_take_decimal(at) || strncmp(*at, " cpu=", 5) != 0)
		return false;
	*at += 5;
	if (!trace_take_decimal(at) || **at != ' ')
		return false;
	++*at;
	return trace_take_event(at) && *time >= before;
}

static inline const char *trace_take_header(const char *text)
{
	static const char start[] = "# dmasim-trace v=1";
	const char *end = strchr(text, '\n');

	assert_non_null(end);
	assert_memory_equal(text, start, strlen(start));
	for (const char *at = text + strlen(start); at < end;) {
		size_t key = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_0123456789");

		assert_int_equal(*at, ' ');
		assert_true(key > 0);
		at += 1 + key;
		assert_int_equal(*at++, '=');
		assert_true(strcspn(at, " \n") > 0);
		at += strcspn(at, " \n");
	}
	return end + 1;
}

/* The whole text; returns the number of lines after the header. */
static inline u32 expect_grammar(const char *text)
{
	u32 lines = 0;
	u64 time = 0;

	text = trace_take_header(text);
	for (; *text; lines++) {
		const char *at = text;
		bool fine = trace_take_line(&at, &time);

		if (!fine || *at != '\n')
			fail_msg("line %u: wrong at column %d: %.*s", lines + 2,
				 (int)(at - text + 1), (int)strcspn(text, "\n"), text);
		text = at + 1;
	}
	return lines;
}

#endif
