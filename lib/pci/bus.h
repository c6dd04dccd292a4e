/* SPDX-License-Identifier: MIT */
/*
 * Buses, as enumeration finds them.
 */
#ifndef PCI_BUS_H
#define PCI_BUS_H

#include <dmasim/pci.h>

#include "os.h"

struct pci_bus {
	struct os *os;
	struct pci_bus *next_root;
	struct pci_dev *bridge; /* NULL: a root bus, or a virtual one */
	/*
	 * A number past a bus's own that virtual functions there have: a virtual bus. parent: the
	 * bus with the physical functions; NULL: it is none.
	 */
	struct pci_bus *parent;
	u8 ahead;		       /* its number is so much larger */
	struct pci_bus *virtual_buses; /* of this one, by number */
	struct pci_bus *next_virtual;
	const struct platform_host_bridge *host; /* of the present firmware description */
	u16 segment;
	u8 number;
	u8 last; /* number of those behind it, itself included; of a bus behind a bridge */
	struct pci_dev *devices; /* by devfn */
};

/* Reads configuration space below every host bridge. 0 or -ENOMEM. */
int pci_scan(struct os *os);
void pci_release(struct os *os);

/*
 * The parts of it: a device that is not there yet; what enumeration wants to know of it, read
 * afresh; its end, with all below it.
 */
struct pci_dev *pci_device_on(struct pci_bus *bus, u32 devfn);
struct pci_dev *pci_new_device(struct pci_bus *bus, u32 devfn);
void pci_read_device(struct pci_dev *pdev);
void pci_release_device(struct pci_dev *pdev);
void pci_forget_absent(struct pci_bus *bus);

/*
 * Virtual functions (iov.c): finds those that the physical function has enabled. 0 or -ENOMEM. And
 * what of it is the device's own memory goes.
 */
int pci_iov_scan(struct pci_dev *physfn);
void pci_iov_release(struct pci_dev *physfn);
/* What a virtual function does not say itself: vendor, device, BARs. */
void pci_iov_read_device(struct pci_dev *virtfn);
u64 pci_iov_bus_address(struct pci_dev *virtfn, u32 bar);
/* Virtual buses have the numbers after the bus's own, which may be another. */
void pci_iov_renumber(struct pci_bus *bus);

/* By its number; NULL: nobody is there. */
struct pci_dev *pci_device_at(struct os *os, dmasim_sbdf id);

/* Depth first, parents before children. NULL starts; NULL ends. */
struct pci_dev *pci_next_device(struct os *os, struct pci_dev *from);

static inline dmasim_sbdf pci_id_on(const struct pci_bus *bus, u32 devfn)
{
	return (u32)bus->segment << 16 | (u32)bus->number << 8 | devfn;
}

/* The root bus that the device is below, or on. */
static inline struct pci_bus *pci_root_bus(const struct pci_dev *pdev)
{
	struct pci_bus *bus = pdev->bus;

	while (bus->parent || bus->bridge)
		bus = bus->parent ? bus->parent : bus->bridge->bus;
	return bus;
}

static inline const struct platform_host_bridge *pci_host_bridge(const struct pci_dev *pdev)
{
	return pdev->bus->host;
}

/*
 * Reads the BAR in the register at `where` by writing to it. Returns how many registers it took.
 * Nothing may decode it meanwhile.
 */
u32 pci_read_bar(struct pci_dev *pdev, u32 where, struct resource *res);

/* Reads sizes and addresses of the BARs and, of a bridge, its windows. */
void pci_read_bars(struct pci_dev *pdev);
void pci_read_windows(struct pci_dev *pdev);

/* bus address - phys of the window of the host bridge that a bus address lies in; 0: in none. */
u64 pci_bus_offset(const struct pci_dev *pdev, u64 bus_address);

/* The ACS control word now; 0 without the capability. */
u16 pci_acs_control(const struct pci_dev *pdev);

/* Ends what a device is as a provider. */
void pci_p2pdma_release(struct pci_dev *pdev);
/* The same where its driver lets go of it: what is still in use is told. */
void pci_p2pdma_unbind(struct pci_dev *pdev);

u32 pci_config_read(const struct pci_dev *pdev, u32 where, u32 bytes);
void pci_config_write(const struct pci_dev *pdev, u32 where, u32 bytes, u32 value);

#endif
