/* SPDX-License-Identifier: MIT */
/*
 * Intel VT-d: the parts that hw_vtd is made of.
 */
#ifndef HW_VTD_H
#define HW_VTD_H

#include "hw/arch.h"

/* Decodes an invalidation descriptor (vtd_queue.c). False: it is malformed. */
bool hw_vtd_decode(const struct hw_iommu *iommu, const u64 word[2], struct hw_command *command);

#endif
