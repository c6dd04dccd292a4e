/* SPDX-License-Identifier: MIT */
/*
 * VT-d fault records in the words of Linux's driver, so that a log from a server can be compared.
 */
#ifndef CHECK_DMAR_H
#define CHECK_DMAR_H

#include "hw/iommu.h"
#include "world/text.h"

/*
 * "DMAR: [DMA Read NO_PASID] Request device [3a:00.0] fault addr 0x... [fault reason 0x06] ...";
 * the reason of an interrupt request: "DMAR: [INTR-REMAP] Request device [..] fault index 0x..."
 */
void dmar_text(struct text *text, const struct hw_fault_record *record);

#endif
