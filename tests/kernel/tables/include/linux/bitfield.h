/* SPDX-License-Identifier: MIT */
/* A field is named by its mask. */
#ifndef KERNEL_LINUX_BITFIELD_H
#define KERNEL_LINUX_BITFIELD_H

#define __bf_shf(mask)	      __builtin_ctzll(mask)
#define FIELD_MAX(mask)	      ((__typeof__(mask))((mask) >> __bf_shf(mask)))
#define FIELD_GET(mask, word) ((__typeof__(mask))(((word) & (mask)) >> __bf_shf(mask)))
#define FIELD_PREP(mask, value) \
	((__typeof__(mask))(((__typeof__(mask))(value) << __bf_shf(mask)) & (mask)))

#endif
