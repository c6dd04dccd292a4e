/* SPDX-License-Identifier: MIT */
/*
 * What the network driver offers to those above it.
 */
#ifndef EXAMPLES_NIC_DRIVER_H
#define EXAMPLES_NIC_DRIVER_H

#include <linux/pci.h>

#define NIC_FRAME_MAX 1536

/* Sends a copy. 0, -EMSGSIZE, -ENOMEM (also: it cannot be mapped), -EBUSY (the ring is full). */
int nic_send(struct pci_dev *pdev, const void *frame, unsigned int len);

/* Takes the oldest frame that came in; its length, or -EAGAIN, or -EMSGSIZE (it stays). */
int nic_receive(struct pci_dev *pdev, void *frame, unsigned int room);

#endif
