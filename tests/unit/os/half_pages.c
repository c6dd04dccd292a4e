/* SPDX-License-Identifier: MIT */
#include <dmasim/pgtable/define_ops.h>

#include "half_pages.h"

#define ENTRY_R	      (1ULL << 0)
#define ENTRY_W	      (1ULL << 1)
#define ENTRY_TABLE   (1ULL << 2)
#define ENTRY_FLUSHED (1ULL << 60)
#define ENTRY_LEAF    (1ULL << 63)
#define ENTRY_ADDRESS 0x0007fffffffff800ULL

#define GRANULE_LG2 11
#define INDEX_LG2   8
#define ENTRIES	    256U

/* ---- The format, on the library's walker ----------------------------------------------------- */

static u64 leaf_entry(const struct pgtable *pt, phys_addr_t phys, u32 prot, u8 lg2)
{
	(void)pt;
	(void)lg2;
	return phys | ENTRY_LEAF | (prot & IOMMU_READ ? ENTRY_R : 0) |
	       (prot & IOMMU_WRITE ? ENTRY_W : 0);
}

static u64 table_entry(const struct pgtable *pt, phys_addr_t phys, u8 level)
{
	(void)pt;
	(void)level;
	return phys | ENTRY_TABLE;
}

static bool is_table(u64 entry, u8 level)
{
	return level && (entry & ENTRY_TABLE);
}

static phys_addr_t address(const struct pgtable *pt, u64 entry)
{
	(void)pt;
	return entry & ENTRY_ADDRESS;
}

static u32 prot_of(const struct pgtable *pt, u64 entry)
{
	(void)pt;
	return (entry & ENTRY_R ? IOMMU_READ : 0) | (entry & ENTRY_W ? IOMMU_WRITE : 0);
}

static const struct pt_format half_pages = {
	.granule_lg2 = GRANULE_LG2,
	.index_lg2 = INDEX_LG2,
	.flushed = ENTRY_FLUSHED,
	.leaf = leaf_entry,
	.table = table_entry,
	.is_table = is_table,
	.address = address,
	.prot = prot_of,
};

static int half_pages_init(struct pgtable *pt, const struct pgtable_config *config)
{
	int err = pt_init(&half_pages, pt, config);

	pt_set_sizes(&half_pages, pt, config, 1ULL << 11 | 1ULL << 19 | 1ULL << 27);
	return err;
}

PT_DEFINE_OPS(half_pages);

/* ---- The judge: plain reads of RAM ----------------------------------------------------------- */

struct seen half_pages_walk(const struct format_fixture *fixture, u64 iova)
{
	phys_addr_t table = fixture->pt.root;
	u8 shift = GRANULE_LG2 + INDEX_LG2 * fixture->pt.levels;

	if (iova >> shift)
		return (struct seen){ 0 };
	while (shift > GRANULE_LG2) {
		u64 entry;

		shift -= INDEX_LG2;
		entry = format_word(fixture->s, table + 8 * (iova >> shift & (ENTRIES - 1)));
		if (!entry)
			return (struct seen){ 0 };
		if (entry & ENTRY_LEAF)
			return (struct seen){
				.read = entry & ENTRY_R,
				.write = entry & ENTRY_W,
				.phys = (entry & ENTRY_ADDRESS) + (iova & ((1ULL << shift) - 1)),
				.page_lg2 = shift,
			};
		assert_true(entry & ENTRY_TABLE);
		table = entry & ENTRY_ADDRESS;
	}
	fail_msg("the walk of 0x%llx leads below the last level", iova);
	return (struct seen){ 0 };
}

struct range {
	u64 start, last;
	seen_leaf_fn *leaf;
	void *cookie;
};

static void walk_table(const struct format_fixture *fixture, const struct range *range,
		       phys_addr_t table, u8 shift, u64 base)
{
	for (u64 index = 0; index < ENTRIES; index++) {
		u64 iova = base + (index << shift);
		u64 entry;

		if (iova > range->last || iova + ((1ULL << shift) - 1) < range->start)
			continue;
		entry = format_word(fixture->s, table + 8 * index);
		if (entry & ENTRY_LEAF)
			range->leaf(range->cookie,
				    &(struct seen_leaf){ iova, 1ULL << shift, entry & ENTRY_ADDRESS,
							 entry & ENTRY_R, entry & ENTRY_W });
		else if (entry)
			walk_table(fixture, range, entry & ENTRY_ADDRESS, shift - INDEX_LG2, iova);
	}
}

void half_pages_walk_range(const struct format_fixture *fixture, u64 start, u64 last,
			   seen_leaf_fn *leaf, void *cookie)
{
	const struct range range = { start, last, leaf, cookie };

	walk_table(fixture, &range, fixture->pt.root,
		   GRANULE_LG2 + INDEX_LG2 * (fixture->pt.levels - 1), 0);
}

/* ---- Formulas -------------------------------------------------------------------------------- */

u8 formula_best_size_lg2(u64 sizes, u64 iova, phys_addr_t phys, u64 bytes)
{
	return pt_best_size_lg2(sizes, iova, phys, bytes);
}

u64 formula_leaf_count(u64 sizes, u64 iova, phys_addr_t phys, u64 bytes, u8 lg2)
{
	return pt_leaf_count(sizes, iova, phys, bytes, lg2);
}
