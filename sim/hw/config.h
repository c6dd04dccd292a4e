/* SPDX-License-Identifier: MIT */
/*
 * What only the files that build functions need of the configuration registers.
 */
#ifndef HW_CONFIG_H
#define HW_CONFIG_H

#include "hw/pci.h"

/* Sets what the function decodes from its registers. */
void hw_config_decode(struct hw_function *function);

/* Offset of a capability, or of an extended one; 0: not there, or not known. */
u16 hw_config_find_capability(const struct hw_function *function, u8 id);
u16 hw_config_find_extended(const struct hw_function *function, u16 id);

#endif
