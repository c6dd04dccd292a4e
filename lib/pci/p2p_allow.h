/* SPDX-License-Identifier: MIT */
/*
 * The list of host bridges that are known to forward requests from one of their ports to another
 * (facts "dma-api" 8.6). A host bridge has no registers that tell: it is known by the function that
 * stands for it, the first one on its root bus.
 */
#ifndef PCI_P2P_ALLOW_H
#define PCI_P2P_ALLOW_H

#include <dmasim/platform.h>

/* In order: each allows what those before it allow. */
enum p2p_allow {
	P2P_ALLOW_NONE,
	P2P_ALLOW_SAME_BRIDGE, /* between its own ports */
	P2P_ALLOW_ANY,	       /* also to and from other host bridges that allow it */
};

/* Of the function that stands for the host bridge. The first entry that fits decides. */
enum p2p_allow p2p_allow(u16 vendor, u16 device);

/* Host bridges of these CPUs forward everything, whatever stands for them. */
bool p2p_allow_cpu(enum platform_cpu_vendor vendor, u32 family);

#endif
