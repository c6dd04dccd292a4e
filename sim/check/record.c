/* SPDX-License-Identifier: MIT */
/*
 * From a finding to the record that programs get: what they need to judge it without reading texts.
 */
#include "check/explain.h"

static struct report_site site_of(const struct dmasim_site *site)
{
	if (!site)
		return (struct report_site){ 0 };
	return (struct report_site){ site->file, site->function, site->line };
}

static void add_piece(struct report_content *content, const struct piece *piece)
{
	content->mapped = site_of(piece->site);
	content->mapping = piece->at.start;
	content->mapping_size = piece->at.last - piece->at.start + 1;
	content->mapping_phys = piece->phys;
}

static void add_range(struct report_content *content, const struct owner_range *range)
{
	content->mapped = site_of(range->site);
	content->mapping = range->at.start;
	content->mapping_size = range->size;
}

void check_record(struct check *check, const struct finding *finding,
		  const struct report_content *texts)
{
	struct report_content content = *texts;

	content.id = finding->id;
	content.at_ns = check->world->clock.now_ns;
	content.dev = finding->dev;
	content.dma = finding->dma;
	content.size = finding->size;
	content.call = site_of(finding->site);
	if (finding->piece) {
		add_piece(&content, finding->piece);
	} else if (finding->past) {
		add_piece(&content, &finding->past->piece);
		content.unmapped = site_of(finding->past->piece.ended.where);
	} else if (finding->range) {
		add_range(&content, finding->range);
	}
	reports_add(&check->world->reports, &content);
}
