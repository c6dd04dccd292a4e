/* SPDX-License-Identifier: MIT */
/*
 * Firmware's planning of a built tree: bus numbers in depth-first order, then addresses from the
 * leaves up, largest alignment first, in two kinds of windows.
 *
 *   kind 0: memory below 4 GiB          kind 1: prefetchable memory above all RAM
 */
#include "hw/sriov.h"
#include "machine/machine.h"

enum kind {
	KIND_MEMORY,
	KIND_PREFETCH,
	KINDS,
};

#define BUS_32_START	 0x80000000ULL
#define BUS_32_END	 0xfec00000ULL
#define BUS_64_START	 0x200000000000ULL /* 32 TiB, or above all RAM */
#define BUS_64_ALIGN_LG2 40
#define BRIDGE_ALIGN_LG2 20
#define ALIGN_LG2_MIN	 4

static u64 align_up(u64 at, u8 lg2)
{
	return (at + (1ULL << lg2) - 1) & ~((1ULL << lg2) - 1);
}

static void write32(struct hw_function *function, u32 at, u32 value)
{
	hw_config_write(function, at, 4, value);
}

/* ---- Bus numbers ------------------------------------------------------ */

/* Virtual functions can have numbers past the bus's own: no bus below gets those. */
static u32 after_virtual(const struct hw_bus *bus, u32 next)
{
	const struct hw_function *function;

	TAILQ_FOREACH(function, &bus->functions, link) {
		u32 end = hw_bus_number(bus) + hw_sriov_buses_past(function) + 1;

		if (end > next)
			next = end;
	}
	return next;
}

static void number_bus(struct hw_bus *bus, u32 *next, u8 last)
{
	struct hw_function *bridge;

	*next = after_virtual(bus, *next);
	DMASIM_CONTRACT(*next <= last + 1U,
			"a host bridge has a bus for every bridge and virtual function below it");
	TAILQ_FOREACH(bridge, &bus->functions, link) {
		u32 secondary = *next;

		if (!bridge->secondary)
			continue;
		DMASIM_CONTRACT(
			secondary <= last,
			"a host bridge has a bus for every bridge and virtual function below "
			"it");
		(*next)++;
		/* Everything below lies in between: it must be reachable while it is numbered. */
		write32(bridge, PCI_PRIMARY_BUS,
			hw_bus_number(bus) | secondary << 8 | (u32)last << 16);
		number_bus(bridge->secondary, next, last);
		write32(bridge, PCI_PRIMARY_BUS,
			hw_bus_number(bus) | secondary << 8 | (*next - 1) << 16);
	}
}

/* A root bus has the numbers up to the next root bus of its segment. */
static u8 last_bus(const struct dmasim *s, const struct hw_root *root)
{
	const struct hw_root *other;
	u32 last = 0xff;

	TAILQ_FOREACH(other, &s->hw.roots, link) {
		if (other->segment == root->segment && other->bus_first > root->bus_first &&
		    other->bus_first <= last)
			last = other->bus_first - 1U;
	}
	return (u8)last;
}

/* ---- Addresses -------------------------------------------------------- */

static enum kind kind_of_bar(const struct hw_bar *bar)
{
	return bar->is_64 ? KIND_PREFETCH : KIND_MEMORY;
}

static u8 lg2_of(u64 bytes)
{
	return (u8)(63 - __builtin_clzll(bytes));
}

static void write_bar(struct hw_function *function, const struct hw_bar *bar, u32 at, u64 address)
{
	write32(function, at, (u32)address);
	if (bar->is_64)
		write32(function, at + 4, (u32)(address >> 32));
}

static void write_window(struct hw_function *bridge, enum kind kind, u64 start, u64 bytes)
{
	u64 last = start + bytes - 1;
	u32 value;

	/* An empty window has its limit below its base. */
	if (!bytes) {
		start = 0xfff00000;
		last = 0;
	}
	value = (u32)(start >> 16 & 0xfff0) | (u32)(last & 0xfff00000);
	if (kind == KIND_MEMORY) {
		write32(bridge, PCI_MEMORY_BASE, value);
		return;
	}
	write32(bridge, PCI_PREF_MEMORY_BASE, value);
	write32(bridge, PCI_PREF_BASE_UPPER32, (u32)(start >> 32));
	write32(bridge, PCI_PREF_LIMIT_UPPER32, (u32)(last >> 32));
}

/* One step of laying out a bus: what has one alignment is placed from `at` on. */
struct placing {
	enum kind kind;
	u8 lg2;
	bool write; /* else it is only measured */
	u64 at;
};

static void lay_out(struct hw_bus *bus, enum kind kind, u64 base);

/* BARs in registers from `at` on, each of so many functions side by side. */
static void place_registers(struct hw_function *function, const struct hw_bar *bars, u32 at,
			    u32 count, struct placing *placing)
{
	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++) {
		const struct hw_bar *bar = &bars[i];

		if (!bar->bytes || kind_of_bar(bar) != placing->kind ||
		    lg2_of(bar->bytes) != placing->lg2)
			continue;
		placing->at = align_up(placing->at, placing->lg2);
		if (placing->write)
			write_bar(function, bar, at + 4 * i, placing->at);
		placing->at += bar->bytes * count;
	}
}

/* Those of a virtual function are its physical one's. */
static void place_bars(struct hw_function *function, struct placing *placing)
{
	if (!function->physfn)
		place_registers(function, function->bar, PCI_BASE_ADDRESS_0, 1, placing);
	if (function->sriov_at)
		place_registers(
			function, function->vf_bar, function->sriov_at + PCI_SRIOV_BAR,
			hw_config_read(function, function->sriov_at + PCI_SRIOV_TOTAL_VF, 2),
			placing);
}

static void place_window(struct hw_function *bridge, struct placing *placing)
{
	const struct hw_behind *behind = &bridge->behind[placing->kind];

	if (!behind->bytes || behind->align_lg2 != placing->lg2)
		return;
	placing->at = align_up(placing->at, placing->lg2);
	if (placing->write) {
		write_window(bridge, placing->kind, placing->at, behind->bytes);
		lay_out(bridge->secondary, placing->kind, placing->at);
	}
	placing->at += behind->bytes;
}

static u64 bars_align(const struct hw_bar *bars, enum kind kind)
{
	u64 align = 0;

	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++) {
		if (bars[i].bytes && kind_of_bar(&bars[i]) == kind)
			align |= 1ULL << lg2_of(bars[i].bytes);
	}
	return align;
}

/* Bit n: something on the bus wants to be aligned to 2^n. */
static u64 bus_align(const struct hw_bus *bus, enum kind kind)
{
	const struct hw_function *function;
	u64 align = 0;

	TAILQ_FOREACH(function, &bus->functions, link) {
		if (!function->physfn)
			align |= bars_align(function->bar, kind);
		if (function->sriov_at)
			align |= bars_align(function->vf_bar, kind);
		if (function->secondary && function->behind[kind].bytes)
			align |= 1ULL << function->behind[kind].align_lg2;
	}
	return align;
}

static void place_aligned(struct hw_bus *bus, struct placing *placing)
{
	struct hw_function *function;

	TAILQ_FOREACH(function, &bus->functions, link) {
		place_bars(function, placing);
		if (function->secondary)
			place_window(function, placing);
	}
}

/* Largest alignment first. Returns the largest there is; 0: nothing of this kind. */
static u8 place_all(struct hw_bus *bus, struct placing *placing)
{
	u64 align = bus_align(bus, placing->kind) >> ALIGN_LG2_MIN << ALIGN_LG2_MIN;
	u8 largest = 0;

	while (align) {
		u64 before = placing->at;

		placing->lg2 = (u8)(63 - __builtin_clzll(align));
		align &= ~(1ULL << placing->lg2);
		place_aligned(bus, placing);
		if (placing->at != before && !largest)
			largest = placing->lg2;
	}
	return largest;
}

/* From the leaves up: each bridge learns what lies behind it. Returns what the bus needs. */
static struct hw_behind measure(struct hw_bus *bus, enum kind kind)
{
	struct placing placing = { .kind = kind };
	struct hw_behind needs = { 0 };
	struct hw_function *bridge;

	TAILQ_FOREACH(bridge, &bus->functions, link) {
		if (bridge->secondary)
			bridge->behind[kind] = measure(bridge->secondary, kind);
	}
	needs.align_lg2 = place_all(bus, &placing);
	if (needs.align_lg2 < BRIDGE_ALIGN_LG2)
		needs.align_lg2 = BRIDGE_ALIGN_LG2;
	needs.bytes = align_up(placing.at, BRIDGE_ALIGN_LG2);
	return needs;
}

/* Writes the addresses of what was measured, from `base` on, which is aligned enough. */
static void lay_out(struct hw_bus *bus, enum kind kind, u64 base)
{
	struct placing placing = { .kind = kind, .write = true, .at = base };

	place_all(bus, &placing);
}

/* ---- Host bridges ----------------------------------------------------- */

static bool overlaps(u64 start, u64 bytes, u64 other, u64 other_bytes)
{
	return start < other + other_bytes && other < start + bytes;
}

static void check_window(const struct dmasim *s, const struct hw_window *window)
{
	const struct hw_root *root;

	DMASIM_CONTRACT(!((window->start + window->bytes - 1) >> MACHINE_ADDRESS_BITS),
			"a host bridge's window has CPU addresses of 52 bits");
	for (u32 i = 0; i < s->hw.ram.range_count; i++)
		DMASIM_CONTRACT(!overlaps(window->start, window->bytes, s->hw.ram.range[i].start,
					  s->hw.ram.range[i].bytes),
				"a host bridge's window lies beside RAM");
	TAILQ_FOREACH(root, &s->hw.roots, link) {
		for (u32 i = 0; i < root->window_count; i++)
			DMASIM_CONTRACT(&root->window[i] == window ||
						!overlaps(window->start, window->bytes,
							  root->window[i].start,
							  root->window[i].bytes),
					"windows of host bridges do not overlap");
	}
}

static void plan_window(struct dmasim *s, struct hw_root *root, enum kind kind, u64 *next)
{
	struct hw_behind needs = measure(&root->bus, kind);
	struct hw_window *window = &root->window[root->window_count];
	u64 start = align_up(*next, needs.align_lg2);

	if (!needs.bytes)
		return;
	*next = start + needs.bytes;
	DMASIM_CONTRACT(kind != KIND_MEMORY || *next <= BUS_32_END, "32-bit BARs fit below 4 GiB");
	lay_out(&root->bus, kind, start);
	*window = (struct hw_window){
		.start = start - root->built_offset,
		.bytes = needs.bytes,
		.bus_offset = root->built_offset,
	};
	root->window_count++;
	check_window(s, window);
}

static void enable_all(struct hw_bus *bus)
{
	struct hw_function *function;

	TAILQ_FOREACH(function, &bus->functions, link) {
		/* Virtual functions are the software's. */
		if (!function->physfn)
			hw_config_write(function, PCI_COMMAND, 2,
					PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
		if (function->secondary)
			enable_all(function->secondary);
	}
}

/* Bridges with nothing behind them keep closed windows. */
static void close_windows(struct hw_bus *bus)
{
	struct hw_function *bridge;

	TAILQ_FOREACH(bridge, &bus->functions, link) {
		if (!bridge->secondary)
			continue;
		write_window(bridge, KIND_MEMORY, 0, 0);
		write_window(bridge, KIND_PREFETCH, 0, 0);
		close_windows(bridge->secondary);
	}
}

static u64 above_ram(const struct dmasim *s)
{
	u64 start = BUS_64_START;

	for (u32 i = 0; i < s->hw.ram.range_count; i++) {
		const struct ram_range *range = &s->hw.ram.range[i];

		if (range->start + range->bytes > start)
			start = align_up(range->start + range->bytes, BUS_64_ALIGN_LG2);
	}
	return start;
}

void firmware_plan(struct dmasim *s)
{
	u64 next[KINDS] = { BUS_32_START, above_ram(s) };
	struct hw_root *root;

	TAILQ_FOREACH(root, &s->hw.roots, link) {
		u32 next_bus = root->bus_first + 1U;

		root->window_count = 0;
		root->bus_last = last_bus(s, root);
		number_bus(&root->bus, &next_bus, root->bus_last);
		close_windows(&root->bus);
	}
	TAILQ_FOREACH(root, &s->hw.roots, link) {
		plan_window(s, root, KIND_MEMORY, &next[KIND_MEMORY]);
		plan_window(s, root, KIND_PREFETCH, &next[KIND_PREFETCH]);
		enable_all(&root->bus);
	}
}
