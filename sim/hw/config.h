/* SPDX-License-Identifier: MIT */
/*
 * What only the files that build functions need of the configuration registers.
 */
#ifndef HW_CONFIG_H
#define HW_CONFIG_H

#include "hw/pci.h"

/* Sets what the function decodes from its registers. */
void hw_config_decode(struct hw_function *function);

/* What a BAR is, by its register; bytes is a power of two, or 0. */
void hw_config_describe_bar(struct hw_bar *bar, u64 bytes, u32 low);

/* The writable bits of the BAR register of this index. */
u32 hw_config_bar_mask(const struct hw_bar *bars, u32 index);

/* Offset of a capability, or of an extended one; 0: not there, or not known. */
u16 hw_config_find_capability(const struct hw_function *function, u8 id);
u16 hw_config_find_extended(const struct hw_function *function, u16 id);

/* Registers that are not a function's yet. */
struct hw_registers {
	const u8 *config;
	u32 bytes; /* that are known; the rest reads as zeros */
};
u16 hw_registers_find_capability(struct hw_registers registers, u8 id);
u16 hw_registers_find_extended(struct hw_registers registers, u16 id);

/* A bridge's windows, whether it decodes them or not. */
struct hw_span hw_registers_window(struct hw_registers registers);
struct hw_span hw_registers_prefetch_window(struct hw_registers registers);

#endif
