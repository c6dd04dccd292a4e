/* SPDX-License-Identifier: MIT */
/*
 * Map, unmap and the invalidation that belongs to it, in strict mode. The order of an unmap is that
 * of facts "iova-and-page-tables" 3.6: entries, invalidation, wait, table pages; the IOVA comes
 * last, by the caller.
 */
#include <errno.h>

#include "iommu/iommu.h"

void iommu_free_tables(struct os *os, struct page *tables)
{
	while (tables) {
		struct page *next = tables->next;

		os->tables.free(&os->tables, tables);
		os->tables.costs.tables_freed++;
		tables = next;
	}
}

/* Hardware may still walk them: they wait for the domain's end. */
void iommu_keep_tables(struct iommu_domain *domain, struct page *tables)
{
	while (tables) {
		struct page *next = tables->next;

		tables->next = domain->unreclaimed;
		domain->unreclaimed = tables;
		tables = next;
	}
}

DMASIM_HOT int iommu_iotlb_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	struct os *os = domain->os;
	int err;

	if (iommu_iotlb_gather_empty(gather))
		return 0;
	err = iommu_invalidate(domain, &(struct iommu_range){
					       .domain = domain->id,
					       .start = gather->start,
					       .last = gather->last,
					       .tables = gather->freelist != NULL,
					       .leaf_levels = gather->leaf_levels,
					       .table_levels = gather->table_levels,
				       });
	if (err)
		iommu_keep_tables(domain, gather->freelist);
	else
		iommu_free_tables(os, gather->freelist);
	PLATFORM_EVENT(os->platform, IOMMU_SYNCED, .domain = domain->id, .dma = gather->start,
		       .size = gather->last - gather->start + 1, .ret = err);
	iommu_iotlb_gather_init(gather);
	return err;
}

int iommu_flush_iotlb_all(struct iommu_domain *domain)
{
	const struct iommu_range all = { .domain = domain->id, .last = ~0ULL, .tables = true };
	int err = iommu_invalidate(domain, &all);

	PLATFORM_EVENT(domain->os->platform, IOMMU_FLUSHED, .domain = domain->id, .ret = err);
	return err;
}

DMASIM_HOT int iommu_map_nosync(struct iommu_domain *domain, u64 iova, phys_addr_t phys, u64 bytes,
				u32 prot)
{
	struct iommu_iotlb_gather gather;
	u64 mapped = 0;
	int err;

	iommu_iotlb_gather_init(&gather);
	err = domain->pt_ops->map(&domain->pt, iova, phys, bytes, prot, &gather, &mapped);
	PLATFORM_EVENT(domain->os->platform, IOMMU_MAP, .domain = domain->id, .dma = iova,
		       .phys = phys, .size = bytes, .done = mapped, .prot = prot, .ret = err);
	if (err && mapped)
		iommu_unmap_fast(domain, iova, mapped, &gather);
	/* Not empty if a leaf took the place of empty tables, or a part was undone. */
	if (DMASIM_UNLIKELY(!iommu_iotlb_gather_empty(&gather)))
		iommu_iotlb_sync(domain, &gather);
	return err;
}

/*
 * Only a unit in caching mode may have cached that there was nothing, at any level. There is no
 * write buffer to flush.
 */
DMASIM_HOT int iommu_sync_map(struct iommu_domain *domain, u64 iova, u64 bytes)
{
	return iommu_invalidate_mapped(domain, iova, iova + bytes - 1);
}

DMASIM_HOT int iommu_map(struct iommu_domain *domain, u64 iova, phys_addr_t phys, u64 bytes,
			 u32 prot)
{
	int err = iommu_map_nosync(domain, iova, phys, bytes, prot);

	if (err)
		return err;
	err = iommu_sync_map(domain, iova, bytes);
	if (err)
		iommu_unmap(domain, iova, bytes);
	return err;
}

DMASIM_HOT u64 iommu_unmap_fast(struct iommu_domain *domain, u64 iova, u64 bytes,
				struct iommu_iotlb_gather *gather)
{
	u64 done = domain->pt_ops->unmap(&domain->pt, iova, bytes, gather);

	PLATFORM_EVENT(domain->os->platform, IOMMU_UNMAP, .domain = domain->id, .dma = iova,
		       .size = bytes, .done = done);
	return done;
}

DMASIM_HOT u64 iommu_unmap(struct iommu_domain *domain, u64 iova, u64 bytes)
{
	struct iommu_iotlb_gather gather;
	u64 done;

	iommu_iotlb_gather_init(&gather);
	done = iommu_unmap_fast(domain, iova, bytes, &gather);
	iommu_iotlb_sync(domain, &gather);
	return done;
}

DMASIM_HOT phys_addr_t iommu_iova_to_phys(struct iommu_domain *domain, u64 iova)
{
	return domain->pt_ops->iova_to_phys(&domain->pt, iova);
}
