/* SPDX-License-Identifier: MIT */
/* Facts "iova-and-page-tables" section 2.6; the words are ours. */
#include "check/riscv_text.h"

#include <dmasim/hw/riscv.h>
#include <dmasim/hw/riscv_iommu.h>

#include "check/fault_reasons.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NO_TABLE   "the walk could not read a page table: the entry above it points to no memory"
#define NOT_MAPPED "nothing that allows it is mapped there: never mapped, unmapped already, or "
#define SECOND	   "the second stage has nothing that allows it"
#define MISSHAPED  " asks for something that the hardware cannot do"
#define UNREADABLE " could not be read"
#define DAMAGED	   " was read, and is damaged"

static const struct fault_reason reasons[] = {
	{ RISCV_CAUSE_ACCESS_X, "execute access fault", NO_TABLE },
	{ RISCV_CAUSE_ACCESS_R, "read access fault", NO_TABLE },
	{ RISCV_CAUSE_ACCESS_W, "write access fault", NO_TABLE },
	{ RISCV_CAUSE_PAGE_X, "execute page fault", NOT_MAPPED "not to be executed" },
	{ RISCV_CAUSE_PAGE_R, "read page fault", NOT_MAPPED "an entry that is malformed" },
	{ RISCV_CAUSE_PAGE_W, "write page fault", NOT_MAPPED "mapped for reading alone" },
	{ RISCV_CAUSE_GUEST_PAGE_X, "execute guest page fault", SECOND },
	{ RISCV_CAUSE_GUEST_PAGE_R, "read guest page fault", SECOND },
	{ RISCV_CAUSE_GUEST_PAGE_W, "write guest page fault", SECOND },
	{ RISCV_CAUSE_ALL_DISALLOWED, "all inbound transactions disallowed",
	  "the IOMMU is off, and lets nothing through" },
	{ RISCV_CAUSE_DDT_LOAD, "DDT entry load access fault",
	  "the entry of the device" UNREADABLE },
	{ RISCV_CAUSE_DDT_INVALID, "DDT entry not valid",
	  "the IOMMU has been told nothing of this device: it is attached to no domain yet or no "
	  "more, or it sends with the number of another function" },
	{ RISCV_CAUSE_DDT_MISCONFIGURED, "DDT entry misconfigured",
	  "the entry of the device" MISSHAPED },
	{ RISCV_CAUSE_TYPE_DISALLOWED, "transaction type disallowed",
	  "the device asked for a translation, or sent a translated address, and its entry does "
	  "not allow that" },
	{ RISCV_CAUSE_MSI_LOAD, "MSI PTE load access fault", "the entry of the MSI" UNREADABLE },
	{ RISCV_CAUSE_MSI_INVALID, "MSI PTE not valid", "nothing is set up for the MSI" },
	{ RISCV_CAUSE_MSI_MISCONFIGURED, "MSI PTE misconfigured",
	  "the entry of the MSI" MISSHAPED },
	{ RISCV_CAUSE_MRIF_ACCESS, "MRIF access fault",
	  "the file of interrupts in memory" UNREADABLE },
	{ RISCV_CAUSE_PDT_LOAD, "PDT entry load access fault",
	  "the entry of the process" UNREADABLE },
	{ RISCV_CAUSE_PDT_INVALID, "PDT entry not valid",
	  "nothing is attached for this device and process, or nothing any more" },
	{ RISCV_CAUSE_PDT_MISCONFIGURED, "PDT entry misconfigured",
	  "the entry of the process" MISSHAPED },
	{ RISCV_CAUSE_DDT_CORRUPT, "DDT data corruption", "the entry of the device" DAMAGED },
	{ RISCV_CAUSE_PDT_CORRUPT, "PDT data corruption", "the entry of the process" DAMAGED },
	{ RISCV_CAUSE_MSI_PT_CORRUPT, "MSI PT data corruption", "the entry of the MSI" DAMAGED },
	{ RISCV_CAUSE_MRIF_CORRUPT, "MRIF data corruption",
	  "the file of interrupts in memory" DAMAGED },
	{ RISCV_CAUSE_INTERNAL, "internal data path error", "the IOMMU itself is broken" },
	{ RISCV_CAUSE_MSI_WRITE, "IOMMU MSI write access fault",
	  "the IOMMU could not send an interrupt of its own" },
	{ RISCV_CAUSE_PT_CORRUPT, "page table data corruption", "a page table" DAMAGED },
};

const struct fault_reason *riscv_fault_reason(u16 code)
{
	for (size_t i = 0; i < COUNT(reasons); i++) {
		if (reasons[i].code == code)
			return &reasons[i];
	}
	return NULL;
}

static const char *type_of(u64 type)
{
	static const char *const types[] = {
		[RISCV_TTYP_NONE] = "no request",
		[RISCV_TTYP_EXECUTE] = "execute",
		[RISCV_TTYP_READ] = "read",
		[RISCV_TTYP_WRITE] = "write",
		[RISCV_TTYP_TRANS_EXECUTE] = "translated execute",
		[RISCV_TTYP_TRANS_READ] = "translated read",
		[RISCV_TTYP_TRANS_WRITE] = "translated write",
		[RISCV_TTYP_ATS] = "translation request",
		[RISCV_TTYP_MESSAGE] = "message",
	};

	return type < COUNT(types) && types[type] ? types[type] : "reserved";
}

void riscv_fault_text(struct text *text, u16 segment, const u64 word[4])
{
	u16 cause = word[0] & RISCV_RECORD_CAUSE_MASK;
	const struct fault_reason *reason = riscv_fault_reason(cause);
	u32 device = word[0] >> RISCV_RECORD_DID_SHIFT & RISCV_RECORD_DID_MASK;

	text_add(text, "riscv-iommu: fault cause=%u (%s) device=", (u32)cause,
		 reason ? reason->text : "unknown");
	text_add_bdf(text, (u32)segment << 16 | (device & 0xffff));
	if (word[0] & RISCV_RECORD_PV)
		text_add(text, " process=0x%05llx",
			 word[0] >> RISCV_RECORD_PID_SHIFT & RISCV_RECORD_PID_MASK);
	text_add(text, " type=\"%s\" iotval=0x%llx iotval2=0x%llx",
		 type_of(word[0] >> RISCV_RECORD_TTYP_SHIFT & RISCV_RECORD_TTYP_MASK), word[2],
		 word[3]);
}
