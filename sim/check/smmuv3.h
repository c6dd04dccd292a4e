/* SPDX-License-Identifier: MIT */
/*
 * SMMUv3 event records in words of ours: the facts do not have the driver's.
 */
#ifndef CHECK_SMMUV3_H
#define CHECK_SMMUV3_H

#include "world/text.h"

/*
 * "SMMUv3: F_TRANSLATION device=0000:3a:00.0 address=0x12345000 write class=input" for a record of
 * a unit of the segment; "SMMUv3: event 0x7f ..." for a number that is not assigned.
 */
void smmuv3_text(struct text *text, u16 segment, const u64 word[4]);

#endif
