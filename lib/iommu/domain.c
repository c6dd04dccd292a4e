/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "iommu/iommu.h"
#include "pci/bus.h"

/* Linux's generic default: what no IOVA may be (facts "dma-api" 20.1). */
static int reserve_windows(struct iommu_domain *domain, const struct platform_host_bridge *bridge)
{
	for (u32 i = 0; i < bridge->window_count; i++) {
		const struct platform_window *window = &bridge->window[i];
		u64 start = window->start + window->bus_offset;
		u64 last = start + window->bytes - 1;
		int err = domain->iova_ops->reserve(domain->iova, start >> PAGE_SHIFT,
						    last >> PAGE_SHIFT);

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
		err = domain->iova_ops->reserve(domain->iova, reserved->start >> PAGE_SHIFT,
						(reserved->start + reserved->bytes - 1) >>
							PAGE_SHIFT);
		if (err)
			return err;
	}
	return 0;
}

/* What firmware wants mapped one to one is mapped before the device is attached. */
static int map_direct_regions(struct iommu_domain *domain, const struct pci_dev *pdev)
{
	const struct platform_firmware *firmware = domain->os->firmware;

	for (u32 i = 0; i < firmware->reserved_count; i++) {
		const struct platform_reserved *reserved = &firmware->reserved[i];
		u64 bytes = (reserved->bytes + PAGE_SIZE - 1) & ~(u64)(PAGE_SIZE - 1);
		int err;

		if (reserved->type != PLATFORM_RESERVED_DIRECT || !concerns(reserved, pdev))
			continue;
		if (iommu_iova_to_phys(domain, reserved->start))
			continue;
		err = iommu_map(domain, reserved->start, reserved->start, bytes,
				IOMMU_READ | IOMMU_WRITE);
		if (err)
			return err;
	}
	return 0;
}

static int init_iova(struct iommu_domain *domain, struct pci_dev *first)
{
	struct iova_allocator_config config = {
		.platform = domain->os->platform,
		.granule_lg2 = PAGE_SHIFT,
		.start_pfn = 1,
		.last_pfn = (1ULL << (domain->pt.va_bits - PAGE_SHIFT)) - 1,
		.context = domain->iova_ops->context,
	};
	int err;

	domain->iova = domain->iova_ops->create(&config);
	if (!domain->iova)
		return -ENOMEM;
	err = reserve_windows(domain, pci_host_bridge(first));
	if (err)
		return err;
	return reserve_regions(domain, first);
}

struct iommu_domain *iommu_domain_create(struct os *os, struct iommu_unit *unit,
					 struct pci_dev *first)
{
	struct pgtable_config config = {
		.os = os,
		.levels = unit->hw->levels,
		.pa_bits = unit->hw->address_bits,
		.huge_1g = unit->hw->huge_1g,
		.coherent = unit->hw->coherent,
		.snoop = unit->hw->snoop_control,
	};
	struct iommu_domain *domain;

	if (os->next_domain == unit->hw->domain_count)
		return NULL;
	domain = os_alloc(os, DMASIM_FAULT_IOMMU_DOMAIN, sizeof(*domain));
	if (!domain)
		return NULL;
	domain->os = os;
	domain->unit = unit;
	domain->id = os->next_domain;
	domain->pt_ops = &pgtable_vtdss;
	domain->iova_ops = os->iova_ops;
	if (domain->pt_ops->init(&domain->pt, &config)) {
		os_free(os, domain);
		return NULL;
	}
	os->next_domain++;
	SLIST_INSERT_HEAD(&os->domains, domain, link);
	if (init_iova(domain, first)) {
		iommu_domain_destroy(domain);
		return NULL;
	}
	return domain;
}

void iommu_domain_destroy(struct iommu_domain *domain)
{
	struct os *os = domain->os;

	SLIST_REMOVE(&os->domains, domain, iommu_domain, link);
	/* No context entry points here any more; what is cached goes before the tables do. */
	vtd_invalidate(os, domain->unit, domain->id, 0, ~0ULL, false);
	if (domain->iova)
		domain->iova_ops->destroy(domain->iova);
	domain->pt_ops->fini(&domain->pt);
	os_free(os, domain);
}

static int set_context(struct pci_dev *pdev, const struct platform_context *context)
{
	struct platform *p = pdev->dev.os->platform;
	struct iommu_unit *unit = pdev->dev.iommu_group->unit;

	platform_point(p, DMASIM_POINT_CONTEXT);
	return p->ops->context_set(p->machine, unit->hw->unit, (u16)pdev->dev.id, context);
}

int iommu_attach_device(struct pci_dev *pdev)
{
	struct iommu_group *group = pdev->dev.iommu_group;
	struct iommu_domain *domain = group->domain;
	struct platform_context context = {
		.type = PLATFORM_CONTEXT_TRANSLATE,
		.domain = domain->id,
		.levels = domain->pt.levels,
		.root = domain->pt.root,
	};
	int err = map_direct_regions(domain, pdev);

	if (!err)
		err = set_context(pdev, &context);
	PLATFORM_EVENT(domain->os->platform, ATTACH, .dev = pdev->dev.id, .group = group->id,
		       .domain = domain->id, .ret = err);
	return err;
}

void iommu_detach_device(struct pci_dev *pdev)
{
	const struct platform_context absent = { .type = PLATFORM_CONTEXT_ABSENT };

	/* Cannot fail: the entry is there since the device was attached. */
	set_context(pdev, &absent);
}
