/* SPDX-License-Identifier: MIT */
/*
 * The software's root object: everything an operating system's DMA layer keeps for one machine.
 *
 * It is born with the machine, finds the devices by itself (os_rescan), and starts its IOMMUs
 * before the first mapping (os_start). It reaches the machine only through the port.
 */
#ifndef LIB_OS_H
#define LIB_OS_H

#include <bsd/sys/queue.h>

#include <dmasim/iova.h>
#include <dmasim/platform.h>

#include "mm/page.h"

struct pci_bus;
struct pci_dev;
struct iommu_group;
struct iommu_domain;
struct iommu_unit;

SLIST_HEAD(iommu_group_list, iommu_group);
SLIST_HEAD(iommu_domain_list, iommu_domain);

/* Exact counts of what the software did. */
struct os_costs {
	u64 entries_written; /* leaf entries */
	u64 entries_cleared;
	u64 tables_allocated;
	u64 tables_freed;
	u64 iova_allocs;
	u64 invalidations; /* IOTLB commands submitted */
};

struct os_config {
	struct platform *platform;
	const struct iova_allocator_ops *iova_ops;
};

struct os {
	struct platform *platform;
	const struct platform_firmware *firmware;
	const struct iova_allocator_ops *iova_ops;
	struct page_sections pages;
	struct pci_bus *roots; /* one bus for each host bridge, in the firmware's order */
	struct iommu_unit *units;
	u32 unit_count;
	struct iommu_group_list groups;
	struct iommu_domain_list domains;
	u32 next_group;
	u32 next_domain;
	bool started;
	struct os_costs costs;
};

/* NULL: no memory. */
struct os *os_create(const struct os_config *config);

/* Gives back all memory, live mappings included. The IOMMUs no longer translate. */
void os_destroy(struct os *os);

/*
 * Reads the firmware's description and configuration space again: new devices appear, known ones
 * get their present numbers and addresses, absent ones go. Before os_start() only. 0, or -ENOMEM,
 * which cannot happen where nothing is new.
 */
int os_rescan(struct os *os);

/*
 * Forms groups, gives each one a domain and attaches its devices. 0, also when it was done before;
 * -ENOMEM (and then it may be tried again).
 */
int os_start(struct os *os);

static inline void *os_alloc(struct os *os, enum dmasim_fault_point why, size_t bytes)
{
	return platform_alloc(os->platform, why, bytes);
}

static inline void os_free(struct os *os, void *memory)
{
	platform_free(os->platform, memory);
}

#endif
