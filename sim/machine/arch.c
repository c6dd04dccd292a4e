/* SPDX-License-Identifier: MIT */
#include "machine/arch.h"

#include <string.h>

#include <dmasim/hw/vtd.h>

#define MSI_BYTES (VTD_MSI_LAST - VTD_MSI_START + 1)

static const struct machine_arch archs[] = {
	[DMASIM_VTD] = {
		.name = "vtd",
		.hw = &hw_vtd,
		.os = PLATFORM_IOMMU_VTD,
		.levels = 4,
		.levels_min = 3,
		.levels_max = 5,
		.levels_rule = "VT-d tables have 3, 4 or 5 levels",
		.scalable = true,
		.msi_start = VTD_MSI_START,
		.msi_bytes = MSI_BYTES,
	},
	[DMASIM_NO_IOMMU] = {
		.name = "none",
		.levels = 4,
		.levels_min = 3,
		.levels_max = 6,
		.levels_rule = "without an IOMMU there are no levels",
		.msi_start = VTD_MSI_START,
		.msi_bytes = MSI_BYTES,
	},
	[DMASIM_AMD_VI] = {
		.name = "amd-vi",
		.hw = &hw_amd,
		.os = PLATFORM_IOMMU_AMD,
		.levels = 4,
		.levels_min = 4,
		.levels_max = 6,
		.levels_rule = "AMD's tables grow to 4, 5 or 6 levels",
		.cpu = DMASIM_CPU_AMD,
		.snoop_control = true,
		.msi_start = VTD_MSI_START,
		.msi_bytes = MSI_BYTES,
	},
	[DMASIM_RISCV] = {
		.name = "riscv",
		.hw = &hw_riscv,
		.os = PLATFORM_IOMMU_RISCV,
		.levels = 4,
		.levels_min = 3,
		.levels_max = 5,
		.levels_rule = "RISC-V tables have 3, 4 or 5 levels",
		.cpu = DMASIM_CPU_OTHER,
		.no_caching_mode = true,
		.no_snoop_control = true,
	},
	/* The window of its software's doorbells is no matter of DMA (facts "dma-api" 20). */
	[DMASIM_SMMUV3] = {
		.name = "smmuv3",
		.hw = &hw_smmuv3,
		.os = PLATFORM_IOMMU_SMMUV3,
		.levels = 4,
		.levels_min = 3,
		.levels_max = 4,
		.levels_rule = "SMMUv3 tables have 3 or 4 levels",
		.cpu = DMASIM_CPU_OTHER,
		.address_bits = 48,
		.no_caching_mode = true,
		.no_snoop_control = true,
	},
};

#define ARCHS (sizeof(archs) / sizeof(archs[0]))

const struct machine_arch *machine_arch(enum dmasim_iommu iommu)
{
	return iommu < ARCHS ? &archs[iommu] : NULL;
}

const struct machine_arch *machine_arch_named(const char *name, size_t length)
{
	for (size_t i = 0; i < ARCHS; i++) {
		if (strlen(archs[i].name) == length && !memcmp(archs[i].name, name, length))
			return &archs[i];
	}
	return NULL;
}
