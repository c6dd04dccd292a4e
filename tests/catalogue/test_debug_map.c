/* SPDX-License-Identifier: MIT */
/*
 * What dma-debug checks of a map: D1 to D6 and D23. dma-debug.h says which can fire.
 */
#include "catalogue/debug.h"

#include <dmasim/kernel.h>

/* ---- D1: mappings that overlap --------------------------------------------------------------- */

static const char overlap[] = "cacheline tracking EEXIST, overlapping mappings aren't supported";

static void map_twice(struct rig *rig, u64 apart, enum dma_data_direction first,
		      enum dma_data_direction second)
{
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t a = mapped(&rig->nvme->dev, buf, 0x200, first);
	dma_addr_t b = mapped(&rig->nic->dev, buf + apart, 0x200, second);

	dma_unmap_phys(&rig->nic->dev, b, 0x200, second, 0);
	dma_unmap_phys(&rig->nvme->dev, a, 0x200, first, 0);
}

/* trust: D01: mappings that overlap | our reading of the facts: dma-api 11 */
static void D01_overlap_of_first_lines(void **state)
{
	struct rig *rig = *state;

	dmasim_expect(rig->s, DMASIM_REPORT_MAPPINGS_OVERLAP, 1);
	map_twice(rig, 0, DMA_FROM_DEVICE, DMA_FROM_DEVICE);
	expect_both(rig, DMASIM_REPORT_MAPPINGS_OVERLAP, &rig->nic->dev, overlap);
}

/* On x86 dma-debug does not look. */
static void D01_overlap_on_x86(void **state)
{
	struct rig *rig = *state;

	dmasim_expect(rig->s, DMASIM_REPORT_MAPPINGS_OVERLAP, 1);
	map_twice(rig, 0, DMA_FROM_DEVICE, DMA_FROM_DEVICE);
	expect_checker_alone(rig, DMASIM_REPORT_MAPPINGS_OVERLAP, &rig->nic->dev, overlap);
}

/* It knows the first line of each mapping only, and none of what a device just reads. */
static void D01_overlap_of_other_lines(void **state)
{
	struct rig *rig = *state;

	dmasim_expect(rig->s, DMASIM_REPORT_MAPPINGS_OVERLAP, 1);
	map_twice(rig, 0x1f0, DMA_FROM_DEVICE, DMA_FROM_DEVICE);
	expect_checker_alone(rig, DMASIM_REPORT_MAPPINGS_OVERLAP, &rig->nic->dev, overlap);
}

static void D01_overlap_of_a_reader(void **state)
{
	struct rig *rig = *state;

	dmasim_expect(rig->s, DMASIM_REPORT_MAPPINGS_OVERLAP, 1);
	map_twice(rig, 0x100, DMA_FROM_DEVICE, DMA_TO_DEVICE);
	expect_checker_alone(rig, DMASIM_REPORT_MAPPINGS_OVERLAP, &rig->nic->dev, overlap);
}

/* Two entries of one list. */
static void D01_overlap_in_a_list(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct list list;

	list_init(&list, 2);
	list_set(rig, &list, 0, buf, 0x200);
	list_set(rig, &list, 1, buf + 0x100, 0x200);
	dmasim_expect(rig->s, DMASIM_REPORT_MAPPINGS_OVERLAP, 1);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_FROM_DEVICE, 0));
	dma_unmap_sgtable(dev, &list.table, DMA_FROM_DEVICE, 0);
	expect_checker_alone(rig, DMASIM_REPORT_MAPPINGS_OVERLAP, dev, overlap);
}

/* Readers share; neighbours do not overlap; one after the other is no overlap. */
static void D01_right(void **state)
{
	struct rig *rig = *state;

	map_twice(rig, 0, DMA_TO_DEVICE, DMA_TO_DEVICE);
	map_twice(rig, 0x200, DMA_FROM_DEVICE, DMA_FROM_DEVICE);
	map_twice(rig, 0x200, DMA_BIDIRECTIONAL, DMA_TO_DEVICE);
	expect_silence(rig);
}

/* ---- D1, without snooping: lines, not bytes -------------------------------------------------- */

/*
 *   line       |---------------|
 *   a, b       [aaaaaa][bbbbbbb]      a is written by its device, and cleaned with b's line
 */
static void map_neighbours(struct rig *rig)
{
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t a = mapped(dev, buf, 0x20, DMA_FROM_DEVICE);
	dma_addr_t b = mapped(dev, buf + 0x20, 0x20, DMA_TO_DEVICE);

	dma_unmap_phys(dev, b, 0x20, DMA_TO_DEVICE, 0);
	dma_unmap_phys(dev, a, 0x20, DMA_FROM_DEVICE, 0);
}

static void D01_shared_line_without_snooping(void **state)
{
	struct rig *rig = *state;

	dmasim_expect(rig->s, DMASIM_REPORT_MAPPINGS_OVERLAP, 1);
	map_neighbours(rig);
	assert_true(report_says(rig->s, DMASIM_REPORT_MAPPINGS_OVERLAP, "the same cache line"));
	expect_checker_alone(rig, DMASIM_REPORT_MAPPINGS_OVERLAP, &rig->nvme->dev, overlap);
}

/* ---- A22: what was a false alarm once -------------------------------------------------------- */

/* Neighbours in one line, of a device that snoops: DPAA2, 2021. */
static void A22_neighbours_in_a_line(void **state)
{
	struct rig *rig = *state;

	map_neighbours(rig);
	expect_silence(rig);
}

/* One device works in place, by two mappings: it brings back nothing of what it only reads. */
static void A22_in_place(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t source = mapped(dev, buf, SZ_4K, DMA_TO_DEVICE);
	dma_addr_t destination = mapped(dev, buf, SZ_4K, DMA_FROM_DEVICE);

	dma_unmap_phys(dev, destination, SZ_4K, DMA_FROM_DEVICE, 0);
	dma_unmap_phys(dev, source, SZ_4K, DMA_TO_DEVICE, 0);
	expect_silence(rig);
}

/* A fragment that several mappings send: the same. */
static void A22_shared_fragments(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma[12];

	for (int i = 0; i < 12; i++)
		dma[i] = mapped(dev, buf, 0x100, DMA_TO_DEVICE);
	for (int i = 0; i < 12; i++)
		dma_unmap_phys(dev, dma[i], 0x100, DMA_TO_DEVICE, 0);
	expect_silence(rig);
}

/* Memory that is registered again and again, and says so: eca58535b154. */
static void map_often(struct rig *rig, unsigned long attrs)
{
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma[12];

	for (int i = 0; i < 12; i++) {
		dma[i] = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, attrs);
		expect_ok(dma_mapping_error(dev, dma[i]));
	}
	for (int i = 0; i < 12; i++)
		dma_unmap_phys(dev, dma[i], SZ_4K, DMA_BIDIRECTIONAL, attrs);
}

static void A22_registered_often(void **state)
{
	struct rig *rig = *state;
	char log[DEBUG_LOG_BYTES];

	map_often(rig, DMA_ATTR_DEBUGGING_IGNORE_CACHELINES);
	map_often(rig, DMA_ATTR_REQUIRE_COHERENT);
	dmasim_dma_debug_log(rig->s, log, sizeof(log));
	assert_null(strstr(log, "exceeded"));
	expect_silence(rig);
}

/* Pages that come mapped are no mapping that can fail unnoticed: 7e2368a21741. */
static void A22_pages_that_come_mapped(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma;
	void *memory = dma_alloc_noncoherent(dev, SZ_4K, &dma, DMA_FROM_DEVICE, GFP_KERNEL);
	struct page *page;

	assert_non_null(memory);
	dma_free_noncoherent(dev, SZ_4K, memory, dma, DMA_FROM_DEVICE);
	page = dma_alloc_pages(dev, SZ_4K, &dma, DMA_FROM_DEVICE, GFP_KERNEL);
	assert_non_null(page);
	dma_free_pages(dev, SZ_4K, page, dma, DMA_FROM_DEVICE);
	expect_silence(rig);
}

/* ---- The warning beside D1 ------------------------------------------------------------------- */

/* The ninth mapping of a line; once, and on x86, too. It is no error by dma-debug's count. */
static void D01_more_than_can_be_counted(void **state)
{
	static const char exceeded[] = "DMA-API: exceeded 7 overlapping mappings of cacheline 0x";
	struct rig *rig = *state;
	char log[DEBUG_LOG_BYTES];
	const char *found;

	dmasim_suppress(rig->s, DMASIM_REPORT_MAPPINGS_OVERLAP);
	map_often(rig, 0);
	map_often(rig, 0);
	expect_u64(count_reports(rig->s, DMASIM_REPORT_MAPPINGS_OVERLAP), 22);
	dmasim_assert_clean(rig->s);
	dmasim_dma_debug_log(rig->s, log, sizeof(log));
	found = strstr(log, exceeded);
	assert_non_null(found);
	assert_null(strstr(found + 1, exceeded));
	expect_u64(dmasim_dma_debug(rig->s).error_count, 0);
}

/* ---- D2, D3: memory of the program that no device may have ----------------------------------- */

static void map_own(struct rig *rig, void *own, enum dmasim_report_id id)
{
	struct device *dev = &rig->nvme->dev;
	phys_addr_t phys = dmasim_adopt(rig->s, own, 16);
	dma_addr_t dma;

	assert_true(phys != DMASIM_NO_PHYS);
	if (id)
		dmasim_expect(rig->s, id, 1);
	dma = mapped(dev, phys, 16, DMA_TO_DEVICE);
	dma_unmap_phys(dev, dma, 16, DMA_TO_DEVICE, 0);
	dmasim_unadopt(rig->s, phys);
}

static const char stack_text[] = "device driver maps memory from stack [addr=(____ptrval____)]";

/* trust: D02: memory of a stack | our reading of the facts: dma-api 11 */
static void D02_stack(void **state)
{
	struct rig *rig = *state;
	u8 own[16] = { 0 };

	map_own(rig, own, DMASIM_REPORT_STACK_MAPPED);
	expect_both(rig, DMASIM_REPORT_STACK_MAPPED, &rig->nvme->dev, stack_text);
}

/* A pointer that was not adopted is refused, as in a kernel whose stacks are vmalloc()'s. */
static void D02_stack_by_pointer(void **state)
{
	struct rig *rig = *state;
	u8 own[16] = { 0 };

	dmasim_expect(rig->s, DMASIM_REPORT_STACK_MAPPED, 1);
	expect_u64(dma_map_single(&rig->nvme->dev, own, 16, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	expect_checker_alone(rig, DMASIM_REPORT_STACK_MAPPED, &rig->nvme->dev, stack_text);
}

/* A task of dmasim_run_cpus() has a stack of its own. */
struct stack_task {
	struct device *dev;
	int err;
};

static void map_task_stack(struct dmasim *s, void *context)
{
	struct stack_task *task = context;
	u8 own[16] = { 0 };
	phys_addr_t phys = dmasim_adopt(s, own, 16);
	dma_addr_t dma = dma_map_phys(task->dev, phys, 16, DMA_TO_DEVICE, 0);

	task->err = dma_mapping_error(task->dev, dma);
	dma_unmap_phys(task->dev, dma, 16, DMA_TO_DEVICE, 0);
	dmasim_unadopt(s, phys);
}

static void D02_stack_of_a_task(void **state)
{
	struct rig *rig = *state;
	struct stack_task context = { &rig->nvme->dev, -EINVAL };
	struct dmasim_task task = { map_task_stack, &context };

	dmasim_expect(rig->s, DMASIM_REPORT_STACK_MAPPED, 1);
	expect_ok(dmasim_run_cpus(rig->s, &task, 1, &(struct dmasim_schedule){ 0 }));
	expect_ok(context.err);
	expect_both(rig, DMASIM_REPORT_STACK_MAPPED, &rig->nvme->dev, stack_text);
}

static void D02_right(void **state)
{
	static u8 own[16];
	struct rig *rig = *state;
	u8 *heap = calloc(1, 16);

	assert_non_null(heap);
	map_own(rig, own, (enum dmasim_report_id)0);
	map_own(rig, heap, (enum dmasim_report_id)0);
	free(heap);
	expect_silence(rig);
}

static const char text_text[] = "device driver maps memory from kernel text or rodata "
				"[addr=(____ptrval____)] [len=16]";

/* trust: D03: code and constants | our reading of the facts: dma-api 11 */
static void D03_constant(void **state)
{
	static const u8 constant[16] = "fifteen letters";
	struct rig *rig = *state;

	map_own(rig, (void *)(uintptr_t)constant, DMASIM_REPORT_READ_ONLY_MAPPED);
	expect_both(rig, DMASIM_REPORT_READ_ONLY_MAPPED, &rig->nvme->dev, text_text);
}

static void D03_code(void **state)
{
	struct rig *rig = *state;

	map_own(rig, (void *)(uintptr_t)D03_constant, DMASIM_REPORT_READ_ONLY_MAPPED);
	expect_both(rig, DMASIM_REPORT_READ_ONLY_MAPPED, &rig->nvme->dev, text_text);
}

static void D03_constant_by_pointer(void **state)
{
	static const u8 constant[16] = "fifteen letters";
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;

	dmasim_expect(rig->s, DMASIM_REPORT_READ_ONLY_MAPPED, 1);
	expect_u64(dma_map_single(dev, (void *)(uintptr_t)constant, 16, DMA_TO_DEVICE),
		   DMA_MAPPING_ERROR);
	expect_both(rig, DMASIM_REPORT_READ_ONLY_MAPPED, dev, text_text);
}

/* An entry of a list is told with its own length. */
static void D03_constant_in_a_list(void **state)
{
	static const u8 constant[16] = "fifteen letters";
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t phys = dmasim_adopt(rig->s, (void *)(uintptr_t)constant, 16);
	struct list list;

	assert_true(phys != DMASIM_NO_PHYS);
	list_init(&list, 1);
	list_set(rig, &list, 0, phys, 16);
	dmasim_expect(rig->s, DMASIM_REPORT_READ_ONLY_MAPPED, 1);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_TO_DEVICE, 0));
	dma_unmap_sgtable(dev, &list.table, DMA_TO_DEVICE, 0);
	expect_both(rig, DMASIM_REPORT_READ_ONLY_MAPPED, dev, text_text);
}

static void D03_right(void **state)
{
	static u8 variable[16] = "fifteen letters";
	struct rig *rig = *state;

	map_own(rig, variable, (enum dmasim_report_id)0);
	expect_silence(rig);
}

/* ---- D4: a pointer to no memory -------------------------------------------------------------- */

/* trust: D04: a pointer to no memory | our reading of the facts: dma-api 11 */
static void D04_invalid_pointer(void **state)
{
	static u8 own[16];
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;

	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
	expect_u64(dma_map_single(dev, own, 16, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	expect_both(rig, DMASIM_REPORT_BAD_ARGUMENT, dev,
		    "device driver maps memory from invalid area [addr=(____ptrval____)] [len=16]");
}

/* Pages from anywhere: Linux refuses them before dma-debug hears of it. */
static void D04_vmalloc(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	void *memory;

	dmasim_enter(rig->s);
	memory = vzalloc(SZ_16K);
	assert_non_null(memory);
	assert_true(is_vmalloc_addr((u8 *)memory + SZ_16K - 1));
	assert_false(is_vmalloc_addr((u8 *)memory + SZ_16K));
	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
	expect_u64(dma_map_single(dev, (u8 *)memory + SZ_4K, 16, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	vfree(memory);
	dmasim_enter(NULL);
	assert_true(report_says(rig->s, DMASIM_REPORT_BAD_ARGUMENT, "vmalloc()"));
	expect_checker_alone(rig, DMASIM_REPORT_BAD_ARGUMENT, dev,
			     "device driver maps memory from vmalloc area "
			     "[addr=(____ptrval____)] [len=16]");
}

static void D04_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	void *memory = dmasim_ptr(rig->s, ram(rig, SZ_4K), SZ_4K);
	dma_addr_t dma = dma_map_single(dev, memory, 16, DMA_TO_DEVICE);

	expect_ok(dma_mapping_error(dev, dma));
	dma_unmap_single(dev, dma, 16, DMA_TO_DEVICE);
	expect_silence(rig);
}

/* ---- D5, D6: segments ------------------------------------------------------------------------ */

static void map_entry(struct rig *rig, phys_addr_t phys, unsigned int bytes)
{
	struct device *dev = &rig->nvme->dev;
	struct list list;

	list_init(&list, 1);
	list_set(rig, &list, 0, phys, bytes);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_TO_DEVICE, 0));
	dma_unmap_sgtable(dev, &list.table, DMA_TO_DEVICE, 0);
}

/* trust: D05: a segment that is too long | our reading of the facts: dma-api 11 */
static void D05_segment_too_long(void **state)
{
	struct rig *rig = *state;

	dma_set_max_seg_size(&rig->nvme->dev, SZ_4K);
	dmasim_expect(rig->s, DMASIM_REPORT_SEGMENT_LIMIT, 1);
	map_entry(rig, ram(rig, SZ_16K), SZ_4K + 1);
	expect_both(rig, DMASIM_REPORT_SEGMENT_LIMIT, &rig->nvme->dev,
		    "mapping sg segment longer than device claims to support "
		    "[len=4097] [max=4096]");
}

static void D05_right(void **state)
{
	struct rig *rig = *state;

	map_entry(rig, ram(rig, SZ_64K), SZ_64K);
	dma_set_max_seg_size(&rig->nvme->dev, SZ_1M);
	map_entry(rig, ram(rig, SZ_1M), SZ_1M);
	expect_silence(rig);
}

/* trust: D06: a segment across its boundary | our reading of the facts: dma-api 11 */
static void D06_segment_across_boundary(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_64K);
	char message[200];

	snprintf(message, sizeof(message),
		 "mapping sg segment across boundary [start=0x%016llx] [end=0x%016llx] "
		 "[boundary=0x%016llx]",
		 buf + 0x1f00, buf + 0x20ff, 0xfffULL);
	dma_set_seg_boundary(&rig->nvme->dev, 0xfff);
	dmasim_expect(rig->s, DMASIM_REPORT_SEGMENT_LIMIT, 1);
	map_entry(rig, buf + 0x1f00, 0x200);
	expect_both(rig, DMASIM_REPORT_SEGMENT_LIMIT, &rig->nvme->dev, message);
}

static void D06_right(void **state)
{
	struct rig *rig = *state;

	dma_set_seg_boundary(&rig->nvme->dev, 0xfff);
	map_entry(rig, ram(rig, SZ_4K) + 0xe00, 0x200);
	expect_silence(rig);
}

/* ---- D23: memory as a resource --------------------------------------------------------------- */

/* trust: D23: memory mapped as a resource | our reading of the facts: dma-api 11 */
static void D23_resource_is_ram(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	char message[80];
	dma_addr_t dma;

	snprintf(message, sizeof(message), "dma_map_resource called for RAM address 0x%016llx",
		 buf);
	dmasim_expect(rig->s, DMASIM_REPORT_RESOURCE_IS_RAM, 1);
	dma = dma_map_resource(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	expect_ok(dma_mapping_error(dev, dma));
	dma_unmap_resource(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_both(rig, DMASIM_REPORT_RESOURCE_IS_RAM, dev, message);
}

static void D23_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma =
		dma_map_resource(dev, pci_resource_start(rig->disk, 0), SZ_4K, DMA_TO_DEVICE, 0);

	expect_ok(dma_mapping_error(dev, dma));
	dma_unmap_resource(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_silence(rig);
}

TEST_MAIN(ON_BOTH_OTHER(D01_overlap_of_first_lines), ON_BOTH(D01_overlap_on_x86),
	  ON_BOTH_OTHER(D01_overlap_of_other_lines), ON_BOTH_OTHER(D01_overlap_of_a_reader),
	  ON_BOTH_OTHER(D01_overlap_in_a_list), IN(no_snoop, D01_shared_line_without_snooping),
	  IN(direct_no_snoop, D01_shared_line_without_snooping), ON_BOTH_OTHER(D01_right),
	  ON_BOTH(D01_right), IN(debug, D01_more_than_can_be_counted), ON_BOTH_OTHER(A22_in_place),
	  ON_BOTH_OTHER(A22_shared_fragments), ON_BOTH(A22_neighbours_in_a_line),
	  ON_BOTH_OTHER(A22_registered_often), ON_BOTH(A22_registered_often),
	  ON_BOTH_UNCHECKED(A22_pages_that_come_mapped), ON_BOTH(D02_stack),
	  ON_BOTH(D02_stack_by_pointer), ON_BOTH(D02_stack_of_a_task), ON_BOTH(D02_right),
	  ON_BOTH(D03_constant), ON_BOTH(D03_code), ON_BOTH(D03_constant_in_a_list),
	  ON_BOTH(D03_constant_by_pointer), ON_BOTH(D03_right), ON_BOTH(D04_invalid_pointer),
	  ON_BOTH(D04_vmalloc), ON_BOTH(D04_right), ON_BOTH(D05_segment_too_long),
	  ON_BOTH(D05_right), ON_BOTH_DIRECT(D06_segment_across_boundary),
	  ON_BOTH_DIRECT(D06_right), ON_BOTH(D23_resource_is_ram), ON_BOTH(D23_right))
