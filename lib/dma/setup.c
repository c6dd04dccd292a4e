/* SPDX-License-Identifier: MIT */
/*
 * What decides a device's mode: firmware's word of it, read at enumeration, and its own memory for
 * bouncing, made when the machine starts (facts "dma-api" 2).
 */
#include "dma/setup.h"

#include "dma/swiotlb.h"
#include "pci/bus.h"

/* Of a virtual function, what is said of its physical one. */
static const struct platform_device *described(struct pci_dev *pdev)
{
	dmasim_sbdf id = pci_physfn(pdev)->dev.id;
	const struct platform_firmware *firmware = pdev->dev.os->firmware;

	for (u32 i = 0; i < firmware->device_count; i++) {
		if (firmware->device[i].dev == id)
			return &firmware->device[i];
	}
	return NULL;
}

void dma_setup_device(struct pci_dev *pdev)
{
	const struct platform_device *firmware = described(pdev);
	struct device *dev = &pdev->dev;

	dev->untrusted = firmware && firmware->external;
	dev->dma_coherent = !firmware || !firmware->no_snoop;
	dev->dma_skip_sync = dev->dma_coherent;
	dev->bus_dma_limit = firmware ? firmware->bus_limit : 0;
	dev->dma_range = pci_host_bridge(pdev)->dma_range;
	dev->dma_range_count = pci_host_bridge(pdev)->dma_range_count;
}

int dma_start_device(struct pci_dev *pdev)
{
	const struct platform_device *firmware = described(pdev);
	struct os *os = pdev->dev.os;

	pdev->dev.pci_32bit_workaround = !os->forcedac;
	/* The memory set aside is one device's. */
	if (!firmware || !firmware->pool_bytes || pdev->dev.io_tlb || pdev->is_virtfn)
		return 0;
	pdev->dev.io_tlb = swiotlb_restricted_pool(os, firmware->pool, firmware->pool_bytes);
	return pdev->dev.io_tlb ? 0 : -ENOMEM;
}

int dma_start(struct os *os)
{
	struct pci_dev *pdev;
	int err = 0;

	for (pdev = pci_next_device(os, NULL); pdev && !err; pdev = pci_next_device(os, pdev))
		err = dma_start_device(pdev);
	return err;
}

void dma_stop(struct os *os)
{
	struct pci_dev *pdev;

	for (pdev = pci_next_device(os, NULL); pdev; pdev = pci_next_device(os, pdev)) {
		swiotlb_destroy(os, pdev->dev.io_tlb);
		pdev->dev.io_tlb = NULL;
	}
	swiotlb_destroy(os, os->swiotlb);
	os->swiotlb = NULL;
}
