/* SPDX-License-Identifier: MIT */
#include "hw/hw.h"

void hw_init(struct hw *hw, struct world *world)
{
	*hw = (struct hw){ .world = world };
	ram_init(&hw->ram, world, DMASIM_FAULT_RAM_CHUNK);
	hw_cache_init(&hw->cache, world);
	frames_init(&hw->frames, &hw->ram, &hw->cache);
	TAILQ_INIT(&hw->roots);
	TAILQ_INIT(&hw->iommus);
}

void hw_fini(struct hw *hw)
{
	while (!TAILQ_EMPTY(&hw->iommus))
		hw_iommu_remove(TAILQ_FIRST(&hw->iommus));
	while (!TAILQ_EMPTY(&hw->roots))
		hw_root_remove(hw, TAILQ_FIRST(&hw->roots));
	frames_fini(&hw->frames);
	hw_cache_fini(&hw->cache);
	ram_fini(&hw->ram);
}

u64 hw_ram_write(struct hw *hw, phys_addr_t phys, const void *from, u64 bytes)
{
	const struct hw_hooks *hooks = &hw->hooks;
	u64 done;

	if (DMASIM_UNLIKELY(hooks->changing))
		hooks->changing(hooks->cookie, phys, bytes);
	done = ram_write(&hw->ram, phys, from, bytes);
	if (DMASIM_UNLIKELY(hooks->changed))
		hooks->changed(hooks->cookie, phys, done);
	return done;
}
