/* SPDX-License-Identifier: MIT */
/*
 * Flow 1: one call per mapping. Peer memory below a common switch has a bus address; the unmap of
 * that interface gets nothing but the number, and must take it for an IOVA.
 */
#include <stdlib.h>
#include <string.h>

#include "demo.h"

#define RANGES_MAX 1024

/* IOVA space taken by ordinary allocations of one device. */
struct filling {
	struct dma_iova_state state[RANGES_MAX];
	u32 count;
	int covers; /* index of the range that covers the wanted number; -1: none does */
};

static bool covers(struct dma_iova_state *state, u64 number)
{
	return number - state->addr < dma_iova_size(state);
}

/*
 * Takes all of a device's IOVA space in pieces of 1 MiB or more, the largest first. A piece that
 * covers the number is given back and tried again at half the size, so that in the end the one that
 * covers it begins there.
 */
static void fill(struct pci_dev *pdev, u64 number, struct filling *filling)
{
	u64 bytes = sizeof(size_t) == 8 ? 1ULL << 47 : SZ_1G;

	filling->count = 0;
	filling->covers = -1;
	while (bytes >= DEMO_BYTES && filling->count < RANGES_MAX) {
		struct dma_iova_state *state = &filling->state[filling->count];

		if (!dma_iova_try_alloc(&pdev->dev, state, 0, (size_t)bytes)) {
			bytes /= 2;
			continue;
		}
		if (covers(state, number) && bytes > DEMO_BYTES) {
			dma_iova_free(&pdev->dev, state);
			bytes /= 2;
			continue;
		}
		if (covers(state, number))
			filling->covers = (int)filling->count;
		filling->count++;
		if (filling->covers >= 0)
			return;
	}
}

static void release(struct pci_dev *pdev, struct filling *filling)
{
	for (u32 i = 0; i < filling->count; i++)
		dma_iova_free(&pdev->dev, &filling->state[i]);
}

/* Prints the line of the latest report's text that begins with this label. False: it has none. */
static bool print_report_line(struct demo_stage *stage, const char *label)
{
	struct dmasim_report report;
	u32 count = dmasim_report_count(stage->s);
	char *at;

	if (!count || !dmasim_report_get(stage->s, count - 1, &report))
		return false;
	for (at = strtok(report.text, "\n"); at; at = strtok(NULL, "\n")) {
		if (!strncmp(at, label, strlen(label))) {
			printf("  %s\n", at);
			return true;
		}
	}
	return false;
}

/* The map half: what a driver of the page interface would do for peer memory. */
static dma_addr_t map_peer_page(struct demo_stage *stage)
{
	return pci_p2pdma_bus_addr_map(stage->mem, stage->peer_phys);
}

/* ---- As Linux reserves things ----------------------------------------- */

static int with_windows_reserved(const struct demo_options *options, bool acs_off,
				 struct demo_ledger *ledger, struct filling *filling)
{
	struct demo_stage stage;
	struct demo_row *row;
	struct pci_dev *taker;
	dma_addr_t dma;
	int status = stage_open(&stage, options, acs_off, options->plant == PLANT_WINDOWS);

	if (status)
		return status;
	row = row_open(ledger, &stage, "1 page", "peer");
	dma = map_peer_page(&stage);
	row_peer(row, &stage, dma);
	row->mapped_as = "bus address";
	row->data_right =
		stage_move(&stage, &(struct demo_piece){ dma, stage.peer_phys, DEMO_BYTES }, 1);
	row_close(row, &stage);

	printf("  the map gives the bus address 0x%llx: no IOVA, no entry, no IOMMU on the way\n",
	       dma);
	taker = stage.neighbour ? stage.neighbour : stage.client;
	fill(taker, dma, filling);
	printf("  %s takes all IOVA space in %u ranges: %s covers that number\n", pci_name(taker),
	       filling->count, filling->covers < 0 ? "none" : "one");
	dmasim_expect(stage.s, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED, 1);
	dma_unmap_page_attrs(&stage.client->dev, dma, DEMO_BYTES, DMA_BIDIRECTIONAL, 0);
	printf("  dma_unmap_page(0x%llx) looks for an IOVA:\n", dma);
	judge_that(ledger, print_report_line(&stage, "  Linux"), "the unmap does not warn");
	row->unmapped_as = "an IOVA: none, a warning";
	release(taker, filling);
	judge_row(ledger, row, &stage, &(struct demo_expected){ .good = "harmless by luck" });
	judge_clean(ledger, &stage);
	stage_close(&stage);
	return 0;
}

/* ---- With windows unreserved ------------------------------------------ */

/* The victim's mapping: RAM, linked where the number lies. */
static bool map_victim(struct pci_dev *victim, struct dma_iova_state *state, phys_addr_t buffer)
{
	return !dma_iova_link(&victim->dev, state, buffer, 0, DEMO_BYTES, DMA_BIDIRECTIONAL, 0) &&
	       !dma_iova_sync(&victim->dev, state, 0, DEMO_BYTES);
}

/* What the two devices meet at the number, before and after it is torn down. */
static void tear_down(struct demo_stage *stage, struct demo_ledger *ledger, struct pci_dev *victim,
		      dma_addr_t dma)
{
	bool elsewhere = victim != stage->client;
	u8 byte = 0;

	if (elsewhere)
		judge_that(ledger, dmasim_dev_write(victim, dma, stage->sent, 4096).done == 4096,
			   "the victim cannot use its mapping");
	dmasim_expect(stage->s, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED, 1);
	dma_unmap_page_attrs(&stage->client->dev, dma, DEMO_BYTES, DMA_BIDIRECTIONAL, 0);
	printf("  dma_unmap_page(0x%llx) finds an IOVA, and it is another mapping's:\n", dma);
	judge_that(ledger, print_report_line(stage, "  mapping"),
		   "nobody tells whose mapping the unmap took");
	if (!elsewhere)
		return;
	dmasim_expect(stage->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	judge_that(ledger, dmasim_dev_write(victim, dma, &byte, 1).status == DMASIM_IOMMU_FAULT,
		   "the torn mapping still translates");
	printf("  the owner's next access:\n");
	judge_that(ledger, print_report_line(stage, "  hardware"),
		   "the hardware's refusal is not told");
}

/* After the fact: the driver of the victim ends what is no longer there. */
static void end_victim(struct demo_stage *stage, struct pci_dev *victim,
		       struct dma_iova_state *state)
{
	dmasim_expect(stage->s, DMASIM_REPORT_UNMAP_SHORT, 1);
	dma_iova_destroy(&victim->dev, state, DEMO_BYTES, DMA_BIDIRECTIONAL, 0);
}

static void judge_collision(struct demo_stage *stage, struct demo_ledger *ledger,
			    struct demo_row *row, dma_addr_t dma)
{
	struct dmasim_route route;

	dmasim_route(stage->client, dma, true, &route);
	judge_that(ledger, route.in_bar && !route.passed_root,
		   "the switch does not claim the number");
	row->data_right =
		stage_move(stage, &(struct demo_piece){ dma, stage->peer_phys, DEMO_BYTES }, 1);
}

static int with_windows_hidden(const struct demo_options *options, bool acs_off,
			       struct demo_ledger *ledger, struct filling *filling)
{
	struct demo_stage stage;
	struct pci_dev *victim;
	struct demo_row *row;
	phys_addr_t buffer;
	dma_addr_t dma;
	int status = stage_open(&stage, options, acs_off, true);

	if (status)
		return status;
	victim = stage.neighbour ? stage.neighbour : stage.client;
	buffer = dmasim_alloc(stage.s, DEMO_BYTES);
	dma = map_peer_page(&stage);
	dmasim_suppress(stage.s, DMASIM_REPORT_IOVA_IN_WINDOW);
	fill(victim, dma, filling);
	judge_that(ledger, filling->covers >= 0, "no allocation reaches the number");
	if (filling->covers < 0)
		goto close;
	printf("  the same machine, its firmware silent about the host bridges' windows:\n");
	printf("  after %u ordinary allocations of %s one covers 0x%llx\n", filling->count,
	       pci_name(victim), dma);
	judge_that(ledger, map_victim(victim, &filling->state[filling->covers], buffer),
		   "the victim cannot be mapped");

	row = row_open(ledger, &stage, "1 page", "peer");
	row->mapped_as = "bus address";
	row_peer(row, &stage, dma);
	stage_print_route(
		"the client, below the switch, is claimed by the peer's port:", stage.client, dma);
	if (victim != stage.client)
		stage_print_route(
			"the owner of the IOVA, on another way, reaches its buffer:", victim, dma);
	else
		printf("  (this machine has no device of the same domain on another way)\n");
	/* Without another device it is the client's own mapping that the switch shadows. */
	if (victim == stage.client)
		dmasim_suppress(stage.s, DMASIM_REPORT_ACCESS_MISROUTED);
	judge_collision(&stage, ledger, row, dma);
	tear_down(&stage, ledger, victim, dma);
	row_close(row, &stage);
	row->unmapped_as = "an IOVA: another's mapping";
	judge_row(ledger, row, &stage,
		  &(struct demo_expected){ .good = "another's mapping lost", .invalidations = 1 });
	end_victim(&stage, victim, &filling->state[filling->covers]);
	filling->state[filling->covers] = filling->state[--filling->count];
	release(victim, filling);
	judge_clean(ledger, &stage);
close:
	stage_close(&stage);
	return 0;
}

int flow_page(const struct demo_options *options, bool acs_off, struct demo_ledger *ledger)
{
	struct filling *filling = malloc(sizeof(*filling));
	int status;

	if (!filling)
		return cli_bad_input("out of memory");
	printf("\nflow 1: one call per mapping, dma_map_page() and dma_unmap_page()\n");
	status = with_windows_reserved(options, acs_off, ledger, filling);
	if (!status)
		status = with_windows_hidden(options, acs_off, ledger, filling);
	free(filling);
	return status;
}
