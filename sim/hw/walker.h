/* SPDX-License-Identifier: MIT */
/*
 * Page-table walks over the bytes in memory. Written from the architecture alone: it shares no code
 * with what writes the tables, only bit positions.
 */
#ifndef HW_WALKER_H
#define HW_WALKER_H

#include <endian.h>
#include <string.h>

#include <dmasim/types.h>

#include "hw/cache.h"
#include "hw/words.h"

/* One unit's way of reading tables. */
struct hw_walker {
	struct ram *ram;	/* where it fetches entries */
	struct hw_cache *cache; /* what it does not snoop; NULL: it does */
	u8 levels;		/* levels its context entries may ask for: 3 up to this */
	u8 address_bits;	/* bits of a physical address; above is reserved */
	bool huge_1g;
	bool snoop_control;
	bool device_tlb;
	bool absents;	 /* what a range tells: also that entries are empty; */
	bool runs;	 /* like pages side by side, of one table, at once */
	u8 first_levels; /* of first-stage tables: 4 up to this; 0: the unit has none */
	bool first_huge_1g;
	bool napot;	 /* RISC-V: leaves of 64 KiB (Svnapot); */
	bool page_types; /* leaves that say what is not cacheable (Svpbmt) */
	const void *own; /* of a walker that is not of this folder: what it needs */
};

/*
 * In a number of levels: tables of a first stage, where a format has such; of those, and where an
 * architecture has signs, one below the top, whose addresses have none.
 */
#define HW_FIRST_STAGE 0x80
#define HW_BELOW_TOP   0x40
#define HW_LEVELS      0x3f

/* Reads one entry of a table: 8 bytes, little endian. False: no memory there. */
static inline bool hw_walker_fetch(const struct hw_walker *walker, phys_addr_t table, u64 index,
				   u64 *entry)
{
	phys_addr_t at = table + index * sizeof(*entry);
	u64 raw, done;

	if (DMASIM_LIKELY(!walker->cache && ram_is_recent(walker->ram, at >> RAM_CHUNK_LG2))) {
		memcpy(&raw, ram_recent(walker->ram, at >> RAM_CHUNK_LG2) + at % RAM_CHUNK_BYTES,
		       sizeof(raw));
		*entry = le64toh(raw);
		return true;
	}
	done = walker->cache ? hw_cache_peek(walker->cache, walker->ram, at, &raw, sizeof(raw))
			     : ram_read(walker->ram, at, &raw, sizeof(raw));
	if (done != sizeof(raw))
		return false;
	*entry = le64toh(raw);
	return true;
}

/* The quick way alone: false where the entry is not at hand. */
static inline bool hw_walker_recent(const struct ram *ram, phys_addr_t at, u64 *entry)
{
	u64 chunk = at >> RAM_CHUNK_LG2;

	if (DMASIM_UNLIKELY(!ram_is_recent(ram, chunk)))
		return false;
	memcpy(entry, ram_recent(ram, chunk) + at % RAM_CHUNK_BYTES, sizeof(*entry));
	*entry = le64toh(*entry);
	return true;
}

/* A table's entries on the host, which stay there during a walk. NULL: they are fetched. */
static inline const u8 *hw_walker_entries(const struct hw_walker *walker, phys_addr_t table)
{
	u64 chunk = table >> RAM_CHUNK_LG2;

	if (walker->cache || table % PAGE_SIZE || !ram_is_recent(walker->ram, chunk))
		return NULL;
	return ram_recent(walker->ram, chunk) + table % RAM_CHUNK_BYTES;
}

/* The same as a fetch, of a table with these entries. */
static inline bool hw_walker_entry(const struct hw_walker *walker, const u8 *entries,
				   phys_addr_t table, u64 index, u64 *entry)
{
	u64 raw;

	if (DMASIM_UNLIKELY(!entries))
		return hw_walker_fetch(walker, table, index, entry);
	memcpy(&raw, entries + index * sizeof(raw), sizeof(raw));
	*entry = le64toh(raw);
	return true;
}

/*
 * From one entry up to the last, the first that is not empty; behind the last: all are. Without the
 * table's entries at hand it is not known: the one itself.
 */
static inline u64 hw_walker_skip_empty(const u8 *entries, u64 index, u64 last)
{
	if (!entries || index > last)
		return index;
	return index + words_empty(entries + index * sizeof(u64), last + 1 - index);
}

/* Where a walk begins: a table, and what the entries above it allow. */
struct hw_walk_start {
	phys_addr_t table;
	u8 levels; /* from this table on: 1 has the 4 KiB leaves */
	bool read;
	bool write;
};

struct hw_walk {
	bool no_steps;	 /* said beforehand: the caller has no use for the steps */
	u16 fault;	 /* of the architecture, 0: found */
	u16 fault_flags; /* AMD_FLAG_ */
	u8 page_lg2;	 /* size of the leaf */
	u8 absent_lg2;	 /* of a fault for an absent entry: what that would map; else 0 */
	bool read;	 /* permissions, intersected along the walk */
	bool write;
	bool accessed; /* marks of the page, as the unit left them */
	bool dirty;
	phys_addr_t phys;	      /* of the address asked for */
	u8 reads;		      /* entries fetched */
	u8 tables;		      /* tables visited */
	struct hw_walk_start step[8]; /* those tables, top first; not set with no_steps */
};

/* A walk that has found nothing yet. The steps are left as they are: they are large. */
static inline void hw_walk_begin(struct hw_walk *walk)
{
	walk->fault = 0;
	walk->fault_flags = 0;
	walk->page_lg2 = 0;
	walk->absent_lg2 = 0;
	walk->accessed = false;
	walk->dirty = false;
	walk->phys = 0;
}

/* It is over: what its entries allow together, and how many tables it has visited. */
static inline void hw_walk_end(struct hw_walk *walk, bool read, bool write, u32 visited)
{
	walk->read = read;
	walk->write = write;
	walk->reads = (u8)visited;
	walk->tables = (u8)visited;
}

/* Translates one address for an access. levels is 3 to 5. */
struct hw_walk hw_walk_vtd_ss(const struct hw_walker *walker, phys_addr_t root, u8 levels, u64 iova,
			      bool write);

/* The same from a table below the top; `iova` is one that the top table reaches. */
void hw_walk_vtd_ss_from(const struct hw_walker *walker, const struct hw_walk_start *start,
			 u64 iova, bool write, struct hw_walk *walk);

/* True if tables of so many levels have an entry for the address. */
bool hw_walk_vtd_ss_reaches(u8 levels, u64 iova);

/*
 * A stretch of a range that translates: a page, a part of one, or with `runs` several; or, with
 * neither permission and `absent`, that an empty entry serves, which some access gets to.
 */
struct hw_leaf {
	u64 iova;
	u64 bytes;
	phys_addr_t phys;
	u8 page_lg2; /* of the pages */
	bool read;   /* permissions, intersected along the walk */
	bool write;
	bool absent;
	bool accessed; /* the entry's bits; of a page that several hold: any of theirs */
	bool dirty;
};

/* A table below the top that a range reaches: it maps [iova, iova + bytes). */
struct hw_table {
	u64 iova;
	u64 bytes;
	phys_addr_t phys;
	phys_addr_t entry; /* where the one stands that leads there */
	u8 levels;	   /* from this table on: 1 has the 4 KiB leaves */
	bool read;	   /* what the entries above it allow */
	bool write;
};

/* Called for each of them, in ascending order; see below. */
typedef void hw_walk_leaf(void *cookie, const struct hw_leaf *leaf);
typedef void hw_walk_table(void *cookie, const struct hw_table *table);

/* One walk over a range: what is asked for, and who is told. */
struct hw_range_walk {
	const struct hw_walker *walker;
	u64 start;
	u64 last;
	hw_walk_leaf *leaf;
	hw_walk_table *table;
	void *cookie;
};

/* Where it stands: at an entry of a table, of which it reaches those up to the last. */
struct hw_place {
	phys_addr_t table;
	const u8 *entries; /* hw_walker_entries() */
	u64 index;
	u64 last;
	u8 level;
	u64 base; /* what the entry maps */
};

/* The entry that stands `count` further. False: the walk does not reach it, or cannot fetch it. */
static inline bool hw_place_ahead(const struct hw_range_walk *range, const struct hw_place *place,
				  u64 count, u64 *entry)
{
	return place->index + count <= place->last &&
	       hw_walker_entry(range->walker, place->entries, place->table, place->index + count,
			       entry);
}

/* There is nothing for the 2^lg2 bytes from `iova` on. */
static inline void hw_range_tell_absent(const struct hw_range_walk *range, u64 iova, u8 lg2)
{
	range->leaf(range->cookie, &(struct hw_leaf){
					   .iova = iova,
					   .bytes = 1ULL << lg2,
					   .page_lg2 = lg2,
					   .absent = true,
				   });
}

/*
 * Reads all entries that serve [start, last], whatever their permissions. Malformed entries are
 * skipped: nothing can be cached from them. table may be NULL.
 */
void hw_walk_vtd_ss_range(const struct hw_walker *walker, phys_addr_t root, u8 levels, u64 start,
			  u64 last, hw_walk_leaf *leaf, hw_walk_table *table, void *cookie);

/* The bits of an address that a page of 4 KiB can have. */
u64 hw_vtd_ss_page_bits(const struct hw_walker *walker);
u64 hw_amd_v1_page_bits(const struct hw_walker *walker);

/* See hw_arch.larger_page. */
bool hw_amd_v1_larger_page(const struct hw_walker *walker, u64 entry, struct hw_leaf *leaf);

/*
 * The same for AMD's v1 host tables; mode 1 to 6 is the number of levels. Of the walker's fields
 * only where it reads counts. The permissions are those of the entries, not of the device table.
 * What a range says of a page that several entries hold: one stretch for each run of entries that
 * agree on it, so a page that was written whole is one.
 */
void hw_walk_amd_v1_from(const struct hw_walker *walker, const struct hw_walk_start *start,
			 u64 iova, bool write, struct hw_walk *walk);
bool hw_walk_amd_v1_reaches(u8 mode, u64 iova);
struct hw_walk hw_walk_amd_v1(const struct hw_walker *walker, phys_addr_t root, u8 mode, u64 iova,
			      bool write);
void hw_walk_amd_v1_range(const struct hw_walker *walker, phys_addr_t root, u8 mode, u64 start,
			  u64 last, hw_walk_leaf *leaf, hw_walk_table *table, void *cookie);

#endif
