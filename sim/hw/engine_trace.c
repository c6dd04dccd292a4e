/* SPDX-License-Identifier: MIT */
#include "hw/engine_trace.h"

const char *engine_target_name(enum hw_target_kind kind)
{
	static const char *const names[] = {
		[HW_TARGET_RAM] = "ram",
		[HW_TARGET_BAR] = "bar",
		[HW_TARGET_INTERRUPT] = "interrupt",
		[HW_TARGET_UNSUPPORTED] = "unsupported",
		[HW_TARGET_BLOCKED] = "blocked",
		[HW_TARGET_FAULT] = "fault",
		[HW_TARGET_TRANSLATION] = "translation",
	};

	return names[kind];
}

static void trace_bar(struct trace *trace, const struct hw_target *target)
{
	if (target->phys != RAM_NO_PHYS)
		trace_hex(trace, "phys", target->phys);
	trace_bdf(trace, "at", hw_function_sbdf(target->function));
	trace_dec(trace, "bar", target->bar);
	trace_dec(trace, "off", target->offset);
	trace_dec(trace, "root", target->passed_root);
}

/* No unit: the device's own TLB has given up. */
static void trace_refusal(struct trace *trace, const struct hw_target *target)
{
	if (target->iommu)
		trace_dec(trace, "unit", target->iommu->unit);
	trace_hex(trace, "source", target->requester);
	trace_dec(trace, "dom", target->domain);
	if (target->prefix.present)
		trace_dec(trace, "pasid", target->prefix.pasid);
	trace_hex(trace, "reason", target->fault);
	trace_hex(trace, "flags", target->fault_flags);
}

void engine_trace(struct trace *trace, const struct hw_access *access)
{
	const struct hw_target *target = access->target;

	if (!trace_begin(trace, "dev_access"))
		return;
	trace_bdf(trace, "dev", hw_function_sbdf(access->from));
	trace_hex(trace, "dma", access->address);
	trace_dec(trace, "size", access->bytes);
	trace_word(trace, "dir", access->write ? "write" : "read");
	trace_word(trace, "to", engine_target_name(target->kind));
	if (target->kind == HW_TARGET_RAM)
		trace_hex(trace, "phys", target->phys);
	if (target->kind == HW_TARGET_BAR)
		trace_bar(trace, target);
	if (target->kind == HW_TARGET_BLOCKED)
		trace_bdf(trace, "at", hw_function_sbdf(target->function));
	if (target->kind == HW_TARGET_BLOCKED || target->kind == HW_TARGET_UNSUPPORTED)
		trace_word(trace, "why", hw_why_name(target->why));
	if (target->kind == HW_TARGET_FAULT)
		trace_refusal(trace, target);
	trace_end(trace);
}
