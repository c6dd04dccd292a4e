/* SPDX-License-Identifier: MIT */
/*
 * Domains, groups and the map and unmap of the IOMMU core (facts "dma-api" 6.6 and 18).
 */
#ifndef IOMMU_IOMMU_H
#define IOMMU_IOMMU_H

#include <bsd/sys/queue.h>

#include <dmasim/pci.h>
#include <dmasim/pgtable/pgtable.h>

#include "iommu/arch.h"
#include "os.h"

/* Devices that cannot be isolated from each other; they share one domain. */
struct iommu_group {
	SLIST_ENTRY(iommu_group) link;
	u32 id;
	struct iommu_unit *unit;
	enum os_policy policy;
	bool policy_said;	     /* one of its devices has a wish of its own */
	struct iommu_domain *domain; /* NULL: the unit lets their addresses pass */
};

struct flush_queue;

/* One page table and the IOVA space it serves. */
struct iommu_domain {
	SLIST_ENTRY(iommu_domain) link;
	struct os *os;
	struct iommu_unit *unit;
	u32 id; /* tag in the IOMMU */
	struct pgtable pt;
	const struct pgtable_ops *pt_ops;
	const struct iova_allocator_ops *iova_ops;
	struct iova_allocator *iova;
	u64 last_pfn;		  /* highest that the page table and the allocator take */
	struct flush_queue *fq;	  /* NULL: strict */
	struct page *unreclaimed; /* tables whose invalidation failed */
	struct pci_dev *attached; /* its devices, by their domain_next */
};

/* ---- Groups ----------------------------------------------------------- */

/* Puts every device behind an IOMMU into its group. 0 or -ENOMEM (and then no group is left). */
int iommu_groups_form(struct os *os);
void iommu_groups_release(struct os *os);

/* The same for one device that comes, or goes, later. Without devices a group ends. */
int iommu_group_join(struct pci_dev *pdev);
void iommu_group_leave(struct pci_dev *pdev);

/* True if an IOMMU translates the device's requests, or will once it is started. */
bool iommu_will_translate(struct pci_dev *pdev);

/* ---- Domains ---------------------------------------------------------- */

/*
 * A domain for the devices of `first`'s group. As in Linux, what is reserved is what concerns the
 * first device and its host bridge, nobody else in the group (facts 6.1). NULL: no memory, or no
 * domain id is left.
 */
struct iommu_domain *iommu_domain_create(struct pci_dev *first);
void iommu_domain_destroy(struct iommu_domain *domain);

/*
 * Makes the unit translate the device's requests in its group's domain, or let them pass if the
 * group has none, under its own number and those of the bridges that take them for theirs. 0 or
 * -ENOMEM. What shares a number shares the group.
 */
int iommu_attach_device(struct pci_dev *pdev);
/* Numbers that others send under, too, stay theirs; or all devices go, one after the other. */
void iommu_detach_device(struct pci_dev *pdev);
void iommu_detach_with_all(struct pci_dev *pdev);

/* Attaches it, to a domain that is made if its group needs one and has none. 0 or -ENOMEM. */
int iommu_start_device(struct pci_dev *pdev);

/* All of this for a device that comes, or goes, while the machine runs. 0 or -ENOMEM. */
int iommu_probe_device(struct pci_dev *pdev);
void iommu_release_device(struct pci_dev *pdev);

/*
 * IOVA space of the domain, in bytes; 0: none is left below `limit`, or no memory. flush: that is
 * so even if all caches are emptied.
 */
u64 iommu_alloc_iova(struct iommu_domain *domain, u64 bytes, u64 limit, bool flush);
void iommu_free_iova(struct iommu_domain *domain, u64 iova, u64 bytes);

/* The domain a started device's mappings go to; NULL: direct mode. */
static inline struct iommu_domain *iommu_dma_domain(struct device *dev)
{
	struct iommu_group *group = dev->iommu_group;

	return group ? group->domain : NULL;
}

static inline u64 iommu_granule(const struct iommu_domain *domain)
{
	return domain->pt.page_sizes & -domain->pt.page_sizes;
}

/* ---- Map and unmap ---------------------------------------------------- */

/*
 * Writes entries; not usable before iommu_sync_map(). On failure nothing stays mapped. Errors are
 * those of struct pgtable_ops.
 */
int iommu_map_nosync(struct iommu_domain *domain, u64 iova, phys_addr_t phys, u64 bytes, u32 prot);
int iommu_sync_map(struct iommu_domain *domain, u64 iova, u64 bytes);
int iommu_map(struct iommu_domain *domain, u64 iova, phys_addr_t phys, u64 bytes, u32 prot);

/* Clears entries, gathering what is to be invalidated. Returns the bytes removed. */
u64 iommu_unmap_fast(struct iommu_domain *domain, u64 iova, u64 bytes,
		     struct iommu_iotlb_gather *gather);

/*
 * Invalidates what was gathered, waits, then frees the gathered tables. 0 or the queue's error; the
 * tables are then kept until the domain ends: hardware may still walk them.
 */
int iommu_iotlb_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather);

/* Invalidates the whole domain and waits. */
int iommu_flush_iotlb_all(struct iommu_domain *domain);

/* os->tables: where page tables come from. */
void iommu_tables_init(struct os *os);

/* Frees a list of unlinked tables that nothing reaches any more. */
void iommu_free_tables(struct os *os, struct page *tables);

/* Keeps them until the domain ends: their invalidation failed, hardware may still walk them. */
void iommu_keep_tables(struct iommu_domain *domain, struct page *tables);

/* Clears entries and invalidates. Returns the bytes removed. */
u64 iommu_unmap(struct iommu_domain *domain, u64 iova, u64 bytes);

phys_addr_t iommu_iova_to_phys(struct iommu_domain *domain, u64 iova);

#endif
