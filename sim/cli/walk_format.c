/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <string.h>

#include "walk_format.h"

static const struct walk_format *const formats[] = { &walk_vtdss, &walk_amdv1, &walk_riscv,
						     &walk_armv8 };

const struct walk_format *walk_format_named(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (!strcmp(name, formats[i]->name))
			return formats[i];
	}
	return NULL;
}

struct walk_said walk_malformed(struct walk_said said, const char *wrong)
{
	said.kind = WALK_MALFORMED;
	said.wrong = wrong;
	return said;
}

/* ---- Words ------------------------------------------------------------ */

struct walk_size walk_size(u64 bytes)
{
	struct walk_size size = { "" };

	/* Reports end with TiB. */
	if (bytes && !(bytes & ((1ULL << 50) - 1)))
		snprintf(size.text, sizeof(size.text), "%llu PiB", bytes >> 50);
	else
		dmasim_size_text(bytes, size.text, sizeof(size.text));
	return size;
}

struct walk_size walk_size_lg2(u32 lg2)
{
	return walk_size(1ULL << lg2);
}

const char *walk_permissions(bool read, bool write)
{
	return read ? write ? "rw" : "r-" : write ? "-w" : "--";
}

u64 walk_field_mask(const struct walk_field *field)
{
	u64 ones = ~0ULL >> (63 - (field->high - field->low));

	return ones << field->low;
}

static u64 field_value(const struct walk_field *field, u64 entry)
{
	return (entry & walk_field_mask(field)) >> field->low;
}

static bool is_flag(const struct walk_field *field)
{
	return field->high == field->low;
}

static void bits_text(const struct walk_field *field, char *text, size_t len)
{
	if (is_flag(field))
		snprintf(text, len, "%u", field->low);
	else
		snprintf(text, len, "%u:%u", field->high, field->low);
}

void walk_take_run(u64 *bits, char *text, size_t len)
{
	struct walk_field run = { .high = 63 };

	while (!(*bits >> run.high & 1))
		run.high--;
	run.low = run.high;
	while (run.low && *bits >> (run.low - 1) & 1)
		run.low--;
	*bits &= ~walk_field_mask(&run);
	bits_text(&run, text, len);
}

DMASIM_PRINTF(2, 3) static void add(struct walk_words *words, const char *format, ...)
{
	va_list args;

	if (words->count == WALK_WORDS_MAX)
		return;
	va_start(args, format);
	vsnprintf(words->word[words->count++], WALK_WORD_BYTES, format, args);
	va_end(args);
}

/* Few bits are a number to count with: decimal. */
static void number_text(const struct walk_field *field, u64 number, char *text, size_t len)
{
	if (field->high - field->low < 3)
		snprintf(text, len, "%llu", number);
	else
		snprintf(text, len, "0x%llx", number);
}

void walk_field_text(const struct walk_field *field, u64 entry, char *text, size_t len)
{
	char bits[8] = "", value[24] = "=";

	if (!field->name)
		bits_text(field, bits, sizeof(bits));
	if (is_flag(field))
		value[0] = '\0';
	else
		number_text(field, field_value(field, entry), value + 1, sizeof(value) - 1);
	snprintf(text, len, "%s%s%s", field->name ? field->name : "ign", bits, value);
}

static void add_field(const struct walk_field *field, u64 entry, struct walk_words *words)
{
	char text[WALK_WORD_BYTES];

	walk_field_text(field, entry, text, sizeof(text));
	add(words, "%s", text);
}

/* Each of its words apart. */
static void add_sentence(struct walk_words *words, const char *sentence)
{
	while (*sentence) {
		int length = (int)strcspn(sentence, " ");

		add(words, "%.*s", length, sentence);
		sentence += length;
		sentence += strspn(sentence, " ");
	}
}

/* "bits 62 20:12 must be 0"; for other reasons "malformed: " and the reason */
static void add_malformed(const struct walk_said *said, struct walk_words *words)
{
	u64 reserved = said->reserved;
	char bits[8];

	if (!reserved) {
		add(words, "malformed:");
		add_sentence(words, said->wrong);
		return;
	}
	add(words, reserved & (reserved - 1) ? "bits" : "bit");
	while (reserved) {
		walk_take_run(&reserved, bits, sizeof(bits));
		add(words, "%s", bits);
	}
	add(words, "must be 0");
}

/* A pointer that skips levels serves what has zeros where those would look. */
static void add_table(u8 next, u8 level, struct walk_words *words)
{
	if (next + 1 == level) {
		add(words, "table");
		return;
	}
	add(words, "table of level %u,", next);
	add(words, "if IOVA bits %u:%u are 0", walk_level_lg2(level) - 1,
	    walk_level_lg2(next + 1U));
}

static void add_kind(const struct walk_said *said, u8 level, struct walk_words *words)
{
	switch (said->kind) {
	case WALK_ABSENT:
		add(words, "absent");
		break;
	case WALK_TABLE:
		add_table(said->next, level, words);
		break;
	case WALK_LEAF:
		add(words, "page of %s", walk_size_lg2(said->page_lg2).text);
		break;
	default:
		add_malformed(said, words);
		break;
	}
}

void walk_say(const struct walk_format *format, const struct walk_unit *unit, u8 level, u64 entry,
	      struct walk_words *words)
{
	struct walk_said said = format->say(entry, level, unit);

	words->count = 0;
	for (u32 i = 0; i < format->field_count; i++) {
		const struct walk_field *field = &format->field[i];

		if ((entry & walk_field_mask(field)) &&
		    walk_field_mask(field) != format->address_mask)
			add_field(field, entry, words);
	}
	if (words->count) {
		char *last = words->word[words->count - 1];
		size_t length = strlen(last);

		snprintf(last + length, WALK_WORD_BYTES - length, ",");
	}
	add_kind(&said, level, words);
}

/* ---- Tables of bits --------------------------------------------------- */

void walk_print_bits(const struct walk_format *format)
{
	printf("%s (%s): an entry, 64 bits\n\n  bits   name       meaning\n", format->title,
	       format->name);
	for (u32 i = 0; i < format->field_count; i++) {
		const struct walk_field *field = &format->field[i];
		char bits[8];

		bits_text(field, bits, sizeof(bits));
		printf("  %-5s  %-9s  %s\n", bits, field->name ? field->name : "-", field->meaning);
	}
	printf("\n  level  IOVA bits  an entry maps\n");
	for (u32 level = format->entry_levels; level-- > 0;) {
		u32 low = walk_level_lg2(level);
		u32 high = low + WALK_INDEX_BITS - 1 < 63 ? low + WALK_INDEX_BITS - 1 : 63;

		printf("  %-5u  %2u:%-6u  %s\n", level, high, low, walk_size_lg2(low).text);
	}
	if (*format->note)
		printf("\n%s", format->note);
}

/* ---- One entry -------------------------------------------------------- */

static void print_field(const struct walk_format *format, const struct walk_field *field, u64 entry)
{
	u64 number = field_value(field, entry);
	char bits[8], value[24];

	bits_text(field, bits, sizeof(bits));
	if (walk_field_mask(field) == format->address_mask)
		number = (entry & walk_field_mask(field)) << format->address_shift;
	number_text(field, number, value, sizeof(value));
	printf("  %-5s  %-9s  %-15s  %s\n", bits, field->name ? field->name : "-", value,
	       field->meaning);
}

static void print_reserved(u64 reserved)
{
	char bits[8];

	printf("bits that must be 0 are not:");
	while (reserved) {
		walk_take_run(&reserved, bits, sizeof(bits));
		printf(" %s%s", bits, reserved ? "," : "");
	}
}

static int print_verdict(const struct walk_said *said, u8 level)
{
	const char *may = walk_permissions(said->read, said->write);

	switch (said->kind) {
	case WALK_ABSENT:
		printf("Absent: nothing is mapped there.\n");
		return CLI_DONE;
	case WALK_TABLE:
		printf("A table of level %u at 0x%llx, %s.\n", said->next, said->phys, may);
		if (said->next + 1 < level)
			printf("It skips levels: bits %u:%u of the IOVA must be 0.\n",
			       walk_level_lg2(level) - 1, walk_level_lg2(said->next + 1U));
		return CLI_DONE;
	case WALK_LEAF:
		printf("A page of %s at 0x%llx, %s.\n", walk_size_lg2(said->page_lg2).text,
		       said->phys, may);
		return CLI_DONE;
	default:
		break;
	}
	printf("Malformed, a request faults: ");
	if (said->reserved)
		print_reserved(said->reserved);
	else
		fputs(said->wrong, stdout);
	printf(".\n");
	return CLI_NEGATIVE;
}

int walk_print_entry(const struct walk_format *format, const struct walk_unit *unit, u8 level,
		     u64 entry)
{
	struct walk_said said = format->say(entry, level, unit);

	printf("%s, an entry of level %u (%s): 0x%016llx\n", format->title, level,
	       walk_size_lg2(walk_level_lg2(level)).text, entry);
	if (entry)
		printf("  bits   name       value            meaning\n");
	for (u32 i = 0; i < format->field_count; i++) {
		const struct walk_field *field = &format->field[i];

		if (entry & walk_field_mask(field))
			print_field(format, field, entry);
	}
	return print_verdict(&said, level);
}
