/* SPDX-License-Identifier: MIT */
/*
 * The CPU's side: what it writes to memory that is a device's, C01 to C05.
 *
 * The program writes through pointers here, as drivers do. AddressSanitizer would stop it: that is
 * tested elsewhere (test_cpu_poison.c).
 */
#define MODE_WATCH_BYTES (64 << 10)

#include "catalogue/host.h"

/* Not whole granules: so an untrusted device is shown a copy. */
#define AT    100
#define BYTES 1000

static const enum dma_data_direction directions[] = { DMA_TO_DEVICE, DMA_FROM_DEVICE,
						      DMA_BIDIRECTIONAL };

static dma_addr_t map(struct rig *rig, phys_addr_t phys, u64 bytes, enum dma_data_direction dir)
{
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, phys, bytes, dir, 0);

	expect_ok(dma_mapping_error(&rig->nvme->dev, dma));
	return dma;
}

/* ---- C01: between map and unmap ---------------------------------------------------------- */

/* What becomes of it, in the mode that the rig is in. */
static const char *outcome(struct rig *rig)
{
	if (lent(rig->nvme))
		return "the device has a copy";
	return rig->nvme->dev.dma_coherent ? "a race" : "in the CPU's cache";
}

/* It is a line of a block: as wide as the picture may be. */
static void expect_outcome_fits(struct rig *rig)
{
	struct dmasim_report report;
	const char *line;

	assert_true(dmasim_report_get(rig->s, dmasim_report_count(rig->s) - 1, &report));
	assert_int_equal(report.id, DMASIM_REPORT_CPU_WROTE);
	line = strstr(report.text, "\n  hardware ");
	assert_non_null(line);
	assert_in_range(strcspn(line + 1, "\n"), 20, 100);
}

/* trust: C01: the CPU writes to what a device has | our reading of the facts: dma-api 3.9 */
static void C01_a_store_between_map_and_unmap(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;

	for (u32 i = 0; i < 3; i++) {
		phys_addr_t buf = ram(rig, SZ_4K) + AT;
		u8 *cpu = host(rig, buf, BYTES);
		bool lost = directions[i] != DMA_TO_DEVICE;
		const char *words;
		dma_addr_t dma;

		memset(cpu, 0x11, BYTES);
		dma = map(rig, buf, BYTES, directions[i]);
		words = outcome(rig);
		lost = lost && strcmp(words, "a race") != 0;
		store(cpu + 207, 0x5a);
		expect_u64(dmasim_report_count(rig->s), i);
		dmasim_expect(rig->s, DMASIM_REPORT_CPU_WROTE, 1);
		dma_unmap_phys(dev, dma, BYTES, directions[i], 0);
		assert_true(report_says(rig->s, DMASIM_REPORT_CPU_WROTE, words));
		expect_outcome_fits(rig);
		assert_true(report_says(rig->s, DMASIM_REPORT_CPU_WROTE, "1 byte at phys 0x") &&
			    report_says(rig->s, DMASIM_REPORT_CPU_WROTE, "from offset 207 "));
		expect_u64(byte_at(rig->s, buf + 207), lost ? 0x11 : 0x5a);
		expect_only(rig->s, DMASIM_REPORT_CPU_WROTE, i + 1);
	}
}

/* ---- By default no more than the first line is compared ---------------------------------- */

static int mode_first_line(void **state)
{
	return rig_setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG });
}

static int mode_first_line_direct(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU });
}

/* Whatever comes between: the device's own bytes are in the line, too. */
static void C01_a_store_to_the_first_line(void **state)
{
	static const u8 word[8] = "written";
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;

	for (u32 i = 0; i < 3; i++) {
		phys_addr_t buf = ram(rig, SZ_4K);
		u8 *cpu = host(rig, buf, SZ_4K);
		dma_addr_t dma;

		memset(cpu, 0x11, SZ_4K);
		dma = map(rig, buf, SZ_4K, DMA_FROM_DEVICE);
		if (i == 1)
			dmasim_dev_write(rig->nvme, dma + 8, word, sizeof(word));
		if (i == 2)
			dma_sync_single_for_cpu(dev, dma + SZ_1K, SZ_1K, DMA_FROM_DEVICE);
		store(cpu + 63, 0x5a);
		dmasim_expect(rig->s, DMASIM_REPORT_CPU_WROTE, 1);
		dma_unmap_phys(dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
		assert_true(report_says(rig->s, DMASIM_REPORT_CPU_WROTE, "1 byte at phys 0x") &&
			    report_says(rig->s, DMASIM_REPORT_CPU_WROTE, "from offset 63 "));
		expect_only(rig->s, DMASIM_REPORT_CPU_WROTE, i + 1);
	}
}

/* Two mappings of one list, of which the second was written to. */
static void C03_a_store_to_the_first_line_of_an_entry(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, 4 * SZ_4K);
	u8 *cpu = host(rig, buf, 4 * SZ_4K);
	struct scatterlist sg[2];

	memset(cpu, 0x11, 4 * SZ_4K);
	sg_init_table(sg, 2);
	sg_set_page(&sg[0], dmasim_page(rig->s, buf), SZ_4K, 0);
	sg_set_page(&sg[1], dmasim_page(rig->s, buf + 2 * SZ_4K), SZ_4K, 0);
	assert_int_not_equal(dma_map_sg(dev, sg, 2, DMA_TO_DEVICE), 0);
	store(cpu + 2 * SZ_4K, 0x5a);
	dmasim_expect(rig->s, DMASIM_REPORT_CPU_WROTE, 1);
	dma_unmap_sg(dev, sg, 2, DMA_TO_DEVICE);
	assert_true(report_says(rig->s, DMASIM_REPORT_CPU_WROTE, "from offset 0 "));
	expect_only(rig->s, DMASIM_REPORT_CPU_WROTE, 1);
}

/* Behind the line nobody looks: no report, right or wrong. */
static void C01_right__store_behind_the_first_line(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	u8 *cpu = host(rig, buf, SZ_4K);
	dma_addr_t dma;

	memset(cpu, 0x11, SZ_4K);
	dma = map(rig, buf, SZ_4K, DMA_FROM_DEVICE);
	store(cpu + 64, 0x5a);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

/* Stores before the map, after the unmap, and beside the buffer, where all snoops. */
static void C01_right__store_before_and_after(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;

	for (u32 i = 0; i < 3; i++) {
		phys_addr_t buf = ram(rig, 2 * SZ_4K) + SZ_1K;
		u8 *cpu = host(rig, buf, SZ_1K);
		dma_addr_t dma;

		memset(cpu, 0x11, SZ_1K);
		dma = map(rig, buf, SZ_1K, directions[i]);
		if (directions[i] != DMA_TO_DEVICE)
			expect_done(dmasim_dev_write(rig->nvme, dma + 3, "hello", 5), 5);
		store(cpu - 1, 0x5a);
		store(cpu + SZ_1K, 0x5a);
		dma_unmap_phys(dev, dma, SZ_1K, directions[i], 0);
		expect_u64(byte_at(rig->s, buf + 3), directions[i] == DMA_TO_DEVICE ? 0x11 : 'h');
		store(cpu + 3, 0x5a);
	}
	dmasim_assert_clean(rig->s);
}

/* What the device writes over it hides nothing. */
static void C01_a_store_that_the_device_writes_over(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	u8 *cpu = host(rig, buf, SZ_4K), sent[SZ_4K];
	dma_addr_t dma = map(rig, buf, SZ_4K, DMA_FROM_DEVICE);

	store(cpu + 9, 1);
	fill_pattern(sent, SZ_4K, 3);
	expect_done(dmasim_dev_write(rig->nvme, dma, sent, SZ_4K), SZ_4K);
	dmasim_expect(rig->s, DMASIM_REPORT_CPU_WROTE, 1);
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	expect_bytes_at(rig->s, buf, sent, SZ_4K);
	expect_only(rig->s, DMASIM_REPORT_CPU_WROTE, 1);
}

/* dmasim_write() is told when it happens. */
static void C01_a_write_that_is_told_at_once(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = map(rig, buf, SZ_4K, DMA_TO_DEVICE);

	dmasim_expect(rig->s, DMASIM_REPORT_CPU_WROTE, 1);
	expect_u64(dmasim_write(rig->s, buf + 8, "hello", 5), 5);
	assert_true(report_says(rig->s, DMASIM_REPORT_CPU_WROTE, "dmasim_write()"));
	assert_true(report_says(rig->s, DMASIM_REPORT_CPU_WROTE, "5 bytes at phys"));
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_CPU_WROTE, 1);
}

/* A driver that was told so need not unmap; then nobody knows when the device is done. */
static void C01_right__store_where_no_unmap_is_needed(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);

	map(rig, buf, SZ_4K, DMA_BIDIRECTIONAL);
	assert_false(dma_need_unmap(&rig->nvme->dev));
	store(host(rig, buf, SZ_4K), 1);
	map(rig, buf, SZ_4K, DMA_TO_DEVICE);
	assert_false(dma_need_unmap(&rig->nvme->dev));
	dmasim_suppress(rig->s, DMASIM_REPORT_MAPPINGS_OVERLAP);
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 0);
}

/* Its driver looks after all turns itself; or both use it at once. */
static void C01_right__store_that_is_none_of_the_apis(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	const unsigned long attrs[] = { DMA_ATTR_SKIP_CPU_SYNC, DMA_ATTR_REQUIRE_COHERENT };

	for (u32 i = 0; i < 2; i++) {
		phys_addr_t buf = ram(rig, SZ_4K);
		dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, attrs[i]);

		expect_ok(dma_mapping_error(dev, dma));
		store(host(rig, buf, SZ_4K), 1);
		dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, attrs[i]);
	}
	dmasim_assert_clean(rig->s);
}

/* ---- C02: turns -------------------------------------------------------------------------- */

/* trust: C02: the CPU writes outside its turn | our reading of the facts: dma-api 3.9 */
static void C02_a_store_beside_what_was_synced(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	u8 *cpu = host(rig, buf, SZ_4K);
	dma_addr_t dma = map(rig, buf, SZ_4K, DMA_BIDIRECTIONAL);

	dma_sync_single_for_cpu(dev, dma + 1024, 128, DMA_BIDIRECTIONAL);
	store(cpu + 1024, 1);
	store(cpu + 1024 + 127, 1);
	store(cpu + 2048, 1);
	dma_sync_single_for_device(dev, dma + 1024, 128, DMA_BIDIRECTIONAL);
	expect_u64(dmasim_report_count(rig->s), 0);
	dmasim_expect(rig->s, DMASIM_REPORT_CPU_WROTE, 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	assert_true(report_says(rig->s, DMASIM_REPORT_CPU_WROTE, "from offset 2048 "));
	expect_only(rig->s, DMASIM_REPORT_CPU_WROTE, 1);
}

static void C02_a_store_after_the_sync_for_the_device(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	u8 *cpu = host(rig, buf, SZ_4K);
	dma_addr_t dma = map(rig, buf, SZ_4K, DMA_BIDIRECTIONAL);

	dma_sync_single_for_cpu(dev, dma, SZ_4K, DMA_BIDIRECTIONAL);
	store(cpu + 5, 1);
	dma_sync_single_for_device(dev, dma, SZ_4K, DMA_BIDIRECTIONAL);
	store(cpu + 6, 2);
	dmasim_expect(rig->s, DMASIM_REPORT_CPU_WROTE, 1);
	dma_sync_single_for_cpu(dev, dma, SZ_4K, DMA_BIDIRECTIONAL);
	assert_true(report_says(rig->s, DMASIM_REPORT_CPU_WROTE, "1 byte at"));
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_CPU_WROTE, 1);
}

/* A device that may write had to be asked first; told by the sync that comes too late. */
static void C02_a_store_before_the_sync_for_the_device_alone(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = map(rig, buf, SZ_4K, DMA_BIDIRECTIONAL);

	store(host(rig, buf, SZ_4K), 1);
	dmasim_expect(rig->s, DMASIM_REPORT_CPU_WROTE, 1);
	dma_sync_single_for_device(dev, dma, SZ_4K, DMA_BIDIRECTIONAL);
	expect_u64(dmasim_report_count(rig->s), 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_CPU_WROTE, 1);
}

/* More turns than are kept apart; and what only goes to the device needs no sync for the CPU. */
static void C02_right__store_in_its_turn(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K), out = ram(rig, SZ_4K);
	dma_addr_t dma = map(rig, buf, SZ_4K, DMA_BIDIRECTIONAL);
	dma_addr_t to = map(rig, out, SZ_4K, DMA_TO_DEVICE);
	u8 *cpu = host(rig, buf, SZ_4K);

	for (u32 i = 0; i < 16; i++) {
		dma_sync_single_for_cpu(dev, dma + 256 * (i * 5 % 16), 128, DMA_BIDIRECTIONAL);
		store(cpu + 256 * (i * 5 % 16) + i, 1);
	}
	for (u32 i = 0; i < 16; i++)
		dma_sync_single_for_device(dev, dma + 256 * (i * 3 % 16), 128, DMA_BIDIRECTIONAL);
	store(host(rig, out, SZ_4K), 1);
	dma_sync_single_for_device(dev, to, SZ_4K, DMA_TO_DEVICE);
	expect_u64(dmasim_dev_read(rig->nvme, to, cpu, 0).done, 0);
	dma_unmap_phys(dev, to, SZ_4K, DMA_TO_DEVICE, 0);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* ---- C03: lists -------------------------------------------------------------------------- */

/* trust: C03: the CPU writes to a list that a device has | our reading of the facts: dma-api 4 */
static void C03_a_store_to_an_entry(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dmasim_report report;
	struct list list;

	list_of_pages(rig, &list, 3);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_FROM_DEVICE, 0));
	store(host(rig, sg_phys(&list.sg[1]), SZ_4K) + 4, 1);
	dmasim_expect(rig->s, DMASIM_REPORT_CPU_WROTE, 1);
	dma_unmap_sgtable(dev, &list.table, DMA_FROM_DEVICE, 0);
	assert_true(dmasim_report_get(rig->s, 0, &report));
	assert_true(report_says(rig->s, DMASIM_REPORT_CPU_WROTE, "from offset 4 "));
	expect_only(rig->s, DMASIM_REPORT_CPU_WROTE, 1);
}

static void C03_right__store_in_its_turn(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct list list;

	list_of_pages(rig, &list, 3);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_FROM_DEVICE, 0));
	expect_done(dmasim_dev_write(rig->nvme, sg_dma_address(list.sg), "hello", 5), 5);
	dma_sync_sgtable_for_cpu(dev, &list.table, DMA_FROM_DEVICE);
	store(host(rig, sg_phys(&list.sg[1]), SZ_4K) + 4, 1);
	dma_sync_sgtable_for_device(dev, &list.table, DMA_FROM_DEVICE);
	dma_unmap_sgtable(dev, &list.table, DMA_FROM_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

/* ---- C04: a cache line that both use ----------------------------------------------------- */

/* A buffer of 32 bytes in the second half of a line, into which the device writes, or not. */
static void store_beside(struct rig *rig, bool device_writes, bool told)
{
	struct device *dev = &rig->nvme->dev;
	phys_addr_t line = ram(rig, SZ_4K);
	u8 *cpu = host(rig, line, SZ_4K);
	dma_addr_t dma = map(rig, line + 32, 32, DMA_FROM_DEVICE);

	if (device_writes)
		expect_done(dmasim_dev_write(rig->nvme, dma, "hello", 5), 5);
	store(cpu + 5, 1);
	if (told)
		dmasim_expect(rig->s, DMASIM_REPORT_CPU_LINE_LOST, 1);
	dma_unmap_phys(dev, dma, 32, DMA_FROM_DEVICE, 0);
	expect_u64(byte_at(rig->s, line + 5), 1);
	expect_u64(byte_at(rig->s, line + 32), device_writes && !told ? 'h' : 0);
}

/* trust: C04: a cache line of the CPU and a device | our reading of the facts: dma-api 3.8 */
static void C04_a_store_beside_what_the_device_wrote(void **state)
{
	struct rig *rig = *state;

	store_beside(rig, true, true);
	assert_true(report_says(rig->s, DMASIM_REPORT_CPU_LINE_LOST, "5 bytes at phys"));
	assert_true(report_says(rig->s, DMASIM_REPORT_CPU_LINE_LOST, ", of no mapping"));
	expect_only(rig->s, DMASIM_REPORT_CPU_LINE_LOST, 1);
}

static void C04_a_store_beside_what_the_device_may_write(void **state)
{
	struct rig *rig = *state;

	store_beside(rig, false, true);
	assert_true(report_says(rig->s, DMASIM_REPORT_CPU_LINE_LOST, "nothing yet"));
	expect_only(rig->s, DMASIM_REPORT_CPU_LINE_LOST, 1);
}

/* Between two mappings for devices: of one the CPU has its turn. */
static void C04_a_store_to_another_mapping_of_the_line(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t line = ram(rig, SZ_4K);
	dma_addr_t first = map(rig, line, 32, DMA_FROM_DEVICE), second;

	dmasim_expect(rig->s, DMASIM_REPORT_MAPPINGS_OVERLAP, 1);
	second = map(rig, line + 32, 32, DMA_FROM_DEVICE);
	expect_done(dmasim_dev_write(rig->nvme, second, "hello", 5), 5);
	dma_sync_single_for_cpu(dev, first, 32, DMA_FROM_DEVICE);
	store(host(rig, line, 32), 1);
	dmasim_expect(rig->s, DMASIM_REPORT_CPU_LINE_LOST, 1);
	dma_unmap_phys(dev, first, 32, DMA_FROM_DEVICE, 0);
	dma_unmap_phys(dev, second, 32, DMA_FROM_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

/* A line for itself; or the store comes after. */
static void C04_right__store_to_another_line(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	u8 *cpu = host(rig, buf, SZ_4K);
	dma_addr_t dma = map(rig, buf + 64, 64, DMA_FROM_DEVICE), part;

	expect_done(dmasim_dev_write(rig->nvme, dma, "hello", 5), 5);
	store(cpu + 63, 1);
	store(cpu + 128, 1);
	dma_unmap_phys(dev, dma, 64, DMA_FROM_DEVICE, 0);
	expect_u64(byte_at(rig->s, buf + 64), 'h');
	part = map(rig, buf + 64, 32, DMA_FROM_DEVICE);
	expect_done(dmasim_dev_write(rig->nvme, part, "world", 5), 5);
	dma_unmap_phys(dev, part, 32, DMA_FROM_DEVICE, 0);
	store(cpu + 120, 1);
	expect_u64(byte_at(rig->s, buf + 64), 'w');
	dmasim_assert_clean(rig->s);
}

/* The device has a copy in lines of its own: there is nothing to lose. Facts 3.8. */
static int mode_kmalloc(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU,
						       .bounce_kmalloc = true,
						       .traits = { .no_snoop = true } });
}

static void C04_right__store_beside_what_is_bounced(void **state)
{
	struct rig *rig = *state;

	store_beside(rig, true, false);
	store_beside(rig, false, false);
	dmasim_assert_clean(rig->s);
}

/* A device that snoops takes the line from the cache. */
static void C04_right__store_beside_where_all_snoops(void **state)
{
	struct rig *rig = *state;

	store_beside(rig, true, false);
	store_beside(rig, false, false);
	dmasim_assert_clean(rig->s);
}

/* ---- C05: links -------------------------------------------------------------------------- */

/* trust: C05: the CPU writes to links, where none snoops | our reading of the facts: dma-api 5.2 */
static void C05_a_store_to_what_is_linked(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, 2 * SZ_4K);
	struct dma_iova_state st = linked(rig->nvme, buf, 2 * SZ_4K);

	store(host(rig, buf, 2 * SZ_4K) + SZ_4K, 1);
	dmasim_expect(rig->s, DMASIM_REPORT_CPU_WROTE, 1);
	dma_iova_destroy(&rig->nvme->dev, &st, 2 * SZ_4K, DMA_BIDIRECTIONAL, 0);
	assert_true(report_says(rig->s, DMASIM_REPORT_CPU_WROTE, "from offset 4096 "));
	expect_only(rig->s, DMASIM_REPORT_CPU_WROTE, 1);
}

/* In turns; and part by part. */
static void C05_right__store_in_its_turn(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, 2 * SZ_4K);
	struct dma_iova_state st = linked(rig->nvme, buf, 2 * SZ_4K);
	u8 *cpu = host(rig, buf, 2 * SZ_4K);

	dma_sync_single_for_cpu(dev, st.addr, SZ_4K, DMA_BIDIRECTIONAL);
	store(cpu, 1);
	dma_sync_single_for_device(dev, st.addr, SZ_4K, DMA_BIDIRECTIONAL);
	dma_iova_unlink(dev, &st, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0);
	store(cpu + SZ_4K, 1);
	dma_iova_destroy(dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	store(cpu, 2);
	dmasim_assert_clean(rig->s);
}

/* What snoops may share memory with the CPU, as HMM does. */
static void C05_right__store_where_all_snoops(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, 2 * SZ_4K);
	struct dma_iova_state st = linked(rig->nvme, buf, 2 * SZ_4K);

	store(host(rig, buf, 2 * SZ_4K), 1);
	dma_iova_destroy(&rig->nvme->dev, &st, 2 * SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

#define IN_ALL(test)                                                                \
	IN(strict, test), IN(lazy, test), IN(pass_through, test), IN(direct, test), \
		IN(untrusted, test), IN(bounced, test), IN(no_snoop, test),         \
		IN(direct_no_snoop, test), IN(amd_vi, test), IN(riscv, test), IN(smmuv3, test)

TEST_MAIN(IN(first_line, C01_a_store_to_the_first_line),
	  IN(first_line_direct, C01_a_store_to_the_first_line),
	  IN(first_line, C03_a_store_to_the_first_line_of_an_entry),
	  IN(first_line_direct, C03_a_store_to_the_first_line_of_an_entry),
	  IN(first_line, C01_right__store_behind_the_first_line),
	  IN_ALL(C01_a_store_between_map_and_unmap), IN_ALL(C01_right__store_before_and_after),
	  IN(strict, C01_a_store_that_the_device_writes_over),
	  IN(direct, C01_a_store_that_the_device_writes_over),
	  IN(bounced, C01_a_store_that_the_device_writes_over),
	  IN(no_snoop, C01_a_store_that_the_device_writes_over),
	  IN_ALL(C01_a_write_that_is_told_at_once),
	  IN(direct, C01_right__store_where_no_unmap_is_needed),
	  IN(strict, C01_right__store_that_is_none_of_the_apis),
	  IN(direct, C01_right__store_that_is_none_of_the_apis),
	  IN_ALL(C02_a_store_beside_what_was_synced),
	  IN_ALL(C02_a_store_after_the_sync_for_the_device),
	  IN_ALL(C02_a_store_before_the_sync_for_the_device_alone),
	  IN_ALL(C02_right__store_in_its_turn), IN_ALL(C03_a_store_to_an_entry),
	  IN_ALL(C03_right__store_in_its_turn),
	  IN(no_snoop, C04_a_store_beside_what_the_device_wrote),
	  IN(direct_no_snoop, C04_a_store_beside_what_the_device_wrote),
	  IN(no_snoop, C04_a_store_beside_what_the_device_may_write),
	  IN(direct_no_snoop, C04_a_store_beside_what_the_device_may_write),
	  IN(no_snoop, C04_a_store_to_another_mapping_of_the_line),
	  IN(direct_no_snoop, C04_a_store_to_another_mapping_of_the_line),
	  IN(no_snoop, C04_right__store_to_another_line),
	  IN(direct_no_snoop, C04_right__store_to_another_line),
	  IN(kmalloc, C04_right__store_beside_what_is_bounced),
	  IN(strict, C04_right__store_beside_where_all_snoops),
	  IN(direct, C04_right__store_beside_where_all_snoops),
	  IN(bounced, C04_right__store_beside_where_all_snoops),
	  IN(no_snoop, C05_a_store_to_what_is_linked), IN(no_snoop, C05_right__store_in_its_turn),
	  IN(strict, C05_right__store_where_all_snoops))
