/* SPDX-License-Identifier: MIT */
/*
 * How long flows take on the host: medians, in nanoseconds, as a table.
 *
 * Three machines do the same: bare (no checker, no trace), checked (the default), traced (checked,
 * with the hash of a trace). Nothing here passes or fails by time. Usage: bench_flows [part of a
 * row's name]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dmasim/dmasim.h>

#include "bench/measure.h"

#define GRANULES   (SZ_1M / SZ_4K)
#define MODE_COUNT 3

static const char *const mode_name[MODE_COUNT] = { "bare", "checked", "traced" };

struct bench {
	struct dmasim_config config;
	struct dmasim *s;
	struct pci_dev *nvme;
	struct device *dev;
	phys_addr_t buffer; /* 1 MiB, aligned */
	phys_addr_t parts;  /* 2 MiB: every other granule of it is used */
	struct page *page[GRANULES];
	struct scatterlist sg[GRANULES];
	dma_addr_t dma[GRANULES];
	u8 bytes[SZ_1M];
};

/* ---- The machine ----------------------------------------------------------------------------- */

static struct pci_dev *add(struct dmasim *s, const char *path)
{
	struct pci_dev *pdev =
		dmasim_add_endpoint(s, path, &(struct dmasim_endpoint){ .bar = { SZ_16K } });

	must(pdev, "no device");
	return pdev;
}

static void bench_init(struct bench *bench, u32 mode, bool iommu)
{
	bench->config = (struct dmasim_config){ DMASIM_CONFIG, .no_check = mode == 0,
						.trace_hash = mode == 2,
						.iommu = iommu ? DMASIM_VTD : DMASIM_NO_IOMMU };
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

static void bench_fini(struct bench *bench)
{
	char found[1024];

	if (dmasim_check_clean(bench->s, found, sizeof(found)))
		must(false, found);
	must(!dmasim_destroy(bench->s), "a leak");
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* What a test case does: a machine of its own with three devices, a mapping, data, the end. */
static void whole_test_case(struct bench *bench)
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

static void phys_of(struct bench *bench, u64 bytes)
{
	dma_addr_t dma = dma_map_phys(bench->dev, bench->buffer, bytes, DMA_FROM_DEVICE, 0);

	must(dma != DMA_MAPPING_ERROR, "dma_map_phys");
	dma_unmap_phys(bench->dev, dma, bytes, DMA_FROM_DEVICE, 0);
}

static void phys_4k(struct bench *bench)
{
	phys_of(bench, SZ_4K);
}

static void phys_1m(struct bench *bench)
{
	phys_of(bench, SZ_1M);
}

static void pages_of(struct bench *bench, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		bench->dma[i] = dma_map_page(bench->dev, bench->page[i], 0, SZ_4K, DMA_FROM_DEVICE);
		must(bench->dma[i] != DMA_MAPPING_ERROR, "dma_map_page");
	}
	for (u32 i = 0; i < count; i++)
		dma_unmap_page(bench->dev, bench->dma[i], SZ_4K, DMA_FROM_DEVICE);
}

static void page_4k(struct bench *bench)
{
	pages_of(bench, 1);
}

static void page_1m(struct bench *bench)
{
	pages_of(bench, GRANULES);
}

static void list_of(struct bench *bench, int entries)
{
	must(dma_map_sg(bench->dev, bench->sg, entries, DMA_FROM_DEVICE), "dma_map_sg");
	dma_unmap_sg(bench->dev, bench->sg, entries, DMA_FROM_DEVICE);
}

static void list_4k(struct bench *bench)
{
	list_of(bench, 1);
}

static void list_1m(struct bench *bench)
{
	list_of(bench, GRANULES);
}

static void links_of(struct bench *bench, u32 links)
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

static void links_1(struct bench *bench)
{
	links_of(bench, 1);
}

static void links_256(struct bench *bench)
{
	links_of(bench, GRANULES);
}

/* All 1 MiB in one link. */
static void link_1m(struct bench *bench)
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
static void write_of(struct bench *bench, u64 bytes)
{
	dma_addr_t dma = dma_map_phys(bench->dev, bench->buffer, bytes, DMA_FROM_DEVICE, 0);

	must(dmasim_dev_write(bench->nvme, dma, bench->bytes, bytes).done == bytes, "no data");
	dma_unmap_phys(bench->dev, dma, bytes, DMA_FROM_DEVICE, 0);
}

static void write_4k(struct bench *bench)
{
	write_of(bench, SZ_4K);
}

static void write_1m(struct bench *bench)
{
	write_of(bench, SZ_1M);
}

struct row {
	const char *name;
	void (*run)(struct bench *bench);
	bool without_iommu;
};

static const struct row rows[] = {
	{ "a whole test case with 3 devices", whole_test_case, false },
	{ "dma_map_phys 4 KiB, unmap", phys_4k, false },
	{ "dma_map_phys 1 MiB, unmap", phys_1m, false },
	{ "dma_map_page 4 KiB, unmap", page_4k, false },
	{ "dma_map_page 256 x 4 KiB, unmap", page_1m, false },
	{ "dma_map_sg 1 x 4 KiB, unmap", list_4k, false },
	{ "dma_map_sg 256 x 4 KiB, unmap", list_1m, false },
	{ "two steps, 1 link of 4 KiB", links_1, false },
	{ "two steps, 1 link of 1 MiB", link_1m, false },
	{ "two steps, 256 links of 4 KiB", links_256, false },
	{ "map 4 KiB, device write, unmap", write_4k, false },
	{ "map 1 MiB, device write, unmap", write_1m, false },
	{ "no IOMMU: dma_map_phys 4 KiB, unmap", phys_4k, true },
	{ "no IOMMU: dma_map_sg 256 x 4 KiB, unmap", list_1m, true },
	{ "no IOMMU: map 1 MiB, device write, unmap", write_1m, true },
};

/* ---- Measuring ------------------------------------------------------------------------------- */

/* A row on its machine, as measure_ns() wants it. */
struct running {
	const struct row *row;
	struct bench *bench;
};

static void run_row(void *cookie)
{
	const struct running *running = cookie;

	running->row->run(running->bench);
}

static void measure(const struct row *row)
{
	printf("| %-42s |", row->name);
	for (u32 mode = 0; mode < MODE_COUNT; mode++) {
		struct bench *bench = calloc(1, sizeof(*bench));

		must(bench, "no memory");
		bench_init(bench, mode, !row->without_iommu);
		printf(" %9llu |", measure_ns(run_row, &(struct running){ row, bench }));
		fflush(stdout);
		bench_fini(bench);
		free(bench);
	}
	printf("\n");
}

int main(int argc, char **argv)
{
	printf("Median of %d samples, ns per run\n\n| %-42s |", MEASURE_SAMPLES, "flow");
	for (u32 mode = 0; mode < MODE_COUNT; mode++)
		printf(" %9s |", mode_name[mode]);
	printf("\n| %.42s | --------: | --------: | --------: |\n",
	       "------------------------------------------");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (argc < 2 || strstr(rows[i].name, argv[1]))
			measure(&rows[i]);
	return 0;
}
