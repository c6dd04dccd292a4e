/* SPDX-License-Identifier: MIT */
/*
 * A16: a network driver, macb with time stamps (the code came with 7b4296148066; told in 2023).
 *
 * The card gives a receive descriptor back by rewriting its address word:
 *
 *   63                                   3    2     1    0
 *   |  address of the buffer             |  TS | WRAP | OWN |     TS: "a time stamp is valid"
 *
 * The driver takes the address from there for its unmap, masks OWN and WRAP, and does not know of
 * TS: it unmaps 4 bytes beside the mapping. The mapping leaks, and with copies in between (swiotlb)
 * the frame never arrives. Learn from it: memory that the device may write is not where the driver
 * keeps what it needs itself.
 */
#include "museum/museum.h"

#define RX_RING 0x00 /* where the descriptors lie */

#define RX_OWN	 0x1 /* it is the driver's */
#define RX_WRAP	 0x2 /* the last one */
#define RX_STAMP 0x4 /* by the device: the time stamp is valid */

#define RX_DESCS  4
#define RX_BYTES  1536
#define RX_OFFSET 0x240 /* of the frame in its page: there is room for headers before it */

/* ---- The driver ------------------------------------------------------------------------------ */

struct rx_desc {
	__le64 addr;
	__le64 len;
	__le64 stamp;
};

struct macb {
	struct pci_dev *pdev;
	void __iomem *regs;
	bool fixed;
	struct rx_desc *ring;
	dma_addr_t ring_dma;
	struct page *page[RX_DESCS];
	unsigned int head;
};

static int macb_refill(struct macb *macb, unsigned int i)
{
	u8 *buf = (u8 *)page_address(macb->page[i]) + RX_OFFSET;
	dma_addr_t dma;

	dma = dma_map_single(&macb->pdev->dev, buf, RX_BYTES, DMA_FROM_DEVICE); /* [map] */
	if (dma_mapping_error(&macb->pdev->dev, dma))
		return -ENOMEM;
	macb->ring[i].addr = cpu_to_le64(dma | (i == RX_DESCS - 1 ? RX_WRAP : 0));
	return 0;
}

static dma_addr_t macb_get_addr(const struct macb *macb, const struct rx_desc *desc)
{
	u64 mask = RX_OWN | RX_WRAP;

	if (macb->fixed)
		mask |= RX_STAMP; /* the fix */
	return le64_to_cpu(desc->addr) & ~mask;
}

/* The bytes of a frame; 0: none has come. */
static size_t macb_rx(struct pci_dev *pdev, void *frame)
{
	struct macb *macb = pci_get_drvdata(pdev);
	unsigned int i = macb->head;
	struct rx_desc *desc = &macb->ring[i];
	dma_addr_t dma;
	size_t len;

	if (!(le64_to_cpu(READ_ONCE(desc->addr)) & RX_OWN))
		return 0;
	dma_rmb();
	len = le64_to_cpu(desc->len);
	dma = macb_get_addr(macb, desc);
	dma_unmap_single(&pdev->dev, dma, RX_BYTES, DMA_FROM_DEVICE); /* [unmap] */
	memcpy(frame, (u8 *)page_address(macb->page[i]) + RX_OFFSET, len);
	macb->head = (i + 1) % RX_DESCS;
	return macb_refill(macb, i) ? 0 : len;
}

static int macb_fill(struct macb *macb)
{
	for (unsigned int i = 0; i < RX_DESCS; i++) {
		macb->page[i] = alloc_page(GFP_KERNEL);
		if (!macb->page[i] || macb_refill(macb, i))
			return -ENOMEM;
	}
	return 0;
}

static void macb_drain(struct macb *macb)
{
	for (unsigned int i = 0; i < RX_DESCS; i++) {
		dma_addr_t dma = macb_get_addr(macb, &macb->ring[i]);

		if (dma)
			dma_unmap_single(&macb->pdev->dev, dma, RX_BYTES, DMA_FROM_DEVICE);
		if (macb->page[i])
			__free_page(macb->page[i]);
	}
	dma_free_coherent(&macb->pdev->dev, RX_DESCS * sizeof(*macb->ring), macb->ring,
			  macb->ring_dma);
}

static int macb_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct macb *macb = kzalloc(sizeof(*macb), GFP_KERNEL);

	if (!macb)
		return -ENOMEM;
	macb->pdev = pdev;
	macb->fixed = id->driver_data;
	macb->regs = museum_enable(pdev);
	if (!macb->regs)
		goto free_macb;
	macb->ring = dma_alloc_coherent(&pdev->dev, RX_DESCS * sizeof(*macb->ring), &macb->ring_dma,
					GFP_KERNEL);
	if (!macb->ring)
		goto disable;
	if (macb_fill(macb))
		goto drain;
	writeq(macb->ring_dma, macb->regs + RX_RING);
	pci_set_drvdata(pdev, macb);
	return 0;

drain:
	macb_drain(macb);
disable:
	museum_disable(pdev, macb->regs);
free_macb:
	kfree(macb);
	return -ENOMEM;
}

static void macb_remove(struct pci_dev *pdev)
{
	struct macb *macb = pci_get_drvdata(pdev);

	macb_drain(macb);
	museum_disable(pdev, macb->regs);
	kfree(macb);
}

MUSEUM_IDS(macb_ids);

static struct pci_driver macb_driver = {
	.name = "macb",
	.id_table = macb_ids,
	.probe = macb_probe,
	.remove = macb_remove,
};
module_pci_driver(macb_driver);

/* ---- The device: a frame arrives, with a time stamp or without one --------------------------- */

#define FRAME_BYTES 200

static void frame_arrives(struct exhibit *exhibit, u32 index, const u8 *frame, bool stamped)
{
	u64 at = *exhibit_reg(exhibit, RX_RING) + index * sizeof(struct rx_desc);
	struct rx_desc desc;
	u64 word;

	exhibit_read(exhibit, at, &desc, sizeof(desc));
	word = le64_to_cpu(desc.addr);
	exhibit_write(exhibit, word & ~7ULL, frame, FRAME_BYTES);
	desc.addr = cpu_to_le64(word | RX_OWN | (stamped ? RX_STAMP : 0));
	desc.len = cpu_to_le64(FRAME_BYTES);
	desc.stamp = cpu_to_le64(stamped ? dmasim_now(exhibit->s) : 0);
	exhibit_write(exhibit, at, &desc, sizeof(desc));
}

/* ---- What is told ---------------------------------------------------------------------------- */

/* One frame comes in. Is it what was sent? */
static bool receive(struct exhibit *exhibit, enum museum_form form, bool stamped)
{
	u8 sent[FRAME_BYTES], got[RX_BYTES];

	expect_ok(exhibit_open(exhibit, __FILE__, form));
	fill_pattern(sent, sizeof(sent), 16);
	frame_arrives(exhibit, 0, sent, stamped);
	expect_u64(macb_rx(exhibit->pdev, got), FRAME_BYTES);
	expect_u64(macb_rx(exhibit->pdev, got), 0);
	exhibit_unload(__FILE__);
	return !memcmp(sent, got, sizeof(sent));
}

#define OTHER_ADDRESS                                                                          \
	{                                                                                      \
		DMASIM_REPORT_UNMAP_NOT_MAPPED, "call", "[unmap]", "macb_rx",                  \
			"device driver tries to free DMA memory it has not allocated [device " \
			"address=0x*] "                                                        \
			"[size=1536 bytes]"                                                    \
	}

/*
 * trust: A16, a flag of the device in the address that is unmapped
 * | our reading of the facts: real-bugs A16
 */
/*
 * What an IOMMU maps ends with its granule, wherever in it the unmap points.
 */
static void flag_in_address_wrong(void **state)
{
	static const struct caught caught[] = { OTHER_ADDRESS };
	struct exhibit *exhibit = *state;

	assert_true(receive(exhibit, MUSEUM_WRONG, true));
	/* But dma-debug knows no granules: to it the mapping goes on. */
	exhibit_expect_log(exhibit, "cacheline tracking EEXIST", true);
	exhibit_expect_log(exhibit, "pending DMA allocations", true);
	exhibit->messages = exhibit->debug ? 2 : 0;
	exhibit_close(exhibit, __FILE__, caught, 1, 0);
}

/* Elsewhere the mapping goes on. Copies: the unmap brings none back. */
static void flag_in_address_wrong_leaks(void **state)
{
	static const struct caught caught[] = {
		OTHER_ADDRESS,
		{ DMASIM_REPORT_MAPPINGS_OVERLAP, "call", "[map]", "macb_refill",
		  "cacheline tracking EEXIST, overlapping mappings aren't supported" },
		/* As the driver leaves, it frees the page. */
		{ DMASIM_REPORT_KERNEL_MISUSE, "mapped", "[map]", "macb_refill" },
		{ DMASIM_REPORT_MAPPING_LEAKED, "mapped", "[map]", "macb_refill",
		  "device driver has pending DMA allocations while released from device "
		  "[count=1]\nOne of leaked entries details: [device address=0x*] "
		  "[size=1536 bytes] [mapped with DMA_FROM_DEVICE] [mapped as phy]" },
	};
	struct exhibit *exhibit = *state;
	bool arrived = receive(exhibit, MUSEUM_WRONG, true);

	expect_u64(arrived, !exhibit->bounces);
	exhibit_close(exhibit, __FILE__, caught, 4, 0);
}

static void flag_in_address_wrong_works_without_stamps(void **state)
{
	assert_true(receive(*state, MUSEUM_WRONG, false));
	exhibit_close_silent(*state);
}

static void flag_in_address_right(void **state)
{
	assert_true(receive(*state, MUSEUM_RIGHT, true));
	exhibit_close_silent(*state);
}

TEST_MAIN(BEHIND_IOMMUS(flag_in_address_wrong), WITHOUT_IOMMU(flag_in_address_wrong_leaks),
	  EVERYWHERE(flag_in_address_wrong_works_without_stamps), EVERYWHERE(flag_in_address_right))
