/* SPDX-License-Identifier: MIT */
#include "iommu/lazy.h"

#include "iova/flush_queue.h"

static int flush_domain(void *domain)
{
	return iommu_flush_iotlb_all(domain);
}

static void release(void *context, u64 iova, u64 bytes, struct page *tables, bool cached)
{
	struct iommu_domain *domain = context;

	/* After a flush that failed hardware may still walk them. */
	if (cached)
		iommu_keep_tables(domain, tables);
	else
		iommu_free_tables(domain->os, tables);
	iommu_free_iova(domain, iova, bytes);
}

static void forget(void *context, struct page *tables)
{
	struct iommu_domain *domain = context;

	iommu_free_tables(domain->os, tables);
}

void iommu_make_lazy(struct iommu_domain *domain)
{
	static const struct flush_queue_ops ops = { .flush = flush_domain, .release = release };

	domain->fq = flush_queue_create(&(struct flush_queue_config){
		.platform = domain->os->platform,
		.ops = &ops,
		.domain = domain,
		/* A hypervisor that reads all tables again at a flush: few flushes, late. */
		.single = domain->unit->hw->shadow_on_flush,
		.cpus = domain->os->cpus,
		.bugs = domain->os->bugs,
	});
}

void iommu_end_lazy(struct iommu_domain *domain)
{
	if (domain->fq)
		flush_queue_destroy(domain->fq, forget);
	domain->fq = NULL;
}
