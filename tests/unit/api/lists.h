/* SPDX-License-Identifier: MIT */
/*
 * Scatterlists in tests: building one entry by entry, and checking what a device sees through one.
 */
#ifndef UNIT_API_LISTS_H
#define UNIT_API_LISTS_H

#include "unit/api/machines.h"

#define LIST_MAX 128

/* Two halves of one list: what it is now, and what the CPU's half was at the start. */
struct list {
	struct scatterlist sg[LIST_MAX];
	struct scatterlist before[LIST_MAX];
	struct sg_table table;
};

static inline void list_init(struct list *list, u32 entries)
{
	assert_true(entries <= LIST_MAX);
	sg_init_table(list->sg, entries);
	list->table = (struct sg_table){ .sgl = list->sg, .orig_nents = entries };
}

/* Entry `index` is [phys, phys + bytes), RAM or a BAR. */
static inline void list_set(struct rig *rig, struct list *list, u32 index, phys_addr_t phys,
			    unsigned int bytes)
{
	struct page *page = dmasim_page(rig->s, phys);

	assert_non_null(page);
	sg_set_page(&list->sg[index], page, bytes, phys & (PAGE_SIZE - 1));
}

static inline void list_remember(struct list *list)
{
	memcpy(list->before, list->sg, sizeof(list->sg));
}

/* The CPU's half is untouched, and no flag of the DMA half is left. */
static inline void expect_list_restored(const struct list *list)
{
	for (u32 i = 0; i < list->table.orig_nents; i++) {
		expect_u64(list->sg[i].page_link, list->before[i].page_link);
		expect_u64(list->sg[i].offset, list->before[i].offset);
		expect_u64(list->sg[i].length, list->before[i].length);
		expect_u64(list->sg[i].dma_flags, 0);
	}
}

/* The DMA half of the entries that no segment needed: facts 4.3, step 7. */
static inline void expect_unused(const struct list *list, u32 from)
{
	for (u32 i = from; i < list->table.orig_nents; i++) {
		expect_u64(list->sg[i].dma_address, DMA_MAPPING_ERROR);
		expect_u64(list->sg[i].dma_length, 0);
		expect_u64(list->sg[i].dma_flags, 0);
	}
}

static inline u64 list_bytes(struct sg_table *table)
{
	struct scatterlist *sg;
	u64 bytes = 0;
	u32 i;

	for_each_sgtable_sg(table, sg, i)
		bytes += sg->length;
	return bytes;
}

/*
 * In its turn the CPU fills the list front to back; the device reads the same bytes, segment by
 * segment.
 */
static inline void expect_device_reads_list(struct dmasim *s, struct pci_dev *pdev,
					    struct sg_table *table, void *bytes, void *scratch)
{
	u64 total = list_bytes(table), done = 0;
	struct scatterlist *sg;
	u32 i;

	fill_pattern(bytes, total, total);
	dma_sync_sgtable_for_cpu(&pdev->dev, table, DMA_TO_DEVICE);
	for_each_sgtable_sg(table, sg, i) {
		expect_u64(dmasim_write(s, sg_phys(sg), (u8 *)bytes + done, sg->length),
			   sg->length);
		done += sg->length;
	}
	dma_sync_sgtable_for_device(&pdev->dev, table, DMA_TO_DEVICE);
	done = 0;
	for_each_sgtable_dma_sg(table, sg, i) {
		assert_true(done + sg_dma_len(sg) <= total);
		expect_done(dmasim_dev_read(pdev, sg_dma_address(sg), (u8 *)scratch + done,
					    sg_dma_len(sg)),
			    sg_dma_len(sg));
		done += sg_dma_len(sg);
	}
	expect_u64(done, total);
	assert_memory_equal(scratch, bytes, total);
}

/* The device writes segment by segment; the CPU finds the same bytes front to back. */
static inline void expect_device_writes_list(struct dmasim *s, struct pci_dev *pdev,
					     struct sg_table *table, void *bytes)
{
	u64 total = list_bytes(table), done = 0;
	struct scatterlist *sg;
	u32 i;

	fill_pattern(bytes, total, ~total);
	for_each_sgtable_dma_sg(table, sg, i) {
		assert_true(done + sg_dma_len(sg) <= total);
		expect_done(dmasim_dev_write(pdev, sg_dma_address(sg), (u8 *)bytes + done,
					     sg_dma_len(sg)),
			    sg_dma_len(sg));
		done += sg_dma_len(sg);
	}
	expect_u64(done, total);
	done = 0;
	for_each_sgtable_sg(table, sg, i) {
		expect_bytes_at(s, sg_phys(sg), (u8 *)bytes + done, sg->length);
		done += sg->length;
	}
}

/* A mapped list (BIDIRECTIONAL, up to 2 MiB) carries its bytes both ways, in order. */
static inline void expect_list_carries(struct dmasim *s, struct pci_dev *pdev,
				       struct sg_table *table)
{
	static u8 bytes[SZ_2M], scratch[SZ_2M];

	assert_true(list_bytes(table) <= sizeof(bytes));
	expect_device_reads_list(s, pdev, table, bytes, scratch);
	expect_device_writes_list(s, pdev, table, bytes);
}

#endif
