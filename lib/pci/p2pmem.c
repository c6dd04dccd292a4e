/* SPDX-License-Identifier: MIT */
/*
 * Memory of a provider: which pages of a BAR are peer memory, and handing it out.
 *
 * Ranges are whole pages, first fit from the start of a pool.
 */
#include <errno.h>

#include <dmasim/contract.h>
#include <dmasim/scatterlist.h>

#include "pci/bus.h"
#include "pci/p2pdma.h"

/* True if some of [start, start + bytes) is peer memory already. */
static bool is_taken(const struct pci_dev *pdev, phys_addr_t start, u64 bytes)
{
	const struct p2pdma_pool *pool;

	SLIST_FOREACH(pool, &pdev->p2pdma->pools, link) {
		if (start < pool->pages.start + pool->pages.bytes &&
		    pool->pages.start < start + bytes)
			return true;
	}
	return false;
}

int pci_p2pdma_add_resource(struct pci_dev *pdev, int bar, size_t size, u64 offset)
{
	struct os *os = pdev->dev.os;
	struct p2pdma_pool *pool;
	u64 bytes = size;
	int err;

	if (bar < 0 || bar >= PCI_STD_NUM_BARS || !(pci_resource_flags(pdev, bar) & IORESOURCE_MEM))
		return -EINVAL;
	if (offset >= pci_resource_len(pdev, bar))
		return -EINVAL;
	if (!bytes)
		bytes = pci_resource_len(pdev, bar) - offset;
	if (bytes > pci_resource_len(pdev, bar) - offset || (bytes | offset) % PAGE_SIZE)
		return -EINVAL;
	err = pcim_p2pdma_init(pdev);
	if (err)
		return err;
	if (is_taken(pdev, pci_resource_start(pdev, bar) + offset, bytes))
		return -EINVAL;

	pool = os_alloc(os, DMASIM_FAULT_P2P_POOL, sizeof(*pool));
	if (!pool)
		return -ENOMEM;
	pool->pages.start = pci_resource_start(pdev, bar) + offset;
	pool->pages.bytes = bytes;
	pool->pages.provider = &pdev->p2pdma->mem[bar];
	LIST_INIT(&pool->used);
	page_declare_owner(os, &pool->pages);
	SLIST_INSERT_HEAD(&pdev->p2pdma->pools, pool, link);
	return 0;
}

static u64 rounded(size_t size)
{
	return ((u64)size + PAGE_SIZE - 1) & ~((u64)PAGE_SIZE - 1);
}

/*
 * The first hole; *before is the used range it lies behind, NULL: at the start. False:
 * none.
 */
static bool find_hole(const struct p2pdma_pool *pool, u64 bytes, phys_addr_t *phys,
		      struct p2pdma_range **before)
{
	phys_addr_t end = pool->pages.start + pool->pages.bytes;
	phys_addr_t at = pool->pages.start;
	struct p2pdma_range *range;

	*before = NULL;
	LIST_FOREACH(range, &pool->used, link) {
		if (at + bytes <= range->phys)
			break;
		at = range->phys + range->bytes;
		*before = range;
	}
	*phys = at;
	return at + bytes > at && at + bytes <= end;
}

static void *take(struct os *os, struct p2pdma_pool *pool, u64 bytes,
		  const struct dmasim_site *site)
{
	struct platform *p = os->platform;
	struct p2pdma_range *before, *range;
	phys_addr_t phys;

	if (!find_hole(pool, bytes, &phys, &before))
		return NULL;
	range = os_alloc(os, DMASIM_FAULT_P2P_POOL, sizeof(*range));
	if (!range)
		return NULL;
	range->phys = phys;
	range->bytes = bytes;
	range->site = site;
	range->host = p->ops->bar_ptr(p->machine, DMASIM_FAULT_P2P_POOL, phys, bytes);
	if (!range->host) {
		os_free(os, range);
		return NULL;
	}
	if (before)
		LIST_INSERT_AFTER(before, range, link);
	else
		LIST_INSERT_HEAD(&pool->used, range, link);
	return range->host;
}

void *(pci_alloc_p2pmem)(struct pci_dev *pdev, size_t size)
{
	const struct dmasim_site *site = pdev->dev.site;
	struct os *os = pdev->dev.os;
	struct p2pdma_pool *pool;

	pdev->dev.site = NULL;
	if (!pdev->p2pdma || !size)
		return NULL;
	SLIST_FOREACH(pool, &pdev->p2pdma->pools, link) {
		void *host = take(os, pool, rounded(size), site);

		if (!host)
			continue;
		PLATFORM_EVENT(os->platform, P2P_ALLOC, .dev = pdev->dev.id,
			       .phys = os->platform->ops->phys(os->platform->machine, host),
			       .size = size);
		return host;
	}
	return NULL;
}

static struct p2pdma_range *find_range_at(struct pci_dev *pdev, phys_addr_t phys)
{
	struct p2pdma_pool *pool;
	struct p2pdma_range *range;

	SLIST_FOREACH(pool, &pdev->p2pdma->pools, link) {
		LIST_FOREACH(range, &pool->used, link) {
			if (range->phys == phys)
				return range;
		}
	}
	return NULL;
}

/* range NULL: nothing begins there. */
static void free_range(struct pci_dev *pdev, struct p2pdma_range *range, size_t size)
{
	struct os *os = pdev->dev.os;

	if (!range || range->bytes != rounded(size)) {
		platform_report(os->platform,
				&(struct platform_report){
					.id = DMASIM_REPORT_BAD_ARGUMENT,
					.dev = pdev->dev.id,
					.size = size,
					.what = "pci_free_p2pmem() of what was not allocated so",
					.site = pdev->dev.site,
				});
		return;
	}
	PLATFORM_EVENT(os->platform, P2P_FREE, .dev = pdev->dev.id, .phys = range->phys,
		       .size = size);
	LIST_REMOVE(range, link);
	os_free(os, range);
}

void(pci_free_p2pmem)(struct pci_dev *pdev, void *addr, size_t size)
{
	struct platform *p = pdev->dev.os->platform;
	phys_addr_t phys = p->ops->phys(p->machine, addr);

	free_range(pdev, pdev->p2pdma ? find_range_at(pdev, phys) : NULL, size);
	pdev->dev.site = NULL;
}

u64 pci_p2pmem_virt_to_bus(struct pci_dev *pdev, void *addr)
{
	struct platform *p = pdev->dev.os->platform;
	phys_addr_t phys = p->ops->phys(p->machine, addr);
	struct p2pdma_pool *pool;

	if (!pdev->p2pdma)
		return 0;
	SLIST_FOREACH(pool, &pdev->p2pdma->pools, link) {
		if (phys - pool->pages.start < pool->pages.bytes)
			return phys + pool->pages.provider->bus_offset;
	}
	return 0;
}

/* ---- As a list of one entry ------------------------------------------- */

struct scatterlist *pci_p2pmem_alloc_sgl(struct pci_dev *pdev, unsigned int *nents, u32 length)
{
	struct os *os = pdev->dev.os;
	struct platform *p = os->platform;
	struct scatterlist *sg = os_alloc(os, DMASIM_FAULT_P2P_POOL, sizeof(*sg));
	struct page *page = NULL;
	void *memory;

	if (!sg)
		return NULL;
	memory = (pci_alloc_p2pmem)(pdev, length);
	if (!memory)
		goto free_sg;
	page = page_at(os, p->ops->phys(p->machine, memory));
	if (!page)
		goto free_memory;
	sg_init_table(sg, 1);
	sg_set_page(sg, page, length, 0);
	*nents = 1;
	return sg;

free_memory:
	(pci_free_p2pmem)(pdev, memory, length);
free_sg:
	os_free(os, sg);
	return NULL;
}

void(pci_p2pmem_free_sgl)(struct pci_dev *pdev, struct scatterlist *sgl)
{
	struct os *os = pdev->dev.os;

	for (struct scatterlist *sg = sgl; sg; sg = sg_next(sg)) {
		free_range(pdev, pdev->p2pdma ? find_range_at(pdev, sg_phys(sg)) : NULL,
			   sg->length);
	}
	pdev->dev.site = NULL;
	os_free(os, sgl);
}

/* ---- The pools as a whole --------------------------------------------- */

bool pci_p2pmem_figures(const struct pci_dev *pdev, u64 *size, u64 *available)
{
	const struct p2pdma_pool *pool;
	const struct p2pdma_range *range;

	*size = *available = 0;
	if (!pdev->p2pdma)
		return false;
	SLIST_FOREACH(pool, &pdev->p2pdma->pools, link) {
		*size += pool->pages.bytes;
		*available += pool->pages.bytes;
		LIST_FOREACH(range, &pool->used, link)
			*available -= range->bytes;
	}
	return *size;
}

void pci_p2pdma_pools_in_use(struct pci_dev *pdev)
{
	const struct p2pdma_pool *pool;
	const struct p2pdma_range *range;

	SLIST_FOREACH(pool, &pdev->p2pdma->pools, link) {
		LIST_FOREACH(range, &pool->used, link)
			platform_report(pdev->dev.os->platform,
					&(struct platform_report){
						.id = DMASIM_REPORT_PEER_RELEASED,
						.dev = pdev->dev.id,
						.dma = range->phys,
						.size = range->bytes,
						.what = "memory of pci_alloc_p2pmem() was not "
							"given back: Linux would wait for ever",
						.site = range->site,
					});
	}
}

void pci_p2pdma_pools_release(struct pci_dev *pdev)
{
	struct os *os = pdev->dev.os;

	while (!SLIST_EMPTY(&pdev->p2pdma->pools)) {
		struct p2pdma_pool *pool = SLIST_FIRST(&pdev->p2pdma->pools);

		SLIST_REMOVE_HEAD(&pdev->p2pdma->pools, link);
		page_revoke_owner(os, &pool->pages);
		while (!LIST_EMPTY(&pool->used)) {
			struct p2pdma_range *range = LIST_FIRST(&pool->used);

			LIST_REMOVE(range, link);
			os_free(os, range);
		}
		os_free(os, pool);
	}
}
