/* SPDX-License-Identifier: MIT */
/*
 * What the architectures' fault codes mean: one table each, for who prints fault lines and for who
 * reads them.
 */
#ifndef CHECK_FAULT_REASONS_H
#define CHECK_FAULT_REASONS_H

#include <dmasim/fault-log.h>

struct fault_reason {
	u16 code;
	const char *text; /* what the driver's line says */
	const char *sentence;
};

/* NULL: the code is not assigned. */
const struct fault_reason *vtd_fault_reason(u16 code);

/* Raised by interrupt requests; their records have an index, no address. */
bool vtd_fault_of_interrupt(u16 code);

/* The same of a RISC-V IOMMU's cause. */
const struct fault_reason *riscv_fault_reason(u16 code);

/* What an event's line tells besides its name. */
#define AMD_HAS_DEVICE	(1U << 0)
#define AMD_HAS_DOMAIN	(1U << 1)
#define AMD_HAS_PASID	(1U << 2)
#define AMD_HAS_ADDRESS (1U << 3)
#define AMD_HAS_FLAGS	(1U << 4)
#define AMD_HAS_GPA	(1U << 5) /* the address, as gpa= */

struct amd_event {
	struct fault_reason reason; /* text: its name */
	u32 has;		    /* AMD_HAS_; old kernels print the domain for a PASID */
};

/* Of an SMMUv3: text is the event's name. NULL: the number is not assigned. */
const struct fault_reason *smmuv3_event(u16 code);

/* NULL: the code is not assigned, or there is no such name of that length. */
const struct amd_event *amd_event(u16 code);
const struct amd_event *amd_event_named(const char *name, size_t length);

#endif
