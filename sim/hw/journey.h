/* SPDX-License-Identifier: MIT */
/*
 * A request on its way: what fabric.c and root.c share. The parts below are of the tree of one host
 * bridge; root.c is where trees meet.
 */
#ifndef HW_JOURNEY_H
#define HW_JOURNEY_H

#include "hw/fabric.h"

struct journey {
	struct hw *hw;
	const struct hw_request *request;
	struct hw_route *route;
	u64 address; /* what the TLP carries now */
	u64 run_bytes;
	u16 requester;		    /* who asks, as far as anybody further up can tell */
	const struct hw_root *root; /* the host bridge that its number belongs to */
	bool alias_last;	    /* and nobody further up changes it */
	bool sent_up;		    /* by ACS on the bus below, though it belongs there */
	bool passed_root;
	bool as_it_is; /* the unit let the address pass */
	struct hw_iommu *iommu;
	u16 domain;
};

void journey_tell_hop(const struct journey *journey, enum hw_hop_kind kind,
		      const struct hw_function *at, enum hw_why why);

/* Most often nobody wants to know. */
static inline void journey_hop(const struct journey *journey, enum hw_hop_kind kind,
			       const struct hw_function *at, enum hw_why why)
{
	if (journey->route || journey->hw->trace_hops)
		journey_tell_hop(journey, kind, at, why);
}

void journey_limit_run(struct journey *journey, u64 bytes);

/* ---- Ends ------------------------------------------------------------------------------------ */

static inline struct hw_target journey_arrive(const struct journey *journey,
					      struct hw_target target)
{
	target.passed_root = journey->passed_root;
	target.iommu = journey->iommu;
	target.domain = journey->domain;
	target.requester = journey->requester;
	target.translated = journey->request->type == HW_REQUEST_TRANSLATED;
	target.as_it_is = journey->as_it_is;
	target.prefix = journey->request->prefix;
	target.run_bytes = journey->run_bytes;
	return target;
}

struct hw_target journey_unsupported(struct journey *journey, enum hw_why why);
struct hw_target journey_blocked(struct journey *journey, struct hw_function *by, enum hw_why why);

/* ---- On a bus and below it ------------------------------------------------------------------- */

/*
 * Who on a bus claims the address. Where nobody does, the answer holds only up to the next BAR:
 * those can be smaller than a page.
 */
struct hw_function *journey_claimer(struct journey *journey, const struct hw_bus *bus,
				    const struct hw_function *except);

/* From a function that claims the address down to the BAR. */
struct hw_target journey_descend(struct journey *journey, struct hw_function *function);

/* ---- In the root complex --------------------------------------------------------------------- */

/*
 * At a host bridge. from: the function of the root bus that the request came through, or that sent
 * it.
 */
struct hw_target journey_at_root(struct journey *journey, struct hw_function *from);

/* The CPU's name for a bus address in a window of the host bridge; RAM_NO_PHYS: it is in none. */
phys_addr_t root_phys_in_windows(const struct hw_root *root, u64 address);

/* Whose window has it, and its bus address there; NULL: nobody's. */
struct hw_root *root_of_window(const struct hw *hw, phys_addr_t phys, u64 *bus_address);

/* Two functions of one device of the root complex, neither of which is a port. */
bool root_are_neighbours(const struct hw_function *one, const struct hw_function *other);

/* The root complex takes TLPs from below the one to below the other. */
bool root_forwards(const struct hw_root *from, const struct hw_root *to);

/* True if a write to this address is an interrupt. */
bool root_has_message(const struct hw_root *root, u64 address);

#endif
