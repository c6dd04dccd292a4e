/* SPDX-License-Identifier: MIT */
/*
 * What the RISC-V IOMMU's commands ask for (facts "iova-and-page-tables" 3.5).
 */
#ifndef HW_RISCV_QUEUE_H
#define HW_RISCV_QUEUE_H

#include "hw/queue.h"

/* As struct hw_arch has it. */
bool hw_riscv_decode(const struct hw_iommu *iommu, const u64 word[2], struct hw_command *command);

#endif
