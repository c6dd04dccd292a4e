/* SPDX-License-Identifier: MIT */
/*
 * A18: a flash controller, rockchip-sfc (CVE-2025-40356).
 *
 * It gives its device a physical address, of virt_to_phys(), and syncs that as if it had been
 * mapped. Without an IOMMU, and below what the device reaches, this works: a physical address is
 * what a mapping would have given. Elsewhere the IOMMU refuses, or the device reads what it should
 * not. Learn from it: a DMA address comes from a mapping, and from nowhere else.
 */
#include "museum/museum.h"

#define SFC_ADDR  0x00
#define SFC_WRITE 0x08 /* writing a number of bytes writes them to the flash */

#define SFC_BYTES 256

/* ---- The driver ------------------------------------------------------------------------------ */

struct sfc {
	void __iomem *regs;
	bool fixed;
	void *buffer;
	dma_addr_t dma;
};

static void sfc_write(struct pci_dev *pdev, const void *from)
{
	struct sfc *sfc = pci_get_drvdata(pdev);
	struct device *dev = &pdev->dev;

	if (sfc->fixed)
		dma_sync_single_for_cpu(dev, sfc->dma, SFC_BYTES, DMA_BIDIRECTIONAL);
	memcpy(sfc->buffer, from, SFC_BYTES);
	dma_sync_single_for_device(dev, sfc->dma, SFC_BYTES, DMA_BIDIRECTIONAL); /* [sync] */
	writeq(sfc->dma, sfc->regs + SFC_ADDR);
	writeq(SFC_BYTES, sfc->regs + SFC_WRITE);
}

static int sfc_map(struct pci_dev *pdev, struct sfc *sfc)
{
	sfc->buffer = kmalloc(SFC_BYTES, GFP_KERNEL);
	if (!sfc->buffer)
		return -ENOMEM;
	if (!sfc->fixed) {
		sfc->dma = virt_to_phys(sfc->buffer); /* the bug */
		return 0;
	}
	sfc->dma = dma_map_single(&pdev->dev, sfc->buffer, SFC_BYTES, DMA_BIDIRECTIONAL);
	if (!dma_mapping_error(&pdev->dev, sfc->dma))
		return 0;
	kfree(sfc->buffer);
	return -ENOMEM;
}

static int sfc_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct sfc *sfc = kzalloc(sizeof(*sfc), GFP_KERNEL);

	if (!sfc)
		return -ENOMEM;
	sfc->fixed = id->driver_data;
	sfc->regs = museum_enable(pdev);
	if (!sfc->regs)
		goto free_sfc;
	if (sfc_map(pdev, sfc))
		goto disable;
	pci_set_drvdata(pdev, sfc);
	return 0;

disable:
	museum_disable(pdev, sfc->regs);
free_sfc:
	kfree(sfc);
	return -ENOMEM;
}

static void sfc_remove(struct pci_dev *pdev)
{
	struct sfc *sfc = pci_get_drvdata(pdev);

	if (sfc->fixed)
		dma_unmap_single(&pdev->dev, sfc->dma, SFC_BYTES, DMA_BIDIRECTIONAL);
	kfree(sfc->buffer);
	museum_disable(pdev, sfc->regs);
	kfree(sfc);
}

MUSEUM_IDS(sfc_ids);

static struct pci_driver sfc_driver = {
	.name = "sfc",
	.id_table = sfc_ids,
	.probe = sfc_probe,
	.remove = sfc_remove,
};
module_pci_driver(sfc_driver);

/* ---- The device ------------------------------------------------------------------------------ */

struct flash {
	u8 bytes[SFC_BYTES];
	struct dmasim_transfer last;
};

static void sfc_written(struct exhibit *exhibit, u64 offset)
{
	struct flash *flash = exhibit->model;

	if (offset == SFC_WRITE)
		flash->last = dmasim_dev_read(exhibit->pdev, *exhibit_reg(exhibit, SFC_ADDR),
					      flash->bytes, *exhibit_reg(exhibit, SFC_WRITE));
}

/* ---- What is told ---------------------------------------------------------------------------- */

/* Is what was written in the flash? */
static bool write_flash(struct exhibit *exhibit, enum museum_form form)
{
	struct flash flash = { .bytes = { 0 } };
	u8 bytes[SFC_BYTES];

	exhibit->model = &flash;
	exhibit->written = sfc_written;
	expect_ok(exhibit_open(exhibit, __FILE__, form));
	fill_pattern(bytes, sizeof(bytes), 18);
	sfc_write(exhibit->pdev, bytes);
	exhibit_unload(__FILE__);
	return flash.last.status == DMASIM_DONE && !memcmp(flash.bytes, bytes, sizeof(bytes));
}

#define SYNC                                                                                   \
	{                                                                                      \
		DMASIM_REPORT_SYNC_NOT_MAPPED, "call", "[sync]", "sfc_write",                  \
			"device driver tries to sync DMA memory it has not allocated [device " \
			"address=0x*] "                                                        \
			"[size=256 bytes]"                                                     \
	}

/* trust: A18, an address that no mapping gave | our reading of the facts: real-bugs A18 */
static void not_mapped_wrong(void **state)
{
	static const struct caught caught[] = { SYNC, { DMASIM_REPORT_IOMMU_FAULT } };

	assert_false(write_flash(*state, MUSEUM_WRONG));
	exhibit_close(*state, __FILE__, caught, 2, 0);
}

/* It works by luck, and not unseen. */
static void not_mapped_wrong_works_without_iommu(void **state)
{
	static const struct caught caught[] = { SYNC, { DMASIM_REPORT_ACCESS_NOT_MAPPED } };

	assert_true(write_flash(*state, MUSEUM_WRONG));
	exhibit_close(*state, __FILE__, caught, 2, 0);
}

static void not_mapped_right(void **state)
{
	assert_true(write_flash(*state, MUSEUM_RIGHT));
	exhibit_close_silent(*state);
}

TEST_MAIN(BEHIND_IOMMUS(not_mapped_wrong), WITHOUT_IOMMU(not_mapped_wrong_works_without_iommu),
	  EVERYWHERE(not_mapped_right))
