/* SPDX-License-Identifier: MIT */
/*
 * Fault lines that were cut, changed, doubled or mixed: the decoder reads nothing beyond them, says
 * what was wrong, and takes no line for whole that lost a part it needs.
 */
#include <stdlib.h>
#include <string.h>

#include "property/dice.h"
#include "property/seeds.h"
#include "support/expect.h"

#define LINES_FULL 400000
#define LINE_BYTES 512

/* Each whole: it ends where all is told. */
static const char *const whole[] = {
	"DMAR: [DMA Read NO_PASID] Request device [00:16.7] fault addr 0xdceff000 [fault reason "
	"0x06]",
	"DMAR: [DMA Write PASID 0x1] Request device [3a:00.0] fault addr 0x1000 [fault reason "
	"0x71]",
	"[   27.8] DMAR: [DMA Read] Request device [02:00.0] PASID ffffffff fault addr bdf83000 "
	"[fault reason 06]",
	"[  1.0] DMAR:[DMA Write] Request device [00:02.0] fault addr 1000 DMAR:[fault reason 12]",
	"DMAR: [INTR-REMAP] Request device [f0:1f.0] fault index 0x2e [fault reason 0x26]",
	"AMD-Vi: Event logged [IO_PAGE_FAULT device=23:00.0 domain=0x0027 address=0xfffc3800 "
	"flags=0x0010]",
	"> smartpqi 0000:23:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0027 "
	"address=0xfffffffffffc0000 flags=0x0010]",
	"AMD-Vi: Event logged [INVALID_DEVICE_REQUEST device=0000:03:00.0 pasid=0xfedcb "
	"address=0xfffffffdf8000000 flags=0x0a00]",
	"AMD-Vi: Event logged [ILLEGAL_COMMAND_ERROR address=0x3f00]",
	"AMD-Vi: Event logged [UNKNOWN event[0]=0x00000300 event[1]=0xa0000001 "
	"event[2]=0x00001000 event[3]=0x00000002]",
};

#define WHOLE (sizeof(whole) / sizeof(whole[0]))

/* A copy that ends where its memory does, so that sanitizers and valgrind see a read beyond it. */
static enum dmasim_log_line decode(const char *text, size_t length, struct dmasim_fault_line *line)
{
	char *copy = malloc(length + 1), flags[256];
	enum dmasim_log_line is;

	assert_non_null(copy);
	memcpy(copy, text, length);
	copy[length] = '\0';
	is = dmasim_fault_decode(copy, line);
	if (is == DMASIM_LOG_FAULT)
		dmasim_fault_flags(line, flags, sizeof(flags));
	free(copy);
	return is;
}

static void expect_sound(enum dmasim_log_line is, const struct dmasim_fault_line *line)
{
	if (is == DMASIM_LOG_CUT || is == DMASIM_LOG_GARBLED) {
		assert_non_null(line->wrong);
		assert_false(line->has_requester);
		return;
	}
	assert_null(line->wrong);
	if (is != DMASIM_LOG_FAULT) {
		assert_int_equal(line->kind, 0);
		return;
	}
	assert_in_range(line->kind, DMASIM_LOG_VTD_DMA, DMASIM_LOG_AMD_EVENT);
	assert_true(line->pasid <= 0xfffff);
	assert_true(line->has_segment || !line->segment);
	assert_true(line->has_requester || !line->requester);
}

/* trust: no beginning of a fault line is taken for all of it | our reading of the facts */
static void each_beginning_of_a_line_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < WHOLE; i++) {
		size_t length = strlen(whole[i]);
		struct dmasim_fault_line line;

		for (size_t part = 0; part < length; part++) {
			enum dmasim_log_line is = decode(whole[i], part, &line);

			if (is != DMASIM_LOG_OTHER && is != DMASIM_LOG_CUT)
				print_error("%.*s\n", (int)part, whole[i]);
			expect_sound(is, &line);
			/* Before its words begin it is any line. */
			assert_true(is == DMASIM_LOG_OTHER || is == DMASIM_LOG_CUT);
		}
		assert_int_equal(decode(whole[i], length, &line), DMASIM_LOG_FAULT);
	}
}

static void no_end_of_a_line_is_whole_without_its_beginning(void **state)
{
	(void)state;
	for (size_t i = 0; i < WHOLE; i++) {
		const char *words = strstr(whole[i], "DMAR");
		struct dmasim_fault_line line;

		words = words ? words : strstr(whole[i], "AMD-Vi");
		/* An interrupt request is known without the driver's name. */
		if (strstr(whole[i], "INTR-REMAP"))
			continue;
		for (const char *at = words + 1; *at; at++) {
			enum dmasim_log_line is = decode(at, strlen(at), &line);

			expect_sound(is, &line);
			assert_int_not_equal(is, DMASIM_LOG_FAULT);
		}
	}
}

/* One change of the line; what it may not do is grow beyond its memory. */
static size_t change(struct dice *dice, char *text, size_t length)
{
	size_t at = length ? dice_below(dice, length) : 0;
	size_t bytes = dice_below(dice, length - at + 1);

	switch (dice_below(dice, 6)) {
	case 0: /* another byte, but the end */
		if (length)
			text[at] = (char)dice_from(dice, 1, 255);
		return length;
	case 1: /* one that means something there */
		if (length)
			text[at] = "0x9af[]:.= _\tR"[dice_below(dice, 14)];
		return length;
	case 2: /* without a part */
		memmove(text + at, text + at + bytes, length - at - bytes);
		return length - bytes;
	case 3: /* cut */
		return at;
	case 4: /* a part twice */
		if (length + bytes >= LINE_BYTES)
			return length;
		memmove(text + at + bytes, text + at, length - at);
		return length + bytes;
	default: /* a part of another one in its place */
		for (const char *other = whole[dice_below(dice, WHOLE)]; *other && at < length;)
			text[at++] = *other++;
		return length;
	}
}

static void changed_lines_are_read_safely(void **state)
{
	u64 seed = test_seed(1);
	u32 count = scaled(LINES_FULL);

	(void)state;
	for (u32 i = 0; i < count; i++, seed++) {
		struct dice dice = dice_of(seed, 0);
		struct dmasim_fault_line line;
		char text[LINE_BYTES];
		const char *from = whole[dice_below(&dice, WHOLE)];
		size_t length = strlen(from);

		memcpy(text, from, length);
		for (u64 changes = dice_from(&dice, 1, 4); changes; changes--)
			length = change(&dice, text, length);
		seed_failed(seed);
		memset(&line, 0xee, sizeof(line));
		expect_sound(decode(text, length, &line), &line);
	}
	print_message("%u lines, the last seed is 0x%llx\n", count, seed - 1);
}

TEST_MAIN(cmocka_unit_test(each_beginning_of_a_line_is_cut),
	  cmocka_unit_test(no_end_of_a_line_is_whole_without_its_beginning),
	  cmocka_unit_test(changed_lines_are_read_safely))
