/* SPDX-License-Identifier: MIT */
/*
 * A fault record in the words of the driver that the unit's architecture has in Linux.
 */
#ifndef CHECK_FAULT_TEXT_H
#define CHECK_FAULT_TEXT_H

#include "hw/iommu.h"
#include "world/text.h"

/* "DMAR: [DMA Read NO_PASID] ..." or "AMD-Vi: Event logged [...]"; no newline. */
void fault_text(struct text *text, const struct hw_iommu *iommu,
		const struct hw_fault_record *record);

/* What a record says, whatever the architecture. */
struct fault_said {
	u16 requester; /* 0 in events about commands */
	u64 address;
	bool write;
	u16 reason;
};
struct fault_said fault_said(const struct hw_iommu *iommu, const struct hw_fault_record *record);

#endif
