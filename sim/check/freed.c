/* SPDX-License-Identifier: MIT */
/*
 * Memory that is freed while a device may still reach it: whoever has it next finds in it what the
 * device writes, and the device reads what is none of its business.
 */
#include "check/check.h"
#include "check/explain.h"
#include "check/share.h"

static bool leads_to(const struct piece *piece, u64 start, u64 last)
{
	u64 size = piece->at.last - piece->at.start;

	return piece->phys <= last && start <= piece->phys + size;
}

static bool has_ranges(const struct owners *owners)
{
	const struct owner_space *space;

	SLIST_FOREACH(space, &owners->spaces, link) {
		if (interval_any(&space->ranges))
			return true;
	}
	return false;
}

/* Links are not among those that are found by their memory. */
static struct piece *find_link(struct owners *owners, u64 start, u64 last)
{
	struct piece *piece = NULL;

	if (!has_ranges(owners))
		return NULL;
	while ((piece = owners_next_of_all(owners, piece))) {
		if (piece->kind == PIECE_LINK && leads_to(piece, start, last))
			return piece;
	}
	return NULL;
}

/* A driver that was told that it need not unmap does not. */
static struct piece *find_mapping(struct owners *owners, u64 start, u64 last)
{
	struct piece *piece = share_first(owners, start, last);

	while (piece && (piece->told || owners_is_excused(owners, piece)))
		piece = share_next(owners, piece, start, last);
	return piece;
}

/* For those who judge the trace; without the checker any memory may be mapped. */
static void trace_freed(struct check *check, phys_addr_t phys, u64 bytes)
{
	struct trace *trace = &check->world->trace;

	if (!trace_begin(trace, "freed"))
		return;
	trace_hex(trace, "phys", phys);
	trace_dec(trace, "size", bytes);
	trace_end(trace);
}

void check_memory_freed(struct check *check, phys_addr_t phys, u64 bytes)
{
	u64 last = phys + (bytes - 1);
	struct piece *piece = NULL;

	if (!bytes || last < phys)
		return;
	if (check_can_judge(check)) {
		piece = find_mapping(&check->owners, phys, last);
		if (!piece)
			piece = find_link(&check->owners, phys, last);
		if (!piece)
			return;
	}
	trace_freed(check, phys, bytes);
	if (piece)
		check_report(check, &(struct finding){
					    .id = DMASIM_REPORT_KERNEL_MISUSE,
					    .dev = piece->dev,
					    .dma = piece->at.start,
					    .size = piece->at.last - piece->at.start + 1,
					    .what = "memory is freed that is still mapped",
					    .hardware = "the device still reaches it, whoever "
							"gets it next",
					    .piece = piece,
				    });
}
