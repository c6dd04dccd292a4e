/* SPDX-License-Identifier: MIT */
/*
 * One device and one domain whose page table is written entry by entry, as software would that has
 * a page-table code of its own; the checker hears of it through the port.
 *
 *   IOVA 1 GiB:  root -- upper -- middle -- lower -- 512 pages of memory
 *                level 3  level 2  level 1   level 0
 */
#ifndef INVALIDATION_RIG_H
#define INVALIDATION_RIG_H

#include "support/expect.h"

#include "invalidation/arch.h"
#include "machine/machine.h"

#define RIG_IOVA   0x40000000ULL /* what the tables serve: 2 MiB from here */
#define RIG_DOMAIN 77U
#define RIG_OTHER  78U /* the domain that the device moves to */
#define RIG_BATCH  8

struct rig {
	const struct arch *arch;
	struct dmasim *s;
	struct pci_dev *pdev;
	struct hw_iommu *iommu;
	u16 requester;
	phys_addr_t table[6]; /* by level; 0: there is none */
	u8 levels;
	phys_addr_t memory; /* 4 MiB, aligned to 2 MiB */
	phys_addr_t status; /* where waits write */
	struct command batch[RIG_BATCH];
	u32 commands;
	u32 waits;
	u32 reports; /* that were looked at */
};

/* The device is attached to RIG_DOMAIN, whose root has nothing. */
void rig_init(struct rig *rig, const struct arch *arch, bool caching_mode);
void rig_fini(struct rig *rig);

/* A new, empty page for a table. */
phys_addr_t rig_table(struct rig *rig);

/* Hangs new tables below the root, down to that of `level`. */
void rig_grow(struct rig *rig, u8 level);

/* Writes an entry of the table of a level; the index is 0 in all upper ones but level 2's. */
void rig_put(struct rig *rig, u8 level, u32 index, u64 entry);
void rig_put_leaf(struct rig *rig, u8 level, u32 index, u32 flags);
void rig_put_table(struct rig *rig, u8 level, phys_addr_t table);

/* What the software tells: `bytes` from RIG_IOVA on are mapped, unmapped, changed, in order. */
void rig_mapped(struct rig *rig, u64 bytes);
void rig_unmapped(struct rig *rig, u64 bytes);
void rig_changed(struct rig *rig, u64 bytes);
/* It claims that nothing old of them can be cached. */
void rig_synced(struct rig *rig, u64 bytes);
/* It claims that devices may use what it has mapped there. */
void rig_usable(struct rig *rig, u64 bytes);
/* It gives a table page back. */
void rig_free(struct rig *rig, phys_addr_t table);

/* The entry of the device; and what the software tells when it has attached it. */
void rig_context(struct rig *rig, u32 domain, phys_addr_t root, u8 levels);
void rig_attached(struct rig *rig, u32 domain);

/* The device asks for the page; whatever the answer, the caches have it. */
void rig_use(struct rig *rig, u32 page);

/* Appends a command; hands all over; waits for them. */
void rig_add(struct rig *rig, struct command command);
void rig_submit(struct rig *rig);
void rig_wait(struct rig *rig);

/* Reports since the last call, a bit each. */
u64 rig_reports(struct rig *rig);

#endif
