/* SPDX-License-Identifier: MIT */
/*
 * Linux's own io-pgtable-arm.c (-Dkernel_source) beside ours: the same maps and unmaps of whole
 * leaves, in every configuration that both have, and every virtual address has the same leaf word
 * at the same level. Where a table lies is each one's own affair, and when an empty one is freed.
 */
#include <errno.h>
#include <string.h>

#include "arm_tree.h"
#include "support/scale.h"
#include "tables_kernel.h"
#include "unit/os/formats.h"

#define STEPS	 8000 /* full count, of each of 132 configurations */
#define LIVE_MAX 256

/* ---- Configurations -------------------------------------------------------------------------- */

static const struct granule {
	u8 lg2;
	unsigned long sizes;
	const struct pgtable_ops *stage[2];
} granules[] = {
	{ 12, SZ_4K | SZ_2M | SZ_1G, { &pgtable_armv8_s1_4k, &pgtable_armv8_s2_4k } },
	{ 14, 0x4000 | 0x2000000, { &pgtable_armv8_s1_16k, &pgtable_armv8_s2_16k } },
	{ 16, 0x10000 | 0x20000000, { &pgtable_armv8_s1_64k, &pgtable_armv8_s2_64k } },
};

static const u8 widths[] = { 32, 36, 40, 42, 44, 48 };

struct range {
	u64 iova, bytes;
};

/* The two, and what is mapped in both. */
struct pair {
	struct dmasim *s;
	const struct granule *granule;
	const struct pgtable_ops *ops;
	struct pgtable pt;
	struct arm_tree *tree;
	u8 ias, oas;
	u8 top_bits; /* index bits of the tree's top */
	struct random random;
	struct range live[LIVE_MAX];
	u32 count;
	u64 step;
	u64 mapped, refused; /* calls */
};

static u64 draw(struct pair *pair, u64 bound)
{
	return random_below(&pair->random, bound);
}

/* Tables of a second stage may lie side by side at the top: that saves a level. */
static void shape(struct pair *pair, struct pgtable_config *config)
{
	u8 index_lg2 = pair->granule->lg2 - 3;

	config->levels = (u8)arm_tree_levels(pair->tree);
	pair->top_bits = pair->ias - pair->granule->lg2 - index_lg2 * (config->levels - 1);
	if (pair->top_bits > index_lg2)
		config->top_extra_lg2 = pair->top_bits - index_lg2;
}

static void pair_init(struct pair *pair, const struct arm_tree_config *arm)
{
	struct pgtable_config config = { .pa_bits = pair->oas, .coherent = true };

	pair->s = dmasim_create(NULL);
	assert_non_null(pair->s);
	pair->ops = pair->granule->stage[arm->stage_2];
	pair->tree = arm_tree_new(arm);
	assert_non_null(pair->tree);
	shape(pair, &config);
	config.host = &pair->s->os->tables;
	config.features = (arm->non_secure ? PGTABLE_NON_SECURE : 0) |
			  (arm->hw_dirty ? PGTABLE_HW_DIRTY : 0);
	expect_ok(pair->ops->init(&pair->pt, &config));
	expect_u64(arm_tree_page_sizes(pair->tree), pair->pt.page_sizes);
}

static void release(struct pair *pair, struct iommu_iotlb_gather *gather)
{
	while (gather->freelist) {
		struct page *page = gather->freelist;

		gather->freelist = page->next;
		page_free(pair->s->os, DMASIM_FAULT_TABLE_PAGE, page);
	}
}

static void pair_fini(struct pair *pair)
{
	arm_tree_free(pair->tree);
	pair->ops->fini(&pair->pt);
	expect_u64(dmasim_destroy(pair->s), 0);
}

/* ---- Looking --------------------------------------------------------------------------------- */

#define VALID	1ULL
#define POINTER 3ULL

static u64 table_address(const struct pair *pair, u64 word)
{
	return word & ((1ULL << 48) - (1ULL << pair->granule->lg2));
}

static const u64 *our_table(const struct pair *pair, u64 word)
{
	return dmasim_ptr(pair->s, table_address(pair, word), 8ULL << (pair->granule->lg2 - 3));
}

static const u64 *their_table(u64 address)
{
	return (const u64 *)(uintptr_t)address;
}

/* No leaf hangs in it. */
static void expect_hollow(const struct pair *pair, const u64 *table, u8 level, bool ours)
{
	for (u64 i = 0; i < 1ULL << (pair->granule->lg2 - 3); i++) {
		if (!table[i])
			continue;
		assert_true(level && (table[i] & POINTER) == POINTER);
		expect_hollow(pair,
			      ours ? our_table(pair, table[i])
				   : their_table(table_address(pair, table[i])),
			      level - 1, ours);
	}
}

static void compare_tables(const struct pair *pair, const u64 *our, const u64 *their, u8 level,
			   u64 entries)
{
	for (u64 i = 0; i < entries; i++) {
		bool ours = level && (our[i] & POINTER) == POINTER;
		bool theirs = level && (their[i] & POINTER) == POINTER;
		u64 address = ours && theirs ? table_address(pair, ~0ULL) : 0;

		if (ours && !their[i]) {
			expect_hollow(pair, our_table(pair, our[i]), level - 1, true);
			continue;
		}
		if (theirs && !our[i]) {
			expect_hollow(pair, their_table(table_address(pair, their[i])), level - 1,
				      false);
			continue;
		}
		if ((our[i] | address) != (their[i] | address))
			fail_msg("step %llu, level %u, entry %llu: 0x%016llx, Linux 0x%016llx",
				 pair->step, level, i, our[i], their[i]);
		if (ours && theirs)
			compare_tables(pair, our_table(pair, our[i]),
				       their_table(table_address(pair, their[i])), level - 1,
				       1ULL << (pair->granule->lg2 - 3));
	}
}

static void compare(const struct pair *pair)
{
	compare_tables(pair, pair->pt.top, (const u64 *)arm_tree_top(pair->tree),
		       pair->pt.levels - 1, 1ULL << pair->top_bits);
}

/* Both lead the same way from here. */
static void look(struct pair *pair, u64 iova)
{
	expect_u64(pair->ops->iova_to_phys(&pair->pt, iova),
		   arm_tree_iova_to_phys(pair->tree, iova));
}

/* ---- Doing ----------------------------------------------------------------------------------- */

static bool is_free(const struct pair *pair, const struct range *range)
{
	for (u32 i = 0; i < pair->count; i++) {
		const struct range *live = &pair->live[i];

		if (live->iova < range->iova + range->bytes &&
		    range->iova < live->iova + live->bytes)
			return false;
	}
	return true;
}

/* Leaf sizes are ours to choose; Linux is told them run by run. */
static int map_theirs(struct pair *pair, u64 iova, phys_addr_t phys, u64 bytes, u32 prot, u64 *done)
{
	int err = 0;

	*done = 0;
	while (!err && *done < bytes) {
		u64 sizes = pair->pt.page_sizes, left = bytes - *done;
		u8 lg2 = formula_best_size_lg2(sizes, iova + *done, phys + *done, left);
		u64 count = formula_leaf_count(sizes, iova + *done, phys + *done, left, lg2);
		size_t mapped = 0;

		err = arm_tree_map(pair->tree, iova + *done, phys + *done, 1UL << lg2, count,
				   (int)prot, &mapped);
		*done += mapped;
	}
	return err;
}

static u64 unmap_ours(struct pair *pair, u64 iova, u64 bytes)
{
	struct iommu_iotlb_gather gather;
	u64 done;

	iommu_iotlb_gather_init(&gather);
	done = bytes ? pair->ops->unmap(&pair->pt, iova, bytes, &gather) : 0;
	release(pair, &gather);
	return done;
}

/* Leaf by leaf, as large as ours are. */
static bool unmap_leaf(void *cookie, const struct pgtable_leaf *leaf)
{
	struct pair *pair = cookie;

	expect_u64(arm_tree_unmap(pair->tree, leaf->iova, 1UL << leaf->lg2, 1), 1UL << leaf->lg2);
	return true;
}

static void unmap_both(struct pair *pair, u64 iova, u64 bytes)
{
	if (!bytes)
		return;
	expect_ok(pair->ops->iterate(&pair->pt, iova, bytes, unmap_leaf, pair));
	expect_u64(unmap_ours(pair, iova, bytes), bytes);
}

static u32 draw_prot(struct pair *pair)
{
	u32 prot = (u32)draw(pair, 64);

	return prot & (IOMMU_READ | IOMMU_WRITE) ? prot : prot | IOMMU_READ;
}

/* Small mostly, sometimes several of the larger leaves; close to each other, or anywhere. */
static struct range draw_range(struct pair *pair)
{
	u64 granule = 1ULL << pair->granule->lg2;
	u64 large = granule << (pair->granule->lg2 - 3);
	u64 space = draw(pair, 4) ? 64 * large : 1ULL << pair->ias;
	struct range range = { .bytes = (1 + draw(pair, 1ULL << draw(pair, 9))) * granule };

	if (space > 1ULL << pair->ias)
		space = 1ULL << pair->ias;
	range.iova = draw(pair, space) & ~((draw(pair, 3) ? granule : large) - 1);
	if (!draw(pair, 6))
		range.bytes = (1 + draw(pair, 3)) * large;
	if (range.bytes > (1ULL << pair->ias) - range.iova)
		range.bytes = (1ULL << pair->ias) - range.iova;
	return range;
}

static void step_map(struct pair *pair)
{
	struct range range = draw_range(pair);
	u64 large = 1ULL << (2 * pair->granule->lg2 - 3);
	u64 memory = (1ULL << pair->oas) - range.bytes;
	phys_addr_t phys = draw(pair, memory) & ~(large - 1);
	u32 prot = draw_prot(pair);
	bool free = is_free(pair, &range);
	struct iommu_iotlb_gather gather;
	u64 ours = 0, theirs;
	int err, their_err;

	phys |= draw(pair, 3) ? range.iova & (large - 1)
			      : draw(pair, large) & ~((1ULL << pair->granule->lg2) - 1);
	if (phys > memory)
		phys = memory & ~(large - 1);
	iommu_iotlb_gather_init(&gather);
	err = pair->ops->map(&pair->pt, range.iova, phys, range.bytes, prot, &gather, &ours);
	release(pair, &gather);
	/* Linux warns of what is in use: it is not asked for more than ours got to. */
	their_err = map_theirs(pair, range.iova, phys, free ? range.bytes : ours, prot, &theirs);
	expect_ok(their_err);
	expect_error(err, free ? 0 : -EADDRINUSE);
	expect_u64(theirs, ours);
	look(pair, range.iova);
	look(pair, range.iova + (range.bytes - 1));
	pair->mapped += free;
	pair->refused += !free;
	if (free && pair->count < LIVE_MAX)
		pair->live[pair->count++] = range;
	else
		unmap_both(pair, range.iova, ours);
}

/* The first leaves of a mapping. */
struct first_leaves {
	u64 wanted;
	u64 end; /* of the last of them */
};

static bool count_leaf(void *cookie, const struct pgtable_leaf *leaf)
{
	struct first_leaves *first = cookie;

	first->end = leaf->iova + (1ULL << leaf->lg2);
	return --first->wanted;
}

/* All of a mapping, or its first leaves. */
static void step_unmap(struct pair *pair)
{
	u32 which = (u32)draw(pair, pair->count);
	struct range *live = &pair->live[which];
	struct first_leaves first = { draw(pair, 3) ? ~0ULL : 1 + draw(pair, 20), 0 };
	u64 bytes;

	expect_ok(pair->ops->iterate(&pair->pt, live->iova, live->bytes, count_leaf, &first));
	bytes = first.end - live->iova;
	unmap_both(pair, live->iova, bytes);
	look(pair, live->iova);
	live->iova += bytes;
	live->bytes -= bytes;
	if (!live->bytes)
		*live = pair->live[--pair->count];
}

static void run(const struct granule *granule, const struct arm_tree_config *arm, u64 seed)
{
	struct pair pair = { .granule = granule, .ias = (u8)arm->ias, .oas = (u8)arm->oas };
	u32 steps = scaled(STEPS);

	random_init(&pair.random, seed);
	pair_init(&pair, arm);
	for (pair.step = 0; pair.step < steps; pair.step++) {
		if (pair.count && draw(&pair, 2))
			step_unmap(&pair);
		else
			step_map(&pair);
		if (pair.step % 200 == 0)
			compare(&pair);
	}
	compare(&pair);
	assert_true(pair.mapped > steps / 10);
	while (pair.count)
		step_unmap(&pair);
	compare(&pair);
	expect_u64(tables_kernel_warnings(), 0);
	pair_fini(&pair);
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static const char *missing(void)
{
	return arm_tree_is_there() ? NULL
				   : "no kernel tree was given: ./tests/run --all installs one, or "
				     "meson configure build -Dkernel_source=FOLDER";
}

static void every_width(bool stage_2, bool non_secure, bool hw_dirty)
{
	u64 seed = test_seed(1);

	for (size_t g = 0; g < sizeof(granules) / sizeof(granules[0]); g++) {
		for (size_t i = 0; i < sizeof(widths); i++) {
			for (size_t o = i; o < sizeof(widths); o++) {
				const struct arm_tree_config arm = {
					.stage_2 = stage_2,
					.page_sizes = granules[g].sizes,
					.ias = widths[i],
					.oas = widths[o],
					.non_secure = non_secure,
					.hw_dirty = hw_dirty,
				};

				run(&granules[g], &arm, seed++);
			}
		}
	}
}

/*
 * trust: Armv8 page tables, every word of every leaf
 * | Linux's own code: io-pgtable-arm.c of 6.12 and 7.3, compiled beside ours
 */
static void a_first_stage_is_linuxs(void **state)
{
	(void)state;
	every_width(false, false, false);
}

static void a_second_stage_is_linuxs(void **state)
{
	(void)state;
	every_width(true, false, false);
}

static void a_first_stage_with_quirks_is_linuxs(void **state)
{
	const struct arm_tree_config arm = { .page_sizes = granules[0].sizes,
					     .ias = 48,
					     .oas = 48,
					     .non_secure = true,
					     .hw_dirty = true };

	(void)state;
	run(&granules[0], &arm, test_seed(1));
}

TEST_MAIN_UNLESS(missing, cmocka_unit_test(a_first_stage_is_linuxs),
		 cmocka_unit_test(a_second_stage_is_linuxs),
		 cmocka_unit_test(a_first_stage_with_quirks_is_linuxs))
