/* SPDX-License-Identifier: MIT */
/*
 * Access Control Services: what a port or a function does with a TLP that comes to it from below,
 * or that it sends itself (PCI Express Base 5.0, 6.12; [M] throughout).
 *
 *                     root ports and switch            functions of a device, virtual ones
 *                     downstream ports                 and switch upstream ports among them
 *   SV  0x01  a request whose requester's bus is not
 *             below the port is blocked                -
 *   TB  0x02  a request that is not untranslated is
 *             blocked                                  -
 *   RR  0x04  a request for a peer port goes up        one for a neighbour function goes up
 *   CR  0x08  a completion for a peer port goes up     one for a neighbour function goes up
 *   UF  0x10  what is for below this very port goes
 *             up; without: it is blocked               -
 *   EC  0x20  the egress control vector says which     which functions
 *             peer ports are forbidden
 *   DT  0x40  a translated request for a peer goes directly, whatever RR and EC say
 *
 * For a request to a peer RR and EC are read together:
 *
 *   EC  vector's bit  RR
 *   off               off    directly
 *   off               on     up
 *   on   0                   directly
 *   on   1            off    blocked
 *   on   1            on     up
 *
 * Nothing here is done to TLPs on their way down. Bridges to and from conventional PCI have no ACS.
 * A control bit without its capability bit has no effect. Who has ACS without the capability of RR
 * may have no way to its peers at all (Linux takes it so for groups, facts "dma-api" 18.3, and not
 * for peer-to-peer, 8.5): here it has. Unspecified, and blocked here: what comes to a port for
 * below itself without UF.
 */
#ifndef HW_ACS_H
#define HW_ACS_H

#include "hw/fabric.h"

enum acs_way {
	ACS_DIRECTLY,
	ACS_UP,
	ACS_BLOCKED,
};

struct acs_ruling {
	enum acs_way way;
	enum hw_why why; /* HW_WHY_NONE: ACS has no say */
};

/* The bits in effect: of the control word, what the capability and the kind of function have. */
u8 acs_decode(const struct hw_function *function);

/* A request comes to the port from below. ACS_BLOCKED, or ACS_DIRECTLY: it is let in. */
struct acs_ruling acs_admit(const struct hw_function *port, u16 requester,
			    enum hw_request_type type);

/* A request that `from`, a port or a function, has for its peer on the same bus. */
struct acs_ruling acs_towards(const struct hw_function *from, const struct hw_function *peer,
			      enum hw_request_type type);

static inline bool acs_is_downstream_port(const struct hw_function *function)
{
	return function->express_type == PCI_EXP_TYPE_ROOT_PORT ||
	       function->express_type == PCI_EXP_TYPE_DOWNSTREAM;
}

#endif
