/* SPDX-License-Identifier: MIT */
#include "pasids.h"

#include <stdlib.h>
#include <string.h>

struct hw_context pasids_second(u16 domain, phys_addr_t root)
{
	return (struct hw_context){
		.type = HW_CONTEXT_TRANSLATE, .levels = 4, .domain = domain, .root = root
	};
}

struct hw_context pasids_first(u16 domain, phys_addr_t root)
{
	return (struct hw_context){
		.type = HW_CONTEXT_FIRST_STAGE, .levels = 4, .domain = domain, .root = root
	};
}

void pasids_set(struct pasids *pasids, u32 pasid, struct hw_context entry)
{
	expect_ok(hw_pasid_set(pasids->iommu, PASIDS_DEV, pasid, entry));
}

void pasids_unit(struct pasids *pasids, struct hw_iommu_desc desc)
{
	desc.unit = 6;
	desc.scalable = true;
	desc.levels = desc.levels ? desc.levels : 4;
	desc.address_bits = desc.address_bits ? desc.address_bits : 46;
	desc.max_address_mask = 18;
	desc.iotlb_entries = desc.iotlb_entries ? desc.iotlb_entries : 16;
	if (pasids->iommu)
		hw_iommu_remove(pasids->iommu);
	pasids->iommu = hw_iommu_add(&pasids->bench->hw, &desc);
	assert_non_null(pasids->iommu);
	expect_ok(hw_context_set(pasids->iommu, PASIDS_DEV,
				 (struct hw_context){ .type = HW_CONTEXT_PASIDS,
						      .flags = HW_CONTEXT_MAY_SEND_PASIDS,
						      .pasid_bits = 20 }));
	pasids_set(pasids, 0, pasids_second(5, SS_ROOT));
	pasids_set(pasids, 7, pasids_first(5, FS_ROOT));
	pasids_set(pasids, 8, pasids_first(6, FS_ROOT));
	pasids_set(pasids, 9, (struct hw_context){ .type = HW_CONTEXT_PASS_THROUGH, .domain = 3 });
}

int pasids_setup(void **state)
{
	struct pasids *pasids = calloc(1, sizeof(*pasids));
	struct ram *ram;

	if (!pasids || bench_setup(state))
		return -1;
	pasids->bench = *state;
	*state = pasids;
	ram = &pasids->bench->hw.ram;
	ram_add_range(ram, 0, SZ_1G);
	pasids_unit(pasids, (struct hw_iommu_desc){ .coherent = true,
						    .huge_1g = true,
						    .device_tlb = true,
						    .pf_requester = true,
						    .first_levels = 5,
						    .first_huge_1g = true,
						    .pasid_flags = 0x3e });
	pasids->second = (struct tables){ ram, 4, SS_ROOT, SS_ROOT + 0x1000 };
	pasids->first = (struct tables){ ram, 4, FS_ROOT, FS_ROOT + 0x1000 };
	tables_put(&pasids->second, PASIDS_AT, 0, 0x5000 | ENTRY_RW);
	pasids_put_first(pasids, PASIDS_AT, 0, 0x6000 | FS_ALL);
	return 0;
}

int pasids_teardown(void **state)
{
	struct pasids *pasids = *state;
	void *bench = pasids->bench;

	free(pasids);
	return bench_teardown(&bench);
}

void pasids_put_first(struct pasids *pasids, u64 iova, u8 level, u64 word)
{
	struct tables *tables = &pasids->first;

	for (u8 above = tables->levels - 1; above > level; above--) {
		phys_addr_t table = tables_reach(tables, iova, above);
		u64 index = index_of(iova, above);

		if (!get_entry(tables->ram, table, index)) {
			put_entry(tables->ram, table, index, tables->next | FS_ALL);
			tables->next += 0x1000;
		}
	}
	tables_put(tables, iova, level, word);
}

struct hw_translation pasids_plain(struct pasids *pasids, u64 iova, bool write)
{
	return hw_translate(pasids->iommu, PASIDS_DEV, iova, write);
}

static struct hw_translation ask(struct pasids *pasids, u32 pasid, u64 iova, const char *how,
				 bool probe)
{
	const struct hw_ask request = {
		.requester = PASIDS_DEV,
		.write = strchr(how, 'w') != NULL,
		.iova = iova,
		.prefix = { .present = true,
			    .execute = strchr(how, 'x') != NULL,
			    .privileged = strchr(how, 's') != NULL,
			    .pasid = pasid },
	};

	return hw_translate_ask(pasids->iommu, &request, probe);
}

struct hw_translation pasids_ask_as(struct pasids *pasids, u32 pasid, u64 iova, const char *how)
{
	return ask(pasids, pasid, iova, how, false);
}

struct hw_translation pasids_ask(struct pasids *pasids, u32 pasid, u64 iova, bool write)
{
	return ask(pasids, pasid, iova, write ? "w" : "", false);
}

struct hw_translation pasids_probe(struct pasids *pasids, u32 pasid, u64 iova, bool write)
{
	return ask(pasids, pasid, iova, write ? "w" : "", true);
}

int pasids_command(struct pasids *pasids, u64 low, u64 high)
{
	return bench_execute(pasids->iommu, low, high);
}
