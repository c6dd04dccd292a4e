/* SPDX-License-Identifier: MIT */
#include "check/explain.h"

#include "check/block.h"

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
	block_write(check, &text, finding, linux_text);
	trace_report(check, finding);
	check_record(
		check, finding,
		&(struct report_content){ .line = line, .text = block, .linux_text = linux_text });
}
