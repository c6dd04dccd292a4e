/* SPDX-License-Identifier: MIT */
/*
 * What a device decodes: BARs by writing all ones to them, windows of bridges by reading them.
 */
#include "pci/bus.h"

u64 pci_bus_offset(const struct pci_dev *pdev, u64 bus_address)
{
	const struct platform_host_bridge *host = pci_host_bridge(pdev);

	for (u32 i = 0; i < host->window_count; i++) {
		const struct platform_window *window = &host->window[i];

		if (bus_address - window->bus_offset - window->start < window->bytes)
			return window->bus_offset;
	}
	return 0;
}

/* The register's size mask: the bits that hold when all are written. The register is restored. */
static u32 probe(struct pci_dev *pdev, u32 where, u32 *value)
{
	u32 mask;

	*value = pci_config_read(pdev, where, 4);
	pci_config_write(pdev, where, 4, ~0U);
	mask = pci_config_read(pdev, where, 4);
	pci_config_write(pdev, where, 4, *value);
	return mask;
}

static unsigned long bar_flags(u32 value)
{
	unsigned long flags = IORESOURCE_MEM;

	if (value & PCI_BASE_ADDRESS_SPACE_IO)
		return IORESOURCE_IO;
	if (value & PCI_BASE_ADDRESS_MEM_PREFETCH)
		flags |= IORESOURCE_PREFETCH;
	if ((value & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64)
		flags |= IORESOURCE_MEM_64;
	return flags;
}

u32 pci_read_bar(struct pci_dev *pdev, u32 where, struct resource *res)
{
	u32 low, high;
	u64 mask = probe(pdev, where, &low);
	u64 address = low;
	u64 size;

	*res = (struct resource){ .flags = bar_flags(low) };
	if (res->flags & IORESOURCE_MEM_64) {
		mask |= (u64)probe(pdev, where + 4, &high) << 32;
		address |= (u64)high << 32;
	} else {
		mask |= 0xffffffff00000000ULL;
	}
	if (res->flags & IORESOURCE_IO) {
		mask &= PCI_BASE_ADDRESS_IO_MASK;
		address &= PCI_BASE_ADDRESS_IO_MASK;
	} else {
		mask &= PCI_BASE_ADDRESS_MEM_MASK;
		address &= PCI_BASE_ADDRESS_MEM_MASK;
	}
	size = mask & -mask;
	/* No bit of the register holds: there is no BAR. */
	if (!(mask & 0xffffffff) && !(res->flags & IORESOURCE_MEM_64 && mask)) {
		res->flags = 0;
		return 1;
	}
	res->start = address;
	if (res->flags & IORESOURCE_MEM)
		res->start -= pci_bus_offset(pdev, address);
	res->end = res->start + size - 1;
	return res->flags & IORESOURCE_MEM_64 ? 2 : 1;
}

void pci_read_bars(struct pci_dev *pdev)
{
	u32 count = pdev->hdr_type == PCI_HEADER_TYPE_NORMAL   ? PCI_STD_NUM_BARS
		    : pdev->hdr_type == PCI_HEADER_TYPE_BRIDGE ? PCI_BRIDGE_NUM_BARS
							       : 0;
	u32 command = pci_config_read(pdev, PCI_COMMAND, 2);
	u32 decode = PCI_COMMAND_MEMORY | PCI_COMMAND_IO;

	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++)
		pdev->resource[i] = (struct resource){ 0 };

	/* Sizing moves the BAR for a moment: nobody may be hit by it. */
	if (command & decode)
		pci_config_write(pdev, PCI_COMMAND, 2, command & ~decode);
	for (u32 i = 0; i < count;)
		i += pci_read_bar(pdev, PCI_BASE_ADDRESS_0 + 4 * i, &pdev->resource[i]);
	if (command & decode)
		pci_config_write(pdev, PCI_COMMAND, 2, command);
}

void pci_read_windows(struct pci_dev *pdev)
{
	u32 base = pci_config_read(pdev, PCI_MEMORY_BASE, 2) & PCI_MEMORY_RANGE_MASK;
	u32 limit = pci_config_read(pdev, PCI_MEMORY_LIMIT, 2) & PCI_MEMORY_RANGE_MASK;
	u32 pref_base = pci_config_read(pdev, PCI_PREF_MEMORY_BASE, 2);
	u32 pref_limit = pci_config_read(pdev, PCI_PREF_MEMORY_LIMIT, 2);
	struct pci_bridge_window *pref = &pdev->prefetch_window;

	pdev->window = (struct pci_bridge_window){ (u64)base << 16, (u64)limit << 16 | 0xfffff };
	if (!pref_base && !pref_limit) {
		*pref = (struct pci_bridge_window){ 1, 0 };
		return;
	}
	pref->start = (u64)(pref_base & PCI_PREF_RANGE_MASK) << 16;
	pref->last = (u64)(pref_limit & PCI_PREF_RANGE_MASK) << 16 | 0xfffff;
	if (pref_base & PCI_PREF_RANGE_TYPE_64) {
		pref->start |= (u64)pci_config_read(pdev, PCI_PREF_BASE_UPPER32, 4) << 32;
		pref->last |= (u64)pci_config_read(pdev, PCI_PREF_LIMIT_UPPER32, 4) << 32;
	}
}

u64 pci_bus_address(struct pci_dev *pdev, int bar)
{
	u32 where = PCI_BASE_ADDRESS_0 + 4 * (u32)bar;
	u64 address;

	if (pdev->is_virtfn)
		return pci_iov_bus_address(pdev, (u32)bar);
	address = pci_config_read(pdev, where, 4) & PCI_BASE_ADDRESS_MEM_MASK;
	if (pci_resource_flags(pdev, bar) & IORESOURCE_MEM_64)
		address |= (u64)pci_config_read(pdev, where + 4, 4) << 32;
	return address & PCI_BASE_ADDRESS_MEM_MASK;
}
