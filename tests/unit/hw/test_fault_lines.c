/* SPDX-License-Identifier: MIT */
/*
 * Printing and reading agree: each record that the simulator prints in a driver's words decodes to
 * the same record. The tables of reasons are whole.
 */
#include <string.h>

#include <dmasim/fault-log.h>
#include <dmasim/hw/amd.h>
#include <dmasim/hw/vtd.h>

#include "check/amdvi.h"
#include "check/dmar.h"
#include "check/fault_reasons.h"
#include "support/expect.h"

#define REASONS	   256
#define EVENTS	   16
#define LINE_BYTES 192 /* of a record's line in engine.h */

static void expect_record(const char *printed, const u64 word[2])
{
	struct dmasim_fault_line line;

	print_message("%s\n", printed);
	assert_int_equal(dmasim_fault_decode(printed, &line), DMASIM_LOG_FAULT);
	assert_null(line.wrong);
	expect_u64(line.word[0], word[0]);
	expect_u64(line.word[1], word[1]);
}

/* Prints the record as a driver would, and reads it. */
static void vtd_round_trip(u64 low, u64 high)
{
	const struct hw_fault_record record = { .word = { low, high } };
	char at[LINE_BYTES];
	struct text text;

	text_init(&text, at, sizeof(at));
	dmar_text(&text, &record);
	/* It was not cut. */
	assert_true(text.length < sizeof(at) - 1);
	expect_record(at, record.word);
}

static u64 vtd_high(u32 reason, u16 requester, u64 more)
{
	return VTD_FRCD_FAULT | (u64)reason << VTD_FRCD_REASON_SHIFT | requester | more;
}

/* trust: each VT-d fault printed decodes to the same record | our reading of the facts */
static void each_vtd_reason_printed_is_read_back(void **state)
{
	const u64 pasid = VTD_FRCD_PASID_SET | 0xfffffULL << VTD_FRCD_PASID_SHIFT;

	(void)state;
	for (u32 reason = 0; reason < REASONS; reason++) {
		if (vtd_fault_of_interrupt((u8)reason)) {
			vtd_round_trip(0xabcdULL << VTD_FRCD_INDEX_SHIFT,
				       vtd_high(reason, 0xffff, 0));
			continue;
		}
		vtd_round_trip(VTD_FRCD_ADDR_MASK, vtd_high(reason, 0x00b7, VTD_FRCD_TYPE_READ));
		vtd_round_trip(0, vtd_high(reason, 0, 0));
		vtd_round_trip(VTD_FRCD_ADDR_MASK, vtd_high(reason, 0xffff, pasid));
		vtd_round_trip(0x1000, vtd_high(reason, 0x3a00, VTD_FRCD_PASID_SET));
	}
}

/* A record of the event with all that its line tells, and nothing else. */
static void amd_word(u64 word[2], u32 code, const struct amd_event *event, bool full)
{
	u64 ones = full ? ~0ULL : 0;

	word[0] = (u64)code << AMD_EVENT_CODE_SHIFT;
	if (!event || event->has & AMD_HAS_DEVICE)
		word[0] |= ones & AMD_EVENT_DEVICE_MASK;
	if (event && event->has & AMD_HAS_PASID)
		word[0] |= (ones & AMD_EVENT_PASID_HIGH_MASK) << AMD_EVENT_PASID_HIGH_SHIFT;
	if (!event || event->has & (AMD_HAS_PASID | AMD_HAS_DOMAIN))
		word[0] |= (ones & AMD_EVENT_DOMAIN_MASK) << AMD_EVENT_DOMAIN_SHIFT;
	if (!event || event->has & AMD_HAS_FLAGS)
		word[0] |= (ones & AMD_EVENT_FLAGS_MASK) << AMD_EVENT_FLAGS_SHIFT;
	word[1] = ones;
}

/* trust: each AMD-Vi event printed decodes to the same record | our reading of the facts */
static void each_amd_event_printed_is_read_back(void **state)
{
	(void)state;
	for (u32 i = 0; i < 2 * EVENTS; i++) {
		char at[LINE_BYTES];
		struct text text;
		u64 word[2];

		amd_word(word, i / 2, amd_event((u8)(i / 2)), i % 2);
		text_init(&text, at, sizeof(at));
		amdvi_text(&text, 0x1234, word);
		assert_true(text.length < sizeof(at) - 1);
		expect_record(at, word);
	}
}

static void an_amd_line_tells_the_segment(void **state)
{
	const u64 word[2] = { 0x2010002700002300ULL, 0xfffffffffffc3800ULL };
	struct dmasim_fault_line line;
	char at[LINE_BYTES];
	struct text text;

	(void)state;
	text_init(&text, at, sizeof(at));
	amdvi_text(&text, 0x0001, word);
	assert_string_equal(at, "AMD-Vi: Event logged [IO_PAGE_FAULT device=0001:23:00.0 "
				"domain=0x0027 address=0xfffffffffffc3800 flags=0x0010]");
	assert_int_equal(dmasim_fault_decode(at, &line), DMASIM_LOG_FAULT);
	assert_true(line.has_segment);
	expect_u64(line.segment, 1);
}

static void an_interrupt_has_an_index(void **state)
{
	const struct hw_fault_record record = {
		.word = { 0x2eULL << VTD_FRCD_INDEX_SHIFT, vtd_high(0x26, 0xf0f8, 0) },
	};
	char at[LINE_BYTES];
	struct text text;

	(void)state;
	text_init(&text, at, sizeof(at));
	dmar_text(&text, &record);
	assert_non_null(strstr(at, "DMAR: [INTR-REMAP] Request device [f0:1f.0] fault index 0x2e "
				   "[fault reason 0x26] "));
}

/* A sentence: no newline, no end, not too long for a line of text. */
static void expect_words(const char *words)
{
	assert_non_null(words);
	assert_true(*words);
	assert_null(strchr(words, '\n'));
	assert_int_not_equal(words[strlen(words) - 1], '.');
}

/*
 * Facts "iova-and-page-tables" 2.6: what is assigned, in ranges of codes.
 * trust: which VT-d fault reasons are assigned | our reading of the facts
 */
static void each_assigned_vtd_reason_has_a_name_and_a_sentence(void **state)
{
	static const u8 ranges[][2] = {
		{ 0x00, 0x0d }, { 0x20, 0x26 }, { 0x30, 0x32 }, { 0x38, 0x3a }, { 0x40, 0x48 },
		{ 0x50, 0x52 }, { 0x58, 0x5d }, { 0x70, 0x7c }, { 0x80, 0x87 }, { 0x90, 0x90 },
	};
	u32 range = 0;

	(void)state;
	for (u32 code = 0; code < REASONS; code++) {
		bool assigned;

		while (range < sizeof(ranges) / sizeof(ranges[0]) && ranges[range][1] < code)
			range++;
		assigned = range < sizeof(ranges) / sizeof(ranges[0]) && code >= ranges[range][0];
		print_message("reason 0x%02x\n", code);
		if (assigned) {
			expect_words(dmasim_fault_reason(DMASIM_LOG_VTD_DMA, (u8)code));
			expect_words(dmasim_fault_sentence(DMASIM_LOG_VTD_DMA, (u8)code));
		} else {
			assert_null(dmasim_fault_reason(DMASIM_LOG_VTD_DMA, (u8)code));
			assert_null(dmasim_fault_sentence(DMASIM_LOG_VTD_INTERRUPT, (u8)code));
		}
	}
}

static void each_assigned_amd_event_has_a_name_and_a_sentence(void **state)
{
	(void)state;
	for (u32 code = 0; code < REASONS; code++) {
		bool assigned = (code >= 1 && code <= 9) || code == 0xd || code == 0xe;

		if (assigned) {
			expect_words(dmasim_fault_reason(DMASIM_LOG_AMD_EVENT, (u8)code));
			expect_words(dmasim_fault_sentence(DMASIM_LOG_AMD_EVENT, (u8)code));
		} else {
			assert_null(dmasim_fault_reason(DMASIM_LOG_AMD_EVENT, (u8)code));
		}
		assert_null(dmasim_fault_reason(DMASIM_LOG_VTD_STATUS, (u8)code));
	}
}

static void no_two_reasons_have_the_same_text(void **state)
{
	(void)state;
	for (u32 i = 0; i < REASONS; i++) {
		for (u32 j = 0; j < i; j++) {
			const struct fault_reason *a = vtd_fault_reason((u8)i);
			const struct fault_reason *b = vtd_fault_reason((u8)j);

			if (a && b)
				assert_string_not_equal(a->text, b->text);
		}
	}
}

TEST_MAIN(cmocka_unit_test(each_vtd_reason_printed_is_read_back),
	  cmocka_unit_test(each_amd_event_printed_is_read_back),
	  cmocka_unit_test(an_amd_line_tells_the_segment),
	  cmocka_unit_test(an_interrupt_has_an_index),
	  cmocka_unit_test(each_assigned_vtd_reason_has_a_name_and_a_sentence),
	  cmocka_unit_test(each_assigned_amd_event_has_a_name_and_a_sentence),
	  cmocka_unit_test(no_two_reasons_have_the_same_text))
