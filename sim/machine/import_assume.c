/* SPDX-License-Identifier: MIT */
/*
 * What stands in for registers that are not known, at two extremes: nothing isolates, or everything
 * as well as the dump allows. Together they tell what can be known: a group that has the same
 * members in both machines does not depend on what was not shown.
 *
 *                nothing                   isolation
 *   64 bytes     conventional PCI          PCI Express: ports and endpoints by header type and
 *                                          place, ACS on
 *   256 bytes    no ACS                    what is PCI Express has ACS, on
 *   ACS hidden   it could be on, and is    it is on
 *                off
 */
#include <string.h>

#include "hw/config.h"
#include "machine/import.h"

#define EXPRESS_AT  0x40
#define EXT_ALIGN   16
#define EXT_SPACING 0x40 /* for the last capability, whose size nobody tells */
#define ACS_BYTES   12
#define ACS_ON	    (PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF)

static void put16(u8 *at, u32 value)
{
	at[0] = (u8)value;
	at[1] = (u8)(value >> 8);
}

static u32 get32(const u8 *at)
{
	return at[0] | (u32)at[1] << 8 | (u32)at[2] << 16 | (u32)at[3] << 24;
}

static void put32(u8 *at, u32 value)
{
	put16(at, value);
	put16(at + 2, value >> 16);
}

/* The type in the place of one that is unknown. */
static u32 likely_type(const struct import_function *function)
{
	if (import_header_type(function) == PCI_HEADER_TYPE_BRIDGE)
		return function->above ? PCI_EXP_TYPE_DOWNSTREAM : PCI_EXP_TYPE_ROOT_PORT;
	return function->above ? PCI_EXP_TYPE_ENDPOINT : PCI_EXP_TYPE_RC_END;
}

/* A function without a list of capabilities has none, and CardBus is no PCI Express. */
static bool may_be_express(const struct import_function *function)
{
	if (function->kind == IMPORT_SILENT)
		return true;
	return import_header_type(function) != PCI_HEADER_TYPE_CARDBUS &&
	       function->config[PCI_STATUS] & PCI_STATUS_CAP_LIST;
}

static void put_express(const struct import_function *function, u8 *config)
{
	config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	config[PCI_CAPABILITY_LIST] = EXPRESS_AT;
	config[EXPRESS_AT + PCI_CAP_LIST_ID] = PCI_CAP_ID_EXP;
	put16(&config[EXPRESS_AT + PCI_EXP_FLAGS], 2 | likely_type(function)
								   << PCI_EXP_FLAGS_TYPE_SHIFT);
}

/* Appends the capability to the list. 0: it has no place. */
static u32 add_acs(u8 *config)
{
	u32 last = PCI_EXT_CAP_START, highest = last, at = last;

	/* As often as capabilities fit: the list may be a circle. */
	for (u32 i = 0; i < 960 && get32(&config[last]) && at >= PCI_EXT_CAP_START; i++) {
		last = at;
		highest = at > highest ? at : highest;
		at = PCI_EXT_CAP_NEXT(get32(&config[last]));
	}
	at = last;
	if (get32(&config[last]))
		at = (highest + EXT_SPACING + EXT_ALIGN - 1) & ~(EXT_ALIGN - 1U);
	if (at + ACS_BYTES > PCI_CFG_SPACE_EXP_SIZE)
		return 0;
	if (at != last)
		put32(&config[last], (get32(&config[last]) & 0xfffff) | at << 20);
	put32(&config[at], PCI_EXT_CAP_ID_ACS | 1 << 16);
	return at;
}

/*
 * A capability bit that is 0 would count as hard-wired on. Intel's ports of the 100 and 200 series
 * have the control word at another place.
 */
static void put_acs(u8 *config, u32 control)
{
	struct hw_registers registers = { config, PCI_CFG_SPACE_EXP_SIZE };
	u32 at = hw_registers_find_extended(registers, PCI_EXT_CAP_ID_ACS);

	if (!at)
		at = add_acs(config);
	if (!at)
		return;
	put16(&config[at + PCI_ACS_CAP], ACS_ON);
	put16(&config[at + PCI_ACS_CTRL], control);
	put32(&config[at + PCI_ACS_EGRESS_CTL_V], control);
}

static void assume_isolation(const struct import_function *function, u8 *config)
{
	struct hw_registers registers = { config, PCI_CFG_SPACE_EXP_SIZE };

	if (function->config_bytes < PCI_CFG_SPACE_SIZE && may_be_express(function))
		put_express(function, config);
	/* What the number would tell of a device: it may stand for itself. */
	if (function->acs_hidden && import_header_type(function) == PCI_HEADER_TYPE_NORMAL &&
	    !hw_registers_find_capability(registers, PCI_CAP_ID_EXP))
		put_express(function, config);
	if (hw_registers_find_capability(registers, PCI_CAP_ID_EXP))
		put_acs(config, ACS_ON);
}

bool import_assume(const struct import *import, const struct import_function *function, u8 *config)
{
	bool isolation = import->how.assume == DMASIM_ASSUME_ISOLATION;
	bool is_whole = function->config_bytes == PCI_CFG_SPACE_EXP_SIZE;

	if (is_whole ? !function->acs_hidden : !isolation)
		return false;
	memset(config, 0, PCI_CFG_SPACE_EXP_SIZE);
	memcpy(config, function->config, function->config_bytes);
	if (isolation)
		assume_isolation(function, config);
	else
		put_acs(config, 0);
	return true;
}
