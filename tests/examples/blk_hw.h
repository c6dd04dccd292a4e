/* SPDX-License-Identifier: MIT */
/*
 * The disk's registers, its command, and the list of segments. Everything has its little end first.
 */
#ifndef EXAMPLES_BLK_HW_H
#define EXAMPLES_BLK_HW_H

#define BLK_VENDOR 0x1d0f
#define BLK_DEVICE 0xb10c

#define BLK_COMMAND    0x00 /* 64 bits: where the command lies */
#define BLK_DOORBELL   0x08 /* any write: carry it out */
#define BLK_IRQ_STATUS 0x0c /* bit 0: it is done; writing clears */
#define BLK_CAPACITY   0x10 /* 64 bits, bytes */

/* 32 bytes: position (64), segment list (64), segments (32), operation (32), status (32) */
#define BLK_COMMAND_BYTES 32
#define BLK_READ	  1
#define BLK_WRITE	  2
#define BLK_STATUS_AT	  24
#define BLK_DONE	  1
#define BLK_FAILED	  2

/* A segment is 16 bytes: address (64), length (32). */
#define BLK_SEGMENT_BYTES 16
#define BLK_SEGMENTS_MAX  256

#endif
