/* SPDX-License-Identifier: MIT */
/*
 * The kernel around Linux's own page tables that are compiled here: their tables lie in the
 * process. Where one has the physical address of another, that is a host pointer.
 */
#ifndef KERNEL_TABLES_KERNEL_H
#define KERNEL_TABLES_KERNEL_H

/* WARN_ON() that were true in this thread. */
unsigned long tables_kernel_warnings(void);

#endif
