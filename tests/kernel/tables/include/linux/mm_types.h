/* SPDX-License-Identifier: MIT */
/*
 * A table has a page of its own, and behind it a place for what a kernel knows of that page: they
 * are allocated together.
 */
#ifndef KERNEL_LINUX_MM_TYPES_H
#define KERNEL_LINUX_MM_TYPES_H

#include <linux/types.h>

struct folio;

#define STANDIN_TABLE 4096UL

static inline struct folio *virt_to_folio(void *virt)
{
	return (struct folio *)(((uintptr_t)virt & ~(STANDIN_TABLE - 1)) + STANDIN_TABLE);
}

#endif
