/* SPDX-License-Identifier: MIT */
/*
 * Facts "iova-and-page-tables" section 2.6. Of legacy reasons the text is what the driver prints,
 * of others it is ours.
 */
#include "check/fault_reasons.h"

#include <string.h>

#include <dmasim/hw/amd.h>
#include <dmasim/hw/arm.h>
#include <dmasim/hw/smmuv3.h>
#include <dmasim/hw/vtd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Sorted by code. */
static const struct fault_reason vtd_reasons[] = {
	{ 0x00, "Software", "the record holds no reason of the hardware's" },
	{ VTD_FAULT_ROOT_NOT_PRESENT, "Present bit in root entry is clear",
	  "the IOMMU has been told nothing of any device on this bus" },
	{ VTD_FAULT_CONTEXT_NOT_PRESENT, "Present bit in context entry is clear",
	  "the IOMMU has been told nothing of this requester: it is attached to no domain yet or "
	  "no "
	  "more, or it sends with the number of another function" },
	{ VTD_FAULT_CONTEXT_INVALID, "Invalid context entry",
	  "the requester's context entry asks for something that the hardware cannot do" },
	{ VTD_FAULT_BEYOND_MGAW, "Access beyond MGAW",
	  "the address is wider than what the domain's tables, or the hardware, translate" },
	{ VTD_FAULT_NO_WRITE, "PTE Write access is not set",
	  "nothing that the device may write is mapped there: never mapped, unmapped already, or "
	  "mapped for reading alone" },
	{ VTD_FAULT_NO_READ, "PTE Read access is not set",
	  "nothing that the device may read is mapped there: never mapped, unmapped already, or "
	  "mapped for writing alone" },
	{ VTD_FAULT_TABLE_ACCESS, "Next page table ptr is invalid",
	  "the walk could not read a page table: the entry above it points to no memory" },
	{ VTD_FAULT_ROOT_ACCESS, "Root table address invalid",
	  "the root table could not be read at the address that the IOMMU was given" },
	{ VTD_FAULT_CONTEXT_ACCESS, "Context table ptr is invalid",
	  "the bus's context table could not be read" },
	{ VTD_FAULT_ROOT_RESERVED, "non-zero reserved fields in RTP",
	  "a root entry has a bit set that must be 0" },
	{ VTD_FAULT_CONTEXT_RESERVED, "non-zero reserved fields in CTP",
	  "a context entry has a bit set that must be 0" },
	{ VTD_FAULT_PTE_RESERVED, "non-zero reserved fields in PTE",
	  "a page-table entry has a bit set that must be 0, or a large page is not aligned" },
	{ VTD_FAULT_TYPE_BLOCKED, "PCE for translation request specifies blocking",
	  "the device asked for translations, and its context entry does not allow that" },

	{ VTD_FAULT_IR_REQUEST_RESERVED, "reserved fields in the interrupt request are set",
	  "the interrupt message has a bit set that must be 0" },
	{ VTD_FAULT_IR_INDEX, "interrupt index is beyond the table",
	  "the interrupt message names an entry that the remapping table does not have" },
	{ VTD_FAULT_IR_NOT_PRESENT, "Present bit in the interrupt entry is clear",
	  "the interrupt message names an entry that is not in use: never set up, or freed" },
	{ VTD_FAULT_IR_ACCESS, "interrupt remapping table cannot be read",
	  "the remapping table could not be read at the address that the IOMMU was given" },
	{ VTD_FAULT_IR_RESERVED, "reserved fields in the interrupt entry are set",
	  "the entry of the remapping table has a bit set that must be 0" },
	{ VTD_FAULT_IR_COMPATIBILITY, "compatibility format interrupt is blocked",
	  "the device sent an interrupt in the format from before remapping, which is not "
	  "allowed" },
	{ VTD_FAULT_IR_SOURCE, "interrupt request failed the check of its source",
	  "the interrupt's entry belongs to another requester" },

	{ VTD_FAULT_SM_ROOT_ADDRESS, "SM: root table address is invalid",
	  "the root table's address register holds something that the hardware cannot do" },
	{ VTD_FAULT_SM_TTM_PASID, "SM: legacy mode, and the request has a PASID",
	  "a request with a PASID came while the tables are legacy ones, which know none" },
	{ VTD_FAULT_SM_TTM_PAGE_GROUP, "SM: legacy mode, and a page request came",
	  "a page request came while the tables are legacy ones, which serve none" },
	{ VTD_FAULT_SM_ROOT_ACCESS, "SM: root entry cannot be read",
	  "the root table could not be read" },
	{ VTD_FAULT_SM_ROOT_NOT_PRESENT, "SM: Present bit in root entry is clear",
	  "the IOMMU has been told nothing of this half of the bus" },
	{ VTD_FAULT_SM_ROOT_RESERVED, "SM: reserved fields in root entry are set",
	  "a root entry has a bit set that must be 0" },
	{ VTD_FAULT_SM_CONTEXT_ACCESS, "SM: context entry cannot be read",
	  "the bus's context table could not be read" },
	{ VTD_FAULT_SM_CONTEXT_NOT_PRESENT, "SM: Present bit in context entry is clear",
	  "the IOMMU has been told nothing of this requester: it is attached to no domain yet or "
	  "no "
	  "more, or it sends with the number of another function" },
	{ VTD_FAULT_SM_CONTEXT_RESERVED, "SM: reserved fields in context entry are set",
	  "a context entry has a bit set that must be 0" },
	{ VTD_FAULT_SM_CONTEXT_INVALID, "SM: context entry is invalid",
	  "the requester's context entry asks for something that the hardware cannot do" },
	{ VTD_FAULT_SM_CONTEXT_DTE, "SM: device-TLB enable in context entry is clear",
	  "the device asked for translations, and its context entry does not allow that" },
	{ VTD_FAULT_SM_CONTEXT_PASIDE, "SM: PASID enable in context entry is clear",
	  "the request has a PASID, and the context entry allows none" },
	{ VTD_FAULT_SM_CONTEXT_PASID_MAX, "SM: PASID is beyond the directory",
	  "the PASID is larger than what the requester's PASID directory holds" },
	{ VTD_FAULT_SM_CONTEXT_PRE, "SM: page-request enable in context entry is clear",
	  "the device asked for a page, and its context entry does not allow that" },
	{ VTD_FAULT_SM_CONTEXT_RID_PASID, "SM: RID_PASID in context entry is wrong",
	  "the PASID that stands for requests without one is not usable" },
	{ VTD_FAULT_SM_PDIR_ACCESS, "SM: PASID directory entry cannot be read",
	  "the requester's PASID directory could not be read" },
	{ VTD_FAULT_SM_PDIR_NOT_PRESENT, "SM: Present bit in PASID directory entry is clear",
	  "the requester has no PASID table for this PASID" },
	{ VTD_FAULT_SM_PDIR_RESERVED, "SM: reserved fields in PASID directory entry are set",
	  "a PASID directory entry has a bit set that must be 0" },
	{ VTD_FAULT_SM_PASID_ACCESS, "SM: PASID entry cannot be read",
	  "the requester's PASID table could not be read" },
	{ VTD_FAULT_SM_PASID_NOT_PRESENT, "SM: Present bit in PASID entry is clear",
	  "nothing is attached for this requester and PASID, or nothing any more" },
	{ VTD_FAULT_SM_PASID_RESERVED, "SM: reserved fields in PASID entry are set",
	  "a PASID entry has a bit set that must be 0" },
	{ VTD_FAULT_SM_PASID_INVALID, "SM: PASID entry is invalid",
	  "the PASID entry asks for something that the hardware cannot do" },
	{ VTD_FAULT_SM_PASID_ERE, "SM: execute requests are not enabled in PASID entry",
	  "the request was to execute, and the PASID entry does not allow that" },
	{ VTD_FAULT_SM_PASID_SRE, "SM: supervisor requests are not enabled in PASID entry",
	  "the request was a supervisor's, and the PASID entry does not allow that" },

	{ VTD_FAULT_FS_ACCESS, "SM: first-stage entry cannot be read",
	  "the walk could not read a first-stage table: the entry above it points to no memory" },
	{ VTD_FAULT_FS_NOT_PRESENT, "SM: Present bit in first-stage entry is clear",
	  "nothing is mapped there: never mapped, or unmapped already" },
	{ VTD_FAULT_FS_RESERVED, "SM: reserved fields in first-stage entry are set",
	  "a first-stage entry has a bit set that must be 0, or a large page is not aligned" },
	{ VTD_FAULT_FS_TOP_ACCESS, "SM: first-stage top table cannot be read",
	  "the first table of the first stage could not be read" },
	{ VTD_FAULT_FS_BEYOND_MGAW, "SM: first-stage entry's address is beyond MGAW",
	  "an address that the first stage gives is wider than what the second translates" },
	{ VTD_FAULT_FS_TOP_NESTED_READ, "SM: nested, no read permission for first-stage top table",
	  "the second stage does not let the walk read the first stage's first table" },
	{ VTD_FAULT_FS_NESTED_READ, "SM: nested, no read permission for first-stage entry",
	  "the second stage does not let the walk read a first-stage table" },
	{ VTD_FAULT_FS_NESTED_WRITE, "SM: nested, no write permission for first-stage entry",
	  "the second stage does not let the walk mark a first-stage entry as used" },
	{ VTD_FAULT_SS_ACCESS, "SM: second-stage entry cannot be read",
	  "the walk could not read a second-stage table: the entry above it points to no memory" },
	{ VTD_FAULT_SS_PERMISSION, "SM: read or write permission in second-stage entry is missing",
	  "nothing is mapped there: never mapped, or unmapped already" },
	{ VTD_FAULT_SS_RESERVED, "SM: reserved fields in second-stage entry are set",
	  "a second-stage entry has a bit set that must be 0, or a large page is not aligned" },
	{ VTD_FAULT_SS_TABLE, "SM: second-stage table pointer is invalid",
	  "the second stage's first table could not be read" },
	{ VTD_FAULT_SS_AD_NO_SNOOP, "SM: second-stage A/D update without snooping",
	  "the walk had to mark an entry as used, and does not snoop the CPU's caches" },
	{ VTD_FAULT_SM_NOT_CANONICAL, "SM: address is not canonical",
	  "the address is no virtual address: its high bits are not copies of the highest used" },
	{ VTD_FAULT_SM_USER, "SM: user/supervisor violation",
	  "a user's request came to a supervisor's page, or a supervisor's to a user's" },
	{ VTD_FAULT_SM_NO_EXECUTE, "SM: page is not executable",
	  "the request was to execute, and the page may not be executed" },
	{ VTD_FAULT_SM_BEYOND_MAX, "SM: address is beyond the hardware's width",
	  "the address is wider than what the hardware can address" },
	{ VTD_FAULT_SM_SS_BEYOND_MAX,
	  "SM: second-stage entry's address is beyond the hardware's width",
	  "the address is wider than what the second stage's tables, or the hardware, translate" },
	{ VTD_FAULT_SM_NO_WRITE, "SM: write is denied",
	  "nothing that the device may write is mapped there" },
	{ VTD_FAULT_SM_NO_READ, "SM: read is denied",
	  "nothing that the device may read is mapped there" },
	{ VTD_FAULT_SM_INTERRUPT_ADDRESS, "SM: address is in the interrupt range",
	  "the request is to the addresses that mean interrupts (0xfee00000 to 0xfeefffff), or is "
	  "translated to them, and is not one" },
	{ VTD_FAULT_FS_AD_NO_SNOOP, "SM: first-stage A/D update without snooping",
	  "the walk had to mark an entry as used, and does not snoop the CPU's caches" },
};

#define PLACE (AMD_HAS_DEVICE | AMD_HAS_ADDRESS | AMD_HAS_FLAGS)

static const struct amd_event amd_events[] = {
	{ { AMD_EVENT_ILLEGAL_DEV_TABLE_ENTRY, "ILLEGAL_DEV_TABLE_ENTRY",
	    "the device's table entry asks for something that the hardware cannot do, or has a "
	    "reserved bit set" },
	  PLACE | AMD_HAS_PASID },
	{ { AMD_EVENT_IO_PAGE_FAULT, "IO_PAGE_FAULT",
	    "the device used an address that is not mapped for it, or not that way" },
	  PLACE | AMD_HAS_DOMAIN },
	{ { AMD_EVENT_DEV_TAB_HARDWARE_ERROR, "DEV_TAB_HARDWARE_ERROR",
	    "the device's table entry could not be read" },
	  PLACE },
	{ { AMD_EVENT_PAGE_TAB_HARDWARE_ERROR, "PAGE_TAB_HARDWARE_ERROR",
	    "the walk could not read a page table: the entry above it points to no memory" },
	  PLACE | AMD_HAS_PASID },
	{ { AMD_EVENT_ILLEGAL_COMMAND_ERROR, "ILLEGAL_COMMAND_ERROR",
	    "the command at this address is unknown or has a reserved bit set: the queue stands "
	    "still" },
	  AMD_HAS_ADDRESS },
	{ { AMD_EVENT_COMMAND_HARDWARE_ERROR, "COMMAND_HARDWARE_ERROR",
	    "a command could not be read at this address: the queue stands still" },
	  AMD_HAS_ADDRESS | AMD_HAS_FLAGS },
	{ { AMD_EVENT_IOTLB_INV_TIMEOUT, "IOTLB_INV_TIMEOUT",
	    "the device did not answer in time when its TLB was to be invalidated" },
	  AMD_HAS_DEVICE | AMD_HAS_ADDRESS },
	{ { AMD_EVENT_INVALID_DEVICE_REQUEST, "INVALID_DEVICE_REQUEST",
	    "the device sent a request of a kind, or to an address, that it may not use" },
	  PLACE | AMD_HAS_PASID },
	{ { AMD_EVENT_INVALID_PPR_REQUEST, "INVALID_PPR_REQUEST",
	    "the device asked for a page in a way that it may not" },
	  PLACE | AMD_HAS_PASID },
	{ { AMD_EVENT_RMP_PAGE_FAULT, "RMP_PAGE_FAULT",
	    "the memory belongs to an encrypted guest, and the device may not use it" },
	  AMD_HAS_DEVICE | AMD_HAS_GPA | AMD_HAS_FLAGS },
	{ { AMD_EVENT_RMP_HW_ERROR, "RMP_HW_ERROR",
	    "the table of memory owned by encrypted guests could not be read" },
	  AMD_HAS_DEVICE | AMD_HAS_GPA | AMD_HAS_FLAGS },
};

static const struct fault_reason smmuv3_events[] = {
	{ SMMUV3_F_UUT, "F_UUT",
	  "the device sent a request of a kind that the unit does not take" },
	{ SMMUV3_C_BAD_STREAMID, "C_BAD_STREAMID",
	  "the stream table has no place for this requester: it, and all of its bus, is attached "
	  "to "
	  "no domain yet" },
	{ SMMUV3_F_STE_FETCH, "F_STE_FETCH",
	  "the requester's stream table entry could not be read" },
	{ SMMUV3_C_BAD_STE, "C_BAD_STE",
	  "the requester's stream table entry is not valid: it is attached to no domain yet or no "
	  "more, or it sends with the number of another function" },
	{ SMMUV3_F_BAD_ATS_TREQ, "F_BAD_ATS_TREQ",
	  "the device asked for translations, and its stream table entry does not allow that" },
	{ SMMUV3_F_STREAM_DISABLED, "F_STREAM_DISABLED",
	  "requests without a PASID are not taken from this requester" },
	{ SMMUV3_F_TRANSL_FORBIDDEN, "F_TRANSL_FORBIDDEN",
	  "the device sent an address that it had translated itself, which it may not" },
	{ SMMUV3_C_BAD_SUBSTREAMID, "C_BAD_SUBSTREAMID",
	  "the request has a PASID, and the requester has no table, or too small a one, for that" },
	{ SMMUV3_F_CD_FETCH, "F_CD_FETCH", "the requester's context descriptor could not be read" },
	{ SMMUV3_C_BAD_CD, "C_BAD_CD",
	  "the requester's context descriptor is not valid, or asks for something that the "
	  "hardware "
	  "cannot do" },
	{ ARM_F_WALK_EABT, "F_WALK_EABT",
	  "the walk could not read a page table: the entry above it points to no memory" },
	{ ARM_F_TRANSLATION, "F_TRANSLATION",
	  "nothing is mapped there: never mapped, unmapped already, or beyond what the tables "
	  "translate" },
	{ ARM_F_ADDR_SIZE, "F_ADDR_SIZE",
	  "a page table leads to an address that is wider than the hardware's" },
	{ ARM_F_ACCESS, "F_ACCESS", "the page is not marked as used, and hardware does not do it" },
	{ ARM_F_PERMISSION, "F_PERMISSION",
	  "the page is mapped, and not for what the device wanted to do" },
	{ SMMUV3_F_TLB_CONFLICT, "F_TLB_CONFLICT",
	  "the TLB has two translations for the address: one was not invalidated" },
	{ SMMUV3_F_CFG_CONFLICT, "F_CFG_CONFLICT",
	  "two configurations are cached for the requester: one was not invalidated" },
	{ SMMUV3_E_PAGE_REQ, "E_PAGE_REQ", "the device asks for a page" },
	{ SMMUV3_F_VMS_FETCH, "F_VMS_FETCH", "what describes a virtual machine could not be read" },
};

const struct fault_reason *smmuv3_event(u16 code)
{
	for (size_t i = 0; i < COUNT(smmuv3_events); i++) {
		if (smmuv3_events[i].code == code)
			return &smmuv3_events[i];
	}
	return NULL;
}

const struct fault_reason *vtd_fault_reason(u16 code)
{
	for (size_t i = 0; i < COUNT(vtd_reasons); i++) {
		if (vtd_reasons[i].code == code)
			return &vtd_reasons[i];
	}
	return NULL;
}

bool vtd_fault_of_interrupt(u16 code)
{
	return code >= VTD_FAULT_IR_REQUEST_RESERVED && code <= VTD_FAULT_IR_SOURCE;
}

const struct amd_event *amd_event(u16 code)
{
	for (size_t i = 0; i < COUNT(amd_events); i++) {
		if (amd_events[i].reason.code == code)
			return &amd_events[i];
	}
	return NULL;
}

const struct amd_event *amd_event_named(const char *name, size_t length)
{
	for (size_t i = 0; i < COUNT(amd_events); i++) {
		const char *text = amd_events[i].reason.text;

		if (strlen(text) == length && !memcmp(text, name, length))
			return &amd_events[i];
	}
	return NULL;
}
