/* SPDX-License-Identifier: MIT */
/*
 * Reports of what the CPU did to memory that was a device's.
 */
#include <dmasim/dma.h>

#include "check/judge.h"
#include "check/share.h"

#define EXPLAINED_BYTES 512

/* What becomes of bytes that the CPU wrote there. */
static const char *outcome(const struct cpu_watch *watch)
{
	bool read_only = watch->piece->dir == DMA_TO_DEVICE;

	if (watch->bounced)
		return read_only ? "the device has a copy, made before: it does not see them"
				 : "the device has a copy, made before, which comes back over them";
	if (watch->no_snoop)
		return read_only ? "in the CPU's cache: the device reads what was there before"
				 : "in the CPU's cache: lost with their lines, or written back "
				   "over what the device wrote";
	return read_only ? "a race: the device reads what was there before, or they"
			 : "a race: who writes last has written, and the device may read either";
}

void cpu_bytes_text(struct text *text, const struct cpu_bytes *bytes)
{
	if (bytes->count == 1)
		text_add(text, "1 byte at phys 0x%llx", bytes->first);
	else
		text_add(text, "%llu bytes at phys 0x%llx-0x%llx", bytes->count, bytes->first,
			 bytes->last);
}

/* `at`: the memory that it is about. */
static void tell(struct check *check, const struct dmasim_event *event,
		 const struct cpu_watch *watch, const struct cpu_bytes *at,
		 const struct finding *finding)
{
	const struct piece *piece = watch->piece;
	struct finding full = *finding;

	full.dev = piece->dev;
	full.dma = piece->at.start + (at->first - piece->phys);
	full.size = at->last - at->first + 1;
	full.site = event ? event->site : NULL;
	full.piece = piece;
	check_report(check, &full);
}

/* Who maps pages of page tables or queues has taken them for its own: the software writes there. */
static bool is_softwares_own(const struct check *check, phys_addr_t phys)
{
	switch (frames_why(&check->hw->frames, phys)) {
	case DMASIM_FAULT_TABLE_PAGE:
	case DMASIM_FAULT_IOMMU_QUEUE:
	case DMASIM_FAULT_SWIOTLB:
		return true;
	default:
		return false;
	}
}

static void tell_wrote(struct check *check, const struct dmasim_event *event,
		       struct cpu_watch *watch)
{
	const struct cpu_bytes wrote = watch->wrote;
	char explained[EXPLAINED_BYTES];
	struct text text;

	watch->wrote.count = 0;
	if (is_softwares_own(check, wrote.first))
		return;
	text_init(&text, explained, sizeof(explained));
	text_add(&text, "  %-9s ", "written");
	cpu_bytes_text(&text, &wrote);
	text_add(&text, ", from offset %llu of the mapping on\n  %-9s %s\n",
		 wrote.first - watch->piece->phys, "hardware", outcome(watch));
	tell(check, event, watch, &wrote,
	     &(struct finding){
		     .id = DMASIM_REPORT_CPU_WROTE,
		     .what = event ? "no device wrote them, and since the device got them no sync "
				     "gave them to the CPU"
				   : "dmasim_write(), without a sync for the CPU before",
		     .explained = explained,
	     });
}

/* A mapping of the bytes that the CPU wrote beside this one; NULL: they are of none. */
static const struct piece *neighbour(const struct check *check, const struct cpu_watch *watch,
				     const struct cpu_bytes *wrote)
{
	struct piece *other = share_first(&check->owners, wrote->first, wrote->last);

	while (other && other == watch->piece)
		other = share_next(&check->owners, other, wrote->first, wrote->last);
	return other;
}

static void add_neighbour(struct text *text, const struct cpu_watch *watch,
			  const struct piece *other, const struct cpu_bytes *wrote)
{
	text_add(text, "  %-9s ", "beside");
	cpu_bytes_text(text, wrote);
	if (other) {
		text_add(text, ", mapped for ");
		text_add_bdf(text, other->dev);
	} else {
		text_add(text, wrote->first >= watch->at.start && wrote->last <= watch->at.last
				       ? ", of the same mapping"
				       : ", of no mapping");
	}
	text_add(text, "\n");
}

static void tell_beside(struct check *check, const struct dmasim_event *event,
			struct cpu_watch *watch)
{
	const struct cpu_bytes wrote = watch->wrote_beside, lost = watch->lost;
	const struct cpu_bytes *at = &lost;
	struct cpu_bytes all = { watch->at.start, watch->at.last, 1 };
	char explained[EXPLAINED_BYTES];
	struct text text;

	watch->wrote_beside.count = watch->lost.count = 0;
	text_init(&text, explained, sizeof(explained));
	add_neighbour(&text, watch, neighbour(check, watch, &wrote), &wrote);
	if (lost.count) {
		text_add(&text, "  %-9s ", "lost");
		cpu_bytes_text(&text, &lost);
		text_add(&text, ", which the device wrote: the line was written back over them\n");
	} else {
		at = &all;
		text_add(&text, "  %-9s nothing yet: the device has not written to that line\n",
			 "lost");
	}
	tell(check, event, watch, at,
	     &(struct finding){
		     .id = DMASIM_REPORT_CPU_LINE_LOST,
		     .what = "the device does not snoop: its buffers have their cache lines for "
			     "themselves",
		     .explained = explained,
	     });
}

void cpu_tell(struct check *check, const struct dmasim_event *event, struct cpu_watch *watch)
{
	if (DMASIM_UNLIKELY(watch->wrote.count))
		tell_wrote(check, event, watch);
	if (DMASIM_UNLIKELY(watch->wrote_beside.count))
		tell_beside(check, event, watch);
}

void check_cpu_wrote(struct check *check, phys_addr_t phys, u64 bytes)
{
	u64 last = phys + bytes - 1;
	struct cpu_watch *watch;

	if (!check->cpu.on || !check->cpu.compares || !bytes)
		return;
	if (check->cpu.first_only)
		cpu_first_watch_all(check, phys, last);
	for (watch = cpu_watch_first(&check->cpu, phys, last); watch;
	     watch = cpu_watch_next(&check->cpu, watch, phys, last)) {
		cpu_compare(check, watch, phys, last);
		if (watch->wrote.count)
			tell_wrote(check, NULL, watch);
	}
}
