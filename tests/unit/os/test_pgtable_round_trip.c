/* SPDX-License-Identifier: MIT */
/*
 * There and back through memory: every size at its level, with every combination of rights and
 * attributes, to the first memory there is, the last, and a pattern. What the software wrote the
 * hardware's walker must read as it was meant (facts "iova-and-page-tables" 2.1 to 2.5, 2.8).
 */
#include "formats.h"

#define RW	(IOMMU_READ | IOMMU_WRITE)
#define PATTERN 0x74a71445deadbeefULL
#define PROTS	64U /* all combinations of the six bits */

static u64 smallest(const struct format_fixture *fixture)
{
	return 1ULL << fixture->format->granule_lg2;
}

static bool is_called(const struct format_fixture *fixture, const char *part)
{
	return strstr(fixture->format->ops->name, part);
}

/* Aligned to the size, within the width: the number-th of three kinds. */
static phys_addr_t address(const struct format_fixture *fixture, u64 size, u32 number)
{
	const u64 kinds[] = { 0, PATTERN, ~0ULL };

	return kinds[number] & ((1ULL << fixture->pt.pa_bits) - 1) & ~(size - 1);
}

/* The last place of the size that the table reaches without growing. */
static u64 last_place(const struct format_fixture *fixture, u64 size)
{
	u8 width = format_width(fixture);
	u8 now = fixture->format->granule_lg2 + fixture->format->index_lg2 * fixture->config.levels;

	if (fixture->config.levels_max && now < width)
		width = now;
	if (width >= 64)
		return 0 - size;
	return 1ULL << width > size ? (1ULL << width) - size : size;
}

/* ---- What a request becomes ------------------------------------------------------------------ */

/* Arm's first stage: no right of the privileged but to execute is taken away; both share that. */
static bool armv8_s1_lets(u32 prot, const struct format_request *request)
{
	if (request->execute)
		return !(prot & IOMMU_NOEXEC);
	if (prot & IOMMU_PRIV && !request->privileged)
		return false;
	return request->write ? prot & IOMMU_WRITE : true;
}

static bool armv8_s2_lets(u32 prot, const struct format_request *request)
{
	if (request->execute)
		return prot & IOMMU_READ && !(prot & IOMMU_NOEXEC);
	return prot & (request->write ? IOMMU_WRITE : IOMMU_READ);
}

/* All pages are a user's: of the first stage's the supervisor has none. */
static bool riscv_lets(const struct format_fixture *fixture, u32 prot,
		       const struct format_request *request)
{
	if (request->privileged && !is_called(fixture, "riscv_g"))
		return false;
	if (request->execute)
		return !(prot & IOMMU_NOEXEC);
	return request->write ? prot & IOMMU_WRITE : true;
}

static bool lets(const struct format_fixture *fixture, u32 prot,
		 const struct format_request *request)
{
	if (is_called(fixture, "armv8_s1"))
		return armv8_s1_lets(prot, request);
	if (is_called(fixture, "armv8_s2"))
		return armv8_s2_lets(prot, request);
	if (is_called(fixture, "riscv"))
		return riscv_lets(fixture, prot, request);
	/* No-execute is never written; the privileged write what they like without WP. */
	if (is_called(fixture, "x86_64") && !fixture->config.encryption)
		return request->write && !request->privileged ? prot & IOMMU_WRITE : true;
	return format_shows(fixture, prot) & (request->write ? IOMMU_WRITE : IOMMU_READ);
}

static void expect_rights(struct format_fixture *fixture, u64 iova, u32 prot)
{
	for (u32 bits = 0; bits < 6; bits++) {
		const struct format_request request = { .write = bits % 3 == 1,
							.execute = bits % 3 == 2,
							.privileged = bits >= 3 };

		if (format_may(fixture, iova, &request) != lets(fixture, prot, &request))
			fail_msg("prot 0x%x at 0x%llx: a%s %s is %s", prot, iova,
				 request.privileged ? " privileged" : "",
				 request.execute ? "fetch"
				 : request.write ? "write"
						 : "read",
				 lets(fixture, prot, &request) ? "refused" : "let pass");
	}
}

/* ---- There and back -------------------------------------------------------------------------- */

static bool expect_leaf(void *cookie, const struct pgtable_leaf *leaf)
{
	const struct pgtable_leaf *expected = cookie;

	expect_u64(leaf->iova, expected->iova);
	expect_u64(leaf->phys, expected->phys);
	expect_u64(leaf->lg2, expected->lg2);
	expect_u64(leaf->prot & RW, expected->prot & RW);
	return true;
}

/* One byte, for the hardware and the software. */
static void expect_byte(struct format_fixture *fixture, u64 iova, phys_addr_t phys, u8 lg2,
			u32 prot)
{
	/* A privileged request's page may be nobody else's: the judge of Arm is privileged. */
	struct seen seen = fixture->format->walk(fixture, iova);

	expect_u64(seen.phys, phys);
	expect_u64(seen.page_lg2, lg2);
	assert_int_equal(seen.read, !!(format_shows(fixture, prot) & IOMMU_READ));
	assert_int_equal(seen.write, !!(prot & IOMMU_WRITE));
	expect_u64(fixture->format->ops->iova_to_phys(&fixture->pt, iova), phys);
}

static void check(struct format_fixture *fixture, u8 lg2, u32 prot, u32 number)
{
	u64 size = 1ULL << lg2, iova = last_place(fixture, size);
	phys_addr_t phys = address(fixture, size, number);
	struct pgtable_leaf leaf = { iova, phys, lg2, format_shows(fixture, prot), false };

	expect_ok(format_map(fixture, iova, phys, size, prot));
	expect_byte(fixture, iova, phys, lg2, prot);
	expect_byte(fixture, iova + size / 2 + 1, phys + size / 2 + 1, lg2, prot);
	expect_byte(fixture, iova + size - 1, phys + size - 1, lg2, prot);
	expect_rights(fixture, iova + size - smallest(fixture), prot);
	expect_ok(fixture->format->ops->iterate(&fixture->pt, iova, size, expect_leaf, &leaf));
	expect_u64(format_unmap(fixture, iova, size), size);
	assert_false(fixture->format->walk(fixture, iova).read);
	assert_false(fixture->format->walk(fixture, iova + size - 1).write);
}

/*
 * trust: every size at every level with every right, written by software and read by hardware
 * | an independent model: what a request becomes, from the facts
 */
static void every_right_of_every_size_goes_there_and_back(void **state)
{
	struct format_fixture *fixture = *state;

	for (u32 index = 0; format_size_lg2(fixture, index); index++) {
		for (u32 prot = 0; prot < PROTS; prot++) {
			if (!(prot & RW))
				continue;
			for (u32 number = 0; number < 3; number++)
				check(fixture, format_size_lg2(fixture, index), prot, number);
		}
	}
}

TEST_MAIN(ON_EVERY_FORMAT_AND_SIZE(every_right_of_every_size_goes_there_and_back),
	  ON_FORMAT(armv8_s1_4k_bbm, every_right_of_every_size_goes_there_and_back),
	  ON_FORMAT(armv8_s1_16k_bbm, every_right_of_every_size_goes_there_and_back),
	  ON_MORE_CONFIGURATIONS(every_right_of_every_size_goes_there_and_back))
