/* SPDX-License-Identifier: MIT */
/*
 * The words of VT-d second-stage tables, bit by bit: against the rows of
 * tests/data/pte-vectors.tsv, which Linux's own code confirms, and against a table written out
 * here.
 *
 * Rows left out, which ask for tables of another shape, are test_pte_vectors.c's:
 *   59   the entry of a table of five levels
 *   61   FORCEW, read-only refused under a processor's erratum
 * Rows 50 and 54 (dirty) are covered from the reader's side: hardware sets the bit, the software
 * reads the address all the same. What it makes of the bit is test_pgtable_dirty.c's.
 */
#include "formats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/pte_rows.h"

#define RW	  (IOMMU_READ | IOMMU_WRITE)
#define ADDRESS	  0x000ffffffffff000ULL /* bits 51:12 */
#define ROW_FIRST 45
#define ROW_LAST  62

/* ---- Raw entries ----------------------------------------------------------------------------- */

static void store(const struct format_fixture *fixture, phys_addr_t at, u64 word)
{
	u8 byte[8];

	for (int i = 0; i < 8; i++)
		byte[i] = (u8)(word >> (8 * i));
	expect_u64(ram_write(&fixture->s->hw.ram, at, byte, 8), 8);
}

/* Where the entry of a level for this address is. */
static phys_addr_t place_of_entry(const struct format_fixture *fixture, u64 iova, u32 level)
{
	phys_addr_t table = fixture->pt.root;

	for (u32 at = fixture->pt.levels - 1; at > level; at--)
		table = format_word(fixture->s, table + 8 * (iova >> (12 + 9 * at) & 511)) &
			ADDRESS;
	return table + 8 * (iova >> (12 + 9 * level) & 511);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static bool left_out(const struct pte_row *row)
{
	return row->level == 4 || !strcmp(row->features, "FORCEW");
}

static bool concerns(const struct pte_row *row, const struct format_fixture *fixture)
{
	const char *features = !fixture->config.coherent ? "INCOH"
			       : fixture->config.snoop	 ? "SNP"
							 : "-";

	return !left_out(row) && !strcmp(row->features, features);
}

static void check_leaf(struct format_fixture *fixture, const struct pte_row *row)
{
	u64 bytes = 1ULL << row->size_lg2, iova = 3 * bytes;
	u64 word = strtoull(row->words, NULL, 16);
	bool dirty = strstr(row->kind, "+dirty");
	phys_addr_t place;

	expect_ok(format_map(fixture, iova, row->phys, bytes, format_prot(row->prot)));
	place = place_of_entry(fixture, iova, row->level);
	expect_u64(format_word(fixture->s, place), dirty ? word & ~0x200ULL : word);
	if (dirty) {
		store(fixture, place, word);
		format_expect(fixture, iova, row->phys, 4096, format_prot(row->prot));
	}
	expect_u64(fixture->format->ops->iova_to_phys(&fixture->pt, iova + 5), row->phys + 5);
	expect_u64(format_unmap(fixture, iova, bytes), bytes);
	expect_u64(format_word(fixture->s, place), 0);
}

static void check_refusal(struct format_fixture *fixture, const struct pte_row *row)
{
	u64 bytes = 1ULL << row->size_lg2;

	assert_string_equal(row->words, "EINVAL");
	expect_error(format_map(fixture, bytes, row->phys, bytes, format_prot(row->prot)), -EINVAL);
	expect_u64(format_leaves(fixture).all, 0);
}

/* The table is where the allocator put it; all other bits are the row's. */
static void check_table(struct format_fixture *fixture, const struct pte_row *row)
{
	u64 word = strtoull(row->words, NULL, 16), entry;
	u64 iova = 7ULL << (12 + 9 * row->level);

	assert_true(row->level < fixture->pt.levels);
	expect_u64(word & ADDRESS, row->phys);
	expect_ok(format_map(fixture, iova, 0x1000, 4096, RW));
	entry = format_word(fixture->s, place_of_entry(fixture, iova, row->level));
	expect_u64(entry & ~ADDRESS, word & ~ADDRESS);
	assert_true(frames_allocated(&fixture->s->hw.frames, entry & ADDRESS, 4096));
	expect_u64(format_unmap(fixture, iova, 4096), 4096);
}

struct judge {
	struct format_fixture *fixture; /* NULL: rows are counted */
	int rows, met;
};

static void check_row(void *cookie, const struct pte_row *row)
{
	struct judge *judge = cookie;

	if (strcmp(row->format, "vtdss") != 0)
		return;
	assert_int_equal(row->id, ROW_FIRST + judge->rows);
	judge->rows++;
	assert_int_equal(left_out(row), row->id == 59 || row->id == 61);
	if (judge->fixture ? !concerns(row, judge->fixture) : left_out(row))
		return;
	judge->met++;
	if (!judge->fixture)
		return;
	if (!strncmp(row->kind, "table", 5))
		check_table(judge->fixture, row);
	else if (row->words[0] == 'E')
		check_refusal(judge->fixture, row);
	else
		check_leaf(judge->fixture, row);
}

/*
 * trust: VT-d second-stage entries, bit for bit
 * | Linux's own code: pte-vectors.tsv, rows K: generic_pt of 7.3.4
 */
static void the_vectors_of_linux_are_met(void **state)
{
	struct format_fixture *fixture = *state;
	struct judge judge = { .fixture = fixture };

	expect_u64(pte_rows_read("pte-vectors.tsv", check_row, &judge), PTE_ROWS);
	/* Of the rows: 12 plain ones, 3 with snooping, 1 for an incoherent walker. */
	assert_int_equal(judge.met, !fixture->config.coherent ? 1 : fixture->config.snoop ? 3 : 12);
}

/* No row is forgotten: each is met on one of the formats, or left out by name. */
static void every_row_is_met_or_left_out_by_name(void **state)
{
	struct judge judge = { .fixture = NULL };

	(void)state;
	expect_u64(pte_rows_read("pte-vectors.tsv", check_row, &judge), PTE_ROWS);
	assert_int_equal(judge.rows, ROW_LAST - ROW_FIRST + 1);
	assert_int_equal(judge.met, 12 + 3 + 1);
}

/* ---- Words written out ----------------------------------------------------------------------- */

static const struct {
	u8 level;
	u32 prot;
	phys_addr_t phys;
	u64 word; /* without the snoop bit */
} words[] = {
	{ 0, IOMMU_READ, 0x123456000ULL, 0x0000000123456001ULL },
	{ 0, IOMMU_WRITE, 0x123456000ULL, 0x0000000123456002ULL },
	{ 0, RW, 0x123456000ULL, 0x0000000123456003ULL },
	{ 0, RW, 0x3ffffffff000ULL, 0x00003ffffffff003ULL },
	{ 0, RW, 0, 0x0000000000000003ULL },
	{ 1, IOMMU_READ, 0x123400000ULL, 0x0000000123400081ULL },
	{ 1, IOMMU_WRITE, 0x123400000ULL, 0x0000000123400082ULL },
	{ 1, RW, 0x123400000ULL, 0x0000000123400083ULL },
	{ 1, RW, 0x3fffffe00000ULL, 0x00003fffffe00083ULL },
	{ 2, IOMMU_READ, 0x140000000ULL, 0x0000000140000081ULL },
	{ 2, IOMMU_WRITE, 0x140000000ULL, 0x0000000140000082ULL },
	{ 2, RW, 0x140000000ULL, 0x0000000140000083ULL },
	{ 2, RW, 0x3fffc0000000ULL, 0x00003fffc0000083ULL },
};

static void every_leaf_has_its_word(void **state)
{
	struct format_fixture *fixture = *state;
	u64 snoop = fixture->config.snoop ? 0x800 : 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		u64 bytes = 4096ULL << (9 * words[i].level);

		expect_ok(format_map(fixture, bytes, words[i].phys, bytes, words[i].prot));
		expect_u64(format_word(fixture->s, place_of_entry(fixture, bytes, words[i].level)),
			   words[i].word | snoop);
		expect_u64(format_unmap(fixture, bytes, bytes), bytes);
	}
}

/* Consecutive leaves differ in their address only; entries beside them stay 0. */
static void leaves_of_a_run_follow_each_other(void **state)
{
	struct format_fixture *fixture = *state;
	u64 snoop = fixture->config.snoop ? 0x800 : 0;
	phys_addr_t table;

	expect_ok(format_map(fixture, 3ULL << 12, 0x7654000, 5ULL << 12, IOMMU_READ));
	table = place_of_entry(fixture, 0, 0);
	for (u64 i = 0; i < 512; i++)
		expect_u64(format_word(fixture->s, table + 8 * i),
			   i < 3 || i >= 8 ? 0 : (0x7654001 | snoop) + ((i - 3) << 12));
}

/* No snoop bit: that is for leaves. Read and write, whatever the leaf allows. */
static void entries_of_tables_allow_everything(void **state)
{
	struct format_fixture *fixture = *state;
	u64 flushed = fixture->config.coherent ? 0 : 0x400;

	expect_ok(format_map(fixture, 0x5000, 0x1000, 4096, IOMMU_READ));
	for (u32 level = 1; level < fixture->pt.levels; level++)
		expect_u64(format_word(fixture->s, place_of_entry(fixture, 0x5000, level)) &
				   ~ADDRESS,
			   0x3 | flushed);
}

/* Without 1 GiB leaves 1 GiB takes 512 of 2 MiB. */
static void a_gibibyte_without_huge_leaves_takes_512_entries(void **state)
{
	struct format_fixture *fixture = *state;

	expect_ok(format_map(fixture, SZ_1G, 5ULL * SZ_1G, SZ_1G, RW));
	for (u64 i = 0; i < 512; i++)
		expect_u64(format_word(fixture->s, place_of_entry(fixture, SZ_1G + i * SZ_2M, 1)),
			   (5ULL * SZ_1G + i * SZ_2M) | 0x83);
}

TEST_MAIN(ON_FORMAT(vtdss_4, the_vectors_of_linux_are_met),
	  ON_FORMAT(vtdss_snoop, the_vectors_of_linux_are_met),
	  ON_FORMAT(vtdss_incoherent, the_vectors_of_linux_are_met),
	  cmocka_unit_test(every_row_is_met_or_left_out_by_name), ON_VTDSS(every_leaf_has_its_word),
	  ON_VTDSS(leaves_of_a_run_follow_each_other), ON_VTDSS(entries_of_tables_allow_everything),
	  ON_FORMAT(vtdss_no_1g, a_gibibyte_without_huge_leaves_takes_512_entries))
