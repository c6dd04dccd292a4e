/* SPDX-License-Identifier: MIT */
/*
 * The other steps of a random driver: buffers, mappings of every kind, their ends, and what happens
 * around them.
 */
#include "property/driver.h"

#include <string.h>

bool driver_buffer(struct driver *driver, struct dice *dice)
{
	return buffer_add_random(driver, dice) && driver_no_report(driver);
}

bool driver_drop(struct driver *driver, struct dice *dice)
{
	struct buffer *buffer = &driver->buffer[dice_below(dice, DRIVER_BUFFERS)];

	if (buffer->kind == BUFFER_NONE || buffer->users || buffer->kind == BUFFER_PEER)
		return true;
	driver_note(driver, "buffer 0x%llx goes", buffer->phys);
	if (!cpu_finds(driver, buffer, 0, buffer->bytes, dice_chance(dice, 50)))
		return false;
	buffer_drop(driver, buffer);
	return driver_no_report(driver);
}

/* ---- Mapping --------------------------------------------------------------------------------- */

static bool is_bounced(const struct mode_facts *facts)
{
	return facts->untrusted || facts->forced || facts->out_of_reach || facts->kmalloc;
}

/* Attributes that change nothing of what the driver sees, but that it has to sync. */
static unsigned long pick_attrs(struct driver *driver, struct dice *dice, bool skip)
{
	const struct mode_facts *facts = driver->facts;
	unsigned long attrs = 0;

	if (dice_chance(dice, 60))
		return 0;
	if (dice_chance(dice, 20))
		attrs |= DMA_ATTR_WEAK_ORDERING;
	if (dice_chance(dice, 20))
		attrs |= DMA_ATTR_NO_WARN;
	if (dice_chance(dice, 20) && !driver->unprivileged)
		attrs |= DMA_ATTR_PRIVILEGED;
	if (dice_chance(dice, 20))
		attrs |= DMA_ATTR_DEBUGGING_IGNORE_CACHELINES;
	if (dice_chance(dice, 20) && !is_bounced(facts) && !facts->no_snoop)
		attrs |= DMA_ATTR_REQUIRE_COHERENT;
	if (skip && dice_chance(dice, 50))
		attrs |= DMA_ATTR_SKIP_CPU_SYNC;
	return attrs;
}

static enum dma_data_direction pick_direction(struct dice *dice)
{
	return (enum dma_data_direction)dice_below(dice, DIRECTIONS);
}

/* Maps, and looks whether it should have worked. */
static bool begin_use(struct driver *driver, struct use *use)
{
	int error = use_map(driver, use);

	driver_note(
		driver,
		"use %u of device %u, kind %d, call %d, dir %d, attrs 0x%lx, %u bytes: %d, 0x%llx",
		use_index(driver, use), use->device, (int)use->kind, (int)use->call, (int)use->dir,
		use->attrs, use->bytes, error, use->segment[0].dma);
	for (u32 i = 0; i < use->part_count; i++)
		driver_note(driver, "    0x%llx, %u bytes",
			    use->part[i].buffer->phys + use->part[i].at, use->part[i].bytes);
	if (!driver_no_report(driver))
		return false;
	if (!error)
		return true;
	use_forget(driver, use);
	if (!driver->failing || !dmasim_failures(driver->s))
		return driver_wrong(driver, "it cannot be mapped: %d", error);
	return true;
}

static u32 pick_device(struct dice *dice)
{
	return (u32)dice_below(dice, DRIVER_DEVICES);
}

bool driver_one(struct driver *driver, struct dice *dice)
{
	static const enum call calls[] = { CALL_MAP_PHYS, CALL_MAP_PAGE, CALL_MAP_SINGLE };
	struct use *use = use_new(driver, USE_ONE, pick_device(dice));
	struct part_wish wish = { .any_in_page = true };
	struct part part;

	if (!use)
		return true;
	wish.device = use->device;
	wish.dir = use->dir = pick_direction(dice);
	wish.peer = driver_has_peers(driver) && dice_chance(dice, 15);
	if (!part_find(driver, dice, &wish, use, &part)) {
		use_forget(driver, use);
		return true;
	}
	use->call = calls[dice_below(dice, COUNT_OF(calls))];
	use->attrs = pick_attrs(driver, dice, !wish.peer);
	if (wish.peer) {
		use->call = dice_chance(dice, 50) ? CALL_MAP_PHYS : CALL_MAP_RESOURCE;
		use->attrs |= DMA_ATTR_MMIO;
	}
	/* A pointer into adopted memory is the program's own. */
	if (part.buffer->kind == BUFFER_ADOPTED && use->call == CALL_MAP_SINGLE)
		use->call = CALL_MAP_PHYS;
	use->not_synced = use->attrs & DMA_ATTR_SKIP_CPU_SYNC;
	use_add_part(use, part.buffer, part.at, part.bytes);
	return begin_use(driver, use);
}

/* Of a list, or of links; a checker may keep many of one list in another way than a few. */
static u32 part_count(struct dice *dice)
{
	return (u32)dice_from(dice, 1, dice_chance(dice, 70) ? DRIVER_PARTS_FEW : DRIVER_PARTS);
}

bool driver_list(struct driver *driver, struct dice *dice)
{
	struct use *use = use_new(driver, USE_LIST, pick_device(dice));
	bool peers = driver_has_peers(driver) && !is_bounced(driver->facts) &&
		     dice_chance(dice, 25);
	u32 count = part_count(dice);
	struct part_wish wish = { 0 };
	struct part part;

	if (!use)
		return true;
	wish.device = use->device;
	wish.dir = use->dir = pick_direction(dice);
	for (u32 i = 0; i < count; i++) {
		wish.any_in_page = dice_chance(dice, 50);
		wish.peer = peers && dice_chance(dice, 50);
		wish.by_bus = dice_chance(dice, 50);
		wish.whole_pages = dice_chance(dice, 40);
		if (part_find(driver, dice, &wish, use, &part))
			use_add_part(use, part.buffer, part.at, part.bytes);
	}
	if (!use->part_count) {
		use_forget(driver, use);
		return true;
	}
	use->call = dice_chance(dice, 50) ? CALL_MAP_SG : CALL_MAP_SGTABLE;
	use->attrs = pick_attrs(driver, dice, !peers);
	use->not_synced = use->attrs & DMA_ATTR_SKIP_CPU_SYNC;
	return begin_use(driver, use);
}

/* The first may begin anywhere, the last end anywhere, those between are whole pages. */
static void find_links(struct driver *driver, struct dice *dice, struct use *use, bool peer)
{
	u32 count = part_count(dice);
	struct part_wish wish = { .peer = peer, .device = use->device, .dir = use->dir };
	struct part part;
	phys_addr_t end;

	for (u32 i = 0; i < count; i++) {
		wish.any_in_page = !i && dice_chance(dice, 50);
		wish.whole_pages = !wish.any_in_page && dice_chance(dice, 80);
		if (!part_find(driver, dice, &wish, use, &part))
			continue;
		use_add_part(use, part.buffer, part.at, part.bytes);
		end = part.buffer->phys + part.at + part.bytes;
		if (end % DRIVER_PAGE)
			return;
	}
}

bool driver_links(struct driver *driver, struct dice *dice)
{
	bool peer = driver_has_peers(driver) && !is_bounced(driver->facts) && dice_chance(dice, 15);
	struct use *use;

	use = driver->facts->iommu ? use_new(driver, USE_LINKS, pick_device(dice)) : NULL;
	if (!use)
		return true;
	use->dir = pick_direction(dice);
	find_links(driver, dice, use, peer);
	if (!use->part_count) {
		use_forget(driver, use);
		return true;
	}
	use->attrs = pick_attrs(driver, dice, false);
	if (peer)
		use->attrs |= DMA_ATTR_MMIO;
	return begin_use(driver, use);
}

bool driver_alloc(struct driver *driver, struct dice *dice)
{
	static const enum call calls[] = { CALL_ALLOC_COHERENT, CALL_ALLOC_PAGES,
					   CALL_ALLOC_NONCONTIGUOUS };
	struct use *use = use_new(driver, USE_ALLOC, pick_device(dice));
	struct buffer *buffer;

	if (!use)
		return true;
	use->call = calls[dice_below(dice, COUNT_OF(calls))];
	use->dir = use->call == CALL_ALLOC_COHERENT ? DMA_BIDIRECTIONAL : pick_direction(dice);
	use->bytes = (u32)dice_from(dice, 1, DRIVER_PART_MAX);
	if (use->call == CALL_ALLOC_COHERENT && dice_chance(dice, 20))
		use->attrs = DMA_ATTR_WRITE_COMBINE | DMA_ATTR_FORCE_CONTIGUOUS;
	if (!begin_use(driver, use))
		return false;
	if (use->kind == USE_NONE)
		return true;
	buffer = buffer_new(driver, BUFFER_ALLOC, dmasim_virt_to_phys(driver->s, use->memory),
			    use->bytes);
	if (buffer) {
		u32 bytes = use->bytes;

		use->bytes = 0;
		use_add_part(use, buffer, 0, bytes);
		return true;
	}
	use_unmap(driver, use);
	use_forget(driver, use);
	return driver_no_report(driver);
}

bool driver_bus(struct driver *driver, struct dice *dice)
{
	struct use *use;
	struct part part;
	struct part_wish wish = { .peer = true, .by_bus = true, .any_in_page = true };

	use = driver_has_peers(driver) ? use_new(driver, USE_BUS, pick_device(dice)) : NULL;
	if (!use)
		return true;
	wish.device = use->device;
	wish.dir = use->dir = pick_direction(dice);
	if (!part_find(driver, dice, &wish, use, &part)) {
		use_forget(driver, use);
		return true;
	}
	use_add_part(use, part.buffer, part.at, part.bytes);
	return begin_use(driver, use);
}

/* ---- Later ----------------------------------------------------------------------------------- */

bool driver_end(struct driver *driver, struct dice *dice)
{
	struct use *use = use_pick(driver, dice, USE_NONE);

	return !use || use_end(driver, use);
}

/* Unlinks a part, or links it again. */
bool driver_relink(struct driver *driver, struct dice *dice)
{
	struct use *use = use_pick(driver, dice, USE_LINKS);
	struct device *dev;
	u32 i, offset;
	int error;

	if (!use || !use_to_device(driver, use))
		return !use;
	dev = driver_dev(driver, use->device);
	i = (u32)dice_below(dice, use->part_count);
	offset = part_offset(use, i);
	driver_note(driver, "part %u of use %u: link %d", i, use_index(driver, use),
		    !use->part[i].linked);
	if (use->part[i].linked) {
		dma_iova_unlink(dev, &use->state, offset, use->part[i].bytes, use->dir, use->attrs);
		driver->calls++;
		use->part[i].linked = false;
		return driver_no_report(driver);
	}
	error = use_link(driver, use, i);
	if (!error)
		error = dma_iova_sync(dev, &use->state, offset, use->part[i].bytes);
	driver->calls++;
	use->part[i].linked = true;
	if (error)
		return driver_wrong(driver, "it cannot be linked again: %d", error);
	return driver_no_report(driver);
}

/* ---- Around it ------------------------------------------------------------------------------- */

/* What a driver may ask at any time. */
bool driver_question(struct driver *driver, struct dice *dice)
{
	struct use *use = use_pick(driver, dice, USE_NONE);
	struct device *dev;
	bool need;

	if (!use)
		return true;
	dev = driver_dev(driver, use->device);
	need = dma_need_sync(dev, use->segment[0].dma);
	driver->calls += 4;
	driver_note(driver, "questions about use %u", use_index(driver, use));
	if (need && !dma_dev_need_sync(dev))
		return driver_wrong(driver, "a mapping needs syncs that its device does not need");
	if (dma_mapping_error(dev, use->segment[0].dma) || !dma_max_mapping_size(dev))
		return driver_wrong(driver, "a mapping is none");
	return driver_no_report(driver);
}

/* What firmware has mapped its device may use at any time, and nobody maps it. */
bool driver_direct(struct driver *driver, struct dice *dice)
{
	u64 bytes = dice_word(dice), seen = 0;
	u64 at = driver->direct + dice_below(dice, DRIVER_PAGE - sizeof(bytes));
	struct pci_dev *pdev = driver->dev[DRIVER_DEVICES - 1];

	if (!driver->direct)
		return true;
	driver_note(driver, "device %u uses its region at 0x%llx", DRIVER_DEVICES - 1, at);
	driver->accesses += 2;
	if (dmasim_dev_write(pdev, at, &bytes, sizeof(bytes)).status != DMASIM_DONE ||
	    dmasim_dev_read(pdev, at, &seen, sizeof(seen)).status != DMASIM_DONE || seen != bytes)
		return driver_wrong(driver, "a region of firmware's cannot be used");
	return driver_no_report(driver);
}

bool driver_time(struct driver *driver, struct dice *dice)
{
	dmasim_run(driver->s, dice_from(dice, 1, 12000000));
	return driver_no_report(driver);
}

bool driver_turn_cpu(struct driver *driver, struct dice *dice)
{
	dmasim_set_cpu(driver->s, (u32)dice_below(dice, 4));
	return true;
}

/* The software runs out of something while it maps. */
bool driver_fail(struct driver *driver, struct dice *dice)
{
	static const enum dmasim_fault_point points[] = {
		DMASIM_FAULT_TABLE_PAGE,  DMASIM_FAULT_IOVA_NODE, DMASIM_FAULT_IOVA_MAGAZINE,
		DMASIM_FAULT_IOVA_RECORD, DMASIM_FAULT_COHERENT,  DMASIM_FAULT_FLUSH_QUEUE,
	};
	static bool (*const maps[])(struct driver * driver,
				    struct dice * dice) = { driver_one, driver_list, driver_links,
							    driver_alloc };
	bool fine;

	dmasim_fail(driver->s, points[dice_below(dice, COUNT_OF(points))], dice_from(dice, 1, 3));
	driver->failing = true;
	fine = maps[dice_below(dice, COUNT_OF(maps))](driver, dice);
	driver->failing = false;
	dmasim_fail(driver->s, DMASIM_FAULT_ANY, 0);
	return fine;
}
