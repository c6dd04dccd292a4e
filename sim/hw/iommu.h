/* SPDX-License-Identifier: MIT */
/*
 * An IOMMU unit: context entries, translation with its cache, fault records, invalidation queue.
 */
#ifndef HW_IOMMU_H
#define HW_IOMMU_H

#include <bsd/sys/queue.h>

#include "hw/arch.h"
#include "hw/context.h"
#include "hw/iotlb.h"
#include "hw/pasid.h"
#include "hw/ram.h"
#include "hw/walk_cache.h"

struct hw;

/* Bits of a unit's status, whatever the architecture; at VT-d's positions. */
#define HW_STATUS_OVERFLOW (1U << 0) /* a fault record was lost */
#define HW_STATUS_PENDING  (1U << 1) /* there are records */
#define HW_STATUS_QUEUE	   (1U << 4) /* a command has stopped the queue */
#define HW_STATUS_TIMEOUT  (1U << 6) /* a device did not answer in time */

struct hw_iommu {
	TAILQ_ENTRY(hw_iommu) link;
	struct hw *hw;
	const struct hw_arch *arch;
	u32 unit;
	struct hw_walker walker; /* the format's geometry and reserved bits */
	u8 max_address_mask;
	bool pf_requester;    /* device-TLB commands may name the physical function */
	bool caching_mode;    /* CAP.CM: contexts that translate nothing are cached, too */
	bool scalable;	      /* contexts lead to tables of PASIDs */
	bool nested;	      /* whose entries may name both stages */
	bool wide_commands;   /* of 32 bytes */
	bool page_requests;   /* devices may ask for pages, and the queue answers */
	u8 pasid_flags;	      /* HW_CONTEXT_ flags that entries of PASIDs may have */
	bool forgets_tables;  /* RISC-V: commands may have NL, */
	bool forgets_windows; /* and S */
	bool command_ranges;  /* SMMUv3: commands may have several pages (RIL) */
	struct hw_context *contexts[256]; /* by bus, then devfn; made when first set */
	struct hw_pasid_pages pasid_pages;
	struct context_cache context_cache;
	struct context_cache pasid_cache; /* of the entries of PASIDs */
	struct walk_cache walk_cache;
	struct iotlb iotlb;

	struct hw_queue queue;

	/* A ring of records the driver has not read, from fault_first on. */
	u32 fault_status; /* HW_STATUS_ */
	u32 fault_records;
	u32 fault_first;
	u32 fault_count;
	u64 faults_total;
	struct hw_fault_record fault[];
};

TAILQ_HEAD(hw_iommu_list, hw_iommu);

struct hw_iommu_desc {
	const struct hw_arch *arch; /* NULL: hw_vtd */
	const void *own;	    /* hw_walker.own */
	u32 unit;
	u8 levels;
	u8 address_bits;
	u8 max_address_mask;
	bool huge_1g;
	bool snoop_control;
	bool coherent;
	bool device_tlb;     /* ECAP.DT: devices may have TLBs of their own */
	bool pf_requester;   /* their invalidations may name the physical function (PFSID) */
	bool caching_mode;   /* CAP.CM */
	bool scalable;	     /* scalable mode is on: contexts are HW_CONTEXT_PASIDS or absent */
	bool wide_commands;  /* IQA.DW: 32 bytes each */
	bool page_requests;  /* ECAP.PRS */
	bool nested;	     /* ECAP.NEST: entries of PASIDs may be HW_CONTEXT_NESTED */
	u8 first_levels;     /* of first-stage tables: 4, or up to 5 (CAP.FL5LP); 0: none */
	bool first_huge_1g;  /* CAP.FL1GP */
	u8 pasid_flags;	     /* HW_CONTEXT_ flags that the unit supports: the others are reserved */
	bool napot;	     /* RISC-V: Svnapot, */
	bool page_types;     /* Svpbmt, */
	bool forgets_tables; /* NL and */
	bool forgets_windows; /* S */
	bool command_ranges;  /* SMMUv3: RIL */
	u32 iotlb_entries;
	u32 iotlb_ways;	     /* 0: IOTLB_WAYS */
	u32 context_entries; /* of the context cache; 0: none */
	u32 pasid_entries;   /* of the PASID cache; 0: none */
	u32 walk_entries;    /* of the walk cache, for each level; 0: none */
	u32 fault_records;   /* 0: as many as the architecture's units have */
};

/* NULL: no memory. */
struct hw_iommu *hw_iommu_add(struct hw *hw, const struct hw_iommu_desc *desc);
void hw_iommu_remove(struct hw_iommu *iommu);
struct hw_iommu *hw_iommu_find(const struct hw *hw, u32 unit);
/* Of the host bridge that it serves; 0: none. */
u16 hw_iommu_segment(const struct hw_iommu *iommu);

/* Writes the entry; what is cached of it stays. 0 or -ENOMEM. */
int hw_context_set(struct hw_iommu *iommu, u16 requester, struct hw_context context);
/* The entry as it is now, whatever is cached. */
struct hw_context hw_context_get(const struct hw_iommu *iommu, u16 requester);

/*
 * Why an entry refuses every such request: the one that a requester's requests without PASID are
 * translated with, which is its context, or in scalable mode the entry of a PASID.
 */
static inline struct hw_refusal hw_entry_refusal(const struct hw_iommu *iommu,
						 const struct hw_context *entry, bool write)
{
	return iommu->scalable ? iommu->arch->pasid_refusal(iommu, entry, write)
			       : iommu->arch->context_refusal(iommu, entry, write);
}

/* A request of `requester` for one address; the answer holds for the rest of `page_lg2`. */
struct hw_translation {
	phys_addr_t phys;
	u16 domain;
	u16 fault_flags; /* AMD_FLAG_ */
	u16 fault;	 /* of the architecture, 0: translated */
	u8 page_lg2;
	bool pass_through;
	u8 allows; /* of what was found: bit 0 reads, bit 1 writes */
};

/* The requester's context, out of the cache if it is there. Valid until the next call. */
const struct hw_context *hw_context_find(struct hw_iommu *iommu, u16 requester, bool write);
/* What hw_translate() does with it. */
struct hw_translation hw_translate_in(struct hw_iommu *iommu, const struct hw_context *context,
				      u64 iova, bool write);

/* Looks into the cache, walks on a miss, fills the cache. Does not record a fault. */
struct hw_translation hw_translate(struct hw_iommu *iommu, u16 requester, u64 iova, bool write);

/* What a walk would find now: neither cache nor costs are touched. */
struct hw_translation hw_translate_probe(struct hw_iommu *iommu, u16 requester, u64 iova,
					 bool write);

/* Either of the two for a request that may have a prefix. */
struct hw_translation hw_translate_ask(struct hw_iommu *iommu, const struct hw_ask *ask,
				       bool probe);

/*
 * Reads all entries of a table that serve [start, last]; see walker.h. table may be NULL. levels
 * has HW_FIRST_STAGE for the tables of a HW_CONTEXT_FIRST_STAGE, and HW_BELOW_TOP for others than
 * the top, of them or where the architecture has signs.
 */
static inline void hw_walk_range(const struct hw_iommu *iommu, phys_addr_t root, u8 levels,
				 u64 start, u64 last, hw_walk_leaf *leaf, hw_walk_table *table,
				 void *cookie)
{
	iommu->arch->range(&iommu->walker, root, levels, start, last, leaf, table, cookie);
}

/* Writes a fault record, or notes that one was lost. While that is noted, all are lost. */
DMASIM_COLD void hw_fault_record(struct hw_iommu *iommu, const struct hw_refusal *refusal);

/* The order of the oldest record; ~0: there is none. */
u64 hw_fault_oldest(const struct hw_iommu *iommu);

/* Takes the oldest record, as a driver does; the last one clears the status. False: none. */
bool hw_fault_take(struct hw_iommu *iommu, struct hw_fault_record *record);

#endif
