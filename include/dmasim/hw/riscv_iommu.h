/* SPDX-License-Identifier: MIT */
/*
 * RISC-V IOMMU: bit positions of its commands and fault records only.
 *
 * Source: facts "iova-and-page-tables" 2.6 (records) and 3.5 (commands). Marked [M]: known from no
 * more than memory of the specification. Commands and records are little-endian in memory.
 */
#ifndef DMASIM_HW_RISCV_IOMMU_H
#define DMASIM_HW_RISCV_IOMMU_H

/* ---- Commands, two 64-bit words -------------------------------------------------------- */

#define RISCV_CMD_OPCODE_MASK	 0x7fULL
#define RISCV_CMD_FUNCTION_SHIFT 7 /* 9:7 */
#define RISCV_CMD_FUNCTION_MASK	 0x7ULL

#define RISCV_CMD_IOTINVAL 1
#define RISCV_CMD_IOFENCE  2
#define RISCV_CMD_IODIR	   3
#define RISCV_CMD_ATS	   4

/* IOTINVAL, word 0. */
#define RISCV_IOTINVAL_VMA	   0		/* functions: translations of a first stage, */
#define RISCV_IOTINVAL_GVMA	   1		/* of a second */
#define RISCV_IOTINVAL_AV	   (1ULL << 10) /* of one address, or window */
#define RISCV_IOTINVAL_PSCID_SHIFT 12		/* 31:12 */
#define RISCV_IOTINVAL_PSCID_MASK  0xfffffULL
#define RISCV_IOTINVAL_PSCV	   (1ULL << 32) /* of one address space */
#define RISCV_IOTINVAL_GV	   (1ULL << 33) /* of a virtual machine */
#define RISCV_IOTINVAL_NL	   (1ULL << 34) /* with AV: what is not a leaf, too */
#define RISCV_IOTINVAL_GSCID_SHIFT 44		/* 59:44 */
#define RISCV_IOTINVAL_RESERVED_0  0xf0000ff800000800ULL
/* Word 1. */
#define RISCV_IOTINVAL_S	   (1ULL << 9) /* the address codes a window */
#define RISCV_IOTINVAL_ADDR_SHIFT  10	       /* 61:10 are the number of a page of 4 KiB */
#define RISCV_IOTINVAL_ADDR_MASK   0xfffffffffffffULL
#define RISCV_IOTINVAL_RESERVED_1  0xc0000000000001ffULL
/* With S: ones below the first zero bit X are a window of 2^(X+1) pages. */
#define RISCV_IOTINVAL_ALL	   0x7ffffffffffffULL /* the page number of everything */

/* IOFENCE, word 0; word 1 is the address, shifted. */
#define RISCV_IOFENCE_C		 0	      /* function */
#define RISCV_IOFENCE_AV	 (1ULL << 10) /* it stores the data, 4 bytes */
#define RISCV_IOFENCE_WSI	 (1ULL << 11) /* it interrupts */
#define RISCV_IOFENCE_PR	 (1ULL << 12) /* reads before it are over */
#define RISCV_IOFENCE_PW	 (1ULL << 13) /* writes are */
#define RISCV_IOFENCE_RESERVED_0 0x00000000ffffc000ULL
#define RISCV_IOFENCE_DATA_SHIFT 32 /* 63:32 */
#define RISCV_IOFENCE_ADDR_SHIFT 2  /* of word 1, to the left */
#define RISCV_IOFENCE_ADDR_MASK	 0x3fffffffffffffffULL

/* IODIR, word 0; word 1 is reserved. */
#define RISCV_IODIR_DDT	       0  /* functions: entries of devices, */
#define RISCV_IODIR_PDT	       1  /* of processes */
#define RISCV_IODIR_PID_SHIFT  12 /* 31:12, of PDT alone */
#define RISCV_IODIR_PID_MASK   0xfffffULL
#define RISCV_IODIR_DV	       (1ULL << 33) /* of one device */
#define RISCV_IODIR_DID_SHIFT  40	    /* 63:40 */
#define RISCV_IODIR_DID_MASK   0xffffffULL
#define RISCV_IODIR_RESERVED_0 0x000000fd00000c00ULL

/* ATS, word 0. */
#define RISCV_ATS_INVAL	     0	/* functions: an invalidation, */
#define RISCV_ATS_PRGR	     1	/* an answer to requests for pages */
#define RISCV_ATS_PID_SHIFT  12 /* 31:12 */
#define RISCV_ATS_PID_MASK   0xfffffULL
#define RISCV_ATS_PV	     (1ULL << 32) /* of a process */
#define RISCV_ATS_DSV	     (1ULL << 33) /* the segment is said */
#define RISCV_ATS_RID_SHIFT  40		  /* 55:40 */
#define RISCV_ATS_RID_MASK   0xffffULL
#define RISCV_ATS_DSEG_SHIFT 56 /* 63:56 */
#define RISCV_ATS_DSEG_MASK  0xffULL
#define RISCV_ATS_RESERVED_0 0x000000fc00000c00ULL
/* Word 1 of INVAL: the body of the message. */
#define RISCV_ATS_GLOBAL     (1ULL << 0) /* of all processes */
#define RISCV_ATS_S	     (1ULL << 11)
#define RISCV_ATS_ADDR_MASK  0xfffffffffffff000ULL
#define RISCV_ATS_RESERVED_1 0x7feULL
/* With S: ones from bit 12 on, below the first zero, double the window each. */
#define RISCV_ATS_ALL	     0x7ffffffffffff000ULL

/* ---- Faults ---------------------------------------------------------------------------- */

/* Record, four 64-bit words: this, a reserved one, iotval, iotval2. */
#define RISCV_RECORD_CAUSE_MASK 0xfffULL
#define RISCV_RECORD_PID_SHIFT	12 /* 31:12 */
#define RISCV_RECORD_PID_MASK	0xfffffULL
#define RISCV_RECORD_PV		(1ULL << 32) /* the request had a PID */
#define RISCV_RECORD_PRIV	(1ULL << 33)
#define RISCV_RECORD_TTYP_SHIFT 34 /* 39:34, type of the transaction: */
#define RISCV_RECORD_TTYP_MASK	0x3fULL
#define RISCV_RECORD_DID_SHIFT	40 /* 63:40 */
#define RISCV_RECORD_DID_MASK	0xffffffULL

#define RISCV_TTYP_NONE		 0 /* no request caused it */
#define RISCV_TTYP_EXECUTE	 1 /* untranslated: to execute, */
#define RISCV_TTYP_READ		 2
#define RISCV_TTYP_WRITE	 3
#define RISCV_TTYP_TRANS_EXECUTE 5 /* translated */
#define RISCV_TTYP_TRANS_READ	 6
#define RISCV_TTYP_TRANS_WRITE	 7
#define RISCV_TTYP_ATS		 8 /* a request for a translation */
#define RISCV_TTYP_MESSAGE	 9

/* Causes beside those of walks (riscv.h). */
#define RISCV_CAUSE_ALL_DISALLOWED    256
#define RISCV_CAUSE_DDT_LOAD	      257
#define RISCV_CAUSE_DDT_INVALID	      258
#define RISCV_CAUSE_DDT_MISCONFIGURED 259
#define RISCV_CAUSE_TYPE_DISALLOWED   260
#define RISCV_CAUSE_MSI_LOAD	      261
#define RISCV_CAUSE_MSI_INVALID	      262
#define RISCV_CAUSE_MSI_MISCONFIGURED 263
#define RISCV_CAUSE_MRIF_ACCESS	      264
#define RISCV_CAUSE_PDT_LOAD	      265
#define RISCV_CAUSE_PDT_INVALID	      266
#define RISCV_CAUSE_PDT_MISCONFIGURED 267
#define RISCV_CAUSE_DDT_CORRUPT	      268
#define RISCV_CAUSE_PDT_CORRUPT	      269
#define RISCV_CAUSE_MSI_PT_CORRUPT    270
#define RISCV_CAUSE_MRIF_CORRUPT      271
#define RISCV_CAUSE_INTERNAL	      272
#define RISCV_CAUSE_MSI_WRITE	      273
#define RISCV_CAUSE_PT_CORRUPT	      274

#endif
