/* SPDX-License-Identifier: MIT */
/* PCI devices and their drivers. */
#if __has_include_next(<linux/pci.h>)
#include_next <linux/pci.h>
#endif
#ifndef DMASIM_KERNEL_PCI_H
#define DMASIM_KERNEL_PCI_H

#include <dmasim/kernel.h>
#include <dmasim/pci.h>

#include <linux/device.h>
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/types.h>

#define PCI_DEVICE(vend, dev) \
	.vendor = (vend), .device = (dev), .subvendor = PCI_ANY_ID, .subdevice = PCI_ANY_ID
#define PCI_DEVICE_SUB(vend, dev, subvend, subdev) \
	.vendor = (vend), .device = (dev), .subvendor = (subvend), .subdevice = (subdev)
#define PCI_VDEVICE(vend, dev) PCI_DEVICE(PCI_VENDOR_ID_##vend, dev)
#ifndef __cplusplus
#define PCI_DEVICE_CLASS(code, mask)                                         \
	.vendor = PCI_ANY_ID, .device = PCI_ANY_ID, .subvendor = PCI_ANY_ID, \
	.subdevice = PCI_ANY_ID, .class = (code), .class_mask = (mask)
#endif

#define module_pci_driver(driver) module_driver(driver, pci_register_driver, pci_unregister_driver)

static inline void *pci_get_drvdata(struct pci_dev *pdev)
{
	return dev_get_drvdata(&pdev->dev);
}

static inline void pci_set_drvdata(struct pci_dev *pdev, void *data)
{
	dev_set_drvdata(&pdev->dev, data);
}

static inline int pci_enable_device_mem(struct pci_dev *pdev)
{
	return pci_enable_device(pdev);
}

/* A device has one driver here, so nobody else holds its BARs. */
static inline int pci_request_regions(struct pci_dev *pdev, const char *name)
{
	(void)pdev;
	(void)name;
	return 0;
}

static inline int pci_request_mem_regions(struct pci_dev *pdev, const char *name)
{
	return pci_request_regions(pdev, name);
}

static inline void pci_release_regions(struct pci_dev *pdev)
{
	(void)pdev;
}

static inline void pci_release_mem_regions(struct pci_dev *pdev)
{
	(void)pdev;
}

static inline void pci_iounmap(struct pci_dev *pdev, volatile void __iomem *addr)
{
	(void)pdev;
	iounmap(addr);
}

static inline void __iomem *pci_ioremap_bar(struct pci_dev *pdev, int bar)
{
	return pci_iomap(pdev, bar, 0);
}

/* One message-signalled interrupt, pdev->irq. */
static inline int pci_enable_msi(struct pci_dev *pdev)
{
	int count = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSI);

	return count < 0 ? count : 0;
}

static inline void pci_disable_msi(struct pci_dev *pdev)
{
	pci_free_irq_vectors(pdev);
}

/* Devices live as long as their machine. */
static inline struct pci_dev *pci_dev_get(struct pci_dev *pdev)
{
	return pdev;
}

static inline void pci_dev_put(struct pci_dev *pdev)
{
	(void)pdev;
}

#define pci_err(pdev, ...)  dev_err(&(pdev)->dev, __VA_ARGS__)
#define pci_warn(pdev, ...) dev_warn(&(pdev)->dev, __VA_ARGS__)
#define pci_info(pdev, ...) dev_info(&(pdev)->dev, __VA_ARGS__)
#define pci_dbg(pdev, ...)  dev_dbg(&(pdev)->dev, __VA_ARGS__)

#endif
