/* SPDX-License-Identifier: MIT */
/*
 * The formats that no unit of the machine walks by itself: x86-64, RISC-V, Armv8, and the mock,
 * each with its judge.
 */
#include <dmasim/hw/amd.h>

#include "formats.h"
#include "hw/arm_walk.h"
#include "hw/riscv_walk.h"
#include "hw/vtd_fs.h"

/* What a read and a write see together. */
static struct seen both(const struct hw_walk *read, const struct hw_walk *write)
{
	if (!read->fault && !write->fault)
		assert_true(read->phys == write->phys && read->page_lg2 == write->page_lg2);
	return (struct seen){
		.read = !read->fault,
		.write = !write->fault,
		.phys = read->fault ? write->phys : read->phys,
		.page_lg2 = read->fault ? write->page_lg2 : read->page_lg2,
	};
}

/* A page that several entries hold is one leaf, whole, if they agree. */
struct relay {
	u64 start, last; /* what is walked */
	seen_leaf_fn *leaf;
	void *cookie;
	struct seen_leaf page; /* bytes 0: none */
	u64 told;	       /* of it */
};

static void relay_end(struct relay *relay)
{
	const struct seen_leaf *page = &relay->page;
	u64 start = page->iova > relay->start ? page->iova : relay->start;
	u64 last = page->iova + (page->bytes - 1);

	if (!page->bytes)
		return;
	if (last > relay->last)
		last = relay->last;
	if (relay->told < last - start + 1)
		fail_msg("entries are missing of the page at 0x%llx", page->iova);
	relay->leaf(relay->cookie, page);
	relay->page.bytes = 0;
}

static void relay_leaf(void *cookie, const struct hw_leaf *leaf)
{
	struct relay *relay = cookie;
	u64 less_1 = (1ULL << leaf->page_lg2) - 1;
	const struct seen_leaf page = {
		leaf->iova & ~less_1, less_1 + 1, leaf->phys & ~less_1, leaf->read, leaf->write,
	};

	assert_true(!((leaf->iova ^ leaf->phys) & less_1));
	if (relay->page.bytes && relay->page.iova == page.iova) {
		assert_true(relay->page.phys == page.phys && relay->page.read == page.read &&
			    relay->page.write == page.write && relay->page.bytes == page.bytes);
		relay->told += leaf->bytes;
		return;
	}
	relay_end(relay);
	relay->page = page;
	relay->told = leaf->bytes;
}

/* ---- x86-64 ---------------------------------------------------------------------------------- */

static struct hw_walk x86_64_see(const struct format_fixture *fixture, u64 iova, bool write)
{
	const struct hw_walk_start start = { fixture->pt.root, fixture->pt.levels, true, true };
	const struct hw_fs_access access = { .iova = iova, .write = write };
	struct hw_walk walk;

	if (!hw_walk_vtd_fs_reaches(fixture->pt.levels, iova))
		return (struct hw_walk){ .fault = 0x80 };
	walk = hw_walk_vtd_fs_from(&fixture->iommu->walker, &start, &access);
	assert_true(!walk.fault || walk.fault == 0x71 || walk.fault == 0x85);
	return walk;
}

static struct seen x86_64_walk(const struct format_fixture *fixture, u64 iova)
{
	struct hw_walk read = x86_64_see(fixture, iova, false);
	struct hw_walk write = x86_64_see(fixture, iova, true);

	return both(&read, &write);
}

static void x86_64_walk_range(const struct format_fixture *fixture, u64 start, u64 last,
			      seen_leaf_fn *leaf, void *cookie)
{
	struct relay relay = { .start = start, .last = last, .leaf = leaf, .cookie = cookie };

	hw_walk_vtd_fs_range(&fixture->iommu->walker, fixture->pt.root, fixture->pt.levels, start,
			     last, relay_leaf, NULL, &relay);
	relay_end(&relay);
}

/* ---- RISC-V ---------------------------------------------------------------------------------- */

static struct hw_riscv_stage riscv_stage(const struct format_fixture *fixture)
{
	return (struct hw_riscv_stage){
		.walker = &fixture->iommu->walker,
		.root = fixture->pt.root,
		.levels = fixture->pt.levels,
		.guest = fixture->pt.top_extra_lg2,
		.napot = fixture->config.features & PGTABLE_NAPOT,
		.pbmt = fixture->config.features & PGTABLE_PBMT,
	};
}

static struct seen riscv_walk(const struct format_fixture *fixture, u64 iova)
{
	struct hw_riscv_stage stage = riscv_stage(fixture);
	struct hw_riscv_access access = { .iova = iova };
	struct hw_walk read = hw_walk_riscv(&stage, &access), write;

	access.write = true;
	write = hw_walk_riscv(&stage, &access);
	return both(&read, &write);
}

static void riscv_walk_range(const struct format_fixture *fixture, u64 start, u64 last,
			     seen_leaf_fn *leaf, void *cookie)
{
	struct hw_riscv_stage stage = riscv_stage(fixture);
	struct relay relay = { .start = start, .last = last, .leaf = leaf, .cookie = cookie };

	hw_walk_riscv_range(&stage, start, last, relay_leaf, NULL, &relay);
	relay_end(&relay);
}

/* ---- Armv8 ----------------------------------------------------------------------------------- */

static struct hw_arm_stage arm_stage(const struct format_fixture *fixture)
{
	return (struct hw_arm_stage){
		.walker = &fixture->iommu->walker,
		.root = fixture->pt.root,
		.granule_lg2 = fixture->format->granule_lg2,
		.input_bits = fixture->pt.va_bits,
		.levels = fixture->pt.levels,
		.output_bits = fixture->pt.pa_bits,
		.lpa2 = strstr(fixture->format->ops->name, "lpa2"),
		.second_stage = strstr(fixture->format->ops->name, "_s2_"),
		.update_dirty = fixture->config.features & PGTABLE_HW_DIRTY,
		.hw = &fixture->s->hw,
	};
}

static struct seen arm_walk(const struct format_fixture *fixture, u64 iova)
{
	struct hw_arm_stage stage = arm_stage(fixture);
	struct hw_arm_access access = { .iova = iova, .privileged = true };
	struct hw_walk read = hw_walk_arm(&stage, &access), write;

	access.write = true;
	write = hw_walk_arm(&stage, &access);
	return both(&read, &write);
}

static void arm_walk_range(const struct format_fixture *fixture, u64 start, u64 last,
			   seen_leaf_fn *leaf, void *cookie)
{
	struct hw_arm_stage stage = arm_stage(fixture);
	struct relay relay = { .start = start, .last = last, .leaf = leaf, .cookie = cookie };

	hw_walk_arm_range(&stage, start, last, relay_leaf, NULL, &relay);
	relay_end(&relay);
}

/* ---- Mock: plain reads of RAM ---------------------------------------------------------------- */

#define MOCK_LG2 11

static u8 mock_page_lg2(u64 entry, u8 shift)
{
	u8 lg2 = MOCK_LG2 + 1;

	if ((entry >> 9 & 7) != 7)
		return shift;
	for (u64 bits = entry >> 12; bits & 1; bits >>= 1)
		lg2++;
	return lg2;
}

static phys_addr_t mock_phys(u64 entry, u8 lg2)
{
	return (entry & 0xffffffffff000ULL) >> 1 & ~((1ULL << lg2) - 1);
}

static struct seen mock_walk(const struct format_fixture *fixture, u64 iova)
{
	phys_addr_t table = fixture->pt.root;

	for (u8 level = fixture->pt.levels; level-- > 0;) {
		u8 shift = MOCK_LG2 + 9 * level, lg2;
		u64 entry = format_word(fixture->s, table + 8 * (iova >> shift & 511));

		if (!(entry & 1))
			return (struct seen){ 0 };
		if (level && (entry >> 9 & 7) && (entry >> 9 & 7) != 7) {
			assert_true((entry >> 9 & 7) == level);
			table = mock_phys(entry, 12);
			continue;
		}
		lg2 = mock_page_lg2(entry, shift);
		return (struct seen){
			.read = entry >> 61 & 1,
			.write = entry >> 62 & 1,
			.phys = mock_phys(entry, lg2) | (iova & ((1ULL << lg2) - 1)),
			.page_lg2 = lg2,
		};
	}
	return (struct seen){ 0 };
}

struct mock_range {
	const struct format_fixture *fixture;
	u64 start, last;
	struct relay *relay;
};

static void mock_table(const struct mock_range *range, phys_addr_t table, u8 level, u64 base)
{
	u8 shift = MOCK_LG2 + 9 * level;

	for (u64 index = 0; index < 512; index++) {
		u64 iova = base + (index << shift), entry;
		u8 lg2;

		if (iova > range->last || iova + ((1ULL << shift) - 1) < range->start)
			continue;
		entry = format_word(range->fixture->s, table + 8 * index);
		if (!(entry & 1))
			continue;
		if (level && (entry >> 9 & 7) && (entry >> 9 & 7) != 7) {
			mock_table(range, mock_phys(entry, 12), level - 1, iova);
			continue;
		}
		lg2 = mock_page_lg2(entry, shift);
		relay_leaf(range->relay,
			   &(struct hw_leaf){
				   .iova = iova,
				   .bytes = 1ULL << shift,
				   .phys = mock_phys(entry, lg2) | (iova & ((1ULL << lg2) - 1)),
				   .page_lg2 = lg2,
				   .read = entry >> 61 & 1,
				   .write = entry >> 62 & 1,
			   });
	}
}

static void mock_walk_range(const struct format_fixture *fixture, u64 start, u64 last,
			    seen_leaf_fn *leaf, void *cookie)
{
	struct relay relay = { .start = start, .last = last, .leaf = leaf, .cookie = cookie };
	const struct mock_range range = { fixture, start, last, &relay };

	mock_table(&range, fixture->pt.root, fixture->pt.levels - 1, 0);
	relay_end(&relay);
}

/* ---- Cases ----------------------------------------------------------------------------------- */

/* clang-format off */
#define CASE(name, table, judge, granule, both, halves, ...)     \
	const struct format_case format_##name = { \
		.ops = &pgtable_##table,           \
		.config = { __VA_ARGS__ },         \
		.granule_lg2 = granule,            \
		.index_lg2 = granule == MOCK_LG2 ? 9 : granule - 3, \
		.write_reads = both, \
		.signed_iova = halves, \
		.walk = judge##_walk,              \
		.walk_range = judge##_walk_range,  \
	}

CASE(x86_64_4, x86_64, x86_64, 12, true, true,
     .levels = 4, .pa_bits = 52, .huge_1g = true, .coherent = true);
CASE(x86_64_5, x86_64, x86_64, 12, true, true,
     .levels = 5, .pa_bits = 52, .huge_1g = true);
CASE(riscv_39, riscv, riscv, 12, true, true,
     .levels = 3, .pa_bits = 56, .coherent = true);
CASE(riscv_48, riscv, riscv, 12, true, true,
     .levels = 4, .pa_bits = 56, .coherent = true, .features = PGTABLE_NAPOT | PGTABLE_PBMT);
CASE(riscv_57, riscv, riscv, 12, true, true,
     .levels = 5, .pa_bits = 56, .features = PGTABLE_NAPOT);
CASE(riscv_39x4, riscv_g, riscv, 12, true, false,
     .levels = 3, .pa_bits = 56, .coherent = true);
CASE(armv8_s1_4k, armv8_s1_4k, arm, 12, true, false,
     .levels = 4, .pa_bits = 48, .coherent = true);
CASE(armv8_s1_4k_many, armv8_s1_4k, arm, 12, true, false,
     .levels = 4, .pa_bits = 48, .features = PGTABLE_CONTIGUOUS);
CASE(armv8_s1_16k, armv8_s1_16k, arm, 14, true, false,
     .levels = 4, .pa_bits = 48, .coherent = true, .features = PGTABLE_CONTIGUOUS);
CASE(armv8_s1_4k_bbm, armv8_s1_4k, arm, 12, true, false,
     .levels = 4, .pa_bits = 48, .features = PGTABLE_CONTIGUOUS | PGTABLE_BBML2);
CASE(armv8_s1_16k_bbm, armv8_s1_16k, arm, 14, true, false,
     .levels = 4, .pa_bits = 48, .coherent = true,
     .features = PGTABLE_CONTIGUOUS | PGTABLE_BBML2 | PGTABLE_HW_DIRTY);
CASE(armv8_s1_64k, armv8_s1_64k, arm, 16, true, false,
     .levels = 3, .pa_bits = 52, .coherent = true, .features = PGTABLE_CONTIGUOUS);
CASE(armv8_s2_4k, armv8_s2_4k, arm, 12, false, false,
     .levels = 3, .pa_bits = 48, .top_extra_lg2 = 4, .coherent = true);
CASE(armv8_s2_4k_lpa2, armv8_s2_4k_lpa2, arm, 12, false, false,
     .levels = 5, .pa_bits = 52, .coherent = true);
CASE(mock, mock, mock, MOCK_LG2, false, false,
     .levels = 5, .pa_bits = 51, .coherent = true);
/* clang-format on */
