/* SPDX-License-Identifier: MIT */
#include "check/owner_list.h"

DMASIM_HOT struct owner_list *owners_new_list(struct owners *owners, struct owner_space *space,
					      bool together)
{
	struct owner_list *list = check_pool_get(&owners->lists);

	if (!list)
		return NULL;
	TAILQ_INIT(&list->pieces);
	list->space = space;
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

DMASIM_HOT struct owner_list *owners_close_list(struct owners *owners)
{
	struct owner_list *list = owners->open;
	struct owner_space *space;

	if (!list)
		return NULL;
	owners->open = NULL;
	space = list->space;
	if (list->is_together)
		space->mapping = NULL;
	if (DMASIM_UNLIKELY(TAILQ_EMPTY(&list->pieces))) {
		space->together -= list->is_together;
		owners_drop_list(owners, list);
		return NULL;
	}
	if (list->is_together) {
		list->at.start = TAILQ_FIRST(&list->pieces)->at.start;
		interval_insert(&space->lists, &list->at);
	}
	return list;
}

void owners_spread_list(struct owner_list *list)
{
	struct owner_space *space = list->space;
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

void owners_begin_anew(struct owner_list *list, struct piece *piece)
{
	struct owner_space *space = list->space;
	bool is_first = TAILQ_EMPTY(&list->pieces);
	const struct interval *next;

	owners_spread(space, piece->at.start, piece->at.last);
	if (!list->is_together)
		return;
	if (!is_first && piece->at.start <= list->at.last) {
		owners_spread_list(list);
		return;
	}
	if (is_first || piece->at.last > list->alone_until) {
		next = interval_after(&space->lists, piece->at.start);
		list->alone_until = next ? next->start - 1 : ~0ULL;
	}
	if (piece->kind != PIECE_SG || piece->at.last < piece->at.start)
		owners_spread_list(list);
}

void owners_search_lists(struct owner_space *space, u64 start, u64 last)
{
	struct owner_list *list = space->mapping;

	if (list && !TAILQ_EMPTY(&list->pieces) && list->at.last >= start &&
	    TAILQ_FIRST(&list->pieces)->at.start <= last)
		owners_spread_list(list);
	while ((list = owners_first_list(space, start, last)))
		owners_spread_list(list);
}
