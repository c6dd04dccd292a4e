/* SPDX-License-Identifier: MIT */
/*
 * Flow 2: a scatterlist of RAM and peer memory. Each entry carries a flag, so one unmap knows for
 * each what its address is.
 */
#include "demo.h"

#define ENTRIES 4
#define QUARTER ((unsigned int)(DEMO_BYTES / ENTRIES))

/* ram, peer, ram, peer: a quarter of the data each. */
static bool build_list(struct demo_stage *stage, struct scatterlist list[ENTRIES])
{
	phys_addr_t ram = dmasim_alloc(stage->s, 2 * QUARTER);

	if (ram == DMASIM_NO_PHYS)
		return false;
	sg_init_table(list, ENTRIES);
	for (u32 i = 0; i < ENTRIES; i++) {
		phys_addr_t phys = (i % 2 ? stage->peer_phys : ram) + i / 2 * QUARTER;
		struct page *page = dmasim_page(stage->s, phys);

		if (!page)
			return false;
		sg_set_page(&list[i], page, QUARTER, 0);
	}
	return true;
}

/* The segments the device is given, with the memory each one stands for. */
static u32 collect(struct scatterlist list[ENTRIES], unsigned int count,
		   struct demo_piece piece[ENTRIES])
{
	struct scatterlist *sg;
	unsigned int i;
	u32 pieces = 0;

	for_each_sg(list, sg, count, i)
		piece[pieces++] = (struct demo_piece){ sg_dma_address(sg), sg_phys(&list[i]),
						       sg_dma_len(sg) };
	return pieces;
}

static void print_segments(struct scatterlist *list, unsigned int count)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(list, sg, count, i)
		printf("  segment %u: %-12s 0x%-14llx %s\n", i,
		       is_pci_p2pdma_page(sg_page(&list[i])) ? "peer memory" : "RAM",
		       sg_dma_address(sg),
		       sg_dma_is_bus_address(sg) ? "bus address, flag set" : "IOVA");
}

static void lose_a_flag(struct scatterlist *list, unsigned int count)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(list, sg, count, i)
		sg_dma_unmark_bus_address(sg);
}

static int run(struct demo_stage *stage, struct demo_ledger *ledger)
{
	bool thru_bridge = stage->type == PCI_P2PDMA_MAP_THRU_HOST_BRIDGE;
	struct device *dev = &stage->client->dev;
	struct scatterlist list[ENTRIES];
	struct sg_table table = { .sgl = list, .orig_nents = ENTRIES };
	struct demo_piece piece[ENTRIES];
	struct demo_row *row;
	u32 count;

	if (!build_list(stage, list))
		return cli_bad_input("out of memory");
	/* One segment for each entry: longer ones would be joined where the IOVAs allow it. */
	dma_set_max_seg_size(dev, QUARTER);
	row = row_open(ledger, stage, thru_bridge ? "4 list" : "2 list", "RAM + peer");
	judge_that(ledger, !dma_map_sgtable(dev, &table, DMA_BIDIRECTIONAL, 0),
		   "the list cannot be mapped");
	judge_that(ledger, table.nents == ENTRIES, "the list has other segments");
	print_segments(list, table.nents);
	count = collect(list, table.nents, piece);
	row_peer(row, stage, sg_dma_address(&list[1]));
	row->mapped_as = thru_bridge ? "one IOVA block" : "IOVA, bus address";
	row->data_right = stage_move(stage, piece, count);
	if (stage->options->plant == PLANT_FLAG)
		lose_a_flag(list, table.nents);
	dma_unmap_sgtable(dev, &table, DMA_BIDIRECTIONAL, 0);
	row->unmapped_as = thru_bridge ? "one IOVA block" : "each by its flag";
	row_close(row, stage);
	judge_row(ledger, row, stage,
		  &(struct demo_expected){ .good = "right", .iovas = 1, .invalidations = 1 });
	judge_clean(ledger, stage);
	return 0;
}

int flow_list(const struct demo_options *options, bool acs_off, struct demo_ledger *ledger)
{
	struct demo_stage stage;
	int status = stage_open(&stage, options, acs_off, false);

	if (status)
		return status;
	printf("\n%s: dma_map_sgtable() of RAM and peer memory in one list\n",
	       stage.type == PCI_P2PDMA_MAP_BUS_ADDR ? "flow 2, a scatterlist"
						     : "flow 4, a scatterlist");
	status = run(&stage, ledger);
	stage_close(&stage);
	return status;
}
