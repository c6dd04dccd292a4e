/* SPDX-License-Identifier: MIT */
/*
 * Taking turns: what devices and the CPU do with bytes that are theirs, and the syncs in between.
 */
#include "property/driver.h"

#include <string.h>

/* Lists and tables are synced as a whole. */
static bool is_whole(const struct use *use)
{
	return use->kind == USE_LIST || use->made;
}

static bool is_peer(const struct use *use)
{
	for (u32 i = 0; i < use->part_count; i++)
		if (use->part[i].buffer->kind == BUFFER_PEER)
			return true;
	return false;
}

bool use_can_turn(const struct driver *driver, const struct use *use)
{
	bool copies = driver->facts->untrusted || driver->facts->kmalloc;

	if (is_peer(use) || use->kind == USE_BUS)
		return false;
	if (use->kind == USE_LINKS)
		return use->part_count == 1 && use->part[0].linked && !copies;
	return use->kind != USE_ALLOC || use->call != CALL_ALLOC_COHERENT;
}

static void sync_list(struct driver *driver, const struct use *use, bool for_cpu)
{
	struct device *dev = driver_dev(driver, use->device);
	struct scatterlist *list = use->made ? use->made->sgl : (struct scatterlist *)use->list;
	int entries = (int)(use->made ? use->made->orig_nents : use->part_count);

	if (for_cpu)
		dma_sync_sg_for_cpu(dev, list, entries, use->dir);
	else
		dma_sync_sg_for_device(dev, list, entries, use->dir);
}

void use_sync(struct driver *driver, const struct use *use, u32 start, u32 end, bool for_cpu)
{
	struct device *dev = driver_dev(driver, use->device);
	dma_addr_t dma = use->segment[0].dma;

	driver->calls++;
	if (is_whole(use))
		sync_list(driver, use, for_cpu);
	else if (for_cpu && start)
		dma_sync_single_range_for_cpu(dev, dma, start, end - start, use->dir);
	else if (for_cpu)
		dma_sync_single_for_cpu(dev, dma, end, use->dir);
	else if (start)
		dma_sync_single_range_for_device(dev, dma, start, end - start, use->dir);
	else
		dma_sync_single_for_device(dev, dma, end, use->dir);
}

bool use_to_device(struct driver *driver, struct use *use)
{
	if (use->not_synced)
		use_sync(driver, use, 0, use->bytes, false);
	else if (use->cpu_start != use->cpu_end)
		use_sync(driver, use, use->cpu_start, use->cpu_end, false);
	use->not_synced = use->cpu_wrote = false;
	use->cpu_start = use->cpu_end = 0;
	return driver_no_report(driver);
}

/* ---- The device ------------------------------------------------------------------------------ */

static bool in_linked(const struct use *use, u32 start, u32 end)
{
	for (u32 i = 0; i < use->part_count && use->kind == USE_LINKS; i++) {
		u32 at = part_offset(use, i);

		if (!use->part[i].linked && start < at + use->part[i].bytes && at < end)
			return false;
	}
	return true;
}

bool use_device_stretch(const struct use *use, struct dice *dice, u32 *start, u32 *end)
{
	for (u32 tries = 0; tries < 4; tries++) {
		*start = (u32)dice_below(dice, use->bytes);
		*end = (u32)dice_from(dice, *start + 1, use->bytes);
		if (tries == 3 && *end - *start > 64)
			*end = *start + 64;
		if ((use->cpu_start == use->cpu_end || *end <= use->cpu_start ||
		     *start >= use->cpu_end) &&
		    in_linked(use, *start, *end) && !use->not_synced)
			return true;
	}
	return false;
}

struct dmasim_transfer use_transfer(struct driver *driver, struct use *use, u32 offset, u8 *to,
				    const u8 *from, u32 bytes)
{
	struct pci_dev *pdev = driver->dev[use->device];
	struct dmasim_transfer transfer = { 0 };
	u32 done = 0;

	driver->accesses++;
	for (u32 i = 0; i < use->segment_count && done < bytes; i++) {
		const struct use_segment *segment = &use->segment[i];
		u32 part = bytes - done;

		if (offset >= segment->bytes) {
			offset -= segment->bytes;
			continue;
		}
		if (part > segment->bytes - offset)
			part = segment->bytes - offset;
		transfer = to ? dmasim_dev_read(pdev, segment->dma + offset, to + done, part)
			      : dmasim_dev_write(pdev, segment->dma + offset, from + done, part);
		done += (u32)transfer.done;
		offset = 0;
		if (transfer.status != DMASIM_DONE)
			break;
	}
	transfer.done = done;
	return transfer;
}

bool driver_read(struct driver *driver, struct dice *dice)
{
	struct use *use = use_pick(driver, dice, USE_NONE);
	u8 *seen = driver->scratch;
	u32 start, end, at;

	if (!use || use->dir == DMA_FROM_DEVICE || !use_device_stretch(use, dice, &start, &end))
		return true;
	driver_note(driver, "device %u reads use %u, %u to %u", use->device, use_index(driver, use),
		    start, end);
	if (use_transfer(driver, use, start, seen, NULL, end - start).done != end - start)
		return driver_wrong(driver, "the device cannot read");
	for (at = start; at < end;) {
		struct part part = use_stretch(use, at, end - at);

		if (memcmp(seen + (at - start), part.buffer->shadow + part.at, part.bytes) != 0)
			return driver_wrong(driver, "the device sees other bytes at %u", at);
		at += part.bytes;
	}
	return driver_no_report(driver);
}

bool driver_write(struct driver *driver, struct dice *dice)
{
	struct use *use = use_pick(driver, dice, USE_NONE);
	u8 *bytes = driver->scratch;
	u32 start, end;

	if (!use || use->dir == DMA_TO_DEVICE || !use_device_stretch(use, dice, &start, &end))
		return true;
	driver_note(driver, "device %u writes use %u, %u to %u", use->device,
		    use_index(driver, use), start, end);
	for (u32 i = 0; i < end - start; i++)
		bytes[i] = (u8)dice_word(dice);
	if (use_transfer(driver, use, start, NULL, bytes, end - start).done != end - start)
		return driver_wrong(driver, "the device cannot write");
	for (u32 at = start; at < end;) {
		struct part part = use_stretch(use, at, end - at);

		memcpy(part.buffer->shadow + part.at, bytes + (at - start), part.bytes);
		at += part.bytes;
	}
	return driver_no_report(driver);
}

/* ---- Syncs ----------------------------------------------------------------------------------- */

/* A stretch that has its cache lines for itself. */
static void pick_turn(const struct use *use, struct dice *dice, u32 *start, u32 *end)
{
	phys_addr_t first = use->part[0].buffer->phys + use->part[0].at;

	*start = 0;
	*end = use->bytes;
	if (is_whole(use) || dice_chance(dice, 40))
		return;
	*start = (u32)dice_below(dice, use->bytes);
	*start -= (u32)((first + *start) % DRIVER_LINE) < *start
			  ? (u32)((first + *start) % DRIVER_LINE)
			  : *start;
	*end = (u32)dice_from(dice, *start + 1, use->bytes);
	*end += (DRIVER_LINE - (u32)((first + *end) % DRIVER_LINE)) % DRIVER_LINE;
	if (*end > use->bytes)
		*end = use->bytes;
}

bool driver_for_cpu(struct driver *driver, struct dice *dice)
{
	struct use *use = use_pick(driver, dice, USE_NONE);
	u32 start, end;

	if (!use || !use_can_turn(driver, use) || use->cpu_start != use->cpu_end || use->not_synced)
		return true;
	pick_turn(use, dice, &start, &end);
	driver_note(driver, "use %u is the CPU's from %u to %u", use_index(driver, use), start,
		    end);
	use_sync(driver, use, start, end, true);
	use->cpu_start = start;
	use->cpu_end = end;
	return driver_no_report(driver);
}

bool driver_for_dev(struct driver *driver, struct dice *dice)
{
	struct use *use = use_pick(driver, dice, USE_NONE);

	if (!use || (use->cpu_start == use->cpu_end && !use->not_synced))
		return true;
	driver_note(driver, "use %u is the device's", use_index(driver, use));
	return use_to_device(driver, use);
}

/* ---- The CPU --------------------------------------------------------------------------------- */

/* Coherent memory has two owners; the CPU looks before it writes. */
static bool cpu_on_coherent(struct driver *driver, struct use *use, struct dice *dice)
{
	struct buffer *buffer = use->part[0].buffer;
	u32 start = (u32)dice_below(dice, use->bytes);
	u32 end = (u32)dice_from(dice, start + 1, use->bytes);

	if (memcmp(use->memory + start, buffer->shadow + start, end - start) != 0)
		return driver_wrong(driver, "the CPU sees other bytes in shared memory");
	for (u32 i = start; i < end; i++)
		use->memory[i] = buffer->shadow[i] = (u8)dice_word(dice);
	return driver_no_report(driver);
}

static bool cpu_on_turn(struct driver *driver, struct use *use, struct dice *dice)
{
	bool writes = use->dir != DMA_FROM_DEVICE && !use_shares(driver, use) &&
		      dice_chance(dice, 70);

	driver_note(driver, "the CPU has use %u and %s", use_index(driver, use),
		    writes ? "writes" : "reads");
	for (u32 at = use->cpu_start; at < use->cpu_end;) {
		struct part part = use_stretch(use, at, use->cpu_end - at);

		if (!cpu_finds(driver, part.buffer, part.at, part.bytes, dice_chance(dice, 50)))
			return false;
		if (writes && !cpu_fills(driver, part.buffer, part.at, part.bytes, dice))
			return false;
		at += part.bytes;
	}
	use->cpu_wrote = use->cpu_wrote || writes;
	return driver_no_report(driver);
}

/* Memory that no device has. */
static bool cpu_on_buffer(struct driver *driver, struct dice *dice)
{
	struct buffer *buffer = &driver->buffer[dice_below(dice, DRIVER_BUFFERS)];
	u32 start, end;

	if (buffer->kind == BUFFER_NONE || buffer->kind == BUFFER_ALLOC)
		return true;
	start = (u32)dice_below(dice, buffer->bytes);
	end = (u32)dice_from(dice, start + 1, buffer->bytes);
	if (!part_is_free(driver, buffer, start, end - start))
		return true;
	driver_note(driver, "the CPU has 0x%llx, %u bytes", buffer->phys + start, end - start);
	return cpu_finds(driver, buffer, start, end - start, dice_chance(dice, 50)) &&
	       cpu_fills(driver, buffer, start, end - start, dice) && driver_no_report(driver);
}

bool driver_cpu(struct driver *driver, struct dice *dice)
{
	struct use *use = use_pick(driver, dice, USE_NONE);

	if (use && use->kind == USE_ALLOC && use->call == CALL_ALLOC_COHERENT)
		return cpu_on_coherent(driver, use, dice);
	if (use && use->cpu_start != use->cpu_end && dice_chance(dice, 70))
		return cpu_on_turn(driver, use, dice);
	return cpu_on_buffer(driver, dice);
}
