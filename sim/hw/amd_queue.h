/* SPDX-License-Identifier: MIT */
/*
 * AMD's commands, as hardware reads them (facts "iova-and-page-tables" 3.3).
 */
#ifndef HW_AMD_QUEUE_H
#define HW_AMD_QUEUE_H

#include <dmasim/types.h>

/* What one command asks for. Members that its opcode does not have are 0. */
struct hw_amd_command {
	u8 opcode; /* AMD_CMD_ */

	/* COMPLETION_WAIT */
	bool store;
	bool interrupt;
	bool flush; /* commands behind it are fetched after it */
	phys_addr_t store_at;
	u64 value;

	/* INVALIDATE_DEVTAB_ENTRY, _INTERRUPT_TABLE, _IOTLB_PAGES */
	u16 device;
	u16 queue; /* _IOTLB_PAGES */
	u8 depth;

	/* INVALIDATE_IOMMU_PAGES, _IOTLB_PAGES */
	u16 domain;
	u32 pasid;
	bool guest;
	bool tables; /* PDE: cached table entries, too */
	u64 start;   /* the window, [start, last] */
	u64 last;
};

/*
 * Decodes two words, host byte order. False: an illegal command, which is the event
 * ILLEGAL_COMMAND_ERROR: an opcode that this unit does not know, or a reserved bit that is set.
 * PREFETCH_IOMMU_PAGES and COMPLETE_PPR_REQUEST are not known: the unit offers neither.
 */
bool hw_amd_decode(const u64 word[2], struct hw_amd_command *command);

#endif
