/* SPDX-License-Identifier: MIT */
#include "pci/p2p_allow.h"

#include <dmasim/hw/pci.h>

#define ANY_DEVICE 0xffffU

struct allowed_bridge {
	u16 vendor;
	u16 device;
	enum p2p_allow allow;
};

static const struct allowed_bridge allowed[] = {
	{ PCI_VENDOR_ID_INTEL, 0x3c00, P2P_ALLOW_SAME_BRIDGE },
	{ PCI_VENDOR_ID_INTEL, 0x3c01, P2P_ALLOW_SAME_BRIDGE },
	{ PCI_VENDOR_ID_INTEL, 0x2f00, P2P_ALLOW_SAME_BRIDGE },
	{ PCI_VENDOR_ID_INTEL, 0x2f01, P2P_ALLOW_SAME_BRIDGE },
	{ PCI_VENDOR_ID_INTEL, 0x2030, P2P_ALLOW_ANY },
	{ PCI_VENDOR_ID_INTEL, 0x2031, P2P_ALLOW_ANY },
	{ PCI_VENDOR_ID_INTEL, 0x2032, P2P_ALLOW_ANY },
	{ PCI_VENDOR_ID_INTEL, 0x2033, P2P_ALLOW_ANY },
	{ PCI_VENDOR_ID_INTEL, 0x2020, P2P_ALLOW_ANY },
	{ PCI_VENDOR_ID_INTEL, 0x09a2, P2P_ALLOW_ANY },
	{ PCI_VENDOR_ID_INTEL, 0x0b25, P2P_ALLOW_ANY },
	{ PCI_VENDOR_ID_INTEL, 0x0cfe, P2P_ALLOW_ANY },
	{ PCI_VENDOR_ID_INTEL, 0x11fb, P2P_ALLOW_ANY },
	{ PCI_VENDOR_ID_INTEL, 0x1212, P2P_ALLOW_ANY },
	{ PCI_VENDOR_ID_INTEL, 0x1216, P2P_ALLOW_ANY },
	{ PCI_VENDOR_ID_INTEL, 0x4940, P2P_ALLOW_ANY },
	{ PCI_VENDOR_ID_INTEL, 0x4942, P2P_ALLOW_ANY },
	{ PCI_VENDOR_ID_INTEL, 0x4944, P2P_ALLOW_ANY },
	{ PCI_VENDOR_ID_INTEL, 0x4946, P2P_ALLOW_ANY },
	{ PCI_VENDOR_ID_INTEL, 0x4948, P2P_ALLOW_ANY },
	{ PCI_VENDOR_ID_NVIDIA, 0x2f95, P2P_ALLOW_ANY },
	{ PCI_VENDOR_ID_NVIDIA, 0x2f96, P2P_ALLOW_ANY },
	{ PCI_VENDOR_ID_NVIDIA, 0x2f97, P2P_ALLOW_ANY },
	{ PCI_VENDOR_ID_NVIDIA, 0x2f98, P2P_ALLOW_ANY },
	{ PCI_VENDOR_ID_GOOGLE, ANY_DEVICE, P2P_ALLOW_ANY },
};

enum p2p_allow p2p_allow(u16 vendor, u16 device)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		const struct allowed_bridge *bridge = &allowed[i];

		if (bridge->vendor == vendor &&
		    (bridge->device == ANY_DEVICE || bridge->device == device))
			return bridge->allow;
	}
	return P2P_ALLOW_NONE;
}

bool p2p_allow_cpu(enum platform_cpu_vendor vendor, u32 family)
{
	return vendor == PLATFORM_CPU_AMD && family >= 0x17;
}
