/* SPDX-License-Identifier: MIT */
#include "hw/acs.h"

#define ACS_OF_PORTS	 0x7f
#define ACS_OF_FUNCTIONS (PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_EC | PCI_ACS_DT)

static u8 bits_of_kind(const struct hw_function *function)
{
	switch (function->express_type) {
	case PCI_EXP_TYPE_ROOT_PORT:
	case PCI_EXP_TYPE_DOWNSTREAM:
		return ACS_OF_PORTS;
	case PCI_EXP_TYPE_ENDPOINT:
	case PCI_EXP_TYPE_LEG_END:
	case PCI_EXP_TYPE_RC_END:
	case PCI_EXP_TYPE_UPSTREAM:
		return ACS_OF_FUNCTIONS;
	default:
		return 0;
	}
}

u8 acs_decode(const struct hw_function *function)
{
	u32 capability, control;

	if (!function->acs_at)
		return 0;
	capability = hw_config_read(function, function->acs_at + PCI_ACS_CAP, 2);
	control = hw_config_read(function, function->acs_at + PCI_ACS_CTRL, 2);
	return (u8)(control & capability & bits_of_kind(function));
}

static bool is_below(const struct hw_function *port, u16 requester)
{
	return requester >> 8 >= port->config[PCI_SECONDARY_BUS] &&
	       requester >> 8 <= port->config[PCI_SUBORDINATE_BUS];
}

struct acs_ruling acs_admit(const struct hw_function *port, u16 requester,
			    enum hw_request_type type)
{
	if (port->acs & PCI_ACS_TB && type != HW_REQUEST_UNTRANSLATED)
		return (struct acs_ruling){ ACS_BLOCKED, HW_WHY_TB };
	if (port->acs & PCI_ACS_SV && !is_below(port, requester))
		return (struct acs_ruling){ ACS_BLOCKED, HW_WHY_SV };
	return (struct acs_ruling){ ACS_DIRECTLY, HW_WHY_NONE };
}

/*
 * The bit of the peer in an egress control vector: the number of a port, from its link's
 * capabilities, or that of a function. Where there are virtual functions a device has one slot, and
 * functions up to 255. -1: a function of the root complex has no port number.
 */
static int egress_index(const struct hw_function *from, const struct hw_function *peer)
{
	if (acs_is_downstream_port(from))
		return peer->express_at
			       ? (int)(hw_config_read(peer, peer->express_at + PCI_EXP_LNKCAP, 4) >>
				       PCI_EXP_LNKCAP_PN_SHIFT)
			       : -1;
	return peer->bus->bridge ? peer->devfn : PCI_FUNC(peer->devfn);
}

/* Peers beyond the end of the vector are not forbidden. */
static bool is_forbidden(const struct hw_function *from, const struct hw_function *peer)
{
	u32 capability = hw_config_read(from, from->acs_at + PCI_ACS_CAP, 2);
	int index = egress_index(from, peer);
	u32 at = from->acs_at + (u32)PCI_ACS_EGRESS_CTL_V;

	if (index < 0 || index >= (int)PCI_ACS_EGRESS_BITS(capability))
		return false;
	return hw_config_read(from, at + (u32)index / 32 * 4, 4) >> (index % 32) & 1;
}

struct acs_ruling acs_towards(const struct hw_function *from, const struct hw_function *peer,
			      enum hw_request_type type)
{
	/* [the vector forbids the peer][RR] */
	static const struct acs_ruling with_egress_control[2][2] = {
		{ { ACS_DIRECTLY, HW_WHY_EC_ALLOWS }, { ACS_DIRECTLY, HW_WHY_EC_ALLOWS } },
		{ { ACS_BLOCKED, HW_WHY_EC }, { ACS_UP, HW_WHY_EC_REDIRECTS } },
	};
	bool redirect = from->acs & PCI_ACS_RR;

	if (!(from->acs & (PCI_ACS_RR | PCI_ACS_EC)))
		return (struct acs_ruling){ ACS_DIRECTLY, HW_WHY_NONE };
	if (from->acs & PCI_ACS_DT && type == HW_REQUEST_TRANSLATED)
		return (struct acs_ruling){ ACS_DIRECTLY, HW_WHY_DT };
	if (from->acs & PCI_ACS_EC)
		return with_egress_control[is_forbidden(from, peer)][redirect];
	return (struct acs_ruling){ ACS_UP, HW_WHY_RR };
}
