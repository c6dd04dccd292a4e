/* SPDX-License-Identifier: MIT */
/*
 * The machine of a seed: everything that a configuration leaves open is chosen at random.
 */
#include "property/run.h"

#include <stdlib.h>
#include <string.h>

#include "property/another_unit.h"

static const char *const path_of[RUN_DEVICES] = {
	"00:01.0/00.0/00.0/00.0", "00:01.0/00.0/01.0/00.0", "00:01.0/00.0/02.0/00.0",
	"00:01.0/00.0/02.0/00.1", "00:02.0/00.0",	    "40:01.0/00.0",
};

static const u64 bar_bytes_of[RUN_DEVICES] = { 0, SZ_64K, 0, 0, 0x8000, SZ_16K };

/* Devices 0 to 3 are below the switch. */
#define BELOW_SWITCH 4

static struct dmasim_config random_config(struct dice *dice, u64 seed, bool traced)
{
	static const enum dmasim_acs acs[] = { DMASIM_ACS_ISOLATING, DMASIM_ACS_OFF,
					       DMASIM_ACS_ABSENT };
	static const enum dmasim_iommu iommus[] = { DMASIM_VTD, DMASIM_AMD_VI, DMASIM_NO_IOMMU,
						    DMASIM_VTD };
	enum dmasim_iommu iommu = iommus[dice_below(dice, 4)];
	struct dmasim_config config = {
		DMASIM_CONFIG,
		.iommu = iommu,
		.iommu_levels = (u8)(iommu == DMASIM_AMD_VI ? 4 : dice_from(dice, 3, 5)),
		.iommu_no_1g = dice_chance(dice, 50),
		.iommu_snoop = dice_chance(dice, 50),
		.iommu_incoherent = dice_chance(dice, 50),
		.iotlb_entries = 4U << dice_below(dice, 7),
		.cpu = dice_chance(dice, 50) ? DMASIM_CPU_INTEL : DMASIM_CPU_AMD,
		.acs = acs[dice_below(dice, 3)],
		.swiotlb = DMASIM_SWIOTLB_OFF,
		.forcedac = dice_chance(dice, 50),
		.iova_ops = dice_chance(dice, 30) ? dmasim_iova_exact() : NULL,
		.seed = seed ? seed : 1,
		.random_choices = dice_chance(dice, 50),
		.iotlb_ways = (u32)dice_from(dice, 1, 8),
		.context_entries = (u32)dice_below(dice, 5),
		.walk_entries = (u32)dice_below(dice, 5),
		.trace_hash = traced,
	};

	config.iommu_scalable = config.iommu == DMASIM_VTD && dice_chance(dice, 25);
	config.pasid_entries = config.context_entries;
	config.iommu_first_stage = config.iommu_scalable && config.iommu_levels >= 4 &&
				   dice_chance(dice, 50);
	if (config.iommu == DMASIM_VTD && !config.iommu_scalable)
		maybe_another_unit(&config, config.seed, 40);
	return config;
}

static bool add_bridges(struct run *run, struct dice *dice)
{
	/* Facts 8.6: listed for any traffic, listed for one host bridge only, not listed. */
	static const u16 device_of[] = {
		[BRIDGE_ANY] = 0x09a2, [BRIDGE_SAME_ONLY] = 0x3c00, [BRIDGE_UNLISTED] = 0x1234
	};

	for (u32 i = 0; i < 2; i++) {
		struct dmasim_host_bridge bridge = { .bus = i ? 0x40 : 0x00 };

		run->trust[i] = (enum bridge_trust)dice_below(dice, 3);
		bridge.vendor = PCI_VENDOR_ID_INTEL;
		bridge.device = device_of[run->trust[i]];
		bridge.bus_offset = dice_chance(dice, 50) ? (u64)(i + 1) << 40 : 0;
		/* A bus address below 4 GiB has a CPU address above it. */
		if (run->low_bars)
			bridge.bus_offset = -bridge.bus_offset;
		if (dmasim_add_host_bridge(run->s, &bridge))
			return wrong(run, "no host bridge");
	}
	return true;
}

static bool add_devices(struct run *run, const struct dmasim_config *config, struct dice *dice)
{
	for (u32 i = 0; i < RUN_DEVICES; i++) {
		struct model_device *device = &run->model.device[i];
		struct dmasim_endpoint endpoint = { .bar = { bar_bytes_of[i] } };

		endpoint.bar_32 = run->low_bars && dice_chance(dice, 60);
		run->dev[i] = dmasim_add_endpoint(run->s, path_of[i], &endpoint);
		if (!run->dev[i])
			return wrong(run, "no device");
		device->root_bus = i == 5 ? 0x40 : 0;
		device->below = i < BELOW_SWITCH ? 1 : 0;
		device->redirect = config->acs == DMASIM_ACS_ISOLATING;
	}
	return true;
}

/* Some devices have limits on the DMA segments of a list. */
static void limit_segments(struct run *run, struct dice *dice)
{
	for (u32 i = 0; i < RUN_DEVICES; i++) {
		run->seg_bytes[i] = SZ_64K;
		run->seg_boundary[i] = ~0ULL;
		if (dice_chance(dice, 30)) {
			run->seg_bytes[i] = (u32)(GRANULE * dice_from(dice, 1, 6));
			dma_set_max_seg_size(&run->dev[i]->dev, run->seg_bytes[i]);
		}
		if (dice_chance(dice, 30)) {
			run->seg_boundary[i] = (SZ_16K << dice_below(dice, 3)) - 1;
			dma_set_seg_boundary(&run->dev[i]->dev,
					     (unsigned long)run->seg_boundary[i]);
		}
	}
}

static struct range range_of(const struct pci_bridge_window *window)
{
	return window->start > window->last ? (struct range){ 0 }
					    : (struct range){ window->start, window->last + 1 };
}

static void learn_port(struct range range[2], const struct pci_dev *port)
{
	range[0] = range_of(&port->window);
	range[1] = range_of(&port->prefetch_window);
}

/* A root port, or one and a switch. */
static void learn_bridges(struct run *run, u32 device)
{
	struct model_device *learnt = &run->model.device[device];
	struct pci_dev *bridge = run->dev[device];
	u32 count = 0;

	learn_port(learnt->port_window, pci_upstream_bridge(bridge));
	while ((bridge = pci_upstream_bridge(bridge))) {
		if (bridge->express_type == PCI_EXP_TYPE_UPSTREAM)
			learn_port(learnt->upstream, bridge);
		if (!pci_upstream_bridge(bridge))
			learn_port(learnt->root_port, bridge);
		if (count + 2 > MODEL_COUNT(learnt->kept))
			abort();
		learnt->kept[count++] = range_of(&bridge->window);
		learnt->kept[count++] = range_of(&bridge->prefetch_window);
	}
}

static bool add_providers(struct run *run)
{
	for (u32 i = 0; i < RUN_DEVICES; i++) {
		struct object *bar;

		run->mask[i] = DMA_BIT_MASK(64);
		if (dma_set_mask(&run->dev[i]->dev, run->mask[i]))
			return wrong(run, "dma_set_mask");
		run->model.device[i].domain = (u32)dmasim_group(run->dev[i]);
		learn_bridges(run, i);
		if (!bar_bytes_of[i])
			continue;
		if (pci_p2pdma_add_resource(run->dev[i], 0, 0, 0))
			return wrong(run, "pci_p2pdma_add_resource");
		run->provider[i] = pcim_p2pdma_provider(run->dev[i], 0);
		bar = model_object_add(&run->model, OBJECT_BAR, pci_resource_start(run->dev[i], 0),
				       bar_bytes_of[i]);
		if (!run->provider[i] || !bar)
			return wrong(run, "no provider");
		bar->owner = i;
		bar->bus_address = pci_bus_address(run->dev[i], 0);
	}
	return true;
}

static void learn_windows(struct run *run)
{
	struct model *model = &run->model;

	while (model->window_count < MODEL_COUNT(model->window) &&
	       dmasim_window(run->s, model->window_count, &model->window[model->window_count]))
		model->window_count++;
	while (model->ram_count < MODEL_COUNT(model->ram) &&
	       dmasim_ram(run->s, model->ram_count, &model->ram[model->ram_count].start,
			  &model->ram[model->ram_count].bytes))
		model->ram_count++;
}

static bool add_memory(struct run *run, struct dice *dice)
{
	const u64 bytes[] = { 24 * GRANULE, 6 * GRANULE, 4 * SZ_1M };

	for (u32 i = 0; i < (run->big ? 3 : 2); i++) {
		phys_addr_t phys = dmasim_alloc(run->s, bytes[i]);

		if (phys == DMASIM_NO_PHYS ||
		    !model_object_add(&run->model, OBJECT_RAM, phys, bytes[i]))
			return wrong(run, "no memory");
	}
	for (u32 i = 0; i < 4; i++)
		if (!step_new_object(run, dice))
			return false;
	return true;
}

/* Facts 8.5: the test for traffic through the root; the hardware forwards where it is passed. */
static bool root_is_trusted(const struct run *run, u32 bridge, u32 other)
{
	if (run->amd)
		return true;
	if (bridge == other)
		return run->trust[bridge] != BRIDGE_UNLISTED;
	return run->trust[bridge] == BRIDGE_ANY && run->trust[other] == BRIDGE_ANY;
}

/* Reports that the model predicts. Each step compares what came with what it predicted. */
static void predict_reports(struct run *run)
{
	static const enum dmasim_report_id predicted[] = {
		DMASIM_REPORT_IOMMU_FAULT,
		DMASIM_REPORT_UNSUPPORTED_REQUEST,
		DMASIM_REPORT_ACCESS_NOT_MAPPED,
		DMASIM_REPORT_ACCESS_BEYOND,
		DMASIM_REPORT_ACCESS_FOREIGN,
		DMASIM_REPORT_ACCESS_BEFORE_SYNC,
		DMASIM_REPORT_ACCESS_AGAINST_DIRECTION,
		DMASIM_REPORT_USE_AFTER_UNMAP,
		DMASIM_REPORT_UNMAP_NOT_MAPPED,
		DMASIM_REPORT_P2P_WRONG_WAY,
		DMASIM_REPORT_BAD_DIRECTION,
		DMASIM_REPORT_BAD_ARGUMENT,
		DMASIM_REPORT_MASK_OVERFLOW,
		DMASIM_REPORT_SYNC_NOT_MAPPED,
		DMASIM_REPORT_P2P_VERDICT,
		DMASIM_REPORT_PEER_AS_RAM,
		DMASIM_REPORT_BUS_ADDRESS_UNMAPPED,
		DMASIM_REPORT_LINK_OVERLAP,
		DMASIM_REPORT_LINK_MISALIGNED,
	};

	for (u32 i = 0; i < MODEL_COUNT(predicted); i++)
		dmasim_suppress(run->s, predicted[i]);
}

bool machine_make(struct run *run, bool traced)
{
	struct dice dice = dice_of(run->seed, ~0ULL);
	struct dmasim_config config = random_config(&dice, run->seed, traced);

	run->amd = config.cpu == DMASIM_CPU_AMD || config.iommu == DMASIM_AMD_VI;
	run->big = dice_chance(&dice, 12);
	run->low_bars = dice_chance(&dice, 50);
	run->model.iommu = config.iommu != DMASIM_NO_IOMMU;
	run->model.amd_vi = config.iommu == DMASIM_AMD_VI;
	run->model.scalable = config.iommu_scalable;
	run->model.first_stage = config.iommu_first_stage;
	run->model.riscv = config.iommu == DMASIM_RISCV;
	run->model.smmuv3 = config.iommu == DMASIM_SMMUV3;
	run->model.address_bits =
		(u8)(12 + 9 * config.iommu_levels - (config.iommu_first_stage || run->model.riscv));
	config = rig_trace_begin(&run->trace, &config);
	run->s = dmasim_create(&config);
	if (!run->s)
		return wrong(run, "no machine");
	dmasim_suppress(run->s, DMASIM_REPORT_MAPPINGS_OVERLAP);
	dmasim_suppress(run->s, DMASIM_REPORT_SEGMENT_LIMIT);
	if (!add_bridges(run, &dice) || !add_devices(run, &config, &dice) || !add_providers(run))
		return false;
	for (u32 i = 0; i < 4; i++)
		run->model.forwards[i / 2][i % 2] = root_is_trusted(run, i / 2, i % 2);
	limit_segments(run, &dice);
	learn_windows(run);
	predict_reports(run);
	return add_memory(run, &dice);
}

enum pci_p2pdma_map_type machine_type(const struct run *run, u32 device, u32 provider)
{
	const struct model_device *one = &run->model.device[device];
	const struct model_device *two = &run->model.device[provider];

	if (device == provider || (one->below && one->below == two->below && !one->redirect))
		return PCI_P2PDMA_MAP_BUS_ADDR;
	return root_is_trusted(run, device == 5, provider == 5) ? PCI_P2PDMA_MAP_THRU_HOST_BRIDGE
								: PCI_P2PDMA_MAP_NOT_SUPPORTED;
}

bool machine_end(struct run *run)
{
	struct dice dice = dice_of(run->seed, ~1ULL);
	char found[2048];
	u64 leaks;

	for (u32 i = 0; i < RUN_MAPPINGS; i++)
		if (run->mapping[i].kind != MAPPING_NONE &&
		    !end_mapping(run, &run->mapping[i], &dice))
			return false;
	if (!expect_no_report(run) || !memory_is_right(run, NULL))
		return false;
	if (dmasim_check_clean(run->s, found, sizeof(found)))
		return wrong(run, "the machine is not clean:\n%s", found);
	if (!rig_trace_agrees(&run->trace, run->s))
		return wrong(run, "its trace is linted otherwise");
	leaks = dmasim_destroy(run->s);
	run->s = NULL;
	return leaks ? wrong(run, "%llu allocations leaked", leaks) : true;
}
