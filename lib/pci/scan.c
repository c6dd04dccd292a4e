/* SPDX-License-Identifier: MIT */
/*
 * Enumeration: from the host bridges' root buses down, by reading configuration space.
 */
#include <errno.h>
#include <stdio.h>

#include "dma/setup.h"
#include "pci/acs.h"
#include "pci/alias.h"

static u32 read_id(struct os *os, dmasim_sbdf id, u32 where, u32 bytes)
{
	return os->platform->ops->config_read(os->platform->machine, id, where, bytes);
}

struct pci_dev *pci_device_on(struct pci_bus *bus, u32 devfn)
{
	struct pci_dev *pdev = bus->devices;

	while (pdev && pdev->devfn != devfn)
		pdev = pdev->sibling;
	return pdev;
}

static void insert_on(struct pci_bus *bus, struct pci_dev *pdev)
{
	struct pci_dev **at = &bus->devices;

	while (*at && (*at)->devfn < pdev->devfn)
		at = &(*at)->sibling;
	pdev->sibling = *at;
	*at = pdev;
}

struct pci_dev *pci_new_device(struct pci_bus *bus, u32 devfn)
{
	struct pci_dev *pdev = os_alloc(bus->os, DMASIM_FAULT_PCI_DEV, sizeof(*pdev));

	if (!pdev)
		return NULL;
	pdev->bus = bus;
	pdev->devfn = devfn;
	pdev->dev.os = bus->os;
	pdev->dma_mask = 0xffffffff;
	pdev->dev.dma_mask = &pdev->dma_mask;
	pdev->dev.coherent_dma_mask = 0xffffffff;
	/* What the PCI core sets for every device. */
	pdev->dev.max_segment_size = SZ_64K;
	pdev->dev.segment_boundary_mask = 0xffffffff;
	insert_on(bus, pdev);
	return pdev;
}

static s32 express_type(struct pci_dev *pdev)
{
	u32 flags;

	if (!pdev->express_cap)
		return -1;
	flags = pci_config_read(pdev, pdev->express_cap + PCI_EXP_FLAGS, 2);
	return (s32)((flags & PCI_EXP_FLAGS_TYPE) >> PCI_EXP_FLAGS_TYPE_SHIFT);
}

/* Host bridges behind an endpoint come after the one that it is below. */
static struct pci_dev *real_dma_device(const struct pci_dev *pdev)
{
	dmasim_sbdf endpoint = pci_host_bridge(pdev)->endpoint;

	return endpoint == DMASIM_NO_SBDF ? NULL : pci_device_at(pdev->dev.os, endpoint);
}

/* Machines are scanned again and again: most devices have their names. */
static void name_device(struct pci_dev *pdev, dmasim_sbdf id)
{
	if (pdev->dev.name[0] && pdev->dev.id == id)
		return;
	pdev->dev.id = id;
	snprintf(pdev->dev.name, sizeof(pdev->dev.name), "%04x:%02x:%02x.%u",
		 dmasim_domain(id >> 16), id >> 8 & 0xff, PCI_SLOT(id), PCI_FUNC(id));
}

void pci_read_device(struct pci_dev *pdev)
{
	dmasim_sbdf id = pci_id_on(pdev->bus, pdev->devfn);
	u32 header;

	name_device(pdev, id);
	header = pci_config_read(pdev, PCI_HEADER_TYPE, 1);
	pdev->hdr_type = header & PCI_HEADER_TYPE_MASK;
	pdev->multifunction = (header & PCI_HEADER_TYPE_MULTI) || PCI_FUNC(id);
	pdev->vendor = (u16)pci_config_read(pdev, PCI_VENDOR_ID, 2);
	pdev->device = (u16)pci_config_read(pdev, PCI_DEVICE_ID, 2);
	pdev->class_code = pci_config_read(pdev, PCI_CLASS_REVISION, 4) >> 8;
	pdev->express_cap = pci_find_capability(pdev, PCI_CAP_ID_EXP);
	pdev->express_type = express_type(pdev);
	pdev->acs_cap = pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_ACS);
	pdev->ats_cap = pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_ATS);
	dma_setup_device(pdev);
	pdev->real_dma = real_dma_device(pdev);
	if (pdev->is_virtfn)
		pci_iov_read_device(pdev);
	else
		pci_read_bars(pdev);
	if (pci_is_bridge(pdev))
		pci_read_windows(pdev);
	/* These ask for the ids, which a virtual function has from its physical one. */
	pci_acs_init(pdev);
	pci_alias_init(pdev);
}

static int scan_bus(struct pci_bus *bus);

static int scan_behind(struct pci_dev *bridge)
{
	struct pci_bus *bus = bridge->subordinate;
	u32 secondary = pci_config_read(bridge, PCI_SECONDARY_BUS, 1);

	/* A bridge without numbers, or with numbers outside its host bridge's, leads nowhere. */
	if (secondary <= bridge->bus->number || secondary > bridge->bus->host->bus_last)
		return 0;
	if (!bus) {
		bus = os_alloc(bridge->dev.os, DMASIM_FAULT_PCI_DEV, sizeof(*bus));
		if (!bus)
			return -ENOMEM;
		bus->os = bridge->dev.os;
		bus->bridge = bridge;
		bridge->subordinate = bus;
	}
	bus->host = bridge->bus->host;
	bus->segment = bridge->bus->segment;
	bus->number = (u8)secondary;
	bus->last = (u8)pci_config_read(bridge, PCI_SUBORDINATE_BUS, 1);
	return scan_bus(bus);
}

static int scan_function(struct pci_bus *bus, u32 devfn)
{
	dmasim_sbdf id = pci_id_on(bus, devfn);
	struct pci_dev *pdev;

	if (read_id(bus->os, id, PCI_VENDOR_ID, 2) == 0xffff)
		return 0;
	pdev = pci_device_on(bus, devfn);
	if (!pdev)
		pdev = pci_new_device(bus, devfn);
	if (!pdev)
		return -ENOMEM;
	pci_read_device(pdev);
	if (pci_is_bridge(pdev))
		return scan_behind(pdev);
	return pci_iov_scan(pdev);
}

/*
 * Functions 1 to 7 are asked for where function 0 says there are more, and where there is no
 * function 0: a part of a machine may have been recorded without it.
 */
static int scan_device(struct pci_bus *bus, u32 device)
{
	dmasim_sbdf first = pci_id_on(bus, PCI_DEVFN(device, 0));
	u32 vendor = read_id(bus->os, first, PCI_VENDOR_ID, 2);
	u32 header = read_id(bus->os, first, PCI_HEADER_TYPE, 1);
	u32 functions = vendor == 0xffff || (header & PCI_HEADER_TYPE_MULTI) ? 8 : 1;
	int err = 0;

	for (u32 function = 0; function < functions && !err; function++)
		err = scan_function(bus, PCI_DEVFN(device, function));
	return err;
}

static void release_bus(struct pci_bus *bus);

void pci_release_device(struct pci_dev *pdev)
{
	if (pdev->subordinate)
		release_bus(pdev->subordinate);
	pci_p2pdma_release(pdev);
	pci_iov_release(pdev);
	os_free(pdev->dev.os, pdev);
}

static void release_bus(struct pci_bus *bus)
{
	while (bus->virtual_buses) {
		struct pci_bus *virtual_bus = bus->virtual_buses;

		bus->virtual_buses = virtual_bus->next_virtual;
		release_bus(virtual_bus);
	}
	while (bus->devices) {
		struct pci_dev *pdev = bus->devices;

		bus->devices = pdev->sibling;
		pci_release_device(pdev);
	}
	os_free(bus->os, bus);
}

/* Of a virtual function vendor and device read as ones; no header type does. */
static bool answers(const struct pci_bus *bus, const struct pci_dev *pdev)
{
	dmasim_sbdf id = pci_id_on(bus, pdev->devfn);

	if (pdev->is_virtfn)
		return read_id(bus->os, id, PCI_HEADER_TYPE, 1) != 0xff;
	return read_id(bus->os, id, PCI_VENDOR_ID, 2) != 0xffff;
}

/* Devices that no longer answer go, with all below them. */
void pci_forget_absent(struct pci_bus *bus)
{
	struct pci_dev **at = &bus->devices;

	while (*at) {
		struct pci_dev *pdev = *at;

		if (answers(bus, pdev)) {
			at = &pdev->sibling;
			continue;
		}
		*at = pdev->sibling;
		pci_release_device(pdev);
	}
}

static int scan_bus(struct pci_bus *bus)
{
	int err = 0;

	pci_iov_renumber(bus);
	pci_forget_absent(bus);
	for (u32 device = 0; device < 32 && !err; device++)
		err = scan_device(bus, device);
	return err;
}

static bool is_root_of(const struct pci_bus *root, const struct platform_host_bridge *host)
{
	return root->segment == host->segment && root->number == host->bus_first;
}

static struct pci_bus *find_root(struct os *os, const struct platform_host_bridge *host)
{
	struct pci_bus *root = os->roots;

	while (root && !is_root_of(root, host))
		root = root->next_root;
	return root;
}

static bool is_described(const struct platform_firmware *firmware, const struct pci_bus *root)
{
	for (u32 i = 0; i < firmware->bridge_count; i++) {
		if (is_root_of(root, &firmware->bridge[i]))
			return true;
	}
	return false;
}

static void forget_absent_roots(struct os *os)
{
	struct pci_bus **at = &os->roots;

	while (*at) {
		struct pci_bus *root = *at;

		if (is_described(os->firmware, root)) {
			at = &root->next_root;
			continue;
		}
		*at = root->next_root;
		release_bus(root);
	}
}

static struct pci_bus *add_root(struct os *os, const struct platform_host_bridge *host)
{
	struct pci_bus *root = os_alloc(os, DMASIM_FAULT_PCI_DEV, sizeof(*root));
	struct pci_bus **at = &os->roots;

	if (!root)
		return NULL;
	root->os = os;
	root->segment = host->segment;
	root->number = host->bus_first;
	while (*at)
		at = &(*at)->next_root;
	*at = root;
	return root;
}

int pci_scan(struct os *os)
{
	const struct platform_firmware *firmware = os->firmware;
	int err = 0;

	forget_absent_roots(os);
	for (u32 i = 0; i < firmware->bridge_count && !err; i++) {
		const struct platform_host_bridge *host = &firmware->bridge[i];
		struct pci_bus *root = find_root(os, host);

		if (!root)
			root = add_root(os, host);
		if (!root)
			return -ENOMEM;
		root->host = host;
		err = scan_bus(root);
	}
	return err;
}

void pci_release(struct os *os)
{
	while (os->roots) {
		struct pci_bus *root = os->roots;

		os->roots = root->next_root;
		release_bus(root);
	}
}

static struct pci_dev *first_of_roots(struct pci_bus *root)
{
	while (root && !root->devices)
		root = root->next_root;
	return root ? root->devices : NULL;
}

static struct pci_dev *first_of_virtual(struct pci_bus *bus)
{
	while (bus && !bus->devices)
		bus = bus->next_virtual;
	return bus ? bus->devices : NULL;
}

struct pci_dev *pci_next_device(struct os *os, struct pci_dev *from)
{
	if (!from)
		return first_of_roots(os->roots);
	if (from->subordinate && from->subordinate->devices)
		return from->subordinate->devices;
	for (;;) {
		struct pci_bus *bus = from->bus;
		struct pci_dev *next;

		if (from->sibling)
			return from->sibling;
		next = first_of_virtual(bus->parent ? bus->next_virtual : bus->virtual_buses);
		if (next)
			return next;
		if (bus->parent)
			bus = bus->parent;
		if (!bus->bridge)
			return first_of_roots(bus->next_root);
		from = bus->bridge;
	}
}

/* The bus behind one of its bridges, or its virtual one, that has the number or leads there. */
static struct pci_bus *towards(struct pci_bus *bus, u8 number)
{
	struct pci_bus *below;

	for (struct pci_dev *pdev = bus->devices; pdev; pdev = pdev->sibling) {
		below = pdev->subordinate;
		if (below && number >= below->number && number <= below->last)
			return below;
	}
	below = bus->virtual_buses;
	while (below && below->number != number)
		below = below->next_virtual;
	return below;
}

struct pci_dev *pci_device_at(struct os *os, dmasim_sbdf id)
{
	u8 number = (u8)(id >> 8);
	struct pci_bus *bus = os->roots;

	while (bus &&
	       (bus->segment != id >> 16 || number < bus->number || number > bus->host->bus_last))
		bus = bus->next_root;
	while (bus && bus->number != number)
		bus = towards(bus, number);
	return bus ? pci_device_on(bus, id & 0xff) : NULL;
}
