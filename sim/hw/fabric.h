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
 * What ports and functions do with a TLP by ACS is in acs.h; what the root complex does, in root.c;
 * completions, in completion.h. Honoured of the command register: memory enable at whoever claims,
 * bus master at bridges on the way up (the requester's own is the engine's to heed).
 *
 * Translation requests go straight to the root [M]; translated requests go where their address is,
 * as others do. A write into the interrupt window [fee00000, fef00000) is a message, unless it has
 * a PASID: then it is translated; and so it always is on machines where interrupts are writes like
 * others (Arm's). A request that the function translated itself goes nowhere from
 * there, nor does one for a translation. Not modelled of VT-d's legacy mode: that hardware blocks a
 * translation into that window; it goes where an address that nobody has goes.
 */
#ifndef HW_FABRIC_H
#define HW_FABRIC_H

#include "hw/hw.h"

enum hw_target_kind {
	HW_TARGET_RAM,
	HW_TARGET_BAR,
	HW_TARGET_INTERRUPT,   /* a message, not memory */
	HW_TARGET_UNSUPPORTED, /* nobody claims it */
	HW_TARGET_BLOCKED,     /* by ACS: itself, or the completion on its way back */
	HW_TARGET_FAULT,       /* the IOMMU refused */
	HW_TARGET_TRANSLATION, /* of a translation request: it was answered */
};

/*
 * What decided at a hop: X(name, the ACS bit, a reader's words).
 *
 * Words begin small and have no full stop; they follow the name of a function.
 */
#define HW_WHYS(X)                                                                           \
	X(NONE, 0, "")                                                                       \
	X(SV, PCI_ACS_SV, "source validation (SV): the requester's bus is not below it")     \
	X(TB, PCI_ACS_TB, "translation blocking (TB): only untranslated requests pass")      \
	X(RR, PCI_ACS_RR, "request redirect (RR)")                                           \
	X(CR, PCI_ACS_CR, "completion redirect (CR)")                                        \
	X(UF, PCI_ACS_UF, "for below this very port, and upstream forwarding (UF) is off")   \
	X(UF_LIFTS, PCI_ACS_UF, "upstream forwarding (UF): for below this very port")        \
	X(EC, PCI_ACS_EC, "egress control (EC): the vector forbids the peer, and RR is off") \
	X(EC_REDIRECTS, PCI_ACS_EC, "egress control (EC) forbids the peer, and RR is on")    \
	X(EC_ALLOWS, PCI_ACS_EC, "egress control (EC): the vector allows the peer")          \
	X(DT, PCI_ACS_DT, "direct translated (DT)")                                          \
	X(MASTER, 0, "bus mastering is off")                                                 \
	X(REQUESTER_MASTER, 0, "the requester's bus mastering is off")                       \
	X(WAY, 0, "the way does not carry the address")                                      \
	X(OWN_WINDOW, 0, "what is for below a bridge does not climb through it")             \
	X(NOBODY, 0, "nobody claims the address")                                            \
	X(NOT_FORWARDED, 0, "the root complex does not forward it")                          \
	X(NO_IOMMU, 0, "no IOMMU answers")                                                   \
	X(MESSAGE, 0, "in the interrupt window only untranslated writes mean something")     \
	X(NO_REDIRECT, 0, "request redirect (RR) is off: the root complex hands it across")  \
	X(LOST, 0, "the way back leads to nobody")

enum hw_why {
#define HW_WHY(name, bit, text) HW_WHY_##name,
	HW_WHYS(HW_WHY)
#undef HW_WHY
};

/* The way of a read's completion. */
enum hw_completion {
	HW_COMPLETION_NONE,   /* there is none, or memory's: it comes down from the root */
	HW_COMPLETION_DIRECT, /* it turns below the root */
	HW_COMPLETION_ROOT,   /* it passes the root complex */
	HW_COMPLETION_LOST,
};

struct hw_target {
	enum hw_target_kind kind;
	enum hw_why why; /* UNSUPPORTED, BLOCKED */
	bool passed_root;
	u16 fault;		      /* HW_TARGET_FAULT: the reason, or event code */
	u16 fault_flags;	      /* AMD_FLAG_ */
	struct hw_iommu *iommu;	      /* the unit it passed, if any */
	u16 domain;		      /* and the domain it was translated in */
	u16 requester;		      /* who asked, as seen from where the request ended */
	struct hw_prefix prefix;      /* and with which PASID */
	phys_addr_t phys;	      /* RAM and BAR: as the CPU sees it, HW_NO_PHYS if it cannot */
	u64 carried;		      /* UNSUPPORTED: the address that it had by then */
	struct hw_function *function; /* BAR; BLOCKED: whose ACS it was */
	u32 bar;
	u64 offset;
	u8 page_lg2;	 /* TRANSLATION: of the page that phys lies in */
	u8 allows;	 /* there: bit 0 reads, bit 1 writes */
	bool translated; /* by the function itself, with its TLB */
	bool as_it_is;	 /* the unit let the address pass, and looked for no translation */
	enum hw_completion completion;
	u64 run_bytes; /* the answer holds for so many bytes from the address on */
};

enum hw_hop_kind {
	HW_HOP_SENT,	   /* at: the requester */
	HW_HOP_UP,	   /* at: a port it climbs through */
	HW_HOP_REDIRECTED, /* at: whose ACS sends it up though a peer claims it */
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
	HW_HOP_BLOCKED,	  /* at: whose ACS */
	HW_HOP_COMPLETED, /* at: the requester has the completion */
};

struct hw_hop {
	enum hw_hop_kind kind;
	enum hw_why why;
	dmasim_sbdf at;
	u64 address;
};

#define HW_HOPS_MAX 64

/* The way of one request, and of the completion that a BAR has for it. Longer ways are cut. */
struct hw_route {
	u32 count;
	u32 back_count;
	struct hw_hop hop[HW_HOPS_MAX];
	struct hw_hop back[HW_HOPS_MAX];
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
	bool probe;	   /* a dry run: caches, costs and fault records stay as they are */
	bool heeds_master; /* refused unless its function may master the bus */
	bool forged;	   /* with a requester ID that is not its own */
	u16 requester;	   /* this one */
	enum hw_request_type type;
	struct hw_prefix prefix;
};

/* Finds the target. route may be NULL. A refused request is recorded where hardware records it. */
struct hw_target hw_route(struct hw *hw, const struct hw_request *request, struct hw_route *route);

/* The host bridge above it. */
static inline struct hw_root *hw_root_of(const struct hw_function *function)
{
	return function->bus->root;
}

/* The name of a hop in traces and routes: "sent", "up", ... */
const char *hw_hop_name(enum hw_hop_kind kind);

/* What decided, in words, and the ACS bit that did, 0: none. */
const char *hw_why_text(enum hw_why why);
u16 hw_why_bit(enum hw_why why);

/* "RR", as the trace has it. */
const char *hw_why_name(enum hw_why why);

/* The CPU's own view: what is at a physical address. */
struct hw_target hw_phys_target(struct hw *hw, phys_addr_t phys);

/* The physical address of a BAR's first byte; RAM_NO_PHYS if the CPU cannot reach it. */
phys_addr_t hw_bar_phys(const struct hw_function *function, u32 bar);

#endif
