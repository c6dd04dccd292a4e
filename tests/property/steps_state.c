/* SPDX-License-Identifier: MIT */
/*
 * Steps of the two-step API: links at random places of a range, in any order, synced and unlinked
 * in parts, linked again, with a state that moves from copy to copy.
 */
#include "property/run.h"

#include <string.h>

static struct dma_iova_state *state_of(struct mapping *mapping)
{
	return &mapping->state[mapping->state_in_use];
}

bool step_state(struct run *run, struct dice *dice)
{
	u32 device = pick_device(run, dice);
	struct mapping *mapping = new_mapping(run, MAPPING_STATE, device);
	phys_addr_t like = dice_chance(dice, 50) ? 0 : dice_below(dice, SZ_1G);
	u64 bytes = dice_from(dice, 1, 8 * GRANULE), start;
	struct dma_iova_state *state;

	if (!mapping)
		return true;
	if (dice_chance(dice, 50))
		bytes = GRANULE_UP(bytes);
	if (run->big && dice_chance(dice, 40))
		bytes = SZ_2M * dice_from(dice, 1, 2);
	state = state_of(mapping);
	memset(state, 0xee, sizeof(*state));
	mapping->bytes = bytes;
	mapping->dir = pick_direction(dice);
	mapping->attrs = dice_chance(dice, 25) ? DMA_ATTR_MMIO : 0;
	if (!dma_iova_try_alloc(&run->dev[device]->dev, state, like, bytes)) {
		bool zeroed = !state->addr && !state->__size;

		mapping_forget(run, mapping);
		if (run->model.iommu || !zeroed)
			return wrong(run, "dma_iova_try_alloc failed");
		return expect_no_report(run);
	}
	note(run, "state of dev %u for %llu bytes: mapping %u, 0x%llx", device, bytes,
	     mapping_index(run, mapping), state->addr);
	if (!run->model.iommu)
		return wrong(run, "dma_iova_try_alloc without an IOMMU");
	if (IN_GRANULE(state->addr) != IN_GRANULE(like) || dma_iova_size(state) != bytes ||
	    !dma_use_iova(state))
		return wrong(run, "the state is 0x%llx+%llu", state->addr, state->__size);
	start = GRANULE_DOWN(state->addr);
	return block_is_good(run, mapping, start, GRANULE_UP(state->addr + bytes) - start) &&
	       expect_no_report(run);
}

/* ---- Links ----------------------------------------------------------------------------------- */

static bool is_linked(struct run *run, const struct mapping *mapping, dma_addr_t granule)
{
	for (u32 i = 0; i < run->model.extent_end; i++) {
		const struct extent *extent = &run->model.extent[i];

		if (extent->mapping == mapping_index(run, mapping) &&
		    granule >= GRANULE_DOWN(extent->dma) && granule < extent->dma + extent->bytes)
			return true;
	}
	return false;
}

/* Granules of the range from a random one on that are all linked, or all not: a part of them. */
static struct range pick_granules(struct run *run, struct dice *dice, struct mapping *mapping,
				  bool linked)
{
	const struct range *block = &mapping->block;
	u64 count = (block->end - block->start) / GRANULE;
	dma_addr_t start = block->start + GRANULE * dice_below(dice, count), end;
	u64 most = dice_chance(dice, 50) ? dice_from(dice, 1, 3) : count;

	if (is_linked(run, mapping, start) != linked)
		return (struct range){ 0, 0 };
	/* Large pages may not be cut. */
	if (mapping->bytes >= SZ_2M) {
		most = count;
		while (start > block->start && is_linked(run, mapping, start - 1) == linked)
			start -= GRANULE;
	}
	end = start + GRANULE;
	while (end < block->end && --most && is_linked(run, mapping, end) == linked)
		end += GRANULE;
	return (struct range){ start, end };
}

/* The bytes of these granules that the state asked for. */
static struct range bytes_in(struct mapping *mapping, struct range granules)
{
	dma_addr_t first = state_of(mapping)->addr, end = first + mapping->bytes;

	if (granules.start < first)
		granules.start = first;
	if (granules.end > end)
		granules.end = end;
	return granules;
}

/* Memory for a link: at the same place in its granule as the DMA address. */
static struct object *pick_memory(struct run *run, struct dice *dice, struct mapping *mapping,
				  struct range bytes, phys_addr_t *phys)
{
	struct object *object = pick_object(run, dice);
	phys_addr_t first = GRANULE_DOWN(object->phys) + IN_GRANULE(bytes.start);
	u64 size = bytes.end - bytes.start, places;
	bool peer = object->kind == OBJECT_BAR;

	if (peer != (mapping->attrs == DMA_ATTR_MMIO))
		return NULL;
	if (peer &&
	    (object->owner == mapping->device ||
	     machine_type(run, mapping->device, object->owner) != PCI_P2PDMA_MAP_THRU_HOST_BRIDGE))
		return NULL;
	if (first < object->phys)
		first += GRANULE;
	if (first + size > object->phys + object->bytes)
		return NULL;
	places = (object->phys + object->bytes - size - first) / GRANULE + 1;
	*phys = first + GRANULE * dice_below(dice, places);
	/* So that large pages fit. */
	if (dice_chance(dice, 50) && bytes.start - mapping->block.start + size <= object->bytes &&
	    object->kind == OBJECT_RAM)
		*phys = object->phys + (bytes.start - mapping->block.start);
	return object;
}

bool step_link(struct run *run, struct dice *dice)
{
	struct mapping *mapping = pick_mapping(run, dice, MAPPING_STATE);
	struct object *object = NULL;
	struct range bytes;
	phys_addr_t phys = 0;
	int err;

	if (!mapping)
		return true;
	bytes = pick_granules(run, dice, mapping, false);
	if (!bytes.end)
		return true;
	bytes = bytes_in(mapping, bytes);
	for (u32 i = 0; i < 8 && !object; i++)
		object = pick_memory(run, dice, mapping, bytes, &phys);
	if (!object)
		return true;
	err = dma_iova_link(&run->dev[mapping->device]->dev, state_of(mapping), phys,
			    (size_t)(bytes.start - state_of(mapping)->addr),
			    (size_t)(bytes.end - bytes.start), mapping->dir, mapping->attrs);
	note(run, "link in mapping %u: 0x%llx to 0x%llx, phys 0x%llx, dir %d: %d",
	     mapping_index(run, mapping), bytes.start, bytes.end, phys, (int)mapping->dir, err);
	if (err)
		return wrong(run, "dma_iova_link gave %d", err);
	mapping_uses(mapping, object);
	if (!model_extent_add(&run->model,
			      &(struct extent){ .device = mapping->device,
						.domain = run->model.device[mapping->device].domain,
						.mapping = mapping_index(run, mapping),
						.dma = bytes.start,
						.phys = phys,
						.bytes = bytes.end - bytes.start,
						.dir = mapping->dir }))
		return wrong(run, "too many extents");
	return expect_no_report(run);
}

/* ---- Sync ------------------------------------------------------------------------------------ */

/* Whole granules of the range, or what the state has of them. */
static void pick_part(struct dice *dice, struct mapping *mapping, u64 *offset, u64 *bytes)
{
	u64 first = state_of(mapping)->addr, end = first + mapping->bytes;
	u64 count = (mapping->block.end - mapping->block.start) / GRANULE;
	u64 from = dice_below(dice, count), to = dice_from(dice, from + 1, count);
	struct range part = { mapping->block.start + from * GRANULE,
			      mapping->block.start + to * GRANULE };

	part = bytes_in(mapping, part);
	*offset = part.start - first;
	*bytes = (part.end < end ? part.end : end) - part.start;
}

bool step_sync(struct run *run, struct dice *dice)
{
	struct mapping *mapping = pick_mapping(run, dice, MAPPING_STATE);
	u64 offset = 0, bytes;
	bool any;
	int err;

	if (!mapping)
		return true;
	bytes = mapping->bytes;
	if (dice_chance(dice, 60))
		pick_part(dice, mapping, &offset, &bytes);
	err = dma_iova_sync(&run->dev[mapping->device]->dev, state_of(mapping), (size_t)offset,
			    (size_t)bytes);
	note(run, "sync in mapping %u: offset %llu, %llu bytes: %d", mapping_index(run, mapping),
	     offset, bytes, err);
	if (err)
		return wrong(run, "dma_iova_sync gave %d", err);
	if (!model_sync_bytes(&run->model, mapping_index(run, mapping),
			      state_of(mapping)->addr + offset,
			      state_of(mapping)->addr + offset + bytes, &any))
		return wrong(run, "too many extents");
	return any ? expect_no_report(run) : expect_report(run, DMASIM_REPORT_SYNC_NOT_MAPPED);
}

/* ---- Unlink ---------------------------------------------------------------------------------- */

/* `ragged` bytes of the last granule are not named: it goes all the same. */
static bool unlink_bytes(struct run *run, struct mapping *mapping, struct range bytes, u64 ragged)
{
	note(run, "unlink in mapping %u: 0x%llx to 0x%llx", mapping_index(run, mapping),
	     bytes.start, bytes.end - ragged);
	dma_iova_unlink(&run->dev[mapping->device]->dev, state_of(mapping),
			(size_t)(bytes.start - state_of(mapping)->addr),
			(size_t)(bytes.end - bytes.start - ragged), mapping->dir, mapping->attrs);
	if (!model_end_bytes(&run->model, mapping_index(run, mapping), bytes.start, bytes.end))
		return wrong(run, "too many extents");
	return expect_no_report(run);
}

/* With all that is linked beside it: a leaf of AMD's, or RISC-V's, may hold several pages. */
static struct range whole_leaves(struct run *run, struct mapping *mapping, struct range part)
{
	while (part.start > mapping->block.start && is_linked(run, mapping, part.start - GRANULE))
		part.start -= GRANULE;
	while (part.end < mapping->block.end && is_linked(run, mapping, part.end))
		part.end += GRANULE;
	return part;
}

bool step_unlink(struct run *run, struct dice *dice)
{
	struct mapping *mapping = pick_mapping(run, dice, MAPPING_STATE);
	struct range bytes;
	u64 ragged = 0;

	if (!mapping)
		return true;
	bytes = pick_granules(run, dice, mapping, true);
	if (!bytes.end)
		return true;
	if (run->model.amd_vi || run->model.riscv)
		bytes = whole_leaves(run, mapping, bytes);
	bytes = bytes_in(mapping, bytes);
	if (dice_chance(dice, 10)) {
		u64 in_last = bytes.end - 1 - GRANULE_DOWN(bytes.end - 1);

		if (bytes.end - 1 - bytes.start < in_last)
			in_last = bytes.end - 1 - bytes.start;
		ragged = dice_from(dice, 0, in_last);
	}
	return unlink_bytes(run, mapping, bytes, ragged);
}

bool step_copy_state(struct run *run, struct dice *dice)
{
	struct mapping *mapping = pick_mapping(run, dice, MAPPING_STATE);
	struct dma_iova_state *from;

	if (!mapping)
		return true;
	from = state_of(mapping);
	mapping->state_in_use ^= 1;
	*state_of(mapping) = *from;
	memset(from, 0xee, sizeof(*from));
	note(run, "the state of mapping %u moves", mapping_index(run, mapping));
	return true;
}

/* ---- The end --------------------------------------------------------------------------------- */

/* The bytes from the start of the range that are linked without a hole. */
static u64 linked_prefix(struct run *run, struct mapping *mapping)
{
	dma_addr_t at = mapping->block.start;

	while (at < mapping->block.end && is_linked(run, mapping, at))
		at += GRANULE;
	return at == mapping->block.start
		       ? 0
		       : bytes_in(mapping, (struct range){ 0, at }).end - state_of(mapping)->addr;
}

static bool unlink_from(struct run *run, struct mapping *mapping, dma_addr_t at)
{
	for (; at < mapping->block.end; at += GRANULE) {
		struct range run_of = { at, at };

		while (run_of.end < mapping->block.end && is_linked(run, mapping, run_of.end))
			run_of.end += GRANULE;
		if (run_of.end == at)
			continue;
		if (!unlink_bytes(run, mapping, bytes_in(mapping, run_of), 0))
			return false;
		at = run_of.end - GRANULE;
	}
	return true;
}

bool end_state(struct run *run, struct mapping *mapping, struct dice *dice)
{
	struct device *dev = &run->dev[mapping->device]->dev;
	u64 prefix = dice_chance(dice, 70) ? linked_prefix(run, mapping) : 0;
	dma_addr_t rest = prefix ? GRANULE_UP(state_of(mapping)->addr + prefix)
				 : mapping->block.start;

	if (!unlink_from(run, mapping, rest))
		return false;
	note(run, "destroy mapping %u: %llu bytes", mapping_index(run, mapping), prefix);
	if (prefix || dice_chance(dice, 50))
		dma_iova_destroy(dev, state_of(mapping), (size_t)prefix, mapping->dir,
				 mapping->attrs);
	else
		dma_iova_free(dev, state_of(mapping));
	return true;
}
