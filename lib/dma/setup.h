/* SPDX-License-Identifier: MIT */
#ifndef DMA_SETUP_H
#define DMA_SETUP_H

#include "dma/dma.h"

/* Reads what firmware says of a device. */
void dma_setup_device(struct pci_dev *pdev);

/*
 * Sets all devices up for their first mappings, and makes the pools of those that may use no other
 * memory. 0 or -ENOMEM.
 */
int dma_start(struct os *os);

/* The same for one device that comes later. */
int dma_start_device(struct pci_dev *pdev);

/* Gives all pools back. */
void dma_stop(struct os *os);

#endif
