/* SPDX-License-Identifier: MIT */
/*
 * The port's functions: the only place where the software's requests become the hardware's.
 */
#include <errno.h>

#include "machine/machine.h"

/* Extents may have moved: a pointer the platform remembers may be void. */
static void check_window(struct dmasim *s)
{
	if (s->ram_dropped == s->hw.ram.dropped)
		return;
	s->ram_dropped = s->hw.ram.dropped;
	platform_forget(&s->platform);
}

static phys_addr_t port_frames_alloc(void *machine, enum dmasim_fault_point why, u64 count,
				     phys_addr_t last)
{
	struct dmasim *s = machine;
	phys_addr_t phys = frames_alloc_below(&s->hw.frames, why, count, last);

	check_window(s);
	if (phys == RAM_NO_PHYS)
		return phys;
	check_memory_gone(&s->check, phys, count << FRAME_SHIFT);
	check_frames_allocated(&s->check, phys, count << FRAME_SHIFT);
	return phys;
}

static void port_frames_free(void *machine, enum dmasim_fault_point why, phys_addr_t phys,
			     u64 count)
{
	struct dmasim *s = machine;

	if (why == DMASIM_FAULT_TABLE_PAGE)
		check_table_freed(&s->check, phys);
	else
		check_memory_gone(&s->check, phys, count << FRAME_SHIFT);
	frames_free(&s->hw.frames, why, phys, count);
}

static u64 port_frames_count(void *machine, phys_addr_t phys)
{
	struct dmasim *s = machine;

	return frames_count(&s->hw.frames, phys);
}

static void *port_ptr(void *machine, phys_addr_t phys)
{
	struct dmasim *s = machine;
	struct ram_extent *extent = ram_touch(&s->hw.ram, phys);

	if (!extent)
		return NULL;
	s->platform.window_start = extent->start;
	s->platform.window_bytes = extent->bytes;
	s->platform.window_host = extent->host;
	s->ram_dropped = s->hw.ram.dropped;
	return extent->host + (phys - extent->start);
}

static phys_addr_t phys_in_bars(const struct hw_bus *bus, const void *ptr)
{
	struct hw_function *function;

	TAILQ_FOREACH(function, &bus->functions, link) {
		phys_addr_t found = PLATFORM_NO_PHYS;

		for (u32 bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
			const struct ram *memory = function->bar[bar].memory;
			phys_addr_t offset = memory ? ram_phys_of(memory, ptr) : RAM_NO_PHYS;

			if (offset != RAM_NO_PHYS)
				return hw_bar_phys(function, bar) + offset;
		}
		if (function->secondary)
			found = phys_in_bars(function->secondary, ptr);
		if (found != PLATFORM_NO_PHYS)
			return found;
	}
	return PLATFORM_NO_PHYS;
}

static phys_addr_t port_phys(void *machine, const void *ptr)
{
	struct dmasim *s = machine;
	phys_addr_t phys = ram_phys_of(&s->hw.ram, ptr);
	struct hw_root *root;

	TAILQ_FOREACH(root, &s->hw.roots, link) {
		if (phys == RAM_NO_PHYS)
			phys = phys_in_bars(&root->bus, ptr);
	}
	return phys;
}

static void *port_bar_ptr(void *machine, enum dmasim_fault_point why, phys_addr_t phys, u64 bytes)
{
	struct dmasim *s = machine;
	struct hw_target target = hw_phys_target(&s->hw, phys);
	struct ram *memory;

	if (memory_fails(&s->world.memory, why) || target.kind != HW_TARGET_BAR)
		return NULL;
	memory = hw_bar_memory(target.function, target.bar);
	if (!memory)
		return NULL;
	if (!ram_join(memory, target.offset, bytes))
		return NULL;
	return dmasim_ptr(s, phys, bytes);
}

static void *port_alloc(void *machine, enum dmasim_fault_point why, size_t bytes)
{
	struct dmasim *s = machine;

	return memory_alloc(&s->world.memory, why, bytes);
}

static void port_free(void *machine, void *memory)
{
	struct dmasim *s = machine;

	memory_free(&s->world.memory, memory);
}

static u32 port_config_read(void *machine, dmasim_sbdf dev, u32 offset, u32 bytes)
{
	struct dmasim *s = machine;
	const struct hw_function *function = hw_function_find(&s->hw, dev);

	if (!function)
		return bytes == 4 ? ~0U : (1U << (8 * bytes)) - 1;
	return hw_config_read(function, offset, bytes);
}

static void port_config_write(void *machine, dmasim_sbdf dev, u32 offset, u32 bytes, u32 value)
{
	struct dmasim *s = machine;
	struct hw_function *function = hw_function_find(&s->hw, dev);

	if (!function)
		return;
	check_on_cpu(&s->check, s->platform.cpu);
	check_before_config(&s->check, function, offset, bytes, value);
	hw_config_write(function, offset, bytes, value);
	if (DMASIM_UNLIKELY(s->world.trace.on && s->check.config_matters))
		trace_lost_bars(s, function, offset);
	check_after_config(&s->check, function, offset);
}

static const struct platform_firmware *port_firmware(void *machine)
{
	struct dmasim *s = machine;

	return &s->firmware.described;
}

/* Scalable mode: the entry of requests without PASID, and what leads to it. */
static int set_rid_pasid(struct hw_iommu *iommu, u16 requester, struct hw_context entry)
{
	const struct hw_context leading = { .type = HW_CONTEXT_PASIDS,
					    .pasid_bits = HW_PASID_BITS };
	const struct hw_context absent = { .type = HW_CONTEXT_ABSENT };
	int err = hw_pasid_set(iommu, requester, HW_RID_PASID, entry);

	if (err || hw_context_get(iommu, requester).type == HW_CONTEXT_PASIDS)
		return err;
	err = hw_context_set(iommu, requester, leading);
	if (err)
		hw_pasid_set(iommu, requester, HW_RID_PASID, absent);
	return err;
}

static int port_context_set(void *machine, u32 unit, u16 requester,
			    const struct platform_context *from)
{
	struct dmasim *s = machine;
	struct hw_iommu *iommu = hw_iommu_find(&s->hw, unit);
	static const enum hw_context_type types[] = {
		[PLATFORM_CONTEXT_ABSENT] = HW_CONTEXT_ABSENT,
		[PLATFORM_CONTEXT_TRANSLATE] = HW_CONTEXT_TRANSLATE,
		[PLATFORM_CONTEXT_PASS_THROUGH] = HW_CONTEXT_PASS_THROUGH,
	};
	struct hw_context context = {
		.type = (u8)types[from->type],
		.levels = from->levels,
		.domain = (u16)from->domain,
		.root = from->root,
		.device_tlb = from->device_tlb,
	};
	int err;

	if (from->type == PLATFORM_CONTEXT_TRANSLATE && from->first_stage)
		context.type = HW_CONTEXT_FIRST_STAGE;
	err = iommu->scalable ? set_rid_pasid(iommu, requester, context)
			      : hw_context_set(iommu, requester, context);
	if (!err)
		check_context(&s->check, iommu, requester, &context);
	return err;
}

DMASIM_HOT static int port_queue_submit(void *machine, u32 unit, const void *commands, size_t bytes)
{
	struct dmasim *s = machine;

	return hw_queue_submit(hw_iommu_find(&s->hw, unit), commands, bytes);
}

static void port_queue_clear_error(void *machine, u32 unit)
{
	struct dmasim *s = machine;

	hw_queue_resume(hw_iommu_find(&s->hw, unit));
}

/* While it waits, other CPUs may run, and devices. */
DMASIM_HOT static int port_queue_wait(void *machine, u32 unit)
{
	struct dmasim *s = machine;
	struct hw_iommu *iommu = hw_iommu_find(&s->hw, unit);

	if (s->world.schedule && hw_queue_pending(&iommu->queue))
		schedule_point(s->world.schedule);
	return hw_queue_wait(iommu);
}

static void port_cache_clean(void *machine, phys_addr_t phys, u64 bytes)
{
	struct dmasim *s = machine;

	hw_cache_clean(&s->hw, phys, bytes);
}

static void port_cache_invalidate(void *machine, phys_addr_t phys, u64 bytes)
{
	struct dmasim *s = machine;

	check_ram_changing(&s->check, phys, bytes);
	hw_cache_invalidate(&s->hw, phys, bytes);
}

static void port_cache_bypass(void *machine, phys_addr_t phys, u64 bytes, bool bypass)
{
	struct dmasim *s = machine;

	hw_cache_bypass(&s->hw, phys, bytes, bypass);
}

static void port_cpu_copies(void *machine, phys_addr_t phys, u64 bytes, bool writes)
{
	struct dmasim *s = machine;

	check_cpu_copies(&s->check, phys, bytes, writes);
}

static u64 port_chance(void *machine, u64 bound)
{
	return random_below(&((struct dmasim *)machine)->world.random, bound);
}

DMASIM_HOT static u64 port_now(void *machine)
{
	const struct dmasim *s = machine;

	return s->world.clock.now_ns;
}

static void port_timer_arm(void *machine, struct dmasim_timer *timer, u64 delay_ns)
{
	struct dmasim *s = machine;

	clock_arm(&s->world.clock, timer, delay_ns);
}

static void port_timer_cancel(void *machine, struct dmasim_timer *timer)
{
	struct dmasim *s = machine;

	clock_cancel(&s->world.clock, timer);
}

static void port_point(void *machine, enum dmasim_point point)
{
	struct dmasim *s = machine;

	s->world.points[point]++;
	if (s->world.schedule)
		schedule_point(s->world.schedule);
}

static bool port_wait(void *machine, const bool *held)
{
	struct dmasim *s = machine;

	return s->world.schedule && schedule_wait(s->world.schedule, held);
}

static void trace_one(struct dmasim *s, const struct dmasim_event *event)
{
	struct trace_facts facts = { 0 };

	trace_before_event(s, event, &facts);
	trace_event(&s->world.trace, event, &facts);
}

/* Each of several entries is a line. Those that come with a call are told as ones before it. */
static void trace_entries(struct dmasim *s, const struct dmasim_event *event)
{
	struct dmasim_event several = *event, one;

	several.type = DMASIM_EVENT_MAP_SG_ENTRY;
	one = several;
	one.list = NULL;
	for (u64 i = 0; i < event->done; i++) {
		const struct dmasim_sg_entry *entry = &event->list->entry[i];

		one.dma = entry->dma;
		one.phys = entry->phys;
		one.size = entry->size;
		one.done = entry->done;
		one.bus_address = entry->bus_address;
		trace_one(s, &one);
	}
	if (event->done)
		check_event(&s->check, &several);
}

/* The same of the segments of a list that is about to be unmapped. */
static void trace_segments(struct dmasim *s, const struct dmasim_event *event)
{
	struct dmasim_event one = *event;
	struct scatterlist *sg;
	u32 i;

	one.list = NULL;
	for_each_sg(event->list->sg, sg, event->count, i) {
		if (event->list->merged && !sg_dma_len(sg))
			break;
		one.dma = sg->dma_address;
		one.size = sg_dma_len(sg);
		one.bus_address = sg_dma_is_bus_address(sg);
		trace_one(s, &one);
	}
	check_event(&s->check, event);
}

static void trace_call(struct dmasim *s, const struct dmasim_event *event)
{
	struct trace_facts facts = { 0 };

	trace_before_event(s, event, &facts);
	/* A state has a number while it lives: from its allocation on, up to its end. */
	if (event->type == DMASIM_EVENT_TRY_ALLOC)
		check_event(&s->check, event);
	facts.state = check_state(&s->check, event);
	trace_event(&s->world.trace, event, &facts);
	if (event->type != DMASIM_EVENT_TRY_ALLOC)
		check_event(&s->check, event);
}

/* The call itself: its entries were told. */
static void trace_map_sg(struct dmasim *s, const struct dmasim_event *event)
{
	struct dmasim_event_list list = *event->list;
	struct dmasim_event call = *event;

	list.entry = NULL;
	call.list = &list;
	call.done = 0;
	trace_call(s, &call);
}

static void trace_and_check(struct dmasim *s, const struct dmasim_event *event)
{
	switch (event->type) {
	case DMASIM_EVENT_MAP_SG_ENTRY:
		trace_entries(s, event);
		break;
	case DMASIM_EVENT_MAP_SG:
		trace_entries(s, event);
		trace_map_sg(s, event);
		break;
	case DMASIM_EVENT_UNMAP_SG_ENTRY:
		trace_segments(s, event);
		break;
	default:
		trace_call(s, event);
		break;
	}
}

/* Those that the kernel's log has a line of, too. */
static void log_event(struct dmasim *s, const struct dmasim_event *event)
{
	if (event->type == DMASIM_EVENT_IOVA_DAC)
		kernel_log_bits(s, event->dev, event->count);
	if (event->type == DMASIM_EVENT_P2P_WARN)
		kernel_log_peer(s, event->dev, event->peer);
}

/* What few machines do with events. */
static DMASIM_NOINLINE void event_slowly(struct dmasim *s, const struct dmasim_event *event)
{
	if (s->world.trace.on)
		trace_and_check(s, event);
	else
		check_event(&s->check, event);
	if (dma_debug_listens(&s->check.debug))
		check_debug_event(&s->check, event);
	log_event(s, event);
}

DMASIM_HOT static void port_event(void *machine, const struct dmasim_event *event)
{
	struct dmasim *s = machine;

	check_on_cpu(&s->check, s->platform.cpu);
	if (DMASIM_UNLIKELY(s->check.others_listen))
		event_slowly(s, event);
	else
		check_event(&s->check, event);
}

static void port_report(void *machine, const struct platform_report *report)
{
	struct dmasim *s = machine;

	check_on_cpu(&s->check, s->platform.cpu);
	check_software_report(&s->check, report);
}

void port_init(struct dmasim *s)
{
	static const struct platform_ops ops = {
		.frames_alloc = port_frames_alloc,
		.frames_free = port_frames_free,
		.frames_count = port_frames_count,
		.ptr = port_ptr,
		.phys = port_phys,
		.bar_ptr = port_bar_ptr,
		.alloc = port_alloc,
		.free = port_free,
		.config_read = port_config_read,
		.config_write = port_config_write,
		.firmware = port_firmware,
		.context_set = port_context_set,
		.queue_submit = port_queue_submit,
		.queue_clear_error = port_queue_clear_error,
		.queue_wait = port_queue_wait,
		.cache_clean = port_cache_clean,
		.cache_invalidate = port_cache_invalidate,
		.cache_bypass = port_cache_bypass,
		.cpu_copies = port_cpu_copies,
		.chance = port_chance,
		.now = port_now,
		.timer_arm = port_timer_arm,
		.timer_cancel = port_timer_cancel,
		.point = port_point,
		.wait = port_wait,
		.event = port_event,
		.report = port_report,
	};

	s->check.others_listen = s->world.trace.on || s->config.dma_debug;
	s->platform = (struct platform){
		.ops = &ops,
		.machine = s,
		.listening = s->check.judging || s->world.trace.on || s->config.dma_debug,
		.stepping = s->config.count_points,
	};
}
