/* SPDX-License-Identifier: MIT */
/*
 * What is mapped: memory that no device should have, and memory that two mappings give away at
 * once.
 *
 *   mapping a    |=========|              a device writes here
 *   mapping b          |=========|        and somebody else counts on what is there
 *   shared             |===|
 *
 * Only whole cache lines can be cleaned and forgotten. So mappings of a device that does not snoop
 * collide where they share a line, too.
 */
#include <dmasim/dma.h>

#include "check/judge.h"
#include "check/share.h"

/* ---- Sharing ---------------------------------------------------------- */

#define SHARES (DMA_ATTR_DEBUGGING_IGNORE_CACHELINES | DMA_ATTR_REQUIRE_COHERENT)

/* Both say that this is on purpose; or one leaves taking turns to its driver. */
static bool is_on_purpose(const struct piece *a, const struct piece *b)
{
	return (a->attrs & SHARES && b->attrs & SHARES) ||
	       (a->attrs | b->attrs) & DMA_ATTR_SKIP_CPU_SYNC;
}

static bool may_write(const struct piece *piece)
{
	return piece->dir != DMA_TO_DEVICE;
}

/* It writes, and what the CPU's cache has of the same line comes over it later. */
static bool loses_lines(struct check *check, const struct piece *piece)
{
	const struct hw_function *function = hw_function_find(check->hw, piece->dev);

	return may_write(piece) && function && function->traits.no_snoop &&
	       !bounces_has(&check->bounces, piece->memory.start);
}

static bool share_bytes(const struct piece *a, const struct piece *b)
{
	return a->memory.start <= b->memory.last && b->memory.start <= a->memory.last;
}

/*
 * A source and a destination of one device, two lists that lead to the same memory: it works in
 * place, and nothing is brought back from what it only reads.
 */
static bool is_in_place(const struct piece *a, const struct piece *b)
{
	return a->dev == b->dev && may_write(a) != may_write(b);
}

static bool collide(struct check *check, const struct piece *a, const struct piece *b)
{
	if (is_on_purpose(a, b) || (!may_write(a) && !may_write(b)))
		return false;
	if (share_bytes(a, b))
		return !is_in_place(a, b);
	return loses_lines(check, a) || loses_lines(check, b);
}

static void tell_collision(struct check *check, const struct dmasim_event *event,
			   const struct piece *piece, const struct piece *other)
{
	check_report(check,
		     &(struct finding){
			     .id = DMASIM_REPORT_MAPPINGS_OVERLAP,
			     .dev = piece->dev,
			     .dma = piece->at.start,
			     .size = piece->at.last - piece->at.start + 1,
			     .site = event->site,
			     .what = share_bytes(piece, other)
					     ? "the same bytes are mapped already"
					     : "the same cache line is mapped already, and a "
					       "device that does not snoop writes to it",
			     .piece = other,
			     .own = piece,
			     .debug[0] = { .check = DMA_DEBUG_OVERLAP },
		     });
}

/* Memory that is not RAM is in no cache, and has no owner among CPU and devices. */
void judge_shared(struct check *check, const struct dmasim_event *event, struct piece *piece)
{
	u64 start = piece->phys & ~(u64)(SHARE_LINE_BYTES - 1);
	u64 last = piece->phys + (piece->at.last - piece->at.start);
	struct piece *other, *next;

	last |= SHARE_LINE_BYTES - 1;
	for (other = share_first(&check->owners, start, last); other; other = next) {
		next = share_next(&check->owners, other, start, last);
		/* Nobody unmaps it: that the memory is mapped anew is all that tells its end. */
		if (owners_is_excused(&check->owners, other)) {
			if (other->keeps_first)
				cpu_first_watch(check, other);
			share_end(&check->owners, other);
			continue;
		}
		if (other == piece || !collide(check, piece, other))
			continue;
		if (hw_phys_target(check->hw, piece->phys).kind == HW_TARGET_RAM)
			tell_collision(check, event, piece, other);
		return;
	}
}

/* ---- What memory is --------------------------------------------------- */

static u64 size_of(const struct piece *piece)
{
	return piece->at.last - piece->at.start + 1;
}

/* A finding about one mapping, which may be an entry of a list. */
static void tell_mapping(struct check *check, const struct dmasim_event *event,
			 const struct piece *piece, const struct finding *finding)
{
	struct finding full = *finding;

	full.dev = piece->dev;
	full.dma = piece->at.start;
	full.size = size_of(piece);
	full.site = event->site;
	full.piece = piece;
	check_report(check, &full);
}

static void judge_resource(struct check *check, const struct dmasim_event *event,
			   const struct piece *piece)
{
	u64 last = piece->phys + (size_of(piece) - 1);

	if (hw_phys_target(check->hw, piece->phys).kind != HW_TARGET_RAM &&
	    hw_phys_target(check->hw, last).kind != HW_TARGET_RAM)
		return;
	tell_mapping(
		check, event, piece,
		&(struct finding){
			.id = DMASIM_REPORT_RESOURCE_IS_RAM,
			.what = "DMA_ATTR_MMIO: caches and copies are left out",
			.debug[0] = { .check = DMA_DEBUG_RESOURCE_RAM, .number = { piece->phys } },
		});
}

static struct finding finding_of(enum memory_kind kind, u64 bytes)
{
	bool stack = kind == MEMORY_STACK;

	return (struct finding){
		.id = stack ? DMASIM_REPORT_STACK_MAPPED : DMASIM_REPORT_READ_ONLY_MAPPED,
		.what = stack ? "it is somebody else's when the function returns"
			      : "it may only be read",
		.debug[0] = { .check = stack ? DMA_DEBUG_STACK : DMA_DEBUG_TEXT,
			      .number = { bytes } },
	};
}

void judge_what_memory(struct check *check, const struct dmasim_event *event, struct piece *piece)
{
	enum memory_kind kind;
	struct finding finding;

	if (piece->attrs & DMA_ATTR_MMIO) {
		judge_resource(check, event, piece);
		return;
	}
	kind = memory_kind_at(&check->kinds, piece->phys, size_of(piece));
	if (DMASIM_UNLIKELY(kind != MEMORY_PLAIN)) {
		finding = finding_of(kind, size_of(piece));
		tell_mapping(check, event, piece, &finding);
	}
}

/* A pointer that has no physical address: the call was refused. */
void judge_map_refused(struct check *check, const struct dmasim_event *event)
{
	enum memory_kind kind;
	struct finding finding;

	if (!check_can_judge(check))
		return;
	kind = check->kinds.of_host(check->kinds.cookie, event->pointer, event->size);
	finding = finding_of(kind, event->size);
	if (kind == MEMORY_VMALLOC || kind == MEMORY_PLAIN) {
		finding.id = DMASIM_REPORT_BAD_ARGUMENT;
		finding.what = kind == MEMORY_VMALLOC ? "memory of vmalloc() is pages from anywhere"
						      : "a pointer into no memory of the machine";
		finding.debug[0].check = kind == MEMORY_VMALLOC ? DMA_DEBUG_VMALLOC
								: DMA_DEBUG_INVALID;
	}
	judge_found(check, event, &finding);
}
