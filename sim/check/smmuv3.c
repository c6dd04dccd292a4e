/* SPDX-License-Identifier: MIT */
#include "check/smmuv3.h"

#include <dmasim/hw/arm.h>
#include <dmasim/hw/smmuv3.h>

#include "check/fault_reasons.h"

static bool of_translation(u64 event)
{
	return event == ARM_F_WALK_EABT ||
	       (event >= ARM_F_TRANSLATION && event <= ARM_F_PERMISSION);
}

static void add_class(struct text *text, u64 word)
{
	static const char *const classes[] = { "descriptor", "table", "input", "3" };

	text_add(text, " class=%s",
		 classes[word >> SMMUV3_EVENT_CLASS_SHIFT & SMMUV3_EVENT_CLASS_MASK]);
	if (word & SMMUV3_EVENT_S2)
		text_add(text, " stage=2");
}

void smmuv3_text(struct text *text, u16 segment, const u64 word[4])
{
	u64 id = word[0] & SMMUV3_EVENT_ID_MASK;
	const struct fault_reason *event = smmuv3_event((u16)id);

	if (event)
		text_add(text, "SMMUv3: %s device=", event->text);
	else
		text_add(text, "SMMUv3: event 0x%02llx device=", id);
	text_add_bdf(text, (u32)segment << 16 | (u16)(word[0] >> SMMUV3_EVENT_SID_SHIFT));
	if (word[0] & SMMUV3_EVENT_SSV)
		text_add(text, " pasid=0x%05llx",
			 word[0] >> SMMUV3_EVENT_SSID_SHIFT & SMMUV3_EVENT_SSID_MASK);
	text_add(text, " address=0x%llx %s", word[2],
		 word[1] & SMMUV3_EVENT_EXECUTE ? "execute"
		 : word[1] & SMMUV3_EVENT_READ	? "read"
						: "write");
	if (word[1] & SMMUV3_EVENT_PRIVILEGED)
		text_add(text, " privileged");
	if (of_translation(id))
		add_class(text, word[1]);
}
