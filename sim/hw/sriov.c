/* SPDX-License-Identifier: MIT */
#include "hw/sriov.h"

#include <dmasim/contract.h>

#include "hw/config.h"
#include "hw/hw.h"

#define CONTROL_WRITABLE (PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE | PCI_SRIOV_CTRL_ARI)

static u32 read_sriov(const struct hw_function *physfn, u32 at, u32 bytes)
{
	return hw_config_read(physfn, physfn->sriov_at + at, bytes);
}

static bool is_enabled(const struct hw_function *physfn)
{
	return read_sriov(physfn, PCI_SRIOV_CTRL, 2) & PCI_SRIOV_CTRL_VFE;
}

/* Never more than there can be. */
static u32 wanted_count(const struct hw_function *physfn)
{
	u32 total = read_sriov(physfn, PCI_SRIOV_TOTAL_VF, 2);
	u32 count = read_sriov(physfn, PCI_SRIOV_NUM_VF, 2);

	return count < total ? count : total;
}

/* ---- BARs ------------------------------------------------------------------------------------ */

void hw_sriov_init(struct hw_function *function, const struct hw_function_desc *desc)
{
	TAILQ_INIT(&function->virtfns);
	if (function->physfn)
		return;
	function->sriov_at = hw_config_find_extended(function, PCI_EXT_CAP_ID_SRIOV);
	if (!function->sriov_at)
		return;
	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++) {
		struct hw_bar *bar = &function->vf_bar[i];

		hw_config_describe_bar(bar, desc->vf_bar_bytes[i],
				       read_sriov(function, PCI_SRIOV_BAR + 4 * i, 4));
		bar->inferred = desc->vf_bar_inferred & 1U << i;
		/* Virtual functions have no I/O. */
		if (bar->io)
			bar->bytes = 0;
	}
}

bool hw_sriov_decodes_memory(const struct hw_function *virtfn)
{
	return hw_function_answers(virtfn) &&
	       read_sriov(virtfn->physfn, PCI_SRIOV_CTRL, 2) & PCI_SRIOV_CTRL_MSE;
}

/* What VF 0 decodes while it does. */
static struct hw_span first_span(const struct hw_function *physfn, u32 index)
{
	const struct hw_bar *bar = &physfn->vf_bar[index];
	u32 at = PCI_SRIOV_BAR + 4 * index;
	u64 address;

	if (!bar->bytes)
		return HW_NO_SPAN;
	address = read_sriov(physfn, at, 4) & PCI_BASE_ADDRESS_MEM_MASK;
	if (bar->is_64)
		address |= (u64)read_sriov(physfn, at + 4, 4) << 32;
	return (struct hw_span){ address, address + bar->bytes - 1 };
}

void hw_sriov_decode(struct hw_function *physfn)
{
	struct hw_function *virtfn;

	physfn->vf_count = (u16)(is_enabled(physfn) ? wanted_count(physfn) : 0);
	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++)
		physfn->vf_bar[i].span = first_span(physfn, i);
	TAILQ_FOREACH(virtfn, &physfn->virtfns, by_index)
		hw_config_decode(virtfn);
}

/* ---- Registers ------------------------------------------------------------------------------- */

u32 hw_sriov_writable(const struct hw_function *physfn, u32 offset)
{
	u32 at = offset - physfn->sriov_at;

	if (at == PCI_SRIOV_CTRL)
		return CONTROL_WRITABLE;
	/* How many there are changes only while there are none. */
	if (at == PCI_SRIOV_NUM_VF)
		return is_enabled(physfn) ? 0 : 0xffff;
	if (at >= PCI_SRIOV_BAR && at < PCI_SRIOV_BAR + 4 * PCI_STD_NUM_BARS)
		return hw_config_bar_mask(physfn->vf_bar, (at - PCI_SRIOV_BAR) / 4);
	return 0;
}

/* ---- Virtual functions ----------------------------------------------------------------------- */

/* From devfn 0 of the physical function's bus; more than a requester ID has: it cannot be. */
static u64 number_of(const struct hw_function *physfn, u32 index)
{
	return physfn->devfn + (u64)read_sriov(physfn, PCI_SRIOV_VF_OFFSET, 2) +
	       (u64)read_sriov(physfn, PCI_SRIOV_VF_STRIDE, 2) * index;
}

bool hw_sriov_has_number(const struct hw_function *physfn, u32 index)
{
	u64 first = number_of(physfn, 0), number = number_of(physfn, index);

	return first > physfn->devfn && (number > first || !index) &&
	       hw_bus_number(physfn->bus) + (number >> 8) <= 0xff;
}

u32 hw_sriov_buses_past(const struct hw_function *function)
{
	u32 total;

	if (!function->sriov_at)
		return 0;
	total = read_sriov(function, PCI_SRIOV_TOTAL_VF, 2);
	return total ? (u32)(number_of(function, total - 1) >> 8) : 0;
}

void hw_sriov_place(struct hw_function *virtfn)
{
	struct hw_function *physfn = virtfn->physfn, *after;
	u64 number = number_of(physfn, virtfn->vf_index);

	DMASIM_CONTRACT(hw_sriov_has_number(physfn, virtfn->vf_index),
			"a virtual function has a requester ID");
	virtfn->devfn = (u8)number;
	virtfn->bus_ahead = (u8)(number >> 8);
	virtfn->traits = physfn->traits;
	virtfn->traits.pool_bytes = 0;
	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++) {
		virtfn->bar[i] = physfn->vf_bar[i];
		virtfn->bar[i].span = HW_NO_SPAN;
	}
	TAILQ_FOREACH_REVERSE(after, &physfn->virtfns, hw_virtfn_list, by_index)
	{
		if (after->vf_index < virtfn->vf_index)
			break;
	}
	if (after)
		TAILQ_INSERT_AFTER(&physfn->virtfns, after, virtfn, by_index);
	else
		TAILQ_INSERT_HEAD(&physfn->virtfns, virtfn, by_index);
}

static void put(u8 *config, u32 at, u32 bytes, u32 value)
{
	for (u32 i = 0; i < bytes; i++)
		config[at + i] = (u8)(value >> (8 * i));
}

/* The capability's head and its capability word; what software controls is off. */
static void put_extended(u8 *config, u32 at, u32 next, u32 id, u32 capability)
{
	put(config, at, 4, id | 1U << 16 | next << 20);
	put(config, at + 4, 2, capability);
}

/* Registers as after power-on: what the physical function has of Express, ACS and ATS. */
static void describe(const struct hw_function *physfn, u8 *config)
{
	enum { EXPRESS_AT = 0x40, ACS_AT = PCI_EXT_CAP_START, ATS_AT = PCI_EXT_CAP_START + 0x10 };
	u32 type = physfn->express_type < 0 ? PCI_EXP_TYPE_ENDPOINT : (u32)physfn->express_type;

	put(config, PCI_VENDOR_ID, 4, 0xffffffff);
	put(config, PCI_STATUS, 2, PCI_STATUS_CAP_LIST);
	put(config, PCI_CLASS_REVISION, 4, hw_config_read(physfn, PCI_CLASS_REVISION, 4));
	put(config, PCI_SUBSYSTEM_VENDOR_ID, 4, hw_config_read(physfn, PCI_SUBSYSTEM_VENDOR_ID, 4));
	put(config, PCI_CAPABILITY_LIST, 1, EXPRESS_AT);
	put(config, EXPRESS_AT, 1, PCI_CAP_ID_EXP);
	put(config, EXPRESS_AT + PCI_EXP_FLAGS, 2, 2 | type << PCI_EXP_FLAGS_TYPE_SHIFT);
	if (physfn->express_at) {
		put(config, EXPRESS_AT + PCI_EXP_DEVCAP, 4,
		    hw_config_read(physfn, physfn->express_at + PCI_EXP_DEVCAP, 4));
		put(config, EXPRESS_AT + PCI_EXP_DEVCTL, 2,
		    hw_config_read(physfn, physfn->express_at + PCI_EXP_DEVCTL, 2));
	}
	/* The list begins at 100: with nothing there, it is empty. */
	if (physfn->acs_at)
		put_extended(config, ACS_AT, physfn->ats_at ? ATS_AT : 0, PCI_EXT_CAP_ID_ACS,
			     hw_config_read(physfn, physfn->acs_at + PCI_ACS_CAP, 2));
	if (physfn->ats_at)
		put_extended(config, physfn->acs_at ? ATS_AT : ACS_AT, 0, PCI_EXT_CAP_ID_ATS,
			     hw_config_read(physfn, physfn->ats_at + PCI_ATS_CAP, 2));
}

/* As after a reset: what software switched on is off. */
static void reset(struct hw_function *virtfn)
{
	hw_config_write(virtfn, PCI_COMMAND, 2, 0);
	if (virtfn->acs_at)
		hw_config_write(virtfn, virtfn->acs_at + PCI_ACS_CTRL, 2, 0);
	if (virtfn->ats_at)
		hw_config_write(virtfn, virtfn->ats_at + PCI_ATS_CTRL, 2, 0);
}

static bool make(struct hw_function *physfn, u32 index)
{
	u8 config[PCI_CFG_SPACE_EXP_SIZE] = { 0 };
	struct hw_function_desc desc = {
		.config = config,
		.config_bytes = sizeof(config),
		.physfn = physfn,
		.vf_index = (u16)index,
		.tlb_entries = physfn->ats_at ? physfn->device_tlb.sets * physfn->device_tlb.ways
					      : 0,
	};

	describe(physfn, config);
	return hw_function_add(physfn->hw, physfn->bus, &desc);
}

static bool make_missing(struct hw_function *physfn, u32 count)
{
	struct hw_function *virtfn = TAILQ_FIRST(&physfn->virtfns);

	for (u32 i = 0; i < count; i++) {
		if (virtfn && virtfn->vf_index == i) {
			virtfn = TAILQ_NEXT(virtfn, by_index);
			continue;
		}
		/* Whose number somebody else has. */
		if (number_of(physfn, i) <= 0xff &&
		    hw_function_on(physfn->bus, (u8)number_of(physfn, i)))
			continue;
		/* Nor have those after it. */
		if (!hw_sriov_has_number(physfn, i))
			break;
		if (!make(physfn, i))
			return false;
	}
	return true;
}

u32 hw_sriov_write_control(struct hw_function *physfn, u32 dword)
{
	struct hw_function *virtfn;
	bool on = dword & PCI_SRIOV_CTRL_VFE;

	if (on == is_enabled(physfn))
		return dword;
	TAILQ_FOREACH(virtfn, &physfn->virtfns, by_index)
		reset(virtfn);
	if (on && !make_missing(physfn, wanted_count(physfn)))
		dword &= ~(u32)PCI_SRIOV_CTRL_VFE;
	return dword;
}
