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
	struct pci_dev *bridge;			 /* NULL: a root bus */
	const struct platform_host_bridge *host; /* of the present firmware description */
	u16 segment;
	u8 number;
	struct pci_dev *devices; /* by devfn */
};

/* Reads configuration space below every host bridge. 0 or -ENOMEM. */
int pci_scan(struct os *os);
void pci_release(struct os *os);

/* Depth first, parents before children. NULL starts; NULL ends. */
struct pci_dev *pci_next_device(struct os *os, struct pci_dev *from);

static inline const struct platform_host_bridge *pci_host_bridge(const struct pci_dev *pdev)
{
	return pdev->bus->host;
}

/* Reads sizes and addresses of the BARs and, of a bridge, its windows. */
void pci_read_bars(struct pci_dev *pdev);
void pci_read_windows(struct pci_dev *pdev);

/* bus address - phys of the window of the host bridge that a bus address lies in; 0: in none. */
u64 pci_bus_offset(const struct pci_dev *pdev, u64 bus_address);

/*
 * A number that the device's requests may bear at the IOMMU: its own, or one of a bridge above it
 * that takes what comes from conventional PCI for its own (facts "dma-api" 18.2 a and c, without
 * quirk tables).
 */
struct pci_requester {
	struct pci_dev *of; /* the device, then those bridges, upwards */
	u16 id;
};
struct pci_requester pci_own_requester(struct pci_dev *pdev);
/* False: that was the last; it stays. */
bool pci_next_requester(struct pci_requester *requester);

/* The ACS control word now; 0 without the capability. */
u16 pci_acs_control(const struct pci_dev *pdev);

/* Ends what a device is as a provider. */
void pci_p2pdma_release(struct pci_dev *pdev);

u32 pci_config_read(const struct pci_dev *pdev, u32 where, u32 bytes);
void pci_config_write(const struct pci_dev *pdev, u32 where, u32 bytes, u32 value);

#endif
