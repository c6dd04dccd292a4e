/* SPDX-License-Identifier: MIT */
#include "check/amdvi.h"

#include <dmasim/hw/amd.h>

#include "check/fault_reasons.h"

static void add_unknown(struct text *text, const u64 word[2])
{
	text_add(text, "AMD-Vi: Event logged [UNKNOWN event[0]=0x%08x event[1]=0x%08x ",
		 (u32)word[0], (u32)(word[0] >> 32));
	text_add(text, "event[2]=0x%08x event[3]=0x%08x]", (u32)word[1], (u32)(word[1] >> 32));
}

void amdvi_text(struct text *text, u16 segment, const u64 word[2])
{
	const struct amd_event *event =
		amd_event((word[0] >> AMD_EVENT_CODE_SHIFT) & AMD_EVENT_CODE_MASK);
	u64 low = (word[0] >> AMD_EVENT_DOMAIN_SHIFT) & AMD_EVENT_DOMAIN_MASK;
	u64 high = (word[0] >> AMD_EVENT_PASID_HIGH_SHIFT) & AMD_EVENT_PASID_HIGH_MASK;

	if (!event) {
		add_unknown(text, word);
		return;
	}
	text_add(text, "AMD-Vi: Event logged [%s", event->reason.text);
	if (event->has & AMD_HAS_DEVICE) {
		text_add(text, " device=");
		text_add_bdf(text, (u32)segment << 16 | (u32)(word[0] & AMD_EVENT_DEVICE_MASK));
	}
	if (event->has & AMD_HAS_DOMAIN)
		text_add(text, " domain=0x%04llx", low);
	if (event->has & AMD_HAS_PASID)
		text_add(text, " pasid=0x%05llx", high << 16 | low);
	if (event->has & AMD_HAS_ADDRESS)
		text_add(text, " address=0x%llx", word[1]);
	if (event->has & AMD_HAS_GPA)
		text_add(text, " gpa=0x%llx", word[1]);
	if (event->has & AMD_HAS_FLAGS)
		text_add(text, " flags=0x%04llx",
			 (word[0] >> AMD_EVENT_FLAGS_SHIFT) & AMD_EVENT_FLAGS_MASK);
	text_add(text, "]");
}
