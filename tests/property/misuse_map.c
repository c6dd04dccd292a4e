/* SPDX-License-Identifier: MIT */
/*
 * Misuses of calls that map, and of peer memory.
 */
#include "property/misuse.h"

bool misuse_map_no_direction(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;

	(void)dice;
	if (use->kind == USE_ALLOC && use->call == CALL_ALLOC_COHERENT)
		return false;
	bad.dir = DMA_NONE;
	driver_note(driver, "a buffer of use %u is mapped for no direction",
		    use_index(driver, use));
	return use_map(driver, &bad) || dmasim_report_count(driver->s) > driver->reports;
}

/* The device of one mapping writes, another has the same bytes. */
bool misuse_map_overlap(struct driver *driver, struct dice *dice, struct use *use)
{
	const unsigned long shares = DMA_ATTR_SKIP_CPU_SYNC | DMA_ATTR_REQUIRE_COHERENT |
				     DMA_ATTR_DEBUGGING_IGNORE_CACHELINES;
	struct use bad = { .kind = USE_ONE, .call = CALL_MAP_PHYS };
	const struct part *part = &use->part[dice_below(dice, use->part_count)];

	if (use->attrs & shares || part->buffer->kind == BUFFER_PEER)
		return false;
	bad.device = (u32)dice_below(dice, DRIVER_DEVICES);
	bad.dir = use->dir == DMA_TO_DEVICE ? DMA_FROM_DEVICE : use->dir;
	/* One that reads and writes may work in place. */
	if (bad.dir != use->dir && bad.device == use->device)
		return false;
	bad.part_count = 1;
	bad.part[0] = *part;
	bad.bytes = part->bytes;
	driver_note(driver, "bytes of use %u are mapped for device %u", use_index(driver, use),
		    bad.device);
	if (!use_map(driver, &bad))
		use_unmap(driver, &bad);
	return true;
}

bool misuse_map_ram_as_mmio(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;
	const struct part *part = &use->part[0];

	if (part->buffer->kind == BUFFER_PEER || driver->facts->forced ||
	    driver->facts->out_of_reach)
		return false;
	bad.call = dice_chance(dice, 50) ? CALL_MAP_RESOURCE : CALL_MAP_PHYS;
	bad.attrs |= DMA_ATTR_MMIO;
	bad.segment_count = 0;
	misuse_prepare(driver, use);
	use_unmap(driver, use);
	misuse_gone(driver, use);
	driver_note(driver, "RAM at 0x%llx is mapped as MMIO", part->buffer->phys + part->at);
	if (!use_map(driver, &bad))
		use_unmap(driver, &bad);
	return true;
}

/* Nobody asks whether it failed. */
bool misuse_map_unasked(struct driver *driver, struct dice *dice, struct use *use)
{
	struct device *dev = driver_dev(driver, use->device);
	phys_addr_t phys = use->part[0].buffer->phys + use->part[0].at;
	unsigned long attrs = use->attrs;
	dma_addr_t dma;

	(void)dice;
	misuse_prepare(driver, use);
	use_unmap(driver, use);
	driver_note(driver, "use %u is mapped again, and unmapped unasked", use_index(driver, use));
	dma = dma_map_phys(dev, phys, use->bytes, use->dir, attrs);
	dma_unmap_phys(dev, dma, use->bytes, use->dir, attrs);
	driver->calls += 2;
	misuse_gone(driver, use);
	return true;
}

/* Peer memory below the device's switch, through the IOMMU: nobody asked for its map type. */
bool misuse_map_peer_wrong_way(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;

	bad.kind = USE_ONE;
	bad.call = dice_chance(dice, 50) ? CALL_MAP_RESOURCE : CALL_MAP_PHYS;
	bad.attrs = DMA_ATTR_MMIO;
	bad.segment_count = 0;
	driver_note(driver, "the peer memory of use %u is mapped", use_index(driver, use));
	if (!use_map(driver, &bad))
		use_unmap(driver, &bad);
	return true;
}

/* The first part that is mapped peer memory; NULL: there is none. */
static const struct part *peer_part(const struct use *use)
{
	for (u32 i = 0; i < use->part_count; i++)
		if (use->part[i].buffer->kind == BUFFER_PEER &&
		    (use->kind != USE_LINKS || use->part[i].linked))
			return &use->part[i];
	return NULL;
}

/* The driver of the memory goes before those that have mapped it. */
bool misuse_peer_released(struct driver *driver, struct dice *dice, struct use *use)
{
	const struct part *part = peer_part(use);
	u32 owner;

	(void)dice;
	if (!part)
		return false;
	owner = part->buffer->owner;
	driver_note(driver, "device %u is no provider any more", owner);
	dmasim_p2pdma_release(driver->dev[owner]);
	driver->provider[owner] = NULL;
	return true;
}
