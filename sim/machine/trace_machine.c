/* SPDX-License-Identifier: MIT */
/*
 * What a trace says of the machine, so that it can be judged without it: memory, windows, devices
 * that do not snoop, BARs that somebody maps; and the lists that calls were given.
 */
#include "machine/machine.h"

/* ---- The machine ------------------------------------------------------ */

static void tell_memory(struct trace *trace, const struct ram *ram)
{
	for (u32 i = 0; i < ram->range_count; i++) {
		trace_begin(trace, "ram");
		trace_hex(trace, "phys", ram->range[i].start);
		trace_dec(trace, "size", ram->range[i].bytes);
		trace_end(trace);
	}
}

static void tell_windows(struct trace *trace, const struct hw_root *root)
{
	for (u32 i = 0; i < root->window_count; i++) {
		const struct hw_window *window = &root->window[i];

		trace_begin(trace, "window");
		trace_bdf(trace, "at", (u32)root->segment << 16 | (u32)root->bus_first << 8);
		trace_dec(trace, "last", root->bus_last);
		trace_hex(trace, "dma", window->start + window->bus_offset);
		trace_dec(trace, "size", window->bytes);
		trace_end(trace);
	}
}

static void tell_devices(struct trace *trace, const struct hw_bus *bus)
{
	const struct hw_function *function;

	TAILQ_FOREACH(function, &bus->functions, link) {
		if (function->traits.no_snoop) {
			trace_begin(trace, "device");
			trace_bdf(trace, "dev", hw_function_sbdf(function));
			trace_dec(trace, "snoop", 0);
			trace_end(trace);
		}
		if (function->secondary)
			tell_devices(trace, function->secondary);
	}
}

static void tell_reserved(struct trace *trace, const struct platform_firmware *firmware)
{
	for (u32 i = 0; i < firmware->reserved_count; i++) {
		const struct platform_reserved *reserved = &firmware->reserved[i];

		trace_begin(trace, "reserved");
		if (reserved->dev != DMASIM_NO_SBDF)
			trace_bdf(trace, "dev", reserved->dev);
		trace_hex(trace, "dma", reserved->start);
		trace_dec(trace, "size", reserved->bytes);
		trace_end(trace);
	}
}

void trace_machine(struct dmasim *s)
{
	struct trace *trace = &s->world.trace;
	const struct hw_root *root;

	if (!trace->on || s->trace_knows)
		return;
	s->trace_knows = true;
	tell_memory(trace, &s->hw.ram);
	TAILQ_FOREACH(root, &s->hw.roots, link) {
		tell_windows(trace, root);
		tell_devices(trace, &root->bus);
	}
	tell_reserved(trace, &s->firmware.described);
}

/* ---- What an event counts on ------------------------------------------ */

/* Told when it is mapped first, and again if the CPU finds it elsewhere since. */
static void tell_bar(struct trace *trace, const struct hw_target *target)
{
	struct hw_bar *bar = &target->function->bar[target->bar];
	phys_addr_t phys = target->phys - target->offset;

	if (bar->traced_at == phys + 1)
		return;
	bar->traced_at = phys + 1;
	trace_begin(trace, "bar");
	trace_bdf(trace, "dev", hw_function_sbdf(target->function));
	trace_dec(trace, "bar", target->bar);
	trace_hex(trace, "phys", phys);
	trace_hex(trace, "bus", bar->span.start);
	trace_dec(trace, "size", bar->bytes);
	trace_end(trace);
}

static void tell_bars(struct trace *trace, const struct hw_bus *bus)
{
	struct hw_target target = { .kind = HW_TARGET_BAR };
	struct hw_function *function;

	TAILQ_FOREACH(function, &bus->functions, link) {
		target.function = function;
		for (target.bar = 0; target.bar < PCI_STD_NUM_BARS; target.bar++) {
			target.phys = function->bar[target.bar].bytes
					      ? hw_bar_phys(function, target.bar)
					      : RAM_NO_PHYS;
			if (target.phys != RAM_NO_PHYS)
				tell_bar(trace, &target);
		}
		if (function->secondary)
			tell_bars(trace, function->secondary);
	}
}

/* Once somebody has asked for a verdict, any BAR may be meant by its bus address. */
static void tell_peers(struct dmasim *s)
{
	const struct hw_root *root;

	TAILQ_FOREACH(root, &s->hw.roots, link)
		tell_bars(&s->world.trace, &root->bus);
}

/* What was written, and where. */
struct register_write {
	struct dmasim *s;
	dmasim_sbdf written;
	u32 offset;
};

static void tell_lost(const struct register_write *write, struct hw_function *function, u32 index)
{
	struct trace *trace = &write->s->world.trace;
	struct hw_bar *bar = &function->bar[index];
	struct hw_target now = hw_phys_target(&write->s->hw, bar->traced_at - 1);

	if (now.kind == HW_TARGET_BAR && now.function == function)
		return;
	bar->traced_at = 0;
	trace_begin(trace, "bar_lost");
	trace_bdf(trace, "dev", hw_function_sbdf(function));
	trace_dec(trace, "bar", index);
	trace_bdf(trace, "at", write->written);
	trace_hex(trace, "register", write->offset);
	trace_end(trace);
}

static void tell_lost_on(const struct register_write *write, const struct hw_bus *bus)
{
	struct hw_function *function;

	TAILQ_FOREACH(function, &bus->functions, link) {
		for (u32 i = 0; i < PCI_STD_NUM_BARS; i++) {
			if (function->bar[i].traced_at)
				tell_lost(write, function, i);
		}
		if (function->secondary)
			tell_lost_on(write, function->secondary);
	}
}

void trace_lost_bars(struct dmasim *s, const struct hw_function *written, u32 offset)
{
	const struct register_write write = { s, hw_function_sbdf(written), offset };
	const struct hw_root *root;

	TAILQ_FOREACH(root, &s->hw.roots, link)
		tell_lost_on(&write, &root->bus);
}

static bool has_list(const struct dmasim_event *event)
{
	if (event->type == DMASIM_EVENT_MAP_SG)
		return event->ret > 0;
	return event->type == DMASIM_EVENT_SYNC_SG_FOR_CPU ||
	       event->type == DMASIM_EVENT_SYNC_SG_FOR_DEVICE;
}

static void tell_list(struct trace *trace, const struct dmasim_event *event)
{
	struct scatterlist *sg;
	u32 i;

	for_each_sg(event->list->sg, sg, event->count, i) {
		trace_begin(trace, "sg_entry");
		trace_hex(trace, "dma", sg->dma_address);
		trace_dec(trace, "size", sg->length);
		trace_dec(trace, "done", sg->dma_length);
		trace_end(trace);
	}
}

void trace_before_event(struct dmasim *s, const struct dmasim_event *event,
			struct trace_facts *facts)
{
	struct trace *trace = &s->world.trace;
	u32 fields = trace_formats[event->type].fields;
	struct hw_target bar;

	trace_machine(s);
	if ((fields & (DMASIM_F_BELOW | DMASIM_F_ALLOC)) &&
	    check_finds_bar(&s->check, event->phys, &bar)) {
		tell_bar(trace, &bar);
		facts->below_root = check_reaches_below_root(&s->check, event->dev, &bar);
	}
	if (event->type == DMASIM_EVENT_P2P_TYPE)
		tell_peers(s);
	if (event->type == DMASIM_EVENT_UNMAP_PHYS &&
	    check_finds_bus_address(&s->check, event->dev, event->dma, &bar))
		tell_bar(trace, &bar);
	if (fields & DMASIM_F_MEMORY)
		facts->memory =
			s->check.kinds.of_host(s->check.kinds.cookie, event->pointer, event->size);
	if (has_list(event))
		tell_list(trace, event);
}
