/* SPDX-License-Identifier: MIT */
/*
 * Completions: the way back of what a BAR answers a read with.
 *
 * A completion goes by the bus number of its requester, not by an address. It climbs from the
 * completer until a peer on a bus leads to that number, and turns there, unless completion redirect
 * (CR) sends it up. A switch's port that it climbs to though the number is below itself passes it
 * by upstream forwarding (UF); unspecified without, and it is lost here. A root port passes it in
 * any case: unspecified without UF, but machines whose switches redirect below root ports without
 * ACS read peer memory. No other bit of ACS is asked, nor is bus mastering. In the root complex it
 * goes down again where that forwards; completions of memory come from there.
 */
#ifndef HW_COMPLETION_H
#define HW_COMPLETION_H

#include "hw/fabric.h"

/* How a completion comes back. */
struct hw_return {
	enum hw_completion way;
	struct hw_function *by; /* LOST: where */
	enum hw_why why;	/* LOST */
};

/*
 * From the completer to a requester below `root`. route may be NULL; else hops are added to its way
 * back.
 */
struct hw_return hw_complete(struct hw_function *completer, const struct hw_root *root,
			     u16 requester, struct hw_route *route);

#endif
