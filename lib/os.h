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

#include <dmasim/bug.h>
#include <dmasim/group.h>
#include <dmasim/iova.h>
#include <dmasim/pgtable/pgtable.h>
#include <dmasim/platform.h>

#include "mm/page.h"

struct pci_bus;
struct pci_dev;
struct iommu_group;
struct iommu_domain;
struct iommu_unit;
struct io_tlb_pool;

SLIST_HEAD(iommu_group_list, iommu_group);
SLIST_HEAD(iommu_domain_list, iommu_domain);

/* Exact counts of what the software did. */
struct os_costs {
	u64 iova_allocs;
	u64 device_tlb_invalidations; /* commands for devices' own TLBs */
	u64 invalidations;	      /* IOTLB commands submitted */
};

/* How a group is mapped unless something else is said, the most careful first. */
enum os_policy {
	OS_STRICT,	 /* an unmap invalidates before it returns */
	OS_LAZY,	 /* invalidations are collected in a flush queue */
	OS_PASS_THROUGH, /* the IOMMU lets addresses pass */
};

enum os_swiotlb_mode {
	OS_SWIOTLB_AUTO, /* a pool if there is RAM beyond 32 bits */
	OS_SWIOTLB_OFF,
	OS_SWIOTLB_FORCE, /* everything is bounced that is mapped without an IOMMU */
};

struct os_config {
	struct platform *platform;
	enum os_policy policy;
	u32 cpus;
	enum os_swiotlb_mode swiotlb_mode;
	u64 swiotlb_bytes; /* a power of two, 1 MiB or more */
	u32 swiotlb_areas; /* 0: one for each CPU */
	bool bounce_kmalloc;
	bool dma_debug;
	u32 bugs;				   /* bits of enum dmasim_bug */
	const struct iova_allocator_ops *iova_ops; /* NULL: linux */
	const struct pgtable_ops *pgtable_format;  /* NULL: the IOMMU's */
	u32 iova_repairs;			   /* bits of enum iova_repair */
	bool forcedac;				   /* no try below 4 GiB first */
	enum dmasim_group_policy group_policy;
	bool acs_enable;	       /* with an IOMMU, ACS is switched on at boot */
	const char *disable_acs_redir; /* pci=disable_acs_redir=; NULL: not given */
	const char *config_acs;	       /* pci=config_acs= */
};

struct os {
	struct platform *platform;
	const struct platform_firmware *firmware;
	const struct iova_allocator_ops *iova_ops;
	const struct pgtable_ops *pgtable_format;
	u32 iova_repairs;
	bool forcedac;
	enum dmasim_group_policy group_policy;
	bool acs_enable;
	const char *disable_acs_redir;
	const char *config_acs;
	enum os_policy policy;
	u32 cpus;
	bool dma_debug;
	bool bounce_kmalloc;
	u32 bugs;
	enum os_swiotlb_mode swiotlb_mode;
	u64 swiotlb_bytes;
	u32 swiotlb_areas;
	struct io_tlb_pool *swiotlb; /* NULL: not made yet, or none */
	struct page_sections pages;
	struct pci_bus *roots; /* one bus for each host bridge, in the firmware's order */
	struct iommu_unit *units;
	u32 unit_count;
	struct iommu_group_list groups;
	struct iommu_domain_list domains;
	u32 next_group; /* one more than the highest number of a group */
	u32 free_group; /* the lowest number that is free */
	u32 next_domain;
	bool started;
	struct os_costs costs;
	struct pgtable_host tables;
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

static inline bool os_has_bug(const struct os *os, enum dmasim_bug bug)
{
	return DMASIM_UNLIKELY(os->bugs & (1U << bug));
}

static inline void *os_alloc(struct os *os, enum dmasim_fault_point why, size_t bytes)
{
	return platform_alloc(os->platform, why, bytes);
}

static inline void os_free(struct os *os, void *memory)
{
	platform_free(os->platform, memory);
}

#endif
