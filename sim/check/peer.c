/* SPDX-License-Identifier: MIT */
/*
 * Peer memory that goes while it is mapped: its provider's driver lets go of it, or registers are
 * written so that nobody answers at its addresses any more.
 */
#include "check/judge.h"

#define HEADER_BYTES 64 /* of configuration space: BARs and windows are in it */

/* Whose BAR a mapping leads to; NULL: to none. */
static const struct hw_function *peer_of(struct check *check, const struct piece *piece)
{
	struct hw_target target = hw_phys_target(check->hw, piece->phys);

	return target.kind == HW_TARGET_BAR ? target.function : NULL;
}

/* The links of its state, and their range. */
static void tell_no_more_links(struct piece *piece)
{
	struct owner_space *space = piece->space;
	struct interval *at = interval_first(&space->ranges, piece->at.start, piece->at.start);

	for (; at; at = interval_next(&space->ranges, at, piece->at.start, piece->at.start)) {
		struct owner_range *range = (struct owner_range *)at;
		struct piece *link;

		if (range->state != piece->state)
			continue;
		range->told = true;
		for (link = owners_first(space, at->start, at->last); link;
		     link = owners_next(space, link, at->start, at->last))
			link->told |= link->state == range->state;
	}
}

/* That it was never ended would be the same mistake; the rest of its list or state is, too. */
static void tell_no_more(struct piece *piece)
{
	struct piece *entry;

	piece->told = true;
	if (piece->list)
		TAILQ_FOREACH(entry, &piece->list->pieces, of_list)
			entry->told = true;
	if (piece->state)
		tell_no_more_links(piece);
}

static void tell(struct check *check, struct piece *piece, enum dmasim_report_id id,
		 const char *what)
{
	if (piece->told)
		return;
	check_report(check, &(struct finding){
				    .id = id,
				    .dev = piece->dev,
				    .dma = piece->at.start,
				    .size = piece->at.last - piece->at.start + 1,
				    .what = what,
				    .piece = piece,
			    });
	tell_no_more(piece);
}

void judge_p2p_release(struct check *check, const struct dmasim_event *event)
{
	struct piece *piece = NULL;
	char what[96];
	struct text text;

	if (!check_can_judge(check))
		return;
	text_init(&text, what, sizeof(what));
	text_add_bdf(&text, event->dev);
	text_add(&text, " is no provider any more, and its memory is still mapped");
	while ((piece = owners_next_of_all(&check->owners, piece))) {
		const struct hw_function *peer = peer_of(check, piece);

		if (peer && hw_function_sbdf(peer) == event->dev)
			tell(check, piece, DMASIM_REPORT_PEER_RELEASED, what);
	}
	judge_forget_verdicts(check, event->dev);
}

/* ---- Registers -------------------------------------------------------- */

/* What decides where virtual functions answer. */
static bool is_of_virtual(const struct hw_function *function, u32 offset, u32 bytes)
{
	u32 at = function->sriov_at;

	return at && offset + bytes > at + PCI_SRIOV_CTRL &&
	       offset < at + PCI_SRIOV_BAR + 4 * PCI_STD_NUM_BARS;
}

/* True if the write may take away what answers somewhere. */
static bool may_revoke(const struct hw_function *function, u32 offset, u32 bytes, u32 value)
{
	if (is_of_virtual(function, offset, bytes))
		return true;
	if (offset >= PCI_BASE_ADDRESS_0)
		return offset < HEADER_BYTES;
	if (offset > PCI_COMMAND || offset + bytes <= PCI_COMMAND)
		return false;
	return function->memory_enabled &&
	       !(value >> 8 * (PCI_COMMAND - offset) & PCI_COMMAND_MEMORY);
}

void check_before_config(struct check *check, const struct hw_function *function, u32 offset,
			 u32 bytes, u32 value)
{
	struct piece *piece = NULL;

	check->config_matters = check_can_judge(check) &&
				may_revoke(function, offset, bytes, value);
	if (!check->config_matters)
		return;
	while ((piece = owners_next_of_all(&check->owners, piece)))
		piece->peer = piece->told ? NULL : peer_of(check, piece);
}

static void tell_revoked(struct check *check, struct piece *piece,
			 const struct hw_function *function, u32 offset)
{
	char what[96];
	struct text text;

	text_init(&text, what, sizeof(what));
	text_add(&text, "register 0x%02x of ", offset);
	text_add_bdf(&text, hw_function_sbdf(function));
	text_add(&text, " was written%s",
		 offset <= PCI_COMMAND ? ", and memory decoding is off" : "");
	tell(check, piece, DMASIM_REPORT_PEER_REVOKED, what);
}

void check_after_config(struct check *check, const struct hw_function *function, u32 offset)
{
	struct piece *piece = NULL;

	if (!check->config_matters)
		return;
	while ((piece = owners_next_of_all(&check->owners, piece))) {
		if (piece->peer && piece->peer != peer_of(check, piece))
			tell_revoked(check, piece, function, offset);
		piece->peer = NULL;
	}
}
