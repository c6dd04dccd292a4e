/* SPDX-License-Identifier: MIT */
/*
 * Virtual functions of SR-IOV. Nothing on the bus tells of them but their physical function: it
 * says how many there are and how far apart, and has their vendor, device and BARs. Those with a
 * bus number past the physical function's sit on virtual buses, which no bridge leads to.
 */
#include <errno.h>

#include <dmasim/contract.h>

#include "dma/setup.h"
#include "iommu/iommu.h"
#include "pci/acs.h"
#include "pci/bus.h"

struct pci_sriov {
	u16 cap;
	u16 total;
	u16 count; /* there are so many */
	u16 offset;
	u16 stride;
	u16 device;
	struct resource resource[PCI_STD_NUM_BARS]; /* of the first one */
};

static u32 read_sriov(const struct pci_dev *physfn, u32 at, u32 bytes)
{
	return pci_config_read(physfn, physfn->sriov->cap + at, bytes);
}

static void write_sriov(const struct pci_dev *physfn, u32 at, u32 bytes, u32 value)
{
	pci_config_write(physfn, physfn->sriov->cap + at, bytes, value);
}

/* ---- Buses ----------------------------------------------------------------------------------- */

static void number_bus(struct pci_bus *bus, u32 number)
{
	bus->host = bus->parent->host;
	bus->segment = bus->parent->segment;
	bus->number = (u8)number;
}

/* How far the virtual bus's number is from its parent's does not change. */
void pci_iov_renumber(struct pci_bus *bus)
{
	for (struct pci_bus *at = bus->virtual_buses; at; at = at->next_virtual) {
		number_bus(at, bus->number + at->ahead);
		pci_forget_absent(at);
	}
}

/* The bus with numbers `ahead` past the bus's own; NULL: no memory. */
static struct pci_bus *virtual_bus(struct pci_bus *bus, u32 ahead)
{
	struct pci_bus **at, *added;

	if (!ahead)
		return bus;
	for (at = &bus->virtual_buses; *at; at = &(*at)->next_virtual) {
		if ((*at)->ahead == ahead)
			return *at;
		if ((*at)->ahead > ahead)
			break;
	}
	added = os_alloc(bus->os, DMASIM_FAULT_PCI_DEV, sizeof(*added));
	if (!added)
		return NULL;
	added->os = bus->os;
	added->parent = bus;
	added->ahead = (u8)ahead;
	added->next_virtual = *at;
	*at = added;
	number_bus(added, bus->number + ahead);
	return added;
}

/* ---- Finding them ---------------------------------------------------------------------------- */

/* From devfn 0 of the physical function's bus. */
static u32 number_of(const struct pci_dev *physfn, u32 index)
{
	return physfn->devfn + physfn->sriov->offset + physfn->sriov->stride * index;
}

/* Which of them it is. */
static u32 index_of(const struct pci_dev *virtfn)
{
	const struct pci_sriov *sriov = virtfn->physfn->sriov;
	u32 from_first = (u16)virtfn->dev.id - (u16)virtfn->physfn->dev.id - sriov->offset;

	return sriov->stride ? from_first / sriov->stride : 0;
}

/* All bus numbers that the bridge above leads to, or the host bridge has. */
static u32 last_bus(const struct pci_bus *bus)
{
	return bus->bridge ? pci_config_read(bus->bridge, PCI_SUBORDINATE_BUS, 1)
			   : bus->host->bus_last;
}

static bool has_number(const struct pci_dev *physfn, u32 index)
{
	const struct pci_sriov *sriov = physfn->sriov;

	return sriov->offset && (!index || sriov->stride) &&
	       physfn->bus->number + (number_of(physfn, index) >> 8) <= last_bus(physfn->bus);
}

static int add_one(struct pci_dev *physfn, u32 index)
{
	u32 number = number_of(physfn, index);
	struct pci_bus *bus = physfn->bus;
	dmasim_sbdf id = pci_id_on(bus, 0) + number;
	struct platform *p = bus->os->platform;
	struct pci_dev *pdev;

	/* Nobody, or somebody who is no virtual function. */
	if (p->ops->config_read(p->machine, id, PCI_HEADER_TYPE, 1) == 0xff ||
	    p->ops->config_read(p->machine, id, PCI_VENDOR_ID, 2) != 0xffff)
		return 0;
	bus = virtual_bus(bus, number >> 8);
	if (!bus)
		return -ENOMEM;
	pdev = pci_device_on(bus, number & 0xff);
	/* Somebody else answered there. */
	if (pdev && !pdev->is_virtfn)
		return 0;
	if (!pdev)
		pdev = pci_new_device(bus, number & 0xff);
	if (!pdev)
		return -ENOMEM;
	pdev->is_virtfn = true;
	pdev->physfn = physfn;
	pci_read_device(pdev);
	return 0;
}

static int add_all(struct pci_dev *physfn)
{
	struct pci_sriov *sriov = physfn->sriov;
	int err = 0;

	sriov->count = 0;
	if (!(read_sriov(physfn, PCI_SRIOV_CTRL, 2) & PCI_SRIOV_CTRL_VFE))
		return 0;
	sriov->count = (u16)read_sriov(physfn, PCI_SRIOV_NUM_VF, 2);
	for (u32 i = 0; i < sriov->count && has_number(physfn, i) && !err; i++)
		err = add_one(physfn, i);
	return err;
}

/* Sizing moves the BARs for a moment: nobody may be hit by them. */
static void read_bars(struct pci_dev *physfn)
{
	struct pci_sriov *sriov = physfn->sriov;
	u32 control = read_sriov(physfn, PCI_SRIOV_CTRL, 2);

	if (control & PCI_SRIOV_CTRL_MSE)
		write_sriov(physfn, PCI_SRIOV_CTRL, 2, control & ~(u32)PCI_SRIOV_CTRL_MSE);
	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++)
		sriov->resource[i] = (struct resource){ 0 };
	for (u32 i = 0; i < PCI_STD_NUM_BARS;)
		i += pci_read_bar(physfn, sriov->cap + PCI_SRIOV_BAR + 4 * i, &sriov->resource[i]);
	if (control & PCI_SRIOV_CTRL_MSE)
		write_sriov(physfn, PCI_SRIOV_CTRL, 2, control);
}

int pci_iov_scan(struct pci_dev *physfn)
{
	u16 cap = pci_find_ext_capability(physfn, PCI_EXT_CAP_ID_SRIOV);
	struct pci_sriov *sriov = physfn->sriov;

	if (!cap || !pci_config_read(physfn, cap + PCI_SRIOV_TOTAL_VF, 2)) {
		pci_iov_release(physfn);
		return 0;
	}
	if (!sriov)
		sriov = os_alloc(physfn->dev.os, DMASIM_FAULT_PCI_DEV, sizeof(*sriov));
	if (!sriov)
		return -ENOMEM;
	physfn->is_physfn = true;
	physfn->sriov = sriov;
	sriov->cap = cap;
	sriov->total = (u16)read_sriov(physfn, PCI_SRIOV_TOTAL_VF, 2);
	sriov->offset = (u16)read_sriov(physfn, PCI_SRIOV_VF_OFFSET, 2);
	sriov->stride = (u16)read_sriov(physfn, PCI_SRIOV_VF_STRIDE, 2);
	sriov->device = (u16)read_sriov(physfn, PCI_SRIOV_VF_DID, 2);
	read_bars(physfn);
	return add_all(physfn);
}

void pci_iov_release(struct pci_dev *physfn)
{
	if (!physfn->is_physfn)
		return;
	os_free(physfn->dev.os, physfn->sriov);
	physfn->sriov = NULL;
	physfn->is_physfn = false;
}

void pci_iov_read_device(struct pci_dev *virtfn)
{
	const struct pci_dev *physfn = virtfn->physfn;
	const struct pci_sriov *sriov = physfn->sriov;
	u32 index = index_of(virtfn);

	virtfn->vendor = physfn->vendor;
	virtfn->device = sriov->device;
	/* Whatever its number: it shares no slot with functions that it depends on. */
	virtfn->multifunction = false;
	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++) {
		const struct resource *first = &sriov->resource[i];
		u64 bytes = first->end - first->start + 1;

		virtfn->resource[i] = *first;
		if (!first->flags)
			continue;
		virtfn->resource[i].start += index * bytes;
		virtfn->resource[i].end += index * bytes;
	}
}

u64 pci_iov_bus_address(struct pci_dev *virtfn, u32 bar)
{
	const struct pci_dev *physfn = virtfn->physfn;
	u32 at = PCI_SRIOV_BAR + 4 * bar;
	u64 address = read_sriov(physfn, at, 4) & PCI_BASE_ADDRESS_MEM_MASK;

	if (pci_resource_flags(virtfn, bar) & IORESOURCE_MEM_64)
		address |= (u64)read_sriov(physfn, at + 4, 4) << 32;
	return address + index_of(virtfn) * pci_resource_len(virtfn, (int)bar);
}

/* ---- Switching them on and off --------------------------------------------------------------- */

/* Calls for each of them; stops at an error, which it returns. */
static int for_each(struct pci_dev *physfn, int (*call)(struct pci_dev *virtfn))
{
	for (u32 i = 0; i < physfn->sriov->count && has_number(physfn, i); i++) {
		u32 number = number_of(physfn, i);
		struct pci_bus *bus = physfn->bus;
		struct pci_dev *virtfn;
		int err;

		while (bus && bus->number != physfn->bus->number + (number >> 8))
			bus = bus == physfn->bus ? bus->virtual_buses : bus->next_virtual;
		virtfn = bus ? pci_device_on(bus, number & 0xff) : NULL;
		err = virtfn && virtfn->is_virtfn ? call(virtfn) : 0;
		if (err)
			return err;
	}
	return 0;
}

/* A machine that runs already makes it ready for its first mapping. */
static int start_one(struct pci_dev *virtfn)
{
	int err = iommu_probe_device(virtfn);

	return err ? err : dma_start_device(virtfn);
}

/* Its driver goes first: it lends no memory from then on. */
static int stop_one(struct pci_dev *virtfn)
{
	pci_p2pdma_unbind(virtfn);
	iommu_release_device(virtfn);
	return 0;
}

int pci_enable_sriov(struct pci_dev *pdev, int nr_virtfn)
{
	struct pci_sriov *sriov = pdev->sriov;
	int err;

	if (!pdev->is_physfn)
		return -ENOSYS;
	if (!nr_virtfn)
		return 0;
	if (nr_virtfn < 0 || nr_virtfn > sriov->total || sriov->count)
		return -EINVAL;
	if (!sriov->offset || (nr_virtfn > 1 && !sriov->stride))
		return -EIO;
	if (!has_number(pdev, (u32)nr_virtfn - 1))
		return -ENOMEM;
	write_sriov(pdev, PCI_SRIOV_NUM_VF, 2, (u32)nr_virtfn);
	write_sriov(pdev, PCI_SRIOV_CTRL, 2, PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE);
	/* Hardware that cannot have them does not say that it has. */
	if (!(read_sriov(pdev, PCI_SRIOV_CTRL, 2) & PCI_SRIOV_CTRL_VFE))
		err = -ENOMEM;
	else
		err = add_all(pdev);
	if (!err && pdev->dev.os->started) {
		pci_acs_set_up(pdev->dev.os);
		err = for_each(pdev, start_one);
	}
	if (err)
		pci_disable_sriov(pdev);
	return err;
}

void pci_disable_sriov(struct pci_dev *pdev)
{
	if (!pdev->is_physfn)
		return;
	for_each(pdev, stop_one);
	write_sriov(pdev, PCI_SRIOV_CTRL, 2, 0);
	write_sriov(pdev, PCI_SRIOV_NUM_VF, 2, 0);
	pdev->sriov->count = 0;
	pci_forget_absent(pdev->bus);
	pci_iov_renumber(pdev->bus);
}

int pci_num_vf(struct pci_dev *pdev)
{
	return pdev->is_physfn ? pdev->sriov->count : 0;
}

int pci_sriov_get_totalvfs(struct pci_dev *pdev)
{
	return pdev->is_physfn ? pdev->sriov->total : 0;
}
