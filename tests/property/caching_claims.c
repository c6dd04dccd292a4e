/* SPDX-License-Identifier: MIT */
/*
 * What the software of a script claims, and whether the checker reports of it what the model says.
 */
#include "property/caching.h"

/* Kinds of reports, a bit each. */
#define STALE	 PLAIN_STALE
#define LARGER	 PLAIN_LARGER
#define TABLES	 4U
#define CONTEXTS 8U
#define ABSENT	 16U

static u32 kind_of(const struct report *report, struct caching_counts *counts)
{
	switch (report->says.id) {
	case DMASIM_REPORT_STALE_TRANSLATION:
		counts->stale++;
		return STALE;
	case DMASIM_REPORT_MIXED_PAGE_SIZES:
		counts->larger++;
		return LARGER;
	case DMASIM_REPORT_TABLE_FREED_EARLY:
		counts->tables++;
		return TABLES;
	case DMASIM_REPORT_STALE_CONTEXT:
		counts->contexts++;
		return CONTEXTS;
	case DMASIM_REPORT_ABSENT_CACHED:
		counts->absent++;
		return ABSENT;
	default:
		return 0;
	}
}

/* How many there are since the last look, and of which kinds; of the last one what it says. */
static u32 new_reports(struct caching_run *run, u32 *kinds, char *text, size_t size)
{
	const struct report *report;
	u32 count = 0;

	text[0] = 0;
	*kinds = 0;
	report = run->last_report ? STAILQ_NEXT(run->last_report, link)
				  : STAILQ_FIRST(&run->s->world.reports.list);
	for (; report; report = STAILQ_NEXT(report, link)) {
		u32 kind = kind_of(report, run->counts);

		run->last_report = report;
		if (!kind)
			continue;
		snprintf(text, size, "%s", report->says.text);
		*kinds |= kind;
		count++;
	}
	return count;
}

static const char *kinds_text(u32 kinds, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s%s%s%s", kinds ? "" : " nothing", kinds & STALE ? " stale" : "",
		 kinds & LARGER ? " larger" : "", kinds & TABLES ? " table" : "",
		 kinds & CONTEXTS ? " context" : "", kinds & ABSENT ? " absent" : "");
	return text;
}

/*
 * One report since the last look, of one of the kinds that the model expects; or none, if it
 * expects none.
 */
static bool compare(struct caching_run *run, const char *what, u32 expected)
{
	char report[1024], one[64], two[64];
	u32 found, count = new_reports(run, &found, report, sizeof(report));

	run->counts->judged++;
	if (count != (expected != 0) || (found & ~expected))
		return caching_wrong(run, "%s: %u reports,%s; the model says%s\n%s", what, count,
				     kinds_text(found, one, sizeof(one)),
				     kinds_text(expected, two, sizeof(two)), report);
	if (!expected)
		return true;
	caching_note(run, "%s: reported, as it should be,%s", what,
		     kinds_text(found, one, sizeof(one)));
	return caching_empty(run);
}

bool caching_no_report(struct caching_run *run)
{
	return compare(run, "at no claim", 0);
}

void caching_tell(struct caching_run *run, const struct dmasim_event *event)
{
	run->s->platform.ops->event(run->s, event);
}

/* What a call finds is told when it ends. */
static void end_call(struct caching_run *run)
{
	caching_tell(run, &(struct dmasim_event){ .type = DMASIM_EVENT_UNMAP_PHYS,
						  .dev = hw_function_sbdf(run->function[0]) });
}

bool caching_judge_range(struct caching_run *run, enum dmasim_event_type claim, u32 domain,
			 struct range range)
{
	static const char *const words[DMASIM_EVENT_COUNT] = {
		[DMASIM_EVENT_IOVA_ALLOC] = "allocate",
		[DMASIM_EVENT_IOVA_FREE] = "free",
		[DMASIM_EVENT_IOMMU_SYNCED] = "claim that nothing stale is left of",
	};
	u32 expected = plain_harm(&run->model, (u16)domain, range);

	caching_note(run, "%s 0x%llx-0x%llx of domain %u", words[claim], range.start, range.last,
		     domain);
	if (!caching_no_report(run))
		return false;
	caching_tell(run, &(struct dmasim_event){ .type = claim,
						  .dev = hw_function_sbdf(run->function[0]),
						  .domain = domain,
						  .dma = range.start,
						  .size = range.last - range.start + 1 });
	end_call(run);
	return compare(run, words[claim], expected);
}

/* The clerk lets go at once. */
bool caching_judge_mapped(struct caching_run *run, u32 domain, struct range range, phys_addr_t phys)
{
	struct dmasim_event event = {
		.type = DMASIM_EVENT_MAP_PHYS,
		.dev = run->clerk[domain],
		.dma = range.start,
		.size = range.last - range.start + 1,
		.phys = phys,
	};
	u32 expected = plain_is_absent(&run->model, (u16)domain, range) ? ABSENT : 0;

	caching_note(run, "claim that 0x%llx-0x%llx of domain %u is ready", range.start, range.last,
		     domain);
	if (!caching_no_report(run))
		return false;
	caching_tell(run, &event);
	event.type = DMASIM_EVENT_UNMAP_PHYS;
	caching_tell(run, &event);
	return compare(run, "mapped", expected);
}

bool caching_judge_context(struct caching_run *run, u32 which)
{
	const struct plain_context *context = &run->model.context[which];
	u32 expected = plain_context_is_stale(&run->model, which) ? CONTEXTS : 0;

	caching_note(run, "claim that device %u is attached", which);
	if (!caching_no_report(run))
		return false;
	caching_tell(run, &(struct dmasim_event){ .type = DMASIM_EVENT_ATTACH,
						  .dev = hw_function_sbdf(run->function[which]),
						  .domain = context->domain });
	end_call(run);
	return compare(run, "attached", expected);
}

bool caching_judge_table(struct caching_run *run, phys_addr_t table)
{
	u32 expected = plain_table_is_used(&run->model, table) ? TABLES : 0;

	caching_note(run, "free table 0x%llx", table);
	if (!caching_no_report(run))
		return false;
	run->s->platform.ops->frames_free(run->s, DMASIM_FAULT_TABLE_PAGE, table, 1);
	plain_table_drop(&run->model, table);
	return compare(run, "table freed", expected);
}
