/* SPDX-License-Identifier: MIT */
/* Tables lie in the process. */
#ifndef KERNEL_ASM_PAGE_H
#define KERNEL_ASM_PAGE_H

#define __pa(pointer)	      ((phys_addr_t)(uintptr_t)(pointer))
#define __va(phys)	      ((void *)(uintptr_t)(phys))
#define virt_to_phys(pointer) __pa(pointer)
#define phys_to_virt(phys)    __va(phys)

#endif
