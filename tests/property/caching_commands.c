/* SPDX-License-Identifier: MIT */
/*
 * Commands, written out from facts "iova-and-page-tables" 3.2 to 3.5, and entries from 2.1 and
 * 2.3 to 2.5; nothing of lib/ is used.
 */
#include <endian.h>

#include <dmasim/hw/amd.h>
#include <dmasim/hw/arm.h>
#include <dmasim/hw/riscv.h>
#include <dmasim/hw/riscv_iommu.h>
#include <dmasim/hw/smmuv3.h>
#include <dmasim/hw/vtd.h>
#include <dmasim/hw/x86.h>

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

static u64 amd_entry(u8 level, u64 entry)
{
	u64 word = (entry & VTD_SS_ADDR_MASK) | AMD_V1_PRESENT;

	word |= entry & VTD_SS_READ ? AMD_V1_READ : 0;
	word |= entry & VTD_SS_WRITE ? AMD_V1_WRITE : 0;
	/* A pointer says the level below, counted from 1. */
	if (level && !(entry & VTD_SS_SUPERPAGE))
		word |= (u64)level << AMD_V1_NEXT_SHIFT;
	return word;
}

/* ---- RISC-V ---------------------------------------------------------------------------------- */

/* Windows of more than a page have ones up to half of it. */
static u64 riscv_window(struct range window)
{
	u64 pages = (window.last - window.start + 1) >> 12;
	u64 number = window.start >> 12;

	if (pages == 1)
		return number << RISCV_IOTINVAL_ADDR_SHIFT;
	return (number | (pages / 2 - 1)) << RISCV_IOTINVAL_ADDR_SHIFT | RISCV_IOTINVAL_S;
}

static void encode_riscv(const struct plain_command *command, u64 word[2])
{
	word[1] = 0;
	if (command->contexts) {
		word[0] = RISCV_CMD_IODIR;
		if (command->ignored != 0xffff)
			word[0] |= RISCV_IODIR_DV | (u64)command->requester
							    << RISCV_IODIR_DID_SHIFT;
		return;
	}
	word[0] = RISCV_CMD_IOTINVAL;
	if (command->all_domains)
		return;
	word[0] |= RISCV_IOTINVAL_PSCV | (u64)command->domain << RISCV_IOTINVAL_PSCID_SHIFT;
	if (command->window.last == ~0ULL)
		return;
	word[0] |= RISCV_IOTINVAL_AV | (command->leaf_only ? 0 : RISCV_IOTINVAL_NL);
	word[1] = riscv_window(command->window);
}

static bool is_pointer(u8 level, u64 entry)
{
	return level && !(entry & VTD_SS_SUPERPAGE);
}

u64 caching_without_rights(u8 level, u64 entry)
{
	if (!(entry & (VTD_SS_READ | VTD_SS_WRITE)))
		return entry;
	return entry | VTD_SS_READ | (is_pointer(level, entry) ? VTD_SS_WRITE : 0);
}

static u64 riscv_entry(u8 level, u64 entry)
{
	u64 word = (entry & VTD_SS_ADDR_MASK) >> 12 << RISCV_PTE_PPN_SHIFT | RISCV_PTE_V;

	if (!(entry & VTD_SS_READ))
		return 0;
	if (is_pointer(level, entry))
		return word;
	word |= RISCV_PTE_R | RISCV_PTE_U | RISCV_PTE_A;
	return word | (entry & VTD_SS_WRITE ? RISCV_PTE_W | RISCV_PTE_D : 0);
}

/* ---- SMMUv3 ---------------------------------------------------------------------------------- */

static void encode_smmuv3(const struct plain_command *command, u64 word[2])
{
	u64 pages = (command->window.last - command->window.start + 1) >> 12;

	word[1] = 0;
	if (command->contexts && command->ignored == 0xffff) {
		word[0] = SMMUV3_CMD_CFGI_STE_RANGE;
		word[1] = SMMUV3_CFGI_RANGE_ALL;
		return;
	}
	if (command->contexts) {
		word[0] = SMMUV3_CMD_CFGI_STE | (u64)command->requester << SMMUV3_CFGI_SID_SHIFT;
		return;
	}
	word[0] = SMMUV3_CMD_TLBI_NH_ALL;
	if (command->all_domains)
		return;
	word[0] = (u64)command->domain << SMMUV3_TLBI_ASID_SHIFT;
	word[0] |= command->window.last == ~0ULL ? SMMUV3_CMD_TLBI_NH_ASID : SMMUV3_CMD_TLBI_NH_VA;
	if (command->window.last == ~0ULL)
		return;
	word[1] = command->window.start | (command->leaf_only ? SMMUV3_TLBI_LEAF : 0);
	if (pages == 1)
		return;
	word[0] |= (u64)__builtin_ctzll(pages) << SMMUV3_TLBI_SCALE_SHIFT;
	word[1] |= SMMUV3_TLBI_TG_4K << SMMUV3_TLBI_TG_SHIFT;
}

static u64 smmuv3_entry(u8 level, u64 entry)
{
	u64 word = (entry & VTD_SS_ADDR_MASK) | ARM_DESC_VALID;

	if (!(entry & VTD_SS_READ))
		return 0;
	if (is_pointer(level, entry))
		return word | ARM_DESC_TABLE;
	word |= ARM_S1_AP_EL0 | ARM_AF | (level ? 0 : ARM_DESC_TABLE);
	return word | (entry & VTD_SS_WRITE ? 0 : ARM_S1_AP_RO);
}

/* ---- VT-d's first stage, of PASID 0 ---------------------------------------------------------- */

struct plain_command caching_as_first_stage(const struct plain_command *command)
{
	struct plain_command fitting = *command;

	if (fitting.contexts)
		fitting.ignored = 0xffff;
	return fitting;
}

static void encode_pasids(const struct plain_command *command, u64 word[2])
{
	u64 granularity = VTD_PASID_CACHE_GRANU_DOMAIN;

	if (command->all_domains)
		granularity = VTD_PASID_CACHE_GRANU_GLOBAL;
	else if (command->requester)
		granularity = VTD_PASID_CACHE_GRANU_PASID;
	word[0] = VTD_QI_PASID_CACHE | granularity << VTD_PASID_GRANU_SHIFT |
		  (u64)command->domain << VTD_PASID_DID_SHIFT;
	word[1] = 0;
}

static void encode_vtd_first(const struct plain_command *command, u64 word[2])
{
	u64 granularity = VTD_PASID_IOTLB_GRANU_PAGE;
	u64 pages = (command->window.last - command->window.start + 1) >> 12;

	if (command->contexts) {
		encode_pasids(command, word);
		return;
	}
	if (command->all_domains) {
		encode_iotlb(command, word);
		return;
	}
	word[1] = 0;
	if (command->window.last == ~0ULL)
		granularity = VTD_PASID_IOTLB_GRANU_ALL;
	else
		word[1] = command->window.start | (u64)__builtin_ctzll(pages) |
			  (command->leaf_only ? VTD_IOTLB_IH : 0);
	word[0] = VTD_QI_PASID_IOTLB | granularity << VTD_PASID_GRANU_SHIFT |
		  (u64)command->domain << VTD_PASID_DID_SHIFT;
}

/* Marked beforehand, so that hardware has nothing to mark. */
static u64 vtd_first_entry(u8 level, u64 entry)
{
	u64 word = (entry & VTD_SS_ADDR_MASK) | X86_FS_PRESENT | X86_FS_USER | X86_FS_ACCESSED;

	if (!(entry & VTD_SS_READ))
		return 0;
	if (is_pointer(level, entry))
		return word | X86_FS_WRITE;
	return word | (level ? X86_FS_PAGE_SIZE : 0) |
	       (entry & VTD_SS_WRITE ? X86_FS_WRITE | X86_FS_DIRTY : 0);
}

/* ---- All ------------------------------------------------------------------------------------ */

u64 caching_encode_entry(enum plain_arch arch, u8 level, u64 entry)
{
	if (!entry || arch == PLAIN_VTD)
		return entry;
	if (arch == PLAIN_AMD)
		return amd_entry(level, entry);
	if (arch == PLAIN_VTD_FIRST)
		return vtd_first_entry(level, entry);
	return arch == PLAIN_RISCV ? riscv_entry(level, entry) : smmuv3_entry(level, entry);
}

void caching_encode(enum plain_arch arch, const struct plain_command *command, u64 word[2])
{
	if (arch == PLAIN_AMD)
		encode_amd(command, word);
	else if (arch == PLAIN_RISCV)
		encode_riscv(command, word);
	else if (arch == PLAIN_SMMUV3)
		encode_smmuv3(command, word);
	else if (arch == PLAIN_VTD_FIRST)
		encode_vtd_first(command, word);
	else
		encode_vtd(command, word);
	word[0] = htole64(word[0]);
	word[1] = htole64(word[1]);
}

void caching_encode_wait(enum plain_arch arch, phys_addr_t status, u32 value, u64 word[2])
{
	switch (arch) {
	case PLAIN_AMD:
		word[0] = (u64)AMD_CMD_COMPLETION_WAIT << AMD_CMD_OPCODE_SHIFT | status |
			  AMD_WAIT_STORE;
		word[1] = value;
		break;
	case PLAIN_RISCV:
		word[0] = RISCV_CMD_IOFENCE | RISCV_IOFENCE_AV |
			  (u64)value << RISCV_IOFENCE_DATA_SHIFT;
		word[1] = status >> RISCV_IOFENCE_ADDR_SHIFT;
		break;
	case PLAIN_SMMUV3:
		word[0] = SMMUV3_CMD_SYNC | SMMUV3_SYNC_IRQ << SMMUV3_SYNC_CS_SHIFT |
			  (u64)value << SMMUV3_SYNC_DATA_SHIFT;
		word[1] = status;
		break;
	default:
		word[0] = VTD_QI_WAIT | VTD_WAIT_STATUS_WRITE | VTD_WAIT_FENCE |
			  (u64)value << VTD_WAIT_DATA_SHIFT;
		word[1] = status;
		break;
	}
	word[0] = htole64(word[0]);
	word[1] = htole64(word[1]);
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
