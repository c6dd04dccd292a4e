/* SPDX-License-Identifier: MIT */
/*
 * Steps that map with one call, and the end of any mapping.
 */
#include "property/run.h"

/* A range of an object that a device maps, and what the map will say. */
struct choice {
	u32 device;
	struct object *object;
	phys_addr_t phys;
	u64 bytes;
	enum dma_data_direction dir;
	bool wrong_way; /* peer memory that should have gone by bus address */
};

static bool choose(struct run *run, struct dice *dice, struct choice *choice)
{
	u64 offset;

	choice->device = pick_device(run, dice);
	choice->object = pick_object(run, dice);
	choice->bytes = pick_bytes(dice, choice->object->bytes);
	if (choice->object->bytes >= 4 * SZ_1M && dice_chance(dice, 60))
		choice->bytes = dice_from(dice, SZ_2M, choice->object->bytes);
	offset = dice_from(dice, 0, choice->object->bytes - choice->bytes);
	if (dice_chance(dice, 40) && choice->object->kind != OBJECT_ADOPTED)
		offset = GRANULE_DOWN(offset);
	/* So that large pages fit. */
	if (choice->bytes >= SZ_2M && dice_chance(dice, 60))
		offset = 0;
	choice->phys = choice->object->phys + offset;
	choice->dir = pick_direction(dice);
	choice->wrong_way = false;
	if (choice->object->kind == OBJECT_BAR) {
		u32 owner = choice->object->owner;
		enum pci_p2pdma_map_type type = machine_type(run, choice->device, owner);

		choice->wrong_way = type == PCI_P2PDMA_MAP_BUS_ADDR;
		if (choice->device == owner || type == PCI_P2PDMA_MAP_NOT_SUPPORTED ||
		    (choice->wrong_way && dice_chance(dice, 80)))
			return false;
	}
	return true;
}

/* Without an IOMMU a mapping fails if, and only if, the mask does not reach. */
static bool direct_is_right(struct run *run, const struct choice *choice, dma_addr_t dma,
			    bool *mapped)
{
	*mapped = choice->phys + choice->bytes - 1 <= run->mask[choice->device];
	if (*mapped)
		return dma == choice->phys ? true : wrong(run, "direct map gave 0x%llx", dma);
	if (dma != DMA_MAPPING_ERROR)
		return wrong(run, "a map beyond the mask gave 0x%llx", dma);
	return expect_report(run, DMASIM_REPORT_MASK_OVERFLOW);
}

static bool mapped_is_right(struct run *run, const struct choice *choice, dma_addr_t dma,
			    struct mapping *mapping)
{
	dma_addr_t start = GRANULE_DOWN(dma);
	bool mapped = true;

	if (!run->model.iommu) {
		if (!direct_is_right(run, choice, dma, &mapped))
			return false;
	} else {
		if (dma == DMA_MAPPING_ERROR || IN_GRANULE(dma) != IN_GRANULE(choice->phys))
			return wrong(run, "the map gave 0x%llx", dma);
		if (!block_is_good(run, mapping, start, GRANULE_UP(dma + choice->bytes) - start))
			return false;
	}
	if (mapped && choice->wrong_way && !expect_report(run, DMASIM_REPORT_P2P_WRONG_WAY))
		return false;
	if (mapped && choice->object->kind == OBJECT_BAR && !choice->wrong_way &&
	    mapping->attrs != DMA_ATTR_MMIO && !expect_report(run, DMASIM_REPORT_PEER_AS_RAM))
		return false;
	if (!mapped) {
		mapping_forget(run, mapping);
		return expect_no_report(run);
	}
	mapping->dma = dma;
	mapping->bytes = choice->bytes;
	mapping->dir = choice->dir;
	mapping_uses(mapping, choice->object);
	if (!model_extent_add(&run->model,
			      &(struct extent){ .device = choice->device,
						.domain = run->model.device[choice->device].domain,
						.mapping = mapping_index(run, mapping),
						.dma = dma,
						.phys = choice->phys,
						.bytes = choice->bytes,
						.dir = choice->dir,
						.synced = true }))
		return wrong(run, "too many extents");
	return expect_no_report(run);
}

bool step_map_phys(struct run *run, struct dice *dice)
{
	struct choice choice;
	struct mapping *mapping;
	dma_addr_t dma;

	if (!choose(run, dice, &choice))
		return true;
	mapping = new_mapping(run, MAPPING_PHYS, choice.device);
	if (!mapping)
		return true;
	mapping->attrs = choice.object->kind == OBJECT_BAR ? DMA_ATTR_MMIO : 0;
	dma = dma_map_phys(&run->dev[choice.device]->dev, choice.phys, choice.bytes, choice.dir,
			   mapping->attrs);
	note(run, "map_phys dev %u phys 0x%llx size %llu dir %d: 0x%llx", choice.device,
	     choice.phys, choice.bytes, (int)choice.dir, dma);
	return mapped_is_right(run, &choice, dma, mapping);
}

bool step_map_page(struct run *run, struct dice *dice)
{
	struct choice choice;
	struct mapping *mapping;
	struct page *page;
	dma_addr_t dma;

	if (!choose(run, dice, &choice))
		return true;
	mapping = new_mapping(run, MAPPING_PAGE, choice.device);
	if (!mapping)
		return true;
	page = dmasim_page(run->s, choice.phys);
	if (!page || page_to_phys(page) != GRANULE_DOWN(choice.phys) ||
	    is_pci_p2pdma_page(page) != (choice.object->kind == OBJECT_BAR))
		return wrong(run, "the page of 0x%llx is not right", choice.phys);
	dma = dma_map_page(&run->dev[choice.device]->dev, page, IN_GRANULE(choice.phys),
			   choice.bytes, choice.dir);
	note(run, "map_page dev %u phys 0x%llx size %llu dir %d: 0x%llx", choice.device,
	     choice.phys, choice.bytes, (int)choice.dir, dma);
	return mapped_is_right(run, &choice, dma, mapping);
}

/* ---- The end of a mapping -------------------------------------------------------------------- */

bool end_mapping(struct run *run, struct mapping *mapping, struct dice *dice)
{
	struct device *dev = &run->dev[mapping->device]->dev;
	u32 index = mapping_index(run, mapping);

	note(run, "end mapping %u (kind %d) of dev %u", index, (int)mapping->kind, mapping->device);
	switch (mapping->kind) {
	case MAPPING_PHYS:
		dma_unmap_phys(dev, mapping->dma, mapping->bytes, mapping->dir, mapping->attrs);
		break;
	case MAPPING_PAGE:
		dma_unmap_page(dev, mapping->dma, mapping->bytes, mapping->dir);
		break;
	case MAPPING_SG:
		if (!end_sg(run, mapping))
			return false;
		break;
	case MAPPING_STATE:
		if (!end_state(run, mapping, dice))
			return false;
		break;
	case MAPPING_NONE:
		return true;
	}
	model_end_bytes(&run->model, index, 0, ~0ULL);
	mapping_forget(run, mapping);
	return expect_no_report(run);
}

bool step_end(struct run *run, struct dice *dice)
{
	struct mapping *mapping = pick_mapping(run, dice, MAPPING_NONE);

	return mapping ? end_mapping(run, mapping, dice) : true;
}
