/* SPDX-License-Identifier: MIT */
/* What is asked about a decoded fault line: its reason and its flags in words. */
#include <dmasim/contract.h>
#include <dmasim/fault-log.h>
#include <dmasim/hw/amd.h>
#include <dmasim/hw/vtd.h>

#include "check/fault_reasons.h"
#include "world/text.h"

struct flag {
	u32 bit;
	const char *name;
	const char *meaning;
};

static const struct flag amd_flags[] = {
	{ AMD_FLAG_GN, "GN", "with a PASID" },
	{ AMD_FLAG_NX, "NX", "to execute" },
	{ AMD_FLAG_US, "US", "a user's" },
	{ AMD_FLAG_I, "I", "an interrupt request" },
	{ AMD_FLAG_PR, "PR", "the entry was present" },
	{ AMD_FLAG_RW, "RW", "a write" },
	{ AMD_FLAG_PE, "PE", "no permission" },
	{ AMD_FLAG_RZ, "RZ", "a reserved bit was set, or a level is illegal" },
	{ AMD_FLAG_TR, "TR", "a translation request" },
	{ 0 },
};

static const struct flag ppr_flags[] = {
	{ AMD_FLAG_PPR_RX, "RX", "the request itself is broken" },
	{ AMD_FLAG_PPR_GN, "GN", "with a PASID" },
	{ 0 },
};

static const struct flag vtd_status_bits[] = {
	{ VTD_FSTS_PFO, "PFO", "records were lost" },
	{ VTD_FSTS_PPF, "PPF", "a record is pending" },
	{ VTD_FSTS_IQE, "IQE", "the invalidation queue met a malformed command" },
	{ VTD_FSTS_ICE, "ICE", "a device TLB gave a wrong answer" },
	{ VTD_FSTS_ITE, "ITE", "a device TLB gave no answer in time" },
	{ VTD_FSTS_PRO, "PRO", "page requests were lost" },
	{ 0 },
};

static const struct fault_reason *reason_of(enum dmasim_fault_kind kind, u16 reason)
{
	const struct amd_event *event;

	switch (kind) {
	case DMASIM_LOG_VTD_DMA:
	case DMASIM_LOG_VTD_INTERRUPT:
		return vtd_fault_reason(reason);
	case DMASIM_LOG_AMD_EVENT:
		event = amd_event(reason);
		return event ? &event->reason : NULL;
	case DMASIM_LOG_RISCV:
		return riscv_fault_reason(reason);
	case DMASIM_LOG_SMMUV3:
		return smmuv3_event(reason);
	default:
		return NULL;
	}
}

const char *dmasim_fault_reason(enum dmasim_fault_kind kind, u16 reason)
{
	const struct fault_reason *found = reason_of(kind, reason);

	return found ? found->text : NULL;
}

const char *dmasim_fault_sentence(enum dmasim_fault_kind kind, u16 reason)
{
	const struct fault_reason *found = reason_of(kind, reason);

	return found ? found->sentence : NULL;
}

static void begin(struct text *text)
{
	if (text->length)
		text_add(text, "; ");
}

/* Adds the flags with names; returns those without. */
static u32 add_flags(struct text *text, const struct flag *flag, u32 flags)
{
	for (; flag->bit; flag++) {
		if (!(flags & flag->bit))
			continue;
		begin(text);
		text_add(text, "%s: %s", flag->name, flag->meaning);
		flags &= ~flag->bit;
	}
	return flags;
}

/* Errors of the hardware have a type in two bits; returns the other flags. */
static u32 add_type(struct text *text, u32 flags)
{
	static const char *const types[] = { NULL, "master abort", "target abort", "data error" };
	u32 type = (flags >> AMD_FLAG_TYPE_SHIFT) & AMD_FLAG_TYPE_MASK;

	if (type) {
		begin(text);
		text_add(text, "type %u: %s", type, types[type]);
	}
	return flags & ~(AMD_FLAG_TYPE_MASK << AMD_FLAG_TYPE_SHIFT);
}

static u32 add_event(struct text *text, const struct dmasim_fault_line *line)
{
	u32 rest;

	switch (line->reason) {
	case AMD_EVENT_INVALID_PPR_REQUEST:
		return add_flags(text, ppr_flags, line->flags);
	case AMD_EVENT_DEV_TAB_HARDWARE_ERROR:
	case AMD_EVENT_PAGE_TAB_HARDWARE_ERROR:
	case AMD_EVENT_COMMAND_HARDWARE_ERROR:
		rest = add_flags(text, amd_flags, line->flags);
		return add_type(text, rest);
	default:
		return add_flags(text, amd_flags, line->flags);
	}
}

static u32 add_status(struct text *text, u32 status)
{
	u32 index = status & VTD_FSTS_FRI_MASK << VTD_FSTS_FRI_SHIFT;
	u32 rest = add_flags(text, vtd_status_bits, status & ~index);

	if (status & VTD_FSTS_PPF)
		text_add(text, "; first record %u", index >> VTD_FSTS_FRI_SHIFT);
	return rest;
}

void dmasim_fault_flags(const struct dmasim_fault_line *line, char *buf, size_t len)
{
	struct text text;
	u32 rest = 0;

	DMASIM_CONTRACT(len, "a buffer has room for a terminator");
	text_init(&text, buf, len);
	if (line->kind == DMASIM_LOG_AMD_EVENT)
		rest = add_event(&text, line);
	else if (line->kind == DMASIM_LOG_VTD_STATUS)
		rest = add_status(&text, line->flags);
	if (rest) {
		begin(&text);
		text_add(&text, "0x%x without a name", rest);
	}
	if (!text.length)
		text_add(&text, "none");
}
