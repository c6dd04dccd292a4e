/* SPDX-License-Identifier: MIT */
/*
 * The machine that a trace is of, as far as the trace has told of it: devices by their numbers,
 * memory, BARs, windows of host bridges. It answers for the hardware that is not there.
 */
#include <errno.h>

#include "machine/lint.h"

static int compare_devices(const struct lint_device *a, const struct lint_device *b)
{
	return a->number < b->number ? -1 : a->number > b->number;
}

static int compare_buses(const struct lint_bus *a, const struct lint_bus *b)
{
	return a->number < b->number ? -1 : a->number > b->number;
}

RB_PROTOTYPE(lint_device_tree, lint_device, by_number, compare_devices)
RB_GENERATE(lint_device_tree, lint_device, by_number, compare_devices)
RB_PROTOTYPE(lint_bus_tree, lint_bus, by_number, compare_buses)
RB_GENERATE(lint_bus_tree, lint_bus, by_number, compare_buses)

/* ---- Devices ---------------------------------------------------------- */

static struct lint_device *find_device(struct lint *lint, dmasim_sbdf number)
{
	struct lint_device wanted;

	if (DMASIM_LIKELY(lint->recent && lint->recent->number == number))
		return lint->recent;
	wanted.number = number;
	return RB_FIND(lint_device_tree, &lint->devices, &wanted);
}

/* The windows of its host bridge are those of a bus, as far as there is room. */
static void add_window(struct lint_bus *bus, const struct lint_window *window)
{
	struct hw_root *root = &bus->root;

	if (bus->number < window->first || bus->number > window->last ||
	    root->window_count == HW_ROOT_WINDOWS_MAX)
		return;
	root->window[root->window_count++] =
		(struct hw_window){ .start = window->start, .bytes = window->bytes };
}

static struct lint_bus *bus_of(struct lint *lint, dmasim_sbdf device)
{
	struct lint_bus *bus, wanted;

	wanted.number = device >> 8;
	bus = RB_FIND(lint_bus_tree, &lint->buses, &wanted);
	if (bus)
		return bus;
	bus = lint_alloc(lint, sizeof(*bus));
	if (!bus)
		return NULL;
	bus->number = device >> 8;
	bus->root.segment = (u16)(device >> 16);
	bus->root.bus_first = bus->root.bus_last = (u8)(device >> 8);
	bus->root.bus.root = &bus->root;
	TAILQ_INIT(&bus->root.bus.functions);
	for (u32 i = 0; i < lint->window_count; i++)
		add_window(bus, &lint->window[i]);
	RB_INSERT(lint_bus_tree, &lint->buses, bus);
	return bus;
}

struct lint_device *lint_device(struct lint *lint, dmasim_sbdf number)
{
	struct lint_device *device = find_device(lint, number);
	struct lint_bus *bus;

	lint->recent = device;
	if (DMASIM_LIKELY(device))
		return device;
	if (lint->device_count == LINT_DEVICES_MAX) {
		lint_wrong(lint, "one more device, expected at most %u", LINT_DEVICES_MAX);
		return NULL;
	}
	bus = bus_of(lint, number);
	device = bus ? lint_alloc(lint, sizeof(*device)) : NULL;
	if (!device)
		return NULL;
	device->number = number;
	device->function.hw = &lint->s->hw;
	device->function.bus = &bus->root.bus;
	device->function.devfn = (u8)number;
	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++)
		device->function.bar[i].span = HW_NO_SPAN;
	RB_INSERT(lint_device_tree, &lint->devices, device);
	lint->device_count++;
	lint->recent = device;
	return device;
}

struct hw_iommu *lint_unit(struct lint *lint, u32 number, dmasim_sbdf below)
{
	struct hw *hw = &lint->s->hw;
	struct hw_root *root;
	struct hw_iommu *iommu = hw_iommu_find(hw, number);

	if (iommu)
		return iommu;
	if (lint->s->next_unit == LINT_UNITS_MAX) {
		lint_wrong(lint, "one more IOMMU, expected at most %u", LINT_UNITS_MAX);
		return NULL;
	}
	/* Its host bridge says which segment it is of; all else of that is in lint_bus. */
	root = hw_root_add(hw, (u16)(below >> 16), 0, 0);
	iommu = root ? hw_iommu_add(hw,
				    &(struct hw_iommu_desc){
					    .arch = lint->arch,
					    .unit = number,
					    .levels = 4,
					    .address_bits = lint->address_bits,
					    .iotlb_entries = 1,
				    })
		     : NULL;
	if (!iommu) {
		lint_no_memory(lint);
		return NULL;
	}
	root->iommu = iommu;
	lint->s->next_unit++;
	return iommu;
}

/* ---- Answers ---------------------------------------------------------- */

static struct lint *lint_of(const struct hw_told *told)
{
	return (struct lint *)(uintptr_t)told;
}

static struct hw_function *told_find(const struct hw_told *told, dmasim_sbdf dev)
{
	struct lint_device *device = find_device(lint_of(told), dev);

	return device ? &device->function : NULL;
}

static struct hw_target in_bar(const struct lint_bar *bar, phys_addr_t phys)
{
	/* It is a member of its device's array, and its device knows which. */
	struct hw_target target = { .kind = HW_TARGET_BAR, .phys = phys };

	target.offset = phys - bar->at.start;
	target.bar = bar->index;
	target.function = &bar->device->function;
	target.run_bytes = bar->at.last - phys + 1;
	return target;
}

static struct hw_target told_at(const struct hw_told *told, phys_addr_t phys)
{
	struct lint *lint = lint_of(told);
	const struct interval *bar = interval_first(&lint->bars, phys, phys);
	struct ram_range range;

	if (bar)
		return in_bar((const struct lint_bar *)(const void *)bar, phys);
	/* What a program adopts is memory; the trace tells only of what is special about it. */
	if (phys >> (lint->address_bits - 1) || ram_find_range(&lint->s->hw.ram, phys, &range))
		return (struct hw_target){ .kind = HW_TARGET_RAM, .phys = phys, .run_bytes = 1 };
	return (struct hw_target){ .kind = HW_TARGET_UNSUPPORTED, .phys = RAM_NO_PHYS };
}

/* Of what is mapped on this line. */
static struct hw_target told_route(const struct hw_told *told, const struct hw_request *request)
{
	struct hw_target target = told_at(told, request->address);

	target.passed_root = !lint_of(told)->below_root;
	return target;
}

static struct hw_target told_bus(const struct hw_told *told, u64 address)
{
	const struct lint *lint = lint_of(told);
	const struct interval *at;

	for (at = interval_first(&lint->bars, 0, ~0ULL); at;
	     at = interval_next(&lint->bars, at, 0, ~0ULL)) {
		const struct lint_bar *bar = (const struct lint_bar *)(const void *)at;

		if (address - bar->bus <= at->last - at->start)
			return in_bar(bar, at->start + (address - bar->bus));
	}
	return (struct hw_target){ .kind = HW_TARGET_UNSUPPORTED, .phys = RAM_NO_PHYS };
}

/* ---- Lines ------------------------------------------------------------ */

enum { RAM_PHYS, RAM_SIZE };

int lint_take_ram(struct lint *lint, const struct lint_value *value)
{
	struct ram *ram = &lint->s->hw.ram;
	u64 start = value[RAM_PHYS].number, bytes = value[RAM_SIZE].number;

	if (ram->range_count == RAM_RANGES_MAX)
		return lint_wrong(lint, "one more range of memory, expected at most %u",
				  RAM_RANGES_MAX);
	if (!bytes || start + (bytes - 1) < start)
		return lint_wrong(lint, "%llu bytes of memory at 0x%llx, expected some", bytes,
				  start);
	ram->range[ram->range_count++] = (struct ram_range){ start, bytes };
	return 0;
}

enum { WINDOW_AT, WINDOW_LAST, WINDOW_DMA, WINDOW_SIZE };

int lint_take_window(struct lint *lint, const struct lint_value *value)
{
	dmasim_sbdf at = (dmasim_sbdf)value[WINDOW_AT].number;
	struct lint_window window = {
		.first = at >> 8,
		.last = at >> 16 << 8 | (u8)value[WINDOW_LAST].number,
		.start = value[WINDOW_DMA].number,
		.bytes = value[WINDOW_SIZE].number,
	};
	struct lint_bus *bus;

	if (lint->window_count == LINT_WINDOWS_MAX)
		return lint_wrong(lint, "one more window, expected at most %u", LINT_WINDOWS_MAX);
	if (!lint->window)
		lint->window = lint_alloc(lint, LINT_WINDOWS_MAX * sizeof(window));
	if (!lint->window)
		return -ENOMEM;
	lint->window[lint->window_count++] = window;
	RB_FOREACH(bus, lint_bus_tree, &lint->buses)
		add_window(bus, &window);
	return 0;
}

enum { DEVICE_DEV, DEVICE_SNOOP };

int lint_take_device(struct lint *lint, const struct lint_value *value)
{
	struct lint_device *device = lint_device(lint, (dmasim_sbdf)value[DEVICE_DEV].number);

	if (!device)
		return -EINVAL;
	device->function.traits.no_snoop = !value[DEVICE_SNOOP].number;
	lint->s->hw.any_no_snoop |= device->function.traits.no_snoop;
	return 0;
}

enum { RESERVED_DEV, RESERVED_DMA, RESERVED_SIZE };

int lint_take_reserved(struct lint *lint, const struct lint_value *value)
{
	struct platform_firmware *firmware = &lint->firmware;
	const struct lint_value *dev = &value[RESERVED_DEV];

	if (firmware->reserved_count == LINT_RESERVED_MAX)
		return lint_wrong(lint, "one more reserved region, expected at most %u",
				  LINT_RESERVED_MAX);
	if (!lint->reserved)
		lint->reserved =
			lint_alloc(lint, LINT_RESERVED_MAX * sizeof(struct platform_reserved));
	if (!lint->reserved)
		return -ENOMEM;
	lint->reserved[firmware->reserved_count++] = (struct platform_reserved){
		.dev = dev->given ? (dmasim_sbdf)dev->number : DMASIM_NO_SBDF,
		.start = value[RESERVED_DMA].number,
		.bytes = value[RESERVED_SIZE].number,
	};
	firmware->reserved = lint->reserved;
	check_firmware(&lint->s->check, firmware);
	return 0;
}

enum { BAR_DEV, BAR_BAR, BAR_PHYS, BAR_BUS, BAR_SIZE };

int lint_take_bar(struct lint *lint, const struct lint_value *value)
{
	struct lint_device *device = lint_device(lint, (dmasim_sbdf)value[BAR_DEV].number);
	u64 index = value[BAR_BAR].number, start = value[BAR_PHYS].number;
	u64 bytes = value[BAR_SIZE].number;
	struct lint_bar *bar;

	if (!device)
		return -EINVAL;
	if (index >= PCI_STD_NUM_BARS)
		return lint_wrong(lint, "bar=%llu, expected 0 to 5", index);
	if (!bytes || start + (bytes - 1) < start)
		return lint_wrong(lint, "a BAR of %llu bytes at 0x%llx, expected some", bytes,
				  start);
	bar = &device->bar[index];
	if (bar->device)
		interval_remove(&lint->bars, &bar->at);
	*bar = (struct lint_bar){ .at = { .start = start, .last = start + (bytes - 1) },
				  .device = device,
				  .bus = value[BAR_BUS].number,
				  .index = (u32)index };
	interval_insert(&lint->bars, &bar->at);
	device->function.bar[index].bytes = bytes;
	device->function.bar[index].span = (struct hw_span){ bar->at.start, bar->at.last };
	return 0;
}

enum { LOST_DEV, LOST_BAR, LOST_AT, LOST_REGISTER };

int lint_take_bar_lost(struct lint *lint, const struct lint_value *value)
{
	struct lint_device *device = lint_device(lint, (dmasim_sbdf)value[LOST_DEV].number);
	struct lint_device *at = lint_device(lint, (dmasim_sbdf)value[LOST_AT].number);
	struct check *check = &lint->s->check;
	u64 index = value[LOST_BAR].number;
	struct lint_bar *bar;

	if (!device || !at)
		return -EINVAL;
	bar = index < PCI_STD_NUM_BARS ? &device->bar[index] : NULL;
	if (!bar || !bar->device)
		return lint_wrong(lint, "bar=%llu, expected one that the trace has told of", index);
	/* A write of any of these may do that; which it was matters afterwards. */
	check_before_config(check, &at->function, PCI_BASE_ADDRESS_0, 4, 0);
	interval_remove(&lint->bars, &bar->at);
	*bar = (struct lint_bar){ .device = NULL };
	device->function.bar[index].span = HW_NO_SPAN;
	check_after_config(check, &at->function, (u32)value[LOST_REGISTER].number);
	return 0;
}

enum { MEMORY_PHYS, MEMORY_SIZE, MEMORY_WORD };

/* The kind that the checker asks for is that of the line. */
static enum memory_kind kind_told(void *cookie, const void *ptr, u64 bytes)
{
	(void)ptr;
	(void)bytes;
	return ((struct lint *)cookie)->memory;
}

int lint_take_memory(struct lint *lint, const struct lint_value *value)
{
	struct memory_kinds *kinds = &lint->s->check.kinds;
	u64 start = value[MEMORY_PHYS].number, bytes = value[MEMORY_SIZE].number;

	lint->memory = (enum memory_kind)value[MEMORY_WORD].number;
	if (lint->memory == MEMORY_PLAIN) {
		memory_kinds_drop(kinds, start);
		return 0;
	}
	if (!bytes || start + (bytes - 1) < start)
		return lint_wrong(lint, "%llu bytes of memory at 0x%llx, expected some", bytes,
				  start);
	memory_kinds_add(kinds, start, lint, bytes);
	return 0;
}

/* ---- Beginning and end ------------------------------------------------ */

void lint_machine_init(struct lint *lint)
{
	struct dmasim *s = lint->s;

	RB_INIT(&lint->devices);
	RB_INIT(&lint->buses);
	interval_tree_init(&lint->bars);
	lint->arch = &hw_vtd;
	lint->address_bits = MACHINE_ADDRESS_BITS;
	lint->told.find = told_find;
	lint->told.at = told_at;
	lint->told.route = told_route;
	lint->told.bus = told_bus;
	/* Nothing is there but what is told. */
	s->hw.ram.range_count = 0;
	s->hw.told = &lint->told;
	s->check.kinds.of_host = kind_told;
	s->check.kinds.cookie = lint;
	check_firmware(&s->check, &lint->firmware);
}

void lint_machine_fini(struct lint *lint)
{
	struct memory *memory = &lint->s->world.memory;
	struct hw *hw = &lint->s->hw;
	struct lint_device *device;
	struct lint_bus *bus;

	while (!TAILQ_EMPTY(&hw->roots))
		hw_root_remove(hw, TAILQ_FIRST(&hw->roots));
	while (!TAILQ_EMPTY(&hw->iommus))
		hw_iommu_remove(TAILQ_FIRST(&hw->iommus));
	lint->s->next_unit = 0;
	while ((device = RB_ROOT(&lint->devices))) {
		RB_REMOVE(lint_device_tree, &lint->devices, device);
		memory_free(memory, device);
	}
	while ((bus = RB_ROOT(&lint->buses))) {
		RB_REMOVE(lint_bus_tree, &lint->buses, bus);
		memory_free(memory, bus);
	}
	memory_free(memory, lint->window);
	memory_free(memory, lint->reserved);
	lint->window = NULL;
	lint->reserved = NULL;
	lint->recent = NULL;
	lint->device_count = lint->window_count = 0;
	lint->firmware.reserved_count = 0;
}
