/* SPDX-License-Identifier: MIT */
/*
 * What the checker keeps for live mappings: bytes for each, by kind, as malloc() counts them. The
 * same mappings are made on two machines, one with the checker off; the difference is its.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include <dmasim/dmasim.h>

#include "bench/measure.h"

#define COUNT 4096

struct maker {
	struct dmasim *s;
	struct device *dev;
	phys_addr_t memory; /* twice as many pages as there are mappings */
	struct scatterlist *sg;
	dma_addr_t *dma;
};

static u64 heap(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static phys_addr_t page(const struct maker *maker, u32 i)
{
	return maker->memory + (u64)i * 2 * SZ_4K;
}

/* ---- Kinds ----------------------------------------------------------------------------------- */

static void map_pages(struct maker *maker)
{
	for (u32 i = 0; i < COUNT; i++) {
		maker->dma[i] = dma_map_phys(maker->dev, page(maker, i), SZ_4K, DMA_TO_DEVICE, 0);
		must(maker->dma[i] != DMA_MAPPING_ERROR, "dma_map_phys");
	}
}

static void map_large(struct maker *maker)
{
	for (u32 i = 0; i < COUNT; i++)
		must(dma_map_phys(maker->dev, maker->memory, SZ_64K, DMA_TO_DEVICE, 0) !=
			     DMA_MAPPING_ERROR,
		     "dma_map_phys");
}

static void map_list(struct maker *maker)
{
	sg_init_table(maker->sg, COUNT);
	for (u32 i = 0; i < COUNT; i++)
		sg_set_page(&maker->sg[i], dmasim_page(maker->s, page(maker, i)), SZ_4K, 0);
	must(dma_map_sg(maker->dev, maker->sg, COUNT, DMA_TO_DEVICE), "dma_map_sg");
}

static void link_pages(struct maker *maker)
{
	struct dma_iova_state state;
	size_t bytes = (size_t)COUNT * SZ_4K;

	must(dma_iova_try_alloc(maker->dev, &state, 0, bytes), "dma_iova_try_alloc");
	for (u32 i = 0; i < COUNT; i++)
		must(!dma_iova_link(maker->dev, &state, page(maker, i), (size_t)i * SZ_4K, SZ_4K,
				    DMA_TO_DEVICE, 0),
		     "dma_iova_link");
	must(!dma_iova_sync(maker->dev, &state, 0, bytes), "dma_iova_sync");
}

static const struct kind {
	const char *name;
	void (*make)(struct maker *maker);
	bool needs_iommu;
} kinds[] = {
	{ "dma_map_phys 4 KiB", map_pages, false },
	{ "dma_map_phys 64 KiB", map_large, false },
	{ "dma_map_sg, an entry of 4 KiB", map_list, false },
	{ "dma_iova_link 4 KiB", link_pages, true },
};

/* ---- Two machines ---------------------------------------------------------------------------- */

static u64 bytes_of(const struct kind *kind, enum dmasim_iommu iommu, bool checked)
{
	struct dmasim_config config = { DMASIM_CONFIG, .iommu = iommu, .no_check = !checked,
					.no_watch = true };
	struct maker maker = { .s = dmasim_create(&config) };
	struct pci_dev *pdev;
	u64 before, after;

	must(maker.s, "no machine");
	pdev = dmasim_add_endpoint(maker.s, "00:01.0/00.0",
				   &(struct dmasim_endpoint){ .bar = { SZ_16K } });
	must(pdev, "no device");
	maker.dev = &pdev->dev;
	must(!dma_set_mask(maker.dev, DMA_BIT_MASK(64)), "dma_set_mask");
	maker.memory = dmasim_alloc(maker.s, (u64)COUNT * 2 * SZ_4K);
	must(maker.memory != DMASIM_NO_PHYS, "no memory");
	maker.sg = calloc(COUNT, sizeof(*maker.sg));
	maker.dma = calloc(COUNT, sizeof(*maker.dma));
	must(maker.sg && maker.dma, "no memory");
	before = heap();
	kind->make(&maker);
	after = heap();
	free(maker.sg);
	free(maker.dma);
	dmasim_suppress(maker.s, DMASIM_REPORT_MAPPING_LEAKED);
	dmasim_destroy(maker.s);
	return after - before;
}

static void measure(const struct kind *kind)
{
	u64 bytes[2];

	for (u32 i = 0; i < 2; i++) {
		enum dmasim_iommu iommu = i ? DMASIM_NO_IOMMU : DMASIM_VTD;

		bytes[i] = 0;
		if (!i || !kind->needs_iommu)
			bytes[i] = (bytes_of(kind, iommu, true) - bytes_of(kind, iommu, false)) /
				   COUNT;
	}
	printf("| %-30s | %5llu |", kind->name, bytes[0]);
	if (kind->needs_iommu)
		puts("         - |");
	else
		printf(" %9llu |\n", bytes[1]);
}

int main(void)
{
	puts("| bytes of a live mapping        | IOMMU |   without |\n"
	     "| ------------------------------ | ----: | --------: |");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		measure(&kinds[i]);
	return 0;
}
