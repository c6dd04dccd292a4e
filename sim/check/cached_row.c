/* SPDX-License-Identifier: MIT */
#include "check/cached_row.h"

#include "check/cached_inside.h"

/* Those of one record, of which the set knows nothing. False: nothing was done. */
static inline bool fill_record(struct cached *cached, struct cached_domain *domain, u64 start,
			       u32 count, const u64 *says, struct check_moment now)
{
	struct cached_pages *pages = domain->rows.near[cached_pages_slot(start)];
	u32 index = cached_pages_index(start);
	u64 which = cached_pages_within(start, start + ((u64)count << CACHED_PAGE_LG2) - 1);

	if (DMASIM_UNLIKELY(domain->holding || domain->has_left) ||
	    DMASIM_UNLIKELY(!cached_pages_are(pages, start)) ||
	    DMASIM_UNLIKELY((pages->holding | pages->ended) & which))
		return false;
	domain->rows.pages += count;
	cached_pages_begin(cached, pages, which, &cached->clock, now);
	for (u32 i = 0; i < count; i++)
		cached_pages_say(pages, index + i, says[i]);
	return true;
}

/* One, whatever the set knows of it. */
static void add_page(struct cached *cached, struct cached_domain *domain, u64 start, u64 says,
		     struct check_moment now)
{
	u64 last = start | CACHED_PAGE_LAST;

	if (!cached_way_compare_page(cached, domain, start, says, now))
		cached_mapped_somehow(cached, domain, start, last, now);
	if (domain->has_left)
		cached_mapped_over(cached, domain, start, last);
}

DMASIM_HOT void cached_row_add(struct cached *cached)
{
	const struct check_moment now = check_now(&cached->clock);
	struct cached_row *row = &cached->row;
	u64 start = row->next - ((u64)row->count << CACHED_PAGE_LG2);
	u32 done = 0;

	while (done < row->count) {
		u64 at = start + ((u64)done << CACHED_PAGE_LG2);
		u32 left = CACHED_PAGES - cached_pages_index(at);
		u32 count = left < row->count - done ? left : row->count - done;

		if (!fill_record(cached, row->domain, at, count, &row->says[done], now)) {
			add_page(cached, row->domain, at, row->says[done], now);
			count = 1;
		}
		done += count;
	}
	row->count = 0;
}
