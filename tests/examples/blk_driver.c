// SPDX-License-Identifier: MIT
/*
 * A disk with one command at a time.
 *
 * A request is mapped as a scatterlist, or in two steps: one range of IOVA for all of it where an
 * IOMMU is there, piece by piece where none is.
 */
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "examples/blk_driver.h"
#include "examples/blk_hw.h"

struct blk_segment {
	__le64 addr;
	__le32 len;
	__le32 reserved;
};

struct blk_command {
	__le64 at;
	__le64 list;
	__le32 segments;
	__le32 operation;
	__le32 status;
	__le32 reserved;
};

struct blk {
	struct pci_dev *pdev;
	void __iomem *regs;
	struct dma_pool *lists;
	struct blk_command *command;
	dma_addr_t command_dma;
	bool done;
	unsigned int single_segments;
};

/* A request on its way. */
struct blk_request {
	struct blk_segment *list;
	dma_addr_t list_dma;
	unsigned int segments;
	enum dma_data_direction dir;
};

static int blk_begin(struct blk *blk, struct blk_request *rq, bool write)
{
	rq->segments = 0;
	rq->dir = write ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
	rq->list = dma_pool_alloc(blk->lists, GFP_KERNEL, &rq->list_dma);
	return rq->list ? 0 : -ENOMEM;
}

static void blk_end(struct blk *blk, struct blk_request *rq)
{
	dma_pool_free(blk->lists, rq->list, rq->list_dma);
}

static void blk_add_segment(struct blk_request *rq, dma_addr_t addr, u32 len)
{
	struct blk_segment *segment = &rq->list[rq->segments++];

	segment->addr = cpu_to_le64(addr);
	segment->len = cpu_to_le32(len);
	segment->reserved = 0;
}

static int blk_submit(struct blk *blk, struct blk_request *rq, u64 at)
{
	struct blk_command *command = blk->command;

	command->at = cpu_to_le64(at);
	command->list = cpu_to_le64(rq->list_dma);
	command->segments = cpu_to_le32(rq->segments);
	command->operation = cpu_to_le32(rq->dir == DMA_TO_DEVICE ? BLK_WRITE : BLK_READ);
	command->status = 0;
	blk->single_segments += rq->segments == 1;
	blk->done = false;
	dma_wmb();
	writel(1, blk->regs + BLK_DOORBELL);
	if (!READ_ONCE(blk->done)) {
		dev_err(&blk->pdev->dev, "the disk does not answer\n");
		return -EIO;
	}
	return le32_to_cpu(command->status) == BLK_DONE ? 0 : -EIO;
}

static irqreturn_t blk_interrupt(int irq, void *data)
{
	struct blk *blk = data;

	if (!readl(blk->regs + BLK_IRQ_STATUS))
		return IRQ_NONE;
	writel(1, blk->regs + BLK_IRQ_STATUS);
	WRITE_ONCE(blk->done, true);
	return IRQ_HANDLED;
}

/* ---- By scatterlist ---- */

int blk_rw_table(struct pci_dev *pdev, u64 at, struct sg_table *table, bool write)
{
	struct blk *blk = pci_get_drvdata(pdev);
	struct blk_request rq;
	struct scatterlist *sg;
	int err, i;

	err = blk_begin(blk, &rq, write);
	if (err)
		return err;
	err = dma_map_sgtable(&pdev->dev, table, rq.dir, 0);
	if (err)
		goto end;
	if (table->nents > BLK_SEGMENTS_MAX) {
		err = -EINVAL;
		goto unmap;
	}
	for_each_sgtable_dma_sg(table, sg, i)
		blk_add_segment(&rq, sg_dma_address(sg), sg_dma_len(sg));
	err = blk_submit(blk, &rq, at);
unmap:
	dma_unmap_sgtable(&pdev->dev, table, rq.dir, 0);
end:
	blk_end(blk, &rq);
	return err;
}

/* ---- In two steps ---- */

static int blk_rw_linked(struct blk *blk, struct blk_request *rq, u64 at,
			 struct dma_iova_state *state, const struct blk_vec *vec,
			 unsigned int count)
{
	struct device *dev = &blk->pdev->dev;
	size_t mapped = 0;
	unsigned int i;
	int err = 0;

	for (i = 0; i < count && !err; i++) {
		err = dma_iova_link(dev, state, vec[i].phys, mapped, vec[i].len, rq->dir, 0);
		if (!err)
			mapped += vec[i].len;
	}
	if (!err)
		err = dma_iova_sync(dev, state, 0, mapped);
	if (!err) {
		blk_add_segment(rq, state->addr, mapped);
		err = blk_submit(blk, rq, at);
	}
	dma_iova_destroy(dev, state, mapped, rq->dir, 0);
	return err;
}

static int blk_rw_pieces(struct blk *blk, struct blk_request *rq, u64 at, const struct blk_vec *vec,
			 unsigned int count)
{
	struct device *dev = &blk->pdev->dev;
	unsigned int i;
	int err = 0;

	for (i = 0; i < count; i++) {
		struct page *page = phys_to_page(vec[i].phys);
		dma_addr_t dma = DMA_MAPPING_ERROR;

		if (page)
			dma = dma_map_page(dev, page, vec[i].phys & ~PAGE_MASK, vec[i].len,
					   rq->dir);
		if (dma_mapping_error(dev, dma)) {
			err = -ENOMEM;
			break;
		}
		blk_add_segment(rq, dma, vec[i].len);
	}
	if (!err)
		err = blk_submit(blk, rq, at);
	while (i--)
		dma_unmap_page(dev, le64_to_cpu(rq->list[i].addr), vec[i].len, rq->dir);
	return err;
}

int blk_rw_vec(struct pci_dev *pdev, u64 at, const struct blk_vec *vec, unsigned int count,
	       bool write)
{
	struct blk *blk = pci_get_drvdata(pdev);
	struct dma_iova_state state;
	struct blk_request rq;
	size_t total = 0;
	unsigned int i;
	int err;

	if (!count || count > BLK_SEGMENTS_MAX)
		return -EINVAL;
	for (i = 0; i < count; i++)
		total += vec[i].len;
	err = blk_begin(blk, &rq, write);
	if (err)
		return err;
	if (dma_iova_try_alloc(&pdev->dev, &state, vec[0].phys, total))
		err = blk_rw_linked(blk, &rq, at, &state, vec, count);
	else
		err = blk_rw_pieces(blk, &rq, at, vec, count);
	blk_end(blk, &rq);
	return err;
}

unsigned int blk_single_segments(struct pci_dev *pdev)
{
	struct blk *blk = pci_get_drvdata(pdev);

	return blk->single_segments;
}

/* ---- Coming and going ---- */

static int blk_start(struct blk *blk)
{
	struct pci_dev *pdev = blk->pdev;
	int err;

	err = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
	if (err < 0)
		return err;
	err = request_irq(pci_irq_vector(pdev, 0), blk_interrupt, IRQF_SHARED, "blk", blk);
	if (err) {
		pci_free_irq_vectors(pdev);
		return err;
	}
	writeq(blk->command_dma, blk->regs + BLK_COMMAND);
	return 0;
}

static int blk_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct device *dev = &pdev->dev;
	struct blk *blk;
	int err;

	err = pci_enable_device(pdev);
	if (err)
		return err;
	pci_set_master(pdev);
	err = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(48));
	if (err)
		goto disable;
	/* A copied head of a request must lie in its page as the original does. */
	dma_set_min_align_mask(dev, PAGE_SIZE - 1);
	err = -ENOMEM;
	blk = kzalloc(sizeof(*blk), GFP_KERNEL);
	if (!blk)
		goto disable;
	blk->pdev = pdev;
	blk->regs = pci_ioremap_bar(pdev, 0);
	if (!blk->regs)
		goto free_blk;
	blk->lists = dma_pool_create("blk", dev, BLK_SEGMENTS_MAX * sizeof(struct blk_segment),
				     sizeof(struct blk_segment), 0);
	if (!blk->lists)
		goto unmap;
	blk->command =
		dma_alloc_coherent(dev, sizeof(*blk->command), &blk->command_dma, GFP_KERNEL);
	if (!blk->command)
		goto destroy_lists;
	pci_set_drvdata(pdev, blk);
	err = blk_start(blk);
	if (err)
		goto free_command;
	dev_info(dev, "%llu bytes\n", readq(blk->regs + BLK_CAPACITY));
	return 0;

free_command:
	dma_free_coherent(dev, sizeof(*blk->command), blk->command, blk->command_dma);
destroy_lists:
	dma_pool_destroy(blk->lists);
unmap:
	iounmap(blk->regs);
free_blk:
	kfree(blk);
disable:
	pci_disable_device(pdev);
	return err;
}

static void blk_remove(struct pci_dev *pdev)
{
	struct blk *blk = pci_get_drvdata(pdev);

	free_irq(pci_irq_vector(pdev, 0), blk);
	pci_free_irq_vectors(pdev);
	dma_free_coherent(&pdev->dev, sizeof(*blk->command), blk->command, blk->command_dma);
	dma_pool_destroy(blk->lists);
	iounmap(blk->regs);
	kfree(blk);
	pci_disable_device(pdev);
}

static const struct pci_device_id blk_ids[] = { { PCI_DEVICE(BLK_VENDOR, BLK_DEVICE) }, {} };
MODULE_DEVICE_TABLE(pci, blk_ids);

static struct pci_driver blk_driver = {
	.name = "blk",
	.id_table = blk_ids,
	.probe = blk_probe,
	.remove = blk_remove,
};

static int __init blk_init(void)
{
	return pci_register_driver(&blk_driver);
}
module_init(blk_init);

static void __exit blk_exit(void)
{
	pci_unregister_driver(&blk_driver);
}
module_exit(blk_exit);

MODULE_DESCRIPTION("Example of a disk driver");
MODULE_LICENSE("Dual MIT/GPL");
