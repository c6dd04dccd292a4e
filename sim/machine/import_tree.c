/* SPDX-License-Identifier: MIT */
/*
 * From functions to a tree, by exclusion: a bus that no bridge leads to is a root bus, and reaches
 * up to the largest bus number below it. And from the tree to hardware.
 *
 * Accepted, as real dumps have it: bridges without numbers, which lead nowhere; functions 1 to 7
 * whose function 0 is missing, or does not say that there are more; functions that did not answer.
 * Left out, with a note: virtual functions that no function has enabled; what is behind a CardBus
 * bridge; domains that Linux does not give out.
 */
#include <errno.h>
#include <string.h>

#include "machine/import.h"

static int compare_secondary(struct import_function *a, struct import_function *b)
{
	u64 at_a = (u64)a->domain << 8 | a->config[PCI_SECONDARY_BUS];
	u64 at_b = (u64)b->domain << 8 | b->config[PCI_SECONDARY_BUS];

	return (at_a > at_b) - (at_a < at_b);
}

RB_PROTOTYPE(import_bridges, import_function, by_secondary, compare_secondary)
RB_GENERATE(import_bridges, import_function, by_secondary, compare_secondary)

/* CardBus bridges have their bus numbers at the same place. */
static bool is_bridge(const struct import_function *function)
{
	return import_header_type(function) != PCI_HEADER_TYPE_NORMAL;
}

static bool leads_somewhere(const struct import_function *function)
{
	return is_bridge(function) && function->config[PCI_SECONDARY_BUS];
}

/* ---- Each function by itself ------------------------------------------ */

static enum import_kind kind_of(const struct import_function *function)
{
	if (import_read(function, PCI_VENDOR_ID, 2) != 0xffff)
		return IMPORT_FUNCTION;
	for (u32 at = 0; at < IMPORT_HEADER_BYTES; at++) {
		if (function->config[at] != 0xff)
			return IMPORT_VIRTUAL;
	}
	return IMPORT_SILENT;
}

/* What nobody knows reads as zeros, and the first 64 bytes of a function are always there. */
static void silence(struct import_function *function)
{
	function->config_bytes = IMPORT_HEADER_BYTES;
	memset(function->config, 0, IMPORT_HEADER_BYTES);
}

static int check_function(struct import *import, struct import_function *function)
{
	u32 secondary = function->config[PCI_SECONDARY_BUS];
	u32 subordinate = function->config[PCI_SUBORDINATE_BUS];
	const struct import_function *other;

	if (import_header_type(function) > PCI_HEADER_TYPE_CARDBUS)
		return import_error(import, function->line,
				    "%s has header type 0x%02x; expected 0, 1 or 2",
				    import_name(function).text, import_header_type(function));
	if (!leads_somewhere(function))
		return 0;
	if (secondary <= function->bus || subordinate < secondary)
		return import_error(import, function->line,
				    "bridge %s has secondary bus %02x and subordinate bus %02x; "
				    "expected %02x < secondary <= subordinate",
				    import_name(function).text, secondary, subordinate,
				    function->bus);
	other = RB_INSERT(import_bridges, &import->bridges, function);
	if (other)
		return import_error(import, function->line,
				    "bridge %s leads to bus %02x as %s in line %u does; expected "
				    "one bridge for each bus",
				    import_name(function).text, secondary, import_name(other).text,
				    other->line);
	return 0;
}

/* Counts of what is not part of the machine. */
struct left_out {
	u32 in_domains;
	u32 virtual;
	u32 silent;
	u32 behind_cardbus;
	struct import_name domain; /* the first of each */
	struct import_name virtual_name;
	struct import_name silent_name;
	struct import_name cardbus_name;
};

static u16 segment_of(const struct import_function *function)
{
	u16 segment;

	dmasim_segment(function->domain, &segment);
	return segment;
}

/* VMD's own segments have no other name. */
static bool has_segment(const struct import_function *function)
{
	u16 segment;

	return dmasim_segment(function->domain, &segment) &&
	       dmasim_domain(segment) == function->domain;
}

static void count_one(u32 *count, struct import_name *first, const struct import_function *function)
{
	if (!(*count)++)
		*first = import_name(function);
}

static struct import_function *bridge_to(struct import *import,
					 const struct import_function *function)
{
	u8 config[PCI_SUBORDINATE_BUS] = { [PCI_SECONDARY_BUS] = function->bus };
	struct import_function key = { .domain = function->domain, .config = config };

	return RB_FIND(import_bridges, &import->bridges, &key);
}

/* Among the buses of a bridge, where no bridge leads. */
static bool is_beside_bridges(struct import *import, const struct import_function *function)
{
	struct import_function *bridge;

	if (bridge_to(import, function))
		return false;
	RB_FOREACH(bridge, import_bridges, &import->bridges) {
		if (bridge->domain == function->domain &&
		    bridge->config[PCI_SECONDARY_BUS] < function->bus &&
		    bridge->config[PCI_SUBORDINATE_BUS] >= function->bus)
			return true;
	}
	return false;
}

/* Virtual functions have such buses. Text may name them and not show who enabled them. */
static void leave_out_virtual(struct import *import, struct left_out *out)
{
	struct import_function *function;

	RB_FOREACH(function, import_functions, &import->functions) {
		if (function->kind != IMPORT_FUNCTION || !function->named_virtual ||
		    !has_segment(function) || !is_beside_bridges(import, function))
			continue;
		function->kind = IMPORT_VIRTUAL;
		count_one(&out->virtual, &out->virtual_name, function);
	}
}

/* Kinds, and what is told of those that are left out. */
static void sort_functions(struct import *import, struct left_out *out)
{
	struct import_function *function;

	RB_FOREACH(function, import_functions, &import->functions) {
		function->kind = kind_of(function);
		if (function->kind != IMPORT_SILENT)
			continue;
		if (has_segment(function))
			count_one(&out->silent, &out->silent_name, function);
		silence(function);
	}
	import_virtual(import);
	RB_FOREACH(function, import_functions, &import->functions) {
		if (!has_segment(function))
			count_one(&out->in_domains, &out->domain, function);
		else if (function->kind == IMPORT_VIRTUAL && !function->physfn)
			count_one(&out->virtual, &out->virtual_name, function);
	}
}

static bool is_left_out(const struct import_function *function)
{
	return !has_segment(function) || (function->kind == IMPORT_VIRTUAL && !function->physfn);
}

static int check_functions(struct import *import)
{
	struct import_function *function;
	int err;

	RB_FOREACH(function, import_functions, &import->functions) {
		err = is_left_out(function) ? 0 : check_function(import, function);
		if (err)
			return err;
	}
	return 0;
}

/* ---- The tree --------------------------------------------------------- */

/* Functions come in order, so a root bus is either the last one or new. */
static struct import_root *root_of_bus(struct import *import,
				       const struct import_function *function)
{
	struct import_root *root = TAILQ_LAST(&import->roots, import_root_list);

	if (root && root->segment == segment_of(function) && root->bus_first == function->bus)
		return root;
	root = import_alloc(import, sizeof(*root));
	if (!root)
		return NULL;
	root->segment = segment_of(function);
	root->bus_first = function->bus;
	root->bus_last = function->bus;
	TAILQ_INIT(&root->functions);
	TAILQ_INSERT_TAIL(&import->roots, root, link);
	return root;
}

/* Function 0 says that there are more in its slot; without it they would not be looked for. */
static void tell_function_0(struct import *import, const struct import_function *function)
{
	struct import_function key = {
		.domain = function->domain,
		.bus = function->bus,
		.devfn = function->devfn & 0xf8,
	};
	struct import_function *first = RB_FIND(import_functions, &import->functions, &key);

	if (first && first != function && first->kind != IMPORT_VIRTUAL)
		first->config[PCI_HEADER_TYPE] |= PCI_HEADER_TYPE_MULTI;
}

/* Beside its physical function, which came before it. A bus number of its own has no bridge. */
static int place_virtual(struct import_function *function)
{
	function->above = function->physfn->above;
	function->root = function->physfn->root;
	if (!function->root)
		return 0;
	TAILQ_INSERT_TAIL(&function->root->functions, function, below);
	if (function->root->bus_last < function->bus)
		function->root->bus_last = function->bus;
	return 0;
}

static int place(struct import *import, struct import_function *function)
{
	struct import_function *above = bridge_to(import, function);
	u32 secondary = function->config[PCI_SECONDARY_BUS];

	if (function->physfn)
		return place_virtual(function);
	function->above = above;
	function->root = above ? above->root : root_of_bus(import, function);
	if (!above && !function->root)
		return -ENOMEM;
	if (above && import_header_type(above) == PCI_HEADER_TYPE_CARDBUS)
		function->root = NULL;
	if (!function->root)
		return 0;
	TAILQ_INSERT_TAIL(&function->root->functions, function, below);
	tell_function_0(import, function);
	if (!leads_somewhere(function))
		return 0;
	if (above && secondary > above->config[PCI_SUBORDINATE_BUS])
		return import_error(import, function->line,
				    "bridge %s leads to bus %02x; expected one of %02x to %02x, "
				    "the buses of %s above it",
				    import_name(function).text, secondary,
				    above->config[PCI_SECONDARY_BUS],
				    above->config[PCI_SUBORDINATE_BUS], import_name(above).text);
	if (function->root->bus_last < function->config[PCI_SUBORDINATE_BUS])
		function->root->bus_last = function->config[PCI_SUBORDINATE_BUS];
	return 0;
}

static void note_one(struct import *import, u32 count, struct import_name first, const char *what)
{
	if (count)
		import_note(import, "%u function%s (%s%s) %s", count, count > 1 ? "s" : "",
			    first.text, count > 1 ? " ..." : "", what);
}

static void note_left_out(struct import *import, const struct left_out *out)
{
	note_one(import, out->silent, out->silent_name,
		 "did not answer when the dump was made: registers unknown, read as zeros");
	note_one(import, out->in_domains, out->domain,
		 "left out: a domain is 0000 to ffbf, or VMD's 10000 to 1003e, here");
	note_one(import, out->virtual, out->virtual_name,
		 "left out: virtual functions of SR-IOV that no function in the file has enabled");
	note_one(import, out->behind_cardbus, out->cardbus_name,
		 "left out: behind a CardBus bridge");
}

/* Switches, bridges to conventional PCI and endpoints of links have a port above them. */
static bool needs_port(const struct import_function *function)
{
	switch (import_express_type(function)) {
	case PCI_EXP_TYPE_UPSTREAM:
	case PCI_EXP_TYPE_DOWNSTREAM:
	case PCI_EXP_TYPE_PCI_BRIDGE:
		return true;
	case PCI_EXP_TYPE_ENDPOINT:
	case PCI_EXP_TYPE_LEG_END:
		return function->bus; /* virtual machines have them on bus 0 */
	default:
		return false;
	}
}

/* A part of a machine: whatever is above is not known, and so not who shares it. */
static void note_parts(struct import *import)
{
	const struct import_root *root;
	const struct import_function *function;
	struct import_name first = { "" };
	u32 count = 0;

	TAILQ_FOREACH(root, &import->roots, link) {
		bool is_part = true;

		TAILQ_FOREACH(function, &root->functions, below)
			is_part = is_part &&
				  (function->above || function->physfn || needs_port(function));
		if (is_part)
			count_one(&count, &first, TAILQ_FIRST(&root->functions));
	}
	note_one(import, count, first,
		 "whose bus no bridge in the file leads to: taken for a root bus, as if nothing "
		 "were above it");
}

int import_tree(struct import *import)
{
	struct left_out out = { 0 };
	struct import_function *function;
	int err;

	sort_functions(import, &out);
	err = check_functions(import);
	if (err)
		return err;
	leave_out_virtual(import, &out);
	RB_FOREACH(function, import_functions, &import->functions) {
		if (is_left_out(function))
			continue;
		err = place(import, function);
		if (err)
			return err;
		if (!function->root)
			count_one(&out.behind_cardbus, &out.cardbus_name, function);
	}
	note_left_out(import, &out);
	note_parts(import);
	if (TAILQ_EMPTY(&import->roots))
		return import_error(import, 1,
				    "nothing is left of the file (%.150s); expected functions",
				    import->notes.at);
	return 0;
}

/* ---- Hardware --------------------------------------------------------- */

static int make_function(struct import *import, struct hw_root *root,
			 struct import_function *function)
{
	struct hw_function_desc desc = {
		.devfn = function->devfn,
		.config = function->config,
		.config_bytes = function->config_bytes,
		.acs_hidden = function->acs_hidden,
		.tlb_entries = function->tlb_entries,
	};
	struct hw_bus *bus = function->above ? function->above->made->secondary : &root->bus;
	u8 assumed[PCI_CFG_SPACE_EXP_SIZE];

	if (import_assume(import, function, assumed)) {
		desc.config = assumed;
		desc.config_bytes = sizeof(assumed);
		desc.acs_hidden = true;
	}
	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++) {
		const struct import_bar *bar = &function->bar[i], *of_virtual;

		of_virtual = &function->bar[PCI_STD_NUM_BARS + i];
		desc.bar_bytes[i] = bar->bytes;
		desc.bar_inferred |= (u8)(bar->inferred << i);
		desc.vf_bar_bytes[i] = of_virtual->bytes;
		desc.vf_bar_inferred |= (u8)(of_virtual->inferred << i);
	}
	if (function->physfn) {
		desc.physfn = function->physfn->made;
		desc.vf_index = function->vf_index;
	}
	function->made = hw_function_add(&import->s->hw, bus, &desc);
	if (!function->made)
		return -ENOMEM;
	return import_record_made(&import->s->world.memory, function->record, function->made);
}

static int make_root(struct import *import, const struct import_root *from)
{
	struct import_function *function;
	struct hw_root *root;
	int err = 0;

	/* Behind an endpoint there is no IOMMU: that asks the one above it. */
	if (from->endpoint)
		root = hw_root_add(&import->s->hw, from->segment, from->bus_first, from->bus_last);
	else
		root = machine_add_root(import->s, from->segment, from->bus_first, from->bus_last);
	if (!root)
		return -ENOMEM;
	if (from->endpoint)
		hw_root_attach(root, from->endpoint->made);
	memcpy(root->window, from->window, sizeof(root->window));
	root->window_count = from->window_count;
	memcpy(root->inbound, from->inbound, sizeof(root->inbound));
	root->inbound_count = from->inbound_count;
	TAILQ_FOREACH(function, &from->functions, below) {
		err = make_function(import, root, function);
		if (err)
			break;
	}
	return err;
}

/* Why a function that has no bridge above it is not found. */
static int tell_unreached(struct import *import, const struct import_function *function)
{
	struct import_function *bridge;
	const struct import_root *root;

	RB_FOREACH(bridge, import_bridges, &import->bridges) {
		if (bridge->domain == function->domain &&
		    bridge->config[PCI_SECONDARY_BUS] <= function->bus &&
		    bridge->config[PCI_SUBORDINATE_BUS] >= function->bus)
			return import_error(import, function->line,
					    "no way leads to %s: its bus is among those of another "
					    "bridge; expected the bridges above it in the file",
					    import_name(function).text);
	}
	TAILQ_FOREACH(root, &import->roots, link) {
		if (root->segment == segment_of(function) && root->bus_first <= function->bus &&
		    root->bus_last >= function->bus)
			break;
	}
	return import_error(import, function->line,
			    "no way leads to %s: its bus is among those of host bridge %02x, which "
			    "has buses %02x to %02x, and no bridge leads there; expected one",
			    import_name(function).text, root ? root->bus_first : 0,
			    root ? root->bus_first : 0, root ? root->bus_last : 0);
}

/*
 * Configuration requests go where bus numbers lead. A function they do not lead to sits behind
 * bridges that are not in the file, or on a bus that two bridges claim.
 */
static int check_reached(struct import *import, const struct import_root *root)
{
	const struct import_function *function;

	TAILQ_FOREACH(function, &root->functions, below) {
		dmasim_sbdf id = DMASIM_SBDF(segment_of(function), function->bus,
					     PCI_SLOT(function->devfn), PCI_FUNC(function->devfn));

		if (hw_function_find(&import->s->hw, id) != function->made)
			return tell_unreached(import, function);
	}
	return 0;
}

static int make_all(struct import *import)
{
	const struct import_root *root;
	int err = 0;

	TAILQ_FOREACH(root, &import->roots, link) {
		err = make_root(import, root);
		if (err)
			return err;
	}
	TAILQ_FOREACH(root, &import->roots, link) {
		err = check_reached(import, root);
		if (err)
			return err;
	}
	return 0;
}

/* What a machine without hardware looks like, to come back to. */
struct before {
	u32 next_unit;
	phys_addr_t high_ram;
	struct frame_list frames; /* records for it */
	enum platform_cpu_vendor cpu_vendor;
	u32 cpu_family;
};

static void take_back(struct dmasim *s, struct before *before)
{
	while (!TAILQ_EMPTY(&s->hw.roots)) {
		struct hw_root *root = TAILQ_FIRST(&s->hw.roots);
		struct hw_iommu *iommu = root->iommu;

		hw_root_remove(&s->hw, root);
		if (iommu)
			hw_iommu_remove(iommu);
	}
	s->imported = false;
	s->next_unit = before->next_unit;
	s->cpu_vendor = before->cpu_vendor;
	s->cpu_family = before->cpu_family;
	machine_put_high_ram_back(s, before->high_ram, &before->frames);
	/* Nothing is new now, so this needs no memory. */
	DMASIM_CONTRACT(!machine_hardware_changed(s), "taking hardware back cannot fail");
}

int import_become(struct import *import)
{
	struct dmasim *s = import->s;
	struct before before = {
		.next_unit = s->next_unit,
		.high_ram = s->hw.ram.range[1].start,
		.cpu_vendor = s->cpu_vendor,
		.cpu_family = s->cpu_family,
	};
	int err = make_all(import);

	LIST_INIT(&before.frames);
	if (!err)
		err = machine_place_high_ram(s, import->high_ram, &before.frames);
	if (!err) {
		s->imported = true;
		s->cpu_vendor = import->cpu_vendor;
		s->cpu_family = import->cpu_family;
		err = machine_hardware_changed(s);
	}
	if (err)
		take_back(s, &before);
	else
		machine_use_known_aliases(s);
	frames_drop(&s->hw.frames, &before.frames);
	return err;
}
