/* SPDX-License-Identifier: MIT */
/*
 * The network card's registers and descriptors, as its data sheet would show them. Everything has
 * its little end first.
 */
#ifndef EXAMPLES_NIC_HW_H
#define EXAMPLES_NIC_HW_H

#define NIC_VENDOR 0x1d0f
#define NIC_DEVICE 0x0e1c

#define NIC_CTRL       0x00 /* bit 0: on; switching off forgets everything */
#define NIC_IRQ_STATUS 0x04 /* writing ones clears */
#define NIC_IRQ_TX     0x1
#define NIC_IRQ_RX     0x2

/* Rings of NIC_RING descriptors: where they lie, and the index after the last valid one. */
#define NIC_RING    32
#define NIC_TX_BASE 0x10 /* 64 bits */
#define NIC_TX_TAIL 0x18
#define NIC_RX_BASE 0x20 /* 64 bits */
#define NIC_RX_TAIL 0x28

/* 16 bytes: address (64), length (32), flags (32) */
#define NIC_DESC_DONE 0x1u /* by the device */

#endif
