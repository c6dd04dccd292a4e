/* SPDX-License-Identifier: MIT */
/*
 * What dma-debug checks of an unmap: D7 to D14 and D22.
 */
#include "catalogue/debug.h"

#include <dmasim/kernel.h>

#include "unit/api/sites.h"

#define MESSAGE_BYTES 300

/* ---- D7, D8: what is not mapped -------------------------------------------------------------- */

/* trust: D07: the error value unmapped | our reading of the facts: dma-api 11 */
static void D07_error_value(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;

	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	dma_unmap_phys(dev, DMA_MAPPING_ERROR, SZ_4K, DMA_TO_DEVICE, 0);
	expect_both(rig, DMASIM_REPORT_UNMAP_NOT_MAPPED, dev,
		    "device driver tries to free an invalid DMA memory address");
}

/* A driver that looks at what it got. */
static void D07_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma;

	/* Page 0 alone is below this mask. */
	expect_ok(dma_set_mask(dev, SZ_4K - 1));
	dma = dma_map_phys(dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
	if (!dma_mapping_error(dev, dma))
		dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(dma, DMA_MAPPING_ERROR);
	expect_silence(rig);
}

static void not_allocated(char *message, dma_addr_t dma, u64 size)
{
	snprintf(message, MESSAGE_BYTES,
		 "device driver tries to free DMA memory it has not allocated "
		 "[device address=0x%016llx] [size=%llu bytes]",
		 dma, size);
}

/* trust: D08: an unmap of what is not mapped | our reading of the facts: dma-api 11 */
static void D08_unmap_twice(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = mapped(dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE);
	char message[MESSAGE_BYTES];

	not_allocated(message, dma, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_both(rig, DMASIM_REPORT_UNMAP_NOT_MAPPED, dev, message);
}

/* Without an IOMMU the address does not matter to the call: only its account is wrong. */
static void D08_other_device(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev, *other = &rig->nic->dev;
	dma_addr_t dma = mapped(dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE);
	char message[MESSAGE_BYTES];

	not_allocated(message, dma, SZ_4K);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	dma_unmap_phys(other, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_both(rig, DMASIM_REPORT_UNMAP_NOT_MAPPED, other, message);
}

static void D08_list_twice(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	char message[MESSAGE_BYTES];
	struct list list;

	list_of_pages(rig, &list, 1);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_TO_DEVICE, 0));
	not_allocated(message, sg_dma_address(list.sg), SZ_4K);
	dma_unmap_sgtable(dev, &list.table, DMA_TO_DEVICE, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	dma_unmap_sgtable(dev, &list.table, DMA_TO_DEVICE, 0);
	expect_both(rig, DMASIM_REPORT_UNMAP_NOT_MAPPED, dev, message);
}

/* Behind an IOMMU the granule goes all the same; elsewhere the mapping goes on. */
static void D08_inside_a_mapping(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = mapped(dev, ram(rig, SZ_4K), SZ_1K, DMA_TO_DEVICE);
	char message[MESSAGE_BYTES];

	not_allocated(message, dma + 4, SZ_1K);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	dma_unmap_phys(dev, dma + 4, SZ_1K, DMA_TO_DEVICE, 0);
	expect_says(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, "not that of the mapping, but inside");
	if (!translates(dev))
		dma_unmap_phys(dev, dma, SZ_1K, DMA_TO_DEVICE, 0);
	expect_both(rig, DMASIM_REPORT_UNMAP_NOT_MAPPED, dev, message);
}

/* What needed no mapping is unmapped all the same. */
static void D08_of_no_bytes(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	char message[MESSAGE_BYTES];

	not_allocated(message, 0, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	dma_unmap_phys(dev, 0, 0, DMA_TO_DEVICE, 0);
	expect_both(rig, DMASIM_REPORT_UNMAP_NOT_MAPPED, dev, message);
}

/* No entry, no error: dma-debug goes from one to the next. */
static void D08_list_of_none(void **state)
{
	struct rig *rig = *state;
	struct list list;

	list_of_pages(rig, &list, 2);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	dma_unmap_sg(&rig->nvme->dev, list.sg, 0, DMA_TO_DEVICE);
	expect_checker_alone(rig, DMASIM_REPORT_UNMAP_NOT_MAPPED, &rig->nvme->dev, "");
}

static void D08_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev, *other = &rig->nic->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t a = mapped(dev, buf, SZ_4K, DMA_TO_DEVICE);
	dma_addr_t b = mapped(other, buf, SZ_4K, DMA_TO_DEVICE);

	dma_unmap_phys(dev, a, SZ_4K, DMA_TO_DEVICE, 0);
	dma_unmap_phys(other, b, SZ_4K, DMA_TO_DEVICE, 0);
	expect_silence(rig);
}

/* ---- D9: another size ------------------------------------------------------------------------ */

/* trust: D09: an unmap with another size | our reading of the facts: dma-api 11 */
static void D09_other_size(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = mapped(dev, ram(rig, SZ_4K), 0x200, DMA_TO_DEVICE);
	char message[MESSAGE_BYTES];

	snprintf(message, sizeof(message),
		 "device driver frees DMA memory with different size [device address=0x%016llx] "
		 "[map size=512 bytes] [unmap size=256 bytes]",
		 dma);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	dma_unmap_phys(dev, dma, 0x100, DMA_TO_DEVICE, 0);
	expect_both(rig, DMASIM_REPORT_UNMAP_MISMATCH, dev, message);
}

static void D09_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t small = mapped(dev, buf, 0x100, DMA_TO_DEVICE);
	dma_addr_t large = mapped(dev, buf, 0x200, DMA_TO_DEVICE);

	/* Without an IOMMU both have the same address: the size tells which is meant. */
	dma_unmap_phys(dev, small, 0x100, DMA_TO_DEVICE, 0);
	dma_unmap_phys(dev, large, 0x200, DMA_TO_DEVICE, 0);
	expect_silence(rig);
}

/* ---- D10: another function ------------------------------------------------------------------- */

static void wrong_function(char *message, dma_addr_t dma, u64 size, const char *map,
			   const char *unmap)
{
	snprintf(message, MESSAGE_BYTES,
		 "device driver frees DMA memory with wrong function [device address=0x%016llx] "
		 "[size=%llu bytes] [mapped as %s] [unmapped as %s]",
		 dma, size, map, unmap);
}

/* trust: D10: an unmap by another function | our reading of the facts: dma-api 11 */
static void D10_list_as_page(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	const char *messages[2];
	char function[MESSAGE_BYTES];
	struct list list;
	dma_addr_t dma;

	list_of_pages(rig, &list, 1);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_TO_DEVICE, 0));
	dma = sg_dma_address(list.sg);
	wrong_function(function, dma, SZ_4K, "scatter-gather", "phy");
	messages[0] = function;
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_linux(rig, DMASIM_REPORT_UNMAP_MISMATCH, 0, dev, function);
	expect_debug(rig, dev, 1, messages);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
}

/* dma-debug holds the counts of entries against each other, too. */
static void D10_page_as_list(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	char function[MESSAGE_BYTES];
	const char *const messages[] = { function,
					 "device driver frees DMA sg list with different entry "
					 "count [map count=0] [unmap count=1]" };
	struct list list;

	list_of_pages(rig, &list, 1);
	sg_dma_address(list.sg) = mapped(dev, sg_phys(list.sg), SZ_4K, DMA_TO_DEVICE);
	sg_dma_len(list.sg) = SZ_4K;
	wrong_function(function, sg_dma_address(list.sg), SZ_4K, "phy", "scatter-gather");
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	dma_unmap_sg(dev, list.sg, 1, DMA_TO_DEVICE);
	expect_linux(rig, DMASIM_REPORT_UNMAP_MISMATCH, 0, dev, function);
	expect_debug(rig, dev, 2, messages);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
}

/* Shared memory and pages that are synced are two things, though both come mapped. */
static void D10_pages_as_shared(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	char message[MESSAGE_BYTES];
	dma_addr_t dma;
	void *memory = dma_alloc_noncoherent(dev, SZ_4K, &dma, DMA_BIDIRECTIONAL, GFP_KERNEL);

	assert_non_null(memory);
	wrong_function(message, dma, SZ_4K, "noncoherent", "coherent");
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	dma_free_coherent(dev, SZ_4K, memory, dma);
	expect_both(rig, DMASIM_REPORT_UNMAP_MISMATCH, dev, message);
}

static void D10_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct sg_table *table;
	struct list list;
	dma_addr_t dma;
	void *memory = dma_alloc_coherent(dev, SZ_4K, &dma, GFP_KERNEL);

	assert_non_null(memory);
	dma_free_coherent(dev, SZ_4K, memory, dma);
	table = dma_alloc_noncontiguous(dev, SZ_4K, DMA_TO_DEVICE, GFP_KERNEL, 0);
	assert_non_null(table);
	dma_free_noncontiguous(dev, SZ_4K, table, DMA_TO_DEVICE);
	list_of_pages(rig, &list, 3);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_TO_DEVICE, 0));
	dma_unmap_sgtable(dev, &list.table, DMA_TO_DEVICE, 0);
	expect_silence(rig);
}

/* ---- D11: another CPU address ---------------------------------------------------------------- */

/*
 * trust: D11: shared memory freed with the CPU address of other memory
 * | our reading of the facts
 */
static void D11_other_cpu_address(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	char message[2][MESSAGE_BYTES];
	const char *const messages[] = { message[0], message[1] };
	phys_addr_t phys[2];
	dma_addr_t dma[2];
	void *memory[2];

	for (int i = 0; i < 2; i++) {
		memory[i] = dma_alloc_coherent(dev, SZ_4K, &dma[i], GFP_KERNEL);
		assert_non_null(memory[i]);
		phys[i] = dmasim_virt_to_phys(rig->s, memory[i]);
	}
	for (int i = 0; i < 2; i++)
		snprintf(message[i], MESSAGE_BYTES,
			 "device driver frees DMA memory with different CPU address "
			 "[device address=0x%016llx] [size=4096 bytes] "
			 "[cpu alloc address=0x0x%016llx] [cpu free address=0x0x%016llx]",
			 dma[i], phys[i], phys[!i]);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 2);
	dma_free_coherent(dev, SZ_4K, memory[1], dma[0]);
	dma_free_coherent(dev, SZ_4K, memory[0], dma[1]);
	expect_linux(rig, DMASIM_REPORT_UNMAP_MISMATCH, 0, dev, message[0]);
	expect_linux(rig, DMASIM_REPORT_UNMAP_MISMATCH, 1, dev, message[1]);
	expect_debug(rig, dev, 2, messages);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 2);
}

static void D11_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma[2];
	void *memory[2];

	for (int i = 0; i < 2; i++)
		memory[i] = dma_alloc_coherent(dev, SZ_4K, &dma[i], GFP_KERNEL);
	for (int i = 0; i < 2; i++)
		dma_free_coherent(dev, SZ_4K, memory[i], dma[i]);
	expect_silence(rig);
}

/* ---- D12: another count ---------------------------------------------------------------------- */

/* trust: D12: a list unmapped with another count | our reading of the facts: dma-api 11 */
static void D12_other_count(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct list list;

	list_of_pages(rig, &list, 4);
	assert_int_equal(dma_map_sg(dev, list.sg, 4, DMA_TO_DEVICE), 1);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	dma_unmap_sg(dev, list.sg, 1, DMA_TO_DEVICE);
	expect_both(rig, DMASIM_REPORT_UNMAP_MISMATCH, dev,
		    "device driver frees DMA sg list with different entry count "
		    "[map count=4] [unmap count=1]");
	assert_true(report_says(rig->s, DMASIM_REPORT_UNMAP_MISMATCH,
				"entries   4 at the map, 1 at the unmap"));
	assert_true(report_says(rig->s, DMASIM_REPORT_UNMAP_MISMATCH,
				"all of it is unmapped, but caches"));
}

static void D12_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct list list;

	list_of_pages(rig, &list, 4);
	assert_true(dma_map_sg(dev, list.sg, 4, DMA_TO_DEVICE) > 0);
	dma_unmap_sg(dev, list.sg, 4, DMA_TO_DEVICE);
	expect_silence(rig);
}

/* ---- D13: another direction ------------------------------------------------------------------ */

/* trust: D13: an unmap with another direction | our reading of the facts: dma-api 11 */
static void D13_other_direction(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = mapped(dev, ram(rig, SZ_4K), SZ_4K, DMA_FROM_DEVICE);
	char message[MESSAGE_BYTES];

	snprintf(message, sizeof(message),
		 "device driver frees DMA memory with different direction "
		 "[device address=0x%016llx] [size=4096 bytes] [mapped with DMA_FROM_DEVICE] "
		 "[unmapped with DMA_TO_DEVICE]",
		 dma);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_both(rig, DMASIM_REPORT_UNMAP_MISMATCH, dev, message);
}

/* Size and direction: each is told. */
static void D13_other_direction_and_size(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = mapped(dev, ram(rig, SZ_4K), 0x200, DMA_FROM_DEVICE);
	char size[MESSAGE_BYTES], direction[MESSAGE_BYTES];
	const char *const messages[] = { size, direction };

	snprintf(size, sizeof(size),
		 "device driver frees DMA memory with different size [device address=0x%016llx] "
		 "[map size=512 bytes] [unmap size=256 bytes]",
		 dma);
	snprintf(direction, sizeof(direction),
		 "device driver frees DMA memory with different direction "
		 "[device address=0x%016llx] [size=256 bytes] [mapped with DMA_FROM_DEVICE] "
		 "[unmapped with DMA_BIDIRECTIONAL]",
		 dma);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 2);
	dma_unmap_phys(dev, dma, 0x100, DMA_BIDIRECTIONAL, 0);
	expect_linux(rig, DMASIM_REPORT_UNMAP_MISMATCH, 0, dev, size);
	expect_linux(rig, DMASIM_REPORT_UNMAP_MISMATCH, 1, dev, direction);
	expect_debug(rig, dev, 2, messages);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 2);
}

static void D13_right(void **state)
{
	static const enum dma_data_direction dirs[] = { DMA_BIDIRECTIONAL, DMA_TO_DEVICE,
							DMA_FROM_DEVICE };
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;

	for (int i = 0; i < 3; i++)
		dma_unmap_phys(dev, mapped(dev, ram(rig, SZ_4K), SZ_4K, dirs[i]), SZ_4K, dirs[i],
			       0);
	expect_silence(rig);
}

/* ---- D14: nobody asked ----------------------------------------------------------------------- */

/* trust: D14: nobody asked whether the mapping failed | our reading of the facts: dma-api 11 */
static void D14_not_asked(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = dma_map_phys(dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
	char message[MESSAGE_BYTES];

	snprintf(message, sizeof(message),
		 "device driver failed to check map error[device address=0x%016llx] "
		 "[size=4096 bytes] [mapped as phy]",
		 dma);
	dmasim_expect(rig->s, DMASIM_REPORT_MAPPING_UNCHECKED, 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_both(rig, DMASIM_REPORT_MAPPING_UNCHECKED, dev, message);
}

/* Who does not want to hear of it does not; a debug kernel tells it always. */
static void D14_not_asked_for(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = dma_map_phys(dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);

	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(dmasim_dma_debug(rig->s).error_count, 1);
	expect_u64(dmasim_report_count(rig->s), 0);
	dmasim_assert_clean(rig->s);
}

/* A list says by its count whether it failed. */
static void D14_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = dma_map_phys(dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
	struct list list;

	expect_ok(dma_mapping_error(dev, dma));
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	list_of_pages(rig, &list, 2);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_TO_DEVICE, 0));
	dma_unmap_sgtable(dev, &list.table, DMA_TO_DEVICE, 0);
	expect_silence(rig);
}

/* ---- D22: other attributes ------------------------------------------------------------------- */

/* trust: D22: an unmap with other attributes | our reading of the facts: dma-api 11 */
static void D22_other_attributes(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma =
		dma_map_phys(dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, DMA_ATTR_PRIVILEGED);
	char message[MESSAGE_BYTES];

	expect_ok(dma_mapping_error(dev, dma));
	snprintf(message, sizeof(message),
		 "device driver frees DMA memory with different attributes "
		 "[device address=0x%016llx] [size=4096 bytes] [mapped with 0x200] "
		 "[unmapped with 0x0]",
		 dma);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_both(rig, DMASIM_REPORT_UNMAP_MISMATCH, dev, message);
}

/* Those that may differ do. */
static void D22_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = dma_map_phys(dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE,
				      DMA_ATTR_PRIVILEGED | DMA_ATTR_WEAK_ORDERING);

	expect_ok(dma_mapping_error(dev, dma));
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE,
		       DMA_ATTR_PRIVILEGED | DMA_ATTR_SKIP_CPU_SYNC);
	expect_silence(rig);
}

TEST_MAIN(ON_BOTH(D07_error_value), ON_BOTH(D07_right), ON_BOTH(D08_unmap_twice),
	  ON_BOTH_DIRECT(D08_unmap_twice), ON_BOTH_DIRECT(D08_other_device),
	  ON_BOTH(D08_list_twice), ON_BOTH(D08_inside_a_mapping),
	  ON_BOTH_DIRECT(D08_inside_a_mapping), ON_BOTH(D08_list_of_none), ON_BOTH(D08_of_no_bytes),
	  ON_BOTH_DIRECT(D08_of_no_bytes), ON_BOTH(D08_right), ON_BOTH_DIRECT(D08_right),
	  ON_BOTH(D09_other_size), ON_BOTH_DIRECT(D09_other_size), ON_BOTH(D09_right),
	  ON_BOTH_DIRECT(D09_right), ON_BOTH(D10_list_as_page), ON_BOTH(D10_page_as_list),
	  ON_BOTH(D10_pages_as_shared), ON_BOTH(D10_right), ON_BOTH_DIRECT(D10_right),
	  ON_BOTH(D11_other_cpu_address), ON_BOTH(D11_right), ON_BOTH(D12_other_count),
	  ON_BOTH(D12_right), ON_BOTH_DIRECT(D12_right), ON_BOTH(D13_other_direction),
	  ON_BOTH_DIRECT(D13_other_direction), ON_BOTH(D13_other_direction_and_size),
	  ON_BOTH(D13_right), ON_BOTH_UNCHECKED(D14_not_asked), IN(debug, D14_not_asked_for),
	  ON_BOTH_UNCHECKED(D14_right), ON_BOTH(D22_other_attributes), ON_BOTH(D22_right))
