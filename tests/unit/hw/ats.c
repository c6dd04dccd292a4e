/* SPDX-License-Identifier: MIT */
#include "ats.h"

#include <stdlib.h>

static void note_timed_out(void *cookie, struct hw_iommu *iommu, const struct hw_invalidation *what)
{
	struct ats *ats = cookie;

	assert_ptr_equal(iommu, ats->iommu);
	ats->timed_out++;
	ats->late = *what;
}

void ats_context(struct ats *ats, u16 requester, u8 type, bool device_tlb)
{
	expect_ok(hw_context_set(ats->iommu, requester,
				 (struct hw_context){ .type = type,
						      .levels = 4,
						      .domain = 1,
						      .root = ats->yard->tables.root,
						      .device_tlb = device_tlb }));
}

int ats_setup(void **state)
{
	struct ats *ats = calloc(1, sizeof(*ats));

	if (!ats || yard_setup(state))
		return -1;
	ats->yard = *state;
	*state = ats;
	ats->hw = ats->yard->hw;
	yard_iommu(ats->yard);
	ats->iommu = ats->yard->iommu;
	ats->iommu->walker.device_tlb = true;
	ats->smart = bench_add(
		ats->yard->bench, ats->yard->down[0]->secondary,
		&(struct bench_function){
			.devfn = 0x08, .ats = true, .ats_bits = 0x0025, .tlb_entries = 4 });
	bench_command(ats->smart, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	ats->hw->hooks = (struct hw_hooks){ .cookie = ats, .timed_out = note_timed_out };
	ats_context(ats, SMART_ID, HW_CONTEXT_TRANSLATE, true);
	yard_map(ats->yard, PAGE_AT, PHYS, ENTRY_RW);
	bench_set_ats(ats->smart, ENABLE);
	return 0;
}

int ats_teardown(void **state)
{
	struct ats *ats = *state;
	void *yard = ats->yard;

	free(ats);
	return yard_teardown(&yard);
}

struct hw_transfer write_byte(struct ats *ats, u64 iova)
{
	return hw_engine_write(ats->smart, iova, "x", 1);
}

struct hw_transfer read_byte(struct ats *ats, u64 iova)
{
	u8 byte;

	return hw_engine_read(ats->smart, iova, &byte, 1);
}

u8 memory_at(struct ats *ats, phys_addr_t phys)
{
	u8 byte = 0;

	ram_read(&ats->hw->ram, phys, &byte, 1);
	return byte;
}

int ats_run(struct ats *ats, u64 low, u64 high)
{
	return bench_execute(ats->iommu, low, high);
}

int ats_invalidate(struct ats *ats, u16 requester, u64 high)
{
	return ats_run(ats, 0x3 | (u64)requester << 32, high);
}
