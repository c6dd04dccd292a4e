/* SPDX-License-Identifier: MIT */
/*
 * Configuration registers: what can be written, and what the function decodes because of it.
 */
#include "hw/config.h"

#include <string.h>

#include <dmasim/contract.h>

#include "hw/acs.h"
#include "hw/ats.h"
#include "hw/sriov.h"

/* Reads of what nobody knows give zeros: an unknown capability list is an empty one. */
static u32 registers_dword(struct hw_registers registers, u32 offset)
{
	const u8 *at;

	if (offset + 4 > registers.bytes)
		return 0;
	at = registers.config + offset;
	return at[0] | (u32)at[1] << 8 | (u32)at[2] << 16 | (u32)at[3] << 24;
}

static u32 registers_read(struct hw_registers registers, u32 offset, u32 bytes)
{
	u32 dword = registers_dword(registers, offset & ~3U) >> (8 * (offset & 3));

	return bytes == 4 ? dword : dword & ((1U << (8 * bytes)) - 1);
}

static struct hw_registers registers_of(const struct hw_function *function)
{
	return (struct hw_registers){ function->config, function->config_bytes };
}

static u32 read_dword(const struct hw_function *function, u32 offset)
{
	return registers_dword(registers_of(function), offset);
}

u32 hw_config_read(const struct hw_function *function, u32 offset, u32 bytes)
{
	return registers_read(registers_of(function), offset, bytes);
}

static bool is_bridge(const struct hw_function *function)
{
	return function->header_type == PCI_HEADER_TYPE_BRIDGE;
}

/* Address bits of a BAR can be written from its size up: that is how software learns the size. */
u32 hw_config_bar_mask(const struct hw_bar *bars, u32 index)
{
	const struct hw_bar *bar = &bars[index];

	if (bar->bytes)
		return (u32) ~(bar->bytes - 1) & (bar->io ? ~3U : ~0xfU);
	if (index > 0 && bars[index - 1].bytes && bars[index - 1].is_64)
		return (u32)(~(bars[index - 1].bytes - 1) >> 32);
	return 0;
}

void hw_config_describe_bar(struct hw_bar *bar, u64 bytes, u32 low)
{
	DMASIM_CONTRACT((bytes & (bytes - 1)) == 0, "the size of a BAR is a power of two");
	bar->bytes = bytes;
	bar->io = low & PCI_BASE_ADDRESS_SPACE_IO;
	bar->is_64 = !bar->io &&
		     (low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64;
}

static u32 bridge_mask(const struct hw_function *function, u32 offset)
{
	bool wide = read_dword(function, PCI_PREF_MEMORY_BASE) & PCI_PREF_RANGE_TYPE_64;

	switch (offset) {
	case PCI_PRIMARY_BUS:
		return 0x00ffffff;
	case PCI_MEMORY_BASE:
		return 0xfff0fff0;
	case PCI_PREF_MEMORY_BASE:
		return 0xfff0fff0;
	case PCI_PREF_BASE_UPPER32:
	case PCI_PREF_LIMIT_UPPER32:
		return wide ? 0xffffffff : 0;
	default:
		return 0;
	}
}

/* The control word, as far as the capability goes; and the egress control vector. */
static u32 acs_mask(const struct hw_function *function, u32 offset)
{
	u32 capability = read_dword(function, function->acs_at + PCI_ACS_CAP);
	u32 vector = function->acs_at + (u32)PCI_ACS_EGRESS_CTL_V;
	u32 bits = PCI_ACS_EGRESS_BITS(capability);
	u32 from = (offset - vector) * 8;

	if (offset == function->acs_at + (u32)PCI_ACS_CAP)
		return (capability & 0x7f) << 16;
	if (!(capability & PCI_ACS_EC) || offset < vector || from >= bits)
		return 0;
	return bits - from >= 32 ? ~0U : (1U << (bits - from)) - 1;
}

/* The writable bits of one aligned dword. */
static u32 writable_mask(const struct hw_function *function, u32 offset)
{
	u32 bars = is_bridge(function) ? PCI_BRIDGE_NUM_BARS : PCI_STD_NUM_BARS;
	u32 mask = 0;

	/* A virtual function has neither memory enable nor BARs of its own. */
	if (offset == PCI_COMMAND)
		return function->physfn ? PCI_COMMAND_MASTER : 0x0547;
	if (offset >= PCI_BASE_ADDRESS_0 && offset < PCI_BASE_ADDRESS_0 + 4 * bars)
		return function->physfn ? 0
					: hw_config_bar_mask(function->bar,
							     (offset - PCI_BASE_ADDRESS_0) / 4);
	if (is_bridge(function))
		mask = bridge_mask(function, offset);
	if (function->express_at && offset == function->express_at + (u32)PCI_EXP_DEVCTL)
		mask = 0x0000ffff;
	if (function->ats_at && offset == function->ats_at + (u32)PCI_ATS_CAP)
		mask = (u32)(PCI_ATS_CTRL_ENABLE | PCI_ATS_CTRL_STU_MASK) << 16;
	if (function->acs_at)
		mask |= acs_mask(function, offset);
	if (function->sriov_at && offset - function->sriov_at < PCI_SRIOV_BYTES)
		mask = hw_sriov_writable(function, offset);
	return mask;
}

struct hw_span hw_registers_window(struct hw_registers registers)
{
	u32 base = registers_read(registers, PCI_MEMORY_BASE, 2) & PCI_MEMORY_RANGE_MASK;
	u32 limit = registers_read(registers, PCI_MEMORY_LIMIT, 2) & PCI_MEMORY_RANGE_MASK;

	return (struct hw_span){ (u64)base << 16, (u64)limit << 16 | 0xfffff };
}

struct hw_span hw_registers_prefetch_window(struct hw_registers registers)
{
	u32 base = registers_read(registers, PCI_PREF_MEMORY_BASE, 2);
	u32 limit = registers_read(registers, PCI_PREF_MEMORY_LIMIT, 2);
	struct hw_span span = {
		(u64)(base & PCI_PREF_RANGE_MASK) << 16,
		(u64)(limit & PCI_PREF_RANGE_MASK) << 16 | 0xfffff,
	};

	/* Both registers read as 0: the bridge has no prefetchable window. */
	if (!base && !limit)
		return HW_NO_SPAN;
	if (base & PCI_PREF_RANGE_TYPE_64) {
		span.start |= (u64)registers_read(registers, PCI_PREF_BASE_UPPER32, 4) << 32;
		span.last |= (u64)registers_read(registers, PCI_PREF_LIMIT_UPPER32, 4) << 32;
	}
	return span;
}

static struct hw_span bar_span(const struct hw_function *function, u32 index)
{
	const struct hw_bar *bar = &function->bar[index];
	u32 offset = PCI_BASE_ADDRESS_0 + 4 * index;
	u64 address;

	if (!bar->bytes || bar->io || !function->memory_enabled)
		return HW_NO_SPAN;
	if (function->physfn) {
		address = function->physfn->vf_bar[index].span.start +
			  function->vf_index * bar->bytes;
		return (struct hw_span){ address, address + bar->bytes - 1 };
	}
	address = read_dword(function, offset) & PCI_BASE_ADDRESS_MEM_MASK;
	if (bar->is_64)
		address |= (u64)read_dword(function, offset + 4) << 32;
	return (struct hw_span){ address, address + bar->bytes - 1 };
}

void hw_config_decode(struct hw_function *function)
{
	u32 command = read_dword(function, PCI_COMMAND);

	function->memory_enabled = function->physfn ? hw_sriov_decodes_memory(function)
						    : command & PCI_COMMAND_MEMORY;
	function->master_enabled = command & PCI_COMMAND_MASTER;
	if (function->ats_at)
		hw_ats_enable(function, read_dword(function, function->ats_at + PCI_ATS_CAP) >> 16 &
						PCI_ATS_CTRL_ENABLE);
	function->acs = acs_decode(function);
	function->window = HW_NO_SPAN;
	function->prefetch_window = HW_NO_SPAN;
	if (is_bridge(function) && function->memory_enabled) {
		function->window = hw_registers_window(registers_of(function));
		function->prefetch_window = hw_registers_prefetch_window(registers_of(function));
	}
	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++)
		function->bar[i].span = bar_span(function, i);
	if (function->sriov_at)
		hw_sriov_decode(function);
}

void hw_config_write(struct hw_function *function, u32 offset, u32 bytes, u32 value)
{
	u32 dword_at = offset & ~3U;
	u32 shift = 8 * (offset & 3);
	u32 lanes = bytes == 4 ? ~0U : ((1U << (8 * bytes)) - 1) << shift;
	u32 mask = writable_mask(function, dword_at) & lanes;
	u32 dword;

	if (dword_at + 4 > function->config_bytes)
		return;
	dword = (read_dword(function, dword_at) & ~mask) | ((value << shift) & mask);
	if (function->sriov_at && dword_at == function->sriov_at + (u32)PCI_SRIOV_CTRL)
		dword = hw_sriov_write_control(function, dword);
	for (u32 i = 0; i < 4; i++)
		function->config[dword_at + i] = (u8)(dword >> (8 * i));
	hw_config_decode(function);
}

/* The list is walked at most as often as capabilities fit, so a list in a circle ends. */
u16 hw_registers_find_capability(struct hw_registers registers, u8 id)
{
	u32 at;

	if (!(registers_read(registers, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST))
		return 0;
	at = registers_read(registers, PCI_CAPABILITY_LIST, 1) & ~3U;
	for (int i = 0; i < 48 && at >= 0x40; i++) {
		if (registers_read(registers, at + PCI_CAP_LIST_ID, 1) == id)
			return (u16)at;
		at = registers_read(registers, at + PCI_CAP_LIST_NEXT, 1) & ~3U;
	}
	return 0;
}

u16 hw_config_find_capability(const struct hw_function *function, u8 id)
{
	return hw_registers_find_capability(registers_of(function), id);
}

u16 hw_registers_find_extended(struct hw_registers registers, u16 id)
{
	u32 at = PCI_EXT_CAP_START;

	for (int i = 0; i < 960 && at >= PCI_EXT_CAP_START; i++) {
		u32 header = registers_dword(registers, at);

		if (!header || header == 0xffffffff)
			return 0;
		if (PCI_EXT_CAP_ID(header) == id)
			return (u16)at;
		at = PCI_EXT_CAP_NEXT(header);
	}
	return 0;
}

u16 hw_config_find_extended(const struct hw_function *function, u16 id)
{
	return hw_registers_find_extended(registers_of(function), id);
}
