/* SPDX-License-Identifier: MIT */
/*
 * Functions, buses and host bridges: the tree, and what is behind a BAR.
 */
#include <string.h>

#include <dmasim/contract.h>

#include "hw/ats.h"
#include "hw/config.h"
#include "hw/hw.h"
#include "hw/sriov.h"

struct hw_root *hw_root_add(struct hw *hw, u16 segment, u8 bus_first, u8 bus_last)
{
	struct hw_root *root;

	root = memory_alloc(&hw->world->memory, DMASIM_FAULT_PCI_FUNCTION, sizeof(*root));
	if (!root)
		return NULL;
	root->segment = segment;
	root->bus_first = bus_first;
	root->bus_last = bus_last;
	root->bus.root = root;
	TAILQ_INIT(&root->bus.functions);
	TAILQ_INSERT_TAIL(&hw->roots, root, link);
	return root;
}

static void remove_all(struct hw_bus *bus)
{
	while (!TAILQ_EMPTY(&bus->functions))
		hw_function_remove(TAILQ_FIRST(&bus->functions));
}

void hw_root_remove(struct hw *hw, struct hw_root *root)
{
	remove_all(&root->bus);
	TAILQ_REMOVE(&hw->roots, root, link);
	memory_free(&hw->world->memory, root);
}

void hw_root_attach(struct hw_root *root, struct hw_function *endpoint)
{
	root->endpoint = endpoint;
	endpoint->inner = root;
}

struct hw_root *hw_root_above(struct hw_root *root)
{
	while (root->endpoint)
		root = root->endpoint->bus->root;
	return root;
}

static s32 express_type(const struct hw_function *function)
{
	u32 flags;

	if (!function->express_at)
		return -1;
	flags = hw_config_read(function, function->express_at + PCI_EXP_FLAGS, 2);
	return (s32)((flags & PCI_EXP_FLAGS_TYPE) >> PCI_EXP_FLAGS_TYPE_SHIFT);
}

static void describe_bars(struct hw_function *function, const struct hw_function_desc *desc)
{
	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++) {
		hw_config_describe_bar(&function->bar[i], desc->bar_bytes[i],
				       hw_config_read(function, PCI_BASE_ADDRESS_0 + 4 * i, 4));
		function->bar[i].inferred = desc->bar_inferred & 1U << i;
	}
}

/* From the first number of the bus on. */
static u32 number_on(const struct hw_function *function)
{
	return (u32)function->bus_ahead << 8 | function->devfn;
}

/* They come in order as a rule. */
static void insert_by_number(struct hw_bus *bus, struct hw_function *function)
{
	struct hw_function *before;

	TAILQ_FOREACH_REVERSE(before, &bus->functions, hw_function_list, link)
	{
		if (number_on(before) <= number_on(function)) {
			TAILQ_INSERT_AFTER(&bus->functions, before, function, link);
			return;
		}
	}
	TAILQ_INSERT_HEAD(&bus->functions, function, link);
}

static struct hw_bus *new_secondary(struct hw_function *bridge)
{
	struct hw_bus *bus;

	bus = memory_alloc(&bridge->hw->world->memory, DMASIM_FAULT_PCI_FUNCTION, sizeof(*bus));
	if (!bus)
		return NULL;
	bus->root = bridge->bus->root;
	bus->bridge = bridge;
	TAILQ_INIT(&bus->functions);
	return bus;
}

static void free_function(struct hw_function *function)
{
	struct memory *memory = &function->hw->world->memory;

	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++) {
		if (function->bar[i].memory) {
			ram_fini(function->bar[i].memory);
			memory_free(memory, function->bar[i].memory);
		}
	}
	if (function->ats_at)
		iotlb_fini(&function->device_tlb);
	memory_free(memory, function->secondary);
	memory_free(memory, function->config);
	memory_free(memory, function);
}

/* 0 or -ENOMEM. */
static int add_device_tlb(struct hw_function *function, const struct hw_function_desc *desc)
{
	u32 entries = desc->tlb_entries ? desc->tlb_entries : HW_DEVICE_TLB_ENTRIES;
	u16 at = hw_config_find_extended(function, PCI_EXT_CAP_ID_ATS);
	int err;

	if (!at)
		return 0;
	err = iotlb_init(&function->device_tlb, function->hw->world, entries, IOTLB_WAYS);
	if (!err)
		function->ats_at = at;
	return err;
}

struct hw_function *hw_function_add(struct hw *hw, struct hw_bus *bus,
				    const struct hw_function_desc *desc)
{
	struct memory *memory = &hw->world->memory;
	struct hw_function *function;

	function = memory_alloc(memory, DMASIM_FAULT_PCI_FUNCTION, sizeof(*function));
	if (!function)
		return NULL;
	function->hw = hw;
	function->bus = bus;
	function->devfn = desc->devfn;
	function->has_bar_ops = desc->bar_ops;
	if (desc->bar_ops)
		function->bar_ops = *desc->bar_ops;
	function->bar_cookie = desc->bar_cookie;
	function->config_bytes = desc->config_bytes;
	function->acs_hidden = desc->acs_hidden;
	function->config = memory_alloc(memory, DMASIM_FAULT_PCI_FUNCTION, desc->config_bytes);
	if (!function->config)
		goto fail;
	memcpy(function->config, desc->config, desc->config_bytes);

	function->header_type = function->config[PCI_HEADER_TYPE] & PCI_HEADER_TYPE_MASK;
	function->express_at = hw_config_find_capability(function, PCI_CAP_ID_EXP);
	function->express_type = express_type(function);
	function->acs_at = hw_config_find_extended(function, PCI_EXT_CAP_ID_ACS);
	function->physfn = desc->physfn;
	function->vf_index = desc->vf_index;
	if (add_device_tlb(function, desc))
		goto fail;
	describe_bars(function, desc);
	hw_sriov_init(function, desc);
	if (function->header_type == PCI_HEADER_TYPE_BRIDGE) {
		function->secondary = new_secondary(function);
		if (!function->secondary)
			goto fail;
	}
	if (function->physfn)
		hw_sriov_place(function);
	hw_config_decode(function);
	insert_by_number(bus, function);
	return function;
fail:
	free_function(function);
	return NULL;
}

void hw_function_remove(struct hw_function *function)
{
	while (!TAILQ_EMPTY(&function->virtfns))
		hw_function_remove(TAILQ_FIRST(&function->virtfns));
	if (function->physfn)
		TAILQ_REMOVE(&function->physfn->virtfns, function, by_index);
	if (function->secondary)
		remove_all(function->secondary);
	TAILQ_REMOVE(&function->bus->functions, function, link);
	free_function(function);
}

struct hw_function *hw_function_on(const struct hw_bus *bus, u8 devfn)
{
	struct hw_function *function;

	TAILQ_FOREACH(function, &bus->functions, link) {
		if (function->devfn == devfn && !function->bus_ahead &&
		    hw_function_answers(function))
			return function;
	}
	return NULL;
}

/* Behind a bus's own number are only its virtual functions. */
static struct hw_function *virtfn_on(const struct hw_bus *bus, dmasim_sbdf dev)
{
	struct hw_function *function;

	TAILQ_FOREACH(function, &bus->functions, link) {
		if (function->bus_ahead && hw_function_sbdf(function) == dev &&
		    hw_function_answers(function))
			return function;
	}
	return NULL;
}

u8 hw_bus_number(const struct hw_bus *bus)
{
	return bus->bridge ? bus->bridge->config[PCI_SECONDARY_BUS] : bus->root->bus_first;
}

dmasim_sbdf hw_function_sbdf(const struct hw_function *function)
{
	return ((u32)function->bus->root->segment << 16 | (u32)hw_bus_number(function->bus) << 8 |
		function->devfn) +
	       ((u32)function->bus_ahead << 8);
}

/* The bridge on this bus that configuration requests for bus `number` go through. */
static struct hw_bus *bus_towards(const struct hw_bus *bus, u8 number)
{
	struct hw_function *bridge;

	TAILQ_FOREACH(bridge, &bus->functions, link) {
		if (!bridge->secondary)
			continue;
		if (number >= bridge->config[PCI_SECONDARY_BUS] &&
		    number <= bridge->config[PCI_SUBORDINATE_BUS])
			return bridge->secondary;
	}
	return NULL;
}

DMASIM_HOT struct hw_root *hw_root_find(const struct hw *hw, dmasim_sbdf dev)
{
	u8 number = (u8)(dev >> 8);
	struct hw_root *root;

	if (DMASIM_UNLIKELY(hw->told)) {
		struct hw_function *function = hw->told->find(hw->told, dev);

		return function ? function->bus->root : NULL;
	}
	TAILQ_FOREACH(root, &hw->roots, link) {
		if (root->segment == dev >> 16 && number >= root->bus_first &&
		    number <= root->bus_last)
			break;
	}
	return root;
}

struct hw_function *hw_function_find(const struct hw *hw, dmasim_sbdf dev)
{
	struct hw_root *root = hw_root_find(hw, dev);
	struct hw_bus *bus = root ? &root->bus : NULL;
	u8 number = (u8)(dev >> 8);

	if (DMASIM_UNLIKELY(hw->told))
		return hw->told->find(hw->told, dev);
	while (bus && hw_bus_number(bus) != number) {
		struct hw_bus *below = bus_towards(bus, number);

		if (!below)
			return virtfn_on(bus, dev);
		bus = below;
	}
	return bus ? hw_function_on(bus, (u8)dev) : NULL;
}

int hw_bar_at(const struct hw_function *function, u64 address)
{
	for (int i = 0; i < PCI_STD_NUM_BARS; i++) {
		if (hw_span_has(function->bar[i].span, address))
			return i;
	}
	return -1;
}

struct ram *hw_bar_memory(struct hw_function *function, u32 index)
{
	struct hw_bar *bar = &function->bar[index];
	struct world *world = function->hw->world;

	if (function->has_bar_ops || !bar->bytes)
		return NULL;
	if (!bar->memory) {
		bar->memory =
			memory_alloc(&world->memory, DMASIM_FAULT_BAR_CHUNK, sizeof(*bar->memory));
		if (!bar->memory)
			return NULL;
		ram_init(bar->memory, world, DMASIM_FAULT_BAR_CHUNK);
		bar->memory->chunk_bytes = HW_BAR_CHUNK_BYTES;
		ram_add_range(bar->memory, 0, bar->bytes);
	}
	return bar->memory;
}

bool hw_bar_read(struct hw_function *function, u32 bar, u64 offset, void *to, u64 bytes)
{
	const struct hw_bar_ops *ops = &function->bar_ops;
	struct ram *memory;

	if (function->has_bar_ops) {
		memset(to, 0, (size_t)bytes);
		if (ops->read)
			ops->read(function->bar_cookie, bar, offset, to, (u32)bytes);
		return true;
	}
	memory = function->bar[bar].memory;
	if (!memory) {
		memset(to, 0, (size_t)bytes);
		return true;
	}
	return ram_read(memory, offset, to, bytes) == bytes;
}

bool hw_bar_write(struct hw_function *function, u32 bar, u64 offset, const void *from, u64 bytes)
{
	const struct hw_bar_ops *ops = &function->bar_ops;
	struct ram *memory;

	if (function->has_bar_ops) {
		if (ops->write)
			ops->write(function->bar_cookie, bar, offset, from, (u32)bytes);
		return true;
	}
	memory = hw_bar_memory(function, bar);
	return memory && ram_write(memory, offset, from, bytes) == bytes;
}
