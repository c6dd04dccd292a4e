/* SPDX-License-Identifier: MIT */
/*
 * What the machine's firmware tells the software: memory, host bridges, IOMMUs, reserved regions.
 */
#include <errno.h>

#include "machine/arch.h"
#include "machine/machine.h"
#include "pci/p2p_allow.h"

struct counts {
	u32 memory;
	u32 bridges;
	u32 windows;
	u32 ranges;
	u32 iommus;
	u32 reserved;
	u32 devices;
};

/* Called for every function of the machine. */
typedef void visit_function(void *cookie, const struct hw_function *function);

static void visit_bus(const struct hw_bus *bus, visit_function *visit, void *cookie)
{
	const struct hw_function *function;

	TAILQ_FOREACH(function, &bus->functions, link) {
		visit(cookie, function);
		if (function->secondary)
			visit_bus(function->secondary, visit, cookie);
	}
}

static bool is_special(const struct hw_function *function)
{
	const struct hw_traits *traits = &function->traits;

	/* What is said of a physical function goes for its virtual ones. */
	if (function->physfn)
		return false;
	return traits->external || traits->no_snoop || traits->bus_limit || traits->pool_bytes;
}

static void count_special(void *cookie, const struct hw_function *function)
{
	struct counts *counts = cookie;

	counts->devices += is_special(function);
}

static struct counts count(const struct dmasim *s)
{
	struct counts counts = { .memory = s->hw.ram.range_count };
	const struct direct_region *region;
	const struct hw_root *root;

	TAILQ_FOREACH(root, &s->hw.roots, link) {
		counts.bridges++;
		counts.windows += root->window_count;
		counts.ranges += root->inbound_count;
		visit_bus(&root->bus, count_special, &counts);
		counts.iommus += root->iommu != NULL;
	}
	SLIST_FOREACH(region, &s->direct_regions, link)
		counts.reserved++;
	/* And the interrupt window. */
	counts.reserved += machine_arch(s->config.iommu)->msi_bytes != 0;
	return counts;
}

/* The arrays of one description, one after the other in a block. */
struct arrays {
	struct platform_memory *memory;
	struct platform_host_bridge *bridge;
	struct platform_window *window;
	struct platform_dma_range *range;
	struct platform_reserved *reserved;
	struct platform_device *device;
	struct platform_iommu *iommu;
};

/* Where each array begins in a block that holds them all, and how large it is, in bytes. */
struct layout {
	size_t bridge;
	size_t window;
	size_t range;
	size_t reserved;
	size_t device;
	size_t iommu; /* needs less alignment than the others, so it is the last */
	size_t bytes;
};

static struct layout lay_out(const struct counts *counts)
{
	struct layout at;

	at.bridge = counts->memory * sizeof(struct platform_memory);
	at.window = at.bridge + counts->bridges * sizeof(struct platform_host_bridge);
	at.range = at.window + counts->windows * sizeof(struct platform_window);
	at.reserved = at.range + counts->ranges * sizeof(struct platform_dma_range);
	at.device = at.reserved + counts->reserved * sizeof(struct platform_reserved);
	at.iommu = at.device + counts->devices * sizeof(struct platform_device);
	at.bytes = at.iommu + counts->iommus * sizeof(struct platform_iommu);
	return at;
}

/* A block that is large enough: a description of less than before needs no memory. */
static int reserve_block(struct dmasim *s, size_t bytes)
{
	void *block;

	if (bytes <= s->firmware.block_bytes)
		return 0;
	block = memory_alloc(&s->world.memory, DMASIM_FAULT_FIRMWARE, bytes);
	if (!block)
		return -ENOMEM;
	firmware_fini(s);
	s->firmware.block = block;
	s->firmware.block_bytes = bytes;
	return 0;
}

static void describe_memory(const struct dmasim *s, struct arrays *arrays)
{
	for (u32 i = 0; i < s->hw.ram.range_count; i++)
		arrays->memory[i] = (struct platform_memory){ s->hw.ram.range[i].start,
							      s->hw.ram.range[i].bytes };
}

static void describe_bridges(const struct dmasim *s, struct arrays *arrays)
{
	struct platform_host_bridge *bridge = arrays->bridge;
	struct platform_window *window = arrays->window;
	struct platform_dma_range *range = arrays->range;
	const struct hw_root *root;

	TAILQ_FOREACH(root, &s->hw.roots, link) {
		*bridge = (struct platform_host_bridge){
			.segment = root->segment,
			.bus_first = root->bus_first,
			.bus_last = root->bus_last,
			.window = window,
			.dma_range_count = root->inbound_count,
			.dma_range = range,
			.endpoint = root->endpoint ? hw_function_sbdf(root->endpoint)
						   : DMASIM_NO_SBDF,
		};
		if (!s->config.hide_windows)
			bridge->window_count = root->window_count;
		for (u32 i = 0; i < root->window_count; i++)
			*window++ = (struct platform_window){ root->window[i].start,
							      root->window[i].bytes,
							      root->window[i].bus_offset };
		for (u32 i = 0; i < root->inbound_count; i++)
			*range++ = (struct platform_dma_range){ root->inbound[i].bus_start,
								root->inbound[i].start,
								root->inbound[i].bytes };
		bridge++;
	}
}

static void describe_iommus(const struct dmasim *s, struct arrays *arrays)
{
	struct platform_iommu *iommu = arrays->iommu;
	const struct hw_root *root;

	TAILQ_FOREACH(root, &s->hw.roots, link) {
		if (!root->iommu)
			continue;
		*iommu++ = (struct platform_iommu){
			.arch = machine_arch(s->config.iommu)->os,
			.unit = root->iommu->unit,
			.segment = root->segment,
			.bus_first = root->bus_first,
			.bus_last = root->bus_last,
			.levels = root->iommu->walker.levels,
			.address_bits = root->iommu->walker.address_bits,
			.max_address_mask = root->iommu->max_address_mask,
			.huge_1g = root->iommu->walker.huge_1g,
			.snoop_control = root->iommu->walker.snoop_control,
			.drain_reads = true,
			.drain_writes = true,
			.caching_mode = root->iommu->caching_mode,
			.device_tlb = root->iommu->walker.device_tlb,
			.pf_requester = root->iommu->pf_requester,
			.scalable = root->iommu->scalable,
			.first_levels = root->iommu->walker.first_levels,
			.first_huge_1g = root->iommu->walker.first_huge_1g,
			.wide_commands = root->iommu->wide_commands,
			.forgets_ranges = root->iommu->command_ranges,
			.shadow_on_flush = s->config.iommu_shadow_on_flush,
			.coherent = !root->iommu->walker.cache,
			.napot = root->iommu->walker.napot,
			.page_types = root->iommu->walker.page_types,
			.forgets_tables = root->iommu->forgets_tables,
			.forgets_windows = root->iommu->forgets_windows,
			.domain_count = 1U << 16,
		};
	}
}

static void describe_reserved(const struct dmasim *s, struct arrays *arrays)
{
	const struct machine_arch *arch = machine_arch(s->config.iommu);
	struct platform_reserved *reserved = arrays->reserved;
	const struct direct_region *region;

	if (arch->msi_bytes)
		*reserved++ = (struct platform_reserved){
			.type = PLATFORM_RESERVED_MSI,
			.dev = DMASIM_NO_SBDF,
			.start = arch->msi_start,
			.bytes = arch->msi_bytes,
		};
	SLIST_FOREACH(region, &s->direct_regions, link)
		*reserved++ = (struct platform_reserved){
			.type = PLATFORM_RESERVED_DIRECT,
			.dev = region->function ? hw_function_sbdf(region->function)
						: DMASIM_NO_SBDF,
			.start = region->start,
			.bytes = region->bytes,
		};
}

static void describe_special(void *cookie, const struct hw_function *function)
{
	struct platform_device **device = cookie;

	if (is_special(function))
		*(*device)++ = (struct platform_device){
			.dev = hw_function_sbdf(function),
			.external = function->traits.external,
			.no_snoop = function->traits.no_snoop,
			.bus_limit = function->traits.bus_limit,
			.pool = function->traits.pool_start,
			.pool_bytes = function->traits.pool_bytes,
		};
}

static void describe_devices(const struct dmasim *s, struct arrays *arrays)
{
	struct platform_device *device = arrays->device;
	const struct hw_root *root;

	TAILQ_FOREACH(root, &s->hw.roots, link)
		visit_bus(&root->bus, describe_special, &device);
}

int firmware_describe(struct dmasim *s)
{
	struct counts counts = count(s);
	struct layout at = lay_out(&counts);
	struct arrays arrays;
	char *block;

	if (reserve_block(s, at.bytes))
		return -ENOMEM;
	block = s->firmware.block;
	arrays = (struct arrays){
		.memory = (void *)block,
		.bridge = (void *)(block + at.bridge),
		.window = (void *)(block + at.window),
		.range = (void *)(block + at.range),
		.reserved = (void *)(block + at.reserved),
		.device = (void *)(block + at.device),
		.iommu = (void *)(block + at.iommu),
	};
	describe_memory(s, &arrays);
	describe_bridges(s, &arrays);
	describe_iommus(s, &arrays);
	describe_reserved(s, &arrays);
	describe_devices(s, &arrays);
	s->firmware.described = (struct platform_firmware){
		.memory_count = counts.memory,
		.memory = arrays.memory,
		.bridge_count = counts.bridges,
		.bridge = arrays.bridge,
		.iommu_count = counts.iommus,
		.iommu = arrays.iommu,
		.reserved_count = counts.reserved,
		.reserved = arrays.reserved,
		.device_count = counts.devices,
		.device = arrays.device,
		.cpu_vendor = s->cpu_vendor,
		.cpu_family = s->cpu_family,
	};
	check_firmware(&s->check, &s->firmware.described);
	return 0;
}

void firmware_fini(struct dmasim *s)
{
	memory_free(&s->world.memory, s->firmware.block);
	s->firmware.block = NULL;
	s->firmware.block_bytes = 0;
}

/* The function that stands for a host bridge: 00.0, or a root port that is the first on its bus. */
static enum hw_forwards listed(const struct hw_root *root)
{
	static const enum hw_forwards forwards[] = {
		[P2P_ALLOW_NONE] = HW_FORWARDS_NONE,
		[P2P_ALLOW_SAME_BRIDGE] = HW_FORWARDS_WITHIN,
		[P2P_ALLOW_ANY] = HW_FORWARDS_ANY,
	};
	const struct hw_function *host = TAILQ_FIRST(&root->bus.functions);

	if (!host || (host->devfn && host->express_type != PCI_EXP_TYPE_ROOT_PORT))
		return HW_FORWARDS_NONE;
	return forwards[p2p_allow((u16)hw_config_read(host, PCI_VENDOR_ID, 2),
				  (u16)hw_config_read(host, PCI_DEVICE_ID, 2))];
}

/* Which host bridges forward: as a default those of which the software knows it. */
static void choose_forwarding(struct dmasim *s)
{
	enum dmasim_forwarding chosen = s->config.forwarding;
	struct hw_root *root;

	if (p2p_allow_cpu(s->cpu_vendor, s->cpu_family) && chosen == DMASIM_FORWARDING_LISTED)
		chosen = DMASIM_FORWARDING_ALL;
	TAILQ_FOREACH(root, &s->hw.roots, link) {
		if (chosen == DMASIM_FORWARDING_LISTED)
			root->forwards = listed(root);
		else
			root->forwards = chosen == DMASIM_FORWARDING_ALL ? HW_FORWARDS_ANY
									 : HW_FORWARDS_NONE;
	}
}

int machine_hardware_changed(struct dmasim *s)
{
	int err;

	choose_forwarding(s);
	if (!s->imported)
		firmware_plan(s);
	err = firmware_describe(s);
	return err ? err : os_rescan(s->os);
}
