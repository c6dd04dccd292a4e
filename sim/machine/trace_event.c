/* SPDX-License-Identifier: MIT */
/*
 * The trace's lines for events of the software: which fields a line has is in event.h.
 */
#include "machine/machine.h"

static const struct {
	const char *name;
	u32 fields;
} formats[] = {
#define EVENT_FORMAT(id, name, fields) { name, fields },
	DMASIM_EVENTS(EVENT_FORMAT)
#undef EVENT_FORMAT
};

static const char *dir_word(u32 dir)
{
	static const char *const words[] = { "BIDIRECTIONAL", "TO_DEVICE", "FROM_DEVICE", "NONE" };

	return dir < 4 ? words[dir] : "INVALID";
}

static const char *type_word(u32 type)
{
	static const char *const words[] = { "UNKNOWN", "NONE", "NOT_SUPPORTED", "BUS_ADDR",
					     "THRU_HOST_BRIDGE" };

	return type < 5 ? words[type] : "INVALID";
}

static void put_prot(struct trace *trace, u32 prot)
{
	static const char letters[] = "rwcxmp";
	char word[sizeof(letters)];
	size_t length = 0;

	for (u32 bit = 0; letters[bit]; bit++) {
		if (prot & (1U << bit))
			word[length++] = letters[bit];
	}
	word[length] = '\0';
	trace_word(trace, "prot", length ? word : "-");
}

static void put_identity(struct trace *trace, const struct dmasim_event *event, u32 fields,
			 u32 state)
{
	if (fields & DMASIM_F_DEV)
		trace_bdf(trace, "dev", event->dev);
	if (fields & DMASIM_F_PEER)
		trace_bdf(trace, "peer", event->peer);
	if (fields & DMASIM_F_STATE)
		trace_dec(trace, "st", state);
	if (fields & DMASIM_F_GROUP)
		trace_dec(trace, "group", event->group);
	if (fields & DMASIM_F_DOMAIN)
		trace_dec(trace, "dom", event->domain);
}

static void put_numbers(struct trace *trace, const struct dmasim_event *event, u32 fields)
{
	if (fields & DMASIM_F_DMA)
		trace_hex(trace, "dma", event->dma);
	if (fields & DMASIM_F_PHYS)
		trace_hex(trace, "phys", event->phys);
	if (fields & DMASIM_F_OFFSET)
		trace_dec(trace, "off", event->offset);
	if (fields & DMASIM_F_SIZE)
		trace_dec(trace, "size", event->size);
	if (fields & DMASIM_F_DONE)
		trace_dec(trace, "done", event->done);
	if (fields & DMASIM_F_COUNT)
		trace_dec(trace, "n", event->count);
}

static void put_words(struct trace *trace, const struct dmasim_event *event, u32 fields)
{
	if (fields & DMASIM_F_DIR)
		trace_word(trace, "dir", dir_word(event->dir));
	if ((fields & DMASIM_F_ATTRS) && event->attrs)
		trace_hex(trace, "attrs", event->attrs);
	if (fields & DMASIM_F_PROT)
		put_prot(trace, event->prot);
	if (fields & DMASIM_F_BUS)
		trace_dec(trace, "bus", event->bus_address);
	if (fields & DMASIM_F_TYPE)
		trace_word(trace, "type", type_word(event->p2p_type));
	if (fields & DMASIM_F_RET)
		trace_ret(trace, "ret", event->ret);
}

static void put_line(struct trace *trace, const struct dmasim_event *event, u32 state)
{
	u32 fields = formats[event->type].fields;

	if (!trace_begin(trace, formats[event->type].name))
		return;
	put_identity(trace, event, fields, state);
	put_numbers(trace, event, fields);
	put_words(trace, event, fields);
	trace_end(trace);
}

static void put_entries(struct trace *trace, const struct dmasim_event *event)
{
	for (u32 i = 0; i < event->count; i++) {
		struct dmasim_event one = *event;

		one.dma = event->entries[i].dma;
		one.phys = event->entries[i].phys;
		one.size = event->entries[i].size;
		one.done = event->entries[i].done;
		one.bus_address = event->entries[i].bus_address;
		put_line(trace, &one, 0);
	}
}

void trace_event(struct trace *trace, const struct dmasim_event *event, u32 state)
{
	if (event->entries)
		put_entries(trace, event);
	else
		put_line(trace, event, state);
}
