/* SPDX-License-Identifier: MIT */
/*
 * Fault lines of kernel logs, decoded: what the IOMMU of a real machine said, as a record that can
 * be compared with one of the simulator's (dmasim_fault_take() in engine.h).
 *
 * VT-d's lines are known in the spellings of all kernels: in one line or with the reason in the
 * next; addresses with and without 0x; reasons in decimal, or in hexadecimal with 0x. So are
 * AMD-Vi's, which name the device themselves or have it before them. Whatever stands before a line
 * (time, host, marks of a quotation) is no matter. SMMU lines are recognised, not decoded.
 *
 * Source: facts "iova-and-page-tables" section 2.6 for reasons, events and records; for spellings,
 * the logs of real machines in data/faults.
 */
#ifndef DMASIM_FAULT_LOG_H
#define DMASIM_FAULT_LOG_H

#include <dmasim/types.h>

/* What a line turned out to be. */
enum dmasim_log_line {
	DMASIM_LOG_OTHER,   /* no fault line */
	DMASIM_LOG_FAULT,   /* decoded */
	DMASIM_LOG_CUT,	    /* begins as one, ends too early: the next line may have the rest */
	DMASIM_LOG_GARBLED, /* looks like one, and is not whole */
	DMASIM_LOG_SMMU,    /* an SMMU's: not known yet */
};

enum dmasim_fault_kind {
	DMASIM_LOG_VTD_DMA = 1,	  /* VT-d blocked a read or write */
	DMASIM_LOG_VTD_INTERRUPT, /* VT-d blocked an interrupt */
	DMASIM_LOG_VTD_STATUS,	  /* VT-d's fault status register, which comes before the others */
	DMASIM_LOG_AMD_EVENT,
	DMASIM_LOG_RISCV,  /* of records alone: no line is decoded as one */
	DMASIM_LOG_SMMUV3, /* likewise */
};

struct dmasim_fault_line {
	enum dmasim_fault_kind kind;
	bool has_segment;   /* VT-d's lines do not tell it */
	bool has_requester; /* events about commands have none */
	bool has_pasid;
	bool has_domain;
	bool write;	   /* DMASIM_LOG_VTD_DMA; an AMD event has it in its flags */
	u16 reason;	   /* the architecture's fault reason, or event code; see <dmasim/hw/> */
	u16 segment;	   /* 0 if it is not known */
	u16 requester;	   /* bus 15:8, device 7:3, function 2:0 */
	u16 domain;	   /* AMD */
	u32 pasid;	   /* 20 bits */
	u32 flags;	   /* an AMD event's, 12 bits; VT-d's status register */
	u64 address;	   /* as it is printed; DMASIM_LOG_VTD_INTERRUPT: the index of the entry */
	u64 word[4];	   /* the record as the hardware holds it: 128 bits, or 256 */
	const char *wrong; /* DMASIM_LOG_CUT, DMASIM_LOG_GARBLED: what was expected; else NULL */
};

DMASIM_BEGIN_DECLS

/*
 * Decodes one line, without its newline or with it. *out is zeros but for what the line says; of
 * lines that are not decoded, for kind (what the line looks like, if that is known) and wrong.
 * Nothing is kept, and wrong needs no freeing.
 */
DMASIM_API enum dmasim_log_line dmasim_fault_decode(const char *line,
						    struct dmasim_fault_line *out);

/*
 * The text in the real driver's words for a reason (VT-d), the name of an event (AMD, SMMUv3), or
 * the cause in ours (RISC-V). NULL: the code is not assigned, or the kind has no reasons. Of VT-d's
 * scalable mode and of interrupts the number is the driver's and the words are ours.
 */
DMASIM_API const char *dmasim_fault_reason(enum dmasim_fault_kind kind, u16 reason);

/* What that means, in one sentence; NULL likewise. */
DMASIM_API const char *dmasim_fault_sentence(enum dmasim_fault_kind kind, u16 reason);

/*
 * The flags of an event or the bits of VT-d's status register by name and in words, "PR: the entry
 * was present; RW: a write", into buf, always terminated; "none" if none is set. Bits without a
 * name are shown as a number. 256 bytes are enough for any. len is at least 1.
 */
DMASIM_API void dmasim_fault_flags(const struct dmasim_fault_line *line, char *buf, size_t len);

DMASIM_END_DECLS

#endif
