/* SPDX-License-Identifier: MIT */
/*
 * Cells of memory that comes mapped.
 */
#include <string.h>

#include "matrix/run_inside.h"

static bool all_zero(const u8 *bytes, u32 count)
{
	return !bytes[0] && !memcmp(bytes, bytes + 1, count - 1);
}

/* What the device sees of memory that is shared, or of pages after and before a sync. */
static bool reads_back(struct run *run, const u8 *expected, const char *when)
{
	u32 bytes = run->shape.bytes;

	if (!call_dev_read(&run->mapping, 0, run->seen, bytes))
		return wrong(run, "%s: the device could not read", when);
	if (expected ? memcmp(run->seen, expected, bytes) != 0 : !all_zero(run->seen, bytes))
		return wrong(run, "%s: the device sees something else", when);
	return true;
}

static bool alloc_moves_data(struct run *run)
{
	bool reads = run->cell->dir != DMA_FROM_DEVICE, writes = run->cell->dir != DMA_TO_DEVICE;
	bool syncs = call_syncs(&run->mapping);
	bool stale = syncs && facts_of[run->cell->mode].no_snoop;
	const u8 *first = pattern(run, 0), *second = pattern(run, 1);
	u8 *memory = run->mapping.memory;
	u32 bytes = run->shape.bytes;

	if (!all_zero(memory, bytes))
		return wrong(run, "the memory is not zeroed");
	memcpy(memory, first, bytes);
	if (reads && !reads_back(run, stale ? NULL : first, "before a sync"))
		return false;
	if (syncs)
		call_sync_for_device(&run->mapping, 0, bytes);
	if ((reads && !reads_back(run, first, "after a sync")) || !direction_is_kept(run))
		return false;
	if (!writes)
		return true;
	if (!call_dev_write(&run->mapping, 0, second, bytes))
		return wrong(run, "the device could not write");
	if (memcmp(memory, stale ? first : second, bytes) != 0)
		return wrong(run, "before a sync: the CPU sees something else");
	if (syncs)
		call_sync_for_cpu(&run->mapping);
	return !memcmp(memory, second, bytes) || wrong(run, "the CPU sees something else");
}

static bool alloc_address_is_right(struct run *run)
{
	phys_addr_t phys = dmasim_virt_to_phys(run->machine.s, run->mapping.memory);
	dma_addr_t dma = run->mapping.segment[0].dma;

	if (run->forecast.is_phys && dma != machine_direct_address(&run->machine, phys))
		return wrong(run, "the address is 0x%llx, not that of 0x%llx", dma, phys);
	if (dma & 4095 || phys & 4095)
		return wrong(run, "the memory at 0x%llx is not page aligned", dma);
	if (facts_of[run->cell->mode].out_of_reach && (dma + run->shape.bytes) >> 32)
		return wrong(run, "the memory at 0x%llx is out of reach", dma);
	return true;
}

bool run_alloc(struct run *run)
{
	if (!map_as_told(run))
		return false;
	if (!run->mapping.error) {
		run->mapped++;
		if (!alloc_address_is_right(run) || !alloc_moves_data(run))
			return false;
	}
	call_unmap(&run->mapping);
	return end_is_kept(run) && no_report(run);
}
