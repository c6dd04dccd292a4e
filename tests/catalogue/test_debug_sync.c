/* SPDX-License-Identifier: MIT */
/*
 * What dma-debug checks of a sync, D15 to D20, and of a driver that lets go, D21.
 */
#include "catalogue/debug.h"

#define MESSAGE_BYTES 400

/* ---- D15, D16: what is not mapped, or not all of it ------------------------------------------ */

static void not_allocated(char *message, dma_addr_t dma, u64 size)
{
	snprintf(message, MESSAGE_BYTES,
		 "device driver tries to sync DMA memory it has not allocated "
		 "[device address=0x%016llx] [size=%llu bytes]",
		 dma, size);
}

/* trust: D15: a sync of what is not mapped | our reading of the facts: dma-api 11 */
static void D15_sync_after_unmap(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = mapped(dev, ram(rig, SZ_4K), SZ_4K, DMA_FROM_DEVICE);
	char message[MESSAGE_BYTES];

	dma_unmap_phys(dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	not_allocated(message, dma, SZ_4K);
	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_NOT_MAPPED, 1);
	dma_sync_single_for_cpu(dev, dma, SZ_4K, DMA_FROM_DEVICE);
	expect_both(rig, DMASIM_REPORT_SYNC_NOT_MAPPED, dev, message);
}

static void D15_sync_of_a_list_after_unmap(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	char message[MESSAGE_BYTES];
	struct list list;

	list_of_pages(rig, &list, 1);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_FROM_DEVICE, 0));
	dma_unmap_sgtable(dev, &list.table, DMA_FROM_DEVICE, 0);
	not_allocated(message, sg_dma_address(list.sg), SZ_4K);
	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_NOT_MAPPED, 1);
	dma_sync_sgtable_for_device(dev, &list.table, DMA_FROM_DEVICE);
	expect_both(rig, DMASIM_REPORT_SYNC_NOT_MAPPED, dev, message);
}

/* A state's range is no mapping of dma-debug's; the checker knows better. */
static void D15_sync_of_links(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st = linked(rig->nvme, ram(rig, 2 * SZ_4K), 2 * SZ_4K);
	char message[MESSAGE_BYTES];
	const char *const messages[] = { message };

	not_allocated(message, st.addr, 2 * SZ_4K);
	dma_sync_single_for_cpu(dev, st.addr, 2 * SZ_4K, DMA_FROM_DEVICE);
	expect_debug(rig, dev, 1, messages);
	expect_u64(dmasim_report_count(rig->s), 0);
	dma_iova_destroy(dev, &st, 2 * SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* Parts of a mapping, from any of its bytes on. */
static void D15_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = mapped(dev, ram(rig, SZ_64K), SZ_64K, DMA_FROM_DEVICE);

	dma_sync_single_for_cpu(dev, dma, SZ_64K, DMA_FROM_DEVICE);
	dma_sync_single_range_for_cpu(dev, dma, SZ_16K + 5, SZ_4K, DMA_FROM_DEVICE);
	dma_sync_single_range_for_device(dev, dma, SZ_64K - 1, 1, DMA_FROM_DEVICE);
	dma_unmap_phys(dev, dma, SZ_64K, DMA_FROM_DEVICE, 0);
	expect_silence(rig);
}

/* trust: D16: a sync beyond the end is told as D15 | our reading of the facts: dma-api 11 */
static void D16_sync_beyond_the_end(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = mapped(dev, ram(rig, SZ_4K), 0x200, DMA_FROM_DEVICE);
	char message[MESSAGE_BYTES];

	not_allocated(message, dma + 0x100, 0x200);
	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_NOT_MAPPED, 1);
	dma_sync_single_range_for_cpu(dev, dma, 0x100, 0x200, DMA_FROM_DEVICE);
	assert_true(report_says(rig->s, DMASIM_REPORT_SYNC_NOT_MAPPED, "beyond the end"));
	dma_unmap_phys(dev, dma, 0x200, DMA_FROM_DEVICE, 0);
	expect_both(rig, DMASIM_REPORT_SYNC_NOT_MAPPED, dev, message);
}

static void D16_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = mapped(dev, ram(rig, SZ_4K), 0x200, DMA_FROM_DEVICE);

	dma_sync_single_range_for_cpu(dev, dma, 0x100, 0x100, DMA_FROM_DEVICE);
	dma_unmap_phys(dev, dma, 0x200, DMA_FROM_DEVICE, 0);
	expect_silence(rig);
}

/* ---- D17 to D19: another direction ----------------------------------------------------------- */

static void direction(char *message, const char *what, dma_addr_t dma, const char *map,
		      const char *sync)
{
	snprintf(message, MESSAGE_BYTES,
		 "device driver syncs %s [device address=0x%016llx] [size=4096 bytes] "
		 "[mapped with %s] [synced with %s]",
		 what, dma, map, sync);
}

#define DIFFERENT "DMA memory with different direction"

/* trust: D17: a sync with another direction | our reading of the facts: dma-api 11 */
static void D17_other_direction(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = mapped(dev, ram(rig, SZ_4K), SZ_4K, DMA_FROM_DEVICE);
	char message[MESSAGE_BYTES];

	direction(message, DIFFERENT, dma, "DMA_FROM_DEVICE", "DMA_BIDIRECTIONAL");
	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_MISMATCH, 1);
	dma_sync_single_for_cpu(dev, dma, 0x100, DMA_BIDIRECTIONAL);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	expect_both(rig, DMASIM_REPORT_SYNC_MISMATCH, dev, message);
}

/* A mapping for both ways is synced for either; one for one way for that. */
static void D17_right(void **state)
{
	static const enum dma_data_direction dirs[] = { DMA_BIDIRECTIONAL, DMA_TO_DEVICE,
							DMA_FROM_DEVICE };
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t both = mapped(dev, ram(rig, SZ_4K), SZ_4K, DMA_BIDIRECTIONAL);

	for (int i = 0; i < 3; i++) {
		dma_addr_t dma = mapped(dev, ram(rig, SZ_4K), SZ_4K, dirs[i]);

		dma_sync_single_for_cpu(dev, both, SZ_4K, dirs[i]);
		dma_sync_single_for_device(dev, both, SZ_4K, dirs[i]);
		dma_sync_single_for_cpu(dev, dma, SZ_4K, dirs[i]);
		dma_sync_single_for_device(dev, dma, SZ_4K, dirs[i]);
		dma_unmap_phys(dev, dma, SZ_4K, dirs[i], 0);
	}
	dma_unmap_phys(dev, both, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_silence(rig);
}

/* Two messages of Linux's about one call: one report has both. */
static void expect_two(struct rig *rig, struct device *dev, const char *const messages[2])
{
	char lines[2 * DEBUG_LINE_BYTES];
	struct dmasim_report report;
	size_t length;

	linux_line(lines, sizeof(lines), dev, messages[0]);
	length = strlen(lines);
	lines[length] = '\n';
	linux_line(lines + length + 1, sizeof(lines) - length - 1, dev, messages[1]);
	assert_true(dmasim_report_get(rig->s, 0, &report));
	assert_string_equal(report.linux_text, lines);
	expect_debug(rig, dev, 2, messages);
	expect_only(rig->s, DMASIM_REPORT_SYNC_MISMATCH, 1);
}

/* trust: D18: what a device only reads, synced for the CPU | our reading of the facts: dma-api */
static void D18_read_only_for_cpu(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = mapped(dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE);
	char message[2][MESSAGE_BYTES];
	const char *const messages[] = { message[0], message[1] };

	direction(message[0], DIFFERENT, dma, "DMA_TO_DEVICE", "DMA_FROM_DEVICE");
	direction(message[1], "device read-only DMA memory for cpu", dma, "DMA_TO_DEVICE",
		  "DMA_FROM_DEVICE");
	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_MISMATCH, 1);
	dma_sync_single_for_cpu(dev, dma, SZ_4K, DMA_FROM_DEVICE);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_two(rig, dev, messages);
}

/* With its own direction it may be synced, though it does nothing. */
static void D18_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = mapped(dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE);

	dma_sync_single_for_cpu(dev, dma, SZ_4K, DMA_TO_DEVICE);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_silence(rig);
}

/* trust: D19: what a device only writes, synced for the device | our reading of the facts */
static void D19_write_only_for_device(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = mapped(dev, ram(rig, SZ_4K), SZ_4K, DMA_FROM_DEVICE);
	char message[2][MESSAGE_BYTES];
	const char *const messages[] = { message[0], message[1] };

	direction(message[0], DIFFERENT, dma, "DMA_FROM_DEVICE", "DMA_TO_DEVICE");
	direction(message[1], "device write-only DMA memory to device", dma, "DMA_FROM_DEVICE",
		  "DMA_TO_DEVICE");
	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_MISMATCH, 1);
	dma_sync_single_for_device(dev, dma, SZ_4K, DMA_TO_DEVICE);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	expect_two(rig, dev, messages);
}

static void D19_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = mapped(dev, ram(rig, SZ_4K), SZ_4K, DMA_FROM_DEVICE);

	dma_sync_single_for_device(dev, dma, SZ_4K, DMA_FROM_DEVICE);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	expect_silence(rig);
}

/* ---- D20: another count ---------------------------------------------------------------------- */

/* trust: D20: a list synced with another count | our reading of the facts: dma-api 11 */
static void D20_other_count(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct list list;

	list_of_pages(rig, &list, 4);
	assert_int_equal(dma_map_sg(dev, list.sg, 4, DMA_FROM_DEVICE), 1);
	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_MISMATCH, 1);
	dma_sync_sg_for_cpu(dev, list.sg, 1, DMA_FROM_DEVICE);
	dma_unmap_sg(dev, list.sg, 4, DMA_FROM_DEVICE);
	expect_both(rig, DMASIM_REPORT_SYNC_MISMATCH, dev,
		    "device driver syncs DMA sg list with different entry count "
		    "[map count=4] [sync count=1]");
}

/* Of a list for both ways dma-debug does not look at the count. */
static void D20_other_count_both_ways(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct list list;

	list_of_pages(rig, &list, 4);
	assert_int_equal(dma_map_sg(dev, list.sg, 4, DMA_BIDIRECTIONAL), 1);
	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_MISMATCH, 1);
	dma_sync_sg_for_cpu(dev, list.sg, 1, DMA_BIDIRECTIONAL);
	dma_unmap_sg(dev, list.sg, 4, DMA_BIDIRECTIONAL);
	expect_checker_alone(rig, DMASIM_REPORT_SYNC_MISMATCH, dev,
			     "device driver syncs DMA sg list with different entry count "
			     "[map count=4] [sync count=1]");
}

static void D20_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct list list;

	list_of_pages(rig, &list, 4);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_FROM_DEVICE, 0));
	dma_sync_sgtable_for_cpu(dev, &list.table, DMA_FROM_DEVICE);
	dma_sync_sgtable_for_device(dev, &list.table, DMA_FROM_DEVICE);
	dma_unmap_sgtable(dev, &list.table, DMA_FROM_DEVICE, 0);
	expect_silence(rig);
}

/* ---- D21: a driver that lets go -------------------------------------------------------------- */

static void pending(char *message, u32 count, dma_addr_t dma)
{
	snprintf(message, MESSAGE_BYTES,
		 "device driver has pending DMA allocations while released from device "
		 "[count=%u]\nOne of leaked entries details: [device address=0x%016llx] "
		 "[size=4096 bytes] [mapped with DMA_TO_DEVICE] [mapped as phy]",
		 count, dma);
}

/* trust: D21: mappings that a driver leaves behind | our reading of the facts: dma-api 11 */
static void D21_left_behind(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = mapped(dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE);
	char message[MESSAGE_BYTES];

	pending(message, 1, dma);
	dmasim_expect(rig->s, DMASIM_REPORT_MAPPING_LEAKED, 1);
	dmasim_driver_unbound(rig->nvme);
	expect_both(rig, DMASIM_REPORT_MAPPING_LEAKED, dev, message);
}

/* dma-debug tells one of them, the checker each. */
static void D21_several_left_behind(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t first = mapped(dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE);
	dma_addr_t second = mapped(dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE);
	dma_addr_t low = first < second ? first : second, high = first + second - low;
	char message[2][MESSAGE_BYTES];

	pending(message[0], 2, low);
	pending(message[1], 2, high);
	dmasim_expect(rig->s, DMASIM_REPORT_MAPPING_LEAKED, 2);
	dmasim_driver_unbound(rig->nvme);
	expect_linux(rig, DMASIM_REPORT_MAPPING_LEAKED, 0, dev, message[0]);
	expect_linux(rig, DMASIM_REPORT_MAPPING_LEAKED, 1, dev, message[1]);
	if (!dmasim_dma_debug(rig->s).disabled)
		expect_u64(dmasim_dma_debug(rig->s).error_count, 1);
	expect_only(rig->s, DMASIM_REPORT_MAPPING_LEAKED, 2);
}

static void D21_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = mapped(dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE);
	dma_addr_t other = mapped(&rig->nic->dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE);

	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	/* That of another device is its driver's. */
	dmasim_driver_unbound(rig->nvme);
	dma_unmap_phys(&rig->nic->dev, other, SZ_4K, DMA_TO_DEVICE, 0);
	expect_silence(rig);
}

/* ---- T13: all of them are told, and by itself the first alone is printed --------------------- */

static void T13_only_the_first_is_printed(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	char message[2][MESSAGE_BYTES], line[DEBUG_LINE_BYTES], log[DEBUG_LOG_BYTES];

	dmasim_dma_debug_all_errors(rig->s, false);
	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_NOT_MAPPED, 2);
	for (u32 i = 0; i < 2; i++) {
		not_allocated(message[i], SZ_4K << i, SZ_4K);
		dma_sync_single_for_cpu(dev, SZ_4K << i, SZ_4K, DMA_FROM_DEVICE);
		expect_linux(rig, DMASIM_REPORT_SYNC_NOT_MAPPED, i, dev, message[i]);
	}
	dmasim_dma_debug_log(rig->s, log, sizeof(log));
	linux_line(line, sizeof(line), dev, message[0]);
	assert_non_null(strstr(log, line));
	assert_null(strstr(log, message[1]));
	expect_u64(dmasim_dma_debug(rig->s).error_count, 2);
	expect_only(rig->s, DMASIM_REPORT_SYNC_NOT_MAPPED, 2);
}

TEST_MAIN(IN(debug, T13_only_the_first_is_printed), ON_BOTH(D15_sync_after_unmap),
	  ON_BOTH_DIRECT(D15_sync_after_unmap), ON_BOTH(D15_sync_of_a_list_after_unmap),
	  ON_BOTH(D15_sync_of_links), ON_BOTH(D15_right), ON_BOTH_DIRECT(D15_right),
	  ON_BOTH(D16_sync_beyond_the_end), ON_BOTH_DIRECT(D16_sync_beyond_the_end),
	  ON_BOTH(D16_right), ON_BOTH(D17_other_direction), ON_BOTH(D17_right),
	  ON_BOTH_DIRECT(D17_right), ON_BOTH(D18_read_only_for_cpu), ON_BOTH(D18_right),
	  ON_BOTH(D19_write_only_for_device), ON_BOTH(D19_right), ON_BOTH(D20_other_count),
	  ON_BOTH(D20_other_count_both_ways), ON_BOTH(D20_right), ON_BOTH_DIRECT(D20_right),
	  ON_BOTH(D21_left_behind), ON_BOTH(D21_several_left_behind), ON_BOTH(D21_right))
