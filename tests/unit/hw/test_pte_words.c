/* SPDX-License-Identifier: MIT */
/*
 * The words of tests/data/pte-vectors.tsv and pte-vectors-more.tsv as hardware reads them: laid
 * into a table by hand, and walked. Leaves must lead where the row says, be as large, and allow as
 * much; entries of tables must lead to the table. Of tables above the row's own nothing is there:
 * the walk begins at its level.
 */
#include <string.h>

#include "bench.h"
#include "hw/arm_walk.h"
#include "hw/riscv_walk.h"
#include "hw/vtd_fs.h"
#include "support/pte_rows.h"
#include "tables.h"

#define ROOT 0x1000000ULL /* 64 KiB, and aligned to that */

struct judge {
	struct bench *bench;
	struct hw_walker walker;
	u32 leaves, tables, refusals, no_hardware;
};

static bool is_of(const struct pte_row *row, const char *format)
{
	return !strncmp(row->format, format, strlen(format));
}

static bool may(const struct pte_row *row, char right)
{
	return strchr(row->prot, right);
}

/* log2 of what one item maps. */
static u8 item_lg2(const struct pte_row *row)
{
	u8 granule = strstr(row->format, "16k") ? 14 : strstr(row->format, "64k") ? 16 : 12;

	return (u8)(granule + (granule - 3) * row->level);
}

/* ---- Walks from the row's level on ----------------------------------------------------------- */

static struct hw_walk walk_x86_64(const struct judge *judge, const struct pte_row *row, u64 iova)
{
	const struct hw_walk_start start = { ROOT, (u8)(row->level + 1), true, true };
	const struct hw_fs_access access = { .iova = iova };

	return hw_walk_vtd_fs_from(&judge->walker, &start, &access);
}

static struct hw_walk walk_riscv(const struct judge *judge, const struct pte_row *row, u64 iova,
				 bool write)
{
	const struct hw_riscv_stage stage = { .walker = &judge->walker,
					      .root = ROOT,
					      .levels = (u8)(row->level + 1),
					      .guest = is_of(row, "riscv_g"),
					      .napot = pte_row_has(row, "NAPOT"),
					      .pbmt = pte_row_has(row, "PBMT") };
	const struct hw_riscv_access access = { .iova = iova, .write = write };

	return hw_walk_riscv(&stage, &access);
}

static struct hw_walk walk_arm(const struct judge *judge, const struct pte_row *row, u64 iova,
			       bool write)
{
	u8 granule = strstr(row->format, "16k") ? 14 : strstr(row->format, "64k") ? 16 : 12;
	bool lpa2 = pte_row_has(row, "LPA2");
	u8 width = item_lg2(row) + granule - 3;
	const struct hw_arm_stage stage = { .walker = &judge->walker,
					    .root = ROOT,
					    .granule_lg2 = granule,
					    .input_bits = width,
					    .levels = (u8)(row->level + 1),
					    .output_bits = lpa2 || granule == 16 ? 52 : 48,
					    .lpa2 = lpa2,
					    .second_stage = is_of(row, "arm_s2"),
					    .update_dirty = pte_row_has(row, "HD") };
	const struct hw_arm_access access = { .iova = iova,
					      .write = write,
					      .privileged = may(row, 'p') };

	return hw_walk_arm(&stage, &access);
}

static struct hw_walk walk(const struct judge *judge, const struct pte_row *row, u64 iova,
			   bool write)
{
	u8 levels = (u8)(row->level + 1);

	if (is_of(row, "amdv1"))
		return hw_walk_amd_v1(&judge->walker, ROOT, levels, iova, write);
	if (is_of(row, "vtdss"))
		return hw_walk_vtd_ss(&judge->walker, ROOT, levels, iova, write);
	if (is_of(row, "x86_64"))
		return walk_x86_64(judge, row, iova);
	if (is_of(row, "riscv"))
		return walk_riscv(judge, row, iova, write);
	return walk_arm(judge, row, iova, write);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* Hardware here knows no encryption: the mark is a bit of the address. */
static u64 marked(const struct pte_row *row)
{
	if (may(row, 'm'))
		return row->phys;
	return row->phys | (pte_row_has(row, "SME47")	? 1ULL << 47
			    : pte_row_has(row, "SME51") ? 1ULL << 51
							: 0);
}

/* Whether this format has pages that may be written and not read. */
static bool reads(const struct pte_row *row)
{
	return may(row, 'r') ||
	       !(is_of(row, "amdv1") || is_of(row, "vtdss") || is_of(row, "arm_s2"));
}

static void check_address(const struct judge *judge, const struct pte_row *row, u64 iova, u64 at)
{
	struct hw_walk found = walk(judge, row, iova + at, !reads(row));

	if (found.fault || found.phys != (marked(row) | at) || found.page_lg2 != row->size_lg2 ||
	    found.read != reads(row) || found.write != may(row, 'w'))
		fail_msg("row %d, byte 0x%llx: fault 0x%x phys 0x%llx of 2^%u%s%s", row->id, at,
			 found.fault, found.phys, found.page_lg2, found.read ? " R" : "",
			 found.write ? " W" : "");
}

/* As many items as the leaf has, behind as many empty ones. */
static void check_leaf(struct judge *judge, const struct pte_row *row)
{
	u64 word[PTE_WORDS_MAX], count = pte_row_words(row, word);
	u64 bytes = 1ULL << row->size_lg2, iova = count << item_lg2(row);

	expect_u64(count << item_lg2(row), bytes);
	for (u64 i = 0; i < count; i++)
		put_entry(&judge->bench->hw.ram, ROOT, count + i, word[i]);
	for (u64 i = 0; i < count; i++) {
		u64 at = i << item_lg2(row);

		check_address(judge, row, iova, at);
		check_address(judge, row, iova, at + (1ULL << item_lg2(row)) - 1);
	}
	check_address(judge, row, iova, bytes / 2 + 5);
	/* Not a byte less or more. */
	assert_true(walk(judge, row, iova - 1, !reads(row)).fault);
	for (u64 i = 0; i < count; i++)
		put_entry(&judge->bench->hw.ram, ROOT, count + i, 0);
	judge->leaves++;
}

/* The table is empty; but the walk was there. */
static void check_table(struct judge *judge, const struct pte_row *row)
{
	u64 word[PTE_WORDS_MAX];
	struct hw_walk found;

	expect_u64(pte_row_words(row, word), 1);
	put_entry(&judge->bench->hw.ram, ROOT, 3, word[0]);
	found = walk(judge, row, 3ULL << item_lg2(row), false);
	assert_true(found.fault);
	if (found.tables != 2 || found.step[1].table != marked(row) ||
	    found.step[1].levels != row->level)
		fail_msg("row %d: fault 0x%x, %u tables, the second of %u levels at 0x%llx",
			 row->id, found.fault, found.tables, found.step[1].levels,
			 found.step[1].table);
	put_entry(&judge->bench->hw.ram, ROOT, 3, 0);
	judge->tables++;
}

static void check_row(void *cookie, const struct pte_row *row)
{
	struct judge *judge = cookie;

	if (is_of(row, "amdv1mock"))
		judge->no_hardware++;
	else if (row->words[0] == 'E')
		judge->refusals++;
	else if (!strncmp(row->kind, "table", 5))
		check_table(judge, row);
	else
		check_leaf(judge, row);
}

static struct judge begin(struct bench *bench)
{
	return (struct judge){ .bench = bench,
			       .walker = { .ram = &bench->hw.ram,
					   .levels = 5,
					   .address_bits = 52,
					   .huge_1g = true,
					   .first_levels = 5,
					   .first_huge_1g = true,
					   .snoop_control = true } };
}

/*
 * trust: words of every page-table format, as hardware reads them
 * | Linux's own code: pte-vectors.tsv, of which it writes 144
 */
static void words_that_linux_writes_are_read_as_they_were_meant(void **state)
{
	struct judge judge = begin(*state);

	expect_u64(pte_rows_read("pte-vectors.tsv", check_row, &judge), PTE_ROWS);
	expect_u64(judge.no_hardware, 4);
	expect_u64(judge.refusals, 3);
	assert_true(judge.leaves > 100 && judge.tables > 30);
}

/*
 * trust: words that were worked out by hand, as hardware reads them
 * | our reading of the facts: pte-vectors-more.tsv
 */
static void words_that_were_worked_by_hand_are_read_as_they_were_meant(void **state)
{
	struct judge judge = begin(*state);

	expect_u64(pte_rows_read("pte-vectors-more.tsv", check_row, &judge), PTE_ROWS_MORE);
	expect_u64(judge.no_hardware, 3);
	expect_u64(judge.refusals, 0);
	expect_u64(judge.leaves + judge.tables + judge.no_hardware, PTE_ROWS_MORE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_ram, bench_teardown)

TEST_MAIN(TEST(words_that_linux_writes_are_read_as_they_were_meant),
	  TEST(words_that_were_worked_by_hand_are_read_as_they_were_meant))
