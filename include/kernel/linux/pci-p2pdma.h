/* SPDX-License-Identifier: MIT */
/* Peer-to-peer DMA. */
#ifndef DMASIM_KERNEL_PCI_P2PDMA_H
#define DMASIM_KERNEL_PCI_P2PDMA_H

#include <dmasim/p2pdma.h>

#include <linux/pci.h>

#endif
