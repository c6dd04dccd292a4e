/* SPDX-License-Identifier: MIT */
/*
 * Lines of a trace, by the grammar of trace.h: each has its keys in one order, and values have one
 * form.
 */
#include <errno.h>
#include <string.h>

#include "machine/arch.h"
#include "machine/lint.h"

/* ---- Forms ------------------------------------------------------------ */

static u32 hash_of(const char *name, u32 length)
{
	u32 hash = length;

	for (u32 i = 0; i < length; i++)
		hash = hash * 31 + (u8)name[i];
	return hash ^ hash >> 9;
}

static struct lint_form *find_form(struct lint *lint, const char *name, u32 length)
{
	for (u32 slot = hash_of(name, length);; slot++) {
		u8 number = lint->slot[slot % LINT_SLOTS];
		struct lint_form *form = number ? &lint->form[number - 1] : NULL;

		if (!form || (form->length == length && !memcmp(form->name, name, length)))
			return form;
	}
}

struct lint_form *lint_form_add(struct lint *lint, const char *name, lint_take *take)
{
	struct lint_form *form = &lint->form[lint->form_count++];
	u32 slot;

	DMASIM_CONTRACT(lint->form_count <= LINT_FORMS_MAX, "there is room for all forms");
	form->name = name;
	form->length = (u32)strlen(name);
	form->take = take;
	for (slot = hash_of(name, form->length); lint->slot[slot % LINT_SLOTS];)
		slot++;
	lint->slot[slot % LINT_SLOTS] = (u8)lint->form_count;
	return form;
}

void lint_form_key(struct lint_form *form, const struct lint_key *key)
{
	DMASIM_CONTRACT(form->key_count < LINT_KEYS_MAX, "a line has not too many keys");
	form->key[form->key_count++] = *key;
}

void lint_forms_init(struct lint *lint)
{
	lint_events_init(lint);
	lint_others_init(lint);
}

/* ---- Values ----------------------------------------------------------- */

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool take_decimal(struct lint *lint, u64 last, u64 *value)
{
	const char *at = lint->at;
	u64 number = 0;

	if (!is_digit(*at) || (*at == '0' && is_digit(at[1])))
		return false;
	for (; is_digit(*at); at++) {
		u64 digit = (u64)(*at - '0');

		if (number > (last - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	lint->at = at;
	*value = number;
	return true;
}

/* ~0: it is none. */
static inline u32 hex_digit(char c)
{
	if (is_digit(c))
		return (u32)(c - '0');
	return c >= 'a' && c <= 'f' ? (u32)(c - 'a' + 10) : ~0U;
}

static bool take_hex(struct lint *lint, u64 *value)
{
	const char *at = lint->at + 2;
	const char *start = at;
	u64 number = 0;
	u32 digit;

	if (lint->at[0] != '0' || lint->at[1] != 'x')
		return false;
	for (; (digit = hex_digit(*at)) != ~0U; at++)
		number = number << 4 | digit;
	if (at == start || at > start + 16 || (*start == '0' && at > start + 1))
		return false;
	lint->at = at;
	*value = number;
	return true;
}

/* "0000:3a:00.0" */
static bool take_bdf(struct lint *lint, u64 *value)
{
	static const char shape[] = "xxxx:xx:xx.x";
	const char *at = lint->at;
	u32 digits[9];
	u32 count = 0;

	for (u32 i = 0; shape[i]; i++) {
		if (shape[i] != 'x' && at[i] != shape[i])
			return false;
		if (shape[i] == 'x' && (digits[count++] = hex_digit(at[i])) == ~0U)
			return false;
	}
	if (digits[6] > 1 || digits[8] > 7)
		return false;
	*value = DMASIM_SBDF(digits[0] << 12 | digits[1] << 8 | digits[2] << 4 | digits[3],
			     digits[4] << 4 | digits[5], digits[6] << 4 | digits[7], digits[8]);
	lint->at = at + sizeof(shape) - 1;
	/* That number stands for no device. */
	return *value != DMASIM_NO_SBDF;
}

static bool take_name(struct lint *lint, struct lint_value *value)
{
	const char *at = lint->at;

	while ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || is_digit(*at) ||
	       *at == '_' || *at == '-')
		at++;
	value->text = lint->at;
	value->length = (u32)(at - lint->at);
	lint->at = at;
	return value->length;
}

static bool take_word(struct lint *lint, const struct lint_key *key, struct lint_value *value)
{
	const char *word;

	if (!take_name(lint, value))
		return false;
	for (u32 i = 0; (word = key->word(i)); i++) {
		if (strlen(word) == value->length && !memcmp(word, value->text, value->length)) {
			value->number = i;
			return true;
		}
	}
	lint->at = value->text;
	return false;
}

static bool take_text(struct lint *lint, struct lint_value *value)
{
	const char *at = lint->at + 1;

	if (*lint->at != '"')
		return false;
	while (*at != '"' && *at != '\n')
		at++;
	value->text = lint->at + 1;
	value->length = (u32)(at - value->text);
	if (*at != '"' || value->length >= TRACE_TEXT_BYTES)
		return false;
	lint->at = at + 1;
	return true;
}

/* "-", or letters out of r w c x m p, in this order: a bit for each. */
static bool take_prot(struct lint *lint, u64 *value)
{
	static const char letters[] = "rwcxmp";
	const char *at = lint->at;

	*value = 0;
	if (*at == '-') {
		lint->at = at + 1;
		return true;
	}
	for (u32 bit = 0; letters[bit]; bit++) {
		if (*at == letters[bit]) {
			*value |= 1U << bit;
			at++;
		}
	}
	if (at == lint->at)
		return false;
	lint->at = at;
	return true;
}

/* 0 or a count; or a minus, and the name or the number of an errno. */
static bool take_result(struct lint *lint, struct lint_value *value)
{
	if (*lint->at != '-')
		return take_decimal(lint, ~0U >> 1, &value->number);
	lint->at++;
	if (is_digit(*lint->at)) {
		if (!take_decimal(lint, 4095, &value->number))
			return false;
	} else {
		if (!take_name(lint, value))
			return false;
		value->number = (u64)text_find_errno(value->text, value->length);
	}
	value->number = -value->number;
	return value->number;
}

static bool take_value(struct lint *lint, const struct lint_key *key, struct lint_value *value)
{
	switch (key->kind) {
	case LINT_HEX:
		return take_hex(lint, &value->number);
	case LINT_DECIMAL:
		return take_decimal(lint, ~0ULL, &value->number);
	case LINT_SMALL:
		return take_decimal(lint, ~0U, &value->number);
	case LINT_FLAG:
		return take_decimal(lint, 1, &value->number);
	case LINT_BDF:
		return take_bdf(lint, &value->number);
	case LINT_WORD:
		return take_word(lint, key, value);
	case LINT_NAME:
		return take_name(lint, value);
	case LINT_TEXT:
		return take_text(lint, value);
	case LINT_PROT:
		return take_prot(lint, &value->number);
	case LINT_RESULT:
		return take_result(lint, value);
	}
	return false;
}

static const char *expected_of(const struct lint_key *key)
{
	static const char *const texts[] = {
		[LINT_HEX] = "0x and up to 16 hexadecimal digits",
		[LINT_DECIMAL] = "a decimal number of 64 bits",
		[LINT_SMALL] = "a decimal number of 32 bits",
		[LINT_FLAG] = "0 or 1",
		[LINT_BDF] = "a device, as 0000:3a:00.0",
		[LINT_WORD] = "a word that trace.h has for it",
		[LINT_NAME] = "a word",
		[LINT_TEXT] = "a text in quotes",
		[LINT_PROT] = "letters of rwcxmp",
		[LINT_RESULT] = "0, a count of 31 bits or -E...",
	};

	return texts[key->kind];
}

/* ---- Lines ------------------------------------------------------------ */

/* As much of the rest of the line as is told. */
static int rest_of(const struct lint *lint)
{
	const char *at = lint->at;

	while (at < lint->stop && at < lint->at + 40 && *at > ' ' && *at < 0x7f)
		at++;
	return (int)(at - lint->at);
}

static bool has_key(const struct lint *lint, const char *name, size_t length)
{
	return *lint->at == ' ' && (size_t)(lint->stop - lint->at) > length + 1 &&
	       !memcmp(lint->at + 1, name, length) && lint->at[length + 1] == '=';
}

static int read_key(struct lint *lint, const struct lint_key *key, struct lint_value *value)
{
	size_t length = strlen(key->name);

	*value = (struct lint_value){ 0 };
	if (!has_key(lint, key->name, length)) {
		if (key->optional)
			return 0;
		lint->at += *lint->at == ' ';
		return lint_wrong(lint, "'%.*s' in %s, expected %s=", rest_of(lint), lint->at,
				  lint->now->name, key->name);
	}
	lint->at += length + 2;
	value->given = true;
	if (take_value(lint, key, value) && (*lint->at == ' ' || lint->at == lint->stop))
		return 0;
	return lint_wrong(lint, "%s= of %s goes on with '%.*s', expected %s", key->name,
			  lint->now->name, rest_of(lint), lint->at, expected_of(key));
}

static int read_number(struct lint *lint, const char *key, u64 last, u64 *value)
{
	size_t length = strlen(key);
	const char *start = lint->at;

	if ((size_t)(lint->stop - lint->at) > length && !memcmp(lint->at, key, length)) {
		lint->at += length;
		if (take_decimal(lint, last, value) && *lint->at == ' ') {
			lint->at++;
			return 0;
		}
	}
	lint->at = start;
	return lint_wrong(lint, "'%.*s', expected %s, a number up to %llu and a blank",
			  rest_of(lint), lint->at, key, last);
}

/* "t=42 cpu=0 " */
static int read_moment(struct lint *lint)
{
	u64 time = 0, cpu = 0;
	int err = read_number(lint, "t=", ~0ULL, &time);

	if (err)
		return err;
	if (time < lint->time)
		return lint_wrong(lint, "t=%llu, expected %llu or later: time goes on", time,
				  lint->time);
	err = read_number(lint, "cpu=", CHECK_CPUS - 1, &cpu);
	if (err)
		return err;
	lint->time = time;
	lint->s->world.clock.now_ns = time;
	lint->s->platform.cpu = (u32)cpu;
	return 0;
}

int lint_read_line(struct lint *lint)
{
	struct lint_value value[LINT_KEYS_MAX];
	struct lint_value name;
	int err = read_moment(lint);

	if (err)
		return err;
	if (take_name(lint, &name))
		lint->now = find_form(lint, name.text, name.length);
	else
		lint->now = NULL;
	if (!lint->now) {
		lint->at = name.text;
		return lint_wrong(lint, "'%.*s', expected an event of trace.h", rest_of(lint),
				  lint->at);
	}
	for (u32 i = 0; i < lint->now->key_count; i++) {
		err = read_key(lint, &lint->now->key[i], &value[i]);
		if (err)
			return err;
	}
	if (lint->at != lint->stop) {
		lint->at += *lint->at == ' ';
		return lint_wrong(lint, "'%.*s' in %s, expected the end of the line", rest_of(lint),
				  lint->at, lint->now->name);
	}
	return lint->now->take ? lint->now->take(lint, value) : 0;
}

/* ---- The header ------------------------------------------------------- */

#define TITLE "# dmasim-trace v="

/* Where nothing translates there are no units, and it does not matter what they are. */
static void use_iommu(struct lint *lint, const char *name)
{
	const struct machine_arch *arch = machine_arch_named(name, strcspn(name, " "));

	lint->arch = arch && arch->hw ? arch->hw : &hw_vtd;
	lint->address_bits = arch ? machine_address_bits(arch) : MACHINE_ADDRESS_BITS;
}

/* What of the configuration says how to judge. */
static int use_setting(struct lint *lint, const char *key, size_t key_length, const char *value)
{
	struct dmasim *s = lint->s;
	const char *at = lint->at;
	bool fine = true;

	lint->at = value;
	if (key_length == 4 && !memcmp(key, "seed", 4))
		fine = take_hex(lint, &s->world.seed);
	else if (key_length == 5 && !memcmp(key, "iommu", 5))
		use_iommu(lint, value);
	else if (key_length == 9 && !memcmp(key, "unchecked", 9))
		s->check.report_unchecked = *value == '1';
	else if (key_length == 5 && !memcmp(key, "check", 5))
		lint->compared = *value == '1';
	if (!fine)
		return lint_wrong(lint, "seed=%.*s, expected 0x and hexadecimal digits",
				  rest_of(lint), lint->at);
	lint->at = at;
	return 0;
}

static int read_setting(struct lint *lint)
{
	const char *key = lint->at + 1, *equals = key, *end;

	while (equals < lint->stop && *equals >= 'a' && *equals <= 'z')
		equals++;
	if (*lint->at != ' ' || *equals != '=' || equals == key) {
		lint->at += *lint->at == ' ';
		return lint_wrong(lint, "'%.*s' in the header, expected key=value", rest_of(lint),
				  lint->at);
	}
	for (end = equals + 1; end<lint->stop && * end> ' ' && *end < 0x7f;)
		end++;
	lint->at = end;
	return use_setting(lint, key, (size_t)(equals - key), equals + 1);
}

int lint_read_header(struct lint *lint)
{
	u64 version;
	int err = 0;

	if ((size_t)(lint->stop - lint->at) < strlen(TITLE) ||
	    memcmp(lint->at, TITLE, strlen(TITLE)) != 0)
		return lint_wrong(lint, "no header, expected '" TITLE "%d ...'",
				  DMASIM_TRACE_VERSION);
	lint->at += strlen(TITLE);
	if (!take_decimal(lint, ~0U, &version) || version != DMASIM_TRACE_VERSION)
		return lint_wrong(lint, "a trace of another version, expected v=%d",
				  DMASIM_TRACE_VERSION);
	while (!err && lint->at < lint->stop)
		err = read_setting(lint);
	lint->result->compared &= lint->compared;
	return err;
}
