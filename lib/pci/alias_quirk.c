/* SPDX-License-Identifier: MIT */
/*
 * Devices that send under numbers which are not theirs (facts "dma-api" 19.5). The ones that a
 * table in the device's own memory tells (Switchtec's non-transparent bridges), or the firmware of
 * AMD's IOMMUs, are not known here.
 */
#include "pci/alias.h"

enum aliases {
	FUNCTION_0,	/* of its own slot */
	FUNCTION_1,	/* of its own slot */
	DEVICE_1,	/* 01.0, of two boards */
	PHI,		/* 10.0, 11.0 and 12.3 */
	FUNCTIONS_0_4,	/* of all slots */
	EVERY_FUNCTION, /* of the bus */
};

static const struct {
	enum aliases aliases;
	u16 vendor;
	u16 device;
} devices[] = {
	{ FUNCTION_0, 0x1180, 0xe832 },
	{ FUNCTION_0, 0x1180, 0xe476 },
	{ FUNCTION_0, 0x6766, 0x3d40 },
	{ FUNCTION_0, 0x6766, 0x3d41 },
	{ FUNCTION_1, 0x1b4b, 0x9120 },
	{ FUNCTION_1, 0x1b4b, 0x9123 },
	{ FUNCTION_1, 0x1b4b, 0x9125 },
	{ FUNCTION_1, 0x1b4b, 0x9128 },
	{ FUNCTION_1, 0x1b4b, 0x9130 },
	{ FUNCTION_1, 0x1b4b, 0x9170 },
	{ FUNCTION_1, 0x1b4b, 0x9172 },
	{ FUNCTION_1, 0x1b4b, 0x917a },
	{ FUNCTION_1, 0x1b4b, 0x9182 },
	{ FUNCTION_1, 0x1b4b, 0x9183 },
	{ FUNCTION_1, 0x1b4b, 0x91a0 },
	{ FUNCTION_1, 0x1b4b, 0x9215 },
	{ FUNCTION_1, 0x1b4b, 0x9220 },
	{ FUNCTION_1, 0x1b4b, 0x9230 },
	{ FUNCTION_1, 0x1b4b, 0x9235 },
	{ FUNCTION_1, 0x1103, 0x0642 },
	{ FUNCTION_1, 0x1103, 0x0645 },
	{ FUNCTION_1, 0x197b, 0x2392 },
	{ FUNCTION_1, 0x1c28, 0x0122 },
	{ DEVICE_1, 0x9005, 0x0285 },
	{ PHI, 0x8086, 0x2260 },
	{ PHI, 0x8086, 0x2264 },
	{ FUNCTIONS_0_4, 0x8086, 0x2954 },
	{ FUNCTIONS_0_4, 0x8086, 0x2955 },
	{ FUNCTIONS_0_4, 0x8086, 0x2956 },
	{ FUNCTIONS_0_4, 0x8086, 0x2958 },
	{ FUNCTIONS_0_4, 0x8086, 0x2959 },
	{ FUNCTIONS_0_4, 0x8086, 0x295a },
	{ EVERY_FUNCTION, 0x10b5, 0x87b0 },
	{ EVERY_FUNCTION, 0x10b5, 0x87b1 },
};

static const struct {
	u8 flags;
	u16 vendor;
	u16 device;
} bridges[] = {
	{ PCI_ALIAS_SECONDARY, 0x1b21, 0x1080 }, { PCI_ALIAS_SECONDARY, 0x10e3, 0x8113 },
	{ PCI_ALIAS_SECONDARY, 0x1283, 0x8892 }, { PCI_ALIAS_SECONDARY, 0x1283, 0x8893 },
	{ PCI_ALIAS_SECONDARY, 0x8086, 0x244e }, { PCI_ALIAS_ROOT, 0x14e4, 0x9000 },
	{ PCI_ALIAS_ROOT, 0x14e4, 0x9084 },	 { PCI_ALIAS_NONE, 0x1a03, 0x1150 },
};

static void add(struct pci_dev *pdev, u32 devfn)
{
	pdev->dma_alias[devfn / 64] |= 1ULL << devfn % 64;
}

static void add_function(struct pci_dev *pdev, u32 function)
{
	if (PCI_FUNC(pdev->devfn) != function)
		add(pdev, PCI_DEVFN(PCI_SLOT(pdev->devfn), function));
}

static void add_device_1(struct pci_dev *pdev)
{
	u32 subsystem = pci_config_read(pdev, PCI_SUBSYSTEM_VENDOR_ID, 4);

	if (subsystem == 0x02bb9005 || subsystem == 0x02bc9005)
		add(pdev, PCI_DEVFN(1, 0));
}

static void add_aliases(struct pci_dev *pdev, enum aliases aliases)
{
	switch (aliases) {
	case FUNCTION_0:
		add_function(pdev, 0);
		break;
	case FUNCTION_1:
		add_function(pdev, 1);
		break;
	case DEVICE_1:
		add_device_1(pdev);
		break;
	case PHI:
		add(pdev, PCI_DEVFN(0x10, 0));
		add(pdev, PCI_DEVFN(0x11, 0));
		add(pdev, PCI_DEVFN(0x12, 3));
		break;
	case FUNCTIONS_0_4:
	case EVERY_FUNCTION:
		for (u32 devfn = 0; devfn < 256; devfn++) {
			if (aliases == EVERY_FUNCTION || PCI_FUNC(devfn) <= 4)
				add(pdev, devfn);
		}
		break;
	}
}

/* A conventional bridge right below PCI Express is one in truth. */
static bool is_hidden_express_bridge(struct pci_dev *pdev)
{
	const struct pci_dev *above = pci_upstream_bridge(pdev);

	return pdev->express_type < 0 && above && above->express_type >= 0 &&
	       above->express_type != PCI_EXP_TYPE_PCI_BRIDGE;
}

static void add_flags(struct pci_dev *pdev, u8 flags)
{
	if (flags != PCI_ALIAS_SECONDARY || is_hidden_express_bridge(pdev))
		pdev->alias_flags |= flags;
}

void pci_alias_init(struct pci_dev *pdev)
{
	for (size_t i = 0; i < sizeof(pdev->dma_alias) / sizeof(pdev->dma_alias[0]); i++)
		pdev->dma_alias[i] = 0;
	pdev->alias_flags = 0;
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		if (devices[i].vendor == pdev->vendor && devices[i].device == pdev->device)
			add_aliases(pdev, devices[i].aliases);
	}
	for (size_t i = 0; pci_is_bridge(pdev) && i < sizeof(bridges) / sizeof(bridges[0]); i++) {
		if (bridges[i].vendor == pdev->vendor && bridges[i].device == pdev->device)
			add_flags(pdev, bridges[i].flags);
	}
}
