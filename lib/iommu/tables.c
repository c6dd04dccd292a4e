/* SPDX-License-Identifier: MIT */
/*
 * Where the page tables of a machine come from: page frames, and their struct page.
 */
#include "iommu/iommu.h"

static struct os *os_of(struct pgtable_host *host)
{
	return (struct os *)(void *)((u8 *)host - offsetof(struct os, tables));
}

static struct page *table_alloc(struct pgtable_host *host, u8 order)
{
	return page_alloc_order(os_of(host), DMASIM_FAULT_TABLE_PAGE, order);
}

static void table_free(struct pgtable_host *host, struct page *page)
{
	page_free(os_of(host), DMASIM_FAULT_TABLE_PAGE, page);
}

static struct page *table_find(struct pgtable_host *host, phys_addr_t phys)
{
	return page_find(os_of(host), phys);
}

void iommu_tables_init(struct os *os)
{
	os->tables = (struct pgtable_host){
		.platform = os->platform,
		.alloc = table_alloc,
		.free = table_free,
		.find = table_find,
	};
}
