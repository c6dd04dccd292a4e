/* SPDX-License-Identifier: MIT */
#include "matrix/calls.h"

static struct device *dev_of(const struct mapping *mapping)
{
	return &mapping->machine->pdev->dev;
}

static phys_addr_t phys_of(const struct mapping *mapping, u32 piece)
{
	return machine_phys(mapping->machine, mapping->shape->piece[piece].at);
}

static void put_segment(struct mapping *mapping, dma_addr_t dma, u32 bytes)
{
	if (mapping->count < SEGMENTS_MAX)
		mapping->segment[mapping->count++] = (struct segment){ dma, bytes };
}

/* ---- One piece -------------------------------------------------------- */

static dma_addr_t map_one(const struct mapping *mapping)
{
	const struct cell *cell = mapping->cell;
	struct device *dev = dev_of(mapping);
	phys_addr_t phys = phys_of(mapping, 0);
	size_t bytes = mapping->shape->bytes, in_page = phys & (PAGE_SIZE - 1);

	switch (cell->call) {
	case CALL_MAP_PHYS:
		return dma_map_phys(dev, phys, bytes, cell->dir, cell->attrs);
	case CALL_MAP_PAGE:
		return dma_map_page_attrs(dev, dmasim_page(mapping->machine->s, phys), in_page,
					  bytes, cell->dir, cell->attrs);
	case CALL_MAP_SINGLE:
		return dma_map_single_attrs(dev, dmasim_ptr(mapping->machine->s, phys, 1), bytes,
					    cell->dir, cell->attrs);
	default:
		return dma_map_resource(dev, phys, bytes, cell->dir, cell->attrs);
	}
}

static void unmap_one(const struct mapping *mapping)
{
	const struct cell *cell = mapping->cell;
	struct device *dev = dev_of(mapping);
	dma_addr_t dma = mapping->segment[0].dma;
	size_t bytes = mapping->shape->bytes;

	switch (cell->call) {
	case CALL_MAP_PHYS:
		dma_unmap_phys(dev, dma, bytes, cell->dir, cell->attrs);
		break;
	case CALL_MAP_PAGE:
		dma_unmap_page_attrs(dev, dma, bytes, cell->dir, cell->attrs);
		break;
	case CALL_MAP_SINGLE:
		dma_unmap_single_attrs(dev, dma, bytes, cell->dir, cell->attrs);
		break;
	default:
		dma_unmap_resource(dev, dma, bytes, cell->dir, cell->attrs);
	}
}

static void map_single_piece(struct mapping *mapping)
{
	dma_addr_t dma = map_one(mapping);

	mapping->error = dma_mapping_error(dev_of(mapping), dma);
	put_segment(mapping, dma, mapping->shape->bytes);
}

/* ---- Lists ------------------------------------------------------------ */

static void make_list(struct mapping *mapping)
{
	const struct shape *shape = mapping->shape;

	sg_init_table(mapping->list, shape->count);
	for (u32 k = 0; k < shape->count; k++) {
		phys_addr_t phys = phys_of(mapping, k);

		sg_set_page(&mapping->list[k], dmasim_page(mapping->machine->s, phys),
			    shape->piece[k].bytes, (unsigned int)(phys & (PAGE_SIZE - 1)));
	}
	mapping->table = (struct sg_table){ mapping->list, 0, shape->count };
}

static void map_list(struct mapping *mapping)
{
	const struct cell *cell = mapping->cell;
	struct device *dev = dev_of(mapping);
	struct scatterlist *s;
	unsigned int i;

	make_list(mapping);
	if (cell->call == CALL_MAP_SG) {
		mapping->table.nents = dma_map_sg_attrs(
			dev, mapping->list, (int)mapping->shape->count, cell->dir, cell->attrs);
		mapping->error = mapping->table.nents ? 0 : -ENOMEM;
	} else {
		mapping->error = dma_map_sgtable(dev, &mapping->table, cell->dir, cell->attrs);
	}
	if (mapping->error)
		return;
	for_each_sgtable_dma_sg(&mapping->table, s, i)
		put_segment(mapping, sg_dma_address(s), sg_dma_len(s));
}

static void unmap_list(struct mapping *mapping)
{
	const struct cell *cell = mapping->cell;

	if (cell->call == CALL_MAP_SG)
		dma_unmap_sg_attrs(dev_of(mapping), mapping->list, (int)mapping->shape->count,
				   cell->dir, cell->attrs);
	else
		dma_unmap_sgtable(dev_of(mapping), &mapping->table, cell->dir, cell->attrs);
}

/* ---- Two steps -------------------------------------------------------- */

static void map_links(struct mapping *mapping)
{
	const struct cell *cell = mapping->cell;
	const struct shape *shape = mapping->shape;
	struct device *dev = dev_of(mapping);

	mapping->error = -EOPNOTSUPP;
	if (!dma_iova_try_alloc(dev, &mapping->state, phys_of(mapping, 0), shape->bytes))
		return;
	for (u32 k = 0; k < shape->count; k++) {
		u32 bytes = shape->piece[k].bytes;

		mapping->error = dma_iova_link(dev, &mapping->state, phys_of(mapping, k),
					       mapping->linked, bytes, cell->dir, cell->attrs);
		if (mapping->error)
			return;
		mapping->linked += bytes;
	}
	mapping->error = dma_iova_sync(dev, &mapping->state, 0, shape->bytes);
	put_segment(mapping, mapping->state.addr, shape->bytes);
}

static void unmap_links(struct mapping *mapping)
{
	if (dma_use_iova(&mapping->state))
		dma_iova_destroy(dev_of(mapping), &mapping->state, mapping->linked,
				 mapping->cell->dir, mapping->cell->attrs);
}

/* ---- Memory that comes mapped ----------------------------------------- */

static void alloc(struct mapping *mapping)
{
	const struct cell *cell = mapping->cell;
	struct dmasim *s = mapping->machine->s;
	struct device *dev = dev_of(mapping);
	size_t bytes = mapping->shape->bytes;
	dma_addr_t dma = DMA_MAPPING_ERROR;

	if (cell->call == CALL_ALLOC_COHERENT) {
		mapping->memory = dma_alloc_attrs(dev, bytes, &dma, GFP_KERNEL, cell->attrs);
	} else if (cell->call == CALL_ALLOC_PAGES) {
		mapping->page = dma_alloc_pages(dev, bytes, &dma, cell->dir, GFP_KERNEL);
		if (mapping->page)
			mapping->memory = dmasim_ptr(s, page_to_phys(mapping->page), bytes);
	} else {
		mapping->made =
			dma_alloc_noncontiguous(dev, bytes, cell->dir, GFP_KERNEL, cell->attrs);
		if (mapping->made) {
			mapping->memory = dma_vmap_noncontiguous(dev, bytes, mapping->made);
			dma = sg_dma_address(mapping->made->sgl);
		}
	}
	mapping->error = mapping->memory ? 0 : -ENOMEM;
	put_segment(mapping, dma, mapping->shape->bytes);
}

static void unalloc(struct mapping *mapping)
{
	const struct cell *cell = mapping->cell;
	struct device *dev = dev_of(mapping);
	size_t bytes = mapping->shape->bytes;
	dma_addr_t dma = mapping->segment[0].dma;

	if (cell->call == CALL_ALLOC_COHERENT) {
		dma_free_attrs(dev, bytes, mapping->memory, dma, cell->attrs);
	} else if (cell->call == CALL_ALLOC_PAGES) {
		dma_free_pages(dev, bytes, mapping->page, dma, cell->dir);
	} else {
		dma_vunmap_noncontiguous(dev, mapping->memory);
		dma_free_noncontiguous(dev, bytes, mapping->made, cell->dir);
	}
}

/* ---- All of them ------------------------------------------------------ */

void call_map(struct mapping *mapping)
{
	enum call call = mapping->cell->call;

	if (is_alloc(call))
		alloc(mapping);
	else if (is_two_step(call))
		map_links(mapping);
	else if (is_list(call))
		map_list(mapping);
	else
		map_single_piece(mapping);
}

void call_unmap(struct mapping *mapping)
{
	enum call call = mapping->cell->call;

	if (is_two_step(call))
		unmap_links(mapping);
	else if (mapping->error)
		return;
	else if (is_alloc(call))
		unalloc(mapping);
	else if (is_list(call))
		unmap_list(mapping);
	else
		unmap_one(mapping);
}

bool call_syncs(const struct mapping *mapping)
{
	enum call call = mapping->cell->call;

	/* What is in one piece can be synced in one call, if it is one piece. */
	if (call == CALL_ONE_LINK)
		return !mapping->copied;
	return call != CALL_LINKS && call != CALL_ALLOC_COHERENT;
}

void call_sync_for_cpu(struct mapping *mapping)
{
	enum dma_data_direction dir = mapping->cell->dir;
	struct device *dev = dev_of(mapping);

	if (is_list(mapping->cell->call))
		dma_sync_sg_for_cpu(dev, mapping->list, (int)mapping->shape->count, dir);
	else if (mapping->made)
		dma_sync_sgtable_for_cpu(dev, mapping->made, dir);
	else
		dma_sync_single_for_cpu(dev, mapping->segment[0].dma, mapping->shape->bytes, dir);
}

struct piece call_sync_for_device(struct mapping *mapping, u32 offset, u32 bytes)
{
	const struct piece all = { 0, mapping->shape->bytes };
	enum dma_data_direction dir = mapping->cell->dir;
	struct device *dev = dev_of(mapping);

	if (is_list(mapping->cell->call)) {
		dma_sync_sg_for_device(dev, mapping->list, (int)mapping->shape->count, dir);
		return all;
	}
	if (mapping->made) {
		dma_sync_sgtable_for_device(dev, mapping->made, dir);
		return all;
	}
	dma_sync_single_range_for_device(dev, mapping->segment[0].dma, offset, bytes, dir);
	return (struct piece){ offset, bytes };
}

/* ---- The device ------------------------------------------------------- */

static bool access(struct mapping *mapping, u32 offset, u8 *to, const u8 *from, u32 bytes)
{
	struct pci_dev *pdev = mapping->machine->pdev;

	for (u32 i = 0; i < mapping->count && bytes; i++) {
		const struct segment *segment = &mapping->segment[i];
		u32 part = segment->bytes > offset ? segment->bytes - offset : 0;
		struct dmasim_transfer transfer;

		if (part > bytes)
			part = bytes;
		if (part) {
			transfer = to ? dmasim_dev_read(pdev, segment->dma + offset, to, part)
				      : dmasim_dev_write(pdev, segment->dma + offset, from, part);
			if (transfer.status != DMASIM_DONE || transfer.done != part)
				return false;
			to = to ? to + part : NULL;
			from = from ? from + part : NULL;
			bytes -= part;
			offset += part;
		}
		offset -= segment->bytes;
	}
	return !bytes;
}

bool call_dev_read(struct mapping *mapping, u32 offset, u8 *to, u32 bytes)
{
	return access(mapping, offset, to, NULL, bytes);
}

bool call_dev_write(struct mapping *mapping, u32 offset, const u8 *from, u32 bytes)
{
	return access(mapping, offset, NULL, from, bytes);
}
