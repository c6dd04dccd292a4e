/* SPDX-License-Identifier: MIT */
/*
 * A13: an I3C host controller, mipi-i3c-hci (fixed by b8806e0c939f).
 *
 * A transfer without data, a broadcast command, has no buffer, and nothing is mapped for it. Its
 * completion does not ask: it unmaps address 0, size 0. Learn from it: what was done under a
 * condition is undone under the same one.
 */
#include "museum/museum.h"

#define HCI_ADDR 0x00
#define HCI_LEN	 0x08
#define HCI_CMD	 0x10 /* writing a command sends it, with the data */

/* ---- The driver ------------------------------------------------------------------------------ */

struct hci_xfer {
	u64 command;
	void *data; /* NULL: there is none */
	size_t len;
	dma_addr_t dma;
};

struct hci {
	void __iomem *regs;
	bool fixed;
};

static int hci_map(struct pci_dev *pdev, struct hci_xfer *xfer)
{
	xfer->dma = 0;
	if (!xfer->data)
		return 0;
	xfer->dma = dma_map_single(&pdev->dev, xfer->data, xfer->len, DMA_TO_DEVICE);
	return dma_mapping_error(&pdev->dev, xfer->dma);
}

static void hci_unmap(struct pci_dev *pdev, struct hci_xfer *xfer)
{
	struct hci *hci = pci_get_drvdata(pdev);

	if (hci->fixed && !xfer->data) /* the fix */
		return;
	dma_unmap_single(&pdev->dev, xfer->dma, xfer->len, DMA_TO_DEVICE); /* [unmap] */
}

static int hci_send(struct pci_dev *pdev, struct hci_xfer *xfer)
{
	struct hci *hci = pci_get_drvdata(pdev);
	int err = hci_map(pdev, xfer);

	if (err)
		return err;
	writeq(xfer->dma, hci->regs + HCI_ADDR);
	writeq(xfer->len, hci->regs + HCI_LEN);
	writeq(xfer->command, hci->regs + HCI_CMD);
	hci_unmap(pdev, xfer);
	return 0;
}

static int hci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct hci *hci = kzalloc(sizeof(*hci), GFP_KERNEL);

	if (!hci)
		return -ENOMEM;
	hci->fixed = id->driver_data;
	hci->regs = museum_enable(pdev);
	if (!hci->regs) {
		kfree(hci);
		return -ENOMEM;
	}
	pci_set_drvdata(pdev, hci);
	return 0;
}

static void hci_remove(struct pci_dev *pdev)
{
	struct hci *hci = pci_get_drvdata(pdev);

	museum_disable(pdev, hci->regs);
	kfree(hci);
}

MUSEUM_IDS(hci_ids);

static struct pci_driver hci_driver = {
	.name = "hci",
	.id_table = hci_ids,
	.probe = hci_probe,
	.remove = hci_remove,
};
module_pci_driver(hci_driver);

/* ---- The device ------------------------------------------------------------------------------ */

struct bus {
	u64 commands;
	u8 data[64];
};

static void hci_written(struct exhibit *exhibit, u64 offset)
{
	struct bus *bus = exhibit->model;
	u64 len = *exhibit_reg(exhibit, HCI_LEN);

	if (offset != HCI_CMD)
		return;
	assert_true(len <= sizeof(bus->data));
	if (len)
		exhibit_read(exhibit, *exhibit_reg(exhibit, HCI_ADDR), bus->data, len);
	bus->commands++;
}

/* ---- What is told ---------------------------------------------------------------------------- */

/* A transfer with data, and one without. */
static void send_two(struct exhibit *exhibit, enum museum_form form)
{
	struct hci_xfer with = { .command = 1, .len = 16 }, without = { .command = 2 };
	struct bus bus = { 0 };

	exhibit->model = &bus;
	exhibit->written = hci_written;
	expect_ok(exhibit_open(exhibit, __FILE__, form));
	with.data = kzalloc(with.len, GFP_KERNEL);
	assert_non_null(with.data);
	fill_pattern(with.data, with.len, 13);
	expect_ok(hci_send(exhibit->pdev, &with));
	expect_ok(hci_send(exhibit->pdev, &without));
	expect_u64(bus.commands, 2);
	assert_memory_equal(bus.data, with.data, with.len);
	exhibit_unload(__FILE__);
	kfree(with.data);
}

/* trust: A13, an unmap of what needed no mapping | our reading of the facts: real-bugs A13 */
static void no_data_wrong(void **state)
{
	static const struct caught caught[] = {
		{ DMASIM_REPORT_UNMAP_NOT_MAPPED, "call", "[unmap]", "hci_unmap",
		  "device driver tries to free DMA memory it has not allocated "
		  "[device address=0x0000000000000000] [size=0 bytes]" },
	};

	send_two(*state, MUSEUM_WRONG);
	exhibit_close(*state, __FILE__, caught, 1, 0);
}

static void no_data_right(void **state)
{
	send_two(*state, MUSEUM_RIGHT);
	exhibit_close_silent(*state);
}

TEST_MAIN(EVERYWHERE(no_data_wrong), EVERYWHERE(no_data_right))
