/* SPDX-License-Identifier: MIT */
/* Sizes. */
#if __has_include_next(<linux/sizes.h>)
#include_next <linux/sizes.h>
#endif
#ifndef DMASIM_KERNEL_SIZES_H
#define DMASIM_KERNEL_SIZES_H

#include <dmasim/types.h>

#define SZ_1   0x00000001
#define SZ_2   0x00000002
#define SZ_4   0x00000004
#define SZ_8   0x00000008
#define SZ_16  0x00000010
#define SZ_32  0x00000020
#define SZ_64  0x00000040
#define SZ_128 0x00000080
#define SZ_256 0x00000100
#define SZ_512 0x00000200

#define SZ_2K	0x00000800
#define SZ_8K	0x00002000
#define SZ_32K	0x00008000
#define SZ_128K 0x00020000
#define SZ_256K 0x00040000
#define SZ_512K 0x00080000

#define SZ_4M	0x00400000
#define SZ_8M	0x00800000
#define SZ_32M	0x02000000
#define SZ_128M 0x08000000
#define SZ_512M 0x20000000
#define SZ_2G	0x80000000U

#endif
