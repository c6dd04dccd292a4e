/* SPDX-License-Identifier: MIT */
/*
 * An IOMMU unit: context entries, translation with its cache, fault records, invalidation queue.
 */
#ifndef HW_IOMMU_H
#define HW_IOMMU_H

#include <bsd/sys/queue.h>

#include "hw/iotlb.h"
#include "hw/ram.h"
#include "hw/walker.h"

struct hw;

#define HW_FAULT_RECORDS 8

enum hw_context_type {
	HW_CONTEXT_ABSENT = 0,
	HW_CONTEXT_TRANSLATE,
	HW_CONTEXT_PASS_THROUGH, /* addresses are taken as they are */
};

struct hw_context {
	u8 type; /* enum hw_context_type */
	u8 levels;
	u16 domain;
	phys_addr_t root;
};

/* The 128-bit record of the architecture, host byte order. */
struct hw_fault_record {
	u64 word[2];
	u64 order; /* among the records of all units of the machine */
};

/* What an executed invalidation covered: [start, last] of a domain, or of all of them. */
struct hw_invalidation {
	bool all_domains;
	u16 domain;
	u64 start;
	u64 last;
	bool leaf_only; /* cached non-leaf entries may have been left alone */
};

struct hw_iommu {
	TAILQ_ENTRY(hw_iommu) link;
	struct hw *hw;
	u32 unit;
	struct hw_walker walker; /* the format's geometry and reserved bits */
	u8 max_address_mask;
	struct hw_context *contexts[256]; /* by bus, then devfn; made when first set */
	struct iotlb iotlb;

	/* A ring of records the driver has not read. */
	struct hw_fault_record fault[HW_FAULT_RECORDS];
	u32 fault_count;
	u64 faults_total;
	u32 fault_status; /* VTD_FSTS_ bits */
};

TAILQ_HEAD(hw_iommu_list, hw_iommu);

struct hw_iommu_desc {
	u32 unit;
	u8 levels;
	u8 address_bits;
	u8 max_address_mask;
	bool huge_1g;
	bool snoop_control;
	bool coherent;
	u32 iotlb_entries;
};

/* NULL: no memory. */
struct hw_iommu *hw_iommu_add(struct hw *hw, const struct hw_iommu_desc *desc);
void hw_iommu_remove(struct hw_iommu *iommu);
struct hw_iommu *hw_iommu_find(const struct hw *hw, u32 unit);

/* 0 or -ENOMEM. */
int hw_context_set(struct hw_iommu *iommu, u16 requester, struct hw_context context);
struct hw_context hw_context_get(const struct hw_iommu *iommu, u16 requester);

/* A request of `requester` for one address; the answer holds for the rest of `page_lg2`. */
struct hw_translation {
	bool pass_through;
	u8 fault; /* VTD_FAULT_, 0: translated */
	u8 page_lg2;
	u16 domain;
	phys_addr_t phys;
};

/* Looks into the cache, walks on a miss, fills the cache. Does not record a fault. */
struct hw_translation hw_translate(struct hw_iommu *iommu, u16 requester, u64 iova, bool write);

/* What a walk would find now: neither cache nor costs are touched. */
struct hw_translation hw_translate_probe(struct hw_iommu *iommu, u16 requester, u64 iova,
					 bool write);

/* The words of a record; its order is not set. */
struct hw_fault_record hw_fault_encode(u16 requester, u64 iova, bool write, u8 reason);

/* Writes a fault record, or notes that one was lost. While that is noted, all are lost. */
void hw_fault_record(struct hw_iommu *iommu, u16 requester, u64 iova, bool write, u8 reason);

/* The order of the oldest record; ~0: there is none. */
u64 hw_fault_oldest(const struct hw_iommu *iommu);

/* Takes the oldest record, as a driver does; the last one clears the status. False: none. */
bool hw_fault_take(struct hw_iommu *iommu, struct hw_fault_record *record);

/*
 * Executes encoded commands, 16 bytes each, in order. 0, or -EINVAL at the first malformed one: it
 * and the rest are not executed, and the queue error bit is set. While it is set nothing is
 * executed, and the answer is -EINVAL.
 */
int hw_queue_execute(struct hw_iommu *iommu, const void *commands, size_t bytes);

/* Clears the error bit; what was not executed is forgotten. */
void hw_queue_resume(struct hw_iommu *iommu);

#endif
