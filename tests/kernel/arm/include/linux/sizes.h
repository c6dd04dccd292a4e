/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_SIZES_H
#define KERNEL_LINUX_SIZES_H

#define SZ_4K	0x1000
#define SZ_16K	0x4000
#define SZ_64K	0x10000
#define SZ_2M	0x200000
#define SZ_32M	0x2000000
#define SZ_512M 0x20000000
#define SZ_1G	0x40000000
#define SZ_4T	0x40000000000ULL

#endif
