/* SPDX-License-Identifier: MIT */
/*
 * Routes of requests, as the public API gives them.
 */
#include <string.h>

#include "machine/machine.h"

static void copy_hops(struct dmasim_hop *to, const struct hw_hop *from, u32 count)
{
	for (u32 i = 0; i < count; i++)
		to[i] = (struct dmasim_hop){
			.what = hw_hop_name(from[i].kind),
			.at = from[i].at,
			.address = from[i].address,
			.why = from[i].why ? hw_why_text(from[i].why) : NULL,
		};
}

static enum dmasim_completion completion_of(const struct hw_target *target)
{
	static const enum dmasim_completion ways[] = {
		[HW_COMPLETION_NONE] = DMASIM_COMPLETION_NONE,
		[HW_COMPLETION_DIRECT] = DMASIM_COMPLETION_DIRECT,
		[HW_COMPLETION_ROOT] = DMASIM_COMPLETION_ROOT,
		[HW_COMPLETION_LOST] = DMASIM_COMPLETION_LOST,
	};

	return ways[target->completion];
}

static void tell(struct dmasim *s, const struct hw_target *target, struct dmasim_route *route)
{
	route->passed_root = target->passed_root;
	route->passed_iommu = target->iommu;
	route->phys = target->phys;
	route->completion = completion_of(target);
	route->blocked = target->kind == HW_TARGET_BLOCKED;
	route->refused = route->blocked || target->kind == HW_TARGET_UNSUPPORTED ||
			 target->kind == HW_TARGET_FAULT;
	route->in_bar = target->kind == HW_TARGET_BAR;
	if (route->blocked) {
		route->acs = hw_why_bit(target->why);
		route->blocked_at = machine_device(s, target->function);
	}
	if (route->in_bar) {
		route->end = machine_device(s, target->function);
		route->bar = target->bar;
		route->offset = target->offset;
	}
}

void dmasim_route_request(struct pci_dev *pdev, const struct dmasim_request *request,
			  struct dmasim_route *route)
{
	struct dmasim *s = machine_of(pdev);
	struct hw_request asked = {
		.address = request->address,
		.write = request->write,
		.probe = true,
		.heeds_master = !request->ignore_master,
		.forged = request->forged,
		.requester = request->requester,
		.type = request->translated ? HW_REQUEST_TRANSLATED : HW_REQUEST_UNTRANSLATED,
	};
	struct hw_target target;
	struct hw_route hops;

	*route = (struct dmasim_route){ .refused = true, .phys = DMASIM_NO_PHYS };
	if (!machine_start(s))
		return;
	asked.from = machine_function(pdev);
	target = hw_route(&s->hw, &asked, &hops);
	route->count = hops.count;
	route->back_count = hops.back_count;
	copy_hops(route->hop, hops.hop, hops.count);
	copy_hops(route->back, hops.back, hops.back_count);
	tell(s, &target, route);
}

void dmasim_route(struct pci_dev *pdev, dma_addr_t dma, bool write, struct dmasim_route *route)
{
	dmasim_route_request(
		pdev,
		&(struct dmasim_request){ .address = dma, .write = write, .ignore_master = true },
		route);
}

void dmasim_route_text(const struct dmasim_route *route, char *buf, size_t len)
{
	struct text text;

	DMASIM_CONTRACT(len, "a text has room for its end");
	text_init(&text, buf, len);
	for (u32 i = 0; i < route->count; i++) {
		const struct dmasim_hop *hop = &route->hop[i];

		text_add(&text, "%s%s ", i ? ", " : "", hop->what);
		if (!strcmp(hop->what, "iommu") || !strcmp(hop->what, "ram") ||
		    !strcmp(hop->what, "forward"))
			text_add(&text, "0x%llx", hop->address);
		else
			text_add_bdf(&text, hop->at);
	}
}
