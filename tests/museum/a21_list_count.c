/* SPDX-License-Identifier: MIT */
/*
 * A21: a disk driver, mtip32xx (fix posted in 2025: 20250627121123.203731-2; the code came with
 * 88523a61558a).
 *
 * Two mistakes about one number, what dma_map_sg() returns. It may be 0, which nobody tested: the
 * command goes out without segments, the disk reports success, and nothing was read. And it is how
 * many segments the device uses, while dma_unmap_sg() wants what dma_map_sg() was given:
 *
 *   given      | page | page | page | page |      4
 *   returned   | segment                   |      1, where an IOMMU joins them
 *
 * An IOMMU's range goes as a whole, but what the CPU's cache has of the pages after the first is
 * not forgotten, nor copied back. Without an IOMMU both numbers are the same, and all is well.
 * Learn from it: keep the count that was given; sg_table and dma_map_sgtable() do.
 */
#include "museum/museum.h"

#define DISK_TABLE 0x00
#define DISK_COUNT 0x08
#define DISK_READ  0x10 /* writing a sector's number reads from there on, into the segments */

#define DISK_SEGMENTS 8
#define DISK_OK	      0

/* ---- The driver ------------------------------------------------------------------------------ */

struct disk_segment {
	__le64 addr;
	__le64 len;
};

struct disk {
	void __iomem *regs;
	bool fixed;
	struct disk_segment *table;
	dma_addr_t table_dma;
};

static int disk_issue(struct disk *disk, struct scatterlist *list, int count, u64 sector)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(list, sg, count, i) {
		disk->table[i].addr = cpu_to_le64(sg_dma_address(sg));
		disk->table[i].len = cpu_to_le64(sg_dma_len(sg));
	}
	dma_wmb();
	writeq((u64)count, disk->regs + DISK_COUNT);
	writeq(sector, disk->regs + DISK_READ);
	return readq(disk->regs + DISK_READ) == DISK_OK ? 0 : -EIO;
}

static int disk_read(struct pci_dev *pdev, struct scatterlist *list, int given, u64 sector)
{
	struct disk *disk = pci_get_drvdata(pdev);
	int count = dma_map_sg(&pdev->dev, list, given, DMA_FROM_DEVICE); /* [map] */
	int err;

	if (disk->fixed && !count)
		return -ENOMEM; /* half of the fix */
	err = disk_issue(disk, list, count, sector);
	if (disk->fixed)
		dma_unmap_sg(&pdev->dev, list, given, DMA_FROM_DEVICE); /* the other half */
	else
		dma_unmap_sg(&pdev->dev, list, count, DMA_FROM_DEVICE); /* [unmap] */
	return err;
}

static int disk_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct disk *disk = kzalloc(sizeof(*disk), GFP_KERNEL);

	if (!disk)
		return -ENOMEM;
	disk->fixed = id->driver_data;
	disk->regs = museum_enable(pdev);
	if (!disk->regs)
		goto free_disk;
	disk->table = dma_alloc_coherent(&pdev->dev, DISK_SEGMENTS * sizeof(*disk->table),
					 &disk->table_dma, GFP_KERNEL);
	if (!disk->table)
		goto disable;
	writeq(disk->table_dma, disk->regs + DISK_TABLE);
	pci_set_drvdata(pdev, disk);
	return 0;

disable:
	museum_disable(pdev, disk->regs);
free_disk:
	kfree(disk);
	return -ENOMEM;
}

static void disk_remove(struct pci_dev *pdev)
{
	struct disk *disk = pci_get_drvdata(pdev);

	dma_free_coherent(&pdev->dev, DISK_SEGMENTS * sizeof(*disk->table), disk->table,
			  disk->table_dma);
	museum_disable(pdev, disk->regs);
	kfree(disk);
}

MUSEUM_IDS(disk_ids);

static struct pci_driver disk_driver = {
	.name = "mtip32xx",
	.id_table = disk_ids,
	.probe = disk_probe,
	.remove = disk_remove,
};
module_pci_driver(disk_driver);

/* ---- The device: a byte is the number of its sector ------------------------------------------ */

#define SECTOR 512

static void disk_written(struct exhibit *exhibit, u64 offset)
{
	u64 sector = *exhibit_reg(exhibit, DISK_READ), in_sector = 0;
	struct disk_segment segment;

	if (offset != DISK_READ)
		return;
	for (u64 i = 0; i < *exhibit_reg(exhibit, DISK_COUNT); i++) {
		u64 at = *exhibit_reg(exhibit, DISK_TABLE) + i * sizeof(segment);
		u64 left;

		exhibit_read(exhibit, at, &segment, sizeof(segment));
		at = le64_to_cpu(segment.addr);
		for (left = le64_to_cpu(segment.len); left; left -= SECTOR, at += SECTOR) {
			u8 bytes[SECTOR];

			memset(bytes, (int)(sector + in_sector++), sizeof(bytes));
			exhibit_write(exhibit, at, bytes, sizeof(bytes));
		}
	}
	*exhibit_reg(exhibit, DISK_READ) = DISK_OK;
}

/* ---- What is told ---------------------------------------------------------------------------- */

#define PIECES 4

struct shelf {
	struct page *page[PIECES];
	struct scatterlist list[PIECES];
};

static void shelf_fill(struct shelf *shelf)
{
	sg_init_table(shelf->list, PIECES);
	for (u32 i = 0; i < PIECES; i++) {
		shelf->page[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		assert_non_null(shelf->page[i]);
		sg_set_page(&shelf->list[i], shelf->page[i], SZ_4K, 0);
	}
}

/* Pages that hold what was read; 0 are left. */
static u32 shelf_empty(struct shelf *shelf)
{
	u32 right = 0;

	for (u32 i = 0; i < PIECES; i++) {
		const u8 *bytes = page_address(shelf->page[i]);

		right += bytes[0] == 1 + i * (SZ_4K / SECTOR) && bytes[SZ_4K - 1] == 8 + 8 * i;
		__free_page(shelf->page[i]);
	}
	return right;
}

static u32 read_list(struct exhibit *exhibit, enum museum_form form)
{
	struct shelf shelf;

	exhibit->written = disk_written;
	expect_ok(exhibit_open(exhibit, __FILE__, form));
	shelf_fill(&shelf);
	expect_ok(disk_read(exhibit->pdev, shelf.list, PIECES, 1));
	exhibit_unload(__FILE__);
	return shelf_empty(&shelf);
}

static const struct caught other_count = {
	DMASIM_REPORT_UNMAP_MISMATCH,
	"call",
	"[unmap]",
	"disk_read",
	"device driver frees DMA sg list with different entry count [map count=4] "
	"[unmap count=1]",
};

/*
 * trust: A21, a list unmapped with the count that the map returned
 * | our reading of the facts: real-bugs A21
 */
static void list_count_wrong(void **state)
{
	expect_u64(read_list(*state, MUSEUM_WRONG), PIECES);
	exhibit_close(*state, __FILE__, &other_count, 1, 0);
}

/* The device does not snoop: the CPU finds in its cache what was there before. */
static void list_count_wrong_reads_the_cache(void **state)
{
	expect_u64(read_list(*state, MUSEUM_WRONG), 1);
	exhibit_close(*state, __FILE__, &other_count, 1, 0);
}

static void list_count_wrong_works_if_nothing_is_joined(void **state)
{
	expect_u64(read_list(*state, MUSEUM_WRONG), PIECES);
	exhibit_close_silent(*state);
}

static void list_count_right(void **state)
{
	expect_u64(read_list(*state, MUSEUM_RIGHT), PIECES);
	exhibit_close_silent(*state);
}

/* The device has too few addresses for the list. */
static int read_without_room(struct exhibit *exhibit, enum museum_form form)
{
	struct shelf shelf;
	int err;

	exhibit->written = disk_written;
	expect_ok(exhibit_open(exhibit, __FILE__, form));
	shelf_fill(&shelf);
	expect_ok(dma_set_mask(&exhibit->pdev->dev, PIECES * SZ_4K - 1));
	err = disk_read(exhibit->pdev, shelf.list, PIECES, 1);
	exhibit_unload(__FILE__);
	expect_u64(shelf_empty(&shelf), 0);
	return err;
}

/*
 * trust: A21, a list that could not be mapped is used and unmapped
 * | our reading of the facts: real-bugs A21
 */
static void failed_map_wrong(void **state)
{
	static const struct caught caught = { DMASIM_REPORT_UNMAP_NOT_MAPPED, "call", "[unmap]",
					      "disk_read" };

	expect_ok(read_without_room(*state, MUSEUM_WRONG));
	exhibit_close(*state, __FILE__, &caught, 1, 0);
}

static void failed_map_right(void **state)
{
	expect_error(read_without_room(*state, MUSEUM_RIGHT), -ENOMEM);
	exhibit_close_silent(*state);
}

TEST_MAIN(BEHIND_IOMMUS(list_count_wrong), IN(no_snoop, list_count_wrong_reads_the_cache),
	  WITHOUT_IOMMU(list_count_wrong_works_if_nothing_is_joined), EVERYWHERE(list_count_right),
	  IN(no_snoop, list_count_right), BEHIND_IOMMUS(failed_map_wrong),
	  BEHIND_IOMMUS(failed_map_right))
