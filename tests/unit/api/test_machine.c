/* SPDX-License-Identifier: MIT */
/*
 * The machine as a whole: seeds and chance, time, costs, failures on purpose, preemption points.
 */
#include "unit/api/machines.h"

static int setup(void **state)
{
	*state = dmasim_create(NULL);
	return *state ? 0 : -1;
}

static int setup_points(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .count_points = true });
}

static int teardown(void **state)
{
	return dmasim_destroy(*state) ? -1 : 0;
}

/* ---- Chance ---------------------------------------------------------------------------------- */

static void one_seed_gives_one_sequence(void **state)
{
	struct dmasim *s[2];
	bool same = true, in_bounds = true;

	(void)state;
	for (int i = 0; i < 2; i++)
		s[i] = dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .seed = 12345 });
	for (int i = 0; i < 1000; i++) {
		u64 first = dmasim_random(s[0], 1000000007);

		in_bounds &= first < 1000000007;
		same &= first == dmasim_random(s[1], 1000000007);
	}
	dmasim_destroy(s[0]);
	dmasim_destroy(s[1]);
	assert_true(same);
	assert_true(in_bounds);
}

static void other_seeds_give_other_sequences(void **state)
{
	struct dmasim *s[2];
	int same = 0;

	(void)state;
	for (int i = 0; i < 2; i++)
		s[i] = dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .seed = 5 + i });
	for (int i = 0; i < 100; i++)
		same += dmasim_random(s[0], ~0ULL) == dmasim_random(s[1], ~0ULL);
	dmasim_destroy(s[0]);
	dmasim_destroy(s[1]);
	assert_int_equal(same, 0);
}

static void every_value_below_the_bound_comes(void **state)
{
	u32 seen[7] = { 0 };

	for (int i = 0; i < 700; i++) {
		u64 value = dmasim_random(*state, 7);

		assert_true(value < 7);
		seen[value]++;
	}
	for (int i = 0; i < 7; i++)
		assert_true(seen[i] > 50);
	expect_u64(dmasim_random(*state, 1), 0);
}

static void the_seed_in_use_is_told(void **state)
{
	*state = dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .seed = 0xabc });
	expect_u64(dmasim_seed(*state), 0xabc);
}

/* Seed 0 asks the environment, and without it, is 1. */
static void seed_0_is_the_environments(void **state)
{
	expect_u64(dmasim_seed(*state), test_seed(1));
}

/* ---- Time ------------------------------------------------------------------------------------ */

static void time_passes_when_told(void **state)
{
	expect_u64(dmasim_now(*state), 0);
	dmasim_run(*state, 1000);
	expect_u64(dmasim_now(*state), 1000);
	dmasim_run(*state, 0);
	expect_u64(dmasim_now(*state), 1000);
	dmasim_run(*state, 5);
	expect_u64(dmasim_now(*state), 1005);
}

static void reports_know_when_they_were_made(void **state)
{
	struct rig *rig = *state;
	struct dmasim_report report;
	u8 byte;

	dmasim_run(rig->s, 777);
	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 1);
	dmasim_dev_read(rig->nvme, SZ_1M, &byte, 1);
	assert_true(dmasim_report_get(rig->s, 0, &report));
	expect_u64(report.at_ns, 777);
}

/* ---- Costs ----------------------------------------------------------------------------------- */

static void a_new_machine_has_cost_nothing(void **state)
{
	static const struct dmasim_costs none;
	struct dmasim_costs costs = dmasim_costs(*state);

	assert_memory_equal(&costs, &none, sizeof(none));
}

/* 4 levels: a first 4 KiB page takes a table for each of the three levels below the top. */
static void costs_of_a_first_page(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct dmasim_costs before, after;
	dma_addr_t dma;
	u8 byte;

	dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	before = dmasim_costs(rig->s);
	expect_u64(before.entries_written, 1);
	expect_u64(before.iova_allocs, 1);
	/* A miss and a walk of four levels; then a hit. */
	expect_done(dmasim_dev_read(rig->nvme, dma, &byte, 1), 1);
	after = dmasim_costs(rig->s);
	expect_u64(after.tlps - before.tlps, 1);
	expect_u64(after.iotlb_misses - before.iotlb_misses, 1);
	expect_u64(after.iotlb_hits - before.iotlb_hits, 0);
	expect_u64(after.walk_reads - before.walk_reads, 4);
	expect_done(dmasim_dev_read(rig->nvme, dma, &byte, 1), 1);
	expect_u64(dmasim_costs(rig->s).iotlb_hits - before.iotlb_hits, 1);
	expect_u64(dmasim_costs(rig->s).walk_reads - after.walk_reads, 0);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	after = dmasim_costs(rig->s);
	expect_u64(after.entries_cleared, 1);
	expect_u64(after.tables_allocated - after.tables_freed,
		   dmasim_in_use(rig->s, DMASIM_FAULT_TABLE_PAGE));
}

/* A cache of four entries, and five pages in turn: the oldest goes, so none is ever there. */
static void a_tiny_translation_cache_evicts(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct dmasim_costs before, after;
	phys_addr_t buf;
	dma_addr_t dma;
	u8 byte;

	assert_non_null(rig);
	*state = rig;
	rig_init(rig, &(struct dmasim_config){ DMASIM_CONFIG, .iotlb_entries = 4 });
	buf = ram(rig, 5 * SZ_4K);
	dma = dma_map_phys(&rig->nvme->dev, buf, 5 * SZ_4K, DMA_TO_DEVICE, 0);
	before = dmasim_costs(rig->s);
	for (u64 i = 0; i < 20; i++)
		expect_done(dmasim_dev_read(rig->nvme, dma + i % 5 * SZ_4K, &byte, 1), 1);
	after = dmasim_costs(rig->s);
	expect_u64(after.iotlb_misses - before.iotlb_misses, 20);
	expect_u64(after.iotlb_hits - before.iotlb_hits, 0);
	for (u64 i = 0; i < 20; i++)
		expect_done(dmasim_dev_read(rig->nvme, dma + i % 3 * SZ_4K, &byte, 1), 1);
	/* Pages 0, 1 and 2 miss once each. */
	expect_u64(dmasim_costs(rig->s).iotlb_hits - after.iotlb_hits, 17);
	dma_unmap_phys(&rig->nvme->dev, dma, 5 * SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

/* Five ways hold five pages, one way of four sets does not. */
static void the_ways_of_the_translation_cache_are_chosen(void **state)
{
	static const u32 row[][4] = { { 5, 5, 5, 15 }, { 4, 1, 5 + 2 * 3, 9 } };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct rig rig;
		struct dmasim_costs before, after;
		dma_addr_t dma;
		u8 byte;

		rig_init(&rig, &(struct dmasim_config){ DMASIM_CONFIG, .iotlb_entries = row[i][0],
							.iotlb_ways = row[i][1] });
		dma = dma_map_phys(&rig.nvme->dev, ram(&rig, 5 * SZ_4K), 5 * SZ_4K, DMA_TO_DEVICE,
				   0);
		before = dmasim_costs(rig.s);
		for (u64 page = 0; page < 20; page++)
			expect_done(dmasim_dev_read(rig.nvme, dma + page % 5 * SZ_4K, &byte, 1), 1);
		after = dmasim_costs(rig.s);
		/* Of one way the first and the last page share a set: both miss each time. */
		expect_u64(after.iotlb_misses - before.iotlb_misses, row[i][2]);
		expect_u64(after.iotlb_hits - before.iotlb_hits, row[i][3]);
		dma_unmap_phys(&rig.nvme->dev, dma, 5 * SZ_4K, DMA_TO_DEVICE, 0);
		rig_fini(&rig);
	}
}

/* ---- Failing on purpose ---------------------------------------------------------------------- */

static void the_nth_pass_fails_once(void **state)
{
	dmasim_fail(*state, DMASIM_FAULT_FRAMES, 3);
	expect_u64(dmasim_failures(*state), 0);
	for (int i = 1; i <= 6; i++) {
		bool got = dmasim_alloc(*state, SZ_4K) != DMASIM_NO_PHYS;

		assert_int_equal(got, i != 3);
	}
	expect_u64(dmasim_failures(*state), 1);
}

static void a_new_wish_replaces_the_old_and_counts_anew(void **state)
{
	dmasim_fail(*state, DMASIM_FAULT_FRAMES, 1);
	expect_u64(dmasim_alloc(*state, SZ_4K), DMASIM_NO_PHYS);
	expect_u64(dmasim_failures(*state), 1);
	dmasim_fail(*state, DMASIM_FAULT_FRAMES, 5);
	expect_u64(dmasim_failures(*state), 0);
	dmasim_fail(*state, DMASIM_FAULT_ADOPTED, 1);
	for (int i = 0; i < 6; i++)
		assert_true(dmasim_alloc(*state, SZ_4K) != DMASIM_NO_PHYS);
	expect_u64(dmasim_failures(*state), 0);
}

static void nth_0_fails_nothing(void **state)
{
	dmasim_fail(*state, DMASIM_FAULT_FRAMES, 1);
	dmasim_fail(*state, DMASIM_FAULT_FRAMES, 0);
	for (int i = 0; i < 6; i++)
		assert_true(dmasim_alloc(*state, SZ_4K) != DMASIM_NO_PHYS);
}

static void any_counts_all_points_together(void **state)
{
	u64 passes;
	u8 byte;

	passes = dmasim_fault_passes(*state, DMASIM_FAULT_ADOPTED);
	dmasim_fail(*state, DMASIM_FAULT_ANY, 1);
	expect_u64(dmasim_adopt(*state, &byte, 1), DMASIM_NO_PHYS);
	expect_u64(dmasim_failures(*state), 1);
	assert_true(dmasim_adopt(*state, &byte, 1) != DMASIM_NO_PHYS);
	expect_u64(dmasim_fault_passes(*state, DMASIM_FAULT_ADOPTED) - passes, 2);
}

static void points_of_failure_have_stable_names(void **state)
{
	(void)state;
	assert_string_equal(dmasim_fault_name(DMASIM_FAULT_TABLE_PAGE), "table_page");
	assert_string_equal(dmasim_fault_name(DMASIM_FAULT_IOVA_NODE), "iova_node");
	for (int i = 0; i < DMASIM_FAULT_COUNT; i++) {
		const char *name = dmasim_fault_name((enum dmasim_fault_point)i);

		assert_non_null(name);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(name,
						dmasim_fault_name((enum dmasim_fault_point)k));
	}
}

static void what_is_in_use_is_counted(void **state)
{
	u64 before = dmasim_in_use(*state, DMASIM_FAULT_FRAMES);
	phys_addr_t phys = dmasim_alloc(*state, 4 * SZ_4K);

	assert_true(dmasim_in_use(*state, DMASIM_FAULT_FRAMES) > before);
	dmasim_free(*state, phys, 4 * SZ_4K);
	expect_u64(dmasim_in_use(*state, DMASIM_FAULT_FRAMES), before);
}

/* A machine that cannot be made says so, whichever allocation fails it first. */
static void hardware_that_finds_no_memory_is_not_added(void **state)
{
	struct dmasim_endpoint endpoint = { .bar = { SZ_4K } };
	u64 nth = 0;
	struct pci_dev *pdev;

	do {
		dmasim_fail(*state, DMASIM_FAULT_ANY, ++nth);
		pdev = dmasim_add_endpoint(*state, "00:01.0/00.0/00.0/00.0", &endpoint);
		if (!pdev) {
			expect_u64(dmasim_failures(*state), 1);
			assert_null(dmasim_next_dev(*state, NULL));
		}
		assert_true(nth < 200);
	} while (!pdev);
	dmasim_fail(*state, DMASIM_FAULT_ANY, 0);
	assert_true(nth > 3);
	assert_non_null(dmasim_add_endpoint(*state, "00:02.0/00.0", &endpoint));
}

static void bridges_that_find_no_memory_are_not_added(void **state)
{
	struct dmasim_bridge bridge = { 0 };
	struct dmasim_host_bridge host = { .bus = 0x40 };
	struct pci_dev *pdev;
	u64 nth = 0;
	int err;

	do {
		dmasim_fail(*state, DMASIM_FAULT_ANY, ++nth);
		err = dmasim_add_host_bridge(*state, &host);
		if (err) {
			expect_error(err, -ENOMEM);
			assert_null(dmasim_next_dev(*state, NULL));
		}
		assert_true(nth < 200);
	} while (err);
	assert_true(nth > 1);
	nth = 0;
	do {
		dmasim_fail(*state, DMASIM_FAULT_ANY, ++nth);
		pdev = dmasim_add_bridge(*state, "40:01.0", &bridge);
		assert_true(nth < 200);
	} while (!pdev);
	dmasim_fail(*state, DMASIM_FAULT_ANY, 0);
	assert_true(nth > 1);
	assert_ptr_equal(dmasim_pci_dev(*state, "40:01.0"), pdev);
}

static void a_direct_region_that_finds_no_memory_is_enomem(void **state)
{
	dmasim_fail(*state, DMASIM_FAULT_ANY, 1);
	expect_error(dmasim_add_direct_region(*state, NULL, SZ_16M, SZ_4K), -ENOMEM);
	dmasim_fail(*state, DMASIM_FAULT_ANY, 0);
	expect_ok(dmasim_add_direct_region(*state, NULL, SZ_16M, SZ_4K));
}

/* Starts the machine in one of three ways; false: the call said that it could not. */
static bool start(struct pci_dev *pdev, int way)
{
	struct device *dev = &pdev->dev;
	struct dma_iova_state st;
	dma_addr_t dma;
	u32 word = 0;

	if (way == 0) {
		dma = dma_map_phys(dev, SZ_1M, SZ_4K, DMA_TO_DEVICE, 0);
		if (dma_mapping_error(dev, dma))
			return false;
		dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
		return true;
	}
	if (way == 1) {
		if (!dma_iova_try_alloc(dev, &st, 0, SZ_4K))
			return false;
		dma_iova_free(dev, &st);
		return true;
	}
	/* The interrupt window: there is nothing for the checker or an IOMMU to say. */
	return dmasim_dev_write(pdev, 0xfee00000, &word, 4).status != DMASIM_HOST_MEMORY;
}

/* Something was freed, and there was no memory to cache it. */
static bool cached_less(struct dmasim *s)
{
	return dmasim_fault_passes(s, DMASIM_FAULT_IOVA_MAGAZINE) &&
	       !dmasim_in_use(s, DMASIM_FAULT_IOVA_MAGAZINE);
}

/*
 * Each allocation of the start fails in turn: the call says so in its own way, and the next one
 * starts the machine. Only the checker may go without, and says that; and the IOVA allocator.
 */
static void a_start_without_memory_fails_the_call_and_not_the_machine(void **state)
{
	const struct dmasim_config config = { DMASIM_CONFIG, .no_watch = true };
	struct dmasim_endpoint endpoint = { .bar = { SZ_4K } };

	for (int way = 0; way < 3; way++) {
		bool failed = true;
		u64 nth;

		for (nth = 1; failed; nth++) {
			struct dmasim *s = dmasim_create(&config);
			struct pci_dev *pdev;
			bool blind, started, survived;

			*state = s;
			pdev = dmasim_add_endpoint(s, "00:01.0/00.0", &endpoint);
			assert_non_null(pdev);
			dmasim_fail(s, DMASIM_FAULT_ANY, nth);
			started = start(pdev, way);
			failed = dmasim_failures(s) > 0;
			blind = count_reports(s, DMASIM_REPORT_CHECKER_BLIND) > 0;
			/* A try below 4 GiB that had no memory is followed by one above. */
			survived = blind || !pdev->dev.pci_32bit_workaround || cached_less(s);
			assert_true(started ? !failed || survived : failed);
			dmasim_fail(s, DMASIM_FAULT_ANY, 0);
			assert_true(start(pdev, way));
			expect_u64(dmasim_check_clean(s, NULL, 0), blind);
			*state = NULL;
			expect_u64(dmasim_destroy(s), 0);
			assert_true(nth < 100);
		}
		assert_true(nth > 5);
	}
}

/* ---- Preemption points ----------------------------------------------------------------------- */

static void the_stores_of_a_mapping_are_passed(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	u64 leaf, clear, queue;
	dma_addr_t dma;

	dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	assert_true(dmasim_point_passes(rig->s, DMASIM_POINT_PT_TABLE) >= 3);
	assert_true(dmasim_point_passes(rig->s, DMASIM_POINT_CONTEXT) > 0);
	leaf = dmasim_point_passes(rig->s, DMASIM_POINT_PT_LEAF);
	clear = dmasim_point_passes(rig->s, DMASIM_POINT_PT_CLEAR);
	queue = dmasim_point_passes(rig->s, DMASIM_POINT_QUEUE);
	dma = dma_map_phys(dev, buf, SZ_16K, DMA_TO_DEVICE, 0);
	expect_u64(dmasim_point_passes(rig->s, DMASIM_POINT_PT_LEAF) - leaf, 4);
	expect_u64(dmasim_point_passes(rig->s, DMASIM_POINT_PT_CLEAR) - clear, 0);
	dma_unmap_phys(dev, dma, SZ_16K, DMA_TO_DEVICE, 0);
	expect_u64(dmasim_point_passes(rig->s, DMASIM_POINT_PT_CLEAR) - clear, 4);
	assert_true(dmasim_point_passes(rig->s, DMASIM_POINT_QUEUE) > queue);
	expect_u64(dmasim_point_passes(rig->s, DMASIM_POINT_LOCK),
		   dmasim_point_passes(rig->s, DMASIM_POINT_UNLOCK));
}

static void preemption_points_have_stable_names(void **state)
{
	(void)state;
	assert_string_equal(dmasim_point_name(DMASIM_POINT_LOCK), "lock");
	assert_string_equal(dmasim_point_name(DMASIM_POINT_PT_LEAF), "pt_leaf");
	for (int i = 0; i < DMASIM_POINT_COUNT; i++)
		assert_non_null(dmasim_point_name((enum dmasim_point)i));
}

static void a_configuration_write_passes_its_point(void **state)
{
	struct rig *rig = *state;
	u64 before = dmasim_point_passes(rig->s, DMASIM_POINT_CONFIG);

	pci_write_config_word(rig->nvme, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	expect_u64(dmasim_point_passes(rig->s, DMASIM_POINT_CONFIG), before + 1);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define BARE(test) cmocka_unit_test_teardown(test, teardown)

TEST_MAIN(cmocka_unit_test(one_seed_gives_one_sequence),
	  cmocka_unit_test(other_seeds_give_other_sequences),
	  TEST(every_value_below_the_bound_comes), BARE(the_seed_in_use_is_told),
	  TEST(seed_0_is_the_environments), TEST(time_passes_when_told),
	  BEHIND_VTD(reports_know_when_they_were_made), TEST(a_new_machine_has_cost_nothing),
	  BEHIND_VTD(costs_of_a_first_page),
	  cmocka_unit_test_teardown(a_tiny_translation_cache_evicts, rig_teardown),
	  cmocka_unit_test(the_ways_of_the_translation_cache_are_chosen),
	  TEST(the_nth_pass_fails_once), TEST(a_new_wish_replaces_the_old_and_counts_anew),
	  TEST(nth_0_fails_nothing), TEST(any_counts_all_points_together),
	  TEST(points_of_failure_have_stable_names), TEST(what_is_in_use_is_counted),
	  TEST(hardware_that_finds_no_memory_is_not_added),
	  TEST(bridges_that_find_no_memory_are_not_added),
	  TEST(a_direct_region_that_finds_no_memory_is_enomem),
	  BARE(a_start_without_memory_fails_the_call_and_not_the_machine),
	  WITH_SETUP(the_stores_of_a_mapping_are_passed, setup_points),
	  TEST(preemption_points_have_stable_names),
	  WITH_SETUP(a_configuration_write_passes_its_point, setup_points))
