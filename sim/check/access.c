/* SPDX-License-Identifier: MIT */
/*
 * What devices do: every access is held against the account of mappings.
 */
#include <dmasim/dma.h>

#include "check/check.h"
#include "check/judge.h"

static bool allowed_by_direction(const struct piece *piece, bool write)
{
	if (piece->dir == DMA_BIDIRECTIONAL)
		return true;
	return piece->dir == (write ? DMA_FROM_DEVICE : DMA_TO_DEVICE);
}

static void found(struct check *check, const struct hw_access *access,
		  const struct finding *finding)
{
	struct finding full = *finding;

	full.dev = hw_function_sbdf(access->from);
	full.access = access;
	if (!full.dma)
		full.dma = access->address;
	full.size = access->bytes;
	check_report(check, &full);
}

/* What firmware reserves for the device is its own: nobody maps it, and it may use it. */
static bool is_reserved(const struct check *check, const struct hw_access *access)
{
	const struct platform_firmware *firmware = check->firmware;

	for (u32 i = 0; firmware && i < firmware->reserved_count; i++) {
		const struct platform_reserved *reserved = &firmware->reserved[i];

		if (reserved->dev != DMASIM_NO_SBDF &&
		    reserved->dev != hw_function_sbdf(access->from))
			continue;
		if (access->address - reserved->start < reserved->bytes)
			return true;
	}
	return false;
}

/*
 * A piece of this device that covers the address. Without an IOMMU several may: one that allows the
 * access is enough. With one, too, while an unmap is not yet over on another CPU: the last is it.
 */
static struct piece *piece_at(const struct owner_space *space, dmasim_sbdf dev, u64 dma, bool write)
{
	struct piece *best = NULL;
	struct piece *piece;
	bool best_allowed = false;

	for (piece = owners_first(space, dma, dma); piece;
	     piece = owners_next(space, piece, dma, dma)) {
		bool allowed = allowed_by_direction(piece, write);

		if (piece->dev != dev || (best_allowed && !allowed))
			continue;
		if (best && best_allowed == allowed && piece->number < best->number)
			continue;
		best = piece;
		best_allowed = allowed;
	}
	return best;
}

/* One part of an access that lies in one piece. True: there was something to say. */
static bool judge_part(struct check *check, const struct hw_access *access,
		       const struct piece *piece, u64 dma)
{
	phys_addr_t expected = piece->phys + (dma - piece->at.start);
	phys_addr_t went = access->target->phys + (dma - access->address);

	if (access->target->phys == RAM_NO_PHYS ||
	    bounces_original(&check->bounces, went) != expected) {
		found(check, access,
		      &(struct finding){ .id = DMASIM_REPORT_ACCESS_MISROUTED,
					 .piece = piece,
					 .expected_phys = expected });
		return true;
	}
	if (!piece->synced) {
		found(check, access,
		      &(struct finding){
			      .id = DMASIM_REPORT_ACCESS_BEFORE_SYNC, .dma = dma, .piece = piece });
		return true;
	}
	if (!allowed_by_direction(piece, access->write)) {
		found(check, access,
		      &(struct finding){ .id = DMASIM_REPORT_ACCESS_AGAINST_DIRECTION,
					 .dma = dma,
					 .piece = piece });
		return true;
	}
	return false;
}

/* True: it is of peer memory, and the device was not told to use it so. */
static bool judge_peer(struct check *check, const struct hw_access *access, u64 dma)
{
	struct finding finding = { .dma = dma };
	char what[192];
	struct text text;

	text_init(&text, what, sizeof(what));
	if (!judge_peer_used(check, access, dma, &text, &finding.id))
		return false;
	finding.what = what;
	found(check, access, &finding);
	return true;
}

/*
 * An address that no mapping covers. Peer memory reached below a switch is none of the mappings'
 * business: bus addresses need none.
 */
static bool judge_uncovered(struct check *check, const struct hw_access *access,
			    const struct owner_space *space, u64 dma)
{
	dmasim_sbdf dev = hw_function_sbdf(access->from);
	const struct owner_past *past = owners_past(space, dev, dma);

	if (!past && judge_peer(check, access, dma))
		return true;
	if (access->target->kind == HW_TARGET_BAR && !access->target->passed_root)
		return false;
	found(check, access,
	      &(struct finding){ .id = past ? DMASIM_REPORT_USE_AFTER_UNMAP
					    : DMASIM_REPORT_ACCESS_NOT_MAPPED,
				 .dma = dma,
				 .past = past,
				 .range = past ? NULL : owners_range_at(space, dev, dma) });
	return true;
}

void check_access(void *cookie, const struct hw_access *access)
{
	struct check *check = cookie;
	dmasim_sbdf dev = hw_function_sbdf(access->from);
	u64 end = access->address + access->bytes;
	struct owner_space *space;
	u64 dma = access->address;

	if (!check_can_judge(check) || access->target->kind == HW_TARGET_INTERRUPT ||
	    is_reserved(check, access))
		return;
	space = owners_space(&check->owners, dev);
	/* One report for one access is enough. */
	for (bool told = false; space && dma != end && !told;) {
		struct piece *piece = piece_at(space, dev, dma, access->write);
		struct interval *next;

		if (piece) {
			told = judge_part(check, access, piece, dma);
			dma = piece->at.last < end - 1 ? piece->at.last + 1 : end;
			continue;
		}
		told = judge_uncovered(check, access, space, dma);
		next = interval_after(&space->pieces, dma);
		dma = next && next->start < end ? next->start : end;
	}
}

void check_refused(void *cookie, const struct hw_access *access)
{
	struct check *check = cookie;
	dmasim_sbdf dev = hw_function_sbdf(access->from);
	struct finding finding = { .id = DMASIM_REPORT_UNSUPPORTED_REQUEST };
	struct owner_space *space;

	if (access->target->kind == HW_TARGET_FAULT)
		finding.id = DMASIM_REPORT_IOMMU_FAULT;
	if (access->target->kind == HW_TARGET_BLOCKED)
		finding.id = DMASIM_REPORT_ACS_VIOLATION;
	space = check_can_judge(check) ? owners_space(&check->owners, dev) : NULL;
	if (space) {
		finding.piece = piece_at(space, dev, access->address, access->write);
		if (!finding.piece)
			finding.past = owners_past(space, dev, access->address);
	}
	/* A refusal with a known cause is told by its cause. */
	if (finding.piece && !allowed_by_direction(finding.piece, access->write))
		finding.id = DMASIM_REPORT_ACCESS_AGAINST_DIRECTION;
	if (finding.past)
		finding.id = DMASIM_REPORT_USE_AFTER_UNMAP;
	if (space && !finding.piece && !finding.past) {
		if (judge_peer(check, access, access->address))
			return;
		/* It may be a part of a range where nothing is linked. */
		finding.range = owners_range_at(space, dev, access->address);
	}
	found(check, access, &finding);
}
