/* SPDX-License-Identifier: MIT */
#include "check/block.h"

#include <string.h>

#include "check/hardware.h"
#include "check/picture.h"

static void add_site(struct text *text, const char *label, const struct dmasim_site *site)
{
	if (site)
		text_add(text, "  %-9s %s:%d in %s\n", label, site->file, site->line,
			 site->function);
}

static void add_span(struct text *text, u64 start, u64 last)
{
	text_add(text, "0x%llx", start);
	if (last > start)
		text_add(text, "-0x%llx", last);
	text_add(text, " (");
	text_add_size(text, last - start + 1);
	text_add(text, ")");
}

static void add_piece(struct text *text, const char *label, const struct piece *piece)
{
	text_add(text, "  %-9s %s ", label, picture_kind(piece));
	add_span(text, piece->at.start, piece->at.last);
	text_add(text, " -> phys 0x%llx, %s", piece->phys, picture_direction(piece));
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
	add_site(text, "unmapped", past->piece.ended.where);
}

static void add_range(struct text *text, const struct owner_range *range)
{
	text_add(text, "  %-9s state %u %s ", "range", range->state,
		 range->is_over ? "owned" : "owns");
	add_span(text, range->at.start, range->at.last);
	text_add(text, "\n");
	add_site(text, "allocated", range->site);
	add_site(text, "ended", range->ended_at);
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
		if (target->iommu && !target->as_it_is)
			text_add(text,
				 ": the IOMMU made it phys 0x%llx: nobody claims that (unsupported "
				 "request)",
				 target->carried);
		else
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

/* The same in the block, each line after the label. */
static void add_linux(struct text *text, const char *lines)
{
	while (*lines) {
		size_t length = strcspn(lines, "\n");

		text_add(text, "  %-9s %.*s\n", "Linux", (int)length, lines);
		lines += length + (lines[length] == '\n');
	}
}

static bool is_span(const struct piece *piece, const struct finding *finding)
{
	return piece->at.start == finding->dma &&
	       piece->at.last == finding->dma + (finding->size - 1);
}

/* What the call named, where that is not the mapping itself. */
static void add_asked(struct text *text, const struct finding *finding)
{
	if (!finding->site || !finding->dma || !finding->size || finding->explained ||
	    !picture_has(finding) || (finding->piece && is_span(finding->piece, finding)) ||
	    (finding->past && is_span(&finding->past->piece, finding)))
		return;
	text_add(text, "  %-9s ", "asked");
	add_span(text, finding->dma, finding->dma + (finding->size - 1));
	text_add(text, "\n");
}

static void add_replay(struct check *check, struct text *text)
{
	text_add(text, "  %-9s DMASIM_SEED=0x%llx", "replay", check->world->seed);
	if (world_cpus_run(check->world))
		text_add(text, " DMASIM_CHOICES=%s", schedule_choices(check->world->schedule));
	if (check->world->program)
		text_add(text, " %s", check->world->program);
	text_add(text, "\n");
}

void block_write(struct check *check, struct text *text, const struct finding *finding,
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
	else
		add_asked(text, finding);
	picture_add(check, text, finding);
	if (finding->piece)
		add_piece(text, "mapping", finding->piece);
	if (finding->range)
		add_range(text, finding->range);
	if (finding->past)
		add_past(text, finding->past);
	add_site(text, "call", finding->site);
	hardware_add(check, text, finding);
	if (finding->linux_says)
		text_add(text, "  %-9s %s\n", "Linux", finding->linux_says);
	add_linux(text, linux_text);
	add_replay(check, text);
}
