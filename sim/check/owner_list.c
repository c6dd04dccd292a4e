/* SPDX-License-Identifier: MIT */
/*
 * Scatterlists. Behind an IOMMU the pieces of one follow each other, and mostly nobody asks for one
 * of many: then they are in no tree, but their list is.
 */
#include "check/owner.h"

DMASIM_HOT struct owner_list *owners_new_list(struct owners *owners, struct owner_space *space,
					      bool together)
{
	struct owner_list *list = check_pool_get(&owners->lists);

	if (!list)
		return NULL;
	TAILQ_INIT(&list->pieces);
	list->number = ++owners->lists_made;
	list->entries = 0;
	list->dir = 0;
	list->attrs = 0;
	list->waits = NULL;
	list->is_together = together && space->is_domain;
	list->at.last = ~0ULL;
	owners->open = list;
	if (list->is_together) {
		list->alone_until = 0;
		space->mapping = list;
		space->together++;
	}
	return list;
}

/* It is complete, and has pieces. */
static void close_together(struct owner_list *list)
{
	const struct piece *first = TAILQ_FIRST(&list->pieces);

	first->space->mapping = NULL;
	list->at.start = first->at.start;
	interval_insert(&first->space->lists, &list->at);
}

DMASIM_HOT struct owner_list *owners_close_list(struct owners *owners)
{
	struct owner_list *list = owners->open;

	owners->open = NULL;
	if (list && !TAILQ_EMPTY(&list->pieces)) {
		if (list->is_together)
			close_together(list);
		return list;
	}
	if (list)
		owners_drop_list(owners, list);
	return NULL;
}

void owners_spread_list(struct owner_space *space, struct owner_list *list)
{
	struct piece *piece;

	if (space->mapping == list)
		space->mapping = NULL;
	else
		interval_remove(&space->lists, &list->at);
	list->is_together = false;
	space->together--;
	TAILQ_FOREACH(piece, &list->pieces, of_list)
		interval_insert(&space->pieces, &piece->at);
}

void owners_begin_anew(struct owner_space *space, struct owner_list *list, struct piece *piece)
{
	bool is_first = TAILQ_EMPTY(&list->pieces);
	const struct interval *next;

	owners_spread(space, piece->at.start, piece->at.last);
	if (!list->is_together)
		return;
	if (!is_first && piece->at.start <= list->at.last) {
		owners_spread_list(space, list);
		return;
	}
	if (is_first || piece->at.last > list->alone_until) {
		next = interval_after(&space->lists, piece->at.start);
		list->alone_until = next ? next->start - 1 : ~0ULL;
	}
	if (piece->kind != PIECE_SG || piece->at.last < piece->at.start)
		owners_spread_list(space, list);
}

void owners_search_lists(struct owner_space *space, u64 start, u64 last)
{
	struct owner_list *list = space->mapping;

	if (list && !TAILQ_EMPTY(&list->pieces) && list->at.last >= start &&
	    TAILQ_FIRST(&list->pieces)->at.start <= last)
		owners_spread_list(space, list);
	while ((list = owners_first_list(space, start, last)))
		owners_spread_list(space, list);
}
