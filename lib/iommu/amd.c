/* SPDX-License-Identifier: MIT */
#include "iommu/amd.h"

#include <endian.h>

#include <dmasim/contract.h>
#include <dmasim/hw/amd.h>
#include <dmasim/page.h>

static struct iommu_command command(u64 opcode, u64 low, u64 high)
{
	low |= opcode << AMD_CMD_OPCODE_SHIFT;
	return (struct iommu_command){ { htole64(low), htole64(high) } };
}

/*
 * The window of a page command: the smallest 2^k around [start, last], k from the highest bit in
 * which the two differ.
 *
 *   k up to 12   one page, S = 0
 *   up to 52     S = 1, address bits 12 to k-2 ones; bit k-1 is 0 as `start` lies below `last`
 *   above        S = 1, everything
 */
static u64 window(u64 start, u64 last)
{
	u64 first = start & AMD_PAGES_ADDR_MASK;
	u8 bits = iommu_window_lg2(start, last);

	if (bits <= PAGE_SHIFT)
		return first;
	if (bits > 52)
		return AMD_PAGES_ALL | AMD_PAGES_S;
	return (first & ~((1ULL << bits) - 1)) |
	       (((1ULL << (bits - 1)) - 1) & AMD_PAGES_ADDR_MASK) | AMD_PAGES_S;
}

DMASIM_HOT struct iommu_command amd_invalidate_pages(const struct amd_pages *pages)
{
	u64 high = window(pages->start, pages->last);

	if (pages->tables)
		high |= AMD_PAGES_PDE;
	if (pages->guest)
		high |= AMD_PAGES_GN;
	return command(AMD_CMD_INVALIDATE_IOMMU_PAGES,
		       (pages->pasid & AMD_PAGES_PASID_MASK) | (u64)pages->domain
								       << AMD_PAGES_DOMAIN_SHIFT,
		       high);
}

struct iommu_command amd_invalidate_device_pages(const struct amd_device_pages *pages)
{
	u64 low = pages->device;

	low |= (u64)(pages->pasid >> 8) << AMD_IOTLB_PASID_HIGH_SHIFT;
	low |= (u64)pages->depth << AMD_IOTLB_QDEP_SHIFT;
	low |= (u64)pages->queue << AMD_IOTLB_QUEUE_SHIFT;
	low |= (u64)(pages->pasid & 0xff) << AMD_IOTLB_PASID_LOW_SHIFT;
	return command(AMD_CMD_INVALIDATE_IOTLB_PAGES, low,
		       window(pages->start, pages->last) | (pages->guest ? AMD_PAGES_GN : 0));
}

struct iommu_command amd_invalidate_device_entry(u16 device)
{
	return command(AMD_CMD_INVALIDATE_DEVTAB_ENTRY, device, 0);
}

struct iommu_command amd_invalidate_interrupts(u16 device)
{
	return command(AMD_CMD_INVALIDATE_INTERRUPT_TABLE, device, 0);
}

struct iommu_command amd_invalidate_all(void)
{
	return command(AMD_CMD_INVALIDATE_IOMMU_ALL, 0, 0);
}

DMASIM_HOT struct iommu_command amd_wait(phys_addr_t phys, u64 value)
{
	DMASIM_CONTRACT(!(phys & ~AMD_WAIT_ADDR_MASK), "a wait stores at a multiple of 8");
	return command(AMD_CMD_COMPLETION_WAIT, phys | AMD_WAIT_STORE, value);
}

u64 amd_first_piece(u64 start, u64 last)
{
	u64 length = last - start; /* less 1: all bytes there are do not fit */
	u64 aligned = start ? (start & -start) - 1 : ~0ULL;

	if (aligned <= length)
		return start | aligned;
	/* The largest power of two that is not longer; length + 1 does not overflow here. */
	return start + ((1ULL << (63 - __builtin_clzll(length + 1))) - 1);
}
