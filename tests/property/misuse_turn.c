/* SPDX-License-Identifier: MIT */
/*
 * Misuses of syncs, and of bytes that belong to somebody else.
 */
#include "property/misuse.h"

#include <string.h>

/* ---- Syncs ----------------------------------------------------------------------------------- */

static bool is_single(const struct driver *driver, const struct use *use)
{
	return use_can_turn(driver, use) && use->kind != USE_LIST && !use->made;
}

/* Without an IOMMU another mapping of the same memory may be what is meant. */
static bool is_ambiguous(const struct driver *driver, const struct use *use)
{
	return !driver->facts->iommu && use_shares(driver, use);
}

static bool one_is_mapped(const struct driver *driver, const struct use *use, dma_addr_t dma)
{
	return misuse_is_mapped(driver, use->device, dma, 1);
}

bool misuse_sync_size(struct driver *driver, struct dice *dice, struct use *use)
{
	u32 more = (u32)dice_from(dice, 1, dice_chance(dice, 50) ? 64 : 2 * DRIVER_PAGE);

	if (!is_single(driver, use) || is_ambiguous(driver, use))
		return false;
	driver_note(driver, "use %u is synced with %u bytes more", use_index(driver, use), more);
	use_sync(driver, use, 0, use->bytes + more, dice_chance(dice, 50));
	return true;
}

bool misuse_sync_direction(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;

	/* A mapping in both directions may be synced for one of them. */
	if (!use_can_turn(driver, use) || use->dir == DMA_BIDIRECTIONAL)
		return false;
	bad.dir = (use->dir + dice_from(dice, 1, 2)) % DIRECTIONS;
	driver_note(driver, "use %u is synced with dir %d", use_index(driver, use), (int)bad.dir);
	use_sync(driver, &bad, 0, bad.bytes, dice_chance(dice, 50));
	return true;
}

bool misuse_sync_device(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;

	if (!use_can_turn(driver, use))
		return false;
	bad.device = misuse_other_device(dice, use->device);
	/* It has the same address for itself. */
	if (one_is_mapped(driver, &bad, bad.segment[0].dma))
		return false;
	driver_note(driver, "use %u is synced for device %u", use_index(driver, use), bad.device);
	use_sync(driver, &bad, 0, bad.bytes, dice_chance(dice, 50));
	return true;
}

bool misuse_sync_address(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;

	if (!is_single(driver, use))
		return false;
	bad.segment[0].dma += dice_chance(dice, 50) ? -(u64)DRIVER_PAGE : use->bytes;
	if (one_is_mapped(driver, use, bad.segment[0].dma))
		return false;
	driver_note(driver, "use %u is synced at 0x%llx", use_index(driver, use),
		    bad.segment[0].dma);
	use_sync(driver, &bad, 0, bad.bytes, dice_chance(dice, 50));
	return true;
}

bool misuse_sync_count(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;

	if (!use_can_turn(driver, use) || use->part_count == 1 || is_ambiguous(driver, use))
		return false;
	bad.part_count = use->table.nents < use->part_count ? use->table.nents
							    : use->part_count - 1;
	driver_note(driver, "use %u is synced with %u entries", use_index(driver, use),
		    bad.part_count);
	use_sync(driver, &bad, 0, bad.bytes, dice_chance(dice, 50));
	return true;
}

bool misuse_sync_after_unmap(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;

	if (!use_can_turn(driver, use) || use->made)
		return false;
	misuse_prepare(driver, use);
	use_unmap(driver, use);
	misuse_gone(driver, use);
	if (misuse_is_mapped(driver, bad.device, bad.segment[0].dma, 1))
		return false;
	driver_note(driver, "the use is over, and it is synced");
	use_sync(driver, &bad, 0, bad.bytes, dice_chance(dice, 50));
	return true;
}

/* ---- The device ------------------------------------------------------------------------------ */

/* In a direction that the use has. */
static void touch(struct driver *driver, struct use *use, struct dice *dice, u32 offset)
{
	u8 bytes[8] = { 0 };
	bool write = use->dir != DMA_TO_DEVICE &&
		     (use->dir == DMA_FROM_DEVICE || dice_chance(dice, 50));
	u32 count = use->bytes - offset < sizeof(bytes) ? use->bytes - offset : sizeof(bytes);

	driver_note(driver, "device %u %s at %u of 0x%llx", use->device, write ? "writes" : "reads",
		    offset, use->segment[0].dma);
	use_transfer(driver, use, offset, write ? NULL : bytes, write ? bytes : NULL, count);
}

bool misuse_access_after_unmap(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;
	u32 offset = (u32)dice_below(dice, use->bytes);

	misuse_prepare(driver, use);
	use_unmap(driver, use);
	misuse_gone(driver, use);
	if (bad.kind == USE_LIST && sg_dma_is_bus_address(&bad.list[0]))
		return false;
	/* Of a list the first segment alone. */
	bad.segment_count = 1;
	bad.bytes = bad.segment[0].bytes;
	offset %= bad.bytes;
	if (misuse_is_mapped(driver, bad.device, bad.segment[0].dma + offset, 8))
		return false;
	touch(driver, &bad, dice, offset);
	return true;
}

bool misuse_access_beyond(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;
	struct use_segment *last = &bad.segment[use->segment_count - 1];
	u32 more = dice_chance(dice, 50) ? 0 : (u32)dice_below(dice, 2 * DRIVER_PAGE);

	if (use->kind == USE_LIST && sg_dma_is_bus_address(&use->list[use->segment_count - 1]))
		return false;
	/* A table's segment has whole pages, and the device may use them. */
	if (use->made)
		last->bytes = sg_dma_len(use->made->sgl);
	bad.segment[0] = (struct use_segment){ last->dma + last->bytes + more, 8 };
	bad.segment_count = 1;
	bad.bytes = 8;
	if (misuse_is_mapped(driver, bad.device, bad.segment[0].dma, 8))
		return false;
	touch(driver, &bad, dice, 0);
	return true;
}

bool misuse_access_direction(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;
	u32 start, end;

	if (use->dir == DMA_BIDIRECTIONAL || !use_device_stretch(use, dice, &start, &end))
		return false;
	if (is_ambiguous(driver, use))
		return false;
	/* Bus addresses of a list are nobody's mapping. */
	for (u32 i = 0; i < use->part_count && use->kind == USE_LIST; i++)
		if (sg_dma_is_bus_address(&use->list[i]))
			return false;
	bad.dir = use->dir == DMA_TO_DEVICE ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
	touch(driver, &bad, dice, start);
	return true;
}

bool misuse_access_device(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;
	u32 start, end;

	if (!use_device_stretch(use, dice, &start, &end))
		return false;
	if (use->kind == USE_LIST && sg_dma_is_bus_address(&use->list[0]))
		return false;
	bad.device = misuse_other_device(dice, use->device);
	bad.segment_count = 1;
	bad.bytes = bad.segment[0].bytes;
	start %= bad.bytes;
	if (misuse_is_mapped(driver, bad.device, bad.segment[0].dma + start, 8))
		return false;
	touch(driver, &bad, dice, start);
	return true;
}

/* The device is given the physical address, as if it were one it can use. */
bool misuse_access_phys(struct driver *driver, struct dice *dice, struct use *use)
{
	struct buffer *buffer = &driver->buffer[dice_below(dice, DRIVER_BUFFERS)];
	struct use bad = { .device = (u32)dice_below(dice, DRIVER_DEVICES), .bytes = 8 };

	(void)use;
	if (buffer->kind == BUFFER_NONE || buffer->kind == BUFFER_PEER || buffer->bytes < 8)
		return false;
	bad.dir = DMA_BIDIRECTIONAL;
	use_add_segment(&bad, buffer->phys + dice_below(dice, buffer->bytes - 7), 8);
	if (misuse_is_mapped(driver, bad.device, bad.segment[0].dma, 8))
		return false;
	touch(driver, &bad, dice, 0);
	return true;
}

bool misuse_access_error(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;

	bad.segment[0] = (struct use_segment){ DMA_MAPPING_ERROR - 7, 8 };
	bad.segment_count = 1;
	bad.bytes = 8;
	touch(driver, &bad, dice, 0);
	return true;
}

/* ---- The CPU --------------------------------------------------------------------------------- */

/* Who syncs by himself, or shares, takes turns as he likes; and nobody has one now. */
static bool takes_turns(const struct driver *driver, const struct use *use)
{
	return use_can_turn(driver, use) && use->cpu_start == use->cpu_end &&
	       !(use->attrs & (DMA_ATTR_SKIP_CPU_SYNC | DMA_ATTR_REQUIRE_COHERENT)) &&
	       !use_shares(driver, use);
}

/* It writes what a device has, and takes no turn for that. */
bool misuse_cpu_writes(struct driver *driver, struct dice *dice, struct use *use)
{
	const struct part *part = &use->part[dice_below(dice, use->part_count)];
	u8 byte;

	if (!takes_turns(driver, use))
		return false;
	byte = part->buffer->shadow[part->at] ^ 0x55;
	driver_note(driver, "the CPU writes into use %u", use_index(driver, use));
	dmasim_write(driver->s, part->buffer->phys + part->at, &byte, 1);
	misuse_prepare(driver, use);
	use_unmap(driver, use);
	misuse_gone(driver, use);
	return true;
}

/* It has its turn and writes, and the device, which does not snoop, goes on without a sync. */
bool misuse_turn_kept(struct driver *driver, struct dice *dice, struct use *use)
{
	const struct mode_facts *facts = driver->facts;
	u32 offset = (u32)dice_below(dice, use->bytes);
	struct part part = use_stretch(use, offset, 1);
	u8 byte;

	if (driver->random_choices || !facts->no_snoop || facts->kmalloc || facts->untrusted ||
	    !takes_turns(driver, use))
		return false;
	use_sync(driver, use, 0, use->bytes, true);
	byte = part.buffer->shadow[part.at] ^ 0x55;
	driver_note(driver, "the CPU writes into use %u at %u, in its turn", use_index(driver, use),
		    offset);
	dmasim_write(driver->s, part.buffer->phys + part.at, &byte, 1);
	touch(driver, use, dice, offset);
	return true;
}

bool misuse_memory_freed(struct driver *driver, struct dice *dice, struct use *use)
{
	const struct part *part = &use->part[dice_below(dice, use->part_count)];
	struct buffer *buffer = part->buffer;

	if ((buffer->kind != BUFFER_RAM && buffer->kind != BUFFER_ADOPTED) ||
	    (use->kind == USE_LINKS && !part->linked))
		return false;
	driver_note(driver, "the memory of use %u is freed", use_index(driver, use));
	if (buffer->kind == BUFFER_RAM)
		dmasim_free(driver->s, buffer->phys, buffer->bytes);
	else
		dmasim_unadopt(driver->s, buffer->phys);
	/* The model keeps it, and nobody picks it or frees it again. */
	buffer->kind = BUFFER_ALLOC;
	return true;
}
