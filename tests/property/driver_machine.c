/* SPDX-License-Identifier: MIT */
/*
 * The machine of a mode for a random driver: what the mode leaves open is chosen at random.
 */
#include <stdlib.h>

#include "matrix/machine.h"
#include "property/another_unit.h"
#include "property/driver.h"

#define BLOCK_BYTES SZ_1G
#define BAR_BYTES   SZ_64K
#define FLUSH_NS    2000000000ULL

static const char *const path_of[DRIVER_DEVICES] = {
	"00:01.0/00.0/00.0/00.0",
	"00:01.0/00.0/01.0/00.0",
	"00:02.0/00.0",
	"00:03.0/00.0",
};

static const u64 bar_of[DRIVER_DEVICES] = { 0, BAR_BYTES, BAR_BYTES, 0 };

/* Without an IOMMU or an inbound range, a BAR is an address like others. */
bool driver_has_peers(const struct driver *driver)
{
	if (driver->facts->iommu)
		return true;
	return !driver->facts->forced && !driver->facts->out_of_reach &&
	       driver->mode != MODE_DIRECT_RANGES;
}

static struct dmasim_config config_of(const struct driver *driver)
{
	struct dmasim_config config = machine_config(driver->mode);
	struct dice dice = dice_of(driver->seed, ~1ULL);

	config.seed = driver->seed ? driver->seed : 1;
	config.swiotlb_bytes = 0;
	config.report_unchecked = true;
	config.random_choices = dice_chance(&dice, 50);
	config.iotlb_entries = 4U << dice_below(&dice, 5);
	config.iotlb_ways = (u32)dice_from(&dice, 1, 4);
	config.context_entries = (u32)dice_below(&dice, 5);
	config.walk_entries = (u32)dice_below(&dice, 5);
	config.iommu_incoherent = dice_chance(&dice, 50);
	config.forcedac = dice_chance(&dice, 50);
	config.iommu_device_tlb = dice_chance(&dice, 30);
	if (config.iommu == DMASIM_VTD) {
		config.iommu_levels = (u8)dice_from(&dice, 3, 5);
		config.iommu_caching_mode = dice_chance(&dice, 25);
		config.iommu_scalable = dice_chance(&dice, 25);
		config.iommu_snoop = dice_chance(&dice, 50);
		config.iommu_first_stage = config.iommu_scalable && config.iommu_levels >= 4 &&
					   dice_chance(&dice, 50);
	}
	if (config.iommu == DMASIM_VTD && !config.iommu_scalable && driver->facts->iommu)
		maybe_another_unit(&config, driver->seed, 30);
	return config;
}

/* Behind an IOMMU the last device has a region of firmware's now and then. */
static bool add_direct(struct driver *driver)
{
	struct dice dice = dice_of(driver->seed, ~5ULL);

	if (!driver->facts->iommu || !dice_chance(&dice, 30))
		return true;
	driver->direct = dmasim_alloc(driver->s, DRIVER_PAGE);
	if (driver->direct == DMASIM_NO_PHYS ||
	    dmasim_add_direct_region(driver->s, driver->dev[DRIVER_DEVICES - 1], driver->direct,
				     DRIVER_PAGE))
		return driver_wrong(driver, "no region of firmware's");
	return true;
}

static bool add_peers(struct driver *driver)
{
	for (u32 i = 0; i < DRIVER_DEVICES; i++) {
		struct buffer *buffer;

		if (!bar_of[i] || !driver_has_peers(driver))
			continue;
		if (pci_p2pdma_add_resource(driver->dev[i], 0, 0, 0))
			return driver_wrong(driver, "no peer memory");
		driver->provider[i] = pcim_p2pdma_provider(driver->dev[i], 0);
		buffer = buffer_new(driver, BUFFER_PEER, pci_resource_start(driver->dev[i], 0),
				    BAR_BYTES);
		if (!buffer || !driver->provider[i])
			return driver_wrong(driver, "no buffer of peer memory");
		buffer->owner = i;
	}
	return true;
}

static bool add_devices(struct driver *driver)
{
	u64 mask = driver->mode == MODE_DIRECT_MASK32 ? DMA_BIT_MASK(32) : DMA_BIT_MASK(64);
	struct dice dice = dice_of(driver->seed, ~4ULL);
	/* A device that asks the IOMMU about all it uses gets no answer about a bus address. */
	bool ats = !driver->facts->peer_bus && dice_chance(&dice, 50);

	if (driver->mode == MODE_DIRECT_RANGES &&
	    dmasim_add_host_bridge(driver->s, &machine_moving_bridge))
		return driver_wrong(driver, "no host bridge");
	for (u32 i = 0; i < DRIVER_DEVICES; i++) {
		const struct dmasim_endpoint endpoint = { .bar = { bar_of[i] }, .ats = ats };

		driver->dev[i] = dmasim_add_endpoint(driver->s, path_of[i], &endpoint);
		if (!driver->dev[i])
			return driver_wrong(driver, "no device");
	}
	for (u32 i = 0; i < DRIVER_DEVICES; i++) {
		pci_set_master(driver->dev[i]);
		if (dma_set_mask_and_coherent(driver_dev(driver, i), mask))
			return driver_wrong(driver, "no mask");
		if (driver->facts->keeps_page_offset)
			dma_set_min_align_mask(driver_dev(driver, i), DRIVER_PAGE - 1);
	}
	return true;
}

bool driver_begin(struct driver *driver)
{
	struct dmasim_config config;

	driver->facts = &facts_of[driver->mode];
	config = config_of(driver);
	driver->random_choices = config.random_choices;
	driver->unprivileged = config.iommu == DMASIM_SMMUV3;
	config = rig_trace_begin(&driver->trace, &config);
	driver->s = dmasim_create(&config);
	if (!driver->s)
		return driver_wrong(driver, "no machine");
	if (!add_devices(driver) || !add_direct(driver) || !add_peers(driver))
		return false;
	/* So much that it lies where there is so much: beyond 4 GiB. */
	driver->block = driver->facts->out_of_reach ? dmasim_alloc(driver->s, BLOCK_BYTES) : 0;
	driver_choose_steps(driver);
	return driver->block != DMASIM_NO_PHYS || driver_wrong(driver, "no memory");
}

static bool is_clean(struct driver *driver)
{
	char found[DRIVER_WRONG_BYTES - 64];
	u64 leaks;

	for (u32 i = 0; i < DRIVER_DEVICES; i++) {
		u64 used = dmasim_bounce_use(driver->dev[i]).used;

		if (used)
			return driver_wrong(driver, "%llu bounce slots leaked", used);
	}
	if (dmasim_check_clean(driver->s, found, sizeof(found)))
		return driver_wrong(driver, "at the end: %s", found);
	if (!rig_trace_agrees(&driver->trace, driver->s))
		return driver_wrong(driver, "its trace is linted otherwise");
	leaks = dmasim_destroy(driver->s);
	driver->s = NULL;
	return !leaks || driver_wrong(driver, "%llu allocations leaked", leaks);
}

bool driver_finish(struct driver *driver)
{
	dmasim_fail(driver->s, DMASIM_FAULT_ANY, 0);
	driver->failing = false;
	for (u32 i = 0; i < DRIVER_USES; i++)
		if (driver->use[i].kind != USE_NONE && !use_end(driver, &driver->use[i]))
			return false;
	for (u32 i = 0; i < DRIVER_BUFFERS; i++) {
		struct buffer *buffer = &driver->buffer[i];

		if (buffer->kind == BUFFER_NONE)
			continue;
		if (!cpu_finds(driver, buffer, 0, buffer->bytes, i % 2))
			return false;
		buffer_drop(driver, buffer);
	}
	if (driver->direct)
		dmasim_free(driver->s, driver->direct, DRIVER_PAGE);
	if (driver->block)
		dmasim_free(driver->s, driver->block, BLOCK_BYTES);
	dmasim_run(driver->s, FLUSH_NS);
	return driver_no_report(driver) && is_clean(driver);
}

void driver_destroy(struct driver *driver)
{
	dmasim_destroy(driver->s);
	rig_trace_end(&driver->trace);
	for (u32 i = 0; i < DRIVER_BUFFERS; i++) {
		free(driver->buffer[i].shadow);
		free(driver->buffer[i].adopted);
	}
}
