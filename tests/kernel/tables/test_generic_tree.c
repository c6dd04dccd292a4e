/* SPDX-License-Identifier: MIT */
/*
 * Linux's own generic_pt (-Dkernel_source) beside ours: the same calls, good ones and bad, in every
 * configuration that both have. Each gives the same answer, and after each the tables are the same
 * word for word, those that lead to other tables but for where these lie.
 */
#include <errno.h>

#include <dmasim/pgtable/format.h>

#include "generic_tree.h"
#include "support/scale.h"
#include "tables_kernel.h"
#include "unit/os/formats.h"

#define STEPS 12000 /* full count, of each of 96 configurations */
#define LIVE  64

/* The two, and what chance has chosen. */
struct pair {
	const char *name;
	struct dmasim *s;
	const struct pgtable_ops *ops;
	struct pgtable pt;
	struct generic_tree *tree;
	u8 va_bits, pa_bits;
	bool sign_extends;
	bool many;   /* leaves may take several entries */
	u64 kept;    /* empty tables that Linux has not */
	u64 address; /* of a word that leads to a table: where that lies */
	struct random random;
	u64 step;
	u64 mapped, refused, unmapped, stopped, dirty; /* calls */
	u64 without_rights;			       /* of which Linux warns */
	struct range {
		u64 iova, bytes;
	} live[LIVE]; /* some of what was mapped, and may be there */
};

static u64 draw(struct pair *pair, u64 bound)
{
	return random_below(&pair->random, bound);
}

/* ---- Looking --------------------------------------------------------------------------------- */

static const u64 *our_table(const struct pair *pair, u64 word)
{
	return dmasim_ptr(pair->s, pair->ops->format->address(&pair->pt, word), 4096);
}

static const u64 *their_table(const struct pair *pair, u64 word)
{
	return (const u64 *)(uintptr_t)pair->ops->format->address(&pair->pt, word);
}

/* No leaf hangs in it. */
static bool is_hollow(const struct pair *pair, const u64 *table, u8 level)
{
	for (u64 i = 0; i < 1ULL << pair->ops->format->index_lg2; i++) {
		if (table[i] && !(pair->ops->format->is_table(table[i], level) &&
				  is_hollow(pair, our_table(pair, table[i]), level - 1)))
			return false;
	}
	return true;
}

/*
 * A leaf of several entries that finds one in use takes none of ours; Linux has taken down empty
 * tables before it.
 */
static bool may_be_kept(struct pair *pair, u64 ours, u64 theirs, u8 level)
{
	bool may = pair->many && !theirs && is_hollow(pair, our_table(pair, ours), level - 1);

	pair->kept += may;
	return may;
}

static void compare_tables(struct pair *pair, const u64 *our, const u64 *their, u8 level)
{
	u64 entries = 1ULL << pair->ops->format->index_lg2;

	for (u64 i = 0; i < entries; i++) {
		bool ours = our[i] && pair->ops->format->is_table(our[i], level);
		bool theirs = their[i] && pair->ops->format->is_table(their[i], level);
		u64 address = ours && theirs ? pair->address : 0;

		if (ours && !theirs && may_be_kept(pair, our[i], their[i], level))
			continue;
		if ((our[i] | address) != (their[i] | address))
			fail_msg("%s, step %llu, level %u, entry %llu: 0x%016llx, Linux 0x%016llx",
				 pair->name, pair->step, level, i, our[i], their[i]);
		if (!ours)
			continue;
		compare_tables(pair, our_table(pair, our[i]), their_table(pair, their[i]),
			       level - 1);
	}
}

static void compare(struct pair *pair)
{
	u8 levels;
	const u64 *top = (const u64 *)generic_tree_top(pair->tree, &levels);

	expect_u64(pair->pt.levels, levels);
	compare_tables(pair, pair->pt.top, top, levels - 1);
}

static void look(struct pair *pair, u64 iova)
{
	expect_u64(pair->ops->iova_to_phys(&pair->pt, iova),
		   generic_tree_iova_to_phys(pair->tree, iova));
}

/* ---- Drawing --------------------------------------------------------------------------------- */

/* 0 to the last address that has a translation, in both halves of what repeats its sign. */
static u64 in_space(const struct pair *pair, u64 iova)
{
	u64 last = ~0ULL >> (64 - pair->va_bits);

	iova &= last;
	if (pair->sign_extends && iova >> (pair->va_bits - 1))
		iova |= ~last;
	return iova;
}

/* Close to each other, around the ends of what there is, or anywhere; seldom not of a page. */
static u64 draw_iova(struct pair *pair)
{
	static const u64 clusters[] = { 0, 0x3fe00000, 0x7fc0000000, 0x7ffffffe00000,
					~0x1fffffULL };
	u64 at = clusters[draw(pair, sizeof(clusters) / sizeof(clusters[0]))];

	switch (draw(pair, 8)) {
	case 0:
		at = random_next(&pair->random);
		break;
	case 1:
		at += draw(pair, 64) << 30;
		break;
	case 2:
		at += draw(pair, 64) << 21;
		break;
	default:
		at += draw(pair, 1024) << 12;
		break;
	}
	if (draw(pair, 100))
		at &= ~0xfffULL;
	return draw(pair, 200) ? in_space(pair, at) : at;
}

/* Whole pages, as the layer above sees to: of others Linux does not come to an end. */
static u64 draw_bytes(struct pair *pair)
{
	u64 bytes;

	switch (draw(pair, 8)) {
	case 0:
		bytes = (1 + draw(pair, 3)) << 30;
		break;
	case 1:
		bytes = (1 + draw(pair, 20)) << 21;
		break;
	case 2:
		bytes = (1 + draw(pair, 64)) << 16;
		break;
	default:
		bytes = (1 + draw(pair, 1ULL << draw(pair, 10))) << 12;
		break;
	}
	return draw(pair, 300) ? bytes : 0;
}

/* ---- Doing ----------------------------------------------------------------------------------- */

static void release(struct pair *pair, struct iommu_iotlb_gather *gather)
{
	while (gather->freelist) {
		struct page *page = gather->freelist;

		gather->freelist = page->next;
		page_free(pair->s->os, DMASIM_FAULT_TABLE_PAGE, page);
	}
}

static void step_map(struct pair *pair)
{
	u64 iova = draw_iova(pair), bytes = draw_bytes(pair), ours = 0;
	phys_addr_t phys = draw(pair, 1ULL << (pair->pa_bits - 1)) & ~0xfffULL;
	u32 prot = (u32)draw(pair, 32) | (draw(pair, 20) ? IOMMU_READ : 0);
	struct iommu_iotlb_gather gather;
	size_t theirs = 0;
	int err;

	if (draw(pair, 3))
		phys = (phys & ~0x3fffffffULL) | (iova & 0x3fffffff);
	if (!draw(pair, 100))
		phys = random_next(&pair->random);
	iommu_iotlb_gather_init(&gather);
	err = pair->ops->map(&pair->pt, iova, phys, bytes, prot, &gather, &ours);
	release(pair, &gather);
	expect_error(err, generic_tree_map(pair->tree, iova, phys, bytes, prot, &theirs));
	expect_u64(ours, theirs);
	look(pair, iova);
	look(pair, iova + ours - 1);
	pair->without_rights += !(prot & (IOMMU_READ | IOMMU_WRITE));
	pair->mapped += !err;
	pair->refused += err != 0;
	if (!err)
		pair->live[draw(pair, LIVE)] = (struct range){ iova, bytes };
}

/* What is to be invalidated. */
static void compare_gathers(const struct pair *pair, const struct iommu_iotlb_gather *ours,
			    const struct generic_gather *theirs)
{
	expect_u64(ours->start, theirs->start);
	expect_u64(ours->last, theirs->last);
	if (pair->ops == &pgtable_riscv) {
		expect_u64(ours->leaf_levels, theirs->leaf_levels);
		expect_u64(ours->table_levels, theirs->table_levels);
	}
}

/* What was mapped, whole or its beginning, or anything, as far as it goes. */
static void step_unmap(struct pair *pair)
{
	struct range *live = &pair->live[draw(pair, LIVE)];
	bool known = draw(pair, 8);
	u64 iova = known ? live->iova : draw_iova(pair);
	u64 bytes = known && draw(pair, 4) ? live->bytes : draw_bytes(pair);
	struct iommu_iotlb_gather gather;
	struct generic_gather theirs;
	u64 ours;

	iommu_iotlb_gather_init(&gather);
	ours = pair->ops->unmap(&pair->pt, iova, bytes, &gather);
	release(pair, &gather);
	expect_u64(ours, generic_tree_unmap(pair->tree, iova, bytes, &theirs));
	if (ours)
		compare_gathers(pair, &gather, &theirs);
	pair->unmapped += ours && ours == bytes;
	pair->stopped += ours != bytes;
}

static void add_dirty(void *cookie, u64 iova, u64 bytes)
{
	(void)iova;
	*(u64 *)cookie += bytes;
}

static bool keep_leaf(void *cookie, const struct pgtable_leaf *leaf)
{
	*(struct pgtable_leaf *)cookie = *leaf;
	return false;
}

/* Of a leaf of several entries 7.3 does not tell the last. */
static bool is_told(struct pair *pair, u64 iova)
{
	const struct pt_format *format = pair->ops->format;
	struct pgtable_leaf leaf = { .lg2 = format->granule_lg2 };
	u8 item_lg2;

	if (pair->ops->iterate(&pair->pt, iova, 1, keep_leaf, &leaf))
		return true;
	item_lg2 = leaf.lg2 - (leaf.lg2 - format->granule_lg2) % format->index_lg2;
	return item_lg2 == leaf.lg2 ||
	       (iova - leaf.iova) >> item_lg2 != (1ULL << (leaf.lg2 - item_lg2)) - 1;
}

static void step_dirty(struct pair *pair)
{
	u64 iova = draw(pair, 4) ? pair->live[draw(pair, LIVE)].iova : draw_iova(pair), ours = 0;
	u64 base = iova & ~0xfffULL;
	bool clear = draw(pair, 2);
	uint64_t theirs = 0;
	struct iommu_iotlb_gather gather;

	/* A table that may grow has nothing there yet; Linux calls it beyond. */
	if (pair->ops->format->grow && pair->pt.levels < 6 && iova >> (12 + 9 * pair->pt.levels))
		return;
	expect_error(pair->ops->set_dirty(&pair->pt, iova),
		     generic_tree_set_dirty(pair->tree, iova));
	iommu_iotlb_gather_init(&gather);
	expect_error(pair->ops->read_and_clear_dirty(&pair->pt, base, 4096, clear, add_dirty, &ours,
						     &gather),
		     generic_tree_read_and_clear_dirty(pair->tree, base, 4096, clear, &theirs));
	/* Linux tells whole leaves, of which a bitmap keeps what it covers. */
	if (is_told(pair, base))
		expect_u64(!ours, !theirs);
	pair->dirty += ours != 0;
}

/* ---- Configurations -------------------------------------------------------------------------- */

struct configuration {
	const char *name;
	const struct pgtable_ops *ops;
	struct generic_tree_config linuxs;
	struct pgtable_config ours; /* but for the host, and what is told of both */
};

#define ENTRY_51_12 0x000ffffffffff000ULL
#define ENTRY_53_10 0x003ffffffffffc00ULL

static void pair_init(struct pair *pair, const struct configuration *row)
{
	struct pgtable_config config = row->ours;

	pair->name = row->name;
	pair->ops = row->ops;
	pair->va_bits = row->linuxs.va_bits;
	pair->pa_bits = row->linuxs.pa_bits;
	pair->sign_extends = row->linuxs.sign_extends;
	pair->address = row->linuxs.format == GENERIC_RISCV ? ENTRY_53_10 : ENTRY_51_12;
	pair->s = dmasim_create(NULL);
	assert_non_null(pair->s);
	config.host = &pair->s->os->tables;
	config.pa_bits = row->linuxs.pa_bits;
	config.levels = row->linuxs.levels;
	config.coherent = !row->linuxs.incoherent;
	config.page_sizes = row->linuxs.page_sizes;
	config.snoop = row->linuxs.snoop;
	expect_ok(pair->ops->init(&pair->pt, &config));
	pair->tree = generic_tree_new(&row->linuxs);
	assert_non_null(pair->tree);
	for (u8 lg2 = 0; lg2 < 64; lg2++)
		pair->many |= pair->pt.page_sizes >> lg2 & 1 && (lg2 - 12) % 9;
	expect_u64(pair->pt.page_sizes, generic_tree_page_sizes(pair->tree));
}

static void pair_fini(struct pair *pair)
{
	generic_tree_free(pair->tree);
	pair->ops->fini(&pair->pt);
	expect_u64(dmasim_destroy(pair->s), 0);
}

static void run(const struct configuration *row, u64 seed)
{
	struct pair pair = { 0 };
	unsigned long warnings = tables_kernel_warnings();
	u32 steps = scaled(STEPS);

	random_init(&pair.random, test_seed(1) + seed);
	pair_init(&pair, row);
	for (pair.step = 0; pair.step < steps; pair.step++) {
		switch (draw(&pair, 8)) {
		case 0:
			step_dirty(&pair);
			break;
		case 1:
		case 2:
		case 3:
			step_map(&pair);
			break;
		default:
			step_unmap(&pair);
			break;
		}
		if (pair.step % 400 == 0)
			compare(&pair);
	}
	compare(&pair);
	print_message("# %s of %u levels, %u bits, sizes 0x%llx: %llu mapped, %llu refused, %llu "
		      "unmapped, %llu not whole, %llu dirty, %llu tables kept\n",
		      row->name, row->linuxs.levels, row->linuxs.pa_bits, pair.pt.page_sizes,
		      pair.mapped, pair.refused, pair.unmapped, pair.stopped, pair.dirty,
		      pair.kept);
	/* Of each kind enough, where there are steps enough for chance to be even. */
	assert_true(steps < 1000 || (pair.mapped > steps / 20 && pair.unmapped > steps / 100));
	assert_true(steps < 1000 || (pair.refused > steps / 100 && pair.stopped > steps / 100));
	expect_u64(tables_kernel_warnings() - warnings, pair.without_rights);
	pair_fini(&pair);
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static const char *missing(void)
{
	return generic_tree_is_there() ? NULL
				       : "no kernel tree that has generic_pt was given: meson "
					 "configure build -Dkernel_source=FOLDER, of 7.2 or later";
}

#define SIZES_OF_LEVELS (SZ_4K | SZ_2M | SZ_1G)

/*
 * trust: AMD v1 page tables, every word, every answer and what is to be invalidated
 * | Linux's own code: generic_pt of 7.2 and 7.3, compiled beside ours
 */
static void amdv1_is_linuxs(void **state)
{
	(void)state;
	for (u8 levels = 2; levels <= 6; levels++) {
		for (u8 which = 0; which < 4; which++) {
			struct configuration row = {
				.name = "amdv1",
				.ops = &pgtable_amdv1,
				.linuxs = { .format = GENERIC_AMDV1,
					    .levels = levels,
					    .va_bits = 64,
					    .pa_bits = which & 1 ? 44 : 52,
					    .snoop = true },
				.ours = { .levels_max = 6 },
			};

			if (which & 2)
				row.linuxs.page_sizes = SIZES_OF_LEVELS;
			run(&row, 16 * levels + which);
		}
	}
}

/*
 * trust: VT-d second-stage page tables, every word, every answer and what is to be invalidated
 * | Linux's own code: generic_pt of 7.2 and 7.3, compiled beside ours
 */
static void vtdss_is_linuxs(void **state)
{
	(void)state;
	for (u8 levels = 3; levels <= 5; levels++) {
		for (u8 which = 0; which < 16; which++) {
			struct configuration row = {
				.name = "vtdss",
				.ops = &pgtable_vtdss,
				.linuxs = { .format = GENERIC_VTDSS,
					    .levels = levels,
					    .va_bits = (u8)(12 + 9 * levels),
					    .pa_bits = which & 1 ? 46 : 52,
					    .snoop = which & 2,
					    .incoherent = which & 4,
					    .force_write = which & 8 },
				.ours = { .huge_1g = true,
					  .features = which & 8 ? PGTABLE_FORCE_WRITE : 0 },
			};

			if (which & 1)
				row.linuxs.page_sizes = SZ_4K | SZ_2M;
			run(&row, 16 * levels + which);
		}
	}
}

/*
 * trust: x86-64 page tables, every word, every answer and what is to be invalidated
 * | Linux's own code: generic_pt of 7.2 and 7.3, compiled beside ours
 */
static void x86_64_is_linuxs(void **state)
{
	(void)state;
	for (u8 levels = 4; levels <= 5; levels++) {
		for (u8 which = 0; which < 8; which++) {
			struct configuration row = {
				.name = "x86_64",
				.ops = &pgtable_x86_64,
				.linuxs = { .format = GENERIC_X86_64,
					    .levels = levels,
					    .va_bits = (u8)(12 + 9 * levels - !(which & 2)),
					    .pa_bits = which & 1 ? 46 : 52,
					    .sign_extends = which & 2,
					    .incoherent = which & 4 },
				.ours = { .huge_1g = true,
					  .features = which & 2 ? 0 : PGTABLE_LOWER_HALF },
			};

			if (which & 1)
				row.linuxs.page_sizes = SZ_4K | SZ_2M;
			run(&row, 16 * levels + which);
		}
	}
}

/*
 * trust: RISC-V page tables, every word, every answer and what is to be invalidated
 * | Linux's own code: generic_pt of 7.2 and 7.3, compiled beside ours
 */
static void riscv_is_linuxs(void **state)
{
	(void)state;
	for (u8 levels = 3; levels <= 5; levels++) {
		for (u8 which = 0; which < 4; which++) {
			const struct configuration row = {
				.name = "riscv",
				.ops = &pgtable_riscv,
				.linuxs = { .format = GENERIC_RISCV,
					    .levels = levels,
					    .va_bits = (u8)(12 + 9 * levels),
					    .pa_bits = which & 1 ? 48 : 56,
					    .sign_extends = true,
					    .napot = which & 2 },
				.ours = { .features = which & 2 ? PGTABLE_NAPOT : 0 },
			};

			run(&row, 16 * levels + which);
		}
	}
}

TEST_MAIN_UNLESS(missing, cmocka_unit_test(amdv1_is_linuxs), cmocka_unit_test(vtdss_is_linuxs),
		 cmocka_unit_test(x86_64_is_linuxs), cmocka_unit_test(riscv_is_linuxs))
