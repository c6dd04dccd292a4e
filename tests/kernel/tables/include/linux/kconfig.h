/* SPDX-License-Identifier: MIT */
/* A kernel of several CPUs with all of these formats, without its own checks of them. */
#ifndef KERNEL_LINUX_KCONFIG_H
#define KERNEL_LINUX_KCONFIG_H

#include <linux/kernel.h>

#define CONFIG_IOMMU_PT		1
#define CONFIG_IOMMUFD_DRIVER	1
#define CONFIG_IOMMUFD_TEST	1
#define CONFIG_SMP		1
#define CONFIG_GENERIC_ATOMIC64 0
#define CONFIG_DEBUG_GENERIC_PT 0
#define CONFIG_AMD_MEM_ENCRYPT	0

#endif
