/* SPDX-License-Identifier: MIT */
/*
 * VT-d's commands as the software encodes them: bytes worked by hand from facts
 * "iova-and-page-tables" 3.2, and each field alone.
 */
#include <endian.h>
#include <string.h>

#include "iommu/vtd_commands.h"
#include "support/expect.h"

/* Drains nothing and takes windows of up to 2^18 pages; its devices count by physical function. */
static struct iommu_unit unit_with(struct platform_iommu *hw)
{
	*hw = (struct platform_iommu){ .max_address_mask = 18, .pf_requester = true };
	return (struct iommu_unit){ .hw = hw };
}

static void expect_bytes_(struct iommu_command command, const char *bytes, const char *file,
			  int line)
{
	if (!memcmp(&command, bytes, 16))
		return;
	print_error("%016llx %016llx\n", (u64)le64toh(command.word[0]),
		    (u64)le64toh(command.word[1]));
	_fail(file, line);
}

#define expect_bytes(command, bytes) expect_bytes_((command), (bytes), __FILE__, __LINE__)

/* trust: bytes of VT-d's context and PASID commands | our reading of the facts */
static void contexts_and_pasids(void **state)
{
	(void)state;
	expect_bytes(vtd_all_contexts(), "\x11\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
	expect_bytes(vtd_domain_contexts(0x1234), "\x21\0\x34\x12\0\0\0\0\0\0\0\0\0\0\0\0");
	expect_bytes(vtd_device_context(0x0318, 0x1234, 0),
		     "\x31\0\x34\x12\x18\x03\0\0\0\0\0\0\0\0\0\0");
	expect_bytes(vtd_device_context(0xffff, 0, 3), "\x31\0\0\0\xff\xff\x03\0\0\0\0\0\0\0\0\0");
	expect_bytes(vtd_all_pasids(), "\x37\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
	expect_bytes(vtd_domain_pasids(0xffff), "\x07\0\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0");
	expect_bytes(vtd_pasid(0x1234, 0xabcde), "\x17\0\x34\x12\xde\xbc\x0a\0\0\0\0\0\0\0\0\0");
}

/* trust: bytes of VT-d's IOTLB commands, also of PASIDs | our reading of the facts */
static void translations(void **state)
{
	const struct iommu_range page = { 0x1234, 0x56789000, 0x56789fff, false };
	const struct iommu_range pages = { 0x1234, 0x56789000, 0x5678cfff, true };
	const struct iommu_range all = { 0x1234, 0, ~0ULL, true };
	struct platform_iommu hw;
	struct iommu_unit unit = unit_with(&hw);

	(void)state;
	expect_bytes(vtd_all_translations(&unit), "\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
	expect_bytes(vtd_domain_translations(&unit, 0x1234),
		     "\x22\0\x34\x12\0\0\0\0\0\0\0\0\0\0\0\0");
	expect_bytes(vtd_range_translations(&unit, &page),
		     "\x32\0\x34\x12\0\0\0\0\x40\x90\x78\x56\0\0\0\0");
	/* 4 pages across a boundary of 8: bits 12 to 14 differ. */
	expect_bytes(vtd_range_translations(&unit, &pages),
		     "\x32\0\x34\x12\0\0\0\0\x03\x80\x78\x56\0\0\0\0");
	expect_bytes(vtd_range_translations(&unit, &all), "\x22\0\x34\x12\0\0\0\0\0\0\0\0\0\0\0\0");
	hw.drain_reads = true;
	expect_bytes(vtd_all_translations(&unit), "\x92\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
	hw.drain_writes = true;
	expect_bytes(vtd_domain_translations(&unit, 1), "\xe2\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0");
	expect_bytes(vtd_pasid_translations(0x1234, 0xabcde),
		     "\x26\0\x34\x12\xde\xbc\x0a\0\0\0\0\0\0\0\0\0");
	expect_bytes(vtd_pasid_range_translations(&page, 0xabcde),
		     "\x36\0\x34\x12\xde\xbc\x0a\0\x40\x90\x78\x56\0\0\0\0");
	expect_bytes(vtd_pasid_range_translations(&pages, 1),
		     "\x36\0\x34\x12\x01\0\0\0\x03\x80\x78\x56\0\0\0\0");
	/* AM would be 52. */
	expect_bytes(vtd_pasid_range_translations(&all, 1),
		     "\x26\0\x34\x12\x01\0\0\0\0\0\0\0\0\0\0\0");
}

/* What MAMV limits is the other command: here AM may have up to 51. */
static void a_pasids_window_has_any_size(void **state)
{
	(void)state;
	for (u32 mask = 0; mask < 52; mask++) {
		u64 within = (0x1000ULL << mask) - 1;
		const struct iommu_range range = { 5, 0xfedcba9876543000ULL & ~within,
						   0xfedcba9876543000ULL | within, true };
		struct iommu_command command = vtd_pasid_range_translations(&range, 7);

		expect_u64(le64toh(command.word[0]), 0x36 | 5ULL << 16 | 7ULL << 32);
		expect_u64(le64toh(command.word[1]), range.start | mask);
	}
}

/* trust: bytes of VT-d's device-TLB commands, also of PASIDs | our reading of the facts */
static void device_tlbs(void **state)
{
	const struct iommu_device_range page = { 0x0318, 0xabcd, 5, 0x56789000, 0x56789fff };
	const struct iommu_device_range pages = { 0x0318, 0xabcd, 32, 0x56789000, 0x5678cfff };
	const struct iommu_device_range all = { 0x0318, 0xabcd, 31, 0, ~0ULL };
	struct platform_iommu hw;
	struct iommu_unit unit = unit_with(&hw);

	(void)state;
	expect_bytes(vtd_device_translations(&unit, &page),
		     "\x03\xd0\x05\0\x18\x03\xc0\xab\0\x90\x78\x56\0\0\0\0");
	/* 8 pages: the zero is bit 14. */
	expect_bytes(vtd_device_translations(&unit, &pages),
		     "\x03\xd0\0\0\x18\x03\xc0\xab\x01\xb0\x78\x56\0\0\0\0");
	expect_bytes(vtd_device_translations(&unit, &all),
		     "\x03\xd0\x1f\0\x18\x03\xc0\xab\x01\xf0\xff\xff\xff\xff\xff\x7f");
	expect_bytes(vtd_pasid_device_translations(&unit, &page, 0xabcde),
		     "\x58\xd0\x18\x03\xde\xbc\xca\xab\0\x90\x78\x56\0\0\0\0");
	expect_bytes(vtd_pasid_device_translations(&unit, &pages, 1),
		     "\x08\xd0\x18\x03\x01\0\xc0\xab\0\xb8\x78\x56\0\0\0\0");
	expect_bytes(vtd_pasid_device_translations(&unit, &all, VTD_EVERY_PASID),
		     "\xf8\xd1\x18\x03\0\0\xc0\xab\x01\xf8\xff\xff\xff\xff\xff\x7f");
	hw.pf_requester = false;
	expect_bytes(vtd_device_translations(&unit, &page),
		     "\x03\0\x05\0\x18\x03\0\0\0\x90\x78\x56\0\0\0\0");
	expect_bytes(vtd_pasid_device_translations(&unit, &page, 0xabcde),
		     "\x58\0\x18\x03\xde\xbc\x0a\0\0\x90\x78\x56\0\0\0\0");
}

/* trust: bytes of VT-d's interrupt and wait commands | our reading of the facts */
static void interrupts_and_waits(void **state)
{
	(void)state;
	expect_bytes(vtd_all_interrupts(), "\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
	expect_bytes(vtd_interrupts(0x1234, 0), "\x14\0\0\0\x34\x12\0\0\0\0\0\0\0\0\0\0");
	expect_bytes(vtd_interrupts(0x1230, 4), "\x14\0\0\x20\x30\x12\0\0\0\0\0\0\0\0\0\0");
	expect_bytes(vtd_interrupts(0, 16), "\x14\0\0\x80\0\0\0\0\0\0\0\0\0\0\0\0");
	expect_bytes(vtd_wait_for_all(0x123456780, 0x11223344, false),
		     "\x65\0\0\0\x44\x33\x22\x11\x80\x67\x45\x23\x01\0\0\0");
	expect_bytes(vtd_wait_for_all(0x1000, 1, true), "\xe5\0\0\0\x01\0\0\0\0\x10\0\0\0\0\0\0");
}

TEST_MAIN(cmocka_unit_test(contexts_and_pasids), cmocka_unit_test(translations),
	  cmocka_unit_test(a_pasids_window_has_any_size), cmocka_unit_test(device_tlbs),
	  cmocka_unit_test(interrupts_and_waits))
