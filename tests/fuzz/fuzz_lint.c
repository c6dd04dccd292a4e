/* SPDX-License-Identifier: MIT */
/*
 * Bytes as a trace (dmasim/trace.h): a header, then lines with fields that the input fills in, out
 * of so few values that they meet; and any bytes between.
 *
 * After each trace:
 *   - the error of a refused one is one line that names the file, the line and what was expected;
 *   - an accepted one, with what was found in it written behind it, has no difference: the same is
 *     found again;
 *   - nothing leaks.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <dmasim/dmasim.h>

#include "lines.h"
#include "lint.h"

enum { FEATURE_REFUSED = 1, FEATURE_ACCEPTED, FEATURE_REPORT };

#define DEV  " dev=0000:03:00.#"
#define DMA  " dma=0x1@000"
#define PHYS " phys=0x10@000"
#define SIZE " size=4#00"
#define CALL DEV DMA PHYS SIZE " dir=TO_DEVICE"

static const char *const trace_lines[] = {
	"t=0 cpu=0 ram phys=0x0 size=1073741824",
	"t=0 cpu=0 window at=0000:00:00.0 last=255 dma=0x1@000 size=4096",
	"t=0 cpu=0 device dev=0000:03:00.# snoop=0",
	"t=0 cpu=0 reserved dma=0x1@000 size=4096",
	"t=0 cpu=0 bar dev=0000:04:00.# bar=# phys=0x10@000 bus=0x10@000 size=4096",
	"t=0 cpu=0 memory phys=0x10@000 size=4096 memory=stack",
	"t=0 cpu=0 memory phys=0x10@000 size=0 memory=plain",
	"t=0 cpu=0 iommu_attach" DEV " group=1 dom=# ret=0",
	"t=0 cpu=0 iova_alloc" DEV " dom=1" DMA SIZE " ret=0",
	"t=0 cpu=0 iova_free dom=1" DMA SIZE,
	"t=0 cpu=0 iommu_map dom=1" DMA PHYS SIZE " done=4#00 prot=rw ret=0",
	"t=0 cpu=# iommu_unmap dom=1" DMA SIZE " done=4#00",
	"t=0 cpu=# dma_map_phys" CALL,
	"t=0 cpu=# dma_map_phys" DEV DMA PHYS SIZE " dir=FROM_DEVICE attrs=0x1@@",
	"t=0 cpu=# dma_unmap_phys" DEV DMA SIZE " dir=TO_DEVICE",
	"t=0 cpu=0 dma_unmap_phys" DEV DMA SIZE " dir=INVALID attrs=0x4@0",
	"t=0 cpu=0 dma_map_single" DEV SIZE " dir=TO_DEVICE memory=vmalloc",
	"t=0 cpu=0 dma_mapping_error" DEV DMA " ret=0",
	"t=0 cpu=0 swiotlb_map" DEV DMA PHYS SIZE,
	"t=0 cpu=0 swiotlb_unmap" DEV DMA SIZE,
	"t=0 cpu=0 dma_sync_single_for_cpu" DEV DMA SIZE " dir=TO_DEVICE",
	"t=0 cpu=0 dma_sync_single_for_device" DEV DMA SIZE " dir=FROM_DEVICE",
	"t=0 cpu=0 sg_entry" DMA SIZE " done=4#00",
	"t=0 cpu=0 dma_sync_sg_for_cpu" DEV " n=# dir=TO_DEVICE",
	"t=0 cpu=0 dma_alloc" CALL " kind=coherent",
	"t=0 cpu=0 dma_free" CALL " kind=noncoherent",
	"t=0 cpu=0 sg_map" DEV DMA PHYS SIZE " done=4#00 bus=0",
	"t=0 cpu=0 sg_map" DEV DMA PHYS SIZE " done=4#00 bus=1",
	"t=0 cpu=0 dma_map_sg" DEV " n=# dir=TO_DEVICE ret=0 longest=4#00 boundary=0x1@fff",
	"t=0 cpu=0 dma_map_sg" DEV
	" n=1 dir=TO_DEVICE ret=1 longest=4#00 boundary=0x1@ff changed=1",
	"t=0 cpu=0 sg_unmap" DEV DMA SIZE " bus=0",
	"t=0 cpu=0 sg_unmap" DEV DMA SIZE " bus=1",
	"t=0 cpu=0 dma_unmap_sg" DEV " n=# dir=TO_DEVICE",
	"t=0 cpu=0 dma_iova_try_alloc" DEV " st=1" DMA PHYS SIZE " ret=1",
	"t=0 cpu=0 dma_iova_link" DEV " st=1" DMA PHYS " off=4#00 size=4096 dir=TO_DEVICE ret=0",
	"t=0 cpu=0 dma_iova_link" DEV " st=1" DMA PHYS " off=4#00 size=4096 dir=NONE ret=-EINVAL",
	"t=0 cpu=0 dma_iova_sync" DEV " st=1" DMA " off=4#00 size=4#00 ret=0",
	"t=0 cpu=0 dma_iova_unlink" DEV " st=1" DMA " off=4#00 size=4#00 dir=TO_DEVICE",
	"t=0 cpu=0 dma_iova_free" DEV " st=1" DMA SIZE,
	"t=0 cpu=0 dma_iova_destroy" DEV " st=1" DMA SIZE " dir=TO_DEVICE",
	"t=0 cpu=0 dma_iova_unlink" DEV " st=1" DMA " off=184467440737095#0000 size=4#00 dir=NONE",
	"t=0 cpu=0 driver_unbound" DEV,
	"t=0 cpu=0 dma_need_unmap" DEV " ret=0",
	"t=0 cpu=0 p2p_map_type" DEV " peer=0000:04:00.# type=THRU_HOST_BRIDGE",
	"t=0 cpu=0 p2pdma_release dev=0000:04:00.#",
	"t=0 cpu=0 dma_map_phys" CALL " below=1",
	"t=0 cpu=0 dev_access" DEV DMA SIZE " dir=read to=ram phys=0x10@000",
	"t=0 cpu=0 dev_access" DEV DMA SIZE " dir=write to=ram phys=0x10@000",
	"t=0 cpu=0 dev_access" DEV DMA
	" size=# dir=read to=bar at=0000:04:00.# bar=# off=1#0 root=1",
	"t=0 cpu=0 dev_access" DEV DMA " size=# dir=read to=unsupported why=NOBODY",
	"t=0 cpu=0 dev_access" DEV DMA " size=# dir=read to=blocked at=0000:02:00.0 why=UF",
	"t=0 cpu=0 dev_access" DEV DMA " size=# dir=write to=fault unit=# source=0x3@@ dom=# "
	"reason=0x1@ flags=0x1@@",
	"t=0 cpu=# warn id=unmap-short" DEV " dma=0x1@000 size=4096 what=\"words\"",
	"t=0 cpu=# warn id=bad-argument dma=0x0 size=0 what=\"\"",
	"t=0 cpu=0 settled",
	"t=0 cpu=0 leaks_sought",
	"t=# cpu=0 settled",
	"t=0 cpu=0 freed" PHYS SIZE,
	"t=0 cpu=0 bar_lost dev=0000:04:00.# bar=# at=0000:02:00.0 register=0x4",
	"t=0 cpu=0 queue_error unit=# low=0x1@ high=0x0",
	"t=0 cpu=0 device_tlb_timeout unit=#" DEV DMA,
};

#define TRACE_LINES (sizeof(trace_lines) / sizeof(trace_lines[0]))

#undef DEV
#undef DMA
#undef PHYS
#undef SIZE
#undef CALL

static void write_trace(struct lines *lines)
{
	u8 iommu = take8(&lines->bytes);

	if (iommu % 16)
		lines_put_text(lines, iommu % 2 ? "# dmasim-trace v=1 seed=0x1 iommu=vtd\n"
						: "# dmasim-trace v=1 iommu=amd-vi unchecked=1\n");
	while (lines->bytes.left) {
		u8 what = take8(&lines->bytes);

		if (what < 250)
			lines_put_line(lines, trace_lines[what % TRACE_LINES]);
		else if (what < 253)
			lines_cut(lines, lines->length < what ? lines->length : 1U + what % 8);
		else
			lines_put_bytes(lines, 1U + what % 8);
	}
}

/* What was found, as lines of a trace. */
struct found {
	struct fuzz_run *run;
	FILE *text;
	u32 count;
	u32 left_out; /* the number of one that is not written; 0: none */
};

static void write_report(void *cookie, const struct dmasim_report *report, u64 line)
{
	struct found *found = cookie;

	(void)line;
	fuzz_feature(found->run, FEATURE_REPORT, (u64)report->id, report->dev == DMASIM_NO_SBDF);
	if (++found->count == found->left_out)
		return;
	fprintf(found->text, "t=18446744073709551615 cpu=0 report id=%s",
		dmasim_report_name(report->id));
	if (report->dev != DMASIM_NO_SBDF)
		fprintf(found->text, " dev=%04x:%02x:%02x.%x", report->dev >> 16,
			report->dev >> 8 & 0xff, report->dev >> 3 & 0x1f, report->dev & 7);
	if (report->dma)
		fprintf(found->text, " dma=0x%llx", report->dma);
	fputc('\n', found->text);
}

static int lint_text(struct fuzz_run *run, char *text, size_t bytes, struct found *found,
		     struct dmasim_lint_result *result)
{
	FILE *file = fmemopen(text, bytes, "r");
	struct dmasim *s = dmasim_create(NULL);
	const struct dmasim_lint lint = { .trace = file,
					  .name = "trace",
					  .found = found ? write_report : NULL,
					  .cookie = found };
	int err = -ENOMEM;

	if (file && s)
		err = dmasim_lint(s, &lint, result);
	fuzz_check(run, !dmasim_destroy(s), "memory leaks");
	if (file)
		fclose(file);
	return err;
}

/* The same trace, and what was found in it behind. */
static void check_again(struct fuzz_run *run, const struct dmasim_lint_result *first, char *text,
			size_t bytes)
{
	struct dmasim_lint_result result = { 0 };
	int err = lint_text(run, text, bytes, NULL, &result);

	fuzz_check(run, !err, "refused the second time: %s", result.error.text);
	if (err)
		return;
	fuzz_check(run, result.found == first->found, "%llu reports, and then %llu", first->found,
		   result.found);
	fuzz_check(run, !result.extra && !result.missing,
		   "what was found differs: %llu more, %llu less", result.extra, result.missing);
	fuzz_feature(run, FEATURE_ACCEPTED, result.found < 4 ? result.found : 4, result.alive != 0);
}

static void check_trace(struct fuzz_run *run, struct lines *lines)
{
	struct dmasim_lint_result result = { 0 };
	struct found found = { .run = run };
	size_t bytes = 0;
	char *text = NULL;
	int err;

	found.left_out = run->canary == LINT_LOSES_REPORT;
	found.text = open_memstream(&text, &bytes);
	if (!found.text)
		return;
	fwrite(lines->text, 1, lines->length, found.text);
	err = lint_text(run, lines->text, lines->length, &found, &result);
	fclose(found.text);
	fuzz_check(run, !err || err == -EINVAL, "result %d: %s", err, result.error.text);
	if (err == -EINVAL) {
		lines_check_error(run, "trace", result.error.text, run->canary == LINT_LOSES_LINE);
		fuzz_feature(run, FEATURE_REFUSED, lines_kind(result.error.text), 0);
	}
	if (!err)
		check_again(run, &result, text, bytes);
	free(text);
}

static bool fuzz_lint(struct fuzz_run *run, const u8 *data, size_t size)
{
	struct lines *lines = calloc(1, sizeof(*lines));

	if (!lines)
		return true;
	lines->bytes = (struct bytes){ data, size < FUZZ_INPUT_BYTES ? size : FUZZ_INPUT_BYTES };
	write_trace(lines);
	/* A file of no bytes is none that fmemopen() takes. */
	if (lines->length)
		check_trace(run, lines);
	free(lines);
	return !fuzz_failed(run);
}

static const struct fuzz_canary canaries[] = {
	{ "loses-report", LINT_LOSES_REPORT },
	{ "loses-line", LINT_LOSES_LINE },
};

/* A mapping and its end; an access; a list; a state. */
static const u8 pieces[][FUZZ_PIECE_BYTES] = {
	{ 12, 12, 0, 3, 1, 2, 4, 14, 0, 3, 1, 4 },
	{ 5, 46, 3, 1, 4, 2 },
	{ 8, 26, 3, 1, 2, 4, 4, 28, 3 },
	{ 9, 30, 3, 1, 4, 32, 3, 1, 2, 2 },
	{ 5, 33, 3, 1, 2, 4 },
	{ 5, 34, 3, 1, 2, 0 },
	{ 5, 38, 3, 1, 4 },
	{ 2, 55, 54 },
};

const struct fuzz_target fuzz_lint_target = {
	.name = "lint",
	.run = fuzz_lint,
	.canary = canaries,
	.canaries = sizeof(canaries) / sizeof(canaries[0]),
	.piece = pieces,
	.pieces = sizeof(pieces) / sizeof(pieces[0]),
};
