/* SPDX-License-Identifier: MIT */
/*
 * The trace's lines for events of the software: which fields a line has is in event.h.
 */
#include "machine/machine.h"

const struct trace_format trace_formats[DMASIM_EVENT_COUNT] = {
#define EVENT_FORMAT(id, name, fields) { name, fields },
	DMASIM_EVENTS(EVENT_FORMAT)
#undef EVENT_FORMAT
};

const char *trace_dir_word(u32 dir)
{
	static const char *const words[] = { "BIDIRECTIONAL", "TO_DEVICE", "FROM_DEVICE", "NONE",
					     "INVALID" };

	return dir < 5 ? words[dir] : NULL;
}

const char *trace_type_word(u32 type)
{
	static const char *const words[] = { "UNKNOWN",		 "NONE",
					     "NOT_SUPPORTED",	 "BUS_ADDR",
					     "THRU_HOST_BRIDGE", "INVALID" };

	return type < 6 ? words[type] : NULL;
}

const char *trace_alloc_word(u32 alloc)
{
	static const char *const words[] = {
		[DMASIM_ALLOC_COHERENT] = "coherent",
		[DMASIM_ALLOC_NONCOHERENT] = "noncoherent",
		[DMASIM_ALLOC_NONCONTIGUOUS] = "noncontiguous",
	};

	return alloc < sizeof(words) / sizeof(words[0]) ? words[alloc] : NULL;
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
		trace_word(trace, "dir", trace_dir_word(event->dir < 4 ? event->dir : 4));
	if ((fields & DMASIM_F_ATTRS) && event->attrs)
		trace_hex(trace, "attrs", event->attrs);
	if (fields & DMASIM_F_PROT)
		put_prot(trace, event->prot);
	if (fields & DMASIM_F_BUS)
		trace_dec(trace, "bus", event->bus_address);
	if (fields & DMASIM_F_TYPE)
		trace_word(trace, "type",
			   trace_type_word(event->p2p_type < 5 ? event->p2p_type : 5));
	if (fields & DMASIM_F_RET)
		trace_ret(trace, "ret", event->ret);
}

/* What few events have. */
static void put_rest(struct trace *trace, const struct dmasim_event *event, u32 fields,
		     const struct trace_facts *facts)
{
	if (fields & DMASIM_F_ALLOC)
		trace_word(trace, "kind", trace_alloc_word(event->alloc));
	if (fields & DMASIM_F_MEMORY)
		trace_word(trace, "memory", memory_kind_name(facts->memory));
	if (fields & DMASIM_F_LIMITS) {
		trace_dec(trace, "longest", event->list->segment_bytes);
		trace_hex(trace, "boundary", event->list->boundary);
	}
	if ((fields & DMASIM_F_CHANGED) && event->list->changed)
		trace_dec(trace, "changed", 1);
	if ((fields & DMASIM_F_BELOW) && facts->below_root)
		trace_dec(trace, "below", 1);
}

void trace_event(struct trace *trace, const struct dmasim_event *event,
		 const struct trace_facts *facts)
{
	u32 fields = trace_formats[event->type].fields;

	if (!trace_begin(trace, trace_formats[event->type].name))
		return;
	put_identity(trace, event, fields, facts->state);
	put_numbers(trace, event, fields);
	put_words(trace, event, fields);
	if (fields >= DMASIM_F_ALLOC)
		put_rest(trace, event, fields, facts);
	trace_end(trace);
}
