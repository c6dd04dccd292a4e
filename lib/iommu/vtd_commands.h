/* SPDX-License-Identifier: MIT */
/*
 * The words of VT-d's invalidation commands, little-endian, for every granularity (facts
 * "iova-and-page-tables" 3.2). A page-group response is not among them: the facts do not give its
 * fields.
 */
#ifndef IOMMU_VTD_COMMANDS_H
#define IOMMU_VTD_COMMANDS_H

#include "iommu/arch.h"

#define VTD_INTERRUPTS_MAX_LG2 16

/* ---- Contexts, types 1 and 7 ------------------------------------------ */

/* The context entries of all requesters, or of those that named a domain. */
struct iommu_command vtd_all_contexts(void);
struct iommu_command vtd_domain_contexts(u32 domain);
/*
 * That of a requester that named the domain. functions_lg2, 0 to 3: also of those that differ from
 * it in the upper bits of the function number, so many of them.
 */
struct iommu_command vtd_device_context(u16 requester, u32 domain, u8 functions_lg2);

/* The entries of all PASIDs, of those that named a domain, of one of these. */
struct iommu_command vtd_all_pasids(void);
struct iommu_command vtd_domain_pasids(u32 domain);
struct iommu_command vtd_pasid(u32 domain, u32 pasid);

/* ---- Translations, types 2 and 6 -------------------------------------- */

/* All; a domain's; those of a range, or of the domain where the unit cannot take the range. */
struct iommu_command vtd_all_translations(const struct iommu_unit *unit);
struct iommu_command vtd_domain_translations(const struct iommu_unit *unit, u32 domain);
struct iommu_command vtd_range_translations(const struct iommu_unit *unit,
					    const struct iommu_range *range);

/* What a PASID's first stage gave: all of it, or of a range. */
struct iommu_command vtd_pasid_translations(u32 domain, u32 pasid);
struct iommu_command vtd_pasid_range_translations(const struct iommu_range *range, u32 pasid);

/* ---- Device TLBs, types 3 and 8 --------------------------------------- */

#define VTD_EVERY_PASID (~0U)

struct iommu_command vtd_device_translations(const struct iommu_unit *unit,
					     const struct iommu_device_range *range);
/* Of requests with this PASID, or with any. */
struct iommu_command vtd_pasid_device_translations(const struct iommu_unit *unit,
						   const struct iommu_device_range *range,
						   u32 pasid);

/* ---- Interrupts and waits, types 4 and 5 ------------------------------ */

struct iommu_command vtd_all_interrupts(void);
/* 2 to the power of count_lg2 entries from one on: count_lg2 is at most VTD_INTERRUPTS_MAX_LG2. */
struct iommu_command vtd_interrupts(u16 first, u8 count_lg2);

/* Stores 4 bytes when all before it is complete; page requests under way, too, if it drains. */
struct iommu_command vtd_wait_for_all(phys_addr_t phys, u32 value, bool drain_page_requests);

#endif
