/* SPDX-License-Identifier: MIT */
/*
 * Drivers of PCI devices: which is for which.
 */
#include <errno.h>

#include "machine/machine.h"
#include "pci/bus.h"

#define PCI_SUBSYSTEM_VENDOR_AT 0x2c
#define PCI_SUBSYSTEM_AT	0x2e

struct kernel_driver {
	SLIST_ENTRY(kernel_driver) link;
	struct pci_driver *driver;
};

static bool id_is(u32 wanted, u32 is)
{
	return wanted == PCI_ANY_ID || wanted == is;
}

static bool matches(struct pci_dev *pdev, const struct pci_device_id *id)
{
	u16 subvendor;
	u16 subdevice;

	pci_read_config_word(pdev, PCI_SUBSYSTEM_VENDOR_AT, &subvendor);
	pci_read_config_word(pdev, PCI_SUBSYSTEM_AT, &subdevice);
	return id_is(id->vendor, pdev->vendor) && id_is(id->device, pdev->device) &&
	       id_is(id->subvendor, subvendor) && id_is(id->subdevice, subdevice) &&
	       !((id->class ^ pdev->class_code) & id->class_mask);
}

static const struct pci_device_id *id_of(const struct pci_driver *driver, struct pci_dev *pdev)
{
	const struct pci_device_id *id = driver->id_table;

	for (; id && (id->vendor || id->subvendor || id->class_mask); id++) {
		if (matches(pdev, id))
			return id;
	}
	return NULL;
}

/* Also of what is managed for the driver: it goes after remove(). */
static void let_go(struct pci_dev *pdev)
{
	pci_p2pdma_unbind(pdev);
	pdev->driver = NULL;
	pdev->dev.driver_data = NULL;
}

static void probe(struct pci_driver *driver, struct pci_dev *pdev)
{
	const struct pci_device_id *id = pdev->driver ? NULL : id_of(driver, pdev);

	if (!id || !driver->probe)
		return;
	pdev->driver = driver;
	if (driver->probe(pdev, id) < 0)
		let_go(pdev);
}

static struct kernel_driver *registered(struct dmasim *s, const struct pci_driver *driver)
{
	struct kernel_driver *found;

	SLIST_FOREACH(found, &s->kernel.drivers, link) {
		if (found->driver == driver)
			return found;
	}
	return NULL;
}

int pci_register_driver(struct pci_driver *driver)
{
	struct dmasim *s = kernel_machine();
	struct kernel_driver *record;
	struct pci_dev *pdev;

	if (registered(s, driver))
		return -EBUSY;
	/* Addresses are final from here on. */
	if (!machine_start(s))
		return -ENOMEM;
	record = kernel_record(s, sizeof(*record));
	if (!record)
		return -ENOMEM;
	record->driver = driver;
	SLIST_INSERT_HEAD(&s->kernel.drivers, record, link);
	for (pdev = dmasim_next_dev(s, NULL); pdev; pdev = dmasim_next_dev(s, pdev))
		probe(driver, pdev);
	return 0;
}

void pci_unregister_driver(struct pci_driver *driver)
{
	struct dmasim *s = kernel_machine();
	struct kernel_driver *record = registered(s, driver);
	struct pci_dev *pdev;

	if (!record) {
		kernel_misuse(s, NULL, 0, "pci_unregister_driver() of what is not registered");
		return;
	}
	for (pdev = dmasim_next_dev(s, NULL); pdev; pdev = dmasim_next_dev(s, pdev)) {
		if (pdev->driver != driver)
			continue;
		if (driver->remove)
			driver->remove(pdev);
		let_go(pdev);
		dmasim_driver_unbound(pdev);
	}
	SLIST_REMOVE(&s->kernel.drivers, record, kernel_driver, link);
	memory_free(&s->world.memory, record);
}

void pci_clear_master(struct pci_dev *pdev)
{
	u16 command;

	pci_read_config_word(pdev, PCI_COMMAND, &command);
	pci_write_config_word(pdev, PCI_COMMAND, command & (u16)~PCI_COMMAND_MASTER);
}

void pci_disable_device(struct pci_dev *pdev)
{
	pci_clear_master(pdev);
}
