/* SPDX-License-Identifier: MIT */
/* A RISC-V IOMMU's fault record in words, which are ours: the facts do not have Linux's. */
#ifndef CHECK_RISCV_TEXT_H
#define CHECK_RISCV_TEXT_H

#include "hw/hw.h"
#include "world/text.h"

void riscv_fault_text(struct text *text, u16 segment, const u64 word[4]);

#endif
