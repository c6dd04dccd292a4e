/* SPDX-License-Identifier: MIT */
#include "check/dmar.h"

#include <dmasim/hw/vtd.h>

#include "check/fault_reasons.h"

static void add_kind(struct text *text, u64 high, bool interrupt)
{
	const char *direction = high & VTD_FRCD_TYPE_READ ? "Read" : "Write";

	if (interrupt)
		text_add(text, "[INTR-REMAP]");
	else if (high & VTD_FRCD_PASID_SET)
		text_add(text, "[DMA %s PASID 0x%llx]", direction,
			 (high >> VTD_FRCD_PASID_SHIFT) & VTD_FRCD_PASID_MASK);
	else
		text_add(text, "[DMA %s NO_PASID]", direction);
}

void dmar_text(struct text *text, const struct hw_fault_record *record)
{
	u32 requester = record->word[1] & VTD_FRCD_SID_MASK;
	u8 code = (record->word[1] >> VTD_FRCD_REASON_SHIFT) & VTD_FRCD_REASON_MASK;
	const struct fault_reason *reason = vtd_fault_reason(code);
	bool interrupt = vtd_fault_of_interrupt(code);

	text_add(text, "DMAR: ");
	add_kind(text, record->word[1], interrupt);
	text_add(text, " Request device [%02x:%02x.%u] ", requester >> 8, (requester >> 3) & 0x1f,
		 requester & 7);
	if (interrupt)
		text_add(text, "fault index 0x%llx ", record->word[0] >> VTD_FRCD_INDEX_SHIFT);
	else
		text_add(text, "fault addr 0x%llx ", record->word[0] & VTD_FRCD_ADDR_MASK);
	text_add(text, "[fault reason 0x%02x] %s", code, reason ? reason->text : "Unknown");
}
