/* SPDX-License-Identifier: MIT */
/*
 * Asking about the tree, and the parts of it that are neither built by path nor imported.
 */
#include <errno.h>
#include <stdio.h>

#include "iommu/iommu.h"
#include "machine/machine.h"
#include "pci/bus.h"

#define MAX_ADDRESS_MASK 18 /* MAMV: page-selective invalidation of up to 1 GiB */

struct hw_root *machine_add_root(struct dmasim *s, u16 segment, u8 bus_first, u8 bus_last)
{
	struct hw_root *root = hw_root_add(&s->hw, segment, bus_first, bus_last);

	if (!root || s->config.iommu == DMASIM_NO_IOMMU)
		return root;
	root->iommu = hw_iommu_add(&s->hw, &(struct hw_iommu_desc){
						   .unit = s->next_unit,
						   .levels = s->config.iommu_levels,
						   .address_bits = MACHINE_ADDRESS_BITS,
						   .max_address_mask = MAX_ADDRESS_MASK,
						   .huge_1g = !s->config.iommu_no_1g,
						   .snoop_control = s->config.iommu_snoop,
						   .coherent = !s->config.iommu_incoherent,
						   .iotlb_entries = s->config.iotlb_entries,
					   });
	if (!root->iommu) {
		hw_root_remove(&s->hw, root);
		return NULL;
	}
	s->next_unit++;
	return root;
}

struct hw_function *machine_function(struct pci_dev *pdev)
{
	return hw_function_find(&machine_of(pdev)->hw, pdev->dev.id);
}

struct pci_dev *dmasim_next_dev(struct dmasim *s, struct pci_dev *from)
{
	machine_exists(s);
	return pci_next_device(s->os, from);
}

static struct pci_dev *device_at(struct dmasim *s, dmasim_sbdf id)
{
	struct pci_dev *pdev;

	for (pdev = dmasim_next_dev(s, NULL); pdev; pdev = dmasim_next_dev(s, pdev)) {
		if (pdev->dev.id == id)
			return pdev;
	}
	return NULL;
}

struct pci_dev *machine_device(struct dmasim *s, const struct hw_function *function)
{
	return device_at(s, hw_function_sbdf(function));
}

struct pci_dev *dmasim_pci_dev(struct dmasim *s, const char *bdf)
{
	machine_exists(s);
	unsigned int segment = 0, bus, device, function;
	int end = 0;

	if (sscanf(bdf, "%4x:%2x:%2x.%1x%n", &segment, &bus, &device, &function, &end) != 4 ||
	    bdf[end]) {
		segment = 0;
		end = 0;
		if (sscanf(bdf, "%2x:%2x.%1x%n", &bus, &device, &function, &end) != 3 || bdf[end])
			return NULL;
	}
	if (device > 0x1f || function > 7)
		return NULL;
	return device_at(s, DMASIM_SBDF(segment, bus, device, function));
}

u32 dmasim_config_bytes(struct pci_dev *pdev)
{
	return machine_function(pdev)->config_bytes;
}

bool dmasim_window(const struct dmasim *s, u32 index, struct dmasim_window *window)
{
	const struct hw_root *root;

	machine_exists(s);
	TAILQ_FOREACH(root, &s->hw.roots, link) {
		if (index < root->window_count) {
			const struct hw_window *found = &root->window[index];

			*window = (struct dmasim_window){
				.segment = root->segment,
				.bus = root->bus_first,
				.start = found->start,
				.bytes = found->bytes,
				.bus_offset = found->bus_offset,
				.inferred = found->inferred,
			};
			return true;
		}
		index -= root->window_count;
	}
	return false;
}

bool dmasim_ram(const struct dmasim *s, u32 index, phys_addr_t *start, u64 *bytes)
{
	machine_exists(s);
	if (index >= s->hw.ram.range_count)
		return false;
	*start = s->hw.ram.range[index].start;
	*bytes = s->hw.ram.range[index].bytes;
	return true;
}

int dmasim_group(struct pci_dev *pdev)
{
	if (!machine_start(machine_of(pdev)))
		return -ENOMEM;
	return pdev->dev.iommu_group ? (int)pdev->dev.iommu_group->id : -ENODEV;
}

int dmasim_add_direct_region(struct dmasim *s, struct pci_dev *pdev, phys_addr_t start, u64 bytes)
{
	struct direct_region *region;

	machine_exists(s);
	machine_must_be_cold(s);
	DMASIM_CONTRACT(start % PAGE_SIZE == 0 && bytes, "a direct region is page aligned");
	region = memory_alloc(&s->world.memory, DMASIM_FAULT_FIRMWARE, sizeof(*region));
	if (!region)
		return -ENOMEM;
	region->function = pdev ? machine_function(pdev) : NULL;
	region->start = start;
	region->bytes = bytes;
	SLIST_INSERT_HEAD(&s->direct_regions, region, link);
	if (!machine_hardware_changed(s))
		return 0;
	SLIST_REMOVE_HEAD(&s->direct_regions, link);
	memory_free(&s->world.memory, region);
	return -ENOMEM;
}
