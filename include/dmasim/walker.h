/* SPDX-License-Identifier: MIT */
/*
 * A walker of your own: how hardware reads page tables of a format that is not ours.
 *
 * A machine with a page-table format from outside (dmasim/pgtable/pgtable.h) needs the other side
 * of it, too: who reads, for the IOMMU, what the format has written. That is one function, which
 * reads bytes of memory and tells what they say. The unit asks it for one address; what judges the
 * program asks it for ranges. It shares no code with the format, or it would share its mistakes.
 *
 *	static void walk(const struct dmasim_walker *walker, phys_addr_t table, u8 levels,
 *			 u64 start, u64 last)
 *	{
 *		for each entry of the table that serves an address of [start, last], in order:
 *			walker->fetch(walker, table + 8 * index, &entry, 8), and then one of
 *			walker->hole(walker, iova, lg2)
 *			walker->wrong(walker, iova, lg2)
 *			walker->page(walker, &page)
 *			walker->table(walker, &below), and the same for that table
 *	}
 *
 * tests/examples/three_level.c has one, and its format.
 */
#ifndef DMASIM_WALKER_H
#define DMASIM_WALKER_H

#include <dmasim/types.h>

/*
 * A page: 2^lg2 bytes from iova on, which is aligned to them, as phys is. What takes several
 * entries, for a contiguous hint or the like, is told once, whole, though it may begin before the
 * addresses that were asked for; or, if the unit caches them one by one, as a page for each entry.
 */
struct dmasim_walker_page {
	u64 iova;
	phys_addr_t phys;
	u8 lg2;	   /* 12 to 63 */
	bool read; /* what the entries on the way to it allow together */
	bool write;
};

/* A table that an entry leads to. It serves 2^lg2 bytes from iova on. */
struct dmasim_walker_table {
	u64 iova;
	phys_addr_t phys;
	phys_addr_t entry; /* where that entry stands */
	u8 lg2;
	u8 levels; /* what `walk` is given if it begins there, with iova for address 0 */
	bool read; /* what the entries on the way to it allow together */
	bool write;
};

struct dmasim_walker_ops;

/* Who asks. */
struct dmasim_walker {
	const struct dmasim_walker_ops *ops;
	u8 address_bits; /* of a physical address; bits above them are reserved in entries */

	/* Reads up to 64 bytes of memory as the unit sees it. False: there is none. */
	bool (*fetch)(const struct dmasim_walker *walker, phys_addr_t phys, void *to, u32 bytes);

	/* Tells of a page. */
	void (*page)(const struct dmasim_walker *walker, const struct dmasim_walker_page *page);
	/* Tells of a table, before what is in it. */
	void (*table)(const struct dmasim_walker *walker, const struct dmasim_walker_table *table);
	/* An entry is empty, or not well-formed: it would serve 2^lg2 bytes from iova on. */
	void (*hole)(const struct dmasim_walker *walker, u64 iova, u8 lg2);
	void (*wrong)(const struct dmasim_walker *walker, u64 iova, u8 lg2);
};

struct dmasim_walker_ops {
	size_t size; /* set by DMASIM_WALKER_OPS */
	const char *name;
	void *context; /* for you: walker->ops->context */

	/*
	 * Reads a table of so many levels, which serves the addresses from 0 on, and those below
	 * it; tells, in ascending order, what all entries that serve an address of [start, last]
	 * say. What cannot be fetched is passed over. An address that the table does not reach is
	 * served by no entry: of it nothing is told. No state is kept between two calls.
	 */
	void (*walk)(const struct dmasim_walker *walker, phys_addr_t table, u8 levels, u64 start,
		     u64 last);
};

/* clang-format off */
#define DMASIM_WALKER_OPS .size = sizeof(struct dmasim_walker_ops)
/* clang-format on */

#endif
