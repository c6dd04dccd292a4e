/* SPDX-License-Identifier: MIT */
#include "matrix/run_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE 64U

bool wrong(struct run *run, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (!run->wrong[0])
		vsnprintf(run->wrong, sizeof(run->wrong), format, args);
	va_end(args);
	return false;
}

const u8 *pattern(const struct run *run, u32 step)
{
	return run->pattern + (run->cells * 2503 + step * 16381) % 65536;
}

/* ---- Pieces of the buffer ---------------------------------------------- */

/* The part of [offset, offset + bytes) of the buffer that begins there and lies in one piece. */
static struct piece piece_at(const struct run *run, u32 offset, u32 bytes)
{
	for (u32 k = 0; k < run->shape.count; k++) {
		struct piece piece = run->shape.piece[k];

		if (offset < piece.bytes) {
			u32 left = piece.bytes - offset;

			return (struct piece){ piece.at + offset, bytes < left ? bytes : left };
		}
		offset -= piece.bytes;
	}
	return (struct piece){ 0, bytes };
}

/* The model's functions take ranges of the region: this goes through those of the buffer. */
#define for_each_range(run, range, at, end)                                         \
	for (struct piece range = { 0 };                                            \
	     (at) < (end) && ((range) = piece_at((run), (at), (end) - (at)), true); \
	     (at) += (range).bytes)

/* A piece and the lines around it: nobody else's memory. */
static struct piece window_of(const struct piece *piece)
{
	u32 start = piece->at / LINE * LINE - LINE;
	u32 end = (piece->at + piece->bytes + LINE - 1) / LINE * LINE + LINE;

	return (struct piece){ start, end - start };
}

/* ---- What the CPU does and sees ---------------------------------------- */

static void cpu_stores(struct run *run, u32 at, const u8 *from, u32 bytes)
{
	if (dmasim_write(run->machine.s, machine_phys(&run->machine, at), from, bytes) != bytes)
		wrong(run, "the CPU could not write");
	memory_store(&run->memory, at, from, bytes);
}

static void cpu_fills_all(struct run *run)
{
	const u8 *from = pattern(run, 0);

	for (u32 k = 0; k < run->shape.count; k++) {
		struct piece window = window_of(&run->shape.piece[k]);

		cpu_stores(run, window.at, from, window.bytes);
		from += 128;
	}
}

static void cpu_writes(struct run *run, u32 offset, u32 end, const u8 *from)
{
	for_each_range(run, range, offset, end)
	{
		cpu_stores(run, range.at, from, range.bytes);
		from += range.bytes;
	}
}

static bool cpu_sees(struct run *run, const char *when)
{
	if (run->memory.lost)
		return wrong(run, "%s: the model cannot tell", when);
	for (u32 k = 0; k < run->shape.count; k++) {
		struct piece window = window_of(&run->shape.piece[k]);
		const u8 *told = run->memory.own.cpu + window.at;
		u32 i = 0;

		if (dmasim_read(run->machine.s, machine_phys(&run->machine, window.at), run->seen,
				window.bytes) != window.bytes)
			return wrong(run, "%s: the CPU could not read", when);
		if (!memcmp(run->seen, told, window.bytes))
			continue;
		while (run->seen[i] == told[i])
			i++;
		return wrong(run, "%s: the CPU sees %02x at %+d of piece %u, not %02x", when,
			     run->seen[i], (int)(window.at + i) - (int)run->shape.piece[k].at, k,
			     told[i]);
	}
	return true;
}

/* ---- What the device does and sees ------------------------------------- */

/* What a copy's memory holds before it was cleaned cannot be told, but it is not the buffer's. */
static bool unknown_is_stale(struct run *run)
{
	u32 offset = 0, end = run->shape.bytes;

	for_each_range(run, range, offset, end)
	{
		const u8 *cpu = run->memory.own.cpu + range.at;

		if (range.bytes >= 8 && !memchr(run->known + offset, 1, range.bytes) &&
		    !memcmp(run->seen + offset, cpu, range.bytes))
			return wrong(run, "the device sees at %u what was never cleaned", offset);
	}
	return true;
}

static bool device_sees(struct run *run, const char *when)
{
	u32 offset = 0, end = run->shape.bytes;

	if (!call_dev_read(&run->mapping, 0, run->seen, end))
		return wrong(run, "%s: the device could not read", when);
	for_each_range(run, range, offset, end) memory_dev_read(
		&run->memory, range.at, run->told + offset, run->known + offset, range.bytes);
	for (u32 i = 0; i < end; i++)
		if (run->known[i] && run->seen[i] != run->told[i])
			return wrong(run, "%s: the device sees %02x at %u, not %02x", when,
				     run->seen[i], i, run->told[i]);
	return unknown_is_stale(run);
}

static bool device_writes(struct run *run, u32 offset, u32 end, const u8 *from)
{
	if (!call_dev_write(&run->mapping, offset, from, end - offset))
		return wrong(run, "the device could not write %u bytes at %u", end - offset,
			     offset);
	for_each_range(run, range, offset, end)
	{
		memory_dev_write(&run->memory, range.at, from, range.bytes);
		from += range.bytes;
	}
	return true;
}

/* Facts 11, D5: an entry that is longer than what a device takes which says nothing. */
static bool has_long_entry(const struct run *run)
{
	bool found = false;

	for (u32 k = 0; k < run->shape.count && is_list(run->cell->call); k++)
		found = found || run->shape.piece[k].bytes > SZ_64K;
	return found;
}

/* How many reports of the allowed kinds came since the last time; false: another one came. */
static bool new_reports(struct run *run, u32 one, u32 other, u32 *count)
{
	u32 now = dmasim_report_count(run->machine.s);
	struct dmasim_report report;

	*count = now - run->machine.reports;
	for (; run->machine.reports < now; run->machine.reports++) {
		if (!dmasim_report_get(run->machine.s, run->machine.reports, &report))
			return wrong(run, "a report was lost");
		if (report.id == DMASIM_REPORT_SEGMENT_LIMIT && has_long_entry(run))
			--*count;
		else if (report.id != one && report.id != other)
			return wrong(run, "unforeseen report: %s", report.line);
	}
	return true;
}

bool no_report(struct run *run)
{
	u32 count;

	return new_reports(run, 0, 0, &count);
}

/* An access that the IOMMU must refuse, with a report of it. */
static bool is_refused(struct run *run, bool write, u32 other_report, const char *when)
{
	dma_addr_t dma = run->mapping.segment[0].dma;
	struct dmasim_transfer transfer;
	u8 bytes[8] = { 0 };
	u32 count;

	if (!no_report(run))
		return false;
	transfer = write ? dmasim_dev_write(run->machine.pdev, dma, bytes, sizeof(bytes))
			 : dmasim_dev_read(run->machine.pdev, dma, bytes, sizeof(bytes));
	if (transfer.status != DMASIM_IOMMU_FAULT || transfer.done)
		return wrong(run, "the device could %s %s", write ? "write" : "read", when);
	if (!new_reports(run, DMASIM_REPORT_IOMMU_FAULT, other_report, &count))
		return false;
	return count || wrong(run, "a fault without a report");
}

/* The IOMMU lets it pass, and who looks tells it. */
static bool is_told(struct run *run)
{
	dma_addr_t dma = run->mapping.segment[0].dma;
	u8 bytes[8];
	u32 count;

	if (!no_report(run))
		return false;
	if (dmasim_dev_read(run->machine.pdev, dma, bytes, sizeof(bytes)).done != sizeof(bytes))
		return wrong(run, "the device could not read what it may write");
	if (!new_reports(run, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 0, &count))
		return false;
	return count || wrong(run, "a read against the direction without a report");
}

bool direction_is_kept(struct run *run)
{
	if (!run->forecast.protects || run->cell->dir == DMA_BIDIRECTIONAL)
		return true;
	if (run->cell->dir == DMA_FROM_DEVICE && facts_of[run->cell->mode].reads_anyway)
		return is_told(run);
	return is_refused(run, run->cell->dir == DMA_TO_DEVICE,
			  DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, "against the direction");
}

bool end_is_kept(struct run *run)
{
	bool later = facts_of[run->cell->mode].lazy && !is_two_step(run->cell->call);

	if (!run->forecast.protects || run->forecast.error || later)
		return true;
	return is_refused(run, run->cell->dir == DMA_FROM_DEVICE, DMASIM_REPORT_USE_AFTER_UNMAP,
			  "after the unmap");
}

/* Bytes beside the buffer in its granule; at: in the region, dma: for the device. */
static bool neighbours_are_right(struct run *run, dma_addr_t dma, u32 at)
{
	bool zeros = run->forecast.piece[0].copied && facts_of[run->cell->mode].untrusted;
	const u8 nothing[8] = { 0 };
	const u8 *told = zeros ? nothing : run->memory.own.cpu + at;
	u8 seen[8];
	u32 count;

	if (dmasim_dev_read(run->machine.pdev, dma, seen, 8).done != 8)
		return wrong(run, "the granule around the buffer cannot be read");
	if (memcmp(seen, told, 8) != 0)
		return wrong(run, "beside the buffer the device sees %02x, not %02x", seen[0],
			     told[0]);
	/* An earlier cell may have had these addresses. */
	return new_reports(run, DMASIM_REPORT_ACCESS_BEYOND, DMASIM_REPORT_USE_AFTER_UNMAP,
			   &count) &&
	       (count || wrong(run, "an access beside the buffer is not reported"));
}

/*
 * Facts 3.6, 5.3: the granules around the buffer become visible, but an untrusted device is shown
 * zeros there.
 */
static bool surroundings_are_right(struct run *run)
{
	const struct piece *piece = &run->shape.piece[0];
	const struct mode_facts *facts = &facts_of[run->cell->mode];
	dma_addr_t dma = run->mapping.segment[0].dma;
	u32 first = piece->at & 4095, end = (piece->at + piece->bytes) & 4095;

	/* The first segment may go on behind the first piece. */
	if (!run->forecast.protects || run->cell->dir == DMA_FROM_DEVICE || facts->no_snoop)
		return true;
	if (!no_report(run))
		return false;
	if (first >= 8 && !neighbours_are_right(run, dma - 8, piece->at - 8))
		return false;
	if (!end || end > 4088 || run->mapping.segment[0].bytes != piece->bytes)
		return true;
	return neighbours_are_right(run, dma + piece->bytes, piece->at + piece->bytes);
}

/* ---- What the calls do to memory --------------------------------------- */

static void model_maps(struct run *run, u32 pieces)
{
	for (u32 k = 0; k < pieces; k++) {
		const struct piece *piece = &run->shape.piece[k];
		const struct piece_forecast *of = &run->forecast.piece[k];

		for (u32 i = 0; i < of->ranges; i++)
			memory_bounce(&run->memory, of->range[i].at, of->range[i].bytes,
				      of->shift[i]);
		if (run->forecast.before)
			memory_clean(&run->memory, piece->at, piece->bytes);
	}
}

static void model_unmaps(struct run *run, u32 pieces)
{
	for (u32 k = 0; k < pieces; k++) {
		const struct piece *piece = &run->shape.piece[k];

		if (run->forecast.after)
			memory_invalidate(&run->memory, piece->at, piece->bytes);
		if (run->forecast.copied_back)
			memory_copy_out(&run->memory, piece->at, piece->bytes);
	}
	memory_end_copies(&run->memory);
}

/* Facts 3.9. */
static void sync_for_cpu(struct run *run)
{
	u32 offset = 0;

	call_sync_for_cpu(&run->mapping);
	if (run->cell->dir == DMA_TO_DEVICE)
		return;
	for_each_range(run, range, offset, run->shape.bytes)
	{
		memory_invalidate(&run->memory, range.at, range.bytes);
		memory_copy_out(&run->memory, range.at, range.bytes);
	}
}

static void sync_for_device(struct run *run, u32 offset, u32 bytes)
{
	struct piece done = call_sync_for_device(&run->mapping, offset, bytes);
	u32 at = done.at, end = done.at + done.bytes;

	for_each_range(run, range, at, end)
	{
		if (run->cell->dir != DMA_FROM_DEVICE)
			memory_copy_in(&run->memory, range.at, range.bytes);
		memory_clean(&run->memory, range.at, range.bytes);
	}
}

/* ---- A mapping's life -------------------------------------------------- */

/* The CPU's half of a list is as it was. */
static bool list_is_intact(struct run *run)
{
	for (u32 k = 0; is_list(run->cell->call) && k < run->shape.count; k++) {
		const struct scatterlist *s = &run->mapping.list[k];
		const struct piece *piece = &run->shape.piece[k];

		if (sg_phys(s) != machine_phys(&run->machine, piece->at) ||
		    s->length != piece->bytes)
			return wrong(run, "entry %u of the list is 0x%llx, %u bytes", k, sg_phys(s),
				     s->length);
	}
	return true;
}

static bool address_is_right(struct run *run)
{
	const struct forecast *forecast = &run->forecast;
	phys_addr_t phys = machine_phys(&run->machine, run->shape.piece[0].at);
	dma_addr_t dma = run->mapping.segment[0].dma;
	u64 total = 0;

	for (u32 i = 0; i < run->mapping.count; i++)
		total += run->mapping.segment[i].bytes;
	if (total != run->shape.bytes)
		return wrong(run, "segments of %llu bytes, not %u", total, run->shape.bytes);
	if (forecast->is_phys && dma != machine_direct_address(&run->machine, phys))
		return wrong(run, "the address is 0x%llx, not that of 0x%llx", dma, phys);
	if (forecast->is_bus && dma != phys + run->machine.bus_offset)
		return wrong(run, "the address is 0x%llx, not the bus address", dma);
	if (forecast->keeps_offset && (dma ^ phys) & 4095)
		return wrong(run, "the address 0x%llx has another offset than 0x%llx", dma, phys);
	return true;
}

/* The middle: turns are taken with syncs. */
static bool turns_are_taken(struct run *run)
{
	bool reads = run->cell->dir != DMA_FROM_DEVICE;
	u32 half = run->shape.bytes / 2, end = run->shape.bytes;

	sync_for_cpu(run);
	if (!cpu_sees(run, "synced for the CPU"))
		return false;
	if (reads)
		cpu_writes(run, half, end, pattern(run, 2));
	sync_for_device(run, half, end - half);
	return !reads || device_sees(run, "synced for the device");
}

static bool data_moves(struct run *run)
{
	bool reads = run->cell->dir != DMA_FROM_DEVICE;
	bool writes = run->cell->dir != DMA_TO_DEVICE;
	bool syncs = call_syncs(&run->mapping);
	u32 end = run->shape.bytes;

	if (reads && !device_sees(run, "mapped"))
		return false;
	if (syncs && run->cell->attrs & DMA_ATTR_SKIP_CPU_SYNC) {
		/* The driver takes care of it itself, now. */
		sync_for_device(run, 0, end);
		if (reads && !device_sees(run, "synced after SKIP_CPU_SYNC"))
			return false;
	}
	if (!direction_is_kept(run) || !surroundings_are_right(run) ||
	    (writes && !device_writes(run, 0, end / 2, pattern(run, 1))))
		return false;
	if (syncs && !turns_are_taken(run))
		return false;
	return !writes || device_writes(run, end / 3, end, pattern(run, 3));
}

static int told_error(const struct run *run)
{
	bool number = is_two_step(run->cell->call) || run->cell->call == CALL_MAP_SGTABLE;

	return run->forecast.error && !number ? -ENOMEM : run->forecast.error;
}

bool map_as_told(struct run *run)
{
	u32 report = run->forecast.report, reports = report ? run->forecast.reports : 0;
	int error = told_error(run);
	u32 count;

	call_map(&run->mapping);
	if (run->mapping.error != error)
		return wrong(run, "mapping gives %d, not %d", run->mapping.error, error);
	if (!new_reports(run, report, report, &count))
		return false;
	if (count != reports)
		return wrong(run, "%u reports, not %u", count, reports);
	return true;
}

static bool run_streaming(struct run *run)
{
	u32 pieces = run->forecast.error ? run->forecast.failing : run->shape.count;

	cpu_fills_all(run);
	if (!map_as_told(run))
		return false;
	model_maps(run, pieces);
	if (!list_is_intact(run))
		return false;
	if (!run->forecast.error) {
		run->mapped++;
		if (!address_is_right(run) || !data_moves(run))
			return false;
	}
	call_unmap(&run->mapping);
	model_unmaps(run, pieces);
	return end_is_kept(run) && cpu_sees(run, "unmapped") && no_report(run) && !run->wrong[0];
}

/* ---- Cells ------------------------------------------------------------- */

/* A list of peer memory has its second entry, which is the region's first, in RAM. */
static u32 mixed_bytes(const struct run *run)
{
	const struct piece *second = &run->shape.piece[1];

	if (!facts_of[run->cell->mode].peer || !is_list(run->cell->call))
		return 0;
	/* A page is between it and the next. */
	return second->at + second->bytes + 2048;
}

bool run_cell(struct run *run, const struct cell *asked)
{
	const struct cell *cell = &run->usable;

	run->usable = *asked;
	if (facts_of[asked->mode].unprivileged)
		run->usable.attrs &= ~(unsigned long)DMA_ATTR_PRIVILEGED;
	run->cell = cell;
	run->wrong[0] = '\0';
	run->cells++;
	shape_of(cell, &run->shape);
	forecast_cell(cell, &run->shape, &run->forecast);
	run->mapping = (struct mapping){
		.machine = &run->machine,
		.cell = cell,
		.shape = &run->shape,
	};
	for (u32 k = 0; k < run->shape.count; k++)
		run->mapping.copied = run->mapping.copied || run->forecast.piece[k].copied;
	run->machine.ram_bytes = mixed_bytes(run);
	return is_alloc(cell->call) ? run_alloc(run) : run_streaming(run);
}

bool run_begin(struct run *run, enum mode mode)
{
	u64 word = 1;

	run->wrong[0] = '\0';
	for (u32 i = 0; i < PATTERN_BYTES; i++) {
		word = word * 6364136223846793005ULL + 1442695040888963407ULL;
		run->pattern[i] = (u8)(word >> 56);
	}
	memory_init(&run->memory, !facts_of[mode].no_snoop);
	return machine_make(&run->machine, mode) || wrong(run, "there is no machine");
}

bool run_end(struct run *run)
{
	const char *found = machine_end(&run->machine);

	run->wrong[0] = '\0';
	return !found || wrong(run, "at the end: %.400s", found);
}
