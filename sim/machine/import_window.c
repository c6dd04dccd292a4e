/* SPDX-License-Identifier: MIT */
/*
 * What a dump does not say of the machine: the windows of its host bridges, and where RAM is.
 *
 * Below each root bus, BARs (of virtual functions, too) and open windows of bridges claim
 * addresses. A host bridge's windows are one hull below 4 GiB and one above, CPU address = bus
 * address. Where hulls of two host bridges overlap, both have what their devices claim instead:
 *
 *   first    |aaaa        aaaa|          window: the hull      <- if the other were not there
 *   second           |bb|                        |bb|
 *   so       |aaaa|  |bb| |aaaa|
 *
 * Hardware with several domains may use one bus address twice, with different CPU addresses, which
 * a dump does not have. Then the first host bridge keeps the address, and the CPU does not reach
 * the others' devices there. RAM at 0 goes before windows, which end up beside it; the rest of the
 * RAM lies from 4 GiB up, at the first place that no window overlaps.
 */
#include <bsd/stdlib.h>

#include <errno.h>

#include "machine/import.h"

/* A free place for RAM begins at a multiple of it; RAM has a multiple of it. */
#define RAM_ALIGN_LG2 20

/* Where a hull or a claim may be: not in RAM at 0, not where adopted memory begins. */
static struct hw_span usable(const struct dmasim *s)
{
	return (struct hw_span){ s->hw.ram.range[0].bytes, MACHINE_ADOPT_START - 1 };
}

/* ---- Claims ----------------------------------------------------------- */

static void claim(struct import *import, struct import_root *root, struct hw_span span)
{
	struct hw_span limit = usable(import->s);

	if (span.start < limit.start)
		span.start = limit.start;
	if (span.last > limit.last)
		span.last = limit.last;
	if (span.start > span.last)
		return;
	if (span.start < SZ_4G && span.last >= SZ_4G) {
		root->span[root->span_count++] = (struct hw_span){ span.start, SZ_4G - 1 };
		span.start = SZ_4G;
	}
	root->span[root->span_count++] = span;
}

static void claim_of_function(struct import *import, struct import_root *root,
			      const struct import_function *function)
{
	bool memory = import_read(function, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY;

	for (u32 i = 0; i < IMPORT_BARS; i++) {
		const struct import_bar *bar = &function->bar[i];

		if (bar->bytes && !bar->io)
			claim(import, root,
			      (struct hw_span){ bar->address,
						bar->address + bar->bytes * bar->count - 1 });
	}
	for (u32 i = 0; i < 2 && memory; i++)
		claim(import, root, function->window[i]);
}

static int compare_spans(const void *left, const void *right)
{
	const struct hw_span *a = left, *b = right;

	return (a->start > b->start) - (a->start < b->start);
}

static u32 half_of(struct hw_span span)
{
	return span.start >= SZ_4G;
}

/* Joins what overlaps or touches, but not across 4 GiB. */
static void merge(struct import_root *root)
{
	u32 kept = 0;

	heapsort(root->span, root->span_count, sizeof(*root->span), compare_spans);
	for (u32 i = 0; i < root->span_count; i++) {
		struct hw_span *before = kept ? &root->span[kept - 1] : NULL;
		struct hw_span span = root->span[i];

		if (!before || span.start > before->last + 1 || half_of(span) != half_of(*before))
			root->span[kept++] = span;
		else if (span.last > before->last)
			before->last = span.last;
	}
	root->span_count = kept;
}

static int gather(struct import *import, struct import_root *root)
{
	struct import_function *function;
	size_t count = 0;

	root->hull[0] = root->hull[1] = HW_NO_SPAN;
	if (root->endpoint)
		return 0;
	/* Each may have to be cut at 4 GiB. */
	TAILQ_FOREACH(function, &root->functions, below)
		count += 2 * (IMPORT_BARS + 2);
	root->span = import_alloc(import, count * sizeof(*root->span));
	if (!root->span)
		return -ENOMEM;
	TAILQ_FOREACH(function, &root->functions, below)
		claim_of_function(import, root, function);
	merge(root);
	for (u32 i = 0; i < root->span_count; i++) {
		struct hw_span *hull = &root->hull[half_of(root->span[i])];

		if (hull->start > hull->last)
			hull->start = root->span[i].start;
		hull->last = root->span[i].last;
	}
	return 0;
}

/* ---- Windows ---------------------------------------------------------- */

static bool overlap(struct hw_span a, struct hw_span b)
{
	return a.start <= a.last && b.start <= b.last && a.start <= b.last && b.start <= a.last;
}

static struct hw_span span_of(const struct hw_window *window)
{
	return (struct hw_span){ window->start, window->start + window->bytes - 1 };
}

static bool is_alone(const struct import *import, const struct import_root *root, u32 half)
{
	const struct import_root *other;

	TAILQ_FOREACH(other, &import->roots, link) {
		if (other != root && overlap(other->hull[half], root->hull[half]))
			return false;
	}
	return true;
}

/* With no place for one more, the smallest goes. */
struct tally {
	u32 taken;   /* claims that another host bridge has, wholly or in part */
	u32 dropped; /* windows that had no place */
};

static void add_window(struct import_root *root, struct hw_span span, struct tally *tally)
{
	struct hw_window added = { .start = span.start,
				   .bytes = span.last - span.start + 1,
				   .inferred = true };
	u32 smallest = 0;

	if (root->window_count < HW_ROOT_WINDOWS_MAX) {
		root->window[root->window_count++] = added;
		return;
	}
	tally->dropped++;
	for (u32 i = 1; i < root->window_count; i++) {
		if (root->window[i].bytes < root->window[smallest].bytes)
			smallest = i;
	}
	if (root->window[smallest].bytes >= added.bytes)
		return;
	for (u32 i = smallest; i + 1 < root->window_count; i++)
		root->window[i] = root->window[i + 1];
	root->window[root->window_count - 1] = added;
}

/* The first window of a host bridge before `root` that overlaps the span; false: there is none. */
static bool find_earlier(const struct import *import, const struct import_root *root,
			 struct hw_span span, struct hw_span *found)
{
	const struct import_root *other;
	bool any = false;

	for (other = TAILQ_FIRST(&import->roots); other != root; other = TAILQ_NEXT(other, link)) {
		for (u32 i = 0; i < other->window_count; i++) {
			struct hw_span window = span_of(&other->window[i]);

			if (overlap(window, span) && (!any || window.start < found->start)) {
				*found = window;
				any = true;
			}
		}
	}
	return any;
}

/* What of the claim no host bridge before has. */
static void add_rest(const struct import *import, struct import_root *root, struct hw_span span,
		     struct tally *tally)
{
	struct hw_span taken;

	if (find_earlier(import, root, span, &taken))
		tally->taken++;
	while (span.start <= span.last && find_earlier(import, root, span, &taken)) {
		if (taken.start > span.start)
			add_window(root, (struct hw_span){ span.start, taken.start - 1 }, tally);
		span.start = taken.last + 1;
	}
	if (span.start <= span.last)
		add_window(root, span, tally);
}

static void choose_windows(const struct import *import, struct import_root *root, u32 half,
			   struct tally *tally)
{
	if (is_alone(import, root, half)) {
		if (root->hull[half].start <= root->hull[half].last)
			add_window(root, root->hull[half], tally);
		return;
	}
	for (u32 i = 0; i < root->span_count; i++) {
		if (half_of(root->span[i]) == half)
			add_rest(import, root, root->span[i], tally);
	}
}

static void note_windows(struct import *import, const struct tally *tally)
{
	if (tally->taken)
		import_note(import,
			    "%u range%s of addresses belong%s to two host bridges: the first keeps "
			    "them, the CPU does not reach the other's",
			    tally->taken, tally->taken > 1 ? "s" : "", tally->taken > 1 ? "" : "s");
	if (tally->dropped)
		import_note(import,
			    "%u window%s left out: a host bridge has the %u largest at most",
			    tally->dropped, tally->dropped > 1 ? "s" : "", HW_ROOT_WINDOWS_MAX);
}

/* ---- RAM -------------------------------------------------------------- */

/* The window that [start, last] runs into; NULL: none. */
static const struct hw_window *window_in(const struct import *import, struct hw_span span)
{
	const struct import_root *root;

	TAILQ_FOREACH(root, &import->roots, link) {
		for (u32 i = 0; i < root->window_count; i++) {
			if (overlap(span_of(&root->window[i]), span))
				return &root->window[i];
		}
	}
	return NULL;
}

static bool is_touched(const struct ram *ram, struct hw_span span)
{
	const struct ram_extent *extent = RB_ROOT(&ram->phys_tree);

	while (extent) {
		struct hw_span at = { extent->start, extent->start + extent->bytes - 1 };

		if (overlap(at, span))
			return true;
		extent = span.start < at.start ? RB_LEFT(extent, by_phys)
					       : RB_RIGHT(extent, by_phys);
	}
	return false;
}

/* Blocks of allocated frames that nobody touched have no extents: so all must be free. */
static bool is_used(const struct dmasim *s, struct hw_span span)
{
	for (u32 i = 0; i < DMASIM_FAULT_COUNT; i++) {
		if (s->hw.frames.in_use[i])
			return true;
	}
	return is_touched(&s->hw.ram, span);
}

static int place_ram(struct import *import)
{
	const struct dmasim *s = import->s;
	const struct ram_range *high = &s->hw.ram.range[1];
	const struct hw_window *window;
	struct hw_span span;

	if (s->hw.ram.range_count < 2)
		return 0;
	span = (struct hw_span){ SZ_4G, SZ_4G + high->bytes - 1 };
	while ((window = window_in(import, span))) {
		u64 start = window->start + window->bytes + (1ULL << RAM_ALIGN_LG2) - 1;

		span.start = start >> RAM_ALIGN_LG2 << RAM_ALIGN_LG2;
		span.last = span.start + high->bytes - 1;
		if (span.last >= MACHINE_ADOPT_START)
			return import_error(
				import, 0,
				"%llu MiB of RAM find no place beside the host bridges' "
				"windows; expected a machine with less",
				high->bytes >> 20);
	}
	import->high_ram = span.start;
	if (span.start == high->start)
		return 0;
	if (is_used(s, (struct hw_span){ high->start, high->start + high->bytes - 1 }))
		return import_error(import, 0,
				    "RAM must move from 0x%llx to 0x%llx, beside the host bridges' "
				    "windows; expected a machine whose memory is not in use yet",
				    high->start, span.start);
	return 0;
}

static int infer_windows(struct import *import)
{
	struct import_root *root;
	struct tally tally = { 0 };

	TAILQ_FOREACH(root, &import->roots, link) {
		int err = gather(import, root);

		if (err)
			return err;
	}
	TAILQ_FOREACH(root, &import->roots, link) {
		for (u32 half = 0; half < IMPORT_HALVES; half++)
			choose_windows(import, root, half, &tally);
	}
	note_windows(import, &tally);
	return 0;
}

int import_windows(struct import *import)
{
	bool told = import->description && import->description->window_count;
	int err = told ? import_told_windows(import) : infer_windows(import);

	return err ? err : place_ram(import);
}
