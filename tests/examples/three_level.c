/* SPDX-License-Identifier: MIT */
/*
 * A page-table format in one file, as somebody outside writes one: what software writes, and how
 * hardware reads it. To see it judged and measured:
 *
 *	cc three_level.c $(pkg-config --cflags --libs dmasim-workbench) -o three_level
 *	./three_level bench
 *
 * Tables have 1024 words of 64 bits, little endian. Leaves have 4 KiB, 4 MiB or 4 GiB. A table may
 * begin with few levels, and grow.
 *
 *   63                                24 23    4   3    2   1   0
 *        page frame of leaf or table     ignored leaf  W   R   valid
 */
#include <endian.h>
#include <stdio.h>

#include <dmasim/pgtable-bench.h>
#include <dmasim/pgtable/define_ops.h>
#include <dmasim/pgtable/grow.h>
#include <dmasim/walker.h>

#define VALID	   (1ULL << 0)
#define READ	   (1ULL << 1)
#define WRITE	   (1ULL << 2)
#define LEAF	   (1ULL << 3)
#define FRAME	   24
#define GRANULE	   12
#define INDEX_BITS 10

extern const struct pgtable_ops pgtable_three_level;
extern const struct dmasim_walker_ops three_level_walker;

/* ---- The format ------------------------------------------------------- */

static u64 frame_of(phys_addr_t phys)
{
	return phys >> GRANULE << FRAME;
}

static u64 three_leaf(const struct pgtable *pt, phys_addr_t phys, u32 prot, u8 lg2)
{
	(void)pt;
	(void)lg2;
	return frame_of(phys) | VALID | LEAF | (prot & IOMMU_READ ? READ : 0) |
	       (prot & IOMMU_WRITE ? WRITE : 0);
}

static u64 three_table(const struct pgtable *pt, phys_addr_t phys, u8 level)
{
	(void)pt;
	(void)level;
	return frame_of(phys) | VALID;
}

static bool three_is_table(u64 entry, u8 level)
{
	(void)level;
	return !(entry & LEAF);
}

static phys_addr_t three_address(const struct pgtable *pt, u64 entry)
{
	(void)pt;
	return entry >> FRAME << GRANULE;
}

static u32 three_prot(const struct pgtable *pt, u64 entry)
{
	(void)pt;
	return (entry & READ ? IOMMU_READ : 0) | (entry & WRITE ? IOMMU_WRITE : 0);
}

static const struct pt_format three_level;

static int three_grow(struct pgtable *pt, u64 last)
{
	return pt_grow(&three_level, pt, last);
}

static const struct pt_format three_level = {
	.granule_lg2 = GRANULE,
	.index_lg2 = INDEX_BITS,
	.leaf = three_leaf,
	.table = three_table,
	.is_table = three_is_table,
	.address = three_address,
	.prot = three_prot,
	.grow = three_grow,
};

static int three_level_init(struct pgtable *pt, const struct pgtable_config *config)
{
	int err = pt_init(&three_level, pt, config);

	pt_set_sizes(&three_level, pt, config, 1ULL << 12 | 1ULL << 22 | 1ULL << 32);
	return err;
}

PT_DEFINE_OPS(three_level);

/* ---- The hardware ----------------------------------------------------- */

/* What is asked, and of which table. */
struct step {
	phys_addr_t table;
	u64 base; /* the first address that it serves */
	u8 levels;
	u64 rights; /* READ, WRITE: what the entries above allow */
	u64 start;
	u64 last;
};

static void walk_table(const struct dmasim_walker *walker, const struct step *step);

/* An entry that serves 2^lg2 bytes from iova on. */
static void read_entry(const struct dmasim_walker *walker, const struct step *step, u64 index,
		       u64 iova, u8 lg2)
{
	phys_addr_t at = step->table + index * sizeof(u64);
	u64 raw, entry;

	if (!walker->fetch(walker, at, &raw, sizeof(raw)))
		return;
	entry = le64toh(raw);
	if (!(entry & VALID)) {
		walker->hole(walker, iova, lg2);
		return;
	}
	if ((entry & LEAF && (entry >> FRAME << GRANULE) & ((1ULL << lg2) - 1)) ||
	    (step->levels == 1 && !(entry & LEAF))) {
		walker->wrong(walker, iova, lg2);
		return;
	}
	if (entry & LEAF) {
		u64 rights = entry & step->rights;
		const struct dmasim_walker_page page = { iova, entry >> FRAME << GRANULE, lg2,
							 rights & READ, rights & WRITE };

		walker->page(walker, &page);
		return;
	}
	const struct dmasim_walker_table found = {
		.iova = iova,
		.phys = entry >> FRAME << GRANULE,
		.entry = at,
		.lg2 = lg2,
		.levels = step->levels - 1,
		.read = step->rights & READ,
		.write = step->rights & WRITE,
	};
	const struct step below = { found.phys,	  iova,	       found.levels,
				    step->rights, step->start, step->last };

	walker->table(walker, &found);
	walk_table(walker, &below);
}

static void walk_table(const struct dmasim_walker *walker, const struct step *step)
{
	u8 lg2 = GRANULE + INDEX_BITS * (step->levels - 1);
	u64 index = step->start > step->base ? (step->start - step->base) >> lg2 : 0;

	for (; index < 1U << INDEX_BITS && step->base + (index << lg2) <= step->last; index++)
		read_entry(walker, step, index, step->base + (index << lg2), lg2);
}

static void walk(const struct dmasim_walker *walker, phys_addr_t top, u8 levels, u64 start,
		 u64 last)
{
	const struct step step = { top, 0, levels, READ | WRITE, start, last };

	if (!(start >> (GRANULE + INDEX_BITS * levels)))
		walk_table(walker, &step);
}

const struct dmasim_walker_ops three_level_walker = {
	DMASIM_WALKER_OPS,
	.name = "three_level",
	.walk = walk,
};

/* ---- Judged and measured ---------------------------------------------- */

/*
 * Judged; with an argument measured, too. Weak, so that a program of yours may have this file and a
 * main() of its own.
 */
__attribute__((weak)) int main(int argc, char **argv)
{
	const struct dmasim_pgtable_subject subject = {
		DMASIM_PGTABLE_SUBJECT,
		.ops = &pgtable_three_level,
		.walker = &three_level_walker,
		.config = { .levels = 3 },
	};
	const struct dmasim_pgtable_bench bench = { .subject = &subject, .subject_count = 1 };

	(void)argv;
	if (dmasim_pgtable_conform(&subject, NULL, stdout))
		return 1;
	return argc > 1 && dmasim_pgtable_bench(&bench, stdout);
}
