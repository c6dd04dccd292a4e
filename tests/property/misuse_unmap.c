/* SPDX-License-Identifier: MIT */
/*
 * Misuses of calls that end mappings. What is unmapped is a copy of the use in which one thing is
 * wrong.
 */
#include "property/misuse.h"

/* In the size: other bytes of a mapping, other pages of memory, other granules of a range. */
static u32 wrong_bytes(const struct use *use, struct dice *dice)
{
	u32 step = use->kind == USE_ONE && dice_chance(dice, 50) ? 1 : DRIVER_PAGE;
	u32 by = step * (u32)dice_from(dice, 1, 3);

	return use->bytes > by && dice_chance(dice, 50) ? use->bytes - by : use->bytes + by;
}

bool misuse_unmap_size(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;

	if (!misuse_all_linked(use))
		return false;
	misuse_prepare(driver, use);
	bad.bytes = wrong_bytes(use, dice);
	driver_note(driver, "use %u ends with %u bytes", use_index(driver, use), bad.bytes);
	use_unmap(driver, &bad);
	misuse_gone(driver, use);
	return true;
}

bool misuse_unmap_direction(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;

	if ((use->kind == USE_ALLOC && use->call == CALL_ALLOC_COHERENT) || !misuse_any_linked(use))
		return false;
	misuse_prepare(driver, use);
	bad.dir = (use->dir + dice_from(dice, 1, 2)) % DIRECTIONS;
	driver_note(driver, "use %u ends with dir %d", use_index(driver, use), (int)bad.dir);
	use_unmap(driver, &bad);
	misuse_gone(driver, use);
	return true;
}

/* Those that must be the same at map and unmap. */
bool misuse_unmap_attrs(struct driver *driver, struct dice *dice, struct use *use)
{
	static const unsigned long pair[] = { DMA_ATTR_MMIO, DMA_ATTR_REQUIRE_COHERENT,
					      DMA_ATTR_PRIVILEGED, DMA_ATTR_NO_KERNEL_MAPPING,
					      DMA_ATTR_FORCE_CONTIGUOUS };
	struct use bad = *use;

	/* These calls have none. */
	if ((use->kind == USE_ALLOC && use->call != CALL_ALLOC_COHERENT) || !misuse_any_linked(use))
		return false;
	bad.attrs ^= pair[dice_below(dice, COUNT_OF(pair))];
	if ((bad.attrs ^ use->attrs) == DMA_ATTR_MMIO && use->kind == USE_ONE)
		bad.call = CALL_MAP_PHYS;
	misuse_prepare(driver, use);
	driver_note(driver, "use %u ends with attrs 0x%lx", use_index(driver, use), bad.attrs);
	use_unmap(driver, &bad);
	misuse_gone(driver, use);
	return true;
}

bool misuse_unmap_device(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;

	bad.device = misuse_other_device(dice, use->device);
	misuse_prepare(driver, use);
	driver_note(driver, "use %u ends for device %u", use_index(driver, use), bad.device);
	use_unmap(driver, &bad);
	misuse_gone(driver, use);
	return true;
}

bool misuse_unmap_address(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;
	u64 by = dice_chance(dice, 50) ? DRIVER_PAGE * dice_from(dice, 1, 3)
				       : dice_from(dice, 1, DRIVER_PAGE - 1);

	if (use->kind == USE_ALLOC && use->call == CALL_ALLOC_NONCONTIGUOUS)
		return false;
	if (dice_chance(dice, 50))
		by = -by;
	bad.segment[0].dma += by;
	bad.state.addr += by;
	misuse_prepare(driver, use);
	driver_note(driver, "use %u ends at 0x%llx", use_index(driver, use), bad.segment[0].dma);
	use_unmap(driver, &bad);
	misuse_gone(driver, use);
	return true;
}

/* The count that the map returned, or another one. */
bool misuse_unmap_count(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;

	(void)dice;
	if (use->part_count == 1)
		return false;
	bad.call = CALL_MAP_SG;
	bad.part_count = use->table.nents < use->part_count ? use->table.nents
							    : use->part_count - 1;
	misuse_prepare(driver, use);
	driver_note(driver, "use %u ends with %u entries", use_index(driver, use), bad.part_count);
	use_unmap(driver, &bad);
	misuse_gone(driver, use);
	return true;
}

/* As a list of one entry, or as one mapping. */
bool misuse_unmap_function(struct driver *driver, struct dice *dice, struct use *use)
{
	struct device *dev = driver_dev(driver, use->device);
	const struct part *part = &use->part[0];
	phys_addr_t phys = part->buffer->phys + part->at;
	struct scatterlist list[1];

	(void)dice;
	misuse_prepare(driver, use);
	driver_note(driver, "use %u ends by another call", use_index(driver, use));
	driver->calls++;
	if (use->kind != USE_ONE) {
		dma_unmap_phys(dev, use->segment[0].dma, use->segment[0].bytes, use->dir,
			       use->attrs);
	} else {
		sg_init_table(list, 1);
		sg_set_page(list, dmasim_page(driver->s, phys), use->bytes,
			    (unsigned int)(phys % DRIVER_PAGE));
		list[0].dma_address = use->segment[0].dma;
		list[0].dma_length = use->bytes;
		dma_unmap_sg_attrs(dev, list, 1, use->dir, use->attrs);
	}
	misuse_gone(driver, use);
	return true;
}

bool misuse_unmap_twice(struct driver *driver, struct dice *dice, struct use *use)
{
	(void)dice;
	/* The table is gone after the first. */
	if (use->kind == USE_ALLOC && use->call == CALL_ALLOC_NONCONTIGUOUS)
		return false;
	misuse_prepare(driver, use);
	driver_note(driver, "use %u ends twice", use_index(driver, use));
	use_unmap(driver, use);
	/* Without an IOMMU another mapping of the same memory may be like this one. */
	if (dmasim_report_count(driver->s) == driver->reports)
		use_unmap(driver, use);
	misuse_gone(driver, use);
	return true;
}

bool misuse_unmap_forgotten(struct driver *driver, struct dice *dice, struct use *use)
{
	(void)dice;
	misuse_prepare(driver, use);
	driver_note(driver, "use %u never ends", use_index(driver, use));
	misuse_gone(driver, use);
	return true;
}

/* What a failed mapping returns. */
bool misuse_unmap_error(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;

	(void)dice;
	bad.segment[0].dma = DMA_MAPPING_ERROR;
	driver_note(driver, "the error value is unmapped");
	use_unmap(driver, &bad);
	return true;
}

bool misuse_unmap_bus(struct driver *driver, struct dice *dice, struct use *use)
{
	unsigned long attrs = dice_chance(dice, 50) ? DMA_ATTR_MMIO : 0;

	driver_note(driver, "the bus address of use %u is unmapped", use_index(driver, use));
	driver->calls++;
	dma_unmap_phys(driver_dev(driver, use->device), use->segment[0].dma, use->bytes, use->dir,
		       attrs);
	misuse_gone(driver, use);
	return true;
}

/* A driver that copies addresses and lengths out of a list, and back, but not the flags. */
bool misuse_unmap_flag_lost(struct driver *driver, struct dice *dice, struct use *use)
{
	bool found = false;

	(void)dice;
	for (u32 i = 0; i < use->part_count; i++)
		found = found || sg_dma_is_bus_address(&use->list[i]);
	if (!found)
		return false;
	misuse_prepare(driver, use);
	for (u32 i = 0; i < use->part_count; i++)
		sg_dma_unmark_bus_address(&use->list[i]);
	driver_note(driver, "use %u ends without its flags", use_index(driver, use));
	use_unmap(driver, use);
	misuse_gone(driver, use);
	return true;
}

/* Shared memory is freed with the pointer to other shared memory. */
bool misuse_free_pointer(struct driver *driver, struct dice *dice, struct use *use)
{
	struct use bad = *use;

	(void)dice;
	if (use->call != CALL_ALLOC_COHERENT)
		return false;
	for (u32 i = 0; i < DRIVER_USES; i++) {
		struct use *other = &driver->use[i];

		if (other == use || other->kind != USE_ALLOC || other->call != use->call)
			continue;
		bad.memory = other->memory;
		driver_note(driver, "use %u ends with the memory of use %u", use_index(driver, use),
			    i);
		use_unmap(driver, &bad);
		misuse_gone(driver, use);
		return true;
	}
	return false;
}
