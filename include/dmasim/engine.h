/* SPDX-License-Identifier: MIT */
/*
 * What devices do: master the bus. The only way a device touches memory is a request that goes
 * through the fabric and, at the root, through the IOMMU.
 */
#ifndef DMASIM_ENGINE_H
#define DMASIM_ENGINE_H

#include <dmasim/pci.h>
#include <dmasim/topology.h>

enum dmasim_transfer_status {
	DMASIM_DONE = 0,
	DMASIM_NOT_MASTER,	    /* its command register does not let it (topology.h) */
	DMASIM_UNSUPPORTED_REQUEST, /* nobody claims the address */
	DMASIM_IOMMU_FAULT,	    /* the IOMMU refused */
	DMASIM_HOST_MEMORY,	    /* no memory to start the machine, or for what was written */
	DMASIM_ACS_VIOLATION,	    /* Access Control Services on the way blocked it */
};

/* What became of a transfer: a value, not an error. */
struct dmasim_transfer {
	enum dmasim_transfer_status status;
	u64 done;      /* bytes that went before the first failure */
	dma_addr_t at; /* address of the failure */
	/*
	 * DMASIM_IOMMU_FAULT: the architecture's reason code; 0: nothing was recorded, the device
	 * has asked for a translation and got none.
	 */
	u16 reason;
};

/* A request that a device might send. All zeros: an ordinary read of address 0. */
struct dmasim_request {
	u64 address;
	bool write;
	bool translated;    /* its address is what a translation request gave (ATS) */
	bool forged;	    /* with the requester ID below, instead of the device's own */
	u16 requester;	    /* bus << 8 | device << 3 | function */
	bool ignore_master; /* it is sent though the device's own bus mastering is off */
};

/* One step of the way of a request. */
struct dmasim_hop {
	const char *what; /* sent up redirect across down root ...: trace.h */
	dmasim_sbdf at;	  /* the function where it happens */
	u64 address;	  /* what the request carries from here on; a completion carries none */
	const char *why; /* what decided, in words: an ACS bit, a command register; NULL: nothing */
};

#define DMASIM_HOPS_MAX 64

/* The way of the completion of a read. */
enum dmasim_completion {
	DMASIM_COMPLETION_NONE = 0, /* there is none, or memory has it: it comes from the root */
	DMASIM_COMPLETION_DIRECT,   /* it turns below the root */
	DMASIM_COMPLETION_ROOT,	    /* it passes the root complex */
	DMASIM_COMPLETION_LOST,	    /* it does not come back, so the read is refused */
};

struct dmasim_route {
	u32 count;
	struct dmasim_hop hop[DMASIM_HOPS_MAX];
	u32 back_count; /* of a read that ends in a BAR: the way of its completion */
	struct dmasim_hop back[DMASIM_HOPS_MAX];
	bool passed_root;  /* it reached the root complex, and the IOMMU unless handed across */
	bool passed_iommu; /* an IOMMU saw it, which may have let it pass untranslated */
	bool refused;	   /* nobody claims it, the IOMMU faults, or it is blocked */
	bool blocked;	   /* by ACS, on its way or on that of its completion */
	u16 acs;	   /* blocked: by which bit (PCI_ACS_), at which function */
	struct pci_dev *blocked_at;
	bool in_bar;	     /* it ends in a BAR */
	struct pci_dev *end; /* in_bar: whose, which, and where in it */
	u32 bar;
	u64 offset;
	phys_addr_t phys; /* where it ends, as the CPU sees it; DMASIM_NO_PHYS if it cannot */
	enum dmasim_completion completion;
};

/* A fault the IOMMU recorded, as its driver would read it. */
struct dmasim_fault_record {
	u16 requester; /* 0: it is about a command (AMD) */
	u64 address;   /* VT-d: of the page; AMD: of the request, or where the command lies */
	bool write;
	u16 reason;	/* the architecture's fault reason, or event code */
	u64 word[4];	/* the record as the hardware holds it: 128 bits, or 256 */
	char line[192]; /* in the words of Linux's driver */
};

DMASIM_BEGIN_DECLS

/*
 * The device reads `bytes` at a DMA address into `to`, or writes them there. Any length; split into
 * requests as PCI Express does. Starts the machine.
 */
DMASIM_API struct dmasim_transfer dmasim_dev_read(struct pci_dev *pdev, dma_addr_t dma, void *to,
						  u64 bytes);
DMASIM_API struct dmasim_transfer dmasim_dev_write(struct pci_dev *pdev, dma_addr_t dma,
						   const void *from, u64 bytes);

/*
 * The way that one request of the device would go (PCI Express Base 5.0, 6.12), without sending it:
 * nothing is recorded, cached or counted. The device's TLB is not asked: an untranslated request
 * goes to the IOMMU, a translated one carries the address that it would have got. Starts the
 * machine; without memory for that it is refused, and has no hops.
 */
DMASIM_API void dmasim_route_request(struct pci_dev *pdev, const struct dmasim_request *request,
				     struct dmasim_route *route);

/* The same for an ordinary request, whether the device may master the bus or not. */
DMASIM_API void dmasim_route(struct pci_dev *pdev, dma_addr_t dma, bool write,
			     struct dmasim_route *route);

/* "sent 0000:3a:00.0, up 0000:39:00.0, ..." into buf, always terminated. */
DMASIM_API void dmasim_route_text(const struct dmasim_route *route, char *buf, size_t len);

/*
 * From now on the device answers no invalidation of its TLB, or does so again. The IOMMU waits for
 * the answer for a minute of virtual time, in which no timer fires (those that are due do with the
 * next dmasim_run()); then its queue stops, with the error of the architecture (VT-d: FSTS.ITE;
 * AMD: the event IOTLB_INV_TIMEOUT; facts "iova-and-page-tables" 2.6), which is reported.
 */
DMASIM_API void dmasim_device_hang(struct pci_dev *pdev, bool hang);

/* Takes the oldest recorded fault of any IOMMU; false: there is none. */
DMASIM_API bool dmasim_fault_take(struct dmasim *s, struct dmasim_fault_record *record);

DMASIM_END_DECLS

#endif
