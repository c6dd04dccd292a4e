/* SPDX-License-Identifier: MIT */
/*
 * Intel VT-d: the parts that hw_vtd is made of.
 */
#ifndef HW_VTD_H
#define HW_VTD_H

#include "hw/arch.h"

/* A request of a unit in scalable mode, or with a prefix (vtd_scalable.c). */
struct hw_translation hw_vtd_translate(struct hw_iommu *iommu, const struct hw_ask *ask,
				       bool probe);

/* Why the entry of a PASID refuses every such request (vtd_scalable.c). */
struct hw_refusal hw_vtd_pasid_refusal(const struct hw_iommu *iommu, const struct hw_context *entry,
				       bool write);

/*
 * The reason that scalable mode has for what ended a walk of a second stage (vtd_scalable.c). top:
 * the walk began at the top table.
 */
u8 hw_vtd_second_stage_fault(const struct hw_walk *walk, bool top);

/* Decodes an invalidation descriptor (vtd_queue.c). False: it is malformed. */
bool hw_vtd_decode(const struct hw_iommu *iommu, const u64 word[2], struct hw_command *command);

/* Those of scalable mode (vtd_queue_pasid.c). */
bool hw_vtd_decode_pasid(const struct hw_iommu *iommu, const u64 word[2],
			 struct hw_command *command);

/*
 * What a device-TLB command covers beside its first byte. Without a size one page; with it the
 * lowest 0 of the address from bit 12 on says how much: bit 12 is 8 KiB.
 */
u64 hw_vtd_device_tlb_within(u64 address, bool sized);

#endif
