/* SPDX-License-Identifier: MIT */
/*
 * Configuration space through the port: registers, capabilities, the command register.
 */
#include "pci/bus.h"

u32 pci_config_read(const struct pci_dev *pdev, u32 where, u32 bytes)
{
	struct platform *p = pdev->dev.os->platform;

	return p->ops->config_read(p->machine, pdev->dev.id, where, bytes);
}

void pci_config_write(const struct pci_dev *pdev, u32 where, u32 bytes, u32 value)
{
	struct platform *p = pdev->dev.os->platform;

	platform_point(p, DMASIM_POINT_CONFIG);
	p->ops->config_write(p->machine, pdev->dev.id, where, bytes, value);
}

/* Registers that do not exist: beyond 4 KiB, or not at a multiple of their size. */
static bool is_register(int where, int bytes)
{
	return where >= 0 && where < PCI_CFG_SPACE_EXP_SIZE && !(where & (bytes - 1));
}

/* What the pci_read_config_ functions give: all ones where there is no register. */
static int read_register(const struct pci_dev *pdev, int where, int bytes, u32 *value)
{
	*value = ~0U;
	if (!is_register(where, bytes))
		return PCIBIOS_BAD_REGISTER_NUMBER;
	*value = pci_config_read(pdev, (u32)where, (u32)bytes);
	return PCIBIOS_SUCCESSFUL;
}

static int write_register(const struct pci_dev *pdev, int where, int bytes, u32 value)
{
	if (!is_register(where, bytes))
		return PCIBIOS_BAD_REGISTER_NUMBER;
	pci_config_write(pdev, (u32)where, (u32)bytes, value);
	return PCIBIOS_SUCCESSFUL;
}

int pci_read_config_byte(const struct pci_dev *pdev, int where, u8 *value)
{
	u32 found;
	int err = read_register(pdev, where, 1, &found);

	*value = (u8)found;
	return err;
}

int pci_read_config_word(const struct pci_dev *pdev, int where, u16 *value)
{
	u32 found;
	int err = read_register(pdev, where, 2, &found);

	*value = (u16)found;
	return err;
}

int pci_read_config_dword(const struct pci_dev *pdev, int where, u32 *value)
{
	return read_register(pdev, where, 4, value);
}

int pci_write_config_byte(const struct pci_dev *pdev, int where, u8 value)
{
	return write_register(pdev, where, 1, value);
}

int pci_write_config_word(const struct pci_dev *pdev, int where, u16 value)
{
	return write_register(pdev, where, 2, value);
}

int pci_write_config_dword(const struct pci_dev *pdev, int where, u32 value)
{
	return write_register(pdev, where, 4, value);
}

/* Both lists are walked at most as often as capabilities fit, so a list in a circle ends. */
u8 pci_find_capability(struct pci_dev *pdev, int cap)
{
	u32 at;

	if (!(pci_config_read(pdev, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST))
		return 0;
	at = pci_config_read(pdev, PCI_CAPABILITY_LIST, 1) & ~3U;
	for (int i = 0; i < 48 && at >= 0x40; i++) {
		u32 id = pci_config_read(pdev, at + PCI_CAP_LIST_ID, 1);

		if (id == (u32)cap)
			return (u8)at;
		if (id == 0xff)
			return 0;
		at = pci_config_read(pdev, at + PCI_CAP_LIST_NEXT, 1) & ~3U;
	}
	return 0;
}

u16 pci_find_ext_capability(struct pci_dev *pdev, int cap)
{
	u32 at = PCI_EXT_CAP_START;

	for (int i = 0; i < 960 && at >= PCI_EXT_CAP_START; i++) {
		u32 header = pci_config_read(pdev, at, 4);

		if (!header || header == 0xffffffff)
			return 0;
		if (PCI_EXT_CAP_ID(header) == (u32)cap)
			return (u16)at;
		at = PCI_EXT_CAP_NEXT(header);
	}
	return 0;
}

struct pci_dev *pci_upstream_bridge(struct pci_dev *pdev)
{
	return pci_physfn(pdev)->bus->bridge;
}

static void set_command(struct pci_dev *pdev, u32 bits)
{
	u32 command = pci_config_read(pdev, PCI_COMMAND, 2);

	if ((command & bits) != bits)
		pci_config_write(pdev, PCI_COMMAND, 2, command | bits);
}

int pci_enable_device(struct pci_dev *pdev)
{
	struct pci_dev *bridge;

	for (bridge = pci_upstream_bridge(pdev); bridge; bridge = pci_upstream_bridge(bridge))
		set_command(bridge, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	/* A virtual function's memory is the physical function's to enable. */
	if (!pdev->is_virtfn)
		set_command(pdev, PCI_COMMAND_MEMORY);
	return 0;
}

void pci_set_master(struct pci_dev *pdev)
{
	struct pci_dev *bridge;

	for (bridge = pci_upstream_bridge(pdev); bridge; bridge = pci_upstream_bridge(bridge))
		set_command(bridge, PCI_COMMAND_MASTER);
	set_command(pdev, PCI_COMMAND_MASTER);
}
