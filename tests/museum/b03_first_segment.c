/* SPDX-License-Identifier: MIT */
/*
 * B3: the mapping of NVMe requests (fixed by 1bf86336e4b6; the code came with b8b7570a7ec8 and
 * 7ce3c1dd78fc).
 *
 * A request's pieces are mapped one after the other, and a list of them is allocated when there is
 * more than one. If that fails, the first piece is mapped already. The usual unmap cannot be used:
 * it reads the list that could not be had. So the way out did nothing, and the piece stayed mapped.
 * Learn from it: what was done before a failure is undone from what was done, not from where it
 * would have been written down. And make the nth allocation fail, for each n.
 */
#include "museum/museum.h"

#define NVME_LIST  0x00
#define NVME_COUNT 0x08
#define NVME_READ  0x10 /* writing a byte fills all pieces with it */

#define NVME_PIECES 4

/* ---- The driver ------------------------------------------------------------------------------ */

struct nvme_piece {
	__le64 addr;
	__le64 len;
};

struct nvme_request {
	struct nvme_piece *list;
	dma_addr_t list_dma;
	unsigned int count;
};

struct nvme {
	void __iomem *regs;
	bool fixed;
};

static dma_addr_t nvme_map_piece(struct device *dev, void *piece, size_t len)
{
	return dma_map_single(dev, piece, len, DMA_FROM_DEVICE); /* [map] */
}

static void nvme_unmap(struct device *dev, struct nvme_request *rq)
{
	for (unsigned int i = 0; i < rq->count; i++)
		dma_unmap_single(dev, le64_to_cpu(rq->list[i].addr), le64_to_cpu(rq->list[i].len),
				 DMA_FROM_DEVICE);
	dma_free_coherent(dev, NVME_PIECES * sizeof(*rq->list), rq->list, rq->list_dma);
}

static int nvme_map(struct nvme *nvme, struct device *dev, struct nvme_request *rq, void **piece,
		    unsigned int count)
{
	dma_addr_t dma = nvme_map_piece(dev, piece[0], PAGE_SIZE);

	if (dma_mapping_error(dev, dma))
		return -ENOMEM;
	rq->list =
		dma_alloc_coherent(dev, NVME_PIECES * sizeof(*rq->list), &rq->list_dma, GFP_ATOMIC);
	if (!rq->list) {
		if (nvme->fixed) /* the fix: there is one piece, and it is known which */
			dma_unmap_single(dev, dma, PAGE_SIZE, DMA_FROM_DEVICE);
		return -ENOMEM;
	}
	for (rq->count = 0; rq->count < count;) {
		rq->list[rq->count].addr = cpu_to_le64(dma);
		rq->list[rq->count].len = cpu_to_le64(PAGE_SIZE);
		if (++rq->count == count)
			break;
		dma = nvme_map_piece(dev, piece[rq->count], PAGE_SIZE);
		if (dma_mapping_error(dev, dma)) {
			nvme_unmap(dev, rq);
			return -ENOMEM;
		}
	}
	return 0;
}

static int nvme_read(struct pci_dev *pdev, void **piece, unsigned int count, u8 byte)
{
	struct nvme *nvme = pci_get_drvdata(pdev);
	struct nvme_request rq = { NULL };
	int err = nvme_map(nvme, &pdev->dev, &rq, piece, count);

	if (err)
		return err;
	dma_wmb();
	writeq(rq.list_dma, nvme->regs + NVME_LIST);
	writeq(rq.count, nvme->regs + NVME_COUNT);
	writeq(byte, nvme->regs + NVME_READ);
	nvme_unmap(&pdev->dev, &rq);
	return 0;
}

static int nvme_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct nvme *nvme = kzalloc(sizeof(*nvme), GFP_KERNEL);

	if (!nvme)
		return -ENOMEM;
	nvme->fixed = id->driver_data;
	nvme->regs = museum_enable(pdev);
	if (!nvme->regs) {
		kfree(nvme);
		return -ENOMEM;
	}
	pci_set_drvdata(pdev, nvme);
	return 0;
}

static void nvme_remove(struct pci_dev *pdev)
{
	struct nvme *nvme = pci_get_drvdata(pdev);

	museum_disable(pdev, nvme->regs);
	kfree(nvme);
}

MUSEUM_IDS(nvme_ids);

static struct pci_driver nvme_driver = {
	.name = "nvme",
	.id_table = nvme_ids,
	.probe = nvme_probe,
	.remove = nvme_remove,
};
module_pci_driver(nvme_driver);

/* ---- The device ------------------------------------------------------------------------------ */

static void nvme_written(struct exhibit *exhibit, u64 offset)
{
	u8 bytes[SZ_4K];

	if (offset != NVME_READ)
		return;
	memset(bytes, (int)*exhibit_reg(exhibit, NVME_READ), sizeof(bytes));
	for (u64 i = 0; i < *exhibit_reg(exhibit, NVME_COUNT); i++) {
		struct nvme_piece piece;

		exhibit_read(exhibit, *exhibit_reg(exhibit, NVME_LIST) + i * sizeof(piece), &piece,
			     sizeof(piece));
		exhibit_write(exhibit, le64_to_cpu(piece.addr), bytes, le64_to_cpu(piece.len));
	}
}

/* ---- What is told ---------------------------------------------------------------------------- */

/* A read of three pieces; the list for it can be had, or not. */
static void read_pieces(struct exhibit *exhibit, enum museum_form form, bool fails)
{
	void *piece[3];

	exhibit->written = nvme_written;
	expect_ok(exhibit_open(exhibit, __FILE__, form));
	for (u32 i = 0; i < 3; i++) {
		piece[i] = kmalloc(SZ_4K, GFP_KERNEL);
		assert_non_null(piece[i]);
	}
	if (fails)
		dmasim_fail(exhibit->s, DMASIM_FAULT_COHERENT, 1);
	expect_error(nvme_read(exhibit->pdev, piece, 3, 7), fails ? -ENOMEM : 0);
	exhibit_unload(__FILE__);
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(((u8 *)piece[i])[SZ_4K - 1] == 7, !fails);
		kfree(piece[i]);
	}
}

/* trust: B3, an error path that leaves the first piece | our reading of the facts: real-bugs B3 */
static void first_segment_wrong(void **state)
{
	static const struct caught caught[] = {
		{ DMASIM_REPORT_MAPPING_LEAKED, "mapped", "[map]", "nvme_map_piece",
		  "device driver has pending DMA allocations while released from device "
		  "[count=1]\nOne of leaked entries details: [device address=0x*] "
		  "[size=4096 bytes] [mapped with DMA_FROM_DEVICE] [mapped as phy]" },
	};

	read_pieces(*state, MUSEUM_WRONG, true);
	exhibit_close(*state, __FILE__, caught, 1, 0);
}

static void first_segment_wrong_works_with_memory(void **state)
{
	read_pieces(*state, MUSEUM_WRONG, false);
	exhibit_close_silent(*state);
}

static void first_segment_right(void **state)
{
	read_pieces(*state, MUSEUM_RIGHT, true);
	exhibit_close_silent(*state);
}

TEST_MAIN(EVERYWHERE(first_segment_wrong), EVERYWHERE(first_segment_wrong_works_with_memory),
	  EVERYWHERE(first_segment_right))
