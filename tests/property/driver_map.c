/* SPDX-License-Identifier: MIT */
/*
 * Mapping and unmapping, by every call.
 */
#include "property/driver.h"

static phys_addr_t phys_of(const struct use *use, u32 part)
{
	return use->part[part].buffer->phys + use->part[part].at;
}

/* ---- One call -------------------------------------------------------------------------------- */

static int map_one(struct driver *driver, struct use *use)
{
	struct device *dev = driver_dev(driver, use->device);
	phys_addr_t phys = phys_of(use, 0);
	dma_addr_t dma;
	int error;

	switch (use->call) {
	case CALL_MAP_PAGE:
		dma = dma_map_page_attrs(dev, dmasim_page(driver->s, phys), phys % DRIVER_PAGE,
					 use->bytes, use->dir, use->attrs);
		break;
	case CALL_MAP_SINGLE:
		dma = dma_map_single_attrs(dev, dmasim_ptr(driver->s, phys, use->bytes), use->bytes,
					   use->dir, use->attrs);
		break;
	case CALL_MAP_RESOURCE:
		dma = dma_map_resource(dev, phys, use->bytes, use->dir,
				       use->attrs & ~(unsigned long)DMA_ATTR_MMIO);
		break;
	default:
		dma = dma_map_phys(dev, phys, use->bytes, use->dir, use->attrs);
	}
	error = dma_mapping_error(dev, dma);
	driver->calls += 2;
	if (!error)
		use_add_segment(use, dma, use->bytes);
	return error;
}

static void unmap_one(struct driver *driver, struct use *use)
{
	struct device *dev = driver_dev(driver, use->device);
	dma_addr_t dma = use->segment[0].dma;

	switch (use->call) {
	case CALL_MAP_PAGE:
		dma_unmap_page_attrs(dev, dma, use->bytes, use->dir, use->attrs);
		break;
	case CALL_MAP_SINGLE:
		dma_unmap_single_attrs(dev, dma, use->bytes, use->dir, use->attrs);
		break;
	case CALL_MAP_RESOURCE:
		dma_unmap_resource(dev, dma, use->bytes, use->dir,
				   use->attrs & ~(unsigned long)DMA_ATTR_MMIO);
		break;
	default:
		dma_unmap_phys(dev, dma, use->bytes, use->dir, use->attrs);
	}
	driver->calls++;
}

/* ---- Lists ----------------------------------------------------------------------------------- */

static int map_list(struct driver *driver, struct use *use)
{
	struct device *dev = driver_dev(driver, use->device);
	struct scatterlist *sg;
	unsigned int i;
	int error;

	sg_init_table(use->list, use->part_count);
	for (u32 k = 0; k < use->part_count; k++)
		sg_set_page(&use->list[k], dmasim_page(driver->s, phys_of(use, k)),
			    use->part[k].bytes, (unsigned int)(phys_of(use, k) % DRIVER_PAGE));
	use->table = (struct sg_table){ use->list, 0, use->part_count };
	driver->calls++;
	if (use->call == CALL_MAP_SG) {
		use->table.nents = dma_map_sg_attrs(dev, use->list, (int)use->part_count, use->dir,
						    use->attrs);
		error = use->table.nents ? 0 : -ENOMEM;
	} else {
		error = dma_map_sgtable(dev, &use->table, use->dir, use->attrs);
	}
	if (error)
		return error;
	for_each_sgtable_dma_sg(&use->table, sg, i)
		use_add_segment(use, sg_dma_address(sg), sg_dma_len(sg));
	return 0;
}

static void unmap_list(struct driver *driver, struct use *use)
{
	struct device *dev = driver_dev(driver, use->device);

	driver->calls++;
	if (use->call == CALL_MAP_SG)
		dma_unmap_sg_attrs(dev, use->list, (int)use->part_count, use->dir, use->attrs);
	else
		dma_unmap_sgtable(dev, &use->table, use->dir, use->attrs);
}

/* ---- Two steps ------------------------------------------------------------------------------- */

int use_link(struct driver *driver, struct use *use, u32 part)
{
	driver->calls++;
	return dma_iova_link(driver_dev(driver, use->device), &use->state, phys_of(use, part),
			     part_offset(use, part), use->part[part].bytes, use->dir, use->attrs);
}

static int link_all(struct driver *driver, struct use *use)
{
	struct device *dev = driver_dev(driver, use->device);
	int error = 0;

	for (u32 i = 0; i < use->part_count; i++) {
		error = use_link(driver, use, i);
		if (!error)
			continue;
		dma_iova_destroy(dev, &use->state, part_offset(use, i), use->dir, use->attrs);
		driver->calls++;
		return error;
	}
	error = dma_iova_sync(dev, &use->state, 0, use->bytes);
	driver->calls++;
	if (!error)
		return 0;
	dma_iova_destroy(dev, &use->state, use->bytes, use->dir, use->attrs);
	driver->calls++;
	return error;
}

static int map_links(struct driver *driver, struct use *use)
{
	int error;

	driver->calls++;
	if (!dma_iova_try_alloc(driver_dev(driver, use->device), &use->state, phys_of(use, 0),
				use->bytes))
		return -ENOMEM;
	error = link_all(driver, use);
	if (error)
		return error;
	for (u32 i = 0; i < use->part_count; i++) {
		use->part[i].linked = true;
		use_add_segment(use, use->state.addr + part_offset(use, i), use->part[i].bytes);
	}
	return 0;
}

static void unmap_links(struct driver *driver, struct use *use)
{
	struct device *dev = driver_dev(driver, use->device);
	bool all = true;

	for (u32 i = 0; i < use->part_count; i++)
		all = all && use->part[i].linked;
	driver->calls++;
	if (all) {
		dma_iova_destroy(dev, &use->state, use->bytes, use->dir, use->attrs);
		return;
	}
	for (u32 i = 0; i < use->part_count; i++) {
		if (!use->part[i].linked)
			continue;
		dma_iova_unlink(dev, &use->state, part_offset(use, i), use->part[i].bytes, use->dir,
				use->attrs);
		driver->calls++;
	}
	dma_iova_free(dev, &use->state);
}

/* ---- Memory that comes mapped ---------------------------------------------------------------- */

static int map_alloc(struct driver *driver, struct use *use)
{
	struct device *dev = driver_dev(driver, use->device);
	dma_addr_t dma = DMA_MAPPING_ERROR;

	driver->calls++;
	if (use->call == CALL_ALLOC_COHERENT) {
		use->memory = dma_alloc_attrs(dev, use->bytes, &dma, GFP_KERNEL, use->attrs);
	} else if (use->call == CALL_ALLOC_PAGES) {
		use->page = dma_alloc_pages(dev, use->bytes, &dma, use->dir, GFP_KERNEL);
		if (use->page)
			use->memory = dmasim_ptr(driver->s, page_to_phys(use->page), use->bytes);
	} else {
		use->made = dma_alloc_noncontiguous(dev, use->bytes, use->dir, GFP_KERNEL, 0);
		if (use->made) {
			use->memory = dma_vmap_noncontiguous(dev, use->bytes, use->made);
			dma = sg_dma_address(use->made->sgl);
			driver->calls++;
		}
	}
	if (!use->memory)
		return -ENOMEM;
	use_add_segment(use, dma, use->bytes);
	return 0;
}

static void unmap_alloc(struct driver *driver, struct use *use)
{
	struct device *dev = driver_dev(driver, use->device);
	dma_addr_t dma = use->segment[0].dma;

	driver->calls++;
	if (use->call == CALL_ALLOC_COHERENT) {
		dma_free_attrs(dev, use->bytes, use->memory, dma, use->attrs);
	} else if (use->call == CALL_ALLOC_PAGES) {
		dma_free_pages(dev, use->bytes, use->page, dma, use->dir);
	} else {
		dma_vunmap_noncontiguous(dev, use->memory);
		dma_free_noncontiguous(dev, use->bytes, use->made, use->dir);
		driver->calls++;
	}
}

/* ---- All of them ----------------------------------------------------------------------------- */

static int map_bus(struct use *use, struct p2pdma_provider *provider)
{
	use_add_segment(use, pci_p2pdma_bus_addr_map(provider, phys_of(use, 0)), use->bytes);
	return 0;
}

int use_map(struct driver *driver, struct use *use)
{
	switch (use->kind) {
	case USE_ONE:
		return map_one(driver, use);
	case USE_LIST:
		return map_list(driver, use);
	case USE_LINKS:
		return map_links(driver, use);
	case USE_ALLOC:
		return map_alloc(driver, use);
	default:
		return map_bus(use, driver->provider[use->part[0].buffer->owner]);
	}
}

void use_unmap(struct driver *driver, struct use *use)
{
	if (use->kind == USE_ONE)
		unmap_one(driver, use);
	else if (use->kind == USE_LIST)
		unmap_list(driver, use);
	else if (use->kind == USE_LINKS)
		unmap_links(driver, use);
	else if (use->kind == USE_ALLOC)
		unmap_alloc(driver, use);
}

bool use_end(struct driver *driver, struct use *use)
{
	struct buffer *memory = use->kind == USE_ALLOC ? use->part[0].buffer : NULL;

	if (!use_to_device(driver, use))
		return false;
	/* What the unmap does not do then, the driver does. */
	if (use->attrs & DMA_ATTR_SKIP_CPU_SYNC && use->dir != DMA_TO_DEVICE)
		use_sync(driver, use, 0, use->bytes, true);
	driver_note(driver, "end of use %u at 0x%llx", use_index(driver, use), use->segment[0].dma);
	use_unmap(driver, use);
	use_forget(driver, use);
	if (memory)
		buffer_drop(driver, memory);
	return driver_no_report(driver);
}
