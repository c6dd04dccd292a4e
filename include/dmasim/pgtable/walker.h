/* SPDX-License-Identifier: MIT */
/*
 * The one walker of all page-table formats: lookup, beginning and end here; the rest beside it.
 */
#ifndef DMASIM_PGTABLE_WALKER_H
#define DMASIM_PGTABLE_WALKER_H

#include <dmasim/pgtable/map.h>
#include <dmasim/pgtable/unmap.h>

PT_INLINE phys_addr_t pt_iova_to_phys(const struct pt_format *format, struct pgtable *pt, u64 iova)
{
	u64 leaves = iova >> pt_level_lg2(format, 1);
	u8 levels = pt->levels;
	struct pt_table table;

	if (pt_is_beyond(format, pt, iova) ||
	    (format->grow && pt_is_above(format, pt->levels, iova)))
		return 0;
	if (pt_recall(pt, leaves, &table))
		levels = 1;
	else
		table = pt_top(pt);
	for (u8 level = levels; level-- > 0;) {
		u64 entry = pt_load(&table, pt_index(format, pt, iova, level));

		if (!entry)
			return 0;
		if (!format->is_table(entry, level))
			return pt_leaf_phys(format, pt, entry, level, iova);
		table = pt_table_at(pt, format->address(pt, entry));
		if (level == 1)
			pt_remember(pt, leaves, &table);
	}
	return 0;
}

/* The width of a table with so many levels, and more entries in its top if it has them. */
PT_INLINE u8 pt_va_bits(const struct pt_format *format, u8 levels, u8 top_extra_lg2)
{
	u8 bits = pt_level_lg2(format, levels) + (format->top_extra_lg2 ? top_extra_lg2 : 0);

	return bits < 64 ? bits : 64;
}

PT_INLINE int pt_init(const struct pt_format *format, struct pgtable *pt,
		      const struct pgtable_config *config)
{
	u8 levels_max = config->levels;
	struct pt_table table;
	struct page *page;

	/* What does not grow reaches what its levels do, and nothing beyond. */
	if (format->grow && config->levels_max > levels_max)
		levels_max = config->levels_max;
	*pt = (struct pgtable){
		.host = config->host,
		.platform = config->host->platform,
		.levels = config->levels,
		.top_extra_lg2 = config->top_extra_lg2,
		.va_bits = pt_va_bits(format, levels_max, config->top_extra_lg2),
		.pa_bits = config->pa_bits,
		.coherent = config->coherent,
		.snoop = config->snoop,
		.features = config->features,
		.encryption = config->encryption,
		.change_top = config->change_top,
		.cookie = config->cookie,
		.context = config->context,
		.last_leaves = PGTABLE_NO_LEAVES,
	};
	page = pt_page_alloc(pt, pt_order(format->index_lg2 + pt->top_extra_lg2));
	if (!page)
		return -ENOMEM;
	pt->root = page_to_phys(page);
	table = pt_table_at(pt, pt->root);
	pt->top = table.entry;
	pt_flush(pt, &table, 0, pt_entries(format, pt, pt->levels - 1));
	return 0;
}

/*
 * Of the sizes that a table can have those that were asked for, and that its output has room for;
 * the smallest always.
 */
PT_INLINE void pt_set_sizes(const struct pt_format *format, struct pgtable *pt,
			    const struct pgtable_config *config, u64 sizes)
{
	u64 asked = config->page_sizes | 1ULL << format->granule_lg2;

	sizes &= (1ULL << pt->pa_bits) - 1;
	pt->page_sizes = config->page_sizes ? sizes & asked : sizes;
}

#endif
