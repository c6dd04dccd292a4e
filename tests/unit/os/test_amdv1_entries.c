/* SPDX-License-Identifier: MIT */
/*
 * The words of AMD's v1 tables, bit by bit: against the rows of tests/data/pte-vectors.tsv, which
 * Linux's own code confirms, and against a table written out here; and what only these tables have:
 * pages of several entries, one to six levels, addresses of 64 bits.
 *
 * Rows 29 and 30 (dirty) are covered from the reader's side: hardware marks any one entry of a
 * page, the software reads and removes the page all the same. What it makes of the bit is
 * test_pgtable_dirty.c's.
 */
#include "formats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/pte_rows.h"

#define RW	  (IOMMU_READ | IOMMU_WRITE)
#define ADDRESS	  0x000ffffffffff000ULL /* bits 51:12 */
#define DIRTY	  0x40ULL
#define ROW_FIRST 1
#define ROW_LAST  40

/* ---- Tables of any shape --------------------------------------------------------------------- */

/* One table more on the fixture's machine. */
struct table {
	struct format_fixture *fixture;
	struct pgtable pt;
};

static struct table start(struct format_fixture *fixture, u8 levels, bool coherence, u8 encryption)
{
	struct table table = { .fixture = fixture };
	struct pgtable_config config = {
		.host = &fixture->s->os->tables,
		.levels = levels,
		.pa_bits = encryption ? encryption : 52,
		.coherent = true,
		.snoop = coherence,
		.encryption = encryption ? 1ULL << encryption : 0,
	};

	expect_ok(pgtable_amdv1.init(&table.pt, &config));
	return table;
}

static void end(struct table *table)
{
	pgtable_amdv1.fini(&table->pt);
}

static int map(struct table *table, u64 iova, phys_addr_t phys, u64 bytes, u32 prot)
{
	u64 mapped = 0;
	int err;

	format_release(table->fixture);
	iommu_iotlb_gather_init(&table->fixture->gather);
	err = pgtable_amdv1.map(&table->pt, iova, phys, bytes, prot, &table->fixture->gather,
				&mapped);
	if (!err)
		expect_u64(mapped, bytes);
	return err;
}

static u64 unmap(struct table *table, u64 iova, u64 bytes)
{
	format_release(table->fixture);
	iommu_iotlb_gather_init(&table->fixture->gather);
	return pgtable_amdv1.unmap(&table->pt, iova, bytes, &table->fixture->gather);
}

static struct hw_walk walk(const struct table *table, u64 iova)
{
	return hw_walk_amd_v1(&table->fixture->iommu->walker, table->pt.root, table->pt.levels,
			      iova, false);
}

/* ---- Raw entries ----------------------------------------------------------------------------- */

static void store(const struct table *table, phys_addr_t at, u64 word)
{
	u8 byte[8];

	for (int i = 0; i < 8; i++)
		byte[i] = (u8)(word >> (8 * i));
	expect_u64(ram_write(&table->fixture->s->hw.ram, at, byte, 8), 8);
}

/* Where the entry of a level for this address is. */
static phys_addr_t place_of_entry(const struct table *table, u64 iova, u32 level)
{
	phys_addr_t at = table->pt.root;

	for (u32 above = table->pt.levels - 1; above > level; above--)
		at = format_word(table->fixture->s, at + 8 * (iova >> (12 + 9 * above) & 511)) &
		     ADDRESS & ~table->pt.encryption;
	return at + 8 * (iova >> (12 + 9 * level) & 511);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static struct table table_of(struct format_fixture *fixture, const struct pte_row *row)
{
	const char *encryption = strstr(row->features, "SME");

	return start(fixture, 6, strstr(row->features, "FC"),
		     encryption ? (u8)strtoul(encryption + 3, NULL, 10) : 0);
}

static void check_leaf(struct format_fixture *fixture, const struct pte_row *row)
{
	struct table table = table_of(fixture, row);
	u64 bytes = 1ULL << row->size_lg2, iova = 5 * bytes;
	bool dirty = strstr(row->kind, "+dirty");
	u64 words[PTE_WORDS_MAX];
	u32 count = pte_row_words(row, words);
	phys_addr_t place;

	expect_u64((u64)count << (12 + 9 * row->level), bytes);
	expect_ok(map(&table, iova, row->phys, bytes, format_prot(row->prot)));
	place = place_of_entry(&table, iova, row->level);
	for (u32 i = 0; i < count; i++) {
		expect_u64(format_word(table.fixture->s, place + 8 * i),
			   dirty ? words[i] & ~DIRTY : words[i]);
		store(&table, place + 8 * i, words[i]);
	}
	/* Not an entry more, on either side. */
	expect_u64(format_word(table.fixture->s, place - 8), 0);
	expect_u64(format_word(table.fixture->s, place + 8 * count), 0);
	expect_u64(pgtable_amdv1.iova_to_phys(&table.pt, iova + bytes - 5), row->phys + bytes - 5);
	expect_u64(pgtable_amdv1.iova_to_phys(&table.pt, iova + bytes / 2), row->phys + bytes / 2);
	expect_u64(unmap(&table, iova, 4096), bytes);
	for (u32 i = 0; i < count; i++)
		expect_u64(format_word(table.fixture->s, place + 8 * i), 0);
	end(&table);
}

/* The table is where the allocator put it; all other bits are the row's. */
static void check_table(struct format_fixture *fixture, const struct pte_row *row)
{
	struct table table = table_of(fixture, row);
	u64 word = strtoull(row->words, NULL, 16), entry;
	u64 iova = 7ULL << (12 + 9 * row->level);
	u64 address = ADDRESS & ~table.pt.encryption;

	assert_true(row->level < table.pt.levels);
	expect_u64(word & address, row->phys);
	expect_ok(map(&table, iova, 0x1000, 4096, RW));
	entry = format_word(table.fixture->s, place_of_entry(&table, iova, row->level));
	expect_u64(entry & ~address, word & ~address);
	assert_true(frames_allocated(&fixture->s->hw.frames, entry & address, 4096));
	expect_u64(unmap(&table, iova, 4096), 4096);
	end(&table);
}

struct judge {
	struct format_fixture *fixture;
	int met;
};

static void check_row(void *cookie, const struct pte_row *row)
{
	struct judge *judge = cookie;

	if (strcmp(row->format, "amdv1") != 0)
		return;
	print_message("# row %d\n", row->id);
	assert_int_equal(row->id, ROW_FIRST + judge->met);
	judge->met++;
	if (!strncmp(row->kind, "table", 5))
		check_table(judge->fixture, row);
	else
		check_leaf(judge->fixture, row);
}

/*
 * trust: AMD v1 entries, bit for bit
 * | Linux's own code: pte-vectors.tsv, rows K: generic_pt of 7.3.4
 */
static void the_vectors_of_linux_are_met(void **state)
{
	struct judge judge = { .fixture = *state };

	expect_u64(pte_rows_read("pte-vectors.tsv", check_row, &judge), PTE_ROWS);
	assert_int_equal(judge.met, ROW_LAST - ROW_FIRST + 1);
}

/* ---- Words written out ----------------------------------------------------------------------- */

/* Every size there is: k, and the bits 12 to k-2. By hand from the rule of facts 6.1. */
static void every_size_has_its_word(void **state)
{
	struct table table = start(*state, 6, false, 0);
	u32 sizes = 0;

	for (u8 lg2 = 12; lg2 <= 51; lg2++) {
		u64 bytes = 1ULL << lg2, phys = lg2 < 51 ? bytes : 0, word = phys;
		u8 level = (u8)((lg2 - 12) / 9);
		u64 items = 1ULL << ((lg2 - 12) % 9);
		phys_addr_t place;

		if (lg2 == 39)
			continue;
		sizes++;
		word |= 0x6000000000000001ULL;
		for (u8 bit = 12; items > 1 && bit <= lg2 - 2; bit++)
			word |= 1ULL << bit;
		word |= items > 1 ? 0xe00 : 0;
		expect_ok(map(&table, 3 * bytes, phys, bytes, RW));
		place = place_of_entry(&table, 3 * bytes, level);
		for (u64 i = 0; i < items; i++)
			expect_u64(format_word(table.fixture->s, place + 8 * i), word);
		expect_u64(walk(&table, 3 * bytes + bytes / 2 + 1).phys, phys + bytes / 2 + 1);
		expect_u64(walk(&table, 3 * bytes).page_lg2, lg2);
		expect_u64(unmap(&table, 3 * bytes, bytes), bytes);
	}
	expect_u64(sizes, 39);
	expect_u64(table.pt.page_sizes, 0x000fff7ffffff000ULL);
	end(&table);
}

/* Consecutive pages of 16 KiB: four equal entries each. */
static void pages_of_a_run_follow_each_other(void **state)
{
	struct table table = start(*state, 3, true, 0);
	phys_addr_t place;

	expect_ok(map(&table, 0x4000, 0x7654000, 0x8000, IOMMU_READ));
	place = place_of_entry(&table, 0, 0);
	for (u64 i = 0; i < 16; i++)
		expect_u64(format_word(table.fixture->s, place + 8 * i),
			   i < 4    ? 0
			   : i < 8  ? 0x3000000007655e01ULL
			   : i < 12 ? 0x3000000007659e01ULL
				    : 0);
	expect_u64(unmap(&table, 0x4000, 0x8000), 0x8000);
	end(&table);
}

/* No FC: that is for leaves. Read and write, whatever the leaf allows; NextLevel is the level. */
static void entries_of_tables_allow_everything(void **state)
{
	struct table table = start(*state, 6, true, 0);

	expect_ok(map(&table, 0x5000, 0x1000, 4096, IOMMU_READ));
	for (u32 level = 1; level < 6; level++)
		expect_u64(format_word(table.fixture->s, place_of_entry(&table, 0x5000, level)) &
				   ~ADDRESS,
			   0x6000000000000001ULL | level << 9);
	end(&table);
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

/* Nothing as large as half of what can be addressed, nor larger than memory; never 512 GiB. */
static void the_sizes_fit_the_tables_and_the_memory(void **state)
{
	static const struct {
		u8 levels;
		u8 pa_bits;
		u64 sizes;
	} row[] = {
		{ 1, 52, 0x00000000000ff000ULL }, { 2, 52, 0x000000001ffff000ULL },
		{ 3, 52, 0x0000003ffffff000ULL }, { 4, 52, 0x00007f7ffffff000ULL },
		{ 5, 52, 0x000fff7ffffff000ULL }, { 6, 52, 0x000fff7ffffff000ULL },
		{ 6, 46, 0x00003f7ffffff000ULL }, { 3, 32, 0x00000000fffff000ULL },
	};
	struct format_fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct pgtable_config config = { .host = &fixture->s->os->tables,
						 .levels = row[i].levels,
						 .pa_bits = row[i].pa_bits,
						 .coherent = true };
		struct pgtable pt;

		expect_ok(pgtable_amdv1.init(&pt, &config));
		expect_u64(pt.page_sizes, row[i].sizes);
		pgtable_amdv1.fini(&pt);
		/* Fewer if that is wanted, but the smallest always. */
		config.page_sizes = 0x40202000;
		expect_ok(pgtable_amdv1.init(&pt, &config));
		expect_u64(pt.page_sizes, (row[i].sizes & 0x40202000) | 0x1000);
		pgtable_amdv1.fini(&pt);
	}
}

/*   512 GiB, aligned: two leaves of 256 GiB, which are 512 entries of a table of level 2 */
static void half_a_tebibyte_takes_two_leaves(void **state)
{
	struct table table = start(*state, 4, false, 0);
	u64 bytes = 1ULL << 39, before = table.fixture->s->os->tables.costs.entries_written;

	expect_ok(map(&table, bytes, bytes, bytes, RW));
	expect_u64(table.fixture->s->os->tables.costs.entries_written - before, 2);
	expect_u64(walk(&table, bytes).page_lg2, 38);
	expect_u64(walk(&table, 2 * bytes - 1).phys, 2 * bytes - 1);
	expect_u64(unmap(&table, bytes, bytes), bytes);
	end(&table);
}

/*   iova   5        8               16                       25    pages
 *          |1|   2  |       8       |         8        | 1   |       leaves */
static void a_range_takes_the_largest_leaves_its_addresses_allow(void **state)
{
	static const struct {
		u64 page;
		u8 lg2;
	} row[] = { { 5, 12 },	{ 6, 13 },  { 7, 13 },	{ 8, 15 },
		    { 15, 15 }, { 16, 15 }, { 23, 15 }, { 24, 12 } };
	struct table table = start(*state, 3, false, 0);

	expect_ok(map(&table, 0x5000, 0x105000, 20 * 4096, RW));
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		u64 iova = row[i].page << 12;

		expect_u64(walk(&table, iova).page_lg2, row[i].lg2);
		expect_u64(walk(&table, iova + 0xabc).phys, iova + 0x100abc);
	}
	expect_u64(table.fixture->s->os->tables.costs.entries_written, 5);
	expect_u64(unmap(&table, 0x5000, 20 * 4096), 20 * 4096);
	expect_u64(table.fixture->s->os->tables.costs.entries_cleared, 5);
	end(&table);
}

/* ---- Pages of several entries ---------------------------------------------------------------- */

/* Not its first entry: nothing goes. In its middle an end takes it whole. */
static void a_page_goes_whole_or_not_at_all(void **state)
{
	struct table table = start(*state, 3, false, 0);
	u64 bytes = 0x10000;

	expect_ok(map(&table, bytes, bytes, bytes, RW));
	for (u64 at = 0x1000; at < bytes; at += 0x1000) {
		expect_u64(unmap(&table, bytes + at, 0x1000), 0);
		expect_u64(walk(&table, bytes + at).phys, bytes + at);
	}
	expect_u64(unmap(&table, bytes, 0x1000), bytes);
	expect_u64(table.fixture->gather.start, bytes);
	expect_u64(table.fixture->gather.last, 2 * bytes - 1);
	for (u64 at = 0; at < bytes; at += 0x1000)
		assert_int_equal(walk(&table, bytes + at).fault, 2);
	end(&table);
}

/* A page is in the way of each entry in turn: nothing is written, and nothing beside it is lost. */
static void any_entry_in_use_refuses_the_page(void **state)
{
	struct table table = start(*state, 3, false, 0);

	for (u64 page = 16; page < 32; page++) {
		expect_ok(map(&table, page << 12, 0x5000, 4096, RW));
		expect_error(map(&table, 0x10000, 0x10000, 0x10000, RW), -EADDRINUSE);
		for (u64 at = 16; at < 32; at++)
			assert_int_equal(walk(&table, at << 12).fault, at == page ? 0 : 2);
		expect_u64(unmap(&table, page << 12, 4096), 4096);
	}
	expect_ok(map(&table, 0x10000, 0x10000, 0x10000, RW));
	for (u64 page = 16; page < 32; page++)
		expect_error(map(&table, page << 12, 0x5000, 4096, RW), -EADDRINUSE);
	end(&table);
}

/* 8 MiB are four entries; what hangs on them must be empty, and goes only if all of it is. */
static void a_page_takes_the_place_of_empty_tables_or_of_none(void **state)
{
	struct table table = start(*state, 3, false, 0);
	u64 bytes = 0x800000, tables;

	for (u64 i = 0; i < 4; i++)
		expect_ok(map(&table, bytes + i * 0x200000, 0x5000, 4096, RW));
	for (u64 i = 0; i < 3; i++)
		expect_u64(unmap(&table, bytes + i * 0x200000, 4096), 4096);
	tables = format_tables(table.fixture);
	expect_error(map(&table, bytes, bytes, bytes, RW), -EADDRINUSE);
	assert_null(table.fixture->gather.freelist);
	expect_u64(format_tables(table.fixture), tables);
	expect_u64(unmap(&table, bytes + 3 * 0x200000, 4096), 4096);
	expect_ok(map(&table, bytes, bytes, bytes, RW));
	expect_u64(table.fixture->gather.table_levels, 0x2);
	expect_u64(table.fixture->gather.start, bytes);
	expect_u64(table.fixture->gather.last, 2 * bytes - 1);
	expect_u64(format_release(table.fixture), 4);
	expect_u64(format_tables(table.fixture), tables - 4);
	expect_u64(walk(&table, bytes).page_lg2, 23);
	end(&table);
}

/*   |  8 MiB  |  8 MiB  |     an empty table in the second: that one is what must be invalidated */
static void only_what_held_tables_is_gathered(void **state)
{
	struct table table = start(*state, 3, false, 0);
	u64 bytes = 0x800000;

	expect_ok(map(&table, 3 * bytes + 0x200000, 0x5000, 4096, RW));
	expect_u64(unmap(&table, 3 * bytes + 0x200000, 4096), 4096);
	expect_ok(map(&table, 2 * bytes, 2 * bytes + (1ULL << 30) + bytes, 2 * bytes, RW));
	expect_u64(walk(&table, 3 * bytes).page_lg2, 23);
	expect_u64(table.fixture->gather.start, 3 * bytes + 0x200000);
	expect_u64(table.fixture->gather.last, 3 * bytes + 0x3fffff);
	expect_u64(format_release(table.fixture), 1);
	end(&table);
}

/* ---- Levels ---------------------------------------------------------------------------------- */

static void every_number_of_levels_reaches_its_last_page(void **state)
{
	static const u8 bits[] = { 21, 30, 39, 48, 57, 64 };

	for (u8 levels = 1; levels <= 6; levels++) {
		struct table table = start(*state, levels, false, 0);
		u64 last = ~0ULL >> (64 - bits[levels - 1]), page = last & ~0xfffULL;

		expect_u64(table.pt.va_bits, bits[levels - 1]);
		expect_ok(map(&table, 0, 0x9000, 4096, RW));
		expect_ok(map(&table, page, 0x7000, 4096, RW));
		expect_u64(walk(&table, last).phys, 0x7fff);
		expect_u64(walk(&table, 5).phys, 0x9005);
		expect_u64(walk(&table, last).reads, levels);
		expect_u64(pgtable_amdv1.iova_to_phys(&table.pt, last), 0x7fff);
		if (levels < 6) {
			expect_error(map(&table, last + 1, 0x9000, 4096, RW), -ERANGE);
			expect_error(map(&table, page, 0x7000, 8192, RW), -ERANGE);
			expect_u64(pgtable_amdv1.iova_to_phys(&table.pt, last + 1), 0);
			expect_u64(unmap(&table, page, 8192), 0);
		}
		expect_u64(unmap(&table, page, 4096), 4096);
		expect_u64(table.fixture->gather.last, last);
		expect_u64(unmap(&table, 0, 4096), 4096);
		end(&table);
	}
}

/* The last bytes there are: an unmap must not go on at address 0. */
static void an_unmap_ends_with_the_address_space(void **state)
{
	struct table table = start(*state, 6, false, 0);
	u64 start_at = 0 - (3ULL << 21) - 0x3000;

	expect_ok(map(&table, 0, 0x9000, 4096, RW));
	expect_ok(map(&table, start_at, (1ULL << 30) - 0x3000, (3ULL << 21) + 0x3000, RW));
	expect_error(map(&table, 0 - 0x1000ULL, 0x9000, 8192, RW), -EOVERFLOW);
	expect_u64(unmap(&table, start_at, (3ULL << 21) + 0x3000), (3ULL << 21) + 0x3000);
	expect_u64(table.fixture->gather.start, start_at);
	expect_u64(table.fixture->gather.last, ~0ULL);
	expect_u64(walk(&table, 0).phys, 0x9000);
	assert_int_equal(walk(&table, ~0ULL).fault, 2);
	/* And a table that lies at the end goes like any other. */
	expect_ok(map(&table, 0 - (1ULL << 21), 0x1000, 1ULL << 21, RW));
	expect_u64(unmap(&table, 0 - (1ULL << 21), 1ULL << 21), 1ULL << 21);
	expect_u64(table.fixture->gather.table_levels, 0x2);
	expect_u64(format_release(table.fixture), 1);
	end(&table);
}

/* 2^64 bytes in leaves of 2 PiB. How many went cannot be returned; that they went is gathered. */
static void the_whole_address_space_can_go_at_once(void **state)
{
	struct table table = start(*state, 6, false, 0);
	u64 bytes = 1ULL << 51;

	for (u64 i = 0; i < 1U << 13; i++)
		expect_ok(map(&table, i * bytes, 0, bytes, RW));
	expect_u64(walk(&table, ~0ULL).phys, bytes - 1);
	expect_u64(unmap(&table, 0, ~0ULL), 0);
	expect_u64(table.fixture->gather.start, 0);
	expect_u64(table.fixture->gather.last, ~0ULL);
	expect_u64(table.fixture->gather.leaf_levels, 0x10);
	assert_int_equal(walk(&table, 0).fault, 2);
	assert_int_equal(walk(&table, ~0ULL).fault, 2);
	end(&table);
}

#define TEST(name) ON_FORMAT(amdv1_5, name)

TEST_MAIN(TEST(the_vectors_of_linux_are_met), TEST(every_size_has_its_word),
	  TEST(pages_of_a_run_follow_each_other), TEST(entries_of_tables_allow_everything),
	  TEST(the_sizes_fit_the_tables_and_the_memory), TEST(half_a_tebibyte_takes_two_leaves),
	  TEST(a_range_takes_the_largest_leaves_its_addresses_allow),
	  TEST(a_page_goes_whole_or_not_at_all), TEST(any_entry_in_use_refuses_the_page),
	  TEST(a_page_takes_the_place_of_empty_tables_or_of_none),
	  TEST(every_number_of_levels_reaches_its_last_page),
	  TEST(an_unmap_ends_with_the_address_space), TEST(the_whole_address_space_can_go_at_once),
	  TEST(only_what_held_tables_is_gathered))
