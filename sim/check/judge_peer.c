/* SPDX-License-Identifier: MIT */
/*
 * Peer memory: how a device reaches it is a verdict on the two, and what is mapped, used and
 * unmapped follows from it.
 *
 *   BUS_ADDR           the bus address as it is: nothing is mapped, so nothing is unmapped
 *   THRU_HOST_BRIDGE   a mapping like that of memory, with DMA_ATTR_MMIO
 *   NOT_SUPPORTED      nothing
 */
#include <dmasim/dma.h>
#include <dmasim/p2pdma.h>

#include "check/judge.h"

/* ---- Verdicts --------------------------------------------------------- */

static struct check_verdict *find_verdict(struct check *check, dmasim_sbdf client,
					  dmasim_sbdf provider)
{
	struct check_verdict *verdict;

	SLIST_FOREACH(verdict, &check->verdicts, link) {
		if (verdict->client == client && verdict->provider == provider)
			return verdict;
	}
	return NULL;
}

void judge_p2p_type(struct check *check, const struct dmasim_event *event)
{
	struct check_verdict *verdict = find_verdict(check, event->dev, event->peer);

	if (!verdict) {
		verdict = memory_alloc(&check->world->memory, DMASIM_FAULT_CHECK_RECORD,
				       sizeof(*verdict));
		if (!verdict) {
			check->blind = true;
			return;
		}
		verdict->client = event->dev;
		verdict->provider = event->peer;
		SLIST_INSERT_HEAD(&check->verdicts, verdict, link);
	}
	verdict->type = event->p2p_type;
}

void judge_forget_verdicts(struct check *check, dmasim_sbdf provider)
{
	struct check_verdict *verdict;

	SLIST_FOREACH(verdict, &check->verdicts, link) {
		if (verdict->provider == provider)
			verdict->type = PCI_P2PDMA_MAP_UNKNOWN;
	}
}

/* Bus addresses, said of another device, or of another provider; NULL: there is none. */
static const struct check_verdict *verdict_of_other(const struct check *check, dmasim_sbdf client,
						    dmasim_sbdf provider)
{
	const struct check_verdict *verdict;

	SLIST_FOREACH(verdict, &check->verdicts, link) {
		if ((verdict->client == client || verdict->provider == provider) &&
		    verdict->type == PCI_P2PDMA_MAP_BUS_ADDR)
			return verdict;
	}
	return NULL;
}

/* ---- Bus addresses ---------------------------------------------------- */

static void add_bar(struct text *text, u64 dma, const struct hw_target *bar)
{
	text_add(text, "0x%llx is the bus address of BAR %u of ", dma, bar->bar);
	text_add_bdf(text, hw_function_sbdf(bar->function));
}

static bool in_window_of(struct check *check, const struct hw_root *root, u64 dma,
			 struct hw_target *bar)
{
	for (u32 i = 0; i < root->window_count; i++) {
		u64 start = root->window[i].start + root->window[i].bus_offset;

		if (dma - start >= root->window[i].bytes)
			continue;
		*bar = hw_phys_target(check->hw, dma - root->window[i].bus_offset);
		return bar->kind == HW_TARGET_BAR;
	}
	return false;
}

bool check_finds_bus_address(struct check *check, dmasim_sbdf dev, u64 dma, struct hw_target *bar)
{
	const struct hw_function *function = hw_function_find(check->hw, dev);
	const struct hw_root *root;

	if (check->hw->told) {
		*bar = check->hw->told->bus(check->hw->told, dma);
		return bar->kind == HW_TARGET_BAR;
	}
	if (!function)
		return false;
	if (in_window_of(check, hw_root_of(function), dma, bar))
		return true;
	TAILQ_FOREACH(root, &check->hw->roots, link) {
		if (root->segment == dev >> 16 && in_window_of(check, root, dma, bar))
			return true;
	}
	return false;
}

/* An entry of a list that was mapped by bus address there; or what was torn down instead. */
static const struct piece *concerned(struct owner_space *space, const struct dmasim_event *event,
				     const struct piece *torn)
{
	const struct piece *piece = torn ? NULL : owners_first(space, event->dma, event->dma);

	return piece && piece->kind == PIECE_SG_BUS && piece->dev == event->dev ? piece : torn;
}

bool judge_bus_unmapped(struct check *check, struct owner_space *space,
			const struct dmasim_event *event, const struct piece *torn,
			const struct dma_debug_message *debug)
{
	struct hw_target bar;
	char what[160];
	struct text text;

	if (!check_finds_bus_address(check, event->dev, event->dma, &bar))
		return false;
	text_init(&text, what, sizeof(what));
	add_bar(&text, event->dma, &bar);
	text_add(&text, torn ? ": keep the map type; a mapping that had this IOVA is gone"
			     : ": keep the map type, BUS_ADDR needs no unmap");
	judge_found(check, event,
		    &(struct finding){ .id = DMASIM_REPORT_BUS_ADDRESS_UNMAPPED,
				       .what = what,
				       .piece = concerned(space, event, torn),
				       .debug[0] = *debug });
	return true;
}

/* ---- Mapping ---------------------------------------------------------- */

/* Where the hardware would take a request of the device for this BAR's bus address. */
bool check_reaches_below_root(struct check *check, dmasim_sbdf dev, const struct hw_target *bar)
{
	struct hw_request request = {
		.from = hw_function_find(check->hw, dev),
		.address = bar->function->bar[bar->bar].span.start + bar->offset,
		.write = true,
		.probe = true,
	};
	struct hw_target reached;

	if (!request.from)
		return false;
	reached = hw_route(check->hw, &request, NULL);
	return reached.kind == HW_TARGET_BAR && !reached.passed_root &&
	       reached.function == bar->function;
}

bool check_finds_bar(struct check *check, phys_addr_t phys, struct hw_target *bar)
{
	if (phys - check->ram.start < check->ram.bytes ||
	    ram_find_range(&check->hw->ram, phys, &check->ram))
		return false;
	*bar = hw_phys_target(check->hw, phys);
	return bar->kind == HW_TARGET_BAR;
}

static void tell_not_supported(struct check *check, const struct dmasim_event *event,
			       const struct hw_target *bar)
{
	char what[128];
	struct text text;

	text_init(&text, what, sizeof(what));
	text_add(&text, "pci_p2pdma_map_type() said NOT_SUPPORTED of ");
	text_add_bdf(&text, hw_function_sbdf(bar->function));
	text_add(&text, ": no request gets there");
	judge_found(check, event,
		    &(struct finding){ .id = DMASIM_REPORT_P2P_VERDICT, .what = what });
}

/* A list asks of each page itself; in the other calls it is their caller who has to say it. */
static void judge_mmio(struct check *check, const struct dmasim_event *event)
{
	if (event->attrs & DMA_ATTR_MMIO ||
	    (event->type != DMASIM_EVENT_MAP_PHYS && event->type != DMASIM_EVENT_LINK))
		return;
	judge_found(check, event,
		    &(struct finding){ .id = DMASIM_REPORT_PEER_AS_RAM,
				       .what = "DMA_ATTR_MMIO is missing: caches and copies are "
					       "for RAM; the unmap is to have it, too" });
}

/*
 * A driver that was told to go through the host bridge does no wrong, whatever shorter way there
 * is; one that did not ask, or was told otherwise, does.
 */
void judge_peer_way(struct check *check, const struct dmasim_event *event)
{
	struct hw_target target;
	struct check_verdict *verdict;

	if (!check_can_judge(check) || !check_finds_bar(check, event->phys, &target))
		return;
	verdict = find_verdict(check, event->dev, hw_function_sbdf(target.function));
	if (verdict && verdict->type == PCI_P2PDMA_MAP_NOT_SUPPORTED) {
		tell_not_supported(check, event, &target);
		return;
	}
	if (!(verdict && verdict->type == PCI_P2PDMA_MAP_THRU_HOST_BRIDGE) &&
	    check_reaches_below_root(check, event->dev, &target)) {
		judge_found(check, event,
			    &(struct finding){
				    .id = DMASIM_REPORT_P2P_WRONG_WAY,
				    .what = "requests stay below the root: pci_p2pdma_map_type() "
					    "says how, pci_p2pdma_bus_addr_map() maps" });
		return;
	}
	judge_mmio(check, event);
}

/* ---- Use -------------------------------------------------------------- */

/* The BAR that the address is of; false: it is of none, or of the device's own. */
static bool names_peer(struct check *check, const struct hw_access *access, u64 dma,
		       struct hw_target *bar)
{
	*bar = *access->target;
	if ((bar->kind != HW_TARGET_BAR || bar->passed_root) &&
	    !check_finds_bus_address(check, hw_function_sbdf(access->from), dma, bar))
		return false;
	return bar->function != access->from;
}

static bool arrives(const struct hw_access *access)
{
	return access->target->kind == HW_TARGET_BAR && !access->target->passed_root;
}

/* The verdict that the device may have gone by is of another pair. */
static void add_other(struct text *what, const struct check_verdict *other)
{
	text_add(what, ": pci_p2pdma_map_type() was asked for ");
	text_add_bdf(what, other->client);
	text_add(what, " and ");
	text_add_bdf(what, other->provider);
	text_add(what, ", not for these two");
}

bool judge_peer_used(struct check *check, const struct hw_access *access, u64 dma,
		     struct text *what, enum dmasim_report_id *id)
{
	static const char *const told[] = {
		[PCI_P2PDMA_MAP_UNKNOWN] = ", whose driver has let go of it",
		[PCI_P2PDMA_MAP_NOT_SUPPORTED] =
			": pci_p2pdma_map_type() said NOT_SUPPORTED, no request gets there",
		[PCI_P2PDMA_MAP_THRU_HOST_BRIDGE] =
			": pci_p2pdma_map_type() said THRU_HOST_BRIDGE, it is to be mapped",
	};
	dmasim_sbdf dev = hw_function_sbdf(access->from);
	const struct check_verdict *verdict, *other = NULL;
	struct hw_target bar;

	if (SLIST_EMPTY(&check->verdicts) || !names_peer(check, access, dma, &bar))
		return false;
	verdict = find_verdict(check, dev, hw_function_sbdf(bar.function));
	/* Who did not ask, and gets there, is lucky. */
	if (!verdict && !arrives(access))
		other = verdict_of_other(check, dev, hw_function_sbdf(bar.function));
	if (verdict ? verdict->type == PCI_P2PDMA_MAP_BUS_ADDR : !other)
		return false;
	*id = verdict && verdict->type == PCI_P2PDMA_MAP_UNKNOWN ? DMASIM_REPORT_PEER_RELEASED
								 : DMASIM_REPORT_P2P_VERDICT;
	add_bar(what, dma, &bar);
	if (verdict)
		text_add(what, "%s", told[verdict->type]);
	else
		add_other(what, other);
	return true;
}
