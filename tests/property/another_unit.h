/* SPDX-License-Identifier: MIT */
/*
 * Random machines with VT-d of which some have another unit instead.
 */
#ifndef PROPERTY_ANOTHER_UNIT_H
#define PROPERTY_ANOTHER_UNIT_H

#include <dmasim/machine.h>

#include "property/dice.h"

/*
 * A RISC-V IOMMU in so many percent, of the rest an SMMUv3 in 40, with what it may lack; else the
 * configuration stays. Neither has snoop control, nor remembers what is absent. Chance is the
 * seed's, but apart from the configuration's other choices.
 */
static inline void maybe_another_unit(struct dmasim_config *config, u64 seed, u32 riscv_percent)
{
	struct dice dice = dice_of(seed, ~8ULL);

	if (dice_chance(&dice, riscv_percent)) {
		config->iommu = DMASIM_RISCV;
		config->riscv_without = (u32)dice_below(&dice, DMASIM_RISCV_EVERYTHING + 1);
	} else if (dice_chance(&dice, 40)) {
		config->iommu = DMASIM_SMMUV3;
		config->iommu_levels = (u8)dice_from(&dice, 3, 4);
		config->smmu_no_range = dice_chance(&dice, 50);
	} else {
		return;
	}
	config->iommu_snoop = config->iommu_caching_mode = false;
}

#endif
