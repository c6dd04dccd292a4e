/* SPDX-License-Identifier: MIT */
/*
 * Flow 3: two steps. One state around the transaction, and for peer memory the map type that the
 * caller keeps beside it. And flow 4's one-call and two-step parts, where peer memory has an IOVA.
 */
#include "demo.h"

static enum pci_p2pdma_map_type planted_type(const struct demo_stage *stage)
{
	if (stage->options->plant != PLANT_TYPE)
		return stage->type;
	return stage->type == PCI_P2PDMA_MAP_BUS_ADDR ? PCI_P2PDMA_MAP_THRU_HOST_BRIDGE
						      : PCI_P2PDMA_MAP_BUS_ADDR;
}

/* Links pieces of `bytes` each, one after the other, and syncs once. */
static bool link_all(struct demo_stage *stage, struct dma_iova_state *state,
		     const phys_addr_t *phys, u32 count, unsigned long attrs)
{
	struct device *dev = &stage->client->dev;
	size_t bytes = (size_t)(DEMO_BYTES / count);

	if (!dma_iova_try_alloc(dev, state, phys[0], DEMO_BYTES))
		return false;
	for (u32 i = 0; i < count; i++) {
		if (dma_iova_link(dev, state, phys[i], i * bytes, bytes, DMA_BIDIRECTIONAL,
				  attrs)) {
			dma_iova_destroy(dev, state, i * bytes, DMA_BIDIRECTIONAL, attrs);
			return false;
		}
	}
	if (stage->options->plant == PLANT_SYNC)
		return true;
	return !dma_iova_sync(dev, state, 0, DEMO_BYTES);
}

static void destroy(struct demo_stage *stage, struct dma_iova_state *state, unsigned long attrs)
{
	size_t bytes = DEMO_BYTES;

	if (stage->options->plant == PLANT_UNLINK)
		bytes -= PAGE_SIZE;
	dma_iova_destroy(&stage->client->dev, state, bytes, DMA_BIDIRECTIONAL, attrs);
}

/* ---- Host memory ------------------------------------------------------ */

static int ram_by_state(struct demo_stage *stage, struct demo_ledger *ledger)
{
	static const struct demo_expected right = { "right", 1, 1 };
	struct demo_piece piece[DEMO_PAGES];
	phys_addr_t page[DEMO_PAGES];
	struct dma_iova_state state;
	struct demo_row *row;

	if (!stage_pages(stage, page))
		return cli_bad_input("out of memory");
	row = row_open(ledger, stage, "3 state", "RAM");
	judge_that(ledger, link_all(stage, &state, page, DEMO_PAGES, 0),
		   "the pages cannot be linked");
	printf("  RAM: one IOVA range at 0x%llx, %u links of scattered pages, one sync\n",
	       state.addr, (u32)DEMO_PAGES);
	for (u32 i = 0; i < DEMO_PAGES; i++)
		piece[i] = (struct demo_piece){ state.addr + i * PAGE_SIZE, page[i], PAGE_SIZE };
	row->mapped_as = "IOVA, 256 links";
	row->data_right = stage_move(stage, piece, DEMO_PAGES);
	destroy(stage, &state, 0);
	row->unmapped_as = "one destroy of the state";
	row_close(row, stage);
	judge_row(ledger, row, stage, &right);
	return 0;
}

/* ---- Peer memory ------------------------------------------------------ */

/* What the caller keeps of a mapping of peer memory. */
struct peer_mapping {
	struct dma_iova_state state;
	enum pci_p2pdma_map_type type;
	dma_addr_t dma;
};

static bool map_peer(struct demo_stage *stage, struct peer_mapping *mapping)
{
	*mapping = (struct peer_mapping){ .type = planted_type(stage) };
	if (mapping->type == PCI_P2PDMA_MAP_BUS_ADDR) {
		mapping->dma = pci_p2pdma_bus_addr_map(stage->mem, stage->peer_phys);
		return true;
	}
	if (!link_all(stage, &mapping->state, &stage->peer_phys, 1, DMA_ATTR_MMIO))
		return false;
	mapping->dma = mapping->state.addr;
	return true;
}

static void unmap_peer(struct demo_stage *stage, struct peer_mapping *mapping)
{
	if (mapping->type != PCI_P2PDMA_MAP_BUS_ADDR)
		destroy(stage, &mapping->state, DMA_ATTR_MMIO);
}

static void peer_by_state(struct demo_stage *stage, struct demo_ledger *ledger)
{
	bool thru_bridge = stage->type == PCI_P2PDMA_MAP_THRU_HOST_BRIDGE;
	struct demo_row *row = row_open(ledger, stage, thru_bridge ? "4 state" : "3 state", "peer");
	struct peer_mapping mapping;

	judge_that(ledger, map_peer(stage, &mapping), "peer memory cannot be mapped");
	row_peer(row, stage, mapping.dma);
	printf("  peer memory: 0x%llx, %s; the caller keeps %s beside the state\n", mapping.dma,
	       thru_bridge ? "an IOVA" : "a bus address", stage_type_name(stage->type));
	row->mapped_as = thru_bridge ? "IOVA, MMIO" : "bus address, type kept";
	row->data_right = stage_move(
		stage, &(struct demo_piece){ mapping.dma, stage->peer_phys, DEMO_BYTES }, 1);
	unmap_peer(stage, &mapping);
	row->unmapped_as = thru_bridge ? "one destroy of the state" : "by its type: nothing to do";
	row_close(row, stage);
	judge_row(ledger, row, stage,
		  &(struct demo_expected){
			  .good = "right", .iovas = thru_bridge, .invalidations = thru_bridge });
}

int flow_state(const struct demo_options *options, bool acs_off, struct demo_ledger *ledger)
{
	struct demo_stage stage;
	int status = stage_open(&stage, options, acs_off, false);

	if (status)
		return status;
	if (stage.type == PCI_P2PDMA_MAP_BUS_ADDR) {
		printf("\nflow 3, two steps: dma_iova_try_alloc(), _link(), _sync(), _destroy()\n");
		status = ram_by_state(&stage, ledger);
	} else {
		printf("\nflow 4, two steps: dma_iova_try_alloc(), _link(), _sync(), _destroy()\n");
	}
	if (!status)
		peer_by_state(&stage, ledger);
	judge_clean(ledger, &stage);
	stage_close(&stage);
	return status;
}

/* ---- Flow 4: one call ------------------------------------------------- */

static void peer_by_phys(struct demo_stage *stage, struct demo_ledger *ledger)
{
	static const struct demo_expected right = { "right", 1, 1 };
	struct device *dev = &stage->client->dev;
	struct demo_row *row = row_open(ledger, stage, "4 phys", "peer");
	dma_addr_t dma;

	dma = dma_map_phys(dev, stage->peer_phys, DEMO_BYTES, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	judge_that(ledger, !dma_mapping_error(dev, dma), "peer memory cannot be mapped");
	row_peer(row, stage, dma);
	printf("  peer memory has the IOVA 0x%llx: unmap takes it for one, and it is\n", dma);
	row->mapped_as = "IOVA, MMIO";
	row->data_right =
		stage_move(stage, &(struct demo_piece){ dma, stage->peer_phys, DEMO_BYTES }, 1);
	dma_unmap_phys(dev, dma, DEMO_BYTES, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	row->unmapped_as = "an IOVA";
	row_close(row, stage);
	judge_row(ledger, row, stage, &right);
}

int flow_phys(const struct demo_options *options, bool acs_off, struct demo_ledger *ledger)
{
	struct demo_stage stage;
	int status = stage_open(&stage, options, acs_off, false);

	if (status)
		return status;
	printf("\nflow 4, one call per mapping: dma_map_phys() with DMA_ATTR_MMIO\n");
	peer_by_phys(&stage, ledger);
	judge_clean(ledger, &stage);
	stage_close(&stage);
	return 0;
}
