/* SPDX-License-Identifier: MIT */
#include "bench/flows.h"

#include <stdlib.h>

#include "bench/measure.h"

/* ---- The machine ----------------------------------------------------------------------------- */

static struct pci_dev *add(struct dmasim *s, const char *path)
{
	struct pci_dev *pdev =
		dmasim_add_endpoint(s, path, &(struct dmasim_endpoint){ .bar = { SZ_16K } });

	must(pdev, "no device");
	return pdev;
}

void flow_machine_init(struct flow_machine *bench, const struct dmasim_config *config)
{
	bench->config = *config;
	bench->s = dmasim_create(&bench->config);
	must(bench->s, "no machine");
	bench->nvme = add(bench->s, "00:01.0/00.0/00.0/00.0");
	bench->dev = &bench->nvme->dev;
	must(!dma_set_mask(bench->dev, DMA_BIT_MASK(64)), "dma_set_mask");
	dma_set_max_seg_size(bench->dev, SZ_2M);
	bench->buffer = dmasim_alloc(bench->s, SZ_1M);
	bench->parts = dmasim_alloc(bench->s, SZ_2M);
	must(bench->buffer != DMASIM_NO_PHYS && bench->parts != DMASIM_NO_PHYS, "no memory");
	sg_init_table(bench->sg, GRANULES);
	for (u32 i = 0; i < GRANULES; i++) {
		bench->page[i] = dmasim_page(bench->s, bench->buffer + i * SZ_4K);
		sg_set_page(&bench->sg[i], dmasim_page(bench->s, bench->parts + (u64)i * 2 * SZ_4K),
			    SZ_4K, 0);
	}
}

void flow_machine_fini(struct flow_machine *bench)
{
	char found[1024];

	if (dmasim_check_clean(bench->s, found, sizeof(found)))
		must(false, found);
	must(!dmasim_destroy(bench->s), "a leak");
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* What a test case does: a machine of its own with three devices, a mapping, data, the end. */
static void whole_test_case(struct flow_machine *bench)
{
	struct dmasim *s = dmasim_create(&bench->config);
	struct pci_dev *nvme = add(s, "00:01.0/00.0/00.0/00.0");
	phys_addr_t buffer;
	dma_addr_t dma;

	add(s, "00:01.0/00.0/01.0/00.0");
	add(s, "00:02.0/00.0");
	must(!dma_set_mask(&nvme->dev, DMA_BIT_MASK(64)), "dma_set_mask");
	buffer = dmasim_alloc(s, SZ_4K);
	dma = dma_map_phys(&nvme->dev, buffer, SZ_4K, DMA_FROM_DEVICE, 0);
	must(dmasim_dev_write(nvme, dma, bench->bytes, SZ_4K).done == SZ_4K, "no data");
	dma_unmap_phys(&nvme->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	must(!dmasim_check_clean(s, NULL, 0) && !dmasim_destroy(s), "not clean");
}

static void phys_of(struct flow_machine *bench, u64 bytes)
{
	dma_addr_t dma = dma_map_phys(bench->dev, bench->buffer, bytes, DMA_FROM_DEVICE, 0);

	must(dma != DMA_MAPPING_ERROR, "dma_map_phys");
	dma_unmap_phys(bench->dev, dma, bytes, DMA_FROM_DEVICE, 0);
}

static void phys_4k(struct flow_machine *bench)
{
	phys_of(bench, SZ_4K);
}

static void phys_1m(struct flow_machine *bench)
{
	phys_of(bench, SZ_1M);
}

static void pages_of(struct flow_machine *bench, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		bench->dma[i] = dma_map_page(bench->dev, bench->page[i], 0, SZ_4K, DMA_FROM_DEVICE);
		must(bench->dma[i] != DMA_MAPPING_ERROR, "dma_map_page");
	}
	for (u32 i = 0; i < count; i++)
		dma_unmap_page(bench->dev, bench->dma[i], SZ_4K, DMA_FROM_DEVICE);
}

static void page_4k(struct flow_machine *bench)
{
	pages_of(bench, 1);
}

static void page_1m(struct flow_machine *bench)
{
	pages_of(bench, GRANULES);
}

static void list_of(struct flow_machine *bench, int entries)
{
	must(dma_map_sg(bench->dev, bench->sg, entries, DMA_FROM_DEVICE), "dma_map_sg");
	dma_unmap_sg(bench->dev, bench->sg, entries, DMA_FROM_DEVICE);
}

static void list_4k(struct flow_machine *bench)
{
	list_of(bench, 1);
}

static void list_1m(struct flow_machine *bench)
{
	list_of(bench, GRANULES);
}

static void links_of(struct flow_machine *bench, u32 links)
{
	size_t bytes = (size_t)links * SZ_4K;
	struct dma_iova_state st;
	int err = 0;

	must(dma_iova_try_alloc(bench->dev, &st, 0, bytes), "dma_iova_try_alloc");
	for (u32 i = 0; i < links; i++)
		err |= dma_iova_link(bench->dev, &st, bench->parts + (u64)i * 2 * SZ_4K,
				     (size_t)i * SZ_4K, SZ_4K, DMA_FROM_DEVICE, 0);
	err |= dma_iova_sync(bench->dev, &st, 0, bytes);
	must(!err, "dma_iova_link");
	dma_iova_destroy(bench->dev, &st, bytes, DMA_FROM_DEVICE, 0);
}

static void links_1(struct flow_machine *bench)
{
	links_of(bench, 1);
}

static void links_256(struct flow_machine *bench)
{
	links_of(bench, GRANULES);
}

/* All 1 MiB in one link. */
static void link_1m(struct flow_machine *bench)
{
	struct dma_iova_state st;
	int err;

	must(dma_iova_try_alloc(bench->dev, &st, 0, SZ_1M), "dma_iova_try_alloc");
	err = dma_iova_link(bench->dev, &st, bench->buffer, 0, SZ_1M, DMA_FROM_DEVICE, 0);
	err |= dma_iova_sync(bench->dev, &st, 0, SZ_1M);
	must(!err, "dma_iova_link");
	dma_iova_destroy(bench->dev, &st, SZ_1M, DMA_FROM_DEVICE, 0);
}

/* The mapping is part of the row, and small beside the data. */
static void write_of(struct flow_machine *bench, u64 bytes)
{
	dma_addr_t dma = dma_map_phys(bench->dev, bench->buffer, bytes, DMA_FROM_DEVICE, 0);

	must(dmasim_dev_write(bench->nvme, dma, bench->bytes, bytes).done == bytes, "no data");
	dma_unmap_phys(bench->dev, dma, bytes, DMA_FROM_DEVICE, 0);
}

static void write_4k(struct flow_machine *bench)
{
	write_of(bench, SZ_4K);
}

static void write_1m(struct flow_machine *bench)
{
	write_of(bench, SZ_1M);
}

const struct flow flows[] = {
	{ "a whole test case with 3 devices", whole_test_case },
	{ "dma_map_phys 4 KiB, unmap", phys_4k },
	{ "dma_map_phys 1 MiB, unmap", phys_1m },
	{ "dma_map_page 4 KiB, unmap", page_4k },
	{ "dma_map_page 256 x 4 KiB, unmap", page_1m },
	{ "dma_map_sg 1 x 4 KiB, unmap", list_4k },
	{ "dma_map_sg 256 x 4 KiB, unmap", list_1m },
	{ "two steps, 1 link of 4 KiB", links_1 },
	{ "two steps, 1 link of 1 MiB", link_1m },
	{ "two steps, 256 links of 4 KiB", links_256 },
	{ "map 4 KiB, device write, unmap", write_4k },
	{ "map 1 MiB, device write, unmap", write_1m },
	{ "no IOMMU: dma_map_phys 4 KiB, unmap", phys_4k, true },
	{ "no IOMMU: dma_map_sg 256 x 4 KiB, unmap", list_1m, true },
	{ "no IOMMU: map 1 MiB, device write, unmap", write_1m, true },
	{ NULL, NULL, false },
};
