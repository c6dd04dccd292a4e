/* SPDX-License-Identifier: MIT */
/*
 * A1: a network driver of a system on a chip, cpsw with cpdma (fixed by 8a2b22203f85).
 *
 * Ethernet has no frames below 64 bytes: the driver pads them, and maps the padded length. But what
 * it notes beside the descriptor, for the unmap, is the length it was given.
 *
 *   mapped     |==================|     64 bytes
 *   unmapped   |==========|             42
 *
 * Most of the time nothing comes of it: both lengths lie in one granule. Where the padding crosses
 * into the next, the unmap frees one granule of two: the other stays open to the device, and its
 * IOVA never comes back. Learn from it: unmap what was mapped, not what was asked for; note it
 * where it is mapped.
 */
#include "museum/museum.h"

#define ETH_RING 0x00 /* where the descriptors lie */
#define ETH_TAIL 0x08 /* the index after the last valid one; writing sends */

#define ETH_DESCS   4
#define ETH_LEN_MIN 64
#define ETH_LEN_MAX 1536
#define ETH_DONE    1

/* ---- The driver ------------------------------------------------------------------------------ */

struct eth_desc {
	__le64 addr;
	__le64 len;
	__le64 flags; /* ETH_DONE, by the device */
	u64 sw_len;   /* the driver's own */
};

struct eth {
	struct pci_dev *pdev;
	void __iomem *regs;
	bool fixed;
	struct eth_desc *ring;
	dma_addr_t ring_dma;
	unsigned int head;
	unsigned int tail;
};

/* The buffer has room for ETH_LEN_MIN bytes. */
static int eth_send(struct pci_dev *pdev, void *frame, size_t len)
{
	struct eth *eth = pci_get_drvdata(pdev);
	struct eth_desc *desc = &eth->ring[eth->tail];
	size_t padded = max_t(size_t, len, ETH_LEN_MIN);
	dma_addr_t dma;

	memset((u8 *)frame + len, 0, padded - len);
	dma = dma_map_single(&pdev->dev, frame, padded, DMA_TO_DEVICE); /* [map] */
	if (dma_mapping_error(&pdev->dev, dma))
		return -ENOMEM;
	desc->addr = cpu_to_le64(dma);
	desc->len = cpu_to_le64(padded);
	desc->flags = 0;
	if (eth->fixed)
		desc->sw_len = padded;
	else
		desc->sw_len = len; /* the bug */
	eth->tail = (eth->tail + 1) % ETH_DESCS;
	dma_wmb();
	writeq(eth->tail, eth->regs + ETH_TAIL);
	return 0;
}

static void eth_complete(struct pci_dev *pdev)
{
	struct eth *eth = pci_get_drvdata(pdev);

	while (eth->head != eth->tail && le64_to_cpu(eth->ring[eth->head].flags) & ETH_DONE) {
		struct eth_desc *desc = &eth->ring[eth->head];
		dma_addr_t dma = le64_to_cpu(desc->addr);

		dma_unmap_single(&pdev->dev, dma, desc->sw_len, DMA_TO_DEVICE); /* [unmap] */
		eth->head = (eth->head + 1) % ETH_DESCS;
	}
}

static int eth_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct eth *eth = kzalloc(sizeof(*eth), GFP_KERNEL);

	if (!eth)
		return -ENOMEM;
	*eth = (struct eth){ .pdev = pdev, .fixed = id->driver_data, .regs = museum_enable(pdev) };
	if (!eth->regs)
		goto free_eth;
	eth->ring = dma_alloc_coherent(&pdev->dev, ETH_DESCS * sizeof(*eth->ring), &eth->ring_dma,
				       GFP_KERNEL);
	if (!eth->ring)
		goto disable;
	writeq(eth->ring_dma, eth->regs + ETH_RING);
	pci_set_drvdata(pdev, eth);
	return 0;

disable:
	museum_disable(pdev, eth->regs);
free_eth:
	kfree(eth);
	return -ENOMEM;
}

static void eth_remove(struct pci_dev *pdev)
{
	struct eth *eth = pci_get_drvdata(pdev);

	dma_free_coherent(&pdev->dev, ETH_DESCS * sizeof(*eth->ring), eth->ring, eth->ring_dma);
	museum_disable(pdev, eth->regs);
	kfree(eth);
}

MUSEUM_IDS(eth_ids);

static struct pci_driver eth_driver = {
	.name = "eth",
	.id_table = eth_ids,
	.probe = eth_probe,
	.remove = eth_remove,
};
module_pci_driver(eth_driver);

/* ---- The device: what it sends is on its wire ------------------------------------------------ */

struct wire {
	u64 head;
	u8 frame[ETH_LEN_MAX];
	u64 len;
	u64 addr; /* of the last frame */
};

static void eth_written(struct exhibit *exhibit, u64 offset)
{
	struct wire *wire = exhibit->model;

	while (offset == ETH_TAIL && wire->head != *exhibit_reg(exhibit, ETH_TAIL)) {
		u64 at = *exhibit_reg(exhibit, ETH_RING) + wire->head * sizeof(struct eth_desc);
		__le64 desc[3];

		exhibit_read(exhibit, at, desc, sizeof(desc));
		wire->addr = le64_to_cpu(desc[0]);
		wire->len = le64_to_cpu(desc[1]);
		assert_true(wire->len <= sizeof(wire->frame));
		exhibit_read(exhibit, wire->addr, wire->frame, wire->len);
		desc[2] = cpu_to_le64(ETH_DONE);
		exhibit_write(exhibit, at + 16, &desc[2], 8);
		wire->head = (wire->head + 1) % ETH_DESCS;
	}
}

/* ---- What is told ---------------------------------------------------------------------------- */

#define ARP_LEN 42

/*
 * A frame that begins so far into the first of four pages is sent. Its pages. (The second and third
 * are never one leaf of a page table.)
 */
static struct page *send_short(struct exhibit *exhibit, struct wire *wire, enum museum_form form,
			       u32 offset)
{
	struct page *pages;
	u8 *frame;

	*wire = (struct wire){ 0 };
	exhibit->model = wire;
	exhibit->written = eth_written;
	expect_ok(exhibit_open(exhibit, __FILE__, form));
	pages = alloc_pages(GFP_KERNEL, 2);
	assert_non_null(pages);
	frame = (u8 *)page_address(pages) + offset;
	memset(frame, 0xa5, ARP_LEN);
	expect_ok(eth_send(exhibit->pdev, frame, ARP_LEN));
	expect_u64(wire->len, ETH_LEN_MIN);
	assert_memory_equal(wire->frame, frame, ETH_LEN_MIN);
	eth_complete(exhibit->pdev);
	return pages;
}

#define OTHER_SIZE                                                                                 \
	{                                                                                          \
		DMASIM_REPORT_UNMAP_MISMATCH, "call", "[unmap]", "eth_complete",                   \
			"device driver frees DMA memory with different size [device address=0x*] " \
			"[map size=64 bytes] [unmap size=42 bytes]"                                \
	}

/* trust: A1, a short frame: another length is unmapped | our reading of the facts: real-bugs A1 */
static void short_frame_wrong(void **state)
{
	static const struct caught caught[] = { OTHER_SIZE };
	struct exhibit *exhibit = *state;
	struct wire wire;
	struct page *pages = send_short(exhibit, &wire, MUSEUM_WRONG, 0);

	exhibit_unload(__FILE__);
	__free_pages(pages, 2);
	exhibit_close(exhibit, __FILE__, caught, 1, 0);
}

/* The padding crosses into a page that the device keeps. */
static void short_frame_wrong_across_pages(void **state)
{
	static const struct caught caught[] = {
		OTHER_SIZE,
		{ DMASIM_REPORT_USE_AFTER_UNMAP, "unmapped", "[unmap]", "eth_complete" },
	};
	struct exhibit *exhibit = *state;
	struct wire wire;
	struct page *pages = send_short(exhibit, &wire, MUSEUM_WRONG, 2 * SZ_4K - 48);
	u8 byte;

	exhibit_read(exhibit, wire.addr + 48, &byte, 1);
	exhibit_unload(__FILE__);
	__free_pages(pages, 2);
	exhibit_close(exhibit, __FILE__, caught, 2, 0);
}

static void short_frame_right(void **state)
{
	struct exhibit *exhibit = *state;
	struct wire wire;
	struct page *pages = send_short(exhibit, &wire, MUSEUM_RIGHT, 2 * SZ_4K - 48);

	exhibit_unload(__FILE__);
	__free_pages(pages, 2);
	exhibit_close_silent(exhibit);
}

TEST_MAIN(EVERYWHERE(short_frame_wrong), BEHIND_IOMMUS(short_frame_wrong_across_pages),
	  EVERYWHERE(short_frame_right))
