/* SPDX-License-Identifier: MIT */
/*
 * What Linux's self-tests of its Arm tables check (facts "iova-and-page-tables" 4.1), in their 126
 * configurations: three granules, every input width of 32, 36, 40, 42, 44 and 48 bits with every
 * output width that is not smaller, two stages. The hardware's walker looks, too.
 */
#include <errno.h>

#include "formats.h"
#include "hw/arm_walk.h"

static const u8 widths[] = { 32, 36, 40, 42, 44, 48 };

#define WIDTHS (sizeof(widths) / sizeof(widths[0]))

static const struct kind {
	u8 granule;
	const struct pgtable_ops *ops[2]; /* by stage */
	u64 sizes;
} kinds[] = {
	{ 12,
	  { &pgtable_armv8_s1_4k, &pgtable_armv8_s2_4k },
	  1ULL << 12 | 1ULL << 21 | 1ULL << 30 },
	{ 14, { &pgtable_armv8_s1_16k, &pgtable_armv8_s2_16k }, 1ULL << 14 | 1ULL << 25 },
	{ 16, { &pgtable_armv8_s1_64k, &pgtable_armv8_s2_64k }, 1ULL << 16 | 1ULL << 29 },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct subject {
	struct dmasim *s;
	struct hw_iommu *iommu;
	const struct kind *kind;
	const struct pgtable_ops *ops;
	struct pgtable pt;
	u8 stage, input, output;
};

/* ---- Geometry -------------------------------------------------------------------------------- */

/* How many levels so many bits take: a table is a granule of 8-byte words. */
static u8 levels_for(u8 granule, u8 bits)
{
	return (u8)((bits - granule + (granule - 3) - 1) / (granule - 3));
}

/*
 * Where a second stage must begin a level lower, with several tables side by side (facts 2.4);
 * Arm counts levels downwards, the last is 3.
 */
static bool begins_lower(u8 granule, u8 levels, u8 input, u8 output)
{
	u8 start = 4 - levels;

	if (granule == 14 && start == 0)
		return output == 48 || input == 48;
	if (granule == 12 && start == 0)
		return output == 40 || output == 42;
	return granule == 14 && start == 1 && output == 40;
}

static struct pgtable_config geometry(const struct subject *subject)
{
	u8 granule = subject->kind->granule;
	struct pgtable_config config = {
		.levels = levels_for(granule, subject->input),
		.pa_bits = subject->output,
		.coherent = true,
	};

	if (subject->stage == 2 &&
	    begins_lower(granule, config.levels, subject->input, subject->output)) {
		config.levels--;
		config.top_extra_lg2 =
			(u8)(subject->input - granule - (granule - 3) * config.levels);
		/* 2, 8 or 16 tables: more is refused. */
		assert_in_range(config.top_extra_lg2, 1, 4);
	}
	return config;
}

/* ---- Looking --------------------------------------------------------------------------------- */

/* What hardware makes of the address; 0: nothing. */
static u64 walk(const struct subject *subject, u64 iova, bool write)
{
	const struct hw_arm_stage stage = {
		.walker = &subject->iommu->walker,
		.root = subject->pt.root,
		.granule_lg2 = subject->kind->granule,
		.input_bits = subject->pt.va_bits,
		.levels = subject->pt.levels,
		.output_bits = subject->output,
		.second_stage = subject->stage == 2,
	};
	const struct hw_arm_access access = { .iova = iova, .write = write };
	struct hw_walk found = hw_walk_arm(&stage, &access);

	if (found.fault)
		assert_true(found.fault == 0x10 || found.fault == 0x13);
	return found.fault ? 0 : found.phys;
}

static u64 lookup(struct subject *subject, u64 iova)
{
	return subject->ops->iova_to_phys(&subject->pt, iova);
}

static void expect_identity(struct subject *subject, u64 iova, bool read, bool write)
{
	expect_u64(lookup(subject, iova), iova);
	expect_u64(walk(subject, iova, false), read ? iova : 0);
	expect_u64(walk(subject, iova, true), write ? iova : 0);
}

static void expect_nothing(struct subject *subject, u64 iova)
{
	expect_u64(lookup(subject, iova), 0);
	expect_u64(walk(subject, iova, false), 0);
	expect_u64(walk(subject, iova, true), 0);
}

/* ---- Doing ----------------------------------------------------------------------------------- */

static int map(struct subject *subject, u64 iova, u64 bytes, u32 prot)
{
	struct iommu_iotlb_gather gather;
	u64 mapped = 0;
	int err;

	iommu_iotlb_gather_init(&gather);
	err = subject->ops->map(&subject->pt, iova, iova, bytes, prot, &gather, &mapped);
	expect_u64(mapped, err ? 0 : bytes);
	assert_null(gather.freelist);
	return err;
}

/* What is told to be invalidated is the range, and its leaves are of the size's level. */
static void unmap(struct subject *subject, u64 iova, u64 bytes)
{
	struct iommu_iotlb_gather gather;
	u8 level = 0;

	for (u64 size = 1ULL << subject->kind->granule; size < bytes; level++)
		size <<= subject->kind->granule - 3;
	iommu_iotlb_gather_init(&gather);
	expect_u64(subject->ops->unmap(&subject->pt, iova, bytes, &gather), bytes);
	expect_u64(gather.start, iova);
	expect_u64(gather.last, iova + bytes - 1);
	expect_u64(gather.leaf_levels, 1U << level);
	assert_null(gather.freelist);
}

/* ---- Cases ----------------------------------------------------------------------------------- */

static void empty_tables_translate_nothing(struct subject *subject)
{
	for (u64 i = 0; i < 3; i++)
		expect_nothing(subject, i * SZ_1G + 42);
}

/* Each size at the next GiB, by itself; a second map there must fail. */
static void each_size_maps(struct subject *subject)
{
	u64 iova = 0;

	for (u64 sizes = subject->kind->sizes; sizes; sizes &= sizes - 1, iova += SZ_1G) {
		u64 size = sizes & -sizes;

		expect_ok(map(subject, iova, size, IOMMU_READ | IOMMU_WRITE));
		expect_error(map(subject, iova, size, IOMMU_READ | IOMMU_WRITE), -EADDRINUSE);
		expect_identity(subject, iova + 42, true, true);
		expect_identity(subject, iova + size - 1, true, true);
	}
}

/* Each goes as a whole; what takes its place may be written alone, where the format has that. */
static void each_size_goes_and_comes_back(struct subject *subject)
{
	u64 iova = 0;

	for (u64 sizes = subject->kind->sizes; sizes; sizes &= sizes - 1, iova += SZ_1G) {
		u64 size = sizes & -sizes;

		unmap(subject, iova, size);
		expect_nothing(subject, iova + 42);
		expect_ok(map(subject, iova, size, IOMMU_WRITE));
		expect_identity(subject, iova + 42, subject->stage == 1, true);
		unmap(subject, iova, size);
	}
}

/* The largest page at the very end of the input: where tables lie side by side, in the last. */
static void the_last_page_of_the_input_maps(struct subject *subject)
{
	u64 size = 1ULL << (63 - __builtin_clzll(subject->kind->sizes));
	u64 iova = (1ULL << subject->input) - size;

	expect_ok(map(subject, iova, size, IOMMU_READ | IOMMU_WRITE));
	expect_error(map(subject, iova, size, IOMMU_READ | IOMMU_WRITE), -EADDRINUSE);
	expect_identity(subject, iova + 42, true, true);
	expect_identity(subject, iova + size - 1, true, true);
	unmap(subject, iova, size);
	expect_nothing(subject, iova + 42);
}

static void check(struct subject *subject)
{
	struct pgtable_config config = geometry(subject);

	config.host = &subject->s->os->tables;
	expect_ok(subject->ops->init(&subject->pt, &config));
	expect_u64(subject->pt.page_sizes, subject->kind->sizes);
	assert_true(subject->pt.va_bits >= subject->input);
	empty_tables_translate_nothing(subject);
	each_size_maps(subject);
	each_size_goes_and_comes_back(subject);
	the_last_page_of_the_input_maps(subject);
	subject->ops->fini(&subject->pt);
	expect_u64(dmasim_in_use(subject->s, DMASIM_FAULT_TABLE_PAGE), 0);
}

static u32 check_stage(u8 stage)
{
	struct subject subject = { .s = dmasim_create(NULL), .stage = stage };
	u32 count = 0;

	assert_non_null(subject.s);
	subject.iommu = hw_iommu_add(&subject.s->hw, &(struct hw_iommu_desc){ .levels = 4,
									      .address_bits = 48,
									      .coherent = true,
									      .iotlb_entries = 4 });
	for (size_t kind = 0; kind < KINDS; kind++) {
		subject.kind = &kinds[kind];
		subject.ops = kinds[kind].ops[stage - 1];
		for (size_t input = 0; input < WIDTHS; input++) {
			for (size_t output = input; output < WIDTHS; output++) {
				subject.input = widths[input];
				subject.output = widths[output];
				check(&subject);
				count++;
			}
		}
	}
	expect_u64(dmasim_destroy(subject.s), 0);
	return count;
}

/*
 * trust: what Linux's self-tests of Arm's tables check, in their 126 configurations
 * | our reading of the facts: iova-and-page-tables 4.1, and the hardware side's walker
 */
static void a_first_stage_in_63_configurations(void **state)
{
	(void)state;
	expect_u64(check_stage(1), 63);
}

static void a_second_stage_in_63_configurations(void **state)
{
	(void)state;
	expect_u64(check_stage(2), 63);
}

TEST_MAIN(cmocka_unit_test(a_first_stage_in_63_configurations),
	  cmocka_unit_test(a_second_stage_in_63_configurations))
