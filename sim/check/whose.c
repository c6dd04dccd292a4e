/* SPDX-License-Identifier: MIT */
#include "check/whose.h"

#include "check/picture.h"

static const struct piece *in_space(struct owner_space *space, phys_addr_t phys)
{
	const struct interval *at;

	owners_spread(space, 0, ~0ULL);
	for (at = interval_first(&space->pieces, 0, ~0ULL); at;
	     at = interval_next(&space->pieces, at, 0, ~0ULL)) {
		const struct piece *piece = (const struct piece *)(const void *)at;

		if (phys - piece->phys <= at->last - at->start)
			return piece;
	}
	return NULL;
}

/* A live mapping that leads to phys. Reports are rare: all are looked at. */
static const struct piece *mapped_to(const struct check *check, phys_addr_t phys)
{
	struct owner_space *space;

	SLIST_FOREACH(space, &check->owners.spaces, link) {
		const struct piece *piece = in_space(space, phys);

		if (piece)
			return piece;
	}
	return NULL;
}

static void add_piece(struct text *text, const struct piece *piece)
{
	text_add(text, "mapped for ");
	text_add_bdf(text, piece->dev);
	text_add(text, " by %s at 0x%llx", picture_kind(piece), piece->at.start);
	if (piece->site)
		text_add(text, ", %s:%d in %s", piece->site->file, piece->site->line,
			 piece->site->function);
}

static void add_frames(struct check *check, struct text *text, phys_addr_t phys,
		       const struct owner_past *past)
{
	u64 born = frames_born(&check->hw->frames, phys);

	if (!frames_has(&check->hw->frames, phys))
		text_add(text, "the program's own");
	else if (!born)
		text_add(text, "free: it may become anybody's");
	else if (check->has_freed && check->has_freed(check->kinds.cookie, phys))
		text_add(text, "free: kfree() has it back");
	else if (past && born > past->piece.ended.frames_allocated)
		text_add(text, "somebody else's: allocated after the unmap");
	else if (past)
		text_add(text, "in use, and not allocated anew since the unmap");
	else
		text_add(text, "in use, mapped for no device");
}

static void add_ram(struct check *check, struct text *text, phys_addr_t phys,
		    const struct owner_past *past)
{
	phys_addr_t original = bounces_original(&check->bounces, phys);
	const struct piece *piece = mapped_to(check, original);

	if (original != phys)
		text_add(text, "a copy of phys 0x%llx, ", original);
	if (piece)
		add_piece(text, piece);
	else
		add_frames(check, text, original, past);
}

void whose_text(struct check *check, struct text *text, const struct hw_target *target,
		const struct owner_past *past)
{
	const struct piece *piece;

	if (target->kind != HW_TARGET_RAM && target->kind != HW_TARGET_BAR)
		return;
	text_add(text, "  %-9s phys 0x%llx: ", "memory", target->phys);
	if (target->kind == HW_TARGET_RAM) {
		add_ram(check, text, target->phys, past);
	} else {
		text_add(text, "BAR %u of ", target->bar);
		text_add_bdf(text, hw_function_sbdf(target->function));
		piece = mapped_to(check, target->phys);
		if (piece) {
			text_add(text, ", ");
			add_piece(text, piece);
		}
	}
	text_add(text, "\n");
}
