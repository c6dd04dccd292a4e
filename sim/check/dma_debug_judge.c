/* SPDX-License-Identifier: MIT */
/*
 * What dma-debug makes of the software's calls. The checks stand in the order in which it makes
 * them; each is an error of its own.
 */
#include <dmasim/dma.h>
#include <dmasim/scatterlist.h>

#include "check/check.h"

static void error(struct check *check, const struct dma_debug_entry *about,
		  const struct dma_debug_entry *mapped, const struct dma_debug_message *message)
{
	dma_debug_error(&check->debug, about->dev, mapped, message);
}

/* ---- Map -------------------------------------------------------------- */

/* D2, D3. */
static void check_memory(struct check *check, const struct dma_debug_entry *entry)
{
	enum memory_kind kind = memory_kind_at(&check->kinds, entry->phys, entry->size);

	if (kind == MEMORY_STACK)
		error(check, entry, NULL, &(struct dma_debug_message){ .check = DMA_DEBUG_STACK });
	else if (kind == MEMORY_READ_ONLY)
		error(check, entry, NULL,
		      &(struct dma_debug_message){ .check = DMA_DEBUG_TEXT,
						   .number = { entry->size } });
}

static void on_map_phys(struct check *check, const struct dmasim_event *event)
{
	const struct dma_debug_entry entry = {
		.dev = event->dev,
		.type = DMA_DEBUG_PHY,
		.phys = event->phys,
		.dma = event->dma,
		.size = event->size,
		.dir = event->dir,
		.asked = DMA_DEBUG_NOT_ASKED,
		.attrs = event->attrs,
		.site = event->site,
	};

	if (event->dma == DMA_MAPPING_ERROR)
		return;
	if (!(event->attrs & DMA_ATTR_MMIO))
		check_memory(check, &entry);
	else if (hw_phys_target(check->hw, event->phys).kind == HW_TARGET_RAM)
		error(check, &entry, NULL,
		      &(struct dma_debug_message){ .check = DMA_DEBUG_RESOURCE_RAM,
						   .number = { event->phys } });
	dma_debug_add(&check->debug, &entry);
}

/*
 * A pointer into no memory of the machine. That of a stack, or of vmalloc(), Linux refuses before
 * dma-debug hears of it.
 */
static void on_map_refused(struct check *check, const struct dmasim_event *event)
{
	enum memory_kind kind =
		check->kinds.of_host(check->kinds.cookie, event->pointer, event->size);
	const struct dma_debug_entry about = { .dev = event->dev };

	if (kind == MEMORY_STACK || kind == MEMORY_VMALLOC)
		return;
	error(check, &about, NULL,
	      &(struct dma_debug_message){ .check = kind == MEMORY_PLAIN ? DMA_DEBUG_INVALID
									 : DMA_DEBUG_TEXT,
					   .number = { event->size } });
}

static struct dma_debug_entry allocation(const struct dmasim_event *event)
{
	static const enum dma_debug_type types[] = {
		[DMASIM_ALLOC_COHERENT] = DMA_DEBUG_COHERENT,
		[DMASIM_ALLOC_NONCOHERENT] = DMA_DEBUG_NONCOHERENT,
		[DMASIM_ALLOC_NONCONTIGUOUS] = DMA_DEBUG_SG,
	};
	bool is_list = event->alloc == DMASIM_ALLOC_NONCONTIGUOUS;

	return (struct dma_debug_entry){
		.dev = event->dev,
		.type = types[event->alloc],
		.phys = event->phys,
		.dma = event->dma,
		.size = event->size,
		.dir = event->dir,
		.entries = is_list,
		.mapped = is_list,
		.attrs = event->attrs,
		.site = event->site,
	};
}

static void on_alloc(struct check *check, const struct dmasim_event *event)
{
	const struct dma_debug_entry entry = allocation(event);

	if (event->dma != DMA_MAPPING_ERROR)
		dma_debug_add(&check->debug, &entry);
}

/* ---- Lists ------------------------------------------------------------ */

static struct dma_debug_entry list_entry(const struct dmasim_event *event,
					 const struct scatterlist *sg)
{
	return (struct dma_debug_entry){
		.dev = event->dev,
		.type = DMA_DEBUG_SG,
		.phys = sg_phys(sg),
		.dma = sg->dma_address,
		.size = sg->dma_length,
		.dir = event->dir,
		.entries = event->count,
		.attrs = event->attrs,
		.site = event->site,
	};
}

/* D5, D6. */
static void check_segment(struct check *check, const struct dmasim_event *event,
			  const struct dma_debug_entry *entry, u32 length)
{
	u64 last = entry->dma + entry->size - 1;

	if (length > event->list->segment_bytes)
		error(check, entry, NULL,
		      &(struct dma_debug_message){
			      .check = DMA_DEBUG_SEGMENT_LENGTH,
			      .number = { length, event->list->segment_bytes } });
	if ((entry->dma ^ last) & ~event->list->boundary)
		error(check, entry, NULL,
		      &(struct dma_debug_message){
			      .check = DMA_DEBUG_SEGMENT_BOUNDARY,
			      .number = { entry->dma, last, event->list->boundary } });
}

static void on_map_sg(struct check *check, const struct dmasim_event *event)
{
	struct scatterlist *sg;
	u32 i;

	if (event->ret <= 0)
		return;
	for_each_sg(event->list->sg, sg, event->count, i) {
		struct dma_debug_entry memory = list_entry(event, sg);

		memory.size = sg->length;
		check_memory(check, &memory);
	}
	for_each_sg(event->list->sg, sg, (u32)event->ret, i) {
		struct dma_debug_entry entry = list_entry(event, sg);

		entry.mapped = (u32)event->ret;
		check_segment(check, event, &entry, sg->length);
		dma_debug_add(&check->debug, &entry);
	}
}

/* ---- Unmap ------------------------------------------------------------ */

#define ATTRS_OF_A_PAIR                                                           \
	(DMA_ATTR_NO_KERNEL_MAPPING | DMA_ATTR_FORCE_CONTIGUOUS | DMA_ATTR_MMIO | \
	 DMA_ATTR_REQUIRE_COHERENT | DMA_ATTR_PRIVILEGED | DMA_ATTR_CC_SHARED)

static bool is_allocation(const struct dma_debug_entry *entry)
{
	return entry->type == DMA_DEBUG_COHERENT || entry->type == DMA_DEBUG_NONCOHERENT;
}

/* D9, D10, D11. */
static void compare_memory(struct check *check, const struct dma_debug_entry *ref,
			   const struct dma_debug_entry *entry)
{
	if (ref->size != entry->size)
		error(check, ref, entry,
		      &(struct dma_debug_message){
			      .check = DMA_DEBUG_SIZE,
			      .number = { ref->dma, entry->size, ref->size } });
	if (ref->type != entry->type)
		error(check, ref, entry,
		      &(struct dma_debug_message){
			      .check = DMA_DEBUG_FUNCTION,
			      .number = { ref->dma, ref->size },
			      .word = { dma_debug_type(entry->type), dma_debug_type(ref->type) } });
	else if (is_allocation(entry) && ref->phys != entry->phys)
		error(check, ref, entry,
		      &(struct dma_debug_message){
			      .check = DMA_DEBUG_CPU_ADDRESS,
			      .number = { ref->dma, ref->size, entry->phys, ref->phys } });
}

/* D12, D13, D14, D22. */
static void compare_call(struct check *check, const struct dma_debug_entry *ref,
			 const struct dma_debug_entry *entry)
{
	if (ref->type == DMA_DEBUG_SG && ref->entries != entry->entries)
		error(check, ref, entry,
		      &(struct dma_debug_message){ .check = DMA_DEBUG_ENTRY_COUNT,
						   .number = { entry->entries, ref->entries } });
	if (ref->dir != entry->dir)
		error(check, ref, entry,
		      &(struct dma_debug_message){ .check = DMA_DEBUG_DIRECTION,
						   .number = { ref->dma, ref->size },
						   .word = { dma_debug_direction(entry->dir),
							     dma_debug_direction(ref->dir) } });
	if (entry->asked == DMA_DEBUG_NOT_ASKED)
		error(check, ref, entry,
		      &(struct dma_debug_message){ .check = DMA_DEBUG_NOT_CHECKED,
						   .number = { ref->dma, ref->size },
						   .word = { dma_debug_type(entry->type) } });
	if ((ref->attrs ^ entry->attrs) & ATTRS_OF_A_PAIR)
		error(check, ref, entry,
		      &(struct dma_debug_message){
			      .check = DMA_DEBUG_ATTRS,
			      .number = { ref->dma, ref->size, entry->attrs, ref->attrs } });
}

static void unmap(struct check *check, const struct dma_debug_entry *ref)
{
	struct dma_debug_entry *entry = dma_debug_find(&check->debug, ref);

	if (!entry) {
		enum dma_debug_check which = ref->dma == DMA_MAPPING_ERROR
						     ? DMA_DEBUG_ERROR_VALUE
						     : DMA_DEBUG_NOT_ALLOCATED;

		error(check, ref, NULL,
		      &(struct dma_debug_message){ .check = which,
						   .number = { ref->dma, ref->size } });
		return;
	}
	compare_memory(check, ref, entry);
	compare_call(check, ref, entry);
	dma_debug_remove(&check->debug, entry);
}

static void on_unmap_phys(struct check *check, const struct dmasim_event *event)
{
	unmap(check, &(struct dma_debug_entry){
			     .dev = event->dev,
			     .type = DMA_DEBUG_PHY,
			     .dma = event->dma,
			     .size = event->size,
			     .dir = event->dir,
			     .attrs = event->attrs,
		     });
}

static void on_alloc_free(struct check *check, const struct dmasim_event *event)
{
	const struct dma_debug_entry ref = allocation(event);

	unmap(check, &ref);
}

/* As many entries as were mapped of the list that the first one names; all, if it names none. */
static u32 entries_to_check(struct check *check, const struct dmasim_event *event)
{
	const struct dma_debug_entry first = list_entry(event, event->list->sg);
	const struct dma_debug_entry *entry;

	if (!event->count)
		return 0;
	entry = dma_debug_find(&check->debug, &first);
	return entry && entry->mapped && entry->mapped < event->count ? entry->mapped
								      : event->count;
}

static void on_unmap_sg(struct check *check, const struct dmasim_event *event)
{
	u32 count = entries_to_check(check, event);
	struct scatterlist *sg;
	u32 i;

	for_each_sg(event->list->sg, sg, count, i) {
		const struct dma_debug_entry ref = list_entry(event, sg);

		unmap(check, &ref);
	}
}

/* ---- Sync ------------------------------------------------------------- */

/* D17 to D19: all with the same words. */
static void compare_direction(struct check *check, const struct dma_debug_entry *ref,
			      const struct dma_debug_entry *entry, bool for_cpu)
{
	struct dma_debug_message message = {
		.check = DMA_DEBUG_SYNC_DIRECTION,
		.number = { ref->dma, entry->size },
		.word = { dma_debug_direction(entry->dir), dma_debug_direction(ref->dir) },
	};

	if (ref->dir == entry->dir)
		return;
	error(check, ref, entry, &message);
	message.check = for_cpu ? DMA_DEBUG_SYNC_READ_ONLY : DMA_DEBUG_SYNC_WRITE_ONLY;
	if (entry->dir == (for_cpu ? DMA_TO_DEVICE : DMA_FROM_DEVICE))
		error(check, ref, entry, &message);
}

static void sync(struct check *check, const struct dma_debug_entry *ref, bool for_cpu)
{
	const struct dma_debug_entry *entry = dma_debug_find_around(&check->debug, ref);

	if (!entry) {
		error(check, ref, NULL,
		      &(struct dma_debug_message){ .check = DMA_DEBUG_SYNC_NOT_ALLOCATED,
						   .number = { ref->dma, ref->size } });
		return;
	}
	if (entry->dir == DMA_BIDIRECTIONAL)
		return;
	compare_direction(check, ref, entry, for_cpu);
	if (ref->type == DMA_DEBUG_SG && ref->entries != entry->entries)
		error(check, ref, entry,
		      &(struct dma_debug_message){ .check = DMA_DEBUG_SYNC_COUNT,
						   .number = { entry->entries, ref->entries } });
}

static bool is_for_cpu(const struct dmasim_event *event)
{
	return event->type == DMASIM_EVENT_SYNC_FOR_CPU ||
	       event->type == DMASIM_EVENT_SYNC_SG_FOR_CPU;
}

static void on_sync(struct check *check, const struct dmasim_event *event)
{
	const struct dma_debug_entry ref = {
		.dev = event->dev,
		.type = DMA_DEBUG_SINGLE,
		.dma = event->dma,
		.size = event->size,
		.dir = event->dir,
	};

	if (!check_stopped(check, event))
		sync(check, &ref, is_for_cpu(event));
}

static void on_sync_sg(struct check *check, const struct dmasim_event *event)
{
	u32 count = !check_stopped(check, event) ? entries_to_check(check, event) : 0;
	struct scatterlist *sg;
	u32 i;

	for_each_sg(event->list->sg, sg, count, i) {
		const struct dma_debug_entry ref = list_entry(event, sg);

		sync(check, &ref, is_for_cpu(event));
	}
}

/* ---- The others ------------------------------------------------------- */

/* D14 is answered: for one mapping at this address, the first that still waits. */
static void on_mapping_error(struct check *check, const struct dmasim_event *event)
{
	struct dma_debug *debug = &check->debug;
	struct dma_debug_entry *entry;

	if (!debug->buckets)
		return;
	TAILQ_FOREACH(entry, &debug->buckets[dma_debug_bucket_of(event->dma)], link) {
		if (entry->dev != event->dev || entry->dma != event->dma ||
		    entry->asked != DMA_DEBUG_NOT_ASKED)
			continue;
		entry->asked = DMA_DEBUG_ASKED;
		return;
	}
}

/* D21: one of those that are left is told, the one found last. */
static void on_unbound(struct check *check, const struct dmasim_event *event)
{
	struct dma_debug *debug = &check->debug;
	const struct dma_debug_entry *entry, *left = NULL;
	u64 count = 0;

	for (u32 i = 0; debug->buckets && i < DMA_DEBUG_BUCKETS; i++) {
		TAILQ_FOREACH(entry, &debug->buckets[i], link) {
			if (entry->dev != event->dev)
				continue;
			left = entry;
			count++;
		}
	}
	if (left)
		error(check, left, left,
		      &(struct dma_debug_message){ .check = DMA_DEBUG_PENDING,
						   .number = { count, left->dma, left->size },
						   .word = { dma_debug_direction(left->dir),
							     dma_debug_type(left->type) } });
}

typedef void debug_event(struct check *check, const struct dmasim_event *event);

static debug_event *const judges[DMASIM_EVENT_COUNT] = {
	[DMASIM_EVENT_MAP_PHYS] = on_map_phys,
	[DMASIM_EVENT_MAP_REFUSED] = on_map_refused,
	[DMASIM_EVENT_UNMAP_PHYS] = on_unmap_phys,
	[DMASIM_EVENT_MAPPING_ERROR] = on_mapping_error,
	[DMASIM_EVENT_SYNC_FOR_CPU] = on_sync,
	[DMASIM_EVENT_SYNC_FOR_DEVICE] = on_sync,
	[DMASIM_EVENT_SYNC_SG_FOR_CPU] = on_sync_sg,
	[DMASIM_EVENT_SYNC_SG_FOR_DEVICE] = on_sync_sg,
	[DMASIM_EVENT_ALLOC] = on_alloc,
	[DMASIM_EVENT_ALLOC_FREE] = on_alloc_free,
	[DMASIM_EVENT_MAP_SG] = on_map_sg,
	[DMASIM_EVENT_UNMAP_SG] = on_unmap_sg,
	[DMASIM_EVENT_UNBOUND] = on_unbound,
};

void check_debug_event(struct check *check, const struct dmasim_event *event)
{
	if (judges[event->type])
		judges[event->type](check, event);
}
