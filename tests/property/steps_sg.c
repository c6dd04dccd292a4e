/* SPDX-License-Identifier: MIT */
/*
 * Steps that map a scatterlist: RAM, adopted memory and peer memory mixed. What the list must look
 * like afterwards is computed here from the rules (facts "dma-api" 4.2 and 4.3), for an unknown
 * IOVA base.
 */
#include "property/run.h"

struct entry {
	struct object *object;
	phys_addr_t phys;
	u32 bytes;
	enum pci_p2pdma_map_type type;
	u64 place;   /* of its first granule in the IOVA range */
	u64 visible; /* bytes of the IOVA range that are its own */
};

/* One DMA segment. Addresses of IOVAs count from the start of the range. */
struct segment {
	u64 address;
	u64 bytes;
	bool bus;
};

struct list {
	u32 count;
	struct entry entry[RUN_SG_ENTRIES];
	u32 segment_count;
	struct segment segment[RUN_SG_ENTRIES];
	u64 iova_bytes;
	bool unreachable; /* some entry is peer memory that cannot be reached */
	bool overflow;	  /* some entry, before any such, is beyond the mask */
};

static bool choose_entry(struct run *run, struct dice *dice, u32 device, struct entry *entry)
{
	struct object *object = pick_object(run, dice);
	u64 offset;

	if (object->kind == OBJECT_BAR && object->owner == device)
		return false;
	entry->object = object;
	entry->bytes = (u32)pick_bytes(dice, object->bytes);
	if (entry->bytes > run->seg_bytes[device])
		entry->bytes = run->seg_bytes[device];
	offset = dice_from(dice, 0, object->bytes - entry->bytes);
	if (dice_chance(dice, 60) && object->kind != OBJECT_ADOPTED)
		offset = GRANULE_DOWN(offset);
	entry->phys = object->phys + offset;
	entry->type = PCI_P2PDMA_MAP_NONE;
	if (object->kind == OBJECT_BAR)
		entry->type = machine_type(run, device, object->owner);
	return true;
}

static void choose_list(struct run *run, struct dice *dice, u32 device, struct list *list)
{
	u32 wanted = (u32)dice_from(dice, 1, RUN_SG_ENTRIES);
	bool spare = dice_chance(dice, 90); /* an unreachable entry is rare */

	*list = (struct list){ .count = 0 };
	for (u32 i = 0; i < 4 * wanted && list->count < wanted; i++) {
		struct entry *entry = &list->entry[list->count];

		if (!choose_entry(run, dice, device, entry))
			continue;
		if (entry->type == PCI_P2PDMA_MAP_NOT_SUPPORTED) {
			if (spare)
				continue;
			list->unreachable = true;
		}
		list->count++;
	}
}

/* Facts 4.2: one segment for each entry. */
static void lay_out_direct(struct run *run, u32 device, struct list *list)
{
	bool stopped = false;

	for (u32 i = 0; i < list->count; i++) {
		struct entry *entry = &list->entry[i];
		bool bus = entry->type == PCI_P2PDMA_MAP_BUS_ADDR;
		u64 address = entry->phys;

		stopped |= entry->type == PCI_P2PDMA_MAP_NOT_SUPPORTED;
		if (bus)
			address += entry->object->bus_address - entry->object->phys;
		else if (entry->phys + entry->bytes - 1 > run->mask[device] && !stopped)
			stopped = list->overflow = true;
		list->segment[i] = (struct segment){ address, entry->bytes, bus };
	}
	list->segment_count = list->count;
}

/* Facts 4.3, step 4: places in the IOVA range. */
static void place_entries(struct list *list, u64 boundary)
{
	struct entry *previous = NULL;

	for (u32 i = 0; i < list->count; i++) {
		struct entry *entry = &list->entry[i];
		u64 padding = (boundary - list->iova_bytes + 1) & boundary;

		if (entry->type == PCI_P2PDMA_MAP_BUS_ADDR)
			continue;
		entry->visible = GRANULE_UP(IN_GRANULE(entry->phys) + entry->bytes);
		if (padding && padding < entry->visible - 1 && previous) {
			previous->visible += padding;
			list->iova_bytes += padding;
		}
		entry->place = list->iova_bytes;
		list->iova_bytes += entry->visible;
		previous = entry;
	}
}

/*
 * Facts 4.3, step 7: neighbours that end and begin on granules become one segment, within limits.
 */
static void join_entries(struct list *list, u64 base, u64 boundary, u64 most)
{
	struct segment *open = NULL;

	for (u32 i = 0; i < list->count; i++) {
		struct entry *entry = &list->entry[i];
		u64 offset = IN_GRANULE(entry->phys);

		if (entry->type == PCI_P2PDMA_MAP_BUS_ADDR) {
			list->segment[list->segment_count++] =
				(struct segment){ entry->phys + entry->object->bus_address -
							  entry->object->phys,
						  entry->bytes, true };
			open = NULL;
			continue;
		}
		if (open && !offset && ((base + entry->place) & boundary) &&
		    most - open->bytes >= entry->bytes) {
			open->bytes += entry->bytes;
		} else {
			open = &list->segment[list->segment_count++];
			*open = (struct segment){ base + entry->place + offset, entry->bytes,
						  false };
		}
		if (offset + entry->bytes < entry->visible)
			open = NULL;
	}
}

static void fill_sg(struct run *run, struct mapping *mapping, const struct list *list)
{
	sg_init_table(mapping->sg, list->count);
	for (u32 i = 0; i < list->count; i++)
		sg_set_page(&mapping->sg[i], dmasim_page(run->s, list->entry[i].phys),
			    list->entry[i].bytes, IN_GRANULE(list->entry[i].phys));
	mapping->table = (struct sg_table){ .sgl = mapping->sg, .orig_nents = list->count };
}

/* The CPU's half of the list is what it was. */
static bool pages_are_right(struct run *run, struct mapping *mapping, const struct list *list)
{
	for (u32 i = 0; i < list->count; i++)
		if (sg_phys(&mapping->sg[i]) != list->entry[i].phys ||
		    mapping->sg[i].length != list->entry[i].bytes ||
		    mapping->sg[i].offset != IN_GRANULE(list->entry[i].phys))
			return wrong(run, "entry %u of the list was changed", i);
	return true;
}

static bool segments_are_right(struct run *run, struct mapping *mapping, const struct list *list)
{
	for (u32 i = 0; i < list->count; i++) {
		const struct scatterlist *sg = &mapping->sg[i];
		const struct segment *segment = &list->segment[i];
		bool used = i < list->segment_count;

		if (sg_dma_address(sg) != (used ? segment->address : DMA_MAPPING_ERROR) ||
		    sg_dma_len(sg) != (used ? segment->bytes : 0) ||
		    (used && sg_dma_is_bus_address(sg) != segment->bus))
			return wrong(run, "segment %u is 0x%llx+%u flags %u, not 0x%llx+%llu", i,
				     sg_dma_address(sg), sg_dma_len(sg), sg->dma_flags,
				     segment->address, segment->bytes);
	}
	return true;
}

/* Where the IOVA range begins, as the first segment that is not a bus address shows. */
static u64 base_of(const struct mapping *mapping, const struct list *list)
{
	u32 bus = 0;

	while (bus < list->count && list->entry[bus].type == PCI_P2PDMA_MAP_BUS_ADDR)
		bus++;
	return bus < list->count ? GRANULE_DOWN(sg_dma_address(&mapping->sg[bus])) : 0;
}

static bool add_extents(struct run *run, struct mapping *mapping, const struct list *list, u64 base)
{
	for (u32 i = 0; i < list->count; i++) {
		const struct entry *entry = &list->entry[i];
		u64 bytes = GRANULE_UP(IN_GRANULE(entry->phys) + entry->bytes);
		struct extent extent = { .device = mapping->device,
					 .domain = run->model.device[mapping->device].domain,
					 .mapping = mapping_index(run, mapping),
					 .dma = entry->phys,
					 .phys = entry->phys,
					 .bytes = entry->bytes,
					 .dir = mapping->dir,
					 .synced = true };

		mapping_uses(mapping, entry->object);
		if (entry->type == PCI_P2PDMA_MAP_BUS_ADDR) {
			extent.domain = MODEL_NOBODY;
			extent.dma += entry->object->bus_address - entry->object->phys;
		} else if (run->model.iommu) {
			extent.dma = base + entry->place + IN_GRANULE(entry->phys);
			extent.padding = entry->visible - bytes;
		}
		if (!model_extent_add(&run->model, &extent))
			return wrong(run, "too many extents");
	}
	return true;
}

static bool check_mapped(struct run *run, struct mapping *mapping, struct list *list)
{
	u64 base = 0;

	if (run->model.iommu) {
		base = base_of(mapping, list);
		join_entries(list, base, run->seg_boundary[mapping->device],
			     run->seg_bytes[mapping->device]);
		if (list->iova_bytes && !block_is_good(run, mapping, base, list->iova_bytes))
			return false;
	}
	return segments_are_right(run, mapping, list) && add_extents(run, mapping, list, base);
}

bool step_map_sg(struct run *run, struct dice *dice)
{
	u32 device = pick_device(run, dice);
	struct mapping *mapping = new_mapping(run, MAPPING_SG, device);
	struct device *dev = &run->dev[device]->dev;
	int expected, result;
	struct list list;

	if (!mapping)
		return true;
	choose_list(run, dice, device, &list);
	if (!list.count) {
		mapping_forget(run, mapping);
		return true;
	}
	if (run->model.iommu)
		place_entries(&list, run->seg_boundary[device]);
	else
		lay_out_direct(run, device, &list);
	fill_sg(run, mapping, &list);
	mapping->dir = pick_direction(dice);
	mapping->by_table = dice_chance(dice, 50);
	expected = list.overflow ? -EIO : list.unreachable ? -EREMOTEIO : 0;
	if (mapping->by_table) {
		result = dma_map_sgtable(dev, &mapping->table, mapping->dir, 0);
	} else {
		mapping->table.nents = dma_map_sg(dev, mapping->sg, (int)list.count, mapping->dir);
		result = mapping->table.nents ? 0 : expected;
	}
	note(run, "map_sg dev %u of %u entries, table %d, dir %d: %d, %u segments", device,
	     list.count, mapping->by_table, (int)mapping->dir, result, mapping->table.nents);
	if (result != expected || (expected && !mapping->by_table && mapping->table.nents))
		return wrong(run, "mapping the list gave %d, expected %d", result, expected);
	if (list.overflow && !expect_report(run, DMASIM_REPORT_MASK_OVERFLOW))
		return false;
	if (!pages_are_right(run, mapping, &list) || !expect_no_report(run))
		return false;
	if (expected) {
		mapping_forget(run, mapping);
		return true;
	}
	if (!check_mapped(run, mapping, &list))
		return false;
	if (mapping->table.nents != list.segment_count)
		return wrong(run, "%u segments, expected %u", mapping->table.nents,
			     list.segment_count);
	return true;
}

bool end_sg(struct run *run, struct mapping *mapping)
{
	struct device *dev = &run->dev[mapping->device]->dev;

	if (mapping->by_table)
		dma_unmap_sgtable(dev, &mapping->table, mapping->dir, 0);
	else
		dma_unmap_sg(dev, mapping->sg, (int)mapping->table.orig_nents, mapping->dir);
	for (u32 i = 0; i < mapping->table.orig_nents; i++)
		if (sg_dma_is_bus_address(&mapping->sg[i]))
			return wrong(run, "entry %u still has the bus address flag", i);
	return true;
}
