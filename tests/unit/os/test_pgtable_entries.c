/* SPDX-License-Identifier: MIT */
/*
 * Entries by themselves, in every format, at every level, of every size (the cases of Linux's
 * format suite, facts "iova-and-page-tables" 2.8): what an entry is made from is what it says.
 */
#include <errno.h>

#include <dmasim/pgtable/format.h>

#include "formats.h"
#include "judges.h"

#define RW	(IOMMU_READ | IOMMU_WRITE)
#define PATTERN 0x74a71445deadbeefULL
#define PROTS	64U

static const struct pt_format *format_of(const struct format_fixture *fixture)
{
	return fixture->format->ops->format;
}

static u8 level_lg2(const struct format_fixture *fixture, u8 level)
{
	return (u8)(fixture->format->granule_lg2 + fixture->format->index_lg2 * level);
}

static u8 level_of(const struct format_fixture *fixture, u8 lg2)
{
	return (u8)((lg2 - fixture->format->granule_lg2) / fixture->format->index_lg2);
}

/* An address within the width, aligned to a size: the number-th of three kinds. */
static phys_addr_t address(const struct format_fixture *fixture, u8 lg2, u32 number)
{
	const u64 kinds[] = { 0, PATTERN, ~0ULL };
	u64 width = (1ULL << fixture->pt.pa_bits) - 1;

	return kinds[number] & width & ~((1ULL << lg2) - 1);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

static void tables_lead_where_they_were_told(void **state)
{
	struct format_fixture *fixture = *state;
	const struct pt_format *format = format_of(fixture);

	for (u8 level = 1; level < fixture->pt.levels; level++) {
		for (u32 number = 0; number < 3; number++) {
			phys_addr_t phys = address(fixture, format->index_lg2 + 3, number);
			u64 entry = format->table(&fixture->pt, phys, level);

			assert_true(entry);
			assert_true(format->is_table(entry, level));
			expect_u64(format->address(&fixture->pt, entry), phys);
			/* The software's bit tells nothing else. */
			assert_false(entry & format->flushed);
			expect_u64(format->address(&fixture->pt, entry | format->flushed), phys);
			assert_true(format->is_table(entry | format->flushed, level));
		}
	}
}

/* What the levels index is the whole width, each bit once; with all of Arm's levels, more. */
static void levels_share_the_bits_of_an_address(void **state)
{
	struct format_fixture *fixture = *state;
	const struct pt_format *format = format_of(fixture);
	u64 seen = (1ULL << format->granule_lg2) - 1;

	for (u8 level = 0; level < fixture->pt.levels; level++) {
		u64 entries = pt_entries(format, &fixture->pt, level);
		u64 bits = (entries - 1) << level_lg2(fixture, level);

		assert_false(seen & bits);
		seen |= bits;
	}
	if (format->grow)
		return;
	if (fixture->format->walk == judge_arm_walk)
		seen &= (1ULL << fixture->pt.va_bits) - 1;
	expect_u64(seen, (1ULL << fixture->pt.va_bits) - 1);
}

/* No leaf is smaller than an entry of its level, or the whole table; natural ones there are. */
static void sizes_are_those_of_their_levels(void **state)
{
	struct format_fixture *fixture = *state;
	u8 granule = fixture->format->granule_lg2;

	assert_true(fixture->pt.page_sizes >> granule & 1);
	assert_false(fixture->pt.page_sizes & ((1ULL << granule) - 1));
	for (u32 index = 0; format_size_lg2(fixture, index); index++) {
		u8 lg2 = format_size_lg2(fixture, index);

		assert_true(level_of(fixture, lg2) < fixture->pt.levels);
		assert_true(lg2 < fixture->pt.va_bits);
		if (!format_of(fixture)->leaf_lg2)
			expect_u64(lg2, level_lg2(fixture, level_of(fixture, lg2)));
	}
}

/* ---- Leaves ---------------------------------------------------------------------------------- */

static void leaves_lead_where_they_were_told(void **state)
{
	struct format_fixture *fixture = *state;
	const struct pt_format *format = format_of(fixture);

	for (u32 index = 0; format_size_lg2(fixture, index); index++) {
		u8 lg2 = format_size_lg2(fixture, index);
		u8 level = level_of(fixture, lg2);

		for (u32 number = 0; number < 3; number++) {
			phys_addr_t phys = address(fixture, lg2, number);
			u64 entry = format->leaf(&fixture->pt, phys, RW, lg2);

			assert_true(entry);
			assert_false(format->is_table(entry, level));
			expect_u64(format->address(&fixture->pt, entry), phys);
			expect_u64(pt_leaf_lg2(format, entry, level), lg2);
			expect_u64(pt_items(format, entry, level),
				   1ULL << (lg2 - level_lg2(fixture, level)));
			/* Each of its items leads to its part. */
			for (u64 at = 0; at < 1ULL << lg2;
			     at += 1ULL << level_lg2(fixture, level)) {
				u64 item = format->items_differ
						   ? format->leaf(&fixture->pt, phys + at, RW, lg2)
						   : entry;

				expect_u64(
					pt_leaf_phys(format, &fixture->pt, item, level, at + 0x123),
					phys + at + 0x123);
			}
			/* The mark of many is one of items, and of the smallest level's. */
			if (!level && format->many)
				assert_int_equal((entry & format->many) != 0,
						 lg2 != fixture->format->granule_lg2);
		}
	}
}

/* It says that a table is flushed: leaves do not have it, and where it is it changes nothing. */
static void the_softwares_bit_is_of_tables_alone(void **state)
{
	struct format_fixture *fixture = *state;
	const struct pt_format *format = format_of(fixture);

	for (u32 index = 0; format_size_lg2(fixture, index); index++) {
		u8 lg2 = format_size_lg2(fixture, index), level = level_of(fixture, lg2);

		for (u32 prot = 0; prot < PROTS; prot++) {
			phys_addr_t phys = address(fixture, lg2, 2);
			u64 entry, other;

			if (!(prot & RW))
				continue;
			entry = format->leaf(&fixture->pt, phys, prot, lg2);
			other = entry | format->flushed;
			assert_false(entry & format->flushed);
			expect_u64(format->address(&fixture->pt, other), phys);
			expect_u64(format->prot(&fixture->pt, other),
				   format->prot(&fixture->pt, entry));
			assert_false(format->is_table(other, level));
			expect_u64(pt_leaf_lg2(format, other, level), lg2);
		}
	}
}

/* From a leaf to the next the word grows by one and the same number, as far as runs go. */
static void words_of_a_run_have_equal_steps(void **state)
{
	struct format_fixture *fixture = *state;
	const struct pt_format *format = format_of(fixture);

	for (u32 index = 0; format_size_lg2(fixture, index); index++) {
		u8 lg2 = format_size_lg2(fixture, index);
		u64 size = 1ULL << lg2, word, step;

		if (lg2 + 3 >= fixture->pt.pa_bits ||
		    (format->straight_lg2 && lg2 + 3 > format->straight_lg2))
			continue;
		word = format->leaf(&fixture->pt, 0, RW, lg2);
		step = format->leaf(&fixture->pt, size, RW, lg2) - word;
		for (u64 i = 2; i < 8; i++)
			expect_u64(format->leaf(&fixture->pt, i * size, RW, lg2), word + i * step);
	}
}

/* Rights and attributes that are read from a leaf make the same leaf again. */
static void attributes_go_there_and_back(void **state)
{
	struct format_fixture *fixture = *state;
	const struct pt_format *format = format_of(fixture);

	for (u32 index = 0; format_size_lg2(fixture, index); index++) {
		u8 lg2 = format_size_lg2(fixture, index);
		phys_addr_t phys = address(fixture, lg2, 1);

		for (u32 prot = 0; prot < PROTS; prot++) {
			u64 entry;
			u32 back;

			if (!(prot & RW))
				continue;
			entry = format->leaf(&fixture->pt, phys, prot, lg2);
			back = format->prot(&fixture->pt, entry);
			expect_u64(format->leaf(&fixture->pt, phys, back, lg2), entry);
			expect_u64(back & RW, format_shows(fixture, prot) & RW);
			/* And the address is none of theirs. */
			expect_u64(format->address(&fixture->pt, entry), phys);
		}
	}
}

static void marks_change_nothing_else(void **state)
{
	struct format_fixture *fixture = *state;
	const struct pt_format *format = format_of(fixture);

	if (!format->is_dirty)
		return;
	for (u32 index = 0; format_size_lg2(fixture, index); index++) {
		u8 lg2 = format_size_lg2(fixture, index), level = level_of(fixture, lg2);
		phys_addr_t phys = address(fixture, lg2, 1);

		for (u32 prot = 1; prot < 4; prot++) {
			u64 entry = format->leaf(&fixture->pt, phys, prot, lg2);
			u64 clean = format->clean(entry), dirty = format->dirty(clean);

			assert_false(format->is_dirty(clean));
			/* Where nobody may write, a format may have no mark to set. */
			if (dirty != clean)
				assert_true(format->is_dirty(dirty));
			else
				assert_false(prot & IOMMU_WRITE &&
					     fixture->config.features & PGTABLE_HW_DIRTY);
			expect_u64(format->clean(dirty), clean);
			expect_u64(format->address(&fixture->pt, dirty), phys);
			expect_u64(format->prot(&fixture->pt, dirty),
				   format->prot(&fixture->pt, clean));
			expect_u64(pt_leaf_lg2(format, dirty, level), lg2);
		}
	}
}

/*
 * trust: entries of every page-table format: there and back
 * | an independent model: what went in is what comes out, for every size, level and right
 */
TEST_MAIN(ON_EVERY_FORMAT_AND_SIZE(tables_lead_where_they_were_told),
	  ON_EVERY_FORMAT_AND_SIZE(levels_share_the_bits_of_an_address),
	  ON_EVERY_FORMAT_AND_SIZE(sizes_are_those_of_their_levels),
	  ON_EVERY_FORMAT_AND_SIZE(leaves_lead_where_they_were_told),
	  ON_EVERY_FORMAT_AND_SIZE(the_softwares_bit_is_of_tables_alone),
	  ON_MORE_CONFIGURATIONS(the_softwares_bit_is_of_tables_alone),
	  ON_EVERY_FORMAT_AND_SIZE(words_of_a_run_have_equal_steps),
	  ON_MORE_CONFIGURATIONS(words_of_a_run_have_equal_steps),
	  ON_MORE_CONFIGURATIONS(tables_lead_where_they_were_told),
	  ON_MORE_CONFIGURATIONS(leaves_lead_where_they_were_told),
	  ON_MORE_CONFIGURATIONS(attributes_go_there_and_back),
	  ON_MORE_CONFIGURATIONS(marks_change_nothing_else),
	  ON_EVERY_FORMAT_AND_SIZE(attributes_go_there_and_back),
	  ON_EVERY_FORMAT_AND_SIZE(marks_change_nothing_else),
	  ON_FORMAT(armv8_s1_16k_bbm, attributes_go_there_and_back),
	  ON_FORMAT(armv8_s1_16k_bbm, marks_change_nothing_else))
