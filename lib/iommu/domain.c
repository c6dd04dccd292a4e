/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <dmasim/contract.h>
#include <dmasim/lock.h>
#include <dmasim/pgtable/format.h>

#include "iommu/iommu.h"
#include "iommu/lazy.h"
#include "pci/alias.h"
#include "pci/ats.h"
#include "pci/bus.h"

static int reserve_pfns(struct iommu_domain *domain, u64 start, u64 last)
{
	return domain->iova_ops->reserve(domain->iova, start >> PAGE_SHIFT, last >> PAGE_SHIFT);
}

/* Linux's generic default: what no IOVA may be (facts "dma-api" 20.1). */
static int reserve_windows(struct iommu_domain *domain, const struct platform_host_bridge *bridge)
{
	for (u32 i = 0; i < bridge->window_count; i++) {
		const struct platform_window *window = &bridge->window[i];
		u64 start = window->start + window->bus_offset;
		u64 last = start + window->bytes - 1;
		int err = reserve_pfns(domain, start, last);

		if (err)
			return err;
	}
	return 0;
}

static bool concerns(const struct platform_reserved *reserved, const struct pci_dev *pdev)
{
	return reserved->dev == DMASIM_NO_SBDF || reserved->dev == pdev->dev.id;
}

static int reserve_regions(struct iommu_domain *domain, const struct pci_dev *pdev)
{
	const struct platform_firmware *firmware = domain->os->firmware;

	for (u32 i = 0; i < firmware->reserved_count; i++) {
		const struct platform_reserved *reserved = &firmware->reserved[i];
		int err;

		if (!concerns(reserved, pdev))
			continue;
		err = reserve_pfns(domain, reserved->start, reserved->start + reserved->bytes - 1);
		if (err)
			return err;
	}
	return 0;
}

/*
 * In one piece where nothing of it is mapped yet, which is the rule; else page by page, without
 * those that are. 0 or the table's error.
 */
static int map_direct_region(struct iommu_domain *domain, u64 start, u64 bytes)
{
	const u32 prot = IOMMU_READ | IOMMU_WRITE;
	int err = iommu_map(domain, start, start, bytes, prot);

	if (err != -EADDRINUSE)
		return err;
	for (u64 at = start; at - start < bytes; at += PAGE_SIZE) {
		err = iommu_map(domain, at, at, PAGE_SIZE, prot);
		if (err && err != -EADDRINUSE)
			return err;
	}
	return 0;
}

/*
 * What firmware wants mapped one to one is mapped before the device is attached. As in Linux, a
 * region that cannot be mapped is told and left out (facts 20.4). 0 or -ENOMEM.
 */
static int map_direct_regions(struct iommu_domain *domain, const struct pci_dev *pdev)
{
	const struct platform_firmware *firmware = domain->os->firmware;

	for (u32 i = 0; i < firmware->reserved_count; i++) {
		const struct platform_reserved *reserved = &firmware->reserved[i];
		u64 bytes = (reserved->bytes + PAGE_SIZE - 1) & ~((u64)PAGE_SIZE - 1);
		int err;

		if (reserved->type != PLATFORM_RESERVED_DIRECT || !concerns(reserved, pdev))
			continue;
		err = map_direct_region(domain, reserved->start, bytes);
		if (err == -ENOMEM)
			return err;
		if (err)
			platform_report(domain->os->platform,
					&(struct platform_report){
						.id = DMASIM_REPORT_DIRECT_REGION,
						.dev = pdev->dev.id,
						.dma = reserved->start,
						.size = bytes,
						.what = "the page table cannot hold it",
					});
	}
	return 0;
}

/*
 * Bus addresses that the host bridge does not take for memory, between and around its inbound
 * ranges: firmware lists those by address. As in Linux the first granule of each range that follows
 * a gap is lost, too (facts 20.1).
 */
static int reserve_gaps(struct iommu_domain *domain, const struct platform_host_bridge *bridge)
{
	u64 gap = 0;
	int err = 0;

	for (u32 i = 0; i < bridge->dma_range_count && !err; i++) {
		const struct platform_dma_range *range = &bridge->dma_range[i];

		if (range->bus_start > gap)
			err = reserve_pfns(domain, gap, range->bus_start);
		gap = range->bus_start + range->bytes;
	}
	if (bridge->dma_range_count && gap && !err)
		err = reserve_pfns(domain, gap, ~0ULL);
	return err;
}

static int init_iova(struct iommu_domain *domain, struct pci_dev *first)
{
	struct iova_allocator_config config = {
		.platform = domain->os->platform,
		.cpus = domain->os->cpus,
		.granule_lg2 = PAGE_SHIFT,
		.start_pfn = 1, /* page 0 stands for nothing */
		.last_pfn = domain->last_pfn,
		.repairs = domain->os->iova_repairs,
		.context = domain->iova_ops->context,
	};
	int err;

	domain->iova = domain->iova_ops->create(&config);
	if (!domain->iova)
		return -ENOMEM;
	err = reserve_windows(domain, pci_host_bridge(first));
	if (!err)
		err = reserve_gaps(domain, pci_host_bridge(first));
	if (!err)
		err = reserve_regions(domain, first);
	return err;
}

static struct platform_context context_of(const struct pci_dev *pdev);

/* One of the domain's devices, under every number that its requests may bear. */
static int move_to_top(struct pci_dev *pdev, phys_addr_t root, u8 levels, struct iommu_batch *batch)
{
	struct pci_requester requester = pci_own_requester(pdev);
	struct platform_context context = context_of(pdev);
	struct platform *p = pdev->dev.os->platform;
	int err;

	context.root = root;
	context.levels = levels;
	do {
		platform_point(p, DMASIM_POINT_CONTEXT);
		err = p->ops->context_set(p->machine, batch->unit->hw->unit, requester.id,
					  &context);
		iommu_batch_add(batch, batch->unit->arch->context(requester.id, context.domain));
	} while (!err && pci_next_requester(&requester));
	return err;
}

/*
 * All that is cached of the table stays right: what is to be forgotten are the entries that still
 * name the old top (facts "iova-and-page-tables" 6.4).
 */
static int change_top(void *cookie, phys_addr_t root, u8 levels)
{
	struct iommu_domain *domain = cookie;
	struct iommu_batch batch;
	int err = 0, executed;

	iommu_batch_begin(&batch, domain->os, domain->unit);
	for (struct pci_dev *pdev = domain->attached; pdev && !err; pdev = pdev->domain_next)
		err = move_to_top(pdev, root, levels, &batch);
	executed = iommu_batch_execute(&batch);
	return err ? err : executed;
}

static struct pgtable_config table_config(struct iommu_domain *domain)
{
	const struct platform_iommu *hw = domain->unit->hw;
	const struct iommu_arch *arch = domain->unit->arch;
	const struct pt_format *format = domain->pt_ops->format;
	u8 levels = arch->first_stage ? hw->first_levels : hw->levels;
	bool huge_1g = arch->first_stage ? hw->first_huge_1g : hw->huge_1g;
	u8 first = format && format->grow ? arch->first_levels : 0;

	return (struct pgtable_config){
		.host = &domain->os->tables,
		.page_sizes = huge_1g ? 0 : SZ_1G - 1,
		.levels = first && first < levels ? first : levels,
		.levels_max = levels,
		.features = arch->features | (arch->features_of ? arch->features_of(hw) : 0),
		.pa_bits = hw->address_bits,
		.huge_1g = huge_1g,
		.coherent = hw->coherent,
		.snoop = hw->snoop_control,
		.change_top = change_top,
		.cookie = domain,
		.context = domain->pt_ops->context,
	};
}

/* Of what is handed out: the upper half of a table that repeats its highest bit is none of it. */
static u8 address_bits(const struct pgtable *pt)
{
	return pt->va_bits - !!(pt->features & PGTABLE_LOWER_HALF);
}

static struct iommu_domain *new_domain(struct os *os, struct iommu_unit *unit)
{
	struct pgtable_config config;
	struct iommu_domain *domain;

	if (os->next_domain >= unit->hw->domain_count)
		return NULL;
	domain = os_alloc(os, DMASIM_FAULT_IOMMU_DOMAIN, sizeof(*domain));
	if (!domain)
		return NULL;
	domain->os = os;
	domain->unit = unit;
	domain->id = os->next_domain;
	domain->pt_ops = os->pgtable_format ? os->pgtable_format : unit->arch->pgtable;
	domain->iova_ops = os->iova_ops;
	config = table_config(domain);
	if (domain->pt_ops->init(&domain->pt, &config)) {
		os_free(os, domain);
		return NULL;
	}
	DMASIM_CONTRACT(iommu_granule(domain) == PAGE_SIZE,
			"the smallest pages of a table for DMA have 4 KiB");
	domain->last_pfn = (1ULL << (address_bits(&domain->pt) - PAGE_SHIFT)) - 1;
	if (domain->iova_ops->max_pfn && domain->last_pfn > domain->iova_ops->max_pfn)
		domain->last_pfn = domain->iova_ops->max_pfn;
	os->next_domain++;
	SLIST_INSERT_HEAD(&os->domains, domain, link);
	return domain;
}

struct iommu_domain *iommu_domain_create(struct pci_dev *first)
{
	struct iommu_group *group = first->dev.iommu_group;
	struct iommu_domain *domain = new_domain(first->dev.os, group->unit);

	if (!domain)
		return NULL;
	if (init_iova(domain, first)) {
		iommu_domain_destroy(domain);
		return NULL;
	}
	if (group->policy == OS_LAZY)
		iommu_make_lazy(domain);
	return domain;
}

void iommu_domain_destroy(struct iommu_domain *domain)
{
	struct os *os = domain->os;

	SLIST_REMOVE(&os->domains, domain, iommu_domain, link);
	/* No context entry points here any more; what is cached goes before the tables do. */
	iommu_flush_iotlb_all(domain);
	iommu_end_lazy(domain);
	iommu_free_tables(os, domain->unreclaimed);
	if (domain->iova)
		domain->iova_ops->destroy(domain->iova);
	domain->pt_ops->fini(&domain->pt);
	os_free(os, domain);
}

DMASIM_HOT u64 iommu_alloc_iova(struct iommu_domain *domain, u64 bytes, u64 limit, bool flush)
{
	u64 pages = bytes >> PAGE_SHIFT;
	u64 limit_pfn = limit >> PAGE_SHIFT;
	u64 pfn;

	pfn = domain->iova_ops->alloc(domain->iova, pages,
				      limit_pfn < domain->last_pfn ? limit_pfn : domain->last_pfn,
				      iova_natural(pages) | IOVA_CACHE | (flush ? IOVA_FLUSH : 0));
	return pfn == IOVA_NO_PFN ? 0 : pfn << PAGE_SHIFT;
}

DMASIM_HOT void iommu_free_iova(struct iommu_domain *domain, u64 iova, u64 bytes)
{
	/* Told before: afterwards another CPU may have it. */
	PLATFORM_EVENT(domain->os->platform, IOVA_FREE, .domain = domain->id, .dma = iova,
		       .size = bytes);
	domain->iova_ops->free(domain->iova, iova >> PAGE_SHIFT, bytes >> PAGE_SHIFT, IOVA_CACHE);
}

/*
 * Writes one entry; `old` is what it was. What may be cached of that goes, and what the old domain
 * translated with it: of an absent entry nothing is cached, unless in caching mode, under domain id
 * 0 (facts 3.2). 0 or -ENOMEM.
 */
static int set_context(struct pci_dev *pdev, u16 requester, const struct platform_context *old,
		       const struct platform_context *context)
{
	const struct iommu_unit *unit = pdev->dev.iommu_group->unit;
	struct platform *p = pdev->dev.os->platform;
	int err;

	platform_point(p, DMASIM_POINT_CONTEXT);
	err = p->ops->context_set(p->machine, unit->hw->unit, requester, context);
	if (err)
		return err;
	/* Told by the unit if it fails; whoever frees the tables will hear of it, too. */
	if (old->type != PLATFORM_CONTEXT_ABSENT)
		iommu_invalidate_context(pdev, requester, old->domain, old->domain);
	else if (unit->arch->absent_context_cached(unit))
		iommu_invalidate_context(pdev, requester, 0, context->domain);
	return 0;
}

/* A number that requests of others of the group bear, too: the entry stays theirs. */
static bool others_send_as(struct pci_dev *pdev, u16 id)
{
	struct os *os = pdev->dev.os;
	struct pci_dev *other;

	for (other = pci_next_device(os, NULL); other; other = pci_next_device(os, other)) {
		struct pci_requester requester;

		if (other == pdev || !other->attached ||
		    other->dev.iommu_group != pdev->dev.iommu_group)
			continue;
		requester = pci_own_requester(other);
		do {
			if (requester.id == id)
				return true;
		} while (pci_next_requester(&requester));
	}
	return false;
}

/* The same under every number that the device's requests may bear. 0, or -ENOMEM with none set. */
static int set_contexts(struct pci_dev *pdev, const struct platform_context *old,
			const struct platform_context *context)
{
	struct pci_requester requester = pci_own_requester(pdev);
	struct pci_requester undo = requester;
	int err;

	do {
		err = set_context(pdev, requester.id, old, context);
	} while (!err && pci_next_requester(&requester));
	/* What was set is there, so setting it again cannot fail. */
	for (; err && undo.step < requester.step; pci_next_requester(&undo)) {
		if (!others_send_as(pdev, undo.id))
			set_context(pdev, undo.id, context, old);
	}
	return err;
}

/* Cannot fail: the entries are there since the device was attached. */
static void clear_contexts(struct pci_dev *pdev, const struct platform_context *context,
			   bool others_stay)
{
	const struct platform_context absent = { .type = PLATFORM_CONTEXT_ABSENT };
	struct pci_requester requester = pci_own_requester(pdev);

	do {
		if (!others_stay || !others_send_as(pdev, requester.id))
			set_context(pdev, requester.id, context, &absent);
	} while (pci_next_requester(&requester));
}

/* What the entries of an attached device say. */
static struct platform_context context_of(const struct pci_dev *pdev)
{
	const struct iommu_domain *domain = pdev->dev.iommu_group->domain;

	if (!domain)
		return (struct platform_context){ .type = PLATFORM_CONTEXT_PASS_THROUGH };
	return (struct platform_context){
		.type = PLATFORM_CONTEXT_TRANSLATE,
		.domain = domain->id,
		.levels = domain->pt.levels,
		.root = domain->pt.root,
		.device_tlb = iommu_wants_device_tlb(pdev),
		.first_stage = domain->unit->arch->first_stage,
	};
}

static void join(struct iommu_domain *domain, struct pci_dev *pdev)
{
	pdev->attached = true;
	if (!domain)
		return;
	pdev->domain_next = domain->attached;
	domain->attached = pdev;
}

static void leave(struct iommu_domain *domain, struct pci_dev *pdev)
{
	struct pci_dev **at;

	pdev->attached = false;
	if (!domain)
		return;
	for (at = &domain->attached; *at != pdev; at = &(*at)->domain_next)
		;
	*at = pdev->domain_next;
}

/*
 * Between the entries of a device and its place among the domain's the table must not get another
 * top: who gives it one writes the entries of all devices that he finds there.
 */
static void hold_top(struct iommu_domain *domain)
{
	if (domain)
		platform_lock(domain->os->platform, &domain->pt.top_lock);
}

static void release_top(struct iommu_domain *domain)
{
	if (domain)
		platform_unlock(domain->os->platform, &domain->pt.top_lock);
}

int iommu_attach_device(struct pci_dev *pdev)
{
	const struct platform_context absent = { .type = PLATFORM_CONTEXT_ABSENT };
	struct iommu_group *group = pdev->dev.iommu_group;
	struct platform_context context;
	int err = 0;

	/* These may give the table another top. */
	if (group->domain)
		err = map_direct_regions(group->domain, pdev);
	hold_top(group->domain);
	context = context_of(pdev);
	if (!err)
		err = set_contexts(pdev, &absent, &context);
	if (!err)
		join(group->domain, pdev);
	release_top(group->domain);
	/* The unit is ready for its requests. */
	if (!err && context.device_tlb)
		pci_enable_ats(pdev, PAGE_SHIFT);
	PLATFORM_EVENT(pdev->dev.os->platform, ATTACH, .dev = pdev->dev.id, .group = group->id,
		       .domain = context.domain, .ret = err);
	return err;
}

static void detach(struct pci_dev *pdev, bool others_stay)
{
	struct platform_context context;
	struct iommu_domain *domain;

	if (!pdev->attached)
		return;
	domain = pdev->dev.iommu_group->domain;
	hold_top(domain);
	context = context_of(pdev);
	clear_contexts(pdev, &context, others_stay);
	/* As long as it was on, the device answered what emptied its TLB. */
	pci_disable_ats(pdev);
	leave(domain, pdev);
	release_top(domain);
}

void iommu_detach_device(struct pci_dev *pdev)
{
	detach(pdev, true);
}

void iommu_detach_with_all(struct pci_dev *pdev)
{
	detach(pdev, false);
}
