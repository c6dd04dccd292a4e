/* SPDX-License-Identifier: MIT */
/*
 * Fault lines of kernel logs in the spellings of old and new kernels, what is no fault line, and
 * what is one no more.
 */
#include <string.h>

#include <dmasim/hw/amd.h>
#include <dmasim/hw/vtd.h>

#include "unit/api/machines.h"

static struct dmasim_fault_line decoded(const char *text)
{
	struct dmasim_fault_line line;
	enum dmasim_log_line is;

	memset(&line, 0xee, sizeof(line));
	is = dmasim_fault_decode(text, &line);
	if (is != DMASIM_LOG_FAULT)
		print_error("%s\n%s\n", text, line.wrong ? line.wrong : "no fault line");
	assert_int_equal(is, DMASIM_LOG_FAULT);
	assert_null(line.wrong);
	return line;
}

/* The line is this, and for this reason. */
static void not_decoded(const char *text, enum dmasim_log_line wanted, const char *wrong)
{
	struct dmasim_fault_line line;
	enum dmasim_log_line is;

	memset(&line, 0xee, sizeof(line));
	is = dmasim_fault_decode(text, &line);
	if (is != wanted)
		print_error("%s\n", text);
	assert_int_equal(is, wanted);
	if (wrong) {
		assert_non_null(line.wrong);
		if (!strstr(line.wrong, wrong))
			print_error("%s\n", text);
		assert_non_null(strstr(line.wrong, wrong));
	} else {
		assert_null(line.wrong);
	}
	assert_false(line.has_requester);
	expect_u64(line.address, 0);
	expect_u64(line.word[1], 0);
}

/* ---- VT-d ------------------------------------------------------------------------------------ */

/* 00:16.7 reads 0x9cdff000, reason 6. */
static void expect_the_read(const char *text)
{
	struct dmasim_fault_line line = decoded(text);

	assert_int_equal(line.kind, DMASIM_LOG_VTD_DMA);
	assert_true(line.has_requester);
	assert_false(line.has_segment || line.has_pasid || line.has_domain || line.write);
	expect_u64(line.requester, 0x00b7);
	expect_u64(line.reason, VTD_FAULT_NO_READ);
	expect_u64(line.address, 0x9cdff000);
	expect_u64(line.word[0], 0x9cdff000);
	expect_u64(line.word[1], 0xc0000006000000b7ULL);
}

static void a_dma_fault_is_read_in_every_spelling(void **state)
{
	(void)state;
	/* From 5.14 on. */
	expect_the_read("DMAR: [DMA Read NO_PASID] Request device [00:16.7] fault addr 0x9cdff000 "
			"[fault reason 0x06] PTE Read access is not set");
	/* Before, with a time; the number in decimal. */
	expect_the_read("[   27.899649] DMAR: [DMA Read] Request device [00:16.7] PASID ffffffff "
			"fault addr 9cdff000 [fault reason 06] PTE Read access is not set\n");
	/* Before PASIDs, in a quoted journal. */
	expect_the_read("> > May 30 17:35:46 host kernel: DMAR: [DMA Read] Request device "
			"[00:16.7] fault addr 9cdff000 [fault reason 06] PTE Read access\r\n");
	/* The reason in the next line, joined. */
	expect_the_read("[    1.0] DMAR:[DMA Read] Request device [00:16.7] fault addr 9cdff000 "
			" [    1.1] DMAR:[fault reason 06] PTE Read access is not set");
	/* Nothing behind the reason. */
	expect_the_read("DMAR: [DMA Read] Request device [00:16.7] fault addr 9CDFF000 "
			"[fault reason 06]");
}

static void a_write_with_a_pasid_is_read_in_both_spellings(void **state)
{
	static const char *const texts[] = {
		"DMAR: [DMA Write PASID 0xfffff] Request device [ff:1f.0] fault addr "
		"0xfffffffffffff000 [fault reason 0x71] SM: whatever is said",
		"DMAR: [DMA Write] Request device [ff:1f.0] PASID fffff fault addr "
		"fffffffffffff000 [fault reason 113] SM: whatever is said",
	};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct dmasim_fault_line line = decoded(texts[i]);

		assert_true(line.write);
		assert_true(line.has_pasid);
		expect_u64(line.pasid, 0xfffff);
		expect_u64(line.reason, VTD_FAULT_FS_NOT_PRESENT);
		expect_u64(line.word[0], 0xfffffffffffff000ULL);
		expect_u64(line.word[1], 0x8fffff718000fff8ULL);
	}
}

static void a_reason_without_0x_is_decimal(void **state)
{
	struct dmasim_fault_line line = decoded("DMAR:[DMA Write] Request device [00:02.0] fault "
						"addr 1000 [fault reason 12] non-zero reserved "
						"fields in PTE");

	(void)state;
	expect_u64(line.reason, VTD_FAULT_PTE_RESERVED);
}

static void an_interrupt_is_read_in_every_spelling(void **state)
{
	static const char *const texts[] = {
		"DMAR: [INTR-REMAP] Request device [f0:1f.0] fault index 0x2e [fault reason 0x26] "
		"whatever",
		"DMAR: [INTR-REMAP] Request device [f0:1f.0] fault index 2e [fault reason 38] what",
		"dmar: INTR-REMAP: Request device [[f0:1f.0] fault index 2e  INTR-REMAP:[fault "
		"reason 38] whatever",
	};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct dmasim_fault_line line = decoded(texts[i]);

		assert_int_equal(line.kind, DMASIM_LOG_VTD_INTERRUPT);
		expect_u64(line.requester, 0xf0f8);
		expect_u64(line.address, 0x2e);
		expect_u64(line.reason, VTD_FAULT_IR_SOURCE);
		expect_u64(line.word[0], 0x002e000000000000ULL);
		expect_u64(line.word[1], 0x800000260000f0f8ULL);
	}
}

static void the_fault_status_is_read(void **state)
{
	struct dmasim_fault_line line = decoded("DMAR: DRHD: handling fault status reg 203");
	char flags[256];

	(void)state;
	assert_int_equal(line.kind, DMASIM_LOG_VTD_STATUS);
	assert_false(line.has_requester);
	expect_u64(line.flags, 0x203);
	dmasim_fault_flags(&line, flags, sizeof(flags));
	assert_string_equal(flags, "PFO: records were lost; PPF: a record is pending; first "
				   "record 2");
	line = decoded("dmar: DRHD: handling fault status reg 40c");
	dmasim_fault_flags(&line, flags, sizeof(flags));
	assert_string_equal(flags, "0xc without a name");
}

/* The record of the simulator's own hardware, and what its line decodes to. */
static void a_line_of_the_simulator_is_its_record(void **state)
{
	struct rig *rig = *state;
	struct dmasim_fault_record record;
	struct dmasim_fault_line line;
	u8 byte = 0;

	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 1);
	expect_transfer(dmasim_dev_write(rig->nvme, 0x12345678, &byte, 1), DMASIM_IOMMU_FAULT, 0);
	assert_true(dmasim_fault_take(rig->s, &record));
	line = decoded(record.line);
	expect_u64(line.requester, record.requester);
	expect_u64(line.address, record.address);
	expect_u64(line.reason, record.reason);
	expect_u64(line.write, record.write);
	expect_u64(line.word[0], record.word[0]);
	expect_u64(line.word[1], record.word[1]);
}

/* ---- AMD-Vi ---------------------------------------------------------------------------------- */

static void a_page_fault_is_read_in_every_spelling(void **state)
{
	static const char *const texts[] = {
		"AMD-Vi: Event logged [IO_PAGE_FAULT device=23:00.0 domain=0x0027 "
		"address=0xfffffffffffc3800 flags=0x0010]",
		"AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:23:00.0 domain=0x0027 "
		"address=0xfffffffffffc3800 flags=0x0010]",
		"[ 5167.9][  T812] smartpqi 0000:23:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT "
		"domain=0x0027 address=0xfffffffffffc3800 flags=0x0010]",
		"> host kernel: AMD-Vi: Event logged [IO_PAGE_FAULT device=23:00.0, "
		"domain=0x0027, address=0xfffffffffffc3800, flags=0x0010]\n",
	};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct dmasim_fault_line line = decoded(texts[i]);

		assert_int_equal(line.kind, DMASIM_LOG_AMD_EVENT);
		assert_true(line.has_segment == (i == 1 || i == 2));
		assert_true(line.has_requester);
		assert_true(line.has_domain);
		assert_false(line.has_pasid);
		expect_u64(line.reason, AMD_EVENT_IO_PAGE_FAULT);
		expect_u64(line.flags, AMD_FLAG_PR);
		expect_u64(line.domain, 0x27);
		expect_u64(line.word[0], 0x2010002700002300ULL);
		expect_u64(line.word[1], 0xfffffffffffc3800ULL);
	}
}

static void other_events_are_read(void **state)
{
	static const struct {
		const char *text;
		u64 word[2];
	} events[] = {
		{ "AMD-Vi: Event logged [ILLEGAL_DEV_TABLE_ENTRY device=03:00.0 pasid=0x00000 "
		  "address=0x1000 flags=0x0080]",
		  { 0x1080000000000300ULL, 0x1000 } },
		{ "AMD-Vi: Event logged [DEV_TAB_HARDWARE_ERROR device=03:00.0 address=0x1000 "
		  "flags=0x0400]",
		  { 0x3400000000000300ULL, 0x1000 } },
		{ "AMD-Vi: Event logged [PAGE_TAB_HARDWARE_ERROR device=03:00.0 domain=0x0005 "
		  "address=0x1000 flags=0x0200]",
		  { 0x4200000500000300ULL, 0x1000 } },
		{ "AMD-Vi: Event logged [ILLEGAL_COMMAND_ERROR address=0x3f00]",
		  { 0x5000000000000000ULL, 0x3f00 } },
		{ "AMD-Vi: Event logged [COMMAND_HARDWARE_ERROR address=0x3f00 flags=0x0600]",
		  { 0x6600000000000000ULL, 0x3f00 } },
		{ "AMD-Vi: Event logged [IOTLB_INV_TIMEOUT device=03:00.0 address=0x3f00]",
		  { 0x7000000000000300ULL, 0x3f00 } },
		{ "AMD-Vi: Event logged [INVALID_DEVICE_REQUEST device=0000:03:00.0 pasid=0xfedcb "
		  "address=0xfffffffdf8000000 flags=0x0a00]",
		  { 0x8a00edcb000f0300ULL, 0xfffffffdf8000000ULL } },
		{ "AMD-Vi: Event logged [INVALID_PPR_REQUEST device=03:00.0 pasid=0x00001 "
		  "address=0x1000 flags=0x0201 tag=0x1ff]",
		  { 0x9201000100000300ULL, 0x1000 } },
		{ "AMD-Vi: Event logged [RMP_PAGE_FAULT device=0000:03:00.0, vmg_tag=0x0001, "
		  "gpa=0x1000, flags_rmp=0x0001, flags=0x0020]",
		  { 0xd020000000000300ULL, 0x1000 } },
		{ "AMD-Vi: Event logged [UNKNOWN event[0]=0x00000300 event[1]=0xa0000001 "
		  "event[2]=0x00001000 event[3]=0x00000002]",
		  { 0xa000000100000300ULL, 0x200001000ULL } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		struct dmasim_fault_line line = decoded(events[i].text);

		print_message("%s\n", events[i].text);
		expect_u64(line.word[0], events[i].word[0]);
		expect_u64(line.word[1], events[i].word[1]);
		assert_true(line.has_requester == !!strstr(events[i].text, "03:00.0") ||
			    strstr(events[i].text, "UNKNOWN"));
	}
}

static void expect_flags(u8 event, u32 flags, const char *words)
{
	const struct dmasim_fault_line line = {
		.kind = DMASIM_LOG_AMD_EVENT,
		.reason = event,
		.flags = flags,
	};
	char text[256];

	memset(text, 0xee, sizeof(text));
	dmasim_fault_flags(&line, text, sizeof(text));
	assert_string_equal(text, words);
}

static void flags_are_told_by_name(void **state)
{
	char text[8];

	(void)state;
	expect_flags(AMD_EVENT_IO_PAGE_FAULT, 0, "none");
	expect_flags(AMD_EVENT_IO_PAGE_FAULT, 0x70,
		     "PR: the entry was present; RW: a write; PE: no permission");
	expect_flags(AMD_EVENT_IO_PAGE_FAULT, 0x810,
		     "PR: the entry was present; 0x800 without a "
		     "name");
	expect_flags(AMD_EVENT_PAGE_TAB_HARDWARE_ERROR, 0x420, "RW: a write; type 2: target abort");
	expect_flags(AMD_EVENT_INVALID_PPR_REQUEST, 0x201,
		     "RX: the request itself is broken; GN: with a PASID");
	dmasim_fault_flags(
		&(struct dmasim_fault_line){ .kind = DMASIM_LOG_AMD_EVENT, .flags = 0x10 }, text,
		sizeof(text));
	assert_string_equal(text, "PR: the");
	dmasim_fault_flags(&(struct dmasim_fault_line){ .kind = DMASIM_LOG_VTD_DMA }, text,
			   sizeof(text));
	assert_string_equal(text, "none");
}

/* ---- What is not decoded --------------------------------------------------------------------- */

static void other_lines_are_no_faults(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		"[   12.635193] hpsa 0000:02:00.0: Using iommu dma mapping",
		"DMAR: Host address width 39",
		"DMAR: DRHD base: 0x000000fed90000 flags: 0x0",
		"DMAR: [Firmware Bug]: No firmware reserved region can cover this RMRR",
		"DMAR-IR: Enabled IRQ remapping in xapic mode",
		"DMAR: INTR-REMAP: enabled",
		"AMD-Vi: device: c0:00.2 cap: 0040 seg: 0 flags: b0 info 0000",
		"AMD-Vi: Found IOMMU at 0000:c0:00.2 cap 0x40",
		"these occur, they correspond to a matching IO_PAGE_FAULT that belongs",
		"away! No more IO_PAGE_FAULT's in the hypervisor, and no NIC",
		"arm-smmu-v3 arm-smmu-v3.9.auto: Failed to register iommu",
		"arm-smmu-v3 arm-smmu-v3.0.auto: 0x0000090000000002",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		not_decoded(texts[i], DMASIM_LOG_OTHER, NULL);
}

static void lines_of_an_smmu_are_not_known_yet(void **state)
{
	static const char *const texts[] = {
		"arm-smmu arm-smmu.1.auto: Unhandled context fault: fsr=0x80000402, iova=0x0, cb=7",
		"arm-smmu-v3 arm-smmu-v3.2.auto: event 0x04 received:",
		"arm-smmu-v3 490d0000.iommu: event: F_TRANSLATION client: 0000:01:00.0 sid: 0x11",
		"arm-smmu-v3 8806000000.iommu: EVTQ overflow detected -- events lost",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		not_decoded(texts[i], DMASIM_LOG_SMMU, NULL);
}

static void a_cut_line_says_what_was_next(void **state)
{
	static const char *const lines[][2] = {
		{ "DMAR: DRHD: ", "the fault status" },
		{ "DMAR: DRHD: handling", "the fault status" },
		{ "DMAR: DRHD: handling fault status reg ", "a fault status" },
		{ "DMAR: [DMA Re", "Read or Write" },
		{ "DMAR: [DMA Read", "the bracket after the kind" },
		{ "DMAR: [DMA Read NO_PA", "a PASID" },
		{ "DMAR: [DMA Read]", "the requester" },
		{ "DMAR: [DMA Read] Request device [00:16", "a requester" },
		{ "DMAR: [DMA Read] Request device [00:16.7", "the bracket after the requester" },
		{ "DMAR: [DMA Read] Request device [00:16.7] PASID", "a PASID" },
		{ "DMAR: [DMA Read] Request device [00:16.7] PASID ffffffff fault", "the address" },
		{ "DMAR: [DMA Read] Request device [00:16.7] fault addr", "an address" },
		{ "DMAR: [DMA Read] Request device [00:16.7] fault addr 9cd", "the fault reason" },
		{ "DMAR: [DMA Read] Request device [00:16.7] fault addr 9cdff000 [fault",
		  "the fault reason" },
		{ "DMAR: [DMA Read] Request device [00:16.7] fault addr 9cdff000 [fault reason 02",
		  "the fault reason" },
		{ "DMAR: [INTR-REMAP]", "the requester" },
		{ "AMD-Vi: Event logged [IO_PAGE_FAULT", "a key, = and a value" },
		{ "AMD-Vi: Event logged [IO_PA", "the name of an event" },
		{ "AMD-Vi: Event logged [IO_PAGE_FAULT device", "a key, = and a value" },
		{ "AMD-Vi: Event logged [IO_PAGE_FAULT device=", "a requester" },
		{ "AMD-Vi: Event logged [IO_PAGE_FAULT device=23:00.0 domain=0x", "a domain" },
		{ "AMD-Vi: Event logged [IO_PAGE_FAULT device=23:00.0 domain=0x0027 address=0xff "
		  "flags=0x0010",
		  "a key, = and a value" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		not_decoded(lines[i][0], DMASIM_LOG_CUT, lines[i][1]);
}

static void a_garbled_line_says_what_was_expected(void **state)
{
	static const char *const lines[][2] = {
		{ "DMAR: DRHD: handling fault status reg xyz", "a fault status of 32 bits" },
		{ "DMAR: DRHD: handling fault status reg 123456789", "a fault status of 32 bits" },
		{ "DMAR: [DMA Rxad] Request device [00:16.7]", "Read or Write" },
		{ "DMAR: [DMA Read maybe] Request device [00:16.7]", "a PASID" },
		{ "DMAR: [DMA Read PASID 0x100000] Request device [00:16.7]", "20 bits" },
		{ "DMAR: [DMA Read] Request device [00:20.7] fault addr 0", "a requester" },
		{ "DMAR: [DMA Read] Request device [00:16.8] fault addr 0", "a requester" },
		{ "DMAR: [DMA Read] Request device [0:16.7] fault addr 0", "a requester" },
		{ "DMAR: [DMA Read] Request device [00:16.7] PASID 100000 fault addr 0 [fault",
		  "20" },
		{ "DMAR: [DMA Read] Request device [00:16.7] fault addr -1 [fault reason 06]",
		  "an address" },
		{ "DMAR: [DMA Read] Request device [00:16.7] fault addr 10000000000000000 [fault "
		  "reason 06]",
		  "an address" },
		{ "DMAR: [DMA Read] Request device [00:16.7] fault addr 0 [fault reason 256]",
		  "the fault reason" },
		{ "DMAR: [DMA Read] Request device [00:16.7] fault addr 0 [fault reason 0x100]",
		  "the fault reason" },
		{ "DMAR: [DMA Read] Request device [00:16.7] fault addr 0 [fault reason 0c]",
		  "the fault reason" },
		{ "DMAR: [DMA Read] Request device [00:16.7] fault addr 0 DMAR: [DMA Read] Request "
		  "device [00:16.7] fault addr 0 [fault reason 06]",
		  "the fault reason" },
		{ "DMAR: [INTR-REMAP] Request device [00:16.7] fault index 10000 [fault reason 38]",
		  "16 bits" },
		{ "AMD-Vi: Event logged IO_PAGE_FAULT", "an event in brackets" },
		{ "AMD-Vi: Event logged [IO_PAGE_FAULX device=23:00.0]", "the name of an event" },
		{ "AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x1 address=0x1 flags=0x1]",
		  "the device" },
		{ "AMD-Vi: Event logged [IO_PAGE_FAULT device=23:00.0 domain=0x1 flags=0x1]",
		  "the address" },
		{ "AMD-Vi: Event logged [IO_PAGE_FAULT device=23:00.0 domain=0x1 address=0x1]",
		  "the flags" },
		{ "AMD-Vi: Event logged [IO_PAGE_FAULT device=23:00.0 address=0x1 flags=0x1]",
		  "the domain" },
		{ "AMD-Vi: Event logged [IO_PAGE_FAULT device=23:00.0 domain=0x10000 address=0x1 "
		  "flags=0x1]",
		  "16 bits" },
		{ "AMD-Vi: Event logged [IO_PAGE_FAULT device=23:00.0 domain=0x1 address=0x1 "
		  "flags=0x1000]",
		  "12 bits" },
		{ "AMD-Vi: Event logged [IO_PAGE_FAULT nonsense here]", "a key, = and a value" },
		{ "AMD-Vi: Event logged [UNKNOWN event[1]=0x1]", "in order" },
		{ "AMD-Vi: Event logged [UNKNOWN event[0]=0x1]", "the four parts" },
		{ "DMAR:[fault reason 06] PTE Read access is not set", "VT-d's line" },
		{ "Read] Request device [00:16.7] fault addr 0", "VT-d's line" },
		{ "ogged [IO_PAGE_FAULT device=23:00.0 domain=0x1", "AMD-Vi's line" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		not_decoded(lines[i][0], DMASIM_LOG_GARBLED, lines[i][1]);
}

TEST_MAIN(cmocka_unit_test(a_dma_fault_is_read_in_every_spelling),
	  cmocka_unit_test(a_write_with_a_pasid_is_read_in_both_spellings),
	  cmocka_unit_test(a_reason_without_0x_is_decimal),
	  cmocka_unit_test(an_interrupt_is_read_in_every_spelling),
	  cmocka_unit_test(the_fault_status_is_read),
	  BEHIND_VTD(a_line_of_the_simulator_is_its_record),
	  cmocka_unit_test(a_page_fault_is_read_in_every_spelling),
	  cmocka_unit_test(other_events_are_read), cmocka_unit_test(flags_are_told_by_name),
	  cmocka_unit_test(other_lines_are_no_faults),
	  cmocka_unit_test(lines_of_an_smmu_are_not_known_yet),
	  cmocka_unit_test(a_cut_line_says_what_was_next),
	  cmocka_unit_test(a_garbled_line_says_what_was_expected))
