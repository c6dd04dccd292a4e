/* SPDX-License-Identifier: MIT */
#include "check/fault_scan.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool scan_fail(struct scan *scan, const char *wrong)
{
	if (scan->state != DMASIM_LOG_FAULT)
		return false;
	scan_blanks(scan);
	scan->state = *scan->at ? DMASIM_LOG_GARBLED : DMASIM_LOG_CUT;
	scan->wrong = wrong;
	return false;
}

void scan_blanks(struct scan *scan)
{
	while (is_blank(*scan->at))
		scan->at++;
}

bool scan_text(struct scan *scan, const char *text, const char *wrong)
{
	if (scan->state != DMASIM_LOG_FAULT)
		return false;
	for (; *text; text++) {
		if (*text == ' ')
			scan_blanks(scan);
		else if (*scan->at == *text)
			scan->at++;
		else
			return scan_fail(scan, wrong);
	}
	return true;
}

/* 16 and more: it is none to this base. */
static u32 digit(char c)
{
	if (c >= '0' && c <= '9')
		return (u32)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (u32)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (u32)(c - 'A') + 10;
	return 16;
}

bool scan_digits(struct scan *scan, u32 base, u64 most, u64 *value, const char *wrong)
{
	const char *first = scan->at;

	*value = 0;
	if (scan->state != DMASIM_LOG_FAULT)
		return false;
	for (; digit(*scan->at) < base; scan->at++) {
		u32 next = digit(*scan->at);

		if (*value > (most - next) / base || next > most) {
			/* What is too large is not cut, whatever follows. */
			scan->state = DMASIM_LOG_GARBLED;
			scan->wrong = wrong;
			return false;
		}
		*value = *value * base + next;
	}
	return scan->at > first || scan_fail(scan, wrong);
}

bool scan_hex(struct scan *scan, u64 most, u64 *value, const char *wrong)
{
	*value = 0;
	if (scan->state != DMASIM_LOG_FAULT)
		return false;
	if (scan->at[0] == '0' && (scan->at[1] == 'x' || scan->at[1] == 'X'))
		scan->at += 2;
	return scan_digits(scan, 16, most, value, wrong);
}

/* Exactly so many hexadecimal digits. */
static bool fixed_hex(struct scan *scan, u32 count, u64 most, u64 *value)
{
	static const char wrong[] = "expected a requester, like 3a:00.0";
	const char *first = scan->at;

	if (!scan_digits(scan, 16, most, value, wrong))
		return false;
	if (scan->at == first + count)
		return true;
	return scan_fail(scan, wrong);
}

bool scan_requester(struct scan *scan, struct dmasim_fault_line *line)
{
	static const char wrong[] = "expected a requester, like 3a:00.0";
	u64 segment = 0, bus, device, function;
	u32 digits = 0;

	while (digits < 4 && digit(scan->at[digits]) < 16)
		digits++;
	if (digits == 4) {
		fixed_hex(scan, 4, 0xffff, &segment);
		scan_text(scan, ":", wrong);
	}
	fixed_hex(scan, 2, 0xff, &bus);
	scan_text(scan, ":", wrong);
	fixed_hex(scan, 2, 0x1f, &device);
	scan_text(scan, ".", wrong);
	if (!fixed_hex(scan, 1, 7, &function))
		return false;
	line->has_segment = digits == 4;
	line->segment = (u16)segment;
	line->has_requester = true;
	line->requester = (u16)(bus << 8 | device << 3 | function);
	return true;
}
