/* SPDX-License-Identifier: MIT */
#include "property/random_machine.h"

#define ROOT_BUSES     0x40
#define ROOT_ADDRESSES 0x10000000ULL
#define BAR_BYTES      SZ_64K
#define DEPTH_MAX      4
#define FUNCTIONS_MAX  40 /* of a machine; whatever was begun is completed */
#define ACS_AT	       0x100
#define SRIOV_AT       0x140
#define VIRTUAL_TOTAL  4
#define LINK_CAP       0x0c /* of the Express capability: port number 31:24 */

/* What sits on a bus. */
enum bus_kind {
	ROOT_BUS,
	LINK,	  /* below a port: device 0 alone */
	SWITCH,	  /* inside a switch: downstream ports */
	PARALLEL, /* conventional PCI */
};

struct place {
	enum bus_kind kind;
	u32 bus;
	u32 depth;
};

static void fill_bus(struct random_machine *machine, struct dump *dump, struct place place);

/* ---- Registers ------------------------------------------------------------------------------- */

static u64 align_up(u64 at, u64 to)
{
	return (at + to - 1) & ~(to - 1);
}

static void add_bar(struct random_machine *machine, struct dump_function *function)
{
	machine->next_address = align_up(machine->next_address, BAR_BYTES);
	dump_bar_32(function, 0, (u32)machine->next_address);
	machine->next_address += BAR_BYTES;
}

/* At ACS_AT, or behind what stands there. */
static u32 add_sriov(struct dump_function *function, u32 total, u32 count, u32 offset)
{
	u32 at = SRIOV_AT;

	if (function->bytes < PCI_CFG_SPACE_EXP_SIZE) {
		at = ACS_AT;
		dump_extended(function, PCI_EXT_CAP_ID_SRIOV);
	} else {
		dump_put(function, ACS_AT, 4, PCI_EXT_CAP_ID_ACS | 1 << 16 | SRIOV_AT << 20);
		dump_put(function, SRIOV_AT, 4, PCI_EXT_CAP_ID_SRIOV | 1 << 16);
	}
	dump_put(function, at + PCI_SRIOV_CTRL, 2, PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE);
	dump_put(function, at + PCI_SRIOV_INITIAL_VF, 2, total);
	dump_put(function, at + PCI_SRIOV_TOTAL_VF, 2, total);
	dump_put(function, at + PCI_SRIOV_NUM_VF, 2, count);
	dump_put(function, at + PCI_SRIOV_VF_OFFSET, 2, offset);
	dump_put(function, at + PCI_SRIOV_VF_STRIDE, 2, 1);
	dump_put(function, at + PCI_SRIOV_VF_DID, 2, 0x1234);
	return at;
}

static u32 random_capability(struct random_machine *machine)
{
	return dice_chance(&machine->dice, 65) ? 0x5f : (u32)dice_below(&machine->dice, 0x80);
}

static u32 random_control(struct random_machine *machine)
{
	u32 kind = (u32)dice_below(&machine->dice, 100);

	if (machine->style == RANDOM_ISOLATED || (machine->style == RANDOM_MIXED && kind < 40))
		return PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF;
	if (machine->style == RANDOM_OPEN || kind < 60)
		return 0;
	return (u32)dice_below(&machine->dice, 0x80);
}

static void add_acs(struct random_machine *machine, struct dump_function *function)
{
	u32 capability = random_capability(machine);

	/* 32 bits of egress control vector; translation blocking would stop no request here. */
	dump_acs(function, capability | 32 << 8, random_control(machine) & capability);
	dump_put(function, ACS_AT + 8, 4, dice_word(&machine->dice));
}

static void maybe_acs(struct random_machine *machine, struct dump_function *function)
{
	u32 percent = machine->style == RANDOM_OPEN ? 50 : 85;

	if (dice_chance(&machine->dice, percent))
		add_acs(machine, function);
}

static void number(struct random_machine *machine, struct dump_function *function, const u32 *ids,
		   size_t count)
{
	if (machine->quirks && dice_chance(&machine->dice, 40))
		dump_put(function, PCI_VENDOR_ID, 4, ids[dice_below(&machine->dice, count)]);
}

#define NUMBER(machine, function, ids) number(machine, function, ids, sizeof(ids) / sizeof(ids[0]))

/* Numbers as the two registers have them: device, vendor. */
static const u32 quirky_root_ports[] = { 0x8c108086, 0xa1108086, 0x84301c36, 0x040117cb };
static const u32 quirky_endpoints[] = { 0x10fb8086, 0x09031924, 0x16d714e4, 0x01008088 };
static const u32 quirky_integrated[] = { 0x9df08086, 0x439c1002, 0xd71414e4 };

/* ---- Functions ------------------------------------------------------------------------------- */

static struct dump_function *new_function(struct dump *dump, struct place place, u32 devfn,
					  bool shared)
{
	struct dump_function *function;
	char address[16];

	snprintf(address, sizeof(address), "%02x:%02x.%u", place.bus, PCI_SLOT(devfn),
		 PCI_FUNC(devfn));
	function = dump_device(dump, address);
	if (shared)
		dump_put(function, PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_MULTI);
	return function;
}

static void add_endpoint(struct random_machine *machine, struct dump *dump, struct place place,
			 u32 devfn, bool shared)
{
	struct dump_function *function = new_function(dump, place, devfn, shared);

	add_bar(machine, function);
	if (place.kind == PARALLEL)
		return;
	if (place.kind == ROOT_BUS && dice_chance(&machine->dice, 30))
		return;
	dump_express(function,
		     place.kind == ROOT_BUS ? PCI_EXP_TYPE_RC_END : PCI_EXP_TYPE_ENDPOINT);
	if (place.kind == ROOT_BUS)
		NUMBER(machine, function, quirky_integrated);
	else
		NUMBER(machine, function, quirky_endpoints);
	if (shared)
		maybe_acs(machine, function);
}

/* An endpoint below a port, with some of its virtual functions: in its slot, or beyond it. */
static void add_physical(struct random_machine *machine, struct dump *dump, struct place place)
{
	struct dump_function *physical, *virtual;
	u32 count = (u32)dice_from(&machine->dice, 1, VIRTUAL_TOTAL);
	u32 offset = dice_chance(&machine->dice, 50) ? 1 : 8;
	u32 index = dump->count, at;

	add_endpoint(machine, dump, place, 0, false);
	physical = &dump->function[index];
	maybe_acs(machine, physical);
	at = add_sriov(physical, VIRTUAL_TOTAL, count, offset);
	dump_put(physical, at + PCI_SRIOV_BAR, 4, machine->next_address);
	machine->next_address += VIRTUAL_TOTAL * BAR_BYTES;
	for (u32 i = 0; i < count; i++) {
		virtual = new_function(dump, place, offset + i, false);
		dump_put(virtual, PCI_VENDOR_ID, 4, 0xffffffff);
		dump_express(virtual, PCI_EXP_TYPE_ENDPOINT);
		maybe_acs(machine, virtual);
	}
}

/* A bridge with all that is behind it. type -1: conventional PCI on both sides. */
static void add_bridge(struct random_machine *machine, struct dump *dump, struct place place,
		       u32 devfn, bool shared, s32 type)
{
	struct dump_function *function = new_function(dump, place, devfn, shared);
	u32 index = dump->count - 1;
	struct place below = { .bus = machine->next_bus++, .depth = place.depth + 1 };
	u64 start;

	below.kind = type == PCI_EXP_TYPE_UPSTREAM		     ? SWITCH
		     : type == -1 || type == PCI_EXP_TYPE_PCI_BRIDGE ? PARALLEL
								     : LINK;
	dump_put(function, PCI_CLASS_REVISION, 4, (u32)PCI_CLASS_BRIDGE_PCI << 16);
	dump_put(function, PCI_HEADER_TYPE, 1,
		 PCI_HEADER_TYPE_BRIDGE | (shared ? PCI_HEADER_TYPE_MULTI : 0));
	if (type >= 0) {
		dump_express(function, (u32)type);
		dump_put(function, 0x40 + LINK_CAP, 4, (u32)devfn << 24);
	}
	if (type == PCI_EXP_TYPE_ROOT_PORT)
		NUMBER(machine, function, quirky_root_ports);
	if (type == PCI_EXP_TYPE_ROOT_PORT || type == PCI_EXP_TYPE_DOWNSTREAM ||
	    (type == PCI_EXP_TYPE_UPSTREAM && shared))
		maybe_acs(machine, function);
	if (dice_chance(&machine->dice, 20))
		add_bar(machine, function);
	start = align_up(machine->next_address, SZ_1M);
	machine->next_address = start;
	fill_bus(machine, dump, below);
	machine->next_address = align_up(machine->next_address, SZ_1M);

	function = &dump->function[index];
	dump_put(function, PCI_SECONDARY_BUS, 1, below.bus);
	dump_put(function, PCI_SUBORDINATE_BUS, 1, machine->next_bus - 1);
	dump_put(function, PCI_MEMORY_BASE, 4, 0x0000fff0);
	dump_put(function, PCI_PREF_MEMORY_BASE, 4, 0x0001fff1);
	if (machine->next_address > start)
		dump_window(function, (u32)start, (u32)machine->next_address - 1);
}

/* ---- Buses ----------------------------------------------------------------------------------- */

static bool is_full(const struct random_machine *machine, const struct dump *dump,
		    struct place place)
{
	return dump->count >= FUNCTIONS_MAX || place.depth >= DEPTH_MAX ||
	       machine->next_bus % ROOT_BUSES >= ROOT_BUSES - 8;
}

/* One slot of the bus: a device of one or several functions. */
static void fill_slot(struct random_machine *machine, struct dump *dump, struct place place,
		      u32 slot)
{
	u32 functions = dice_chance(&machine->dice, 35) ? (u32)dice_from(&machine->dice, 2, 3) : 1;
	bool ports = place.kind == SWITCH ||
		     (!is_full(machine, dump, place) && dice_chance(&machine->dice, 60));
	s32 type = place.kind == ROOT_BUS ? PCI_EXP_TYPE_ROOT_PORT : PCI_EXP_TYPE_DOWNSTREAM;

	if (place.kind == LINK && !ports && dice_chance(&machine->dice, 25)) {
		add_physical(machine, dump, place);
		return;
	}
	if (place.kind == PARALLEL)
		type = -1;
	if (place.kind == LINK)
		type = dice_chance(&machine->dice, 75) ? PCI_EXP_TYPE_UPSTREAM
						       : PCI_EXP_TYPE_PCI_BRIDGE;
	if (place.kind == ROOT_BUS && dice_chance(&machine->dice, 8))
		type = -1;
	if (type == PCI_EXP_TYPE_PCI_BRIDGE || type == -1)
		functions = 1;
	for (u32 i = 0; i < functions; i++) {
		u32 devfn = PCI_DEVFN(slot, i);
		/* Beside a switch's upstream port other functions may stand. */
		bool port = ports && (type != PCI_EXP_TYPE_UPSTREAM || !i);

		if (port)
			add_bridge(machine, dump, place, devfn, functions > 1, type);
		else
			add_endpoint(machine, dump, place, devfn, functions > 1);
	}
}

static void fill_bus(struct random_machine *machine, struct dump *dump, struct place place)
{
	u32 slots = place.kind == LINK ? 1 : (u32)dice_from(&machine->dice, 1, 3);
	u32 first = place.kind == ROOT_BUS;

	if (place.kind == LINK && dice_chance(&machine->dice, 8))
		return;
	for (u32 slot = first; slot < first + slots; slot++)
		fill_slot(machine, dump, place, slot);
}

/* The function that stands for a host bridge: allowed for all, for itself, or not. */
static void add_host(struct random_machine *machine, struct dump *dump, struct place place)
{
	static const u32 hosts[] = { 0x09a28086, 0x09a28086, 0x3c008086, 0x12348086 };
	struct dump_function *function = new_function(dump, place, 0, false);

	dump_put(function, PCI_VENDOR_ID, 4, hosts[dice_below(&machine->dice, 4)]);
	dump_put(function, PCI_CLASS_REVISION, 4, (u32)PCI_CLASS_BRIDGE_HOST << 16);
}

void random_machine_describe(struct random_machine *machine, struct dump *dump, u64 seed)
{
	*machine = (struct random_machine){ .dice = dice_of(seed, 0) };
	machine->style = (enum random_style)dice_below(&machine->dice, RANDOM_STYLES);
	machine->quirks = dice_chance(&machine->dice, 40);
	machine->root_count = (u32)dice_from(&machine->dice, 1, RANDOM_ROOTS_MAX);
	for (u32 i = 0; i < machine->root_count; i++) {
		struct place root = { .kind = ROOT_BUS, .bus = i * ROOT_BUSES };

		machine->next_bus = root.bus + 1;
		/* Not at a large power of two: a BAR there would be taken for a large one. */
		machine->next_address = 0x80000000 + i * ROOT_ADDRESSES + BAR_BYTES;
		add_host(machine, dump, root);
		fill_bus(machine, dump, root);
	}
}
