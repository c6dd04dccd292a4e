/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_SIZES_H
#define KERNEL_LINUX_SIZES_H

#include <dmasim/types.h>

#define SZ_32M	0x02000000
#define SZ_512M 0x20000000
#define SZ_512G 0x8000000000ULL
#define SZ_4T	0x40000000000ULL

#endif
