/* SPDX-License-Identifier: MIT */
/*
 * The fabric: where a memory request goes.
 *
 * A request climbs from its function towards the root. On each bus below it goes across to a
 * function that claims the address: another downstream port of a switch, another function of the
 * same device, anybody on conventional PCI; unless ACS request redirect sends it up. At the root it
 * passes the IOMMU and ends in RAM, in a BAR elsewhere if the root complex forwards, or nowhere.
 *
 *              root complex -- IOMMU -- RAM
 *               |        |
 *           root port   root port
 *               |
 *         upstream port
 *           |        |
 *      downstream  downstream       a request of A for B's BAR turns here,
 *           |        |              or climbs to the root under redirect
 *           A        B
 *
 * Honoured of ACS: P2P request redirect, in downstream ports and in functions of a device. Not
 * modelled: upstream forwarding (a redirected request always climbs on) and egress control.
 * Honoured of the command register: memory enable at whoever claims, bus master at bridges on the
 * way up. Translation requests go straight to the root [M]; translated requests go where their
 * address is, as others do. A write into the interrupt window [fee00000, fef00000) is a message,
 * unless it has a PASID: then it is translated. A request that the function translated itself goes
 * nowhere from there, nor does one for a translation. Not modelled of VT-d's legacy mode: that
 * hardware blocks a translation into that window; it goes where an address that nobody has goes.
 */
#ifndef HW_FABRIC_H
#define HW_FABRIC_H

#include "hw/hw.h"

enum hw_target_kind {
	HW_TARGET_RAM,
	HW_TARGET_BAR,
	HW_TARGET_INTERRUPT,   /* a message, not memory */
	HW_TARGET_UNSUPPORTED, /* nobody claims it */
	HW_TARGET_FAULT,       /* the IOMMU refused */
	HW_TARGET_TRANSLATION, /* of a translation request: it was answered */
};

struct hw_target {
	enum hw_target_kind kind;
	bool passed_root;
	u8 fault;		      /* HW_TARGET_FAULT: the reason, or event code */
	u16 fault_flags;	      /* AMD_FLAG_ */
	struct hw_iommu *iommu;	      /* the unit it passed, if any */
	u16 domain;		      /* and the domain it was translated in */
	u16 requester;		      /* who asked, as seen from where the request ended */
	struct hw_prefix prefix;      /* and with which PASID */
	phys_addr_t phys;	      /* RAM and BAR: as the CPU sees it, HW_NO_PHYS if it cannot */
	struct hw_function *function; /* BAR */
	u32 bar;
	u64 offset;
	u8 page_lg2;	 /* TRANSLATION: of the page that phys lies in */
	u8 allows;	 /* there: bit 0 reads, bit 1 writes */
	bool translated; /* by the function itself, with its TLB */
	bool as_it_is;	 /* the unit let the address pass, and looked for no translation */
	u64 run_bytes;	 /* the answer holds for so many bytes from the address on */
};

enum hw_hop_kind {
	HW_HOP_SENT,	   /* at: the requester */
	HW_HOP_UP,	   /* at: a port it climbs through */
	HW_HOP_REDIRECTED, /* at: the port whose ACS sends it up though a peer claims it */
	HW_HOP_ACROSS,	   /* at: the peer port that claims it */
	HW_HOP_DOWN,	   /* at: a bridge it descends through */
	HW_HOP_ROOT,	   /* at: the requester; it has reached the root complex */
	HW_HOP_TRANSLATED, /* address: what the IOMMU made of it */
	HW_HOP_FORWARDED,  /* address: bus address below the other host bridge */
	HW_HOP_RAM,
	HW_HOP_BAR, /* at: the function that owns it */
	HW_HOP_INTERRUPT,
	HW_HOP_UNSUPPORTED,
	HW_HOP_FAULT,
};

struct hw_hop {
	enum hw_hop_kind kind;
	dmasim_sbdf at;
	u64 address;
};

#define HW_HOPS_MAX 64

/* The way of one request. Longer ways are cut. */
struct hw_route {
	u32 count;
	struct hw_hop hop[HW_HOPS_MAX];
};

/* The address type of a TLP. */
enum hw_request_type {
	HW_REQUEST_UNTRANSLATED = 0,
	HW_REQUEST_TRANSLATION, /* what does the address mean? */
	HW_REQUEST_TRANSLATED,	/* it is one of memory: the function has asked before */
};

struct hw_request {
	struct hw_function *from;
	u64 address;
	bool write;
	bool probe; /* a dry run: caches, costs and fault records stay as they are */
	enum hw_request_type type;
	struct hw_prefix prefix;
};

/* Finds the target. route may be NULL. A refused request is recorded where hardware records it. */
struct hw_target hw_route(struct hw *hw, const struct hw_request *request, struct hw_route *route);

/* The name of a hop in traces and routes: "sent", "up", ... */
const char *hw_hop_name(enum hw_hop_kind kind);

/* The CPU's own view: what is at a physical address. */
struct hw_target hw_phys_target(struct hw *hw, phys_addr_t phys);

/* The physical address of a BAR's first byte; RAM_NO_PHYS if the CPU cannot reach it. */
phys_addr_t hw_bar_phys(const struct hw_function *function, u32 bar);

#endif
