/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite of page-table formats looks at what a format is made from, too: what is
 * missing in it, and fields and masks that are a bit too short.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dmasim/pgtable-bench.h>
#include <dmasim/pgtable/format.h>

#include "support/expect.h"

extern const struct pgtable_ops pgtable_three_level;
extern const struct dmasim_walker_ops three_level_walker;

#define GOOD (&pgtable_three_level)
#define RW   (IOMMU_READ | IOMMU_WRITE)

/* A walker in front of another: what it reads lacks the highest bit. */
struct short_walker {
	struct dmasim_walker walker; /* the first */
	const struct dmasim_walker *asked;
};

static const struct dmasim_walker *asked_of(const struct dmasim_walker *walker)
{
	return ((const struct short_walker *)(const void *)walker)->asked;
}

static bool fetch_short(const struct dmasim_walker *walker, phys_addr_t phys, void *to, u32 bytes)
{
	const struct dmasim_walker *asked = asked_of(walker);

	if (!asked->fetch(asked, phys, to, bytes))
		return false;
	((u8 *)to)[bytes - 1] &= 0x7f;
	return true;
}

static void page_of_short(const struct dmasim_walker *walker, const struct dmasim_walker_page *page)
{
	asked_of(walker)->page(asked_of(walker), page);
}

static void table_of_short(const struct dmasim_walker *walker,
			   const struct dmasim_walker_table *table)
{
	asked_of(walker)->table(asked_of(walker), table);
}

static void hole_of_short(const struct dmasim_walker *walker, u64 iova, u8 lg2)
{
	asked_of(walker)->hole(asked_of(walker), iova, lg2);
}

static void wrong_of_short(const struct dmasim_walker *walker, u64 iova, u8 lg2)
{
	asked_of(walker)->wrong(asked_of(walker), iova, lg2);
}

static void walk_short(const struct dmasim_walker *walker, phys_addr_t table, u8 levels, u64 start,
		       u64 last)
{
	const struct short_walker shorter = {
		{ walker->ops, walker->address_bits, fetch_short, page_of_short, table_of_short,
		  hole_of_short, wrong_of_short },
		walker,
	};

	three_level_walker.walk(&shorter.walker, table, levels, start, last);
}

/* What the suite says first of the example with another format in its table, and configuration. */
static void says_of(const struct pt_format *format, const struct dmasim_walker_ops *walker,
		    struct pgtable_config config, const char *expected)
{
	const struct dmasim_pgtable_conform_options options = { DMASIM_PGTABLE_CONFORM,
								.scale_percent = 1 };
	struct pgtable_ops ops = *GOOD;
	const struct dmasim_pgtable_subject subject = { DMASIM_PGTABLE_SUBJECT, .ops = &ops,
							.walker = walker, .config = config };
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	ops.format = format;
	assert_true(dmasim_pgtable_conform(&subject, &options, out) > 0);
	fclose(out);
	if (!strstr(text, expected))
		fail_msg("'%s', expected '%s'", text, expected);
	free(text);
}

static void says(const struct pt_format *format, struct pgtable_config config, const char *expected)
{
	says_of(format, &three_level_walker, config, expected);
}

/* The word of a table that is one bit short, and what comes back of it. */
static u64 table_51_bits(const struct pgtable *pt, phys_addr_t phys, u8 level)
{
	return GOOD->format->table(pt, phys & ~(1ULL << 51), level);
}

/* Writer and reader agree, and hardware does not: the frame is one bit higher. */
static u64 table_higher(const struct pgtable *pt, phys_addr_t phys, u8 level)
{
	u64 word = GOOD->format->table(pt, 0, level);

	return word | (GOOD->format->table(pt, phys, level) ^ word) << 1;
}

static phys_addr_t address_higher(const struct pgtable *pt, u64 entry)
{
	return GOOD->format->address(pt, (entry & ~0x1ffffffULL) >> 1);
}

static u64 table_as_leaf(const struct pgtable *pt, phys_addr_t phys, u8 level)
{
	(void)level;
	return GOOD->format->leaf(pt, phys, RW, 32);
}

static u64 clean_word(u64 entry)
{
	return entry;
}

static void a_format_that_is_not_whole_is_told(void **state)
{
	const struct pgtable_config three = { .levels = 3 };
	struct pt_format format = *GOOD->format;

	(void)state;
	format.prot = NULL;
	says(&format, three, "not ok 1 - table: leaf, table, is_table, address or prot");
	format = *GOOD->format;
	format.clean = clean_word;
	says(&format, three, "not ok 1 - table: of is_dirty, clean and dirty the format has some");
	format = *GOOD->format;
	format.many = 1ULL << 4;
	says(&format, three, "not ok 1 - table: the format has `many`, and no leaf_lg2");
	format = *GOOD->format;
	format.granule_lg2 = 14;
	says(&format, three, "not ok 2 - empty: after init the smallest of page_sizes");
	says(GOOD->format, (struct pgtable_config){ .levels = 7 }, "has 7 levels: at most 6");
	says(GOOD->format, (struct pgtable_config){ .levels = 1, .levels_max = 9 }, "has 9 levels");
	says(GOOD->format, (struct pgtable_config){ .levels = 3, .pa_bits = 64 }, "at most 63");
}

static void a_table_that_is_not_found_everywhere_is_told(void **state)
{
	const struct pgtable_config three = { .levels = 3 };
	const struct pgtable_config narrow = { .levels = 3, .pa_bits = 40 };
	struct pt_format format = *GOOD->format;

	(void)state;
	format.table = table_51_bits;
	says(&format, three, "is for a table at 0x8000000000000, address() gives 0x0");
	format.table = table_higher;
	format.address = address_higher;
	says(&format, narrow, "is for a table at 0x2000, hardware goes to 0x4000");
	format = *GOOD->format;
	format.table = table_as_leaf;
	says(&format, three, "hardware takes it for none");
}

static void a_mask_of_hardware_that_is_short_is_told(void **state)
{
	const struct dmasim_walker_ops walker = { DMASIM_WALKER_OPS, .name = "short",
						  .walk = walk_short };

	(void)state;
	says_of(GOOD->format, &walker, (struct pgtable_config){ .levels = 3 },
		"not ok 4 - width: hardware would find 2^12 bytes at 0x1000 that lead to 0x0, "
		"read, write, expected a leaf of 2^12 to 0x8000000000000, read, write; read last: "
		"0x800000000000000f at 0x");
}

/* What a format does not have is no check passed: the line says that nothing was looked at. */
static void what_is_absent_is_told(void **state)
{
	const struct dmasim_pgtable_conform_options dirty = { DMASIM_PGTABLE_CONFORM,
							      .check = "dirty" };
	const struct dmasim_pgtable_conform_options reshape = { DMASIM_PGTABLE_CONFORM,
								.check = "reshape" };
	struct pgtable_ops ops = *GOOD;
	const struct dmasim_pgtable_subject subject = { DMASIM_PGTABLE_SUBJECT, .ops = &ops };
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	assert_non_null(out);
	ops.cut = NULL;
	expect_u64(dmasim_pgtable_conform(&subject, &dirty, out), 0);
	expect_u64(dmasim_pgtable_conform(&subject, &reshape, out), 0);
	fclose(out);
	assert_non_null(strstr(text, "ok 1 - dirty # SKIP it has no marks of what was written"));
	assert_non_null(strstr(text, "ok 1 - reshape # SKIP it has no cut\n"));
	free(text);
}

TEST_MAIN(cmocka_unit_test(a_format_that_is_not_whole_is_told),
	  cmocka_unit_test(a_table_that_is_not_found_everywhere_is_told),
	  cmocka_unit_test(what_is_absent_is_told),
	  cmocka_unit_test(a_mask_of_hardware_that_is_short_is_told))
