/* SPDX-License-Identifier: MIT */
/*
 * Size and number: a machine of 1 TiB costs what was touched, and many machines live side by side.
 */
#include "unit/api/machines.h"

#define SZ_1T (1ULL << 40)

static int setup_1T(void **state)
{
	return rig_setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .ram_bytes = SZ_1T });
}

static void a_machine_of_1_TiB_uses_what_was_touched(void **state)
{
	struct rig *rig = *state;
	phys_addr_t start = 0, last;
	u64 bytes = 0, chunks;
	u8 sent[64], got[64];

	for (u32 i = 0; dmasim_ram(rig->s, i, &start, &bytes); i++)
		;
	last = start + bytes - SZ_4K;
	expect_u64(start + bytes, SZ_4G + SZ_1T - SZ_1G);
	fill_pattern(sent, sizeof(sent), 1);
	chunks = dmasim_in_use(rig->s, DMASIM_FAULT_RAM_CHUNK);
	expect_u64(dmasim_write(rig->s, last + SZ_4K - 64, sent, 64), 64);
	expect_u64(dmasim_read(rig->s, last + SZ_4K - 64, got, 64), 64);
	assert_memory_equal(got, sent, 64);
	assert_true(dmasim_in_use(rig->s, DMASIM_FAULT_RAM_CHUNK) - chunks <= 2);
	assert_true(dmasim_in_use(rig->s, DMASIM_FAULT_RAM_CHUNK) <= 8);
	expect_u64(page_to_phys(dmasim_page(rig->s, last)), last);
	assert_true(dmasim_in_use(rig->s, DMASIM_FAULT_PAGE_SECTION) <= 2);
}

static void the_last_page_of_1_TiB_can_be_mapped(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t start = 0;
	u64 bytes = 0;
	dma_addr_t dma;

	for (u32 i = 0; dmasim_ram(rig->s, i, &start, &bytes); i++)
		;
	dma = dma_map_phys(dev, start + bytes - SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_both_ways(rig->s, rig->nvme, dma, start + bytes - SZ_4K, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* All of the RAM in one mapping: entries of 1 GiB, a handful of tables. */
static void mapping_512_GiB_takes_few_entries(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	u64 before = dmasim_costs(rig->s).entries_written, tables;
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_1T / 2));
	expect_ok(dma_iova_link(dev, &st, SZ_4G, 0, SZ_1T / 2, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_1T / 2));
	expect_u64(dmasim_costs(rig->s).entries_written - before, 512);
	tables = dmasim_in_use(rig->s, DMASIM_FAULT_TABLE_PAGE);
	assert_true(tables < 32);
	expect_both_ways(rig->s, rig->nvme, st.addr + SZ_1T / 2 - SZ_4K, SZ_4G + SZ_1T / 2 - SZ_4K,
			 SZ_4K);
	dma_iova_destroy(dev, &st, SZ_1T / 2, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* State of the tests below: a table of machines, given back in any case. */
#define MACHINES 1000

struct crowd {
	struct dmasim *s[MACHINES];
	struct pci_dev *pdev[MACHINES];
	phys_addr_t buf[MACHINES];
	dma_addr_t dma[MACHINES];
};

static int setup_crowd(void **state)
{
	*state = calloc(1, sizeof(struct crowd));
	return *state ? 0 : -1;
}

static int teardown_crowd(void **state)
{
	struct crowd *crowd = *state;
	u64 leaks = 0;

	for (int i = 0; i < MACHINES; i++)
		leaks += dmasim_destroy(crowd->s[i]);
	free(crowd);
	return leaks ? -1 : 0;
}

static void populate(struct crowd *crowd, int count)
{
	for (int i = 0; i < count; i++) {
		struct dmasim_config config = { DMASIM_CONFIG,
						.iommu = i % 3 ? DMASIM_VTD : DMASIM_NO_IOMMU,
						.iommu_levels = i % 2 ? 3 : 4 };

		crowd->s[i] = dmasim_create(&config);
		assert_non_null(crowd->s[i]);
		crowd->pdev[i] = dmasim_add_endpoint(crowd->s[i], "00:01.0/00.0",
						     &(struct dmasim_endpoint){ .bar = { SZ_4K } });
		assert_non_null(crowd->pdev[i]);
	}
}

/* Mapped in all, then used in all: nobody finds another's bytes, tables or faults. */
static void a_thousand_machines_live_at_once(void **state)
{
	struct crowd *crowd = *state;

	populate(crowd, MACHINES);
	for (int i = 0; i < MACHINES; i++) {
		expect_ok(dma_set_mask(&crowd->pdev[i]->dev, DMA_BIT_MASK(64)));
		crowd->buf[i] = dmasim_alloc(crowd->s[i], SZ_4K);
		crowd->dma[i] = dma_map_phys(&crowd->pdev[i]->dev, crowd->buf[i], SZ_4K,
					     DMA_BIDIRECTIONAL, 0);
		expect_ok(dma_mapping_error(&crowd->pdev[i]->dev, crowd->dma[i]));
	}
	for (int i = 0; i < MACHINES; i++) {
		u32 mark = 0x5a000000u + i;

		expect_done(dmasim_dev_write(crowd->pdev[i], crowd->dma[i], &mark, 4), 4);
	}
	for (int i = 0; i < MACHINES; i++) {
		u32 found = 0;

		expect_done(dmasim_dev_read(crowd->pdev[i], crowd->dma[i], &found, 4), 4);
		expect_u64(found, 0x5a000000u + i);
		dma_unmap_phys(&crowd->pdev[i]->dev, crowd->dma[i], SZ_4K, DMA_BIDIRECTIONAL, 0);
		dmasim_assert_clean(crowd->s[i]);
	}
}

/* What one machine does shows in its own figures, reports and time only. */
static void machines_do_not_influence_each_other(void **state)
{
	struct crowd *crowd = *state;
	struct dmasim_fault_record fault;
	struct dmasim_costs before, after;
	u8 byte;

	populate(crowd, 3);
	before = dmasim_costs(crowd->s[2]);
	dmasim_expect(crowd->s[1], DMASIM_REPORT_IOMMU_FAULT, 1);
	dmasim_dev_read(crowd->pdev[1], SZ_1M, &byte, 1);
	dmasim_run(crowd->s[1], 500);
	dmasim_fail(crowd->s[1], DMASIM_FAULT_FRAMES, 1);

	expect_u64(dmasim_report_count(crowd->s[1]), 1);
	expect_u64(dmasim_report_count(crowd->s[2]), 0);
	assert_false(dmasim_fault_take(crowd->s[2], &fault));
	assert_true(dmasim_fault_take(crowd->s[1], &fault));
	expect_u64(dmasim_now(crowd->s[2]), 0);
	assert_true(dmasim_alloc(crowd->s[2], SZ_4K) != DMASIM_NO_PHYS);
	expect_u64(dmasim_alloc(crowd->s[1], SZ_4K), DMASIM_NO_PHYS);
	after = dmasim_costs(crowd->s[2]);
	assert_memory_equal(&before, &after, sizeof(after));
	dmasim_assert_clean(crowd->s[1]);
	dmasim_assert_clean(crowd->s[2]);
}

static void one_step(struct crowd *crowd, int i)
{
	struct device *dev = &crowd->pdev[i]->dev;
	u64 bytes = 1 + dmasim_random(crowd->s[i], SZ_64K);
	dma_addr_t dma = dma_map_phys(dev, crowd->buf[i], bytes, DMA_TO_DEVICE, 0);

	dma_unmap_phys(dev, dma, bytes, DMA_TO_DEVICE, 0);
}

/* The same program in two machines, step by step in turn, is the same as alone. */
static void interleaving_machines_changes_nothing(void **state)
{
	struct crowd *crowd = *state;
	u64 hash[3];

	for (int i = 0; i < 3; i++) {
		crowd->s[i] = dmasim_create(
			&(struct dmasim_config){ DMASIM_CONFIG, .seed = 9, .trace_hash = true });
		crowd->pdev[i] = dmasim_add_endpoint(crowd->s[i], "00:01.0/00.0",
						     &(struct dmasim_endpoint){ .bar = { SZ_4K } });
		crowd->buf[i] = dmasim_alloc(crowd->s[i], SZ_64K);
	}
	/* Machine 0 alone; then 1 and 2 in turn. */
	for (int step = 0; step < 50; step++)
		one_step(crowd, 0);
	for (int step = 0; step < 50; step++) {
		one_step(crowd, 1);
		one_step(crowd, 2);
	}
	for (int i = 0; i < 3; i++)
		hash[i] = dmasim_trace_hash(crowd->s[i]);
	expect_u64(hash[1], hash[0]);
	expect_u64(hash[2], hash[0]);
}

#define CROWD(test) cmocka_unit_test_setup_teardown(test, setup_crowd, teardown_crowd)

TEST_MAIN(WITH_SETUP(a_machine_of_1_TiB_uses_what_was_touched, setup_1T),
	  WITH_SETUP(the_last_page_of_1_TiB_can_be_mapped, setup_1T),
	  WITH_SETUP(mapping_512_GiB_takes_few_entries, setup_1T),
	  CROWD(a_thousand_machines_live_at_once), CROWD(machines_do_not_influence_each_other),
	  CROWD(interleaving_machines_changes_nothing))
