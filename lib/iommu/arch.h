/* SPDX-License-Identifier: MIT */
/*
 * What differs between the architectures of IOMMUs, as the software drives them: the tables, and
 * how a command looks. Which changes need commands, and the wait for them, are the same for all
 * (queue.c).
 */
#ifndef IOMMU_ARCH_H
#define IOMMU_ARCH_H

#include "os.h"
#include "pgtable/formats.h"

struct iommu_arch;
struct iommu_domain;
struct pci_dev;

/* One IOMMU as the software drives it. */
struct iommu_unit {
	const struct platform_iommu *hw;
	const struct iommu_arch *arch;
	struct page *status; /* where waits store: 8 bytes for each batch under way */
	u64 status_used;     /* a bit for each of those places */
	u32 sequence;	     /* value of the last wait */
};

/* A command as the unit reads it: little-endian. */
struct iommu_command {
	u64 word[2];
};

#define IOMMU_BATCH_MAX 16

/* Commands that are handed over together, with one wait behind them. */
struct iommu_batch {
	struct os *os;
	struct iommu_unit *unit;
	int err; /* the first one */
	u32 count;
	struct iommu_command command[IOMMU_BATCH_MAX + 1]; /* the last is the wait's */
};

/* What of a domain is to be forgotten: [start, last]. */
struct iommu_range {
	u32 domain;
	u64 start;
	u64 last;
	bool tables; /* cached table entries, too: tables were unlinked, or replaced by leaves */
	/* As in struct iommu_iotlb_gather: which levels changed. Both 0: nobody knows. */
	u8 leaf_levels;
	u8 table_levels;
};

/*
 * The bits of an address in which the smallest aligned window varies that has the page of `start`
 * and all up to `last`.
 */
static inline u8 iommu_window_lg2(u64 start, u64 last)
{
	u64 differ = (start & ~(u64)(PAGE_SIZE - 1)) ^ last;

	return differ ? (u8)(64 - __builtin_clzll(differ)) : 0;
}

/* What a device's own TLB is to forget: [start, last]. */
struct iommu_device_range {
	u16 requester;
	u16 queue; /* whose invalidations share the limit: the physical function */
	u32 depth; /* that limit: 1 to 32 */
	u64 start;
	u64 last;
};

struct iommu_arch {
	const char *name;
	const struct pgtable_ops *pgtable;
	u8 first_levels; /* of a new table, which grows; 0: it has all levels of the unit */
	u32 features;	 /* PGTABLE_, of its tables */
	/* More of them, as the unit has it. May be NULL. */
	u32 (*features_of)(const struct platform_iommu *hw);
	/*
	 * Tables are a first stage's: the unit says apart how many levels they have, and what is
	 * absent in them is never cached.
	 */
	bool first_stage;

	/* Forgets the translations of a range of a domain: by one command, or by several. */
	void (*range)(struct iommu_batch *batch, const struct iommu_range *range);
	/* Forgets what a device's own TLB has of a range. NULL: the driver knows no such TLBs. */
	struct iommu_command (*device_range)(const struct iommu_unit *unit,
					     const struct iommu_device_range *range);
	/* Forgets the context entry of a requester; `tag` is the domain that it named. */
	struct iommu_command (*context)(u16 requester, u32 tag);
	/* The same of one that leads to it and names no domain. NULL: there is none. */
	struct iommu_command (*leading_context)(u16 requester);
	/* All before it is complete when 8 bytes at phys are `value`: the upper half is 0 there. */
	struct iommu_command (*wait)(phys_addr_t phys, u32 value);

	/* May a context entry that gave no translation have been cached? */
	bool (*absent_context_cached)(const struct iommu_unit *unit);
	/*
	 * Where absent entries are cached a map invalidates, one command for each piece: the last
	 * byte of the first piece of [start, last]. NULL: it is one piece.
	 */
	u64 (*first_piece)(u64 start, u64 last);
	/*
	 * Commands may overtake each other: contexts, translations and devices' TLBs are forgotten
	 * one after the other, with a wait behind each (facts 3.6, step 6).
	 */
	bool commands_overtake;
};

extern const struct iommu_arch iommu_vtd;
extern const struct iommu_arch iommu_vtd_scalable;
extern const struct iommu_arch iommu_vtd_first_stage;
extern const struct iommu_arch iommu_amd;
extern const struct iommu_arch iommu_riscv;
extern const struct iommu_arch iommu_smmuv3;

/* 0 or -ENOMEM; both before iommu_unit_fini(). */
int iommu_unit_init(struct os *os, struct iommu_unit *unit, const struct platform_iommu *hw);
void iommu_unit_fini(struct os *os, struct iommu_unit *unit);

/* ---- Batches ---------------------------------------------------------- */

void iommu_batch_begin(struct iommu_batch *batch, struct os *os, struct iommu_unit *unit);

/* A full batch is executed, and waited for, before it takes one more. */
void iommu_batch_add(struct iommu_batch *batch, struct iommu_command command);

/*
 * Hands over what is in the batch, waits for it and empties it. 0, or the first error since it was
 * begun: -EINVAL, the unit rejected a command; -ETIMEDOUT, the wait did not complete, as after a
 * device that did not answer.
 */
int iommu_batch_execute(struct iommu_batch *batch);

/* ---- What has to be forgotten ----------------------------------------- */

/*
 * Invalidates a range of a domain, which names it, and waits: the unit's cache first, then those of
 * devices, which could else fetch again what is stale (facts 3.6). 0 or the queue's error.
 */
int iommu_invalidate(struct iommu_domain *domain, const struct iommu_range *range);

/* The same after a map, where absent entries are cached; elsewhere nothing is to be done. */
int iommu_invalidate_mapped(struct iommu_domain *domain, u64 start, u64 last);

/*
 * Invalidates the context entry of one of a device's requester IDs, cached under the domain id
 * `tag`, then all translations of `domain`, those in the device's own TLB at last, and waits. 0 or
 * the queue's error.
 */
int iommu_invalidate_context(struct pci_dev *pdev, u16 requester, u32 tag, u32 domain);

/* True if the unit and its driver can do with a TLB in the device, and the device may have one. */
bool iommu_wants_device_tlb(const struct pci_dev *pdev);

#endif
