/* SPDX-License-Identifier: MIT */
#include "check/dmar.h"

#include <dmasim/hw/vtd.h>

const char *dmar_reason(u8 reason)
{
	static const char *const texts[] = {
		"Software",
		"Present bit in root entry is clear",
		"Present bit in context entry is clear",
		"Invalid context entry",
		"Access beyond MGAW",
		"PTE Write access is not set",
		"PTE Read access is not set",
		"Next page table ptr is invalid",
		"Root table address invalid",
		"Context table ptr is invalid",
		"non-zero reserved fields in RTP",
		"non-zero reserved fields in CTP",
		"non-zero reserved fields in PTE",
		"PCE for translation request specifies blocking",
	};

	return reason < sizeof(texts) / sizeof(texts[0]) ? texts[reason] : "Unknown";
}

void dmar_text(struct text *text, const struct hw_fault_record *record)
{
	u32 requester = record->word[1] & VTD_FRCD_SID_MASK;
	u8 reason = (record->word[1] >> VTD_FRCD_REASON_SHIFT) & VTD_FRCD_REASON_MASK;

	text_add(text, "DMAR: [DMA %s NO_PASID] Request device [%02x:%02x.%u] fault addr 0x%llx ",
		 record->word[1] & VTD_FRCD_TYPE_READ ? "Read" : "Write", requester >> 8,
		 (requester >> 3) & 0x1f, requester & 7, record->word[0] & VTD_FRCD_ADDR_MASK);
	text_add(text, "[fault reason 0x%02x] %s", reason, dmar_reason(reason));
}
