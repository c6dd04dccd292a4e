/* SPDX-License-Identifier: MIT */
/*
 * A driver and the program that runs it, in one file, with the installed headers alone: install.sh
 * and subproject.sh build it in each way there is. Exit status 0: a byte went from a device to
 * memory of the driver.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include <dmasim/dmasim.h>

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	char *buffer = kzalloc(64, GFP_KERNEL);
	dma_addr_t dma;
	int err = -EIO;

	(void)id;
	if (!buffer)
		return -ENOMEM;
	pci_set_master(pdev);
	dma = dma_map_single(&pdev->dev, buffer, 64, DMA_FROM_DEVICE);
	if (!dma_mapping_error(&pdev->dev, dma)) {
		dmasim_dev_write(pdev, dma, "a", 1);
		dma_unmap_single(&pdev->dev, dma, 64, DMA_FROM_DEVICE);
		err = *buffer == 'a' ? 0 : -EIO;
	}
	kfree(buffer);
	return err;
}

static const struct pci_device_id ids[] = { { PCI_DEVICE(PCI_ANY_ID, PCI_ANY_ID) }, { 0 } };
static struct pci_driver driver = { .name = "consumer", .id_table = ids, .probe = probe };
module_pci_driver(driver);
MODULE_LICENSE("Dual MIT/GPL");

int main(void)
{
	struct dmasim *s = dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .seed = 3 });
	struct pci_dev *pdev = dmasim_add_endpoint(s, "00:01.0/00.0",
						   &(struct dmasim_endpoint){ .bar = { SZ_16K } });
	char found[4096];
	int failed;

	dmasim_enter(s);
	failed = dmasim_insmod("kernel_consumer") || !pdev->driver;
	failed += dmasim_rmmod("kernel_consumer") || pdev->driver;
	if (dmasim_check_clean(s, found, sizeof(found))) {
		fputs(found, stderr);
		failed++;
	}
	return failed + (dmasim_destroy(s) != 0);
}
