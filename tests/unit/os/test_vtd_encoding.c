/* SPDX-License-Identifier: MIT */
/*
 * VT-d's commands as the software encodes them: bytes worked by hand from facts
 * "iova-and-page-tables" 3.2, each field alone, and what the hardware's decoder makes of random
 * ones.
 */
#include "support/expect.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "hw/iommu.h"
#include "hw/vtd.h"
#include "iommu/vtd_commands.h"
#include "support/scale.h"
#include "world/random.h"

#define ROUNDS 300000 /* full count */

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

/* ---- Read back ------------------------------------------------------------------------------- */

/* A unit that knows all commands. */
static struct hw_iommu *new_reader(void)
{
	struct hw_iommu *reader = calloc(1, sizeof(*reader));

	assert_non_null(reader);
	reader->max_address_mask = 18;
	reader->pf_requester = true;
	reader->scalable = true;
	reader->page_requests = true;
	reader->walker.device_tlb = true;
	return reader;
}

static struct hw_command read_back(const struct hw_iommu *reader, struct iommu_command command)
{
	const u64 word[2] = { le64toh(command.word[0]), le64toh(command.word[1]) };
	struct hw_command seen = { .kind = HW_COMMAND_INVALIDATE };

	if (!hw_vtd_decode(reader, word, &seen))
		fail_msg("0x%016llx 0x%016llx is refused", word[0], word[1]);
	return seen;
}

static u64 draw_address(struct random *random)
{
	u64 bits = 1 + random_below(random, 64);
	u64 address = random_below(random, 1ULL << 32) << 32 | random_below(random, 1ULL << 32);

	return bits < 64 ? address & ((1ULL << bits) - 1) : address;
}

/* The smallest aligned power of two of pages around the range; more than `most` is everything. */
static void expect_window(const struct hw_invalidation *seen, u64 start, u64 last, u64 most)
{
	u64 size = 4096;

	while (size && start / size != last / size)
		size *= 2;
	if (!size || size > most) {
		expect_u64(seen->start, 0);
		expect_u64(seen->last, ~0ULL);
		return;
	}
	expect_u64(seen->start, start / size * size);
	expect_u64(seen->last, start / size * size + (size - 1));
}

static void check_ranges(const struct hw_iommu *reader, struct random *random)
{
	u64 a = draw_address(random), b = draw_address(random), flags = random_below(random, 8);
	const struct iommu_range range = { (u32)random_below(random, 1 << 16), a < b ? a : b,
					   a < b ? b : a, flags & 1 };
	struct platform_iommu hw = { .max_address_mask = 18,
				     .drain_reads = flags & 2,
				     .drain_writes = flags & 4 };
	const struct iommu_unit unit = { .hw = &hw };
	u32 pasid = (u32)random_below(random, 1 << 20);
	struct hw_command seen = read_back(reader, vtd_range_translations(&unit, &range));

	expect_u64(seen.invalidation.what, HW_INVALIDATED_IOTLB);
	expect_u64(seen.invalidation.domain, range.domain);
	assert_true(seen.invalidation.drain_reads == hw.drain_reads &&
		    seen.invalidation.drain_writes == hw.drain_writes);
	assert_false(seen.invalidation.has_pasid || seen.invalidation.all_domains);
	expect_window(&seen.invalidation, range.start, range.last, 4096ULL << 18);
	/* Who empties a whole domain empties tables, too. */
	if (seen.invalidation.last != ~0ULL)
		assert_true(seen.invalidation.leaf_only == !range.tables);

	seen = read_back(reader, vtd_pasid_range_translations(&range, pasid));
	expect_u64(seen.invalidation.what, HW_INVALIDATED_IOTLB);
	assert_true(seen.invalidation.has_pasid);
	expect_u64(seen.invalidation.domain, range.domain);
	expect_u64(seen.invalidation.pasid, pasid);
	expect_window(&seen.invalidation, range.start, range.last, 1ULL << 63);
}

static void check_device_ranges(const struct hw_iommu *reader, struct random *random)
{
	u64 a = draw_address(random), b = draw_address(random);
	const struct iommu_device_range range = { (u16)random_below(random, 1 << 16),
						  (u16)random_below(random, 1 << 16),
						  1 + (u32)random_below(random, 32), a < b ? a : b,
						  a < b ? b : a };
	struct platform_iommu hw = { .pf_requester = true };
	const struct iommu_unit unit = { .hw = &hw };
	u32 pasid = (u32)random_below(random, 1 << 20);
	struct hw_command seen[] = {
		read_back(reader, vtd_device_translations(&unit, &range)),
		read_back(reader, vtd_pasid_device_translations(&unit, &range, pasid)),
		read_back(reader, vtd_pasid_device_translations(&unit, &range, VTD_EVERY_PASID)),
	};

	for (int i = 0; i < 3; i++) {
		const struct hw_invalidation *what = &seen[i].invalidation;

		expect_u64(what->what, HW_INVALIDATED_DEVICE_TLB);
		expect_u64(what->requester, range.requester);
		expect_u64(what->pf_requester, range.queue);
		expect_u64(what->queue_depth, range.depth);
		assert_true(what->has_pasid == (i == 1) && what->all_pasids == (i == 2));
		expect_u64(what->pasid, i == 1 ? pasid : 0);
		expect_window(what, range.start, range.last, 1ULL << 63);
	}
}

/*
 * trust: VT-d's invalidation commands
 * | an independent model: the hardware side's decoder, and windows by plain division
 */
static void random_ranges_are_read_as_they_were_meant(void **state)
{
	struct hw_iommu *reader = new_reader();
	struct random random;
	u32 rounds = scaled(ROUNDS);

	(void)state;
	random_init(&random, test_seed(1));
	for (u32 i = 0; i < rounds; i++) {
		check_ranges(reader, &random);
		check_device_ranges(reader, &random);
	}
	free(reader);
}

/* Contexts, entries of PASIDs and interrupts: each bit of each field. */
static void what_has_no_range_is_read_back(void **state)
{
	struct hw_iommu *reader = new_reader();
	struct hw_invalidation what;

	(void)state;
	reader->scalable = false; /* there contexts have domains */
	for (u32 bit = 0; bit < 16; bit++) {
		u16 one = (u16)(1U << bit);

		what = read_back(reader, vtd_domain_contexts(one)).invalidation;
		assert_true(what.what == HW_INVALIDATED_CONTEXT && !what.all_domains);
		assert_true(what.domain == one && what.requester_ignored == 0xffff);
		for (u8 functions = 0; functions < 4; functions++) {
			static const u16 ignored[] = { 0, 4, 6, 7 };

			what = read_back(reader, vtd_device_context(one, (u16)~one, functions))
				       .invalidation;
			expect_u64(what.requester, one);
			expect_u64(what.domain, (u16)~one);
			expect_u64(what.requester_ignored, ignored[functions]);
		}
		for (u8 lg2 = 0; lg2 <= bit; lg2++) {
			what = read_back(reader, vtd_interrupts(one, lg2)).invalidation;
			expect_u64(what.what, HW_INVALIDATED_INTERRUPT);
			expect_u64(what.start, one);
			expect_u64(what.last, one + (1U << lg2) - 1);
		}
	}
	assert_true(read_back(reader, vtd_all_contexts()).invalidation.all_domains);
	expect_u64(read_back(reader, vtd_all_interrupts()).invalidation.last, 0xffff);
	reader->scalable = true;
	for (u32 bit = 0; bit < 20; bit++) {
		what = read_back(reader, vtd_pasid(0x1234, 1U << bit)).invalidation;
		assert_true(what.what == HW_INVALIDATED_PASID && what.has_pasid);
		assert_true(what.pasid == 1U << bit && what.domain == 0x1234);
		what = read_back(reader, vtd_domain_pasids(1U << bit % 16)).invalidation;
		assert_true(what.domain == 1U << bit % 16 && !what.has_pasid);
		what = read_back(reader, vtd_pasid_translations(0x1234, 1U << bit)).invalidation;
		assert_true(what.pasid == 1U << bit && what.domain == 0x1234);
	}
	assert_true(read_back(reader, vtd_all_pasids()).invalidation.all_domains);
	free(reader);
}

static void waits_are_read_back(void **state)
{
	struct hw_iommu *reader = new_reader();

	(void)state;
	for (u32 bit = 2; bit < 64; bit++) {
		struct hw_command seen =
			read_back(reader, vtd_wait_for_all(1ULL << bit, 1U << bit % 32, bit & 1));

		expect_u64(seen.kind, HW_COMMAND_WAIT);
		expect_u64(seen.wait.store_at, 1ULL << bit);
		expect_u64(seen.wait.value, 1U << bit % 32);
		expect_u64(seen.wait.store_bytes, 4);
		assert_true(seen.wait.fence && !seen.wait.interrupt);
		assert_true(seen.wait.page_requests == (bit & 1));
	}
	free(reader);
}

TEST_MAIN(cmocka_unit_test(contexts_and_pasids), cmocka_unit_test(translations),
	  cmocka_unit_test(a_pasids_window_has_any_size), cmocka_unit_test(device_tlbs),
	  cmocka_unit_test(interrupts_and_waits),
	  cmocka_unit_test(random_ranges_are_read_as_they_were_meant),
	  cmocka_unit_test(what_has_no_range_is_read_back), cmocka_unit_test(waits_are_read_back))
