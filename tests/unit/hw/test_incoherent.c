/* SPDX-License-Identifier: MIT */
/*
 * A walker that does not snoop the CPU's caches: it sees an entry only after the CPU wrote its line
 * back, and until then what was there at the last write-back.
 */
#include "hw/engine.h"
#include "rig.h"

#define ROOT 0x100000ULL
#define DEV  0x0100

static int setup(void **state)
{
	static const struct hw_iommu_desc desc = {
		.levels = 3, .address_bits = 46, .huge_1g = true, .iotlb_entries = 4
	};
	struct rig *rig;

	if (rig_setup_unit(state, &desc, ROOT))
		return -1;
	rig = *state;
	rig->tables.levels = 3;
	return hw_context_set(rig->iommu, DEV,
			      (struct hw_context){ HW_CONTEXT_TRANSLATE, 3, 1, ROOT });
}

static struct hw_translation probe(const struct rig *rig, u64 iova)
{
	return hw_translate_probe(rig->iommu, DEV, iova, true);
}

static void flush(struct rig *rig, phys_addr_t phys, u64 bytes)
{
	hw_cache_clean(&rig->bench->hw, phys, bytes);
}

static void an_entry_is_seen_only_after_it_was_written_back(void **state)
{
	struct rig *rig = *state;
	phys_addr_t leaf_table;

	tables_put(&rig->tables, 0x7000, 0, 0x5000 | ENTRY_RW);
	leaf_table = tables_reach(&rig->tables, 0x7000, 0);
	expect_u64(probe(rig, 0x7000).fault, 5);
	/* From the leaf to the root, as software must: each store, then the walk gets further. */
	flush(rig, leaf_table + 8 * 7, 8);
	expect_u64(probe(rig, 0x7000).fault, 5);
	flush(rig, tables_reach(&rig->tables, 0x7000, 1), 8);
	expect_u64(probe(rig, 0x7000).fault, 5);
	flush(rig, ROOT, 8);
	expect_u64(probe(rig, 0x7000).fault, 0);
	expect_u64(probe(rig, 0x7000).phys, 0x5000);
}

static void a_change_is_seen_only_after_it_was_written_back(void **state)
{
	struct rig *rig = *state;
	phys_addr_t leaf_table;

	tables_put(&rig->tables, 0x7000, 0, 0x5000 | ENTRY_RW);
	leaf_table = tables_reach(&rig->tables, 0x7000, 0);
	flush(rig, ROOT, 3 * 4096);
	expect_u64(probe(rig, 0x7000).phys, 0x5000);
	tables_put(&rig->tables, 0x7000, 0, 0x6000 | ENTRY_RW);
	expect_u64(probe(rig, 0x7000).phys, 0x5000);
	flush(rig, leaf_table + 8 * 7, 8);
	expect_u64(probe(rig, 0x7000).phys, 0x6000);
	tables_put(&rig->tables, 0x7000, 0, 0);
	expect_u64(probe(rig, 0x7000).phys, 0x6000);
	flush(rig, leaf_table + 8 * 7, 8);
	expect_u64(probe(rig, 0x7000).fault, 5);
}

/*   line   | e0 e1 e2 e3 e4 e5 e6 e7 | e8 ...     one byte written back takes its whole line */
static void a_whole_cache_line_is_written_back(void **state)
{
	struct rig *rig = *state;
	phys_addr_t leaf_table;

	for (u64 page = 0; page < 24; page++)
		tables_put(&rig->tables, page << 12, 0, 0x5000 | ENTRY_RW);
	leaf_table = tables_reach(&rig->tables, 0, 0);
	flush(rig, ROOT, 2 * 4096);
	flush(rig, leaf_table + 8 * 8 + 3, 1);
	for (u64 page = 0; page < 24; page++)
		expect_u64(probe(rig, page << 12).fault, page / 8 == 1 ? 0 : 5);
}

/* From the last byte of one line to the first of another: both, and the one between. */
static void a_range_writes_back_every_line_it_touches(void **state)
{
	struct rig *rig = *state;
	phys_addr_t leaf_table;

	for (u64 page = 0; page < 40; page++)
		tables_put(&rig->tables, page << 12, 0, 0x5000 | ENTRY_RW);
	leaf_table = tables_reach(&rig->tables, 0, 0);
	flush(rig, ROOT, 2 * 4096);
	flush(rig, leaf_table + 2 * 64 - 1, 64 + 2);
	for (u64 page = 0; page < 40; page++)
		expect_u64(probe(rig, page << 12).fault, page / 8 >= 1 && page / 8 <= 3 ? 0 : 5);
	flush(rig, leaf_table, 0);
	expect_u64(probe(rig, 0).fault, 5);
}

static void every_unit_that_is_not_coherent_sees_it(void **state)
{
	struct rig *rig = *state;
	struct hw *hw = &rig->bench->hw;
	struct hw_iommu *unit[2];

	for (int i = 0; i < 2; i++) {
		unit[i] = hw_iommu_add(hw, &(struct hw_iommu_desc){ .levels = 3,
								    .address_bits = 46,
								    .coherent = i == 1,
								    .iotlb_entries = 4 });
		expect_ok(hw_context_set(unit[i], DEV,
					 (struct hw_context){ HW_CONTEXT_TRANSLATE, 3, 1, ROOT }));
	}
	tables_put(&rig->tables, 0x7000, 0, 0x5000 | ENTRY_RW);
	expect_u64(hw_translate_probe(unit[0], DEV, 0x7000, true).fault, 5);
	expect_u64(hw_translate_probe(unit[1], DEV, 0x7000, true).fault, 0);
	flush(rig, ROOT, 3 * 4096);
	expect_u64(hw_translate_probe(unit[0], DEV, 0x7000, true).fault, 0);
	expect_u64(probe(rig, 0x7000).fault, 0);
}

/* What devices read and write is memory as it is, and so is a wait command's status. */
static void data_does_not_wait_for_a_write_back(void **state)
{
	struct rig *rig = *state;
	struct hw *hw = &rig->bench->hw;
	const u8 wait[16] = { 0x25, [4] = 0x77, [9] = 0x90 };
	struct hw_root *root = hw_root_add(hw, 0, 0, 0xff);
	struct hw_function *device = bench_endpoint(rig->bench, &root->bus, 8, SZ_1G, SZ_4K);
	u8 seen = 0;

	ram_write(&hw->ram, 0x8000, "x", 1);
	expect_u64(hw_engine_read(device, 0x8000, &seen, 1).done, 1);
	assert_int_equal(seen, 'x');
	expect_ok(hw_queue_execute(rig->iommu, wait, sizeof(wait)));
	ram_read(&hw->ram, 0x9000, &seen, 1);
	assert_int_equal(seen, 0x77);
}

/* Zeros before the first write-back: memory that holds old entries is not found by the walker. */
static void before_the_first_write_back_the_walker_reads_zeros(void **state)
{
	struct rig *rig = *state;

	put_entry(&rig->bench->hw.ram, ROOT, 0, 0x40000000 | ENTRY_RW | ENTRY_LEAF);
	expect_u64(probe(rig, 0).fault, 5);
	put_entry(&rig->bench->hw.ram, ROOT, 8, 0);
	flush(rig, ROOT + 64, 8);
	expect_u64(probe(rig, 0).fault, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

TEST_MAIN(TEST(an_entry_is_seen_only_after_it_was_written_back),
	  TEST(a_change_is_seen_only_after_it_was_written_back),
	  TEST(a_whole_cache_line_is_written_back), TEST(a_range_writes_back_every_line_it_touches),
	  TEST(every_unit_that_is_not_coherent_sees_it), TEST(data_does_not_wait_for_a_write_back),
	  TEST(before_the_first_write_back_the_walker_reads_zeros))
