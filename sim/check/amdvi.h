/* SPDX-License-Identifier: MIT */
/*
 * AMD-Vi event records in the words of Linux's driver.
 */
#ifndef CHECK_AMDVI_H
#define CHECK_AMDVI_H

#include "world/text.h"

/*
 * "AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:3a:00.0 domain=0x... address=0x... flags=0x...]"
 * for a record of an IOMMU of the segment.
 */
void amdvi_text(struct text *text, u16 segment, const u64 word[2]);

#endif
