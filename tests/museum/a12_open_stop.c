/* SPDX-License-Identifier: MIT */
/*
 * A12: a network driver, moxart-ethernet (fixed by 0ee7828dfc56).
 *
 *   probe -- open -- stop -- open -- stop -- remove
 *            map             map             unmap      as it was
 *            map     unmap   map     unmap              as it is
 *
 * open() maps the receive buffers, and the unmap stands in the routine that frees the driver's
 * memory, which remove and a probe that fails both call. So one mistake has two reports that do not
 * look alike: when a probe fails, addresses are unmapped that nobody has mapped, all 0; and an
 * interface that goes down and up is mapped again. Learn from it: undo each thing in the
 * counterpart of what did it.
 */
#include "museum/museum.h"

#define ETH_MAC	  0x00 /* 0: the card has none */
#define ETH_RX	  0x08 /* where the descriptors lie */
#define ETH_START 0x10 /* writing 1 starts, 0 stops */

#define ETH_DESCS 4
#define ETH_BYTES 1600

/* ---- The driver ------------------------------------------------------------------------------ */

struct eth_desc {
	__le64 addr;
	__le64 len; /* by the device; 0: nothing has come */
};

struct eth {
	struct pci_dev *pdev;
	void __iomem *regs;
	bool fixed;
	struct eth_desc *rx;
	dma_addr_t rx_dma;
	u8 *buf;
	dma_addr_t mapping[ETH_DESCS];
};

static void eth_unmap(struct eth *eth)
{
	for (unsigned int i = 0; i < ETH_DESCS; i++) {
		dma_addr_t dma = eth->mapping[i];

		dma_unmap_single(&eth->pdev->dev, dma, ETH_BYTES, DMA_FROM_DEVICE); /* [unmap] */
	}
}

static int eth_open(struct pci_dev *pdev)
{
	struct eth *eth = pci_get_drvdata(pdev);

	for (unsigned int i = 0; i < ETH_DESCS; i++) {
		u8 *buf = eth->buf + i * 2048;
		dma_addr_t dma;

		dma = dma_map_single(&pdev->dev, buf, ETH_BYTES, DMA_FROM_DEVICE); /* [map] */
		if (dma_mapping_error(&pdev->dev, dma))
			return -ENOMEM; /* whoever opens gives up for good, here */
		eth->mapping[i] = dma;
		eth->rx[i].addr = cpu_to_le64(dma);
		eth->rx[i].len = 0;
	}
	writeq(1, eth->regs + ETH_START);
	return 0;
}

static void eth_stop(struct pci_dev *pdev)
{
	struct eth *eth = pci_get_drvdata(pdev);

	writeq(0, eth->regs + ETH_START);
	if (eth->fixed) /* the fix */
		eth_unmap(eth);
}

static void eth_free_memory(struct eth *eth)
{
	if (!eth->fixed) /* the bug */
		eth_unmap(eth);
	if (eth->rx)
		dma_free_coherent(&eth->pdev->dev, ETH_DESCS * sizeof(*eth->rx), eth->rx,
				  eth->rx_dma);
	kfree(eth->buf);
}

static int eth_setup(struct eth *eth)
{
	struct pci_dev *pdev = eth->pdev;

	eth->rx = dma_alloc_coherent(&pdev->dev, ETH_DESCS * sizeof(*eth->rx), &eth->rx_dma,
				     GFP_KERNEL);
	eth->buf = kmalloc(ETH_DESCS * 2048, GFP_KERNEL);
	if (!eth->rx || !eth->buf)
		return -ENOMEM;
	writeq(eth->rx_dma, eth->regs + ETH_RX);
	return readq(eth->regs + ETH_MAC) ? 0 : -EINVAL;
}

static int eth_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct eth *eth = kzalloc(sizeof(*eth), GFP_KERNEL);
	int err = -ENOMEM;

	if (!eth)
		return err;
	eth->pdev = pdev;
	eth->fixed = id->driver_data;
	eth->regs = museum_enable(pdev);
	if (!eth->regs)
		goto free_eth;
	err = eth_setup(eth);
	if (err)
		goto free_memory;
	pci_set_drvdata(pdev, eth);
	return 0;

free_memory:
	eth_free_memory(eth);
	museum_disable(pdev, eth->regs);
free_eth:
	kfree(eth);
	return err;
}

static void eth_remove(struct pci_dev *pdev)
{
	struct eth *eth = pci_get_drvdata(pdev);

	eth_free_memory(eth);
	museum_disable(pdev, eth->regs);
	kfree(eth);
}

MUSEUM_IDS(eth_ids);

static struct pci_driver eth_driver = {
	.name = "moxart",
	.id_table = eth_ids,
	.probe = eth_probe,
	.remove = eth_remove,
};
module_pci_driver(eth_driver);

/* ---- The device: as it starts, a frame is there for each buffer ------------------------------ */

static void eth_written(struct exhibit *exhibit, u64 offset)
{
	u64 rx = *exhibit_reg(exhibit, ETH_RX);
	u8 frame[60];

	if (offset != ETH_START || !*exhibit_reg(exhibit, ETH_START))
		return;
	for (u32 i = 0; i < ETH_DESCS; i++) {
		__le64 addr, len = cpu_to_le64(sizeof(frame));

		fill_pattern(frame, sizeof(frame), i);
		exhibit_read(exhibit, rx + i * sizeof(struct eth_desc), &addr, sizeof(addr));
		exhibit_write(exhibit, le64_to_cpu(addr), frame, sizeof(frame));
		exhibit_write(exhibit, rx + i * sizeof(struct eth_desc) + 8, &len, sizeof(len));
	}
}

/* ---- What is told ---------------------------------------------------------------------------- */

/* The interface goes up and down twice. */
static void up_and_down(struct exhibit *exhibit, enum museum_form form)
{
	exhibit->written = eth_written;
	*exhibit_reg(exhibit, ETH_MAC) = 0x0090e8000001;
	expect_ok(exhibit_open(exhibit, __FILE__, form));
	for (u32 i = 0; i < 2; i++) {
		const struct eth *eth = pci_get_drvdata(exhibit->pdev);

		expect_ok(eth_open(exhibit->pdev));
		expect_u64(le64_to_cpu(eth->rx[ETH_DESCS - 1].len), 60);
		eth_stop(exhibit->pdev);
	}
	exhibit_unload(__FILE__);
}

/* A card without an address: probe gives up. */
static void fail_probe(struct exhibit *exhibit, enum museum_form form)
{
	exhibit->written = eth_written;
	expect_error(exhibit_open(exhibit, __FILE__, form), -EIO);
	exhibit_unload(__FILE__);
}

/*
 * trust: A12, unmapped in the wrong routine: told when it is opened again
 * | our reading of the facts: real-bugs A12
 */
static void open_stop_wrong(void **state)
{
	static const struct caught caught[] = {
		{ DMASIM_REPORT_MAPPINGS_OVERLAP, "call", "[map]", "eth_open",
		  "cacheline tracking EEXIST, overlapping mappings aren't supported",
		  .times = ETH_DESCS },
		/* As the driver leaves, it frees all buffers: told of the first. */
		{ DMASIM_REPORT_KERNEL_MISUSE, "mapped", "[map]", "eth_open" },
		{ DMASIM_REPORT_MAPPING_LEAKED, "mapped", "[map]", "eth_open",
		  "device driver has pending DMA allocations while released from device "
		  "[count=4]\nOne of leaked entries details: [device address=0x*] "
		  "[size=1600 bytes] [mapped with DMA_FROM_DEVICE] [mapped as phy]",
		  .times = ETH_DESCS, .one_for_all = true },
	};

	up_and_down(*state, MUSEUM_WRONG);
	exhibit_close(*state, __FILE__, caught, 3, 0);
}

/*
 * trust: A12, unmapped in the wrong routine: told when a probe fails
 * | our reading of the facts: real-bugs A12
 */
static void failed_probe_wrong(void **state)
{
	static const struct caught caught[] = {
		{ DMASIM_REPORT_UNMAP_NOT_MAPPED, "call", "[unmap]", "eth_unmap",
		  "device driver tries to free DMA memory it has not allocated "
		  "[device address=0x0000000000000000] [size=1600 bytes]",
		  .times = ETH_DESCS },
	};

	fail_probe(*state, MUSEUM_WRONG);
	exhibit_close(*state, __FILE__, caught, 1, 0);
}

static void open_stop_right(void **state)
{
	up_and_down(*state, MUSEUM_RIGHT);
	exhibit_close_silent(*state);
}

static void failed_probe_right(void **state)
{
	fail_probe(*state, MUSEUM_RIGHT);
	exhibit_close_silent(*state);
}

TEST_MAIN(EVERYWHERE(open_stop_wrong), EVERYWHERE(failed_probe_wrong), EVERYWHERE(open_stop_right),
	  EVERYWHERE(failed_probe_right))
