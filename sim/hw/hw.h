/* SPDX-License-Identifier: MIT */
/*
 * One machine's hardware: memory, PCI fabric, IOMMUs, devices. It knows requester IDs and
 * addresses, nothing of the software that drives it.
 */
#ifndef HW_HW_H
#define HW_HW_H

#include "hw/cache.h"
#include "hw/frames.h"
#include "hw/iommu.h"
#include "hw/pci.h"
#include "hw/told.h"

/* What a transfer of a device did, told after it happened; one call per contiguous stretch. */
struct hw_access {
	struct hw_function *from;
	u64 address; /* as the device issued it */
	u64 bytes;
	bool write;
	const struct hw_target *target;
};

/* The hardware's listeners. Any member may be NULL. */
struct hw_hooks {
	void *cookie;
	void (*access)(void *cookie, const struct hw_access *access);
	/* The IOMMU or the fabric refused a request: target says which and why. */
	void (*refused)(void *cookie, const struct hw_access *access);
	/* A translation came into the IOTLB; not told: that something is absent. */
	void (*filled)(void *cookie, struct hw_iommu *iommu, u16 domain,
		       const struct hw_leaf *page);
	/* A command was handed over: from now on it may be executed. */
	void (*submitted)(void *cookie, struct hw_iommu *iommu,
			  const struct hw_invalidation *invalidation);
	/* It was executed; software knows that only after a wait that stands behind it. */
	void (*invalidated)(void *cookie, struct hw_iommu *iommu,
			    const struct hw_invalidation *invalidation);
	/* A wait was executed: all commands with lower numbers are complete. */
	void (*waited)(void *cookie, struct hw_iommu *iommu, u64 number);
	/* A device's ATS was switched off, and its TLB is empty. */
	void (*ats_off)(void *cookie, struct hw_iommu *iommu, u16 requester);
	/* A device did not answer in time: the queue has stopped. */
	void (*timed_out)(void *cookie, struct hw_iommu *iommu,
			  const struct hw_invalidation *invalidation);
	/* A command stopped the queue: it is malformed, or it failed. */
	void (*queue_error)(void *cookie, struct hw_iommu *iommu, const u64 command[2]);
	/* Around a change of what the CPU sees of RAM that is none of the CPU's own doing. */
	void (*changing)(void *cookie, phys_addr_t phys, u64 bytes);
	void (*changed)(void *cookie, phys_addr_t phys, u64 bytes);
	/* What the CPU wrote to a line goes to memory, all of the line. */
	void (*writing_back)(void *cookie, const struct cache_line *line);
};

/* Exact counts of what the hardware did. */
struct hw_costs {
	u64 tlps;
	u64 walk_reads;			  /* page-table entries fetched from memory */
	u64 walk_hits[WALK_CACHE_LEVELS]; /* walks that began at a cached table, by its level */
	u64 context_hits;		  /* 0 if there is no context cache, like the misses */
	u64 context_misses;
	u64 pasid_hits; /* of the PASID cache, likewise */
	u64 pasid_misses;
	u64 iotlb_hits;
	u64 iotlb_misses;
	u64 invalidations; /* IOTLB invalidation commands executed */
	u64 context_invalidations;
	u64 ats_requests; /* translation requests of devices */
	u64 device_tlb_hits;
	u64 device_tlb_misses;
	u64 pasid_invalidations; /* of the PASID cache */
	u64 device_tlb_invalidations;
	u64 device_tlb_timeouts;     /* of them */
	u64 interrupt_invalidations; /* of cached entries of interrupt remapping */
	u64 interrupts;		     /* messages of devices, written to the interrupt window */
	u64 wait_interrupts;	     /* of IOMMUs whose wait commands ask for one */
};

struct hw {
	struct world *world;
	struct ram ram;
	struct hw_cache cache;
	struct frames frames;
	struct hw_root_list roots;
	struct hw_iommu_list iommus;
	struct hw_hooks hooks;
	struct hw_costs costs;
	bool any_no_snoop;	    /* a function does not snoop, or did not */
	u64 fault_order;	    /* of the next fault record */
	const struct hw_told *told; /* it is not there: this answers. NULL: it is */
	bool trace_hops;	    /* every hop of every request goes into the trace */
};

void hw_init(struct hw *hw, struct world *world);
void hw_fini(struct hw *hw);

/* As ram_write(), to what the CPU sees; of all but the CPU itself. */
u64 hw_ram_write(struct hw *hw, phys_addr_t phys, const void *from, u64 bytes);

#endif
