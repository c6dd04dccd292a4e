/* SPDX-License-Identifier: MIT */
/*
 * Steps of the CPU and of the program: memory that comes and goes, masks, and calls that must be
 * refused.
 */
#include "property/run.h"

#include <stdlib.h>
#include <string.h>

#include "support/rig.h"

/* ---- Memory ---------------------------------------------------------------------------------- */

/* Bytes that the CPU may not write. What is linked in two steps is not watched. */
static bool are_devices(const struct run *run, phys_addr_t phys, u64 bytes)
{
	for (u32 i = 0; i < run->model.extent_end; i++) {
		const struct extent *extent = &run->model.extent[i];

		if (extent->mapping != MODEL_NOBODY && extent->phys < phys + bytes &&
		    phys < extent->phys + extent->bytes &&
		    run->mapping[extent->mapping].kind != MAPPING_STATE)
			return true;
	}
	return false;
}

bool step_cpu(struct run *run, struct dice *dice)
{
	struct object *object = pick_object(run, dice);
	u8 bytes[2 * GRANULE];
	u64 count = pick_bytes(dice, object->bytes), offset;

	if (count > sizeof(bytes))
		count = sizeof(bytes);
	offset = dice_from(dice, 0, object->bytes - count);
	if (dice_chance(dice, 50) || are_devices(run, object->phys + offset, count)) {
		if (dmasim_read(run->s, object->phys + offset, bytes, count) != count ||
		    memcmp(bytes, object->shadow + offset, count))
			return wrong(run, "the CPU reads wrong bytes at 0x%llx",
				     object->phys + offset);
		return true;
	}
	fill_pattern(bytes, count, dice_word(dice));
	if (dmasim_write(run->s, object->phys + offset, bytes, count) != count)
		return wrong(run, "the CPU cannot write at 0x%llx", object->phys + offset);
	memcpy(object->shadow + offset, bytes, count);
	note(run, "the CPU writes %llu bytes at 0x%llx", count, object->phys + offset);
	return memory_near_is_right(run, object, offset, offset + count);
}

static bool overlaps_object(struct run *run, phys_addr_t phys, u64 bytes)
{
	for (u32 i = 0; i < MODEL_OBJECTS; i++) {
		const struct object *object = &run->model.object[i];

		if (object->kind != OBJECT_NONE && phys < object->phys + object->bytes &&
		    object->phys < phys + bytes)
			return true;
	}
	return false;
}

static bool new_ram(struct run *run, struct dice *dice)
{
	u64 bytes = GRANULE * dice_from(dice, 1, 6);
	phys_addr_t phys = dmasim_alloc(run->s, bytes);
	struct object *object;

	if (phys == DMASIM_NO_PHYS || IN_GRANULE(phys) || overlaps_object(run, phys, bytes))
		return wrong(run, "dmasim_alloc gave 0x%llx", phys);
	object = model_object_add(&run->model, OBJECT_RAM, phys, bytes);
	note(run, "new RAM at 0x%llx, %llu bytes", phys, bytes);
	/* All zeros, as the model's copy is. */
	return object ? memory_is_right(run, object) : wrong(run, "too many objects");
}

static bool new_adopted(struct run *run, struct dice *dice)
{
	u64 offset = dice_below(dice, GRANULE), bytes = dice_from(dice, 1, 3 * GRANULE);
	u8 *memory = aligned_alloc(GRANULE, GRANULE_UP(offset + bytes));
	struct object *object;
	phys_addr_t phys;

	if (!memory)
		return wrong(run, "no memory");
	memset(memory, 0, GRANULE_UP(offset + bytes));
	phys = dmasim_adopt(run->s, memory + offset, bytes);
	note(run, "adopted at 0x%llx, %llu bytes", phys, bytes);
	object = phys == DMASIM_NO_PHYS || IN_GRANULE(phys) != offset ||
				 overlaps_object(run, phys, bytes)
			 ? NULL
			 : model_object_add(&run->model, OBJECT_ADOPTED, phys, bytes);
	if (!object) {
		free(memory);
		return wrong(run, "dmasim_adopt gave 0x%llx", phys);
	}
	object->adopted = memory;
	return dmasim_virt_to_phys(run->s, memory + offset) == phys
		       ? true
		       : wrong(run, "dmasim_virt_to_phys of adopted memory");
}

bool step_new_object(struct run *run, struct dice *dice)
{
	u32 used = 0;

	for (u32 i = 0; i < MODEL_OBJECTS; i++)
		used += run->model.object[i].kind != OBJECT_NONE;
	if (used >= 14)
		return true;
	return dice_chance(dice, 60) ? new_ram(run, dice) : new_adopted(run, dice);
}

bool step_drop_object(struct run *run, struct dice *dice)
{
	struct object *object = pick_object(run, dice);

	if (object->users || object->kind == OBJECT_BAR || object->bytes > 6 * GRANULE)
		return true;
	note(run, "the memory at 0x%llx goes", object->phys);
	if (!memory_is_right(run, object))
		return false;
	if (object->kind == OBJECT_RAM)
		dmasim_free(run->s, object->phys, object->bytes);
	else
		dmasim_unadopt(run->s, object->phys);
	model_object_remove(object);
	return expect_no_report(run);
}

/* A mask that ends with a window of the device's host bridge: no IOVA may be taken from there. */
static u64 mask_of_window(struct run *run, struct dice *dice, u32 device)
{
	const struct dmasim_window *window =
		&run->model.window[dice_below(dice, run->model.window_count)];

	if (!run->model.iommu || window->bus != run->model.device[device].root_bus)
		return ~0ULL;
	return window->start + window->bus_offset + window->bytes - 1;
}

bool step_mask(struct run *run, struct dice *dice)
{
	static const u8 bits[] = { 32, 36, 39, 48, 64, 64 };
	u32 device = pick_device(run, dice);
	u8 width = bits[dice_below(dice, sizeof(bits))];
	u64 mask = DMA_BIT_MASK(width);

	if (dice_chance(dice, 20))
		mask = mask_of_window(run, dice, device);
	if (dma_set_mask(&run->dev[device]->dev, mask) ||
	    dma_get_mask(&run->dev[device]->dev) != mask)
		return wrong(run, "dma_set_mask 0x%llx", mask);
	run->mask[device] = mask;
	note(run, "mask of dev %u: 0x%llx", device, mask);
	return expect_no_report(run);
}

/* ---- What must be refused -------------------------------------------------------------------- */

/* An unmap of what is not mapped, most often of what was unmapped before. */
bool step_bad_unmap(struct run *run, struct dice *dice)
{
	u32 device = pick_device(run, dice);
	struct history *history = &run->model.device[device].history;
	u64 bytes = pick_bytes(dice, 3 * GRANULE);
	struct dmasim_report report;
	dma_addr_t dma = GRANULE * dice_from(dice, 1, 1 << 20);

	if (history->count && dice_chance(dice, 80))
		dma = history->range[dice_below(dice, history->count)].start;
	if (model_owns(&run->model, device, dma) ||
	    (run->model.iommu &&
	     model_translates(&run->model, run->model.device[device].domain, dma)))
		return true;
	note(run, "unmap of what is not mapped: dev %u 0x%llx, %llu bytes", device, dma, bytes);
	dma_unmap_phys(&run->dev[device]->dev, dma, bytes, pick_direction(dice), 0);
	/* What was mapped there last is told instead, while it is remembered. */
	if (model_is_bus_address(&run->model, dma) &&
	    dmasim_report_get(run->s, run->report_count, &report) &&
	    report.id == DMASIM_REPORT_BUS_ADDRESS_UNMAPPED)
		return expect_report(run, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED);
	return expect_report(run, DMASIM_REPORT_UNMAP_NOT_MAPPED);
}

static bool expect_refusal(struct run *run, const char *what, int err, int expected)
{
	note(run, "%s: %d", what, err);
	return err == expected ? true : wrong(run, "%s gave %d, not %d", what, err, expected);
}

static bool link_twice(struct run *run, struct dice *dice, struct mapping *mapping,
		       const struct extent *extent)
{
	struct device *dev = &run->dev[mapping->device]->dev;
	struct dma_iova_state *state = &mapping->state[mapping->state_in_use];
	dma_addr_t start = GRANULE_DOWN(extent->dma);
	phys_addr_t phys = run->model.object[0].phys;

	/* It may begin in front of what is linked: that part must be taken back. */
	while (start > mapping->block.start && dice_chance(dice, 60))
		start -= GRANULE;
	if (start < state->addr)
		start = state->addr;
	return expect_refusal(run, "a link over another",
			      dma_iova_link(dev, state, GRANULE_DOWN(phys) + IN_GRANULE(start),
					    (size_t)(start - state->addr),
					    (size_t)(extent->dma + extent->bytes - start),
					    mapping->dir, mapping->attrs),
			      -EADDRINUSE) &&
	       expect_report(run, DMASIM_REPORT_LINK_OVERLAP);
}

static bool bad_link_at(struct run *run, struct dice *dice, struct mapping *mapping, u64 offset)
{
	struct dma_iova_state *state = &mapping->state[mapping->state_in_use];
	struct device *dev = &run->dev[mapping->device]->dev;
	phys_addr_t phys = run->model.object[0].phys;

	/* Not aligned comes before beyond the table (facts "dma-api" 6.6). */
	switch (dice_below(dice, 3)) {
	case 0:
		return expect_refusal(run, "a link in the middle of a granule",
				      dma_iova_link(dev, state, phys + 1, (size_t)offset, 1,
						    mapping->dir, mapping->attrs),
				      -EIO) &&
		       expect_report(run, DMASIM_REPORT_BAD_ARGUMENT);
	case 1:
		return expect_refusal(run, "a link at an offset that is not aligned",
				      dma_iova_link(dev, state, phys, (size_t)offset + 1, 1,
						    mapping->dir, mapping->attrs),
				      -ENXIO) &&
		       expect_report(run, DMASIM_REPORT_LINK_MISALIGNED);
	default:
		return expect_refusal(run, "a link of nothing",
				      dma_iova_link(dev, state, phys, (size_t)offset, 0,
						    mapping->dir, mapping->attrs),
				      -EINVAL) &&
		       expect_no_report(run);
	}
}

bool step_bad_link(struct run *run, struct dice *dice)
{
	struct mapping *mapping = pick_mapping(run, dice, MAPPING_STATE);
	struct extent *extent;
	dma_addr_t addr;
	u64 offset;

	if (!mapping)
		return true;
	extent = pick_extent(run, dice, mapping_index(run, mapping));
	if (extent && dice_chance(dice, 30))
		return link_twice(run, dice, mapping, extent);
	addr = mapping->state[mapping->state_in_use].addr;
	offset = GRANULE_UP(addr + 1) - addr;
	return offset + 1 < mapping->bytes ? bad_link_at(run, dice, mapping, offset) : true;
}

static bool bad_try_alloc(struct run *run, struct device *dev, size_t size)
{
	struct dma_iova_state state = { 1, 1 };

	note(run, "dma_iova_try_alloc of %zu bytes", size);
	if (dma_iova_try_alloc(dev, &state, 0, size) || state.addr || state.__size)
		return wrong(run, "dma_iova_try_alloc of %zu bytes", size);
	return run->model.iommu ? expect_report(run, DMASIM_REPORT_BAD_ARGUMENT)
				: expect_no_report(run);
}

bool step_bad_argument(struct run *run, struct dice *dice)
{
	struct device *dev = &run->dev[pick_device(run, dice)]->dev;
	phys_addr_t phys = run->model.object[0].phys;

	switch (dice_below(dice, 4)) {
	case 0:
		return bad_try_alloc(run, dev, 0);
	case 1:
		return sizeof(size_t) < 8 || bad_try_alloc(run, dev, (size_t)(1ULL << 63));
	case 2:
		if (dma_map_phys(dev, phys, 1, DMA_NONE, 0) != DMA_MAPPING_ERROR)
			return wrong(run, "a map without a direction");
		return expect_report(run, DMASIM_REPORT_BAD_DIRECTION);
	default:
		if (dma_map_page_attrs(dev, dmasim_page(run->s, phys), 0, 1, DMA_TO_DEVICE,
				       DMA_ATTR_MMIO) != DMA_MAPPING_ERROR)
			return wrong(run, "a page mapped as MMIO");
		return expect_no_report(run);
	}
}

/* ---- Peer-to-peer ---------------------------------------------------------------------------- */

/* Facts 8.5: devices up to and including the one on the root bus, or up to where the ways meet. */
static int distance_of(const struct run *run, u32 device, u32 provider)
{
	const int up[RUN_DEVICES] = { 4, 4, 4, 4, 2, 2 };

	if (machine_type(run, device, provider) == PCI_P2PDMA_MAP_NOT_SUPPORTED)
		return -1;
	if (device == provider)
		return 0;
	return up[device] == 4 && up[provider] == 4 ? 4 : up[device] + up[provider];
}

bool step_p2p_type(struct run *run, struct dice *dice)
{
	u32 device = pick_device(run, dice), provider = pick_device(run, dice);
	enum pci_p2pdma_map_type type, expected = machine_type(run, device, provider);
	int distance;

	if (!run->provider[provider])
		return true;
	type = pci_p2pdma_map_type(run->provider[provider], &run->dev[device]->dev);
	distance = pci_p2pdma_distance(run->dev[provider], &run->dev[device]->dev, false);
	if (type != expected || distance != distance_of(run, device, provider))
		return wrong(run, "from device %u to %u: type %d, distance %d; expected %d, %d",
			     device, provider, (int)type, distance, (int)expected,
			     distance_of(run, device, provider));
	return expect_no_report(run);
}
