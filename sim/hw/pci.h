/* SPDX-License-Identifier: MIT */
/*
 * PCI functions, buses and host bridges as hardware sees them: configuration registers and what
 * they make the function decode. No structure here is shared with the software, which reads the
 * same registers through the port.
 */
#ifndef HW_PCI_H
#define HW_PCI_H

#include <bsd/sys/queue.h>

#include <dmasim/hw/pci.h>

#include "hw/iotlb.h"
#include "hw/ram.h"

struct hw;
struct hw_bus;
struct hw_function;
struct hw_iommu;

/* An inclusive range of bus addresses; empty when start > last. */
struct hw_span {
	u64 start;
	u64 last;
};

#define HW_NO_SPAN ((struct hw_span){ 1, 0 })

static inline bool hw_span_has(struct hw_span span, u64 address)
{
	return address >= span.start && address <= span.last;
}

/*
 * What answers accesses to a BAR instead of plain memory. bytes is 1 to 4096 and never crosses the
 * end of the BAR. Registers read as what `read` fills in; NULL members read as zeros and lose
 * writes.
 */
struct hw_bar_ops {
	void (*read)(void *cookie, u32 bar, u64 offset, void *to, u32 bytes);
	void (*write)(void *cookie, u32 bar, u64 offset, const void *from, u32 bytes);
};

/*
 * Plain memory of a BAR is made in aligned pieces of so much, and so contiguous on the host; the
 * host gives pages when they are touched.
 */
#define HW_BAR_CHUNK_BYTES (64ULL << 20)

struct hw_bar {
	u64 bytes; /* 0: not implemented. A power of two. */
	bool io;
	bool is_64;
	bool inferred;	     /* its size is not told by the machine's description */
	struct hw_span span; /* what it decodes now */
	u64 traced_at;	     /* where the trace says that the CPU finds it, plus 1; 0: nowhere */
	struct ram *memory;  /* plain memory behind it, made when touched; addresses are offsets */
};

/* The address space that what lies behind a bridge needs, of one kind. */
struct hw_behind {
	u64 bytes;
	u8 align_lg2;
};

/* Under whose number a bridge passes on what comes from below it (facts "dma-api" 18.2). */
enum hw_alias {
	HW_ALIAS_USUAL,	    /* as its kind of bridge does */
	HW_ALIAS_NONE,	    /* as it comes */
	HW_ALIAS_SECONDARY, /* its secondary bus, devfn 0 */
	HW_ALIAS_LAST,	    /* as it comes, and no bridge further up changes it */
};

/* What configuration space does not say of a function. */
struct hw_traits {
	bool external;	/* anybody may have plugged it in */
	bool no_snoop;	/* its requests do not look into the CPU's cache */
	u64 bus_limit;	/* highest address that the way to it carries; 0: all */
	u64 pool_bytes; /* firmware sets this much memory aside for it; 0: none */
	u64 pool_start;
	bool sends_as_other; /* its requests carry the number of devfn sends_as on its bus */
	u8 sends_as;
	enum hw_alias alias; /* bridges */
};

TAILQ_HEAD(hw_virtfn_list, hw_function);

struct hw_function {
	TAILQ_ENTRY(hw_function) link;
	struct hw *hw;
	struct hw_bus *bus; /* the bus it sits on */
	u8 devfn;
	u8 header_type;	  /* without the multi-function bit */
	s32 express_type; /* PCI_EXP_TYPE_, or -1: conventional PCI */
	u16 express_at;	  /* offsets of capabilities, 0: none */
	u16 acs_at;
	u16 ats_at;
	u16 sriov_at;
	u32 config_bytes; /* 64, 256 or 4096: what is known; the rest reads as zeros */
	bool acs_hidden;  /* though the rest is known */
	u8 *config;
	struct hw_bar bar[PCI_STD_NUM_BARS];
	struct hw_traits traits;
	struct iotlb device_tlb; /* with the ATS capability */
	bool hung;		 /* it answers no invalidation of its TLB */
	bool has_bar_ops;	 /* else BARs are plain memory */
	struct hw_bar_ops bar_ops;
	void *bar_cookie;

	/* SR-IOV (sriov.h). */
	struct hw_virtfn_list virtfns; /* of a physical function, by index; not all need answer */
	struct hw_bar vf_bar[PCI_STD_NUM_BARS];
	TAILQ_ENTRY(hw_function) by_index; /* of a virtual function */
	struct hw_function *physfn;	   /* NULL: it is no virtual function */
	struct hw_root *inner; /* a domain of its own, whose addresses lie in its BARs (VMD) */
	u16 vf_index;
	u8 bus_ahead; /* its bus number is so much larger than its bus's */

	/* Decoded from the registers at each write. */
	u16 vf_count; /* so many virtual functions answer */
	bool memory_enabled;
	bool master_enabled;
	bool ats_enabled;
	u8 acs;				/* PCI_ACS_ bits in effect */
	struct hw_span window;		/* bridges: memory */
	struct hw_span prefetch_window; /* bridges: prefetchable memory */

	struct hw_bus *secondary;   /* bridges */
	struct hw_behind behind[2]; /* bridges: firmware's notes while it plans addresses */
};

TAILQ_HEAD(hw_function_list, hw_function);

struct hw_bus {
	struct hw_root *root;
	struct hw_function *bridge;	   /* NULL: a root bus */
	struct hw_function_list functions; /* by number; with virtual functions */
};

/* A part of the CPU's address space that a host bridge forwards; bus = phys + bus_offset. */
struct hw_window {
	phys_addr_t start;
	u64 bytes;
	u64 bus_offset;
	bool inferred; /* not told by the machine's description */
};

#define HW_ROOT_WINDOWS_MAX 64

/*
 * Bus addresses that a host bridge takes for memory, and where they lie in it. One without ranges
 * takes every address as it is.
 */
struct hw_inbound {
	u64 bus_start;
	phys_addr_t start;
	u64 bytes;
};

#define HW_ROOT_INBOUND_MAX 8

/* What a host bridge does with requests from below it for somebody below a host bridge. */
enum hw_forwards {
	HW_FORWARDS_NONE,
	HW_FORWARDS_WITHIN, /* below itself */
	HW_FORWARDS_ANY,    /* also to and from others that do so */
};

/* A host bridge and its root bus. */
struct hw_root {
	TAILQ_ENTRY(hw_root) link;
	struct hw_bus bus;
	u16 segment;
	u8 bus_first;
	u8 bus_last;
	u32 window_count;
	struct hw_window window[HW_ROOT_WINDOWS_MAX];
	u32 inbound_count;
	struct hw_inbound inbound[HW_ROOT_INBOUND_MAX];
	u64 built_offset;	/* bus_offset of the windows that firmware will plan */
	struct hw_iommu *iommu; /* NULL: requests reach memory untranslated */
	enum hw_forwards forwards;
	struct hw_function *endpoint; /* it is behind this one (VMD); NULL: the processor's own */
};

TAILQ_HEAD(hw_root_list, hw_root);

/* What a new function looks like. */
struct hw_function_desc {
	u8 devfn;
	const u8 *config;
	u32 config_bytes;		  /* 64, 256 or 4096 */
	bool acs_hidden;		  /* its ACS registers are not among them */
	u32 tlb_entries;		  /* of one with the ATS capability; 0: as many as usual */
	u64 bar_bytes[PCI_STD_NUM_BARS];  /* 0 for the upper half of a 64-bit BAR */
	u8 bar_inferred;		  /* bit n: the size of BAR n is a guess */
	const struct hw_bar_ops *bar_ops; /* copied; NULL: plain memory */
	void *bar_cookie;
	u64 vf_bar_bytes[PCI_STD_NUM_BARS]; /* of one with the SR-IOV capability */
	u8 vf_bar_inferred;
	/* A virtual function's: it sits on the bus of this one, where the capability has it. */
	struct hw_function *physfn;
	u16 vf_index;
};

/* NULL: no memory. The hardware owns both; hw_fini() releases them. */
struct hw_root *hw_root_add(struct hw *hw, u16 segment, u8 bus_first, u8 bus_last);
struct hw_function *hw_function_add(struct hw *hw, struct hw_bus *bus,
				    const struct hw_function_desc *desc);
/* Puts the root bus behind an endpoint of another host bridge, in whose BARs its addresses lie. */
void hw_root_attach(struct hw_root *root, struct hw_function *endpoint);
/* The host bridge whose root complex the requests from there reach. */
struct hw_root *hw_root_above(struct hw_root *root);
void hw_function_remove(struct hw_function *function);
void hw_root_remove(struct hw *hw, struct hw_root *root);

/* False: a virtual function that is not enabled. */
static inline bool hw_function_answers(const struct hw_function *function)
{
	return !function->physfn || function->vf_index < function->physfn->vf_count;
}

/* Linear over the functions of one bus, those with its number. NULL: nobody there. */
struct hw_function *hw_function_on(const struct hw_bus *bus, u8 devfn);

/* The host bridge that requests for a number begin at. NULL: none. */
struct hw_root *hw_root_find(const struct hw *hw, dmasim_sbdf dev);

/* Routed by the bus numbers in the bridges, as hardware does. NULL: nobody there. */
struct hw_function *hw_function_find(const struct hw *hw, dmasim_sbdf dev);

/* The number a function answers to now. */
dmasim_sbdf hw_function_sbdf(const struct hw_function *function);
u8 hw_bus_number(const struct hw_bus *bus);

/* bytes is 1, 2 or 4 and offset a multiple of it, below 4096. */
u32 hw_config_read(const struct hw_function *function, u32 offset, u32 bytes);
void hw_config_write(struct hw_function *function, u32 offset, u32 bytes, u32 value);

/* The BAR of this function that decodes a bus address, or -1. */
int hw_bar_at(const struct hw_function *function, u64 address);

/*
 * Accesses to a BAR, inside it. bytes is 1 to 4096 for BARs with behaviour. False: no host memory
 * (the write is lost).
 */
bool hw_bar_read(struct hw_function *function, u32 bar, u64 offset, void *to, u64 bytes);
bool hw_bar_write(struct hw_function *function, u32 bar, u64 offset, const void *from, u64 bytes);

/* The plain memory behind a BAR; NULL if it has behaviour instead, or there is no host memory. */
struct ram *hw_bar_memory(struct hw_function *function, u32 bar);

#endif
