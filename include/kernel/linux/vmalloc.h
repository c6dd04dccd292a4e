/* SPDX-License-Identifier: MIT */
/* Memory in one piece for the CPU alone (dmasim/kernel.h). */
#ifndef DMASIM_KERNEL_VMALLOC_H
#define DMASIM_KERNEL_VMALLOC_H

#include <dmasim/kernel.h>

#include <linux/types.h>

#endif
