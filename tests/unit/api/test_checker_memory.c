/* SPDX-License-Identifier: MIT */
/*
 * What the checker says of memory that should not be mapped, and of syncs: each report whole. The
 * programs that give them, and those that give none, are in tests/catalogue (D1 to D23).
 */
#include "unit/api/lists.h"
#include "unit/api/sites.h"

#define TEXT_BYTES DMASIM_REPORT_TEXT_BYTES

/* Without an IOMMU, so that DMA addresses are those of memory. */
static int setup(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU,
						       .report_unchecked = true });
}

/* The first report is this, between its headline and the line that replays it. */
static void expect_block(struct rig *rig, enum dmasim_report_id id, const char *lines)
{
	struct dmasim_report report;
	char expected[2 * TEXT_BYTES];

	assert_true(dmasim_report_get(rig->s, 0, &report));
	snprintf(expected, sizeof(expected),
		 "DMASIM-%03d %s: %s\n%s  replay    DMASIM_SEED=0x%llx test_checker_memory\n",
		 (int)id, dmasim_report_name(id), dmasim_report_sentence(id), lines,
		 dmasim_seed(rig->s));
	assert_string_equal(report.text, expected);
	expect_only(rig->s, id, 1);
}

static dma_addr_t ask(struct rig *rig, dma_addr_t dma)
{
	expect_ok(dma_mapping_error(&rig->nvme->dev, dma));
	return dma;
}

static void mappings_overlap(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct place first, second;
	char lines[TEXT_BYTES];

	dmasim_expect(rig->s, DMASIM_REPORT_MAPPINGS_OVERLAP, 1);
	NEXT_LINE(first);
	ask(rig, dma_map_phys(dev, buf, 0x800, DMA_FROM_DEVICE, 0));
	NEXT_LINE(second);
	ask(rig, dma_map_phys(dev, buf + 0x400, 0x800, DMA_FROM_DEVICE, 0));
	dma_unmap_phys(dev, buf + 0x400, 0x800, DMA_FROM_DEVICE, 0);
	dma_unmap_phys(dev, buf, 0x800, DMA_FROM_DEVICE, 0);
	snprintf(lines, sizeof(lines),
		 "  here      the same bytes are mapped already\n"
		 "  asked     0x%llx-0x%llx (2 KiB)\n"
		 "  memory               |mapped| new  |\n"
		 "    0x%llx-0x%llx  |######|      |  1 KiB  mapped already\n"
		 "    0x%llx-0x%llx  |######|******|  1 KiB  mapped already\n"
		 "    0x%llx-0x%llx  |      |******|  1 KiB  nothing\n"
		 "  mapping   dma_map_phys 0x%llx-0x%llx (2 KiB) -> phys 0x%llx, FROM_DEVICE, of "
		 "0000:03:00.0\n"
		 "  mapped    %s\n"
		 "  call      %s\n"
		 "  hardware  ending one mapping may drop from the cache what was written through "
		 "the other\n"
		 "  Linux     DMA-API: pci 0000:03:00.0: cacheline tracking EEXIST, overlapping "
		 "mappings aren't supported\n",
		 buf + 0x400, buf + 0xbff, buf, buf + 0x3ff, buf + 0x400, buf + 0x7ff, buf + 0x800,
		 buf + 0xbff, buf, buf + 0x7ff, buf, first.words, second.words);
	expect_block(rig, DMASIM_REPORT_MAPPINGS_OVERLAP, lines);
}

static void map_own(struct rig *rig, void *own, struct place *call, phys_addr_t *phys)
{
	struct device *dev = &rig->nvme->dev;

	*phys = dmasim_adopt(rig->s, own, 32);
	assert_true(*phys != DMASIM_NO_PHYS);
	NEXT_LINE(*call);
	ask(rig, dma_map_phys(dev, *phys, 32, DMA_TO_DEVICE, 0));
	dma_unmap_phys(dev, *phys, 32, DMA_TO_DEVICE, 0);
}

static void expect_own(struct rig *rig, enum dmasim_report_id id, const char *here,
		       const char *hardware, const char *message, const struct place *call,
		       phys_addr_t phys)
{
	char lines[TEXT_BYTES];

	snprintf(lines, sizeof(lines),
		 "  here      %s\n"
		 "  mapping   dma_map_phys 0x%llx-0x%llx (32 bytes) -> phys 0x%llx, TO_DEVICE, of "
		 "0000:03:00.0\n"
		 "  mapped    %s\n"
		 "  call      %s\n"
		 "  hardware  %s\n"
		 "  Linux     DMA-API: pci 0000:03:00.0: device driver maps memory from %s\n",
		 here, phys, phys + 31, phys, call->words, call->words, hardware, message);
	expect_block(rig, id, lines);
}

static void stack_mapped(void **state)
{
	struct rig *rig = *state;
	struct place call;
	phys_addr_t phys;
	u8 own[32] = { 0 };

	dmasim_expect(rig->s, DMASIM_REPORT_STACK_MAPPED, 1);
	map_own(rig, own, &call, &phys);
	expect_own(rig, DMASIM_REPORT_STACK_MAPPED,
		   "it is somebody else's when the function returns",
		   "the device uses what stands at that place of the stack by then",
		   "stack [addr=(____ptrval____)]", &call, phys);
}

static void read_only_mapped(void **state)
{
	static const u8 constant[32] = "a constant";
	struct rig *rig = *state;
	struct place call;
	phys_addr_t phys;

	dmasim_expect(rig->s, DMASIM_REPORT_READ_ONLY_MAPPED, 1);
	map_own(rig, (void *)(uintptr_t)constant, &call, &phys);
	expect_own(rig, DMASIM_REPORT_READ_ONLY_MAPPED, "it may only be read",
		   "a device knows no read-only pages of a program: it writes if it is told to",
		   "kernel text or rodata [addr=(____ptrval____)] [len=32]", &call, phys);
}

static void segment_limit(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct place call;
	char lines[TEXT_BYTES];
	struct list list;

	list_init(&list, 1);
	list_set(rig, &list, 0, buf, SZ_16K);
	dma_set_max_seg_size(dev, SZ_4K);
	dmasim_expect(rig->s, DMASIM_REPORT_SEGMENT_LIMIT, 1);
	NEXT_LINE(call);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_TO_DEVICE, 0));
	dma_unmap_sgtable(dev, &list.table, DMA_TO_DEVICE, 0);
	snprintf(lines, sizeof(lines),
		 "  here      the entry is longer than dma_get_max_seg_size()\n"
		 "  asked     0x%llx-0x%llx (16 KiB)\n"
		 "  call      %s\n"
		 "  hardware  the device cuts the segment, or wraps at its boundary, and uses "
		 "other memory\n"
		 "  Linux     DMA-API: pci 0000:03:00.0: mapping sg segment longer than device "
		 "claims to support [len=16384] [max=4096]\n",
		 buf, buf + SZ_16K - 1, call.words);
	expect_block(rig, DMASIM_REPORT_SEGMENT_LIMIT, lines);
}

static void sync_not_mapped(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct place map, call;
	char lines[TEXT_BYTES];

	NEXT_LINE(map);
	ask(rig, dma_map_phys(dev, buf, 0x100, DMA_FROM_DEVICE, 0));
	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_NOT_MAPPED, 1);
	NEXT_LINE(call);
	dma_sync_single_for_cpu(dev, buf, 0x200, DMA_FROM_DEVICE);
	dma_unmap_phys(dev, buf, 0x100, DMA_FROM_DEVICE, 0);
	snprintf(lines, sizeof(lines),
		 "  here      it goes on beyond the end of the mapping\n"
		 "  asked     0x%llx-0x%llx (512 bytes)\n"
		 "  addresses            |mapped| sync |\n"
		 "    0x%llx-0x%llx  |######|******|  256 bytes  this mapping\n"
		 "    0x%llx-0x%llx  |      |******|  256 bytes  nothing\n"
		 "  mapping   dma_map_phys 0x%llx-0x%llx (256 bytes) -> phys 0x%llx, FROM_DEVICE, "
		 "of 0000:03:00.0\n"
		 "  mapped    %s\n"
		 "  call      %s\n"
		 "  hardware  caches and bounce buffers of what is not mapped stay as they are\n"
		 "  Linux     DMA-API: pci 0000:03:00.0: device driver tries to sync DMA memory it "
		 "has not allocated [device address=0x%016llx] [size=512 bytes]\n",
		 buf, buf + 0x1ff, buf, buf + 0xff, buf + 0x100, buf + 0x1ff, buf, buf + 0xff, buf,
		 map.words, call.words, buf);
	expect_block(rig, DMASIM_REPORT_SYNC_NOT_MAPPED, lines);
}

/* Linux prints two lines for one mistake. */
static void sync_mismatch(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct place map, call;
	char lines[TEXT_BYTES];

	NEXT_LINE(map);
	ask(rig, dma_map_phys(dev, buf, 0x100, DMA_TO_DEVICE, 0));
	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_MISMATCH, 1);
	NEXT_LINE(call);
	dma_sync_single_for_cpu(dev, buf, 0x80, DMA_FROM_DEVICE);
	dma_unmap_phys(dev, buf, 0x100, DMA_TO_DEVICE, 0);
	snprintf(lines, sizeof(lines),
		 "  here      the direction is another, and the device never writes it\n"
		 "  asked     0x%llx-0x%llx (128 bytes)\n"
		 "  addresses            |mapped| sync |\n"
		 "    0x%llx-0x%llx  |######|******|  128 bytes  this mapping\n"
		 "    0x%llx-0x%llx  |######|      |  128 bytes  this mapping\n"
		 "  mapping   dma_map_phys 0x%llx-0x%llx (256 bytes) -> phys 0x%llx, TO_DEVICE, of "
		 "0000:03:00.0\n"
		 "  mapped    %s\n"
		 "  call      %s\n"
		 "  hardware  the wrong half is done: the CPU, or a device that does not snoop, "
		 "sees old bytes\n"
		 "  Linux     DMA-API: pci 0000:03:00.0: device driver syncs DMA memory with "
		 "different direction [device address=0x%016llx] [size=256 bytes] [mapped with "
		 "DMA_TO_DEVICE] [synced with DMA_FROM_DEVICE]\n"
		 "  Linux     DMA-API: pci 0000:03:00.0: device driver syncs device read-only DMA "
		 "memory for cpu [device address=0x%016llx] [size=256 bytes] [mapped with "
		 "DMA_TO_DEVICE] [synced with DMA_FROM_DEVICE]\n",
		 buf, buf + 0x7f, buf, buf + 0x7f, buf + 0x80, buf + 0xff, buf, buf + 0xff, buf,
		 map.words, call.words, buf, buf);
	expect_block(rig, DMASIM_REPORT_SYNC_MISMATCH, lines);
}

static void mapping_unchecked(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct place map, call;
	char lines[TEXT_BYTES];

	NEXT_LINE(map);
	dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_MAPPING_UNCHECKED, 1);
	NEXT_LINE(call);
	dma_unmap_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	snprintf(lines, sizeof(lines),
		 "  here      when it fails one day, the device gets an address that is none\n"
		 "  mapping   dma_map_phys 0x%llx-0x%llx (4 KiB) -> phys 0x%llx, TO_DEVICE, of "
		 "0000:03:00.0\n"
		 "  mapped    %s\n"
		 "  call      %s\n"
		 "  hardware  a device that gets the error value sends requests to the end of all "
		 "addresses\n"
		 "  Linux     DMA-API: pci 0000:03:00.0: device driver failed to check map "
		 "error[device address=0x%016llx] [size=4096 bytes] [mapped as phy]\n",
		 buf, buf + SZ_4K - 1, buf, map.words, call.words, buf);
	expect_block(rig, DMASIM_REPORT_MAPPING_UNCHECKED, lines);
}

static void resource_is_ram(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct place call;
	char lines[TEXT_BYTES];

	dmasim_expect(rig->s, DMASIM_REPORT_RESOURCE_IS_RAM, 1);
	NEXT_LINE(call);
	ask(rig, dma_map_resource(dev, buf, SZ_4K, DMA_TO_DEVICE, 0));
	dma_unmap_resource(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	snprintf(lines, sizeof(lines),
		 "  here      DMA_ATTR_MMIO: caches and copies are left out\n"
		 "  mapping   dma_map_phys 0x%llx-0x%llx (4 KiB) -> phys 0x%llx, TO_DEVICE, of "
		 "0000:03:00.0\n"
		 "  mapped    %s\n"
		 "  call      %s\n"
		 "  hardware  a device that does not snoop sees what was in memory before the CPU "
		 "wrote\n"
		 "  Linux     DMA-API: pci 0000:03:00.0: dma_map_resource called for RAM address "
		 "0x%016llx\n",
		 buf, buf + SZ_4K - 1, buf, call.words, call.words, buf);
	expect_block(rig, DMASIM_REPORT_RESOURCE_IS_RAM, lines);
}

#define T(test) WITH_SETUP(test, setup)

TEST_MAIN(T(mappings_overlap), T(stack_mapped), T(read_only_mapped), T(segment_limit),
	  T(sync_not_mapped), T(sync_mismatch), T(mapping_unchecked), T(resource_is_ram))
