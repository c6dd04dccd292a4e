/* SPDX-License-Identifier: MIT */
/*
 * The formats that no unit of the machine walks by itself: x86-64, RISC-V, Armv8, and the mock,
 * each with its judge (the mock's is in judges.c).
 */
#include "judges.h"

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

/* ---- x86-64 ---------------------------------------------------------------------------------- */

static struct hw_walk x86_64_see(const struct format_fixture *fixture, u64 iova,
				 const struct format_request *request)
{
	const struct hw_walk_start start = { fixture->pt.root, fixture->pt.levels, true, true };
	const struct hw_fs_access access = { .iova = iova,
					     .write = request->write,
					     .execute = request->execute,
					     .privileged = request->privileged };
	struct hw_walk walk;

	if (!hw_walk_vtd_fs_reaches(fixture->pt.levels, iova))
		return (struct hw_walk){ .fault = 0x80 };
	walk = hw_walk_vtd_fs_from(&fixture->iommu->walker, &start, &access);
	assert_true(!walk.fault || walk.fault == 0x71 || walk.fault == 0x85);
	return walk;
}

struct seen judge_x86_64_walk(const struct format_fixture *fixture, u64 iova)
{
	const struct format_request writes = { .write = true }, reads = { .write = false };
	struct hw_walk read = x86_64_see(fixture, iova, &reads);
	struct hw_walk write = x86_64_see(fixture, iova, &writes);

	return both(&read, &write);
}

void judge_x86_64_walk_range(const struct format_fixture *fixture, u64 start, u64 last,
			     seen_leaf_fn *leaf, void *cookie)
{
	struct judge_relay relay = { .start = start, .last = last, .leaf = leaf, .cookie = cookie };

	hw_walk_vtd_fs_range(&fixture->iommu->walker, fixture->pt.root, fixture->pt.levels, start,
			     last, judge_relay_leaf, NULL, &relay);
	judge_relay_end(&relay);
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

struct seen judge_riscv_walk(const struct format_fixture *fixture, u64 iova)
{
	struct hw_riscv_stage stage = riscv_stage(fixture);
	struct hw_riscv_access access = { .iova = iova };
	struct hw_walk read = hw_walk_riscv(&stage, &access), write;

	access.write = true;
	write = hw_walk_riscv(&stage, &access);
	return both(&read, &write);
}

void judge_riscv_walk_range(const struct format_fixture *fixture, u64 start, u64 last,
			    seen_leaf_fn *leaf, void *cookie)
{
	struct hw_riscv_stage stage = riscv_stage(fixture);
	struct judge_relay relay = { .start = start, .last = last, .leaf = leaf, .cookie = cookie };

	hw_walk_riscv_range(&stage, !stage.guest, start, last, judge_relay_leaf, NULL, &relay);
	judge_relay_end(&relay);
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

struct seen judge_arm_walk(const struct format_fixture *fixture, u64 iova)
{
	struct hw_arm_stage stage = arm_stage(fixture);
	struct hw_arm_access access = { .iova = iova, .privileged = true };
	struct hw_walk read = hw_walk_arm(&stage, &access), write;

	access.write = true;
	write = hw_walk_arm(&stage, &access);
	return both(&read, &write);
}

void judge_arm_walk_range(const struct format_fixture *fixture, u64 start, u64 last,
			  seen_leaf_fn *leaf, void *cookie)
{
	struct hw_arm_stage stage = arm_stage(fixture);
	struct judge_relay relay = { .start = start, .last = last, .leaf = leaf, .cookie = cookie };

	hw_walk_arm_range(&stage, start, last, judge_relay_leaf, NULL, &relay);
	judge_relay_end(&relay);
}

/* ---- Who may do what ------------------------------------------------------------------------- */

static bool riscv_may(const struct format_fixture *fixture, u64 iova,
		      const struct format_request *request)
{
	struct hw_riscv_stage stage = riscv_stage(fixture);
	const struct hw_riscv_access access = { .iova = iova,
						.write = request->write,
						.execute = request->execute,
						.supervisor = request->privileged };

	return !hw_walk_riscv(&stage, &access).fault;
}

static bool arm_may(const struct format_fixture *fixture, u64 iova,
		    const struct format_request *request)
{
	struct hw_arm_stage stage = arm_stage(fixture);
	const struct hw_arm_access access = { .iova = iova,
					      .write = request->write,
					      .execute = request->execute,
					      .privileged = request->privileged };

	return !hw_walk_arm(&stage, &access).fault;
}

bool format_may(const struct format_fixture *fixture, u64 iova,
		const struct format_request *request)
{
	struct seen seen;

	if (fixture->format->walk == judge_x86_64_walk)
		return !x86_64_see(fixture, iova, request).fault;
	if (fixture->format->walk == judge_riscv_walk)
		return riscv_may(fixture, iova, request);
	if (fixture->format->walk == judge_arm_walk)
		return arm_may(fixture, iova, request);
	seen = fixture->format->walk(fixture, iova);
	return request->write ? seen.write : seen.read;
}

/* ---- Cases ----------------------------------------------------------------------------------- */

/* clang-format off */
FORMAT_CASE(x86_64_4, x86_64, x86_64, 12, true, true,
     .levels = 4, .pa_bits = 52, .huge_1g = true, .coherent = true);
FORMAT_CASE(x86_64_5, x86_64, x86_64, 12, true, true,
     .levels = 5, .pa_bits = 52, .huge_1g = true);
FORMAT_CASE(riscv_39, riscv, riscv, 12, true, true,
     .levels = 3, .pa_bits = 56, .coherent = true);
FORMAT_CASE(riscv_48, riscv, riscv, 12, true, true,
     .levels = 4, .pa_bits = 56, .coherent = true, .features = PGTABLE_NAPOT | PGTABLE_PBMT);
FORMAT_CASE(riscv_57, riscv, riscv, 12, true, true,
     .levels = 5, .pa_bits = 56, .features = PGTABLE_NAPOT);
FORMAT_CASE(riscv_39x4, riscv_g, riscv, 12, true, false,
     .levels = 3, .pa_bits = 56, .coherent = true);
FORMAT_CASE(armv8_s1_4k, armv8_s1_4k, arm, 12, true, false,
     .levels = 4, .pa_bits = 48, .coherent = true);
FORMAT_CASE(armv8_s1_4k_many, armv8_s1_4k, arm, 12, true, false,
     .levels = 4, .pa_bits = 48, .features = PGTABLE_CONTIGUOUS);
FORMAT_CASE(armv8_s1_16k, armv8_s1_16k, arm, 14, true, false,
     .levels = 3, .pa_bits = 48, .coherent = true, .features = PGTABLE_CONTIGUOUS);
FORMAT_CASE(armv8_s1_4k_bbm, armv8_s1_4k, arm, 12, true, false,
     .levels = 4, .pa_bits = 48, .features = PGTABLE_CONTIGUOUS | PGTABLE_BBML2);
FORMAT_CASE(armv8_s1_16k_bbm, armv8_s1_16k, arm, 14, true, false,
     .levels = 4, .pa_bits = 48, .coherent = true,
     .features = PGTABLE_CONTIGUOUS | PGTABLE_BBML2 | PGTABLE_HW_DIRTY);
FORMAT_CASE(armv8_s1_64k, armv8_s1_64k, arm, 16, true, false,
     .levels = 3, .pa_bits = 52, .coherent = true, .features = PGTABLE_CONTIGUOUS);
FORMAT_CASE(armv8_s2_4k, armv8_s2_4k, arm, 12, false, false,
     .levels = 3, .pa_bits = 48, .top_extra_lg2 = 4, .coherent = true);
FORMAT_CASE(armv8_s2_4k_lpa2, armv8_s2_4k_lpa2, arm, 12, false, false,
     .levels = 5, .pa_bits = 52, .coherent = true);
FORMAT_CASE(mock, mock, plain, 11, false, false,
     .levels = 5, .pa_bits = 51, .coherent = true);
/* clang-format on */
