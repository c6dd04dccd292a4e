/* SPDX-License-Identifier: MIT */
/* Nothing is encrypted here. */
#ifndef KERNEL_LINUX_MEM_ENCRYPT_H
#define KERNEL_LINUX_MEM_ENCRYPT_H

#define __sme_set(phys) (phys)
#define __sme_clr(phys) (phys)

#endif
