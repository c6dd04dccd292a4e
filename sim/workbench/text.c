/* SPDX-License-Identifier: MIT */
#include "workbench/text.h"

#include <stdio.h>

#define PAGE_LG2 12

const char *text_count(u64 count, char text[TEXT_BYTES])
{
	char digits[TEXT_BYTES];
	int length = snprintf(digits, sizeof(digits), "%llu", count), to = 0;

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			text[to++] = ',';
		text[to++] = digits[i];
	}
	text[to] = '\0';
	return text;
}

const char *text_time(u64 ps, char text[TEXT_BYTES])
{
	static const struct {
		const char *unit;
		u64 ps;
	} units[] = { { "", 1000 }, { " us", 1000000 }, { " ms", 1000000000 } };
	u32 i = ps < 10000000 ? 0 : ps < 1000000000 ? 1 : 2;
	u64 hundredths = (ps * 100 + units[i].ps / 2) / units[i].ps;

	if (hundredths < 1000)
		snprintf(text, TEXT_BYTES, "%llu.%02llu%s", hundredths / 100, hundredths % 100,
			 units[i].unit);
	else if (hundredths < 10000)
		snprintf(text, TEXT_BYTES, "%llu.%llu%s", hundredths / 100, hundredths % 100 / 10,
			 units[i].unit);
	else
		snprintf(text, TEXT_BYTES, "%llu%s", (hundredths + 50) / 100, units[i].unit);
	return text;
}

const char *text_pages(u64 pages, char text[TEXT_BYTES])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	u32 unit = 1, shift = 0;
	u64 tenths, kib = pages << (PAGE_LG2 - 10);

	while (unit < 6 && kib >> shift >= 1024) {
		shift += 10;
		unit++;
	}
	tenths = (kib >> shift) * 10 + ((kib & ((1ULL << shift) - 1)) * 10 >> shift);
	if (tenths >= 1000)
		tenths = (tenths + 5) / 10 * 10;
	if (!pages)
		snprintf(text, TEXT_BYTES, "0");
	else if (tenths % 10)
		snprintf(text, TEXT_BYTES, "%llu.%llu %s", tenths / 10, tenths % 10, units[unit]);
	else
		snprintf(text, TEXT_BYTES, "%llu %s", tenths / 10, units[unit]);
	return text;
}

const char *text_share(u64 part, u64 whole, char text[TEXT_BYTES])
{
	u64 permille;

	if (!whole)
		return "-";
	/* What is large enough to overflow has digits enough. */
	permille = whole >> 50 ? part / (whole / 1000) : (part * 1000 + whole / 2) / whole;
	snprintf(text, TEXT_BYTES, "%llu.%llu %%", permille / 10, permille % 10);
	return text;
}

const char *text_ratio(u64 dividend, u64 divisor, char text[TEXT_BYTES])
{
	u64 tenths;

	if (!divisor)
		return "-";
	tenths = (dividend * 10 + divisor / 2) / divisor;
	snprintf(text, TEXT_BYTES, "%llu.%llu", tenths / 10, tenths % 10);
	return text;
}
