/* SPDX-License-Identifier: MIT */
/* IOVA space: alloc_iova() and its kin. */
#ifndef DMASIM_KERNEL_IOVA_H
#define DMASIM_KERNEL_IOVA_H

#include <dmasim/kernel.h>

#include <linux/types.h>

#endif
