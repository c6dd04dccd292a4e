/* SPDX-License-Identifier: MIT */
#include "os.h"

#include <errno.h>

#include <dmasim/contract.h>

#include "dma/setup.h"
#include "iommu/iommu.h"
#include "pci/acs.h"
#include "pci/bus.h"

struct os *os_create(const struct os_config *config)
{
	struct os *os = platform_alloc(config->platform, DMASIM_FAULT_OS, sizeof(*os));

	if (!os)
		return NULL;
	os->platform = config->platform;
	os->policy = config->policy;
	os->cpus = config->cpus;
	os->dma_debug = config->dma_debug;
	os->bounce_kmalloc = config->bounce_kmalloc;
	os->bugs = config->bugs;
	os->swiotlb_mode = config->swiotlb_mode;
	os->swiotlb_bytes = config->swiotlb_bytes;
	os->swiotlb_areas = config->swiotlb_areas;
	os->pgtable_format = config->pgtable_format;
	os->iova_ops = config->iova_ops ? config->iova_ops : dmasim_iova_linux();
	os->iova_repairs = config->iova_repairs;
	os->forcedac = config->forcedac;
	os->group_policy = config->group_policy;
	os->acs_enable = config->acs_enable;
	os->disable_acs_redir = config->disable_acs_redir;
	os->config_acs = config->config_acs;
	os->next_domain = 1;
	page_sections_init(&os->pages);
	iommu_tables_init(os);
	SLIST_INIT(&os->groups);
	SLIST_INIT(&os->domains);
	return os;
}

int os_rescan(struct os *os)
{
	DMASIM_CONTRACT(!os->started, "devices are added before the first mapping or bus access");
	os->firmware = platform_firmware(os->platform);
	return pci_scan(os);
}

static void stop_units(struct os *os)
{
	for (u32 i = 0; i < os->unit_count; i++)
		iommu_unit_fini(os, &os->units[i]);
	os_free(os, os->units);
	os->units = NULL;
	os->unit_count = 0;
}

static int start_units(struct os *os)
{
	const struct platform_firmware *firmware = os->firmware;

	if (!firmware->iommu_count)
		return 0;
	os->units =
		os_alloc(os, DMASIM_FAULT_IOMMU_QUEUE, sizeof(*os->units) * firmware->iommu_count);
	if (!os->units)
		return -ENOMEM;
	for (u32 i = 0; i < firmware->iommu_count; i++) {
		os->unit_count++;
		if (iommu_unit_init(os, &os->units[i], &firmware->iommu[i]))
			return -ENOMEM;
	}
	return 0;
}

static int attach_all(struct os *os)
{
	struct pci_dev *pdev;
	int err = 0;

	for (pdev = pci_next_device(os, NULL); pdev && !err; pdev = pci_next_device(os, pdev))
		err = iommu_start_device(pdev);
	return err;
}

static void detach_all(struct os *os)
{
	struct pci_dev *pdev;

	for (pdev = pci_next_device(os, NULL); pdev; pdev = pci_next_device(os, pdev))
		iommu_detach_with_all(pdev);
	while (!SLIST_EMPTY(&os->domains))
		iommu_domain_destroy(SLIST_FIRST(&os->domains));
}

static void stop(struct os *os)
{
	detach_all(os);
	iommu_groups_release(os);
	stop_units(os);
	os->next_domain = 1;
	os->started = false;
}

int os_start(struct os *os)
{
	int err;

	if (os->started)
		return 0;
	if (!os->firmware) {
		err = os_rescan(os);
		if (err)
			return err;
	}
	pci_acs_set_up(os);
	err = start_units(os);
	if (!err)
		err = iommu_groups_form(os);
	if (!err)
		err = attach_all(os);
	if (!err)
		err = dma_start(os);
	if (err) {
		stop(os);
		return err;
	}
	os->started = true;
	return 0;
}

void os_destroy(struct os *os)
{
	if (!os)
		return;
	stop(os);
	dma_stop(os);
	pci_release(os);
	page_sections_fini(os);
	platform_free(os->platform, os);
}
