/* SPDX-License-Identifier: MIT */
#include "matrix/machine.h"

#include <stdio.h>

#include "matrix/forecast.h"

/* Inbound ranges that cover all RAM, somewhere else: facts 2, dma_range_map. */
const struct dmasim_host_bridge machine_moving_bridge = {
	.dma_range_count = 2,
	.dma_range = { { 0x1000000000, 0, SZ_1G }, { 0x2000000000, SZ_4G, 15 * (u64)SZ_1G } },
};

struct dmasim_config machine_config(enum mode mode)
{
	const struct mode_facts *facts = &facts_of[mode];
	struct dmasim_config config = { DMASIM_CONFIG };

	config.iommu = facts->iommu || mode == MODE_PASS_THROUGH ? DMASIM_VTD : DMASIM_NO_IOMMU;
	if (facts->amd_vi)
		config.iommu = DMASIM_AMD_VI;
	if (mode == MODE_RISCV)
		config.iommu = DMASIM_RISCV;
	if (mode == MODE_SMMUV3)
		config.iommu = DMASIM_SMMUV3;
	config.iommu_caching_mode = mode == MODE_AMD_VI_NP_CACHE || mode == MODE_FIRST_STAGE;
	config.iommu_scalable = config.iommu_first_stage = mode == MODE_FIRST_STAGE;
	config.acs = facts->peer_bus ? DMASIM_ACS_OFF : DMASIM_ACS_ISOLATING;
	config.bounce_kmalloc = facts->kmalloc;
	config.traits.no_snoop = facts->no_snoop;
	config.traits.untrusted = facts->untrusted;
	/* So small that copies lie where others were: what is beside them must be zeroed. */
	if (mode == MODE_UNTRUSTED)
		config.swiotlb_bytes = SZ_1M;
	if (mode == MODE_PASS_THROUGH)
		config.policy = DMASIM_PASS_THROUGH;
	if (facts->lazy)
		config.policy = DMASIM_LAZY;
	if (mode == MODE_FORCED)
		config.swiotlb = DMASIM_SWIOTLB_FORCE;
	if (mode == MODE_RESTRICTED)
		config.traits.pool_bytes = 4 * SZ_1M;
	return config;
}

/*
 *   host bridge 00
 *    |-- 00:01.0 root port -- switch --+-- 00.0 -- the device
 *    |                                 +-- 01.0 -- a BAR by its bus address
 *    +-- 00:02.0 root port -- a BAR through the host bridge
 */
static struct pci_dev *add_devices(struct machine *machine)
{
	const struct dmasim_endpoint plain = { 0 }, with_bar = { .bar = { SZ_1M } };
	bool bus = facts_of[machine->mode].peer_bus;
	struct pci_dev *near, *far;

	if (machine->mode == MODE_DIRECT_RANGES &&
	    dmasim_add_host_bridge(machine->s, &machine_moving_bridge))
		return NULL;
	machine->pdev = dmasim_add_endpoint(machine->s, "00:01.0/00.0/00.0/00.0", &plain);
	near = dmasim_add_endpoint(machine->s, "00:01.0/00.0/01.0/00.0", &with_bar);
	far = dmasim_add_endpoint(machine->s, "00:02.0/00.0", &with_bar);
	if (!machine->pdev || !near || !far)
		return NULL;
	return bus ? near : far;
}

/* So much that it lies where there is so much: beyond 4 GiB. */
static u64 region_bytes(enum mode mode)
{
	return facts_of[mode].out_of_reach ? SZ_1G : REGION_BYTES;
}

static bool add_region(struct machine *machine, struct pci_dev *peer)
{
	machine->ram = dmasim_alloc(machine->s, REGION_BYTES);
	if (machine->ram == DMASIM_NO_PHYS)
		return false;
	if (!facts_of[machine->mode].peer) {
		machine->region = dmasim_alloc(machine->s, region_bytes(machine->mode));
	} else {
		if (pci_p2pdma_add_resource(peer, 0, 0, 0))
			return false;
		machine->region = pci_resource_start(peer, 0);
		machine->bus_offset = pci_bus_address(peer, 0) - machine->region;
	}
	if (machine->region == DMASIM_NO_PHYS)
		return false;
	return machine->region >= SZ_4G || !facts_of[machine->mode].out_of_reach;
}

bool machine_make(struct machine *machine, enum mode mode)
{
	struct dmasim_config config = machine_config(mode);
	u64 mask = mode == MODE_DIRECT_MASK32 ? DMA_BIT_MASK(32) : DMA_BIT_MASK(64);
	struct pci_dev *peer;

	*machine = (struct machine){ .mode = mode, .s = dmasim_create(&config) };
	if (!machine->s)
		return false;
	peer = add_devices(machine);
	if (!peer || !add_region(machine, peer) ||
	    dma_set_mask_and_coherent(&machine->pdev->dev, mask))
		return false;
	if (facts_of[mode].keeps_page_offset)
		dma_set_min_align_mask(&machine->pdev->dev, 4095);
	/* Every cell counts its reports itself. */
	dmasim_suppress(machine->s, DMASIM_REPORT_IOMMU_FAULT);
	dmasim_suppress(machine->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION);
	dmasim_suppress(machine->s, DMASIM_REPORT_ACCESS_NOT_MAPPED);
	dmasim_suppress(machine->s, DMASIM_REPORT_ACCESS_BEYOND);
	dmasim_suppress(machine->s, DMASIM_REPORT_USE_AFTER_UNMAP);
	dmasim_suppress(machine->s, DMASIM_REPORT_BOUNCE_FULL);
	dmasim_suppress(machine->s, DMASIM_REPORT_MASK_OVERFLOW);
	dmasim_suppress(machine->s, DMASIM_REPORT_BAD_ARGUMENT);
	dmasim_suppress(machine->s, DMASIM_REPORT_P2P_WRONG_WAY);
	dmasim_suppress(machine->s, DMASIM_REPORT_RESOURCE_IS_RAM);
	dmasim_suppress(machine->s, DMASIM_REPORT_PEER_AS_RAM);
	dmasim_suppress(machine->s, DMASIM_REPORT_SEGMENT_LIMIT);
	return true;
}

#define FLUSH_NS 20000000ULL

const char *machine_end(struct machine *machine)
{
	char *found = machine->found;
	struct dmasim_bounce_use use;
	u32 wrong;
	u64 leaks;

	if (!machine->s)
		return "the machine could not be made";
	dmasim_run(machine->s, FLUSH_NS);
	use = dmasim_bounce_use(machine->pdev);
	if (!facts_of[machine->mode].peer && machine->region != DMASIM_NO_PHYS)
		dmasim_free(machine->s, machine->region, region_bytes(machine->mode));
	if (machine->ram && machine->ram != DMASIM_NO_PHYS)
		dmasim_free(machine->s, machine->ram, REGION_BYTES);
	wrong = dmasim_check_clean(machine->s, found, sizeof(machine->found));
	leaks = dmasim_destroy(machine->s);
	machine->s = NULL;
	if (wrong)
		return found;
	if (leaks || use.used) {
		snprintf(found, sizeof(machine->found),
			 "%llu allocations and %llu bounce slots leaked", leaks, use.used);
		return found;
	}
	return NULL;
}

phys_addr_t machine_phys(const struct machine *machine, u32 at)
{
	return (at < machine->ram_bytes ? machine->ram : machine->region) + at;
}

dma_addr_t machine_direct_address(const struct machine *machine, phys_addr_t phys)
{
	if (machine->mode != MODE_DIRECT_RANGES)
		return phys;
	for (u32 i = 0; i < machine_moving_bridge.dma_range_count; i++) {
		const struct dmasim_dma_range *range = &machine_moving_bridge.dma_range[i];

		if (phys >= range->start && phys < range->start + range->bytes)
			return phys - range->start + range->bus_start;
	}
	return DMA_MAPPING_ERROR;
}
