/* SPDX-License-Identifier: MIT */
/*
 * Map and unmap in each mode: how long it takes on the host, and what it costs exactly.
 *
 * Each row maps 4 KiB, 64 KiB or 1 MiB of pages that do not touch each other, and unmaps them: page
 * by page, as one scatterlist, or in two steps. Peer memory that has bus addresses is mapped by
 * list alone: the other ways need no call of the DMA API. Checker and trace are off. The costs of
 * one run are exact: they are the figures that carry over to hardware. Usage: bench_modes [part of
 * a mode's name]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dmasim/dmasim.h>

#include "bench/measure.h"

#define PAGES_MAX (SZ_1M / SZ_4K)

struct mode {
	const char *name;
	struct dmasim_config config;
	bool peer; /* the pages are peer memory below the same switch */
};

#define MODE(name, ...)                                                       \
	{                                                                     \
		name, { DMASIM_CONFIG, .no_check = true, __VA_ARGS__ }, false \
	}
#define PEER(name, ...)                                                      \
	{                                                                    \
		name, { DMASIM_CONFIG, .no_check = true, __VA_ARGS__ }, true \
	}

static const struct mode modes[] = {
	MODE("no IOMMU", .iommu = DMASIM_NO_IOMMU),
	MODE("pass-through", .policy = DMASIM_PASS_THROUGH),
	MODE("strict", .policy = DMASIM_STRICT),
	MODE("lazy", .policy = DMASIM_LAZY),
	MODE("untrusted", .traits.untrusted = true),
	MODE("forced bounce", .iommu = DMASIM_NO_IOMMU, .swiotlb = DMASIM_SWIOTLB_FORCE),
	MODE("not snooping", .iommu = DMASIM_NO_IOMMU, .traits.no_snoop = true),
	MODE("not snooping, strict", .policy = DMASIM_STRICT, .traits.no_snoop = true),
	PEER("peer, bus address", .acs = DMASIM_ACS_OFF),
	PEER("peer, host bridge", .acs = DMASIM_ACS_ISOLATING),
};

struct bench {
	struct dmasim *s;
	struct device *dev;
	struct page *page[PAGES_MAX];
	struct scatterlist sg[PAGES_MAX];
	dma_addr_t dma[PAGES_MAX];
	u32 pages;	     /* of this row */
	unsigned long attrs; /* MMIO for peer memory */
	bool bus_addresses;
};

/* The peer's memory, and how the device reaches it. */
static phys_addr_t add_peer(struct bench *bench)
{
	struct pci_dev *gpu = dmasim_add_endpoint(bench->s, "00:01.0/00.0/01.0/00.0",
						  &(struct dmasim_endpoint){ .bar = { SZ_16M } });

	must(gpu && !pci_p2pdma_add_resource(gpu, 0, 0, 0), "no peer");
	bench->attrs = DMA_ATTR_MMIO;
	bench->bus_addresses = pci_p2pdma_map_type(pcim_p2pdma_provider(gpu, 0), bench->dev) ==
			       PCI_P2PDMA_MAP_BUS_ADDR;
	return pci_resource_start(gpu, 0);
}

static void bench_init(struct bench *bench, const struct mode *mode)
{
	struct pci_dev *pdev;
	phys_addr_t parts;

	bench->s = dmasim_create(&mode->config);
	must(bench->s, "no machine");
	pdev = dmasim_add_endpoint(bench->s, "00:01.0/00.0/00.0/00.0",
				   &(struct dmasim_endpoint){ .bar = { SZ_16K } });
	must(pdev, "no device");
	bench->dev = &pdev->dev;
	must(!dma_set_mask(bench->dev, DMA_BIT_MASK(64)), "dma_set_mask");
	dma_set_max_seg_size(bench->dev, SZ_2M);
	parts = mode->peer ? add_peer(bench) : dmasim_alloc(bench->s, SZ_2M);
	must(parts != DMASIM_NO_PHYS, "no memory");
	for (u32 i = 0; i < PAGES_MAX; i++)
		bench->page[i] = dmasim_page(bench->s, parts + (u64)i * 2 * SZ_4K);
}

static void bench_fini(struct bench *bench)
{
	must(!dmasim_check_clean(bench->s, NULL, 0), "not clean");
	must(!dmasim_destroy(bench->s), "a leak");
}

/* ---- What is measured ------------------------------------------------------------------------ */

static void by_page(void *cookie)
{
	struct bench *bench = cookie;

	for (u32 i = 0; i < bench->pages; i++) {
		bench->dma[i] = dma_map_phys(bench->dev, page_to_phys(bench->page[i]), SZ_4K,
					     DMA_FROM_DEVICE, bench->attrs);
		must(bench->dma[i] != DMA_MAPPING_ERROR, "dma_map_phys");
	}
	for (u32 i = 0; i < bench->pages; i++)
		dma_unmap_phys(bench->dev, bench->dma[i], SZ_4K, DMA_FROM_DEVICE, bench->attrs);
}

static void by_list(void *cookie)
{
	struct bench *bench = cookie;
	int pages = (int)bench->pages;

	must(dma_map_sg(bench->dev, bench->sg, pages, DMA_FROM_DEVICE), "dma_map_sg");
	dma_unmap_sg(bench->dev, bench->sg, pages, DMA_FROM_DEVICE);
}

static void by_state(void *cookie)
{
	struct bench *bench = cookie;
	size_t bytes = (size_t)bench->pages * SZ_4K;
	struct dma_iova_state st;
	int err = 0;

	must(dma_iova_try_alloc(bench->dev, &st, 0, bytes), "dma_iova_try_alloc");
	for (u32 i = 0; i < bench->pages; i++)
		err |= dma_iova_link(bench->dev, &st, page_to_phys(bench->page[i]),
				     (size_t)i * SZ_4K, SZ_4K, DMA_FROM_DEVICE, bench->attrs);
	err |= dma_iova_sync(bench->dev, &st, 0, bytes);
	must(!err, "dma_iova_link");
	dma_iova_destroy(bench->dev, &st, bytes, DMA_FROM_DEVICE, bench->attrs);
}

static const struct way {
	const char *name;
	void (*run)(void *cookie);
} ways[] = {
	{ "pages", by_page },
	{ "list", by_list },
	{ "two steps", by_state },
};

/* ---- The table ------------------------------------------------------------------------------- */

static void set_pages(struct bench *bench, u32 pages)
{
	bench->pages = pages;
	sg_init_table(bench->sg, pages);
	for (u32 i = 0; i < pages; i++)
		sg_set_page(&bench->sg[i], bench->page[i], SZ_4K, 0);
}

/* Bus addresses need no mapping but in a list; without an IOMMU there are no two steps. */
static bool has_way(struct bench *bench, const struct way *way)
{
	struct dma_iova_state st;

	if (bench->bus_addresses || way->run != by_state)
		return way->run == by_list || !bench->bus_addresses;
	if (!dma_iova_try_alloc(bench->dev, &st, 0, SZ_4K))
		return false;
	dma_iova_free(bench->dev, &st);
	return true;
}

static void print_row(struct bench *bench, const struct mode *mode, const struct way *way)
{
	struct dmasim_costs before, after;
	u64 ns = measure_ns(way->run, bench);

	before = dmasim_costs(bench->s);
	way->run(bench);
	after = dmasim_costs(bench->s);
	printf("| %-20s | %4u KiB | %-9s | %9llu | %7llu | %5llu | %6llu |\n", mode->name,
	       bench->pages * 4, way->name, ns, after.entries_written - before.entries_written,
	       after.iova_allocs - before.iova_allocs, after.invalidations - before.invalidations);
	fflush(stdout);
}

static void measure_mode(const struct mode *mode)
{
	static const u32 sizes[] = { 1, SZ_64K / SZ_4K, PAGES_MAX };
	struct bench *bench = calloc(1, sizeof(*bench));

	must(bench, "no memory");
	bench_init(bench, mode);
	for (u32 size = 0; size < 3; size++) {
		set_pages(bench, sizes[size]);
		for (u32 way = 0; way < 3; way++) {
			if (has_way(bench, &ways[way]))
				print_row(bench, mode, &ways[way]);
		}
	}
	bench_fini(bench);
	free(bench);
}

int main(int argc, char **argv)
{
	printf("Median of %d samples of mapping and unmapping; costs of one run\n\n"
	       "| mode                 | size     | by        |        ns | entries | IOVAs | "
	       "inval. |\n"
	       "| -------------------- | -------: | --------- | --------: | ------: | ----: | "
	       "-----: |\n",
	       MEASURE_SAMPLES);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (argc < 2 || strstr(modes[i].name, argv[1]))
			measure_mode(&modes[i]);
	}
	return 0;
}
