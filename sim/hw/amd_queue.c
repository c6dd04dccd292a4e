/* SPDX-License-Identifier: MIT */
#include "hw/amd_queue.h"

#include <dmasim/hw/amd.h>

#define PAGE_LG2 12

/*
 * The window of a page command. S = 0: one page. S = 1: the n ones from bit 12 on mean
 * 2^(12 + n + 1) bytes; bits 62:12 all ones are everything.
 */
static void decode_window(u64 word, struct hw_amd_command *command)
{
	u64 address = word & AMD_PAGES_ADDR_MASK;
	u32 lg2 = PAGE_LG2;
	u64 within;

	if (word & AMD_PAGES_S) {
		lg2++;
		for (u32 bit = PAGE_LG2; bit < 64 && address >> bit & 1; bit++)
			lg2++;
	}
	within = lg2 < 64 ? (1ULL << lg2) - 1 : ~0ULL;
	command->start = address & ~within;
	command->last = address | within;
	command->guest = word & AMD_PAGES_GN;
}

static bool decode_wait(const u64 word[2], struct hw_amd_command *command)
{
	command->store = word[0] & AMD_WAIT_STORE;
	command->interrupt = word[0] & AMD_WAIT_INTERRUPT;
	command->flush = word[0] & AMD_WAIT_FLUSH;
	command->store_at = word[0] & AMD_WAIT_ADDR_MASK;
	command->value = word[1];
	return !(word[0] & AMD_WAIT_RESERVED_0);
}

static bool decode_device(const u64 word[2], struct hw_amd_command *command)
{
	command->device = word[0] & AMD_DEVICE_MASK;
	return !(word[0] & AMD_DEVICE_RESERVED_0) && !word[1];
}

static bool decode_pages(const u64 word[2], struct hw_amd_command *command)
{
	command->domain = word[0] >> AMD_PAGES_DOMAIN_SHIFT & AMD_PAGES_DOMAIN_MASK;
	command->pasid = word[0] & AMD_PAGES_PASID_MASK;
	command->tables = word[1] & AMD_PAGES_PDE;
	decode_window(word[1], command);
	return !(word[0] & AMD_PAGES_RESERVED_0) && !(word[1] & AMD_PAGES_RESERVED_1);
}

static bool decode_device_pages(const u64 word[2], struct hw_amd_command *command)
{
	command->device = word[0] & AMD_DEVICE_MASK;
	command->queue = (u16)(word[0] >> AMD_IOTLB_QUEUE_SHIFT);
	command->depth = (u8)(word[0] >> AMD_IOTLB_QDEP_SHIFT);
	command->pasid = (word[0] >> AMD_IOTLB_PASID_HIGH_SHIFT & 0xff) << 8 |
			 (word[0] >> AMD_IOTLB_PASID_LOW_SHIFT & 0xff);
	decode_window(word[1], command);
	return !(word[0] & AMD_IOTLB_RESERVED_0) &&
	       !(word[1] & (AMD_PAGES_RESERVED_1 | AMD_PAGES_PDE));
}

DMASIM_HOT bool hw_amd_decode(const u64 word[2], struct hw_amd_command *command)
{
	u8 opcode = word[0] >> AMD_CMD_OPCODE_SHIFT & AMD_CMD_OPCODE_MASK;

	*command = (struct hw_amd_command){ .opcode = opcode };
	switch (opcode) {
	case AMD_CMD_COMPLETION_WAIT:
		return decode_wait(word, command);
	case AMD_CMD_INVALIDATE_DEVTAB_ENTRY:
	case AMD_CMD_INVALIDATE_INTERRUPT_TABLE:
		return decode_device(word, command);
	case AMD_CMD_INVALIDATE_IOMMU_PAGES:
		return decode_pages(word, command);
	case AMD_CMD_INVALIDATE_IOTLB_PAGES:
		return decode_device_pages(word, command);
	case AMD_CMD_INVALIDATE_IOMMU_ALL:
		return !(word[0] & AMD_ALL_RESERVED_0) && !word[1];
	default:
		return false;
	}
}
