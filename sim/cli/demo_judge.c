/* SPDX-License-Identifier: MIT */
#include "demo.h"

struct demo_row *row_open(struct demo_ledger *ledger, struct demo_stage *stage, const char *flow,
			  const char *buffer)
{
	struct demo_row *row = &ledger->row[ledger->count++];

	DMASIM_CONTRACT(ledger->count <= DEMO_ROWS_MAX, "the ledger has a row for every buffer");
	*row = (struct demo_row){
		.flow = flow,
		.buffer = buffer,
		.before = dmasim_costs(stage->s),
	};
	return row;
}

void row_close(struct demo_row *row, struct demo_stage *stage)
{
	struct dmasim_costs now = dmasim_costs(stage->s);

	row->iovas = now.iova_allocs - row->before.iova_allocs;
	row->entries = now.entries_written - row->before.entries_written;
	row->invalidations = now.invalidations - row->before.invalidations;
}

void row_peer(struct demo_row *row, struct demo_stage *stage, dma_addr_t dma)
{
	struct dmasim_route route;

	dmasim_route(stage->client, dma, true, &route);
	row->is_peer = true;
	row->peer_passed_root = route.passed_root;
	row->peer_reached = route.in_bar &&
			    route.hop[route.count - 1].at == stage->provider->dev.id;
}

void judge_that(struct demo_ledger *ledger, bool holds, const char *what)
{
	if (holds)
		return;
	printf("  FAILED: %s\n", what);
	ledger->failed = true;
}

void judge_row(struct demo_ledger *ledger, struct demo_row *row, const struct demo_stage *stage,
	       const struct demo_expected *expected)
{
	bool way_right = !row->is_peer ||
			 row->peer_passed_root == (stage->type != PCI_P2PDMA_MAP_BUS_ADDR);
	bool end_right = !row->is_peer || row->peer_reached;
	bool cost_right = row->iovas == expected->iovas &&
			  row->invalidations == expected->invalidations;

	judge_that(ledger, row->data_right, "the bytes are not where they should be");
	judge_that(ledger, way_right,
		   "peer memory was reached by another way than its map type says");
	judge_that(ledger, end_right, "the way to peer memory does not end in the provider's BAR");
	judge_that(ledger, cost_right, "it cost other IOVAs or invalidations than it should");
	row->verdict = row->data_right && way_right && end_right && cost_right ? expected->good
									       : "WRONG";
}

#define REPORTS_SHOWN 3

void judge_clean(struct demo_ledger *ledger, struct demo_stage *stage)
{
	struct dmasim_report report;
	char nothing[1];
	u32 found = 0;

	if (!dmasim_check_clean(stage->s, nothing, sizeof(nothing)))
		return;
	judge_that(ledger, false, "the checker found what this flow does not account for");
	for (u32 i = 0; dmasim_report_get(stage->s, i, &report); i++) {
		if (!report.expected && found++ < REPORTS_SHOWN)
			printf("%s", report.text);
	}
	if (found > REPORTS_SHOWN)
		printf("... and %u reports more\n", found - REPORTS_SHOWN);
}

static const char line_format[] = "  %-10s %-11s %-22s %-28s %5s %7s %6s  %s\n";

void ledger_print(const struct demo_ledger *ledger)
{
	printf(line_format, "flow", "buffer", "mapped as", "unmapped as", "IOVAs", "entries",
	       "inval.", "verdict");
	for (u32 i = 0; i < ledger->count; i++) {
		const struct demo_row *row = &ledger->row[i];
		char iovas[24], entries[24], invalidations[24];

		snprintf(iovas, sizeof(iovas), "%llu", row->iovas);
		snprintf(entries, sizeof(entries), "%llu", row->entries);
		snprintf(invalidations, sizeof(invalidations), "%llu", row->invalidations);
		printf(line_format, row->flow, row->buffer, row->mapped_as, row->unmapped_as, iovas,
		       entries, invalidations, row->verdict ? row->verdict : "WRONG");
	}
}
