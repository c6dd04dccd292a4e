/* SPDX-License-Identifier: MIT */
/*
 * What the CPU writes in its turn, and nobody syncs for a device that does not snoop, C07. It is
 * found wherever in a mapping it is: of the mappings here no more than the first line is compared.
 */
#include "catalogue/host.h"

#define TURN 2048 /* where in the mapping the CPU has its turn, of 1 KiB */

/* The CPU has had its turn of a buffer beyond the first line, and has written 3 bytes there. */
static dma_addr_t turn_of(struct rig *rig, phys_addr_t buf, enum dma_data_direction dir)
{
	u8 *cpu = host(rig, buf, SZ_4K);
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, buf, SZ_4K, dir, 0);

	dma_sync_single_range_for_cpu(&rig->nvme->dev, dma, TURN, SZ_1K, dir);
	store(cpu + TURN + 7, 1);
	store(cpu + TURN + 8, 1);
	store(cpu + TURN + 40, 1);
	return dma;
}

static dma_addr_t after_the_cpus_turn(struct rig *rig, enum dma_data_direction dir)
{
	return turn_of(rig, ram(rig, SZ_4K), dir);
}

/* trust: C07: a forgotten sync for the device | our reading of the facts: dma-api 3.9 */
static void C07_a_device_that_writes_in_the_cpus_turn(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma = after_the_cpus_turn(rig, DMA_FROM_DEVICE);

	/* Not the same bytes, but of the same line. */
	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_MISSING, 1);
	expect_done(dmasim_dev_write(rig->nvme, dma + TURN + 60, "again", 5), 5);
	assert_true(report_says(rig->s, DMASIM_REPORT_SYNC_MISSING, "3 bytes at phys") &&
		    report_says(rig->s, DMASIM_REPORT_SYNC_MISSING, "whenever its line goes back"));
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_SYNC_MISSING, 1);
}

static void C07_a_device_that_reads_in_the_cpus_turn(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma = after_the_cpus_turn(rig, DMA_BIDIRECTIONAL);
	u8 old[SZ_1K];

	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_MISSING, 1);
	expect_done(dmasim_dev_read(rig->nvme, dma + TURN, old, sizeof(old)), sizeof(old));
	assert_int_equal(old[7], 0);
	assert_true(report_says(rig->s, DMASIM_REPORT_SYNC_MISSING, "the device reads what was"));
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_SYNC_MISSING, 1);
}

static void C07_a_list_that_is_used_again(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct scatterlist sg;

	sg_init_table(&sg, 1);
	sg_set_page(&sg, dmasim_page(rig->s, buf), SZ_4K, 0);
	expect_u64(dma_map_sg(dev, &sg, 1, DMA_FROM_DEVICE), 1);
	expect_done(dmasim_dev_write(rig->nvme, sg_dma_address(&sg), "first", 5), 5);
	dma_sync_sg_for_cpu(dev, &sg, 1, DMA_FROM_DEVICE);
	store(host(rig, buf, SZ_4K), 'F');
	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_MISSING, 1);
	expect_done(dmasim_dev_write(rig->nvme, sg_dma_address(&sg), "again", 5), 5);
	dma_unmap_sg(dev, &sg, 1, DMA_FROM_DEVICE);
	expect_only(rig->s, DMASIM_REPORT_SYNC_MISSING, 1);
}

/* A device may poll: each of the CPU's turns is told of once. */
static void C07_each_turn_once(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = turn_of(rig, buf, DMA_BIDIRECTIONAL);
	u8 old[8];

	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_MISSING, 2);
	for (u32 i = 0; i < 3; i++)
		expect_done(dmasim_dev_read(rig->nvme, dma + TURN, old, sizeof(old)), 8);
	dma_sync_single_range_for_device(dev, dma, TURN, SZ_1K, DMA_BIDIRECTIONAL);
	expect_done(dmasim_dev_read(rig->nvme, dma + TURN, old, sizeof(old)), 8);
	dma_sync_single_range_for_cpu(dev, dma, TURN, SZ_1K, DMA_BIDIRECTIONAL);
	store(host(rig, buf, SZ_4K) + TURN, 7);
	for (u32 i = 0; i < 3; i++)
		expect_done(dmasim_dev_read(rig->nvme, dma + TURN, old, sizeof(old)), 8);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_SYNC_MISSING, 2);
}

/* Synced, or in another line, or only looked at. */
static void C07_right__turn_that_is_over(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = after_the_cpus_turn(rig, DMA_BIDIRECTIONAL);
	u8 now[8];

	expect_done(dmasim_dev_write(rig->nvme, dma + TURN + 64, "again", 5), 5);
	expect_done(dmasim_dev_read(rig->nvme, dma + TURN + 48, now, 8), 8);
	dma_sync_single_range_for_device(dev, dma, TURN, 64, DMA_BIDIRECTIONAL);
	expect_done(dmasim_dev_read(rig->nvme, dma + TURN, now, 8), 8);
	assert_int_equal(now[7], 1);
	expect_done(dmasim_dev_write(rig->nvme, dma + TURN, "again", 5), 5);
	dma_sync_single_range_for_cpu(dev, dma, TURN, 64, DMA_BIDIRECTIONAL);
	expect_done(dmasim_dev_write(rig->nvme, dma + TURN, "AGAIN", 5), 5);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* A driver may leave out what dma_dev_need_sync() says is not needed. */
static void C07_right__no_sync_where_all_snoops(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma = after_the_cpus_turn(rig, DMA_FROM_DEVICE);

	expect_done(dmasim_dev_write(rig->nvme, dma + TURN, "again", 5), 5);
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

TEST_MAIN(IN(no_snoop, C07_a_device_that_writes_in_the_cpus_turn),
	  IN(direct_no_snoop, C07_a_device_that_writes_in_the_cpus_turn),
	  IN(no_snoop, C07_a_device_that_reads_in_the_cpus_turn),
	  IN(direct_no_snoop, C07_a_device_that_reads_in_the_cpus_turn),
	  IN(no_snoop, C07_a_list_that_is_used_again),
	  IN(direct_no_snoop, C07_a_list_that_is_used_again), IN(no_snoop, C07_each_turn_once),
	  IN(no_snoop, C07_right__turn_that_is_over),
	  IN(direct_no_snoop, C07_right__turn_that_is_over),
	  IN(strict, C07_right__no_sync_where_all_snoops),
	  IN(direct, C07_right__no_sync_where_all_snoops))
