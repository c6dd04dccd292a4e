/* SPDX-License-Identifier: MIT */
/*
 * Asking about the tree, and the parts of it that are neither built by path nor imported.
 */
#include <errno.h>
#include <stdio.h>

#include "dma/swiotlb.h"
#include "iommu/iommu.h"
#include "machine/arch.h"
#include "machine/machine.h"
#include "machine/own_walker.h"
#include "pci/bus.h"

#define RESTRICTED_POOL_MIN (256U << 10) /* one segment of slots */

#define MAX_ADDRESS_MASK 18 /* MAMV: page-selective invalidation of up to 1 GiB */

static bool riscv_has(const struct dmasim *s, enum dmasim_riscv what)
{
	return s->config.iommu == DMASIM_RISCV && !(s->config.riscv_without & what);
}

struct hw_root *machine_add_root(struct dmasim *s, u16 segment, u8 bus_first, u8 bus_last)
{
	struct hw_root *root = hw_root_add(&s->hw, segment, bus_first, bus_last);
	const struct machine_arch *arch = machine_arch(s->config.iommu);

	if (!root || !arch->hw)
		return root;
	if (s->config.walker_ops)
		s->own_arch = machine_own_arch(arch->hw);
	root->iommu = hw_iommu_add(
		&s->hw,
		&(struct hw_iommu_desc){
			.arch = s->config.walker_ops ? &s->own_arch : arch->hw,
			.own = s->config.walker_ops,
			.unit = s->next_unit,
			.levels = s->config.iommu_levels,
			.address_bits = machine_address_bits(arch),
			.max_address_mask = MAX_ADDRESS_MASK,
			.huge_1g = !s->config.iommu_no_1g,
			.snoop_control = arch->snoop_control || s->config.iommu_snoop,
			.coherent = !s->config.iommu_incoherent,
			.caching_mode = s->config.iommu_caching_mode,
			.device_tlb = s->config.iommu_device_tlb,
			.napot = riscv_has(s, DMASIM_RISCV_NAPOT),
			.page_types = riscv_has(s, DMASIM_RISCV_PBMT),
			.forgets_tables = riscv_has(s, DMASIM_RISCV_NL),
			.forgets_windows = riscv_has(s, DMASIM_RISCV_S),
			.scalable = s->config.iommu_scalable,
			.wide_commands = s->config.iommu_scalable,
			.command_ranges = !s->config.smmu_no_range,
			.first_levels = s->config.iommu_first_stage ? s->config.iommu_levels : 0,
			.first_huge_1g = !s->config.iommu_no_1g,
			.pasid_entries = s->config.pasid_entries,
			.iotlb_entries = s->config.iotlb_entries,
			.iotlb_ways = s->config.iotlb_ways,
			.walk_entries = s->config.walk_entries,
			.context_entries = s->config.context_entries,
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

struct pci_dev *machine_device_at(struct dmasim *s, dmasim_sbdf id)
{
	return pci_device_at(s->os, id);
}

struct pci_dev *machine_device(struct dmasim *s, const struct hw_function *function)
{
	return machine_device_at(s, hw_function_sbdf(function));
}

struct pci_dev *dmasim_pci_dev(struct dmasim *s, const char *bdf)
{
	machine_exists(s);
	unsigned int domain = 0, bus, device, function;
	u16 segment;
	int end = 0;

	if (sscanf(bdf, "%8x:%2x:%2x.%1x%n", &domain, &bus, &device, &function, &end) != 4 ||
	    bdf[end]) {
		domain = 0;
		end = 0;
		if (sscanf(bdf, "%2x:%2x.%1x%n", &bus, &device, &function, &end) != 3 || bdf[end])
			return NULL;
	}
	if (device > 0x1f || function > 7 || !dmasim_segment(domain, &segment))
		return NULL;
	return machine_device_at(s, DMASIM_SBDF(segment, bus, device, function));
}

u32 dmasim_config_bytes(struct pci_dev *pdev)
{
	return machine_function(pdev)->config_bytes;
}

bool dmasim_acs_known(struct pci_dev *pdev)
{
	const struct hw_function *function = machine_function(pdev);

	if (function->acs_hidden || function->config_bytes < PCI_CFG_SPACE_SIZE)
		return false;
	return function->config_bytes == PCI_CFG_SPACE_EXP_SIZE || function->express_type < 0;
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

struct pci_dev *dmasim_bar_at(struct dmasim *s, phys_addr_t phys, u32 *bar)
{
	struct hw_target target;

	machine_exists(s);
	target = hw_phys_target(&s->hw, phys);
	if (target.kind != HW_TARGET_BAR)
		return NULL;
	if (bar)
		*bar = target.bar;
	return machine_device(s, target.function);
}

bool dmasim_bar_inferred(struct pci_dev *pdev, u32 bar)
{
	DMASIM_CONTRACT(bar < PCI_STD_NUM_BARS, "a device has BARs 0 to 5");
	return machine_function(pdev)->bar[bar].inferred;
}

int dmasim_group(struct pci_dev *pdev)
{
	if (!machine_start(machine_of(pdev)))
		return -ENOMEM;
	return pdev->dev.iommu_group ? (int)pdev->dev.iommu_group->id : -ENODEV;
}

int machine_set_traits(struct dmasim *s, struct hw_function *function,
		       const struct dmasim_traits *traits)
{
	static const enum hw_alias aliases[] = {
		[DMASIM_ALIAS_USUAL] = HW_ALIAS_USUAL,
		[DMASIM_ALIAS_NONE] = HW_ALIAS_NONE,
		[DMASIM_ALIAS_SECONDARY] = HW_ALIAS_SECONDARY,
		[DMASIM_ALIAS_LAST] = HW_ALIAS_LAST,
	};
	struct hw_traits *own = &function->traits;
	u64 frames = traits->pool_bytes >> FRAME_SHIFT;
	struct hw_function *virtfn;
	phys_addr_t pool = 0;

	DMASIM_CONTRACT(!traits->pool_bytes || (!(traits->pool_bytes & (traits->pool_bytes - 1)) &&
						traits->pool_bytes >= RESTRICTED_POOL_MIN),
			"memory set aside is a power of two of bytes, 256 KiB at least");
	DMASIM_CONTRACT(!traits->sends_as || traits->sends_as >> 8 == 1,
			"sends_as is made by DMASIM_SENDS_AS()");
	DMASIM_CONTRACT(traits->alias <= DMASIM_ALIAS_LAST,
			"the alias is one of enum dmasim_alias");
	if (frames)
		pool = frames_alloc_below(&s->hw.frames, DMASIM_FAULT_FIRMWARE, frames,
					  DMA_BIT_MASK(32));
	if (pool == RAM_NO_PHYS)
		return -ENOMEM;
	if (own->pool_bytes)
		frames_free(&s->hw.frames, DMASIM_FAULT_FIRMWARE, own->pool_start,
			    own->pool_bytes >> FRAME_SHIFT);
	*own = (struct hw_traits){
		.sends_as_other = traits->sends_as,
		.sends_as = (u8)traits->sends_as,
		.alias = aliases[traits->alias],
		.external = traits->untrusted,
		.no_snoop = traits->no_snoop,
		.bus_limit = traits->bus_limit,
		.pool_bytes = traits->pool_bytes,
		.pool_start = pool,
	};
	s->hw.any_no_snoop |= traits->no_snoop;
	machine_use_known_alias(s, function);
	TAILQ_FOREACH(virtfn, &function->virtfns, by_index) {
		virtfn->traits = *own;
		virtfn->traits.pool_bytes = 0;
	}
	return 0;
}

int dmasim_set_traits(struct pci_dev *pdev, const struct dmasim_traits *traits)
{
	struct dmasim *s = machine_of(pdev);

	machine_must_be_cold(s);
	if (machine_set_traits(s, machine_function(pdev), traits))
		return -ENOMEM;
	return machine_hardware_changed(s);
}

void dmasim_set_policy(struct pci_dev *pdev, enum dmasim_policy policy)
{
	machine_must_be_cold(machine_of(pdev));
	DMASIM_CONTRACT(policy <= DMASIM_PASS_THROUGH, "the policy is one of enum dmasim_policy");
	/* The two lists are in the same order, the most careful first. */
	pdev->policy = (u8)policy;
	pdev->policy_set = true;
}

struct dmasim_bounce_use dmasim_bounce_use(struct pci_dev *pdev)
{
	const struct io_tlb_pool *pool = pdev->dev.io_tlb ? pdev->dev.io_tlb
							  : machine_of(pdev)->os->swiotlb;
	struct swiotlb_use use = swiotlb_use(pool);

	return (struct dmasim_bounce_use){ use.slots, use.used, use.high_water };
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
