/* SPDX-License-Identifier: MIT */
/*
 * Commands, written out from facts "iova-and-page-tables" 3.2 and 3.3, and AMD's entries from 2.1;
 * nothing of lib/ is used.
 */
#include <endian.h>

#include <dmasim/hw/amd.h>
#include <dmasim/hw/vtd.h>

#include "property/caching.h"

/* ---- VT-d ------------------------------------------------------------------------------------ */

static u64 requester_mask(u16 ignored)
{
	return ignored == 7 ? 3 : ignored == 6 ? 2 : ignored == 4 ? 1 : 0;
}

static void encode_context(const struct plain_command *command, u64 word[2])
{
	u64 granularity = VTD_CONTEXT_GRANU_DEVICE;

	if (command->all_domains)
		granularity = VTD_CONTEXT_GRANU_GLOBAL;
	else if (command->ignored == 0xffff)
		granularity = VTD_CONTEXT_GRANU_DOMAIN;
	word[0] = VTD_QI_CONTEXT | granularity << VTD_CONTEXT_GRANU_SHIFT;
	word[1] = 0;
	if (granularity != VTD_CONTEXT_GRANU_GLOBAL)
		word[0] |= (u64)command->domain << VTD_CONTEXT_DID_SHIFT;
	if (granularity == VTD_CONTEXT_GRANU_DEVICE)
		word[0] |= (u64)command->requester << VTD_CONTEXT_SID_SHIFT |
			   requester_mask(command->ignored) << VTD_CONTEXT_FM_SHIFT;
}

static void encode_iotlb(const struct plain_command *command, u64 word[2])
{
	u64 pages = (command->window.last - command->window.start + 1) >> 12;
	u64 granularity = VTD_IOTLB_GRANU_PAGE;

	if (command->all_domains)
		granularity = VTD_IOTLB_GRANU_GLOBAL;
	else if (command->window.last == ~0ULL)
		granularity = VTD_IOTLB_GRANU_DOMAIN;
	word[0] = VTD_QI_IOTLB | granularity << VTD_IOTLB_GRANU_SHIFT | VTD_IOTLB_DW | VTD_IOTLB_DR;
	word[1] = 0;
	if (granularity != VTD_IOTLB_GRANU_GLOBAL)
		word[0] |= (u64)command->domain << VTD_IOTLB_DID_SHIFT;
	if (granularity == VTD_IOTLB_GRANU_PAGE)
		word[1] = command->window.start | (u64)__builtin_ctzll(pages) |
			  (command->leaf_only ? VTD_IOTLB_IH : 0);
}

static void encode_vtd(const struct plain_command *command, u64 word[2])
{
	if (command->contexts)
		encode_context(command, word);
	else
		encode_iotlb(command, word);
}

/* ---- AMD ------------------------------------------------------------------------------------- */

struct plain_command caching_as_amd(const struct plain_command *command, u16 requester)
{
	struct plain_command fitting = *command;

	if (!fitting.contexts || caching_is_everything(&fitting))
		return fitting;
	if (fitting.ignored == 0xffff)
		fitting.requester = requester;
	fitting.all_domains = true;
	fitting.domain = 0;
	fitting.ignored = 0;
	return fitting;
}

static u64 amd_window(struct range window)
{
	u64 bytes = window.last - window.start + 1;

	if (window.last == ~0ULL)
		return AMD_PAGES_ALL | AMD_PAGES_S;
	if (bytes == SZ_4K)
		return window.start;
	/* Ones up to the bit below the highest within; that is 0. */
	return window.start | ((bytes / 2 - 1) & AMD_PAGES_ADDR_MASK) | AMD_PAGES_S;
}

static void encode_amd(const struct plain_command *command, u64 word[2])
{
	u64 opcode = AMD_CMD_INVALIDATE_IOMMU_PAGES;

	word[0] = word[1] = 0;
	if (caching_is_everything(command)) {
		opcode = AMD_CMD_INVALIDATE_IOMMU_ALL;
	} else if (command->contexts) {
		opcode = AMD_CMD_INVALIDATE_DEVTAB_ENTRY;
		word[0] = command->requester;
	} else {
		word[0] = (u64)command->domain << AMD_PAGES_DOMAIN_SHIFT;
		word[1] = amd_window(command->window) | (command->leaf_only ? 0 : AMD_PAGES_PDE);
	}
	word[0] |= opcode << AMD_CMD_OPCODE_SHIFT;
}

u64 caching_encode_entry(bool amd, u8 level, u64 entry)
{
	u64 word = (entry & VTD_SS_ADDR_MASK) | AMD_V1_PRESENT;

	if (!amd || !entry)
		return entry;
	word |= entry & VTD_SS_READ ? AMD_V1_READ : 0;
	word |= entry & VTD_SS_WRITE ? AMD_V1_WRITE : 0;
	/* A pointer says the level below, counted from 1. */
	if (level && !(entry & VTD_SS_SUPERPAGE))
		word |= (u64)level << AMD_V1_NEXT_SHIFT;
	return word;
}

/* ---- Both ------------------------------------------------------------------------------------ */

void caching_encode(bool amd, const struct plain_command *command, u64 word[2])
{
	if (amd)
		encode_amd(command, word);
	else
		encode_vtd(command, word);
	word[0] = htole64(word[0]);
	word[1] = htole64(word[1]);
}

void caching_encode_wait(bool amd, phys_addr_t status, u32 value, u64 word[2])
{
	if (amd) {
		word[0] = htole64((u64)AMD_CMD_COMPLETION_WAIT << AMD_CMD_OPCODE_SHIFT | status |
				  AMD_WAIT_STORE);
		word[1] = htole64(value);
		return;
	}
	word[0] = htole64(VTD_QI_WAIT | VTD_WAIT_STATUS_WRITE | VTD_WAIT_FENCE |
			  (u64)value << VTD_WAIT_DATA_SHIFT);
	word[1] = htole64(status);
}

void caching_command_text(const struct plain_command *command, char *text, size_t size)
{
	char whose[32];

	snprintf(whose, sizeof(whose), command->all_domains ? "all domains" : "domain %u",
		 command->domain);
	if (command->contexts && command->ignored != 0xffff)
		snprintf(text, size, "unit %u: contexts of %s, requester 0x%04x, ignored 0x%x",
			 command->unit, whose, command->requester, command->ignored);
	else if (command->contexts)
		snprintf(text, size, "unit %u: contexts of %s", command->unit, whose);
	else if (command->window.last == ~0ULL)
		snprintf(text, size, "unit %u: %s", command->unit, whose);
	else
		snprintf(text, size, "unit %u: %s, 0x%llx-0x%llx%s", command->unit, whose,
			 command->window.start, command->window.last,
			 command->leaf_only ? ", leaves only" : "");
}
