// SPDX-License-Identifier: MIT
/*
 * A network card with one ring of descriptors each way.
 *
 * Rings are coherent memory. Receive buffers stay mapped and change hands by syncs; a frame to send
 * is mapped until the card is done with it.
 */
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "examples/nic_driver.h"
#include "examples/nic_hw.h"

struct nic_desc {
	__le64 addr;
	__le32 len;
	__le32 flags;
};

struct nic_buffer {
	void *data;
	unsigned int len;
	DEFINE_DMA_UNMAP_ADDR(dma);
};

struct nic_ring {
	struct nic_desc *desc;
	dma_addr_t dma;
	struct nic_buffer buffer[NIC_RING];
	unsigned int head; /* oldest that the card may still work on */
	unsigned int tail; /* next to be given to the card */
};

struct nic_frame {
	struct list_head node;
	unsigned int len;
	u8 data[];
};

struct nic {
	struct pci_dev *pdev;
	void __iomem *regs;
	spinlock_t lock;
	struct nic_ring tx;
	struct nic_ring rx;
	struct list_head received;
	unsigned int dropped;
};

static void nic_give(struct nic_ring *ring, dma_addr_t addr, unsigned int len)
{
	struct nic_desc *desc = &ring->desc[ring->tail];

	desc->addr = cpu_to_le64(addr);
	desc->len = cpu_to_le32(len);
	desc->flags = 0;
	ring->tail = (ring->tail + 1) % NIC_RING;
}

static bool nic_is_done(const struct nic_ring *ring)
{
	if (ring->head == ring->tail)
		return false;
	if (!(le32_to_cpu(READ_ONCE(ring->desc[ring->head].flags)) & NIC_DESC_DONE))
		return false;
	dma_rmb();
	return true;
}

static void nic_write_base(struct nic *nic, unsigned int reg, dma_addr_t dma)
{
	writel(lower_32_bits(dma), nic->regs + reg);
	writel(upper_32_bits(dma), nic->regs + reg + 4);
}

/* ---- Sending ---- */

int nic_send(struct pci_dev *pdev, const void *frame, unsigned int len)
{
	struct nic *nic = pci_get_drvdata(pdev);
	struct nic_buffer *buffer;
	unsigned long flags;
	dma_addr_t dma;
	void *data;

	if (!len || len > NIC_FRAME_MAX)
		return -EMSGSIZE;
	data = kmemdup(frame, len, GFP_ATOMIC);
	if (!data)
		return -ENOMEM;
	dma = dma_map_single(&pdev->dev, data, len, DMA_TO_DEVICE);
	if (dma_mapping_error(&pdev->dev, dma)) {
		kfree(data);
		return -ENOMEM;
	}
	spin_lock_irqsave(&nic->lock, flags);
	if ((nic->tx.tail + 1) % NIC_RING == nic->tx.head) {
		spin_unlock_irqrestore(&nic->lock, flags);
		dma_unmap_single(&pdev->dev, dma, len, DMA_TO_DEVICE);
		kfree(data);
		return -EBUSY;
	}
	buffer = &nic->tx.buffer[nic->tx.tail];
	buffer->data = data;
	buffer->len = len;
	dma_unmap_addr_set(buffer, dma, dma);
	nic_give(&nic->tx, dma, len);
	dma_wmb();
	writel(nic->tx.tail, nic->regs + NIC_TX_TAIL);
	spin_unlock_irqrestore(&nic->lock, flags);
	return 0;
}

static void nic_free_tx(struct nic *nic)
{
	struct nic_buffer *buffer = &nic->tx.buffer[nic->tx.head];

	dma_unmap_single(&nic->pdev->dev, dma_unmap_addr(buffer, dma), buffer->len, DMA_TO_DEVICE);
	kfree(buffer->data);
	nic->tx.head = (nic->tx.head + 1) % NIC_RING;
}

/* ---- Receiving ---- */

static void nic_take_frame(struct nic *nic, const struct nic_buffer *buffer, unsigned int len)
{
	struct nic_frame *frame = kmalloc(sizeof(*frame) + len, GFP_ATOMIC);

	if (!frame) {
		nic->dropped++;
		return;
	}
	frame->len = len;
	memcpy(frame->data, buffer->data, len);
	list_add_tail(&frame->node, &nic->received);
}

static void nic_reap_rx(struct nic *nic)
{
	struct device *dev = &nic->pdev->dev;
	struct nic_ring *rx = &nic->rx;

	while (nic_is_done(rx)) {
		struct nic_buffer *buffer = &rx->buffer[rx->head];
		dma_addr_t dma = dma_unmap_addr(buffer, dma);
		unsigned int len = le32_to_cpu(rx->desc[rx->head].len);

		dma_sync_single_for_cpu(dev, dma, len, DMA_FROM_DEVICE);
		nic_take_frame(nic, buffer, len);
		dma_sync_single_for_device(dev, dma, len, DMA_FROM_DEVICE);
		/* One place stays free, so the buffer moves to it. */
		rx->buffer[rx->tail] = *buffer;
		rx->head = (rx->head + 1) % NIC_RING;
		nic_give(rx, dma, NIC_FRAME_MAX);
	}
	dma_wmb();
	writel(rx->tail, nic->regs + NIC_RX_TAIL);
}

int nic_receive(struct pci_dev *pdev, void *data, unsigned int room)
{
	struct nic *nic = pci_get_drvdata(pdev);
	struct nic_frame *frame;
	unsigned long flags;
	int len = -EAGAIN;

	spin_lock_irqsave(&nic->lock, flags);
	frame = list_first_entry_or_null(&nic->received, struct nic_frame, node);
	if (frame && frame->len > room) {
		len = -EMSGSIZE;
	} else if (frame) {
		len = frame->len;
		memcpy(data, frame->data, frame->len);
		list_del(&frame->node);
		kfree(frame);
	}
	spin_unlock_irqrestore(&nic->lock, flags);
	return len;
}

static irqreturn_t nic_interrupt(int irq, void *data)
{
	struct nic *nic = data;
	u32 status = readl(nic->regs + NIC_IRQ_STATUS);

	if (!status)
		return IRQ_NONE;
	writel(status, nic->regs + NIC_IRQ_STATUS);
	spin_lock(&nic->lock);
	while (nic_is_done(&nic->tx))
		nic_free_tx(nic);
	if (status & NIC_IRQ_RX)
		nic_reap_rx(nic);
	spin_unlock(&nic->lock);
	return IRQ_HANDLED;
}

/* ---- Coming and going ---- */

static void nic_free_rings(struct nic *nic)
{
	struct device *dev = &nic->pdev->dev;
	struct nic_frame *frame, *next;

	while (nic->tx.head != nic->tx.tail)
		nic_free_tx(nic);
	for (; nic->rx.head != nic->rx.tail; nic->rx.head = (nic->rx.head + 1) % NIC_RING) {
		struct nic_buffer *buffer = &nic->rx.buffer[nic->rx.head];

		dma_unmap_single(dev, dma_unmap_addr(buffer, dma), NIC_FRAME_MAX, DMA_FROM_DEVICE);
		kfree(buffer->data);
	}
	list_for_each_entry_safe(frame, next, &nic->received, node) kfree(frame);
	dma_free_coherent(dev, NIC_RING * sizeof(struct nic_desc), nic->tx.desc, nic->tx.dma);
	dma_free_coherent(dev, NIC_RING * sizeof(struct nic_desc), nic->rx.desc, nic->rx.dma);
}

static int nic_fill_rx(struct nic *nic)
{
	struct device *dev = &nic->pdev->dev;

	while (nic->rx.tail != NIC_RING - 1) {
		struct nic_buffer *buffer = &nic->rx.buffer[nic->rx.tail];
		dma_addr_t dma;

		buffer->data = kmalloc(NIC_FRAME_MAX, GFP_KERNEL);
		if (!buffer->data)
			return -ENOMEM;
		dma = dma_map_single(dev, buffer->data, NIC_FRAME_MAX, DMA_FROM_DEVICE);
		if (dma_mapping_error(dev, dma)) {
			kfree(buffer->data);
			return -ENOMEM;
		}
		dma_unmap_addr_set(buffer, dma, dma);
		nic_give(&nic->rx, dma, NIC_FRAME_MAX);
	}
	return 0;
}

static int nic_alloc_rings(struct nic *nic)
{
	struct device *dev = &nic->pdev->dev;
	size_t size = NIC_RING * sizeof(struct nic_desc);
	int err = -ENOMEM;

	nic->tx.desc = dma_alloc_coherent(dev, size, &nic->tx.dma, GFP_KERNEL);
	nic->rx.desc = dma_alloc_coherent(dev, size, &nic->rx.dma, GFP_KERNEL);
	if (nic->tx.desc && nic->rx.desc)
		err = nic_fill_rx(nic);
	if (err)
		nic_free_rings(nic);
	return err;
}

static int nic_start(struct nic *nic)
{
	struct pci_dev *pdev = nic->pdev;
	int err;

	err = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSIX | PCI_IRQ_MSI);
	if (err < 0)
		return err;
	err = request_irq(pci_irq_vector(pdev, 0), nic_interrupt, 0, "nic", nic);
	if (err) {
		pci_free_irq_vectors(pdev);
		return err;
	}
	nic_write_base(nic, NIC_TX_BASE, nic->tx.dma);
	nic_write_base(nic, NIC_RX_BASE, nic->rx.dma);
	writel(1, nic->regs + NIC_CTRL);
	writel(nic->rx.tail, nic->regs + NIC_RX_TAIL);
	return 0;
}

static int nic_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct nic *nic;
	int err;

	err = pci_enable_device(pdev);
	if (err)
		return err;
	pci_set_master(pdev);
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (err)
		goto disable;
	err = -ENOMEM;
	nic = kzalloc(sizeof(*nic), GFP_KERNEL);
	if (!nic)
		goto disable;
	nic->pdev = pdev;
	spin_lock_init(&nic->lock);
	INIT_LIST_HEAD(&nic->received);
	nic->regs = pci_iomap(pdev, 0, 0);
	if (!nic->regs)
		goto free_nic;
	err = nic_alloc_rings(nic);
	if (err)
		goto unmap;
	pci_set_drvdata(pdev, nic);
	err = nic_start(nic);
	if (err)
		goto free_rings;
	dev_info(&pdev->dev, "%d descriptors each way\n", NIC_RING);
	return 0;

free_rings:
	nic_free_rings(nic);
unmap:
	pci_iounmap(pdev, nic->regs);
free_nic:
	kfree(nic);
disable:
	pci_disable_device(pdev);
	return err;
}

static void nic_remove(struct pci_dev *pdev)
{
	struct nic *nic = pci_get_drvdata(pdev);

	writel(0, nic->regs + NIC_CTRL);
	free_irq(pci_irq_vector(pdev, 0), nic);
	pci_free_irq_vectors(pdev);
	nic_free_rings(nic);
	pci_iounmap(pdev, nic->regs);
	kfree(nic);
	pci_disable_device(pdev);
}

static const struct pci_device_id nic_ids[] = { { PCI_DEVICE(NIC_VENDOR, NIC_DEVICE) }, {} };
MODULE_DEVICE_TABLE(pci, nic_ids);

static struct pci_driver nic_driver = {
	.name = "nic",
	.id_table = nic_ids,
	.probe = nic_probe,
	.remove = nic_remove,
};
module_pci_driver(nic_driver);

MODULE_DESCRIPTION("Example of a network driver");
MODULE_LICENSE("Dual MIT/GPL");
