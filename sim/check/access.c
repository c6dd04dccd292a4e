/* SPDX-License-Identifier: MIT */
/*
 * What devices do: every byte of an access is held against the account of mappings.
 *
 *   mapping       |========|
 *   page      |...bbb======bbb.....|.......|     b: beyond it, where an IOMMU does not see the end
 *
 * An IOMMU keeps a device from pages, not from bytes, and from them only when nothing is cached any
 * more; without one nothing keeps it from anything. So most of what is told here has happened: a
 * report says how the device got there, and whose memory it was.
 */
#include <dmasim/dma.h>

#include "check/check.h"
#include "check/judge.h"
#include "check/reach.h"
#include "check/share.h"
#include "check/whose.h"

#define TEXT_BYTES 512

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
static struct piece *piece_at(struct owner_space *space, dmasim_sbdf dev, u64 dma, bool write)
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

/* Peer memory that its pool has back. */
static bool judge_returned(struct check *check, const struct hw_access *access, u64 dma, u64 last)
{
	const struct hw_target *target = access->target;
	phys_addr_t went = target->phys + (dma - access->address);
	u64 first;

	if (target->kind != HW_TARGET_BAR || target->phys == RAM_NO_PHYS ||
	    !givens_came_back(&check->givens, went, went + (last - dma), &first))
		return false;
	found(check, access,
	      &(struct finding){ .id = DMASIM_REPORT_PEER_NOT_GIVEN,
				 .dma = dma + (first - went),
				 .what = "pci_free_p2pmem() has given it back" });
	return true;
}

/* The device uses what the CPU has written in its turn, and nobody has synced. */
static bool judge_unsynced(struct check *check, const struct hw_access *access,
			   const struct piece *piece, u64 dma, u64 last)
{
	struct cpu_bytes unsynced;
	char explained[TEXT_BYTES];
	struct text text;
	phys_addr_t phys = piece->phys + (dma - piece->at.start);

	if (!cpu_unsynced(check, piece->watch, access, phys, phys + (last - dma), &unsynced))
		return false;
	text_init(&text, explained, sizeof(explained));
	text_add(&text, "  %-9s ", "written");
	cpu_bytes_text(&text, &unsynced);
	text_add(&text, ", by the CPU, in its turn\n");
	piece->watch->told_unsynced = true;
	found(check, access,
	      &(struct finding){ .id = DMASIM_REPORT_SYNC_MISSING,
				 .what = "dma_sync_single_for_device(), or its like, comes before "
					 "the device gets the memory again",
				 .dma = dma,
				 .explained = explained,
				 .piece = piece });
	return true;
}

/* One part of an access that lies in one piece. True: there was something to say. */
static bool judge_part(struct check *check, const struct hw_access *access,
		       const struct piece *piece, u64 dma)
{
	phys_addr_t expected = piece->phys + (dma - piece->at.start);
	phys_addr_t went = access->target->phys + (dma - access->address);
	u64 last;

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
	last = piece->at.last < access->address + (access->bytes - 1)
		       ? piece->at.last
		       : access->address + (access->bytes - 1);
	if (piece->watched && judge_unsynced(check, access, piece, dma, last))
		return true;
	return judge_returned(check, access, dma, last);
}

/* How it got there, and whose memory it is; `dma` is the first byte that it should not have. */
static void found_at(struct check *check, const struct hw_access *access, u64 dma,
		     const struct finding *finding)
{
	enum reach_kind reach = reach_of(check, access, dma);
	struct hw_target target = *access->target;
	struct finding full = *finding;
	char explained[TEXT_BYTES];
	struct text text;

	if (target.phys != RAM_NO_PHYS)
		target.phys += dma - access->address;
	text_init(&text, explained, sizeof(explained));
	reach_text(check, &text, reach, full.past, access);
	if (reach != REACH_REFUSED)
		whose_text(check, &text, &target, full.past);
	full.dma = dma;
	full.cause = reach_word(reach);
	full.explained = explained;
	found(check, access, &full);
}

/* ---- Beside a mapping ------------------------------------------------- */

#define PAGE_LAST 4095ULL

/* The device's mapping whose page [dma, last] begins in, nearest before it, or behind it. */
static const struct piece *beside(struct owner_space *space, dmasim_sbdf dev, u64 dma, u64 last)
{
	const struct interval *at, *before = NULL;
	u64 page = dma & ~PAGE_LAST;

	owners_spread(space, page, dma | PAGE_LAST);
	for (at = interval_first(&space->pieces, page, dma | PAGE_LAST); at;
	     at = interval_next(&space->pieces, at, page, dma | PAGE_LAST)) {
		const struct piece *piece = (const struct piece *)(const void *)at;

		if (piece->dev != dev)
			continue;
		if (at->start > last)
			return before ? (const struct piece *)(const void *)before : piece;
		if (at->last < dma && (!before || at->last > before->last))
			before = at;
	}
	return (const struct piece *)(const void *)before;
}

static void tell_beside(struct check *check, const struct hw_access *access, u64 dma, u64 last,
			const struct piece *piece)
{
	bool behind = piece->at.last < dma;
	u64 gap = behind ? dma - piece->at.last - 1 : piece->at.start - last - 1;
	char what[160];
	struct text text;

	text_init(&text, what, sizeof(what));
	text_add_size(&text, last - dma + 1);
	if (gap) {
		text_add(&text, ", ");
		text_add_size(&text, gap);
	} else {
		text_add(&text, " right");
	}
	text_add(&text, " %s the mapping: %s", behind ? "behind" : "before",
		 reach_of(check, access, dma) == REACH_UNGUARDED
			 ? "no IOMMU is in the way"
			 : "an IOMMU keeps pages, and it is the same page");
	found_at(check, access, dma,
		 &(struct finding){
			 .id = DMASIM_REPORT_ACCESS_BEYOND, .what = what, .piece = piece });
}

/* ---- Where no mapping is ---------------------------------------------- */

static const struct piece *others_in(struct owner_space *space, dmasim_sbdf dev, u64 dma)
{
	const struct piece *piece;

	for (piece = owners_first(space, dma, dma); piece;
	     piece = owners_next(space, (struct piece *)(uintptr_t)piece, dma, dma)) {
		if (piece->dev != dev)
			return piece;
	}
	return NULL;
}

/*
 * The mapping of another device at the address: of one that shares the domain, or, where addresses
 * are those of memory, of any such.
 */
static const struct piece *others(const struct check *check, struct owner_space *space,
				  dmasim_sbdf dev, u64 dma)
{
	struct owner_space *each;

	if (space->is_domain)
		return others_in(space, dev, dma);
	SLIST_FOREACH(each, &check->owners.spaces, link) {
		const struct piece *piece = each->is_domain ? NULL : others_in(each, dev, dma);

		if (piece)
			return piece;
	}
	return NULL;
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
 * [dma, last] is what no mapping covers. Peer memory reached below a switch is none of the
 * mappings' business: bus addresses need none. What was mapped there comes before what is mapped
 * beside it, as nobody can tell which of them the device meant.
 */
static bool judge_uncovered(struct check *check, const struct hw_access *access,
			    struct owner_space *space, u64 dma, u64 last)
{
	dmasim_sbdf dev = hw_function_sbdf(access->from);
	const struct piece *piece;
	struct finding finding = { .id = DMASIM_REPORT_ACCESS_NOT_MAPPED };

	finding.past = owners_past(space, dev, dma);
	if (!finding.past && judge_peer(check, access, dma))
		return true;
	if (access->target->kind == HW_TARGET_BAR && !access->target->passed_root)
		return judge_returned(check, access, dma, last);
	piece = beside(space, dev, dma, last);
	if (!piece && !space->is_domain && dma)
		piece = piece_at(space, dev, dma - 1, access->write);
	if (finding.past) {
		finding.id = DMASIM_REPORT_USE_AFTER_UNMAP;
		if (piece && piece->at.last + 1 == dma)
			finding.what = "it is right behind another mapping: it may have run out of "
				       "that";
	} else if (piece) {
		tell_beside(check, access, dma, last, piece);
		return true;
	} else {
		finding.piece = others(check, space, dev, dma);
		if (finding.piece)
			finding.id = DMASIM_REPORT_ACCESS_FOREIGN;
		else
			finding.range = owners_range_at(space, dev, dma);
	}
	found_at(check, access, dma, &finding);
	return true;
}

void check_access(void *cookie, const struct hw_access *access)
{
	struct check *check = cookie;
	dmasim_sbdf dev = hw_function_sbdf(access->from);
	u64 end = access->address + access->bytes;
	struct owner_space *space;
	u64 dma = access->address;

	check_catch_up(check);
	if (!check_can_judge(check) || access->target->kind == HW_TARGET_INTERRUPT ||
	    is_reserved(check, access))
		return;
	space = owners_space(&check->owners, dev);
	if (space && dma != end)
		owners_spread(space, dma, end - 1);
	/* That takes memory. */
	if (check->blind)
		return;
	/* One report for one access is enough. */
	for (bool told = false; space && dma != end && !told;) {
		struct piece *piece = piece_at(space, dev, dma, access->write);
		struct interval *next;
		u64 next_dma;

		if (piece) {
			told = judge_part(check, access, piece, dma);
			dma = piece->at.last < end - 1 ? piece->at.last + 1 : end;
			continue;
		}
		next = interval_after(&space->pieces, dma);
		next_dma = next && next->start < end ? next->start : end;
		told = judge_uncovered(check, access, space, dma, next_dma - 1);
		dma = next_dma;
	}
}

/* The device was told where the CPU has a buffer that is mapped for it. */
static bool is_cpus_address(struct check *check, dmasim_sbdf dev, const struct hw_access *access,
			    struct finding *finding)
{
	u64 at = access->address;
	struct piece *piece = share_first(&check->owners, at, at);

	while (piece && piece->dev != dev)
		piece = share_next(&check->owners, piece, at, at);
	if (!piece || access->target->kind != HW_TARGET_FAULT)
		return false;
	finding->piece = piece;
	finding->what = "it is the physical address of what is mapped: the device needs the "
			"address that the map gave";
	return true;
}

/* Nobody is where the entry leads: if the mapping leads somewhere else, the entry is wrong. */
static void expect_translation(const struct hw_access *access, struct finding *finding)
{
	const struct hw_target *target = access->target;
	phys_addr_t expected = finding->piece->phys + (access->address - finding->piece->at.start);

	if (target->kind == HW_TARGET_UNSUPPORTED && target->iommu && !target->as_it_is &&
	    target->carried != expected)
		finding->expected_phys = expected;
}

/* Why it was refused, as far as mappings say it. */
static void explain_refusal(struct check *check, struct owner_space *space,
			    const struct hw_access *access, struct finding *finding)
{
	dmasim_sbdf dev = hw_function_sbdf(access->from);
	const struct piece *before = NULL;

	finding->piece = piece_at(space, dev, access->address, access->write);
	if (finding->piece) {
		if (!allowed_by_direction(finding->piece, access->write))
			finding->id = DMASIM_REPORT_ACCESS_AGAINST_DIRECTION;
		else if (!finding->piece->synced)
			finding->id = DMASIM_REPORT_ACCESS_BEFORE_SYNC;
		else
			expect_translation(access, finding);
		return;
	}
	finding->past = owners_past(space, dev, access->address);
	if (finding->past) {
		finding->id = DMASIM_REPORT_USE_AFTER_UNMAP;
		return;
	}
	if (access->address)
		before = piece_at(space, dev, access->address - 1, access->write);
	if (before)
		finding->what = "a mapping ends right before it, with its page";
	else if (is_cpus_address(check, dev, access, finding))
		return;
	/* It may be a part of a range where nothing is linked. */
	finding->range = owners_range_at(space, dev, access->address);
}

void check_refused(void *cookie, const struct hw_access *access)
{
	struct check *check = cookie;
	dmasim_sbdf dev = hw_function_sbdf(access->from);
	struct finding finding = { .id = DMASIM_REPORT_UNSUPPORTED_REQUEST };
	struct owner_space *space;

	check_catch_up(check);
	if (access->target->kind == HW_TARGET_FAULT)
		finding.id = DMASIM_REPORT_IOMMU_FAULT;
	if (access->target->kind == HW_TARGET_BLOCKED)
		finding.id = DMASIM_REPORT_ACS_VIOLATION;
	space = check_can_judge(check) ? owners_space(&check->owners, dev) : NULL;
	/* A refusal with a known cause is told by its cause. */
	if (space)
		explain_refusal(check, space, access, &finding);
	if (finding.past)
		found_at(check, access, access->address, &finding);
	else if (!space || finding.piece || !judge_peer(check, access, access->address))
		found(check, access, &finding);
}
