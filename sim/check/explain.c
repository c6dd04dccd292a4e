/* SPDX-License-Identifier: MIT */
#include "check/explain.h"

#include <string.h>

#include "check/fault_text.h"

static const char *const kind_names[] = {
	[PIECE_PHYS] = "dma_map_phys",
	[PIECE_SG] = "dma_map_sg",
	[PIECE_SG_BUS] = "dma_map_sg (bus address)",
	[PIECE_LINK] = "dma_iova_link",
	[PIECE_ALLOC] = "dma_alloc",
};

static const char *const dir_names[] = { "BIDIRECTIONAL", "TO_DEVICE", "FROM_DEVICE", "NONE" };

static void add_site(struct text *text, const char *label, const struct dmasim_site *site)
{
	if (site)
		text_add(text, "  %-9s %s:%d in %s\n", label, site->file, site->line,
			 site->function);
}

static void add_span(struct text *text, u64 start, u64 last)
{
	text_add(text, "0x%llx-0x%llx (", start, last);
	text_add_size(text, last - start + 1);
	text_add(text, ")");
}

static void add_piece(struct text *text, const char *label, const struct piece *piece)
{
	text_add(text, "  %-9s %s ", label, kind_names[piece->kind]);
	add_span(text, piece->at.start, piece->at.last);
	text_add(text, " -> phys 0x%llx, %s", piece->phys, dir_names[piece->dir & 3]);
	if (piece->state)
		text_add(text, ", state %u", piece->state);
	text_add(text, ", of ");
	text_add_bdf(text, piece->dev);
	text_add(text, "\n");
	add_site(text, "mapped", piece->site);
}

static void add_past(struct text *text, const struct owner_past *past)
{
	add_piece(text, "was", &past->piece);
	add_site(text, "unmapped", past->ended_at);
}

static void add_range(struct text *text, const struct owner_range *range)
{
	text_add(text, "  %-9s state %u owns ", "range", range->state);
	add_span(text, range->at.start, range->at.last);
	text_add(text, "\n");
	add_site(text, "allocated", range->site);
}

static void add_access(struct text *text, const struct hw_access *access, phys_addr_t expected)
{
	const struct hw_target *target = access->target;

	text_add(text, "  %-9s %s ", "device", access->write ? "wrote" : "read");
	add_span(text, access->address, access->address + access->bytes - 1);
	switch (target->kind) {
	case HW_TARGET_RAM:
		text_add(text, " and hit RAM at phys 0x%llx", target->phys);
		break;
	case HW_TARGET_BAR:
		text_add(text, " and hit BAR %u of ", target->bar);
		text_add_bdf(text, hw_function_sbdf(target->function));
		text_add(text, " at offset 0x%llx%s", target->offset,
			 target->passed_root ? "" : ", without passing the root complex");
		break;
	case HW_TARGET_INTERRUPT:
		text_add(text, ": an interrupt message");
		break;
	case HW_TARGET_UNSUPPORTED:
		text_add(text, ": nobody claims the address (unsupported request)");
		break;
	case HW_TARGET_BLOCKED:
		text_add(text, ": blocked at ");
		text_add_bdf(text, hw_function_sbdf(target->function));
		text_add(text, ": %s", hw_why_text(target->why));
		break;
	case HW_TARGET_FAULT:
		text_add(text, target->fault ? ": refused by the IOMMU"
					     : ": the IOMMU gave its TLB no translation");
		break;
	case HW_TARGET_TRANSLATION:
		break;
	}
	text_add(text, "\n");
	if (expected)
		text_add(text, "  %-9s phys 0x%llx\n", "expected", expected);
}

/* What the real driver would log. */
static void add_fault(struct text *text, const struct hw_access *access)
{
	const struct hw_target *target = access->target;
	struct hw_fault_record record = target->iommu->arch->record(&(struct hw_refusal){
		.requester = target->requester,
		.domain = target->domain,
		.iova = access->address,
		.write = access->write,
		.prefix = target->prefix,
		.code = target->fault,
		.flags = target->fault_flags,
	});

	text_add(text, "  %-9s ", "hardware");
	fault_text(text, target->iommu, &record);
	text_add(text, "\n");
}

static void add_neighbour(struct text *text, const struct interval *interval, u64 dma)
{
	const struct piece *piece = (const struct piece *)interval;
	u64 gap = interval->start > dma ? interval->start - dma : dma - interval->last;

	text_add(text, "  %-9s [", interval->start > dma ? "above" : "below");
	text_add(text, "0x%llx-0x%llx %s], ", interval->start, interval->last,
		 kind_names[piece->kind]);
	text_add_size(text, gap);
	text_add(text, " away\n");
}

/* The mappings on both sides of an address that none covers. */
static void add_neighbours(struct check *check, struct text *text, const struct finding *finding)
{
	struct owner_space *space;
	struct interval *below, *above;

	if (finding->piece || finding->dev == DMASIM_NO_SBDF || !finding->access)
		return;
	space = owners_space(&check->owners, finding->dev);
	if (!space)
		return;
	below = interval_before(&space->pieces, finding->dma);
	above = interval_after(&space->pieces, finding->dma);
	if (below)
		add_neighbour(text, below, finding->dma);
	if (above)
		add_neighbour(text, above, finding->dma);
}

/* What dma-debug would print: one line for each of its errors. */
static void write_linux(const struct check *check, struct text *text, const struct finding *finding)
{
	for (u32 i = 0; i < 2 && finding->debug[i].check; i++) {
		if (i)
			text_add(text, "\n");
		dma_debug_prefix(&check->debug, text, finding->dev);
		dma_debug_text(text, &finding->debug[i]);
	}
}

/* The same in the block, each line after the label. */
static void add_linux(struct text *text, const char *lines)
{
	while (*lines) {
		size_t length = strcspn(lines, "\n");

		text_add(text, "  %-9s %.*s\n", "Linux", (int)length, lines);
		lines += length + (lines[length] == '\n');
	}
}

static void write_text(struct check *check, struct text *text, const struct finding *finding,
		       const char *linux_text)
{
	text_add(text, "DMASIM-%03u %s: %s\n", finding->id, dmasim_report_name(finding->id),
		 dmasim_report_sentence(finding->id));
	if (finding->what)
		text_add(text, "  %-9s %s\n", "here", finding->what);
	if (finding->explained)
		text_add(text, "%s", finding->explained);
	if (finding->access)
		add_access(text, finding->access, finding->expected_phys);
	if (finding->piece)
		add_piece(text, "mapping", finding->piece);
	if (finding->range)
		add_range(text, finding->range);
	if (finding->past)
		add_past(text, finding->past);
	add_neighbours(check, text, finding);
	add_site(text, "call", finding->site);
	if (finding->linux_says)
		text_add(text, "  %-9s %s\n", "Linux", finding->linux_says);
	add_linux(text, linux_text);
	/* No reason: the device gave up, and nobody has recorded anything. */
	if (finding->access && finding->access->target->kind == HW_TARGET_FAULT &&
	    finding->access->target->fault)
		add_fault(text, finding->access);
	text_add(text, "  %-9s DMASIM_SEED=0x%llx", "replay", check->world->seed);
	if (world_cpus_run(check->world))
		text_add(text, " DMASIM_CHOICES=%s", schedule_choices(check->world->schedule));
	text_add(text, "\n");
}

static void write_line(struct check *check, struct text *text, const struct finding *finding)
{
	text_add(text, "t=%llu report=DMASIM-%03u name=%s", check->world->clock.now_ns, finding->id,
		 dmasim_report_name(finding->id));
	if (finding->dev != DMASIM_NO_SBDF) {
		text_add(text, " dev=");
		text_add_bdf(text, finding->dev);
	}
	if (finding->dma)
		text_add(text, " dma=0x%llx", finding->dma);
	if (finding->size)
		text_add(text, " size=%llu", finding->size);
	if (finding->cause)
		text_add(text, " cause=%s", finding->cause);
}

static void trace_report(struct check *check, const struct finding *finding)
{
	struct trace *trace = &check->world->trace;

	if (!trace_begin(trace, "report"))
		return;
	trace_word(trace, "id", dmasim_report_name(finding->id));
	if (finding->dev != DMASIM_NO_SBDF)
		trace_bdf(trace, "dev", finding->dev);
	if (finding->dma)
		trace_hex(trace, "dma", finding->dma);
	if (finding->size)
		trace_dec(trace, "size", finding->size);
	trace_end(trace);
}

void check_report(struct check *check, const struct finding *finding)
{
	char line[DMASIM_REPORT_LINE_BYTES];
	char block[DMASIM_REPORT_TEXT_BYTES];
	char linux_text[DMASIM_REPORT_LINUX_BYTES];
	struct text text;

	text_init(&text, line, sizeof(line));
	write_line(check, &text, finding);
	text_init(&text, linux_text, sizeof(linux_text));
	write_linux(check, &text, finding);
	text_init(&text, block, sizeof(block));
	write_text(check, &text, finding, linux_text);
	trace_report(check, finding);
	check_record(
		check, finding,
		&(struct report_content){ .line = line, .text = block, .linux_text = linux_text });
}
