/* SPDX-License-Identifier: MIT */
/*
 * Lines that are events of the software: they become the events they were, and go to the checker.
 */
#include <errno.h>

#include "machine/lint.h"

/* ---- Forms ------------------------------------------------------------ */

const char *lint_memory_word(u32 number)
{
	return number <= MEMORY_VMALLOC ? memory_kind_name((enum memory_kind)number) : NULL;
}

/* By the bits of enum dmasim_event_field; one has two keys. */
static const struct {
	u32 field;
	struct lint_key key;
} keys[] = {
	{ DMASIM_F_DEV, { "dev", LINT_BDF, false, NULL } },
	{ DMASIM_F_PEER, { "peer", LINT_BDF, false, NULL } },
	{ DMASIM_F_STATE, { "st", LINT_SMALL, false, NULL } },
	{ DMASIM_F_GROUP, { "group", LINT_SMALL, false, NULL } },
	{ DMASIM_F_DOMAIN, { "dom", LINT_SMALL, false, NULL } },
	{ DMASIM_F_DMA, { "dma", LINT_HEX, false, NULL } },
	{ DMASIM_F_PHYS, { "phys", LINT_HEX, false, NULL } },
	{ DMASIM_F_OFFSET, { "off", LINT_DECIMAL, false, NULL } },
	{ DMASIM_F_SIZE, { "size", LINT_DECIMAL, false, NULL } },
	{ DMASIM_F_DONE, { "done", LINT_DECIMAL, false, NULL } },
	{ DMASIM_F_COUNT, { "n", LINT_SMALL, false, NULL } },
	{ DMASIM_F_DIR, { "dir", LINT_WORD, false, trace_dir_word } },
	{ DMASIM_F_ATTRS, { "attrs", LINT_HEX, true, NULL } },
	{ DMASIM_F_PROT, { "prot", LINT_PROT, false, NULL } },
	{ DMASIM_F_BUS, { "bus", LINT_FLAG, false, NULL } },
	{ DMASIM_F_TYPE, { "type", LINT_WORD, false, trace_type_word } },
	{ DMASIM_F_RET, { "ret", LINT_RESULT, false, NULL } },
	{ DMASIM_F_ALLOC, { "kind", LINT_WORD, false, trace_alloc_word } },
	{ DMASIM_F_MEMORY, { "memory", LINT_WORD, false, lint_memory_word } },
	{ DMASIM_F_LIMITS, { "longest", LINT_SMALL, false, NULL } },
	{ DMASIM_F_LIMITS, { "boundary", LINT_HEX, false, NULL } },
	{ DMASIM_F_CHANGED, { "changed", LINT_FLAG, true, NULL } },
	{ DMASIM_F_BELOW, { "below", LINT_FLAG, true, NULL } },
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

/* What of an event a key says. */
static void put_address(struct dmasim_event *event, u32 field, u64 number)
{
	switch (field) {
	case DMASIM_F_DEV:
		event->dev = (dmasim_sbdf)number;
		break;
	case DMASIM_F_PEER:
		event->peer = (dmasim_sbdf)number;
		break;
	case DMASIM_F_DOMAIN:
		event->domain = (u32)number;
		break;
	case DMASIM_F_DMA:
		event->dma = number;
		break;
	case DMASIM_F_PHYS:
		event->phys = number;
		break;
	case DMASIM_F_OFFSET:
		event->offset = number;
		break;
	case DMASIM_F_SIZE:
		event->size = number;
		break;
	case DMASIM_F_DONE:
		event->done = number;
		break;
	default:
		break;
	}
}

static void put_rest(struct lint *lint, struct dmasim_event *event, const struct lint_key *key,
		     u32 field, u64 number)
{
	switch (field) {
	case DMASIM_F_COUNT:
		event->count = (u32)number;
		break;
	case DMASIM_F_DIR:
		event->dir = (u32)number;
		break;
	case DMASIM_F_ATTRS:
		event->attrs = number;
		break;
	case DMASIM_F_BUS:
		event->bus_address = number;
		break;
	case DMASIM_F_TYPE:
		event->p2p_type = (u8)number;
		break;
	case DMASIM_F_RET:
		event->ret = (s32)number;
		break;
	case DMASIM_F_ALLOC:
		event->alloc = (u8)number;
		break;
	case DMASIM_F_MEMORY:
		lint->memory = (enum memory_kind)number;
		break;
	case DMASIM_F_LIMITS:
		if (key->kind == LINT_HEX)
			lint->list.boundary = number;
		else
			lint->list.segment_bytes = (u32)number;
		break;
	case DMASIM_F_CHANGED:
		lint->list.changed = number;
		break;
	case DMASIM_F_BELOW:
		lint->below_root = number;
		break;
	default:
		break;
	}
}

/* ---- What no run can have told ---------------------------------------- */

/* Events that begin a mapping, if they succeeded. */
static bool begins(const struct dmasim_event *event)
{
	switch (event->type) {
	case DMASIM_EVENT_MAP_PHYS:
	case DMASIM_EVENT_ALLOC:
		return event->dma != DMA_MAPPING_ERROR && event->size;
	case DMASIM_EVENT_MAP_SG_ENTRY:
	case DMASIM_EVENT_BOUNCE:
		return event->size;
	case DMASIM_EVENT_TRY_ALLOC:
		return event->ret;
	case DMASIM_EVENT_LINK:
		return !event->ret && event->size;
	default:
		return false;
	}
}

/* True if [start, start + size) is some addresses, none of which is behind the last there is. */
static bool is_range(u64 start, u64 offset, u64 size)
{
	return size && start + offset >= start && start + offset + (size - 1) >= start + offset;
}

static int judge_ranges(struct lint *lint, const struct dmasim_event *event)
{
	if (begins(event) && (!is_range(event->dma, event->offset, event->size) ||
			      !is_range(event->phys, 0, event->size)))
		return lint_wrong(lint, "%llu bytes at 0x%llx, expected some that end below 2^64",
				  event->size, event->dma + event->offset);
	return 0;
}

static bool is_of_list(const struct dmasim_event *event)
{
	return event->type == DMASIM_EVENT_SYNC_SG_FOR_CPU ||
	       event->type == DMASIM_EVENT_SYNC_SG_FOR_DEVICE ||
	       event->type == DMASIM_EVENT_MAP_SG || event->type == DMASIM_EVENT_UNMAP_SG;
}

/* Those that lines of the entries come before. */
static bool has_entries(const struct dmasim_event *event)
{
	if (event->type == DMASIM_EVENT_MAP_SG)
		return event->ret > 0;
	return is_of_list(event) && event->type != DMASIM_EVENT_UNMAP_SG;
}

/* The lines before have told of each entry. */
static int use_list(struct lint *lint, struct dmasim_event *event)
{
	u32 count = lint->entry_count;

	lint->entry_count = 0;
	if (is_of_list(event))
		event->list = &lint->list;
	if (!has_entries(event))
		return 0;
	lint->list.sg = lint->entry;
	if (count != event->count)
		return lint_wrong(lint, "%u sg_entry before %s, expected n=%u of them", count,
				  lint->now->name, event->count);
	if (event->ret > 0 && (u32)event->ret > event->count)
		return lint_wrong(lint, "ret=%d, expected at most n=%u", event->ret, event->count);
	return 0;
}

/* ---- Taking ----------------------------------------------------------- */

static int judge(struct lint *lint, struct dmasim_event *event)
{
	int err = judge_ranges(lint, event);

	if (!err)
		err = use_list(lint, event);
	if (err)
		return err;
	event->site = lint_site(lint, lint->now->name);
	if (!event->site)
		return -ENOMEM;
	check_on_cpu(&lint->s->check, lint->s->platform.cpu);
	check_event(&lint->s->check, event);
	return 0;
}

static int take_event(struct lint *lint, const struct lint_value *value)
{
	u32 fields = trace_formats[lint->now->event].fields;
	struct dmasim_event event = { .type = (u8)lint->now->event, .dir = DMA_NONE };

	lint->below_root = false;
	lint->list = (struct dmasim_event_list){ 0 };
	for (u32 i = 0; i < KEYS; i++) {
		if (!(fields & keys[i].field))
			continue;
		if (value->given && keys[i].field <= DMASIM_F_DONE)
			put_address(&event, keys[i].field, value->number);
		else if (value->given)
			put_rest(lint, &event, &keys[i].key, keys[i].field, value->number);
		value++;
	}
	if ((fields & DMASIM_F_DEV) && !lint_device(lint, event.dev))
		return -EINVAL;
	return judge(lint, &event);
}

void lint_events_init(struct lint *lint)
{
	for (u32 type = 0; type < DMASIM_EVENT_COUNT; type++) {
		struct lint_form *form = lint_form_add(lint, trace_formats[type].name, take_event);

		form->event = (enum dmasim_event_type)type;
		for (u32 i = 0; i < KEYS; i++) {
			if (trace_formats[type].fields & keys[i].field)
				lint_form_key(form, &keys[i].key);
		}
	}
}
