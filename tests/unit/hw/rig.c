/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <stdlib.h>

static struct rig *rig_create(void **state, u64 ram_bytes, phys_addr_t root)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	if (!rig || bench_setup(state)) {
		free(rig);
		return NULL;
	}
	rig->bench = *state;
	*state = rig;
	ram_add_range(&rig->bench->hw.ram, 0, ram_bytes);
	rig->tables = (struct tables){ &rig->bench->hw.ram, 4, root, root + 0x1000 };
	return rig;
}

int rig_setup_walker(void **state, const struct hw_walker *walker, phys_addr_t root)
{
	struct rig *rig = rig_create(state, RIG_WALKER_RAM, root);

	if (!rig)
		return -1;
	rig->walker = *walker;
	rig->walker.ram = &rig->bench->hw.ram;
	return 0;
}

int rig_setup_range(void **state, const struct hw_walker *walker, phys_addr_t root, u32 found_max)
{
	struct rig *rig;

	if (rig_setup_walker(state, walker, root))
		return -1;
	rig = *state;
	rig->found = calloc(1, sizeof(*rig->found));
	if (!rig->found)
		return -1;
	rig->found->max = found_max;
	return 0;
}

int rig_setup_unit(void **state, const struct hw_iommu_desc *desc, phys_addr_t root)
{
	struct rig *rig = rig_create(state, SZ_1G, root);

	if (!rig)
		return -1;
	rig->iommu = hw_iommu_add(&rig->bench->hw, desc);
	return rig->iommu ? 0 : -1;
}

int rig_teardown(void **state)
{
	struct rig *rig = *state;
	void *bench = rig->bench;

	free(rig->found);
	free(rig);
	return bench_teardown(&bench);
}

void rig_start_over(struct rig *rig, u8 levels)
{
	rig->tables.levels = levels;
	rig->tables.root = rig->tables.next;
	rig->tables.next += 0x1000;
}

void rig_set(struct rig *rig, struct hw_context context)
{
	rig->context = context;
	expect_ok(hw_context_set(rig->iommu, RIG_DEV, context));
}

struct hw_context rig_to_tables(const struct rig *rig)
{
	return (struct hw_context){ .type = HW_CONTEXT_TRANSLATE,
				    .levels = rig->tables.levels,
				    .domain = RIG_DOMAIN,
				    .root = rig->tables.root };
}

void rig_build(struct rig *rig, u8 levels, u64 (*pointer)(phys_addr_t table))
{
	struct tables *tables = &rig->tables;

	if (!rig->lowest)
		rig->lowest = tables->root;
	tables->levels = levels;
	tables->root = rig->lowest;
	for (u8 level = 1; level < levels; level++) {
		put_entry(tables->ram, tables->root + 0x1000, 0, pointer(tables->root));
		tables->root += 0x1000;
	}
	rig_set(rig, rig_to_tables(rig));
}

void rig_put(struct rig *rig, u64 iova, u64 entry)
{
	put_entry(rig->tables.ram, rig->lowest, iova >> 12, entry);
}

struct hw_translation rig_translate(struct rig *rig, u64 iova, bool write)
{
	return hw_translate(rig->iommu, RIG_DEV, iova, write);
}

void rig_forget(struct rig *rig)
{
	context_cache_invalidate(&rig->iommu->context_cache, true, 0, 0, HW_TAG_ANY);
	iotlb_invalidate_all(&rig->iommu->iotlb);
	walk_cache_invalidate_all(&rig->iommu->walk_cache);
}
