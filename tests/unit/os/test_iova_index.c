/* SPDX-License-Identifier: MIT */
/*
 * The index of ranges against a sorted array, and the tree's own rules after every step: order,
 * separators, codes, parents and neighbours.
 */
#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "iova/index_hot.h"
#include "support/scale.h"

#define STEPS	   1000000 /* full count, over all shapes */
#define RANGES_MAX 20000

/* ---- A platform that only has memory ------------------------------------------------------- */

struct heap {
	struct platform platform;
	struct platform_ops ops;
	u64 live;
	u64 live_bytes;
	u64 allocs;
	u64 fail_from; /* allocations from this one on fail; 0: none */
};

/* Stands before what is handed out. */
struct block {
	u64 bytes;
	u64 unused; /* for the alignment of what follows */
};

static void *heap_alloc(void *machine, enum dmasim_fault_point why, size_t bytes)
{
	struct heap *heap = machine;
	struct block *block;

	(void)why;
	heap->allocs++;
	if (heap->fail_from && heap->allocs >= heap->fail_from)
		return NULL;
	block = calloc(1, sizeof(*block) + bytes);
	block->bytes = bytes;
	heap->live++;
	heap->live_bytes += bytes;
	return block + 1;
}

static void heap_free(void *machine, void *memory)
{
	struct heap *heap = machine;
	struct block *block = memory;

	if (!memory)
		return;
	heap->live--;
	heap->live_bytes -= block[-1].bytes;
	free(block - 1);
}

/* ---- The sorted array, ascending ----------------------------------------------------------- */

struct world {
	struct heap heap;
	struct iova_index index;
	u64 random;
	u64 found; /* searches that did */
	u32 most;  /* ranges there were */
	u32 count;
	struct iova_range range[RANGES_MAX];
};

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	world->heap.ops.alloc = heap_alloc;
	world->heap.ops.free = heap_free;
	world->heap.platform.ops = &world->heap.ops;
	world->heap.platform.machine = &world->heap;
	iova_index_init(&world->index, &world->heap.platform);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;
	u64 live;

	iova_index_fini(&world->index);
	live = world->heap.live;
	free(world);
	return live != 0;
}

static u64 dice(struct world *world, u64 bound)
{
	world->random = world->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return ((world->random >> 32) * 0x9e3779b97f4a7c15ULL >> 11) % bound;
}

/* The first range that ends at or above pfn. */
static u32 model_next(const struct world *world, u64 pfn)
{
	u32 low = 0, high = world->count;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (world->range[middle].last_pfn < pfn)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool model_free(const struct world *world, u64 first, u64 last)
{
	u32 at = model_next(world, first);

	return at == world->count || world->range[at].first_pfn > last;
}

static void model_insert(struct world *world, u64 first, u64 last, bool reserved)
{
	u32 at = model_next(world, first);

	assert_true(world->count < RANGES_MAX);
	memmove(&world->range[at + 1], &world->range[at],
		(world->count - at) * sizeof(world->range[0]));
	world->range[at] = (struct iova_range){ first, last, reserved };
	world->count++;
}

static void model_remove(struct world *world, u32 at)
{
	world->count--;
	memmove(&world->range[at], &world->range[at + 1],
		(world->count - at) * sizeof(world->range[0]));
}

/* Gap after gap from the top, by the definition. */
static u64 model_search(const struct world *world, const struct iova_search *search)
{
	u64 align = 1ULL << search->align_lg2;
	u64 top = search->top;
	u32 at = world->count;

	for (;;) {
		u64 start = at ? world->range[at - 1].last_pfn + 1 : 0;
		u64 pfn = top >= search->pages ? (top - search->pages) / align * align : 0;

		if (top >= search->pages && pfn >= start && (!at || start))
			return pfn;
		if (!at)
			return IOVA_NO_PFN;
		at--;
		if (world->range[at].first_pfn < top)
			top = world->range[at].first_pfn;
	}
}

/* ---- The tree's own rules ------------------------------------------------------------------ */

struct walk {
	const struct world *world;
	struct index_leaf *leaf; /* the next one in the chain */
	u32 left;		 /* ranges not seen yet */
	u64 bound;		 /* all that follows begins at or below it */
};

static void check_leaf(struct walk *walk, struct index_leaf *leaf)
{
	assert_ptr_equal(leaf, walk->leaf);
	assert_true(leaf->node.count > 0 || !leaf->node.parent);
	for (u32 i = 0; i < leaf->node.count; i++) {
		const struct iova_range *range = &walk->world->range[--walk->left];
		u64 start = walk->left ? range[-1].last_pfn + 1 : 0;

		expect_u64(leaf_first(leaf, i), range->first_pfn);
		expect_u64(leaf_last(leaf, i), range->last_pfn);
		expect_u64(leaf->reserved >> i & 1, range->reserved);
		assert_true(range->first_pfn <= walk->bound);
		expect_u64(leaf->node.fit[i], fit_code(fit_natural(start, range->first_pfn)));
		expect_u64(leaf->node.gap[i], fit_code(range->first_pfn - start));
	}
	for (u32 i = leaf->node.count; i < INDEX_FANOUT; i++)
		expect_u64(leaf->low[i] | leaf->node.fit[i] | leaf->node.gap[i], 0);
	if (leaf->below)
		assert_ptr_equal(leaf->below->above, leaf);
	walk->leaf = leaf->below;
}

static void check_node(struct walk *walk, struct index_node *node, u32 level)
{
	expect_u64(node->max_fit, codes_max(node->fit));
	expect_u64(node->max_gap, codes_max(node->gap));
	if (!level) {
		check_leaf(walk, index_leaf(node));
		return;
	}
	assert_true(node->count > 0);
	for (u32 i = 0; i < node->count; i++) {
		struct index_inner *inner = index_inner(node);
		u64 lowest = walk->left ? walk->world->range[walk->left - 1].first_pfn : 0;

		assert_ptr_equal(inner->child[i]->parent, inner);
		expect_u64(index_slot(inner, inner->child[i]), i);
		expect_u64(node->fit[i], inner->child[i]->max_fit);
		expect_u64(node->gap[i], inner->child[i]->max_gap);
		if (i) {
			assert_true(inner->top[i] >= lowest);
			/* The range right above belongs to the child before. */
			if (walk->left < walk->world->count)
				assert_true(inner->top[i] <
					    walk->world->range[walk->left].first_pfn);
			walk->bound = inner->top[i];
		}
		check_node(walk, inner->child[i], level - 1);
	}
}

static void check_tree(struct world *world)
{
	struct walk walk = { world, world->index.highest, world->count, ~0ULL };

	expect_u64(world->index.count, world->count);
	if (world->index.root)
		check_node(&walk, world->index.root, world->index.height);
	expect_u64(walk.left, 0);
	assert_null(walk.leaf);
}

/* ---- Steps --------------------------------------------------------------------------------- */

struct shape {
	const char *name;
	u64 space;     /* pages */
	u64 pages_max; /* of one range, mostly */
	u32 fill;      /* ranges it is about to hold */
	bool wide;     /* and ranges of 2^32 pages and more */
	u32 steps;     /* percent of STEPS */
	u64 base;      /* where the space begins */
};

static u64 pick_pages(struct world *world, const struct shape *shape)
{
	if (shape->wide && !dice(world, 50))
		return (1ULL << 32) - 2 + dice(world, 4) + (dice(world, 2) << 35);
	return dice(world, 3) ? 1ULL << dice(world, fit_log2(shape->pages_max) + 1)
			      : 1 + dice(world, shape->pages_max);
}

static void step_search(struct world *world, const struct shape *shape)
{
	struct iova_search search = {
		.pages = pick_pages(world, shape),
		.top = shape->base +
		       (dice(world, 2) ? shape->space : 1 + dice(world, shape->space)),
	};
	struct iova_place place = { .pfn = 0 };
	u64 pfn;

	if (dice(world, 4))
		search.align_lg2 = iova_natural(search.pages);
	else if (dice(world, 2))
		search.align_lg2 = (u32)dice(world, 12);
	/* Often right below a range, as a cached pointer asks. */
	if (world->count && dice(world, 2))
		search.top = world->range[dice(world, world->count)].first_pfn;
	pfn = model_search(world, &search);
	if (index_search_near(&world->index, &search, &place))
		expect_u64(place.pfn, pfn);
	if (!iova_index_search(&world->index, &search, &place)) {
		expect_u64(IOVA_NO_PFN, pfn);
		return;
	}
	expect_u64(place.pfn, pfn);
	world->found++;
	if (world->count >= shape->fill)
		return;
	expect_ok(index_insert(&world->index, place, pfn + search.pages - 1, false));
	model_insert(world, pfn, pfn + search.pages - 1, false);
}

static void step_place(struct world *world, const struct shape *shape)
{
	u64 pages = pick_pages(world, shape);
	u64 first = shape->base + dice(world, shape->space);
	bool reserved = dice(world, 2);

	if (pages > shape->base + shape->space - first || world->count >= shape->fill ||
	    !model_free(world, first, first + pages - 1))
		return;
	expect_ok(iova_index_insert_at(&world->index, first, first + pages - 1, reserved));
	model_insert(world, first, first + pages - 1, reserved);
}

static void step_remove(struct world *world, u32 at)
{
	struct iova_range want = world->range[at];
	u64 pfn = want.first_pfn + dice(world, want.last_pfn - want.first_pfn + 1);
	struct iova_range range, above;

	assert_true(index_remove(&world->index, pfn, &range, &above));
	expect_u64(range.first_pfn, want.first_pfn);
	expect_u64(range.last_pfn, want.last_pfn);
	expect_u64(range.reserved, want.reserved);
	model_remove(world, at);
	expect_u64(above.first_pfn, at < world->count ? world->range[at].first_pfn : ~0ULL);
	assert_false(index_remove(&world->index, pfn, &range, &above));
}

static void step_extend(struct world *world, u32 at)
{
	struct iova_range *range = &world->range[at];
	u64 start = at ? range[-1].last_pfn + 1 : 0;
	u64 first = start + dice(world, range->first_pfn - start + 1);

	expect_ok(iova_index_extend(&world->index, range->last_pfn, first));
	range->first_pfn = first;
}

static void step_ask(struct world *world, const struct shape *shape)
{
	u64 pfn = shape->base + dice(world, shape->space);
	u32 at = model_next(world, pfn);
	struct iova_range range;

	expect_u64(iova_index_next(&world->index, pfn, &range), at < world->count);
	if (at < world->count) {
		expect_u64(range.first_pfn, world->range[at].first_pfn);
		expect_u64(range.last_pfn, world->range[at].last_pfn);
	}
	expect_u64(iova_index_find(&world->index, pfn, &range), !model_free(world, pfn, pfn));
}

static void step(struct world *world, const struct shape *shape, bool shrinking)
{
	u64 what = dice(world, 100);

	if (world->count && (what < 8 || (shrinking && what < 60)))
		step_remove(world, (u32)dice(world, world->count));
	else if (world->count && what < 61 && what % 4 == 0 && !dice(world, 20))
		step_extend(world, (u32)dice(world, world->count));
	else if (what >= 95)
		step_ask(world, shape);
	else if (what >= 85)
		step_place(world, shape);
	else
		step_search(world, shape);
}

static const struct shape shapes[] = {
	{ "dense", 3000, 4, 2000, false, 20, 0 },
	{ "single pages", 5000, 1, 4500, false, 20, 0 },
	{ "48 bit", 1ULL << 36, 4096, 6000, false, 20, 0 },
	{ "64 bit, wide", 1ULL << 52, 1ULL << 20, 500, true, 20, 0 },
	{ "few", 64, 4, 40, false, 20, 0 },
	/* The last page is the last but one there is. */
	{ "below 2^64", 3000, 8, 1000, true, 20, ~0ULL - 3000 },
	/* Ranges of one leaf begin on both sides. */
	{ "around 2^52", 1ULL << 33, 1ULL << 20, 1000, true, 20, (1ULL << 52) - (1ULL << 32) },
};

static void the_index_equals_a_sorted_array(void **state)
{
	struct world *world = *state;
	u64 seed = test_seed(1);

	for (u32 s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
		const struct shape *shape = &shapes[s];
		u32 steps = scaled(STEPS) / 100 * shape->steps;

		world->random = seed + s;
		for (u32 i = 0; i < steps; i++) {
			step(world, shape, i / (2 * shape->fill) % 3 == 2);
			world->most = world->count > world->most ? world->count : world->most;
			if (!dice(world, world->count + 1) || i % 1000 == 0)
				check_tree(world);
		}
		print_message("# %s: %u steps, %llu found, up to %u ranges, DMASIM_SEED=0x%llx\n",
			      shape->name, steps, world->found, world->most, seed);
		world->found = world->most = 0;
		while (world->count)
			step_remove(world, (u32)dice(world, world->count));
		check_tree(world);
	}
}

/* As Linux fills: each page right below the last. Full leaves, and little memory. */
static void filling_downwards_fills_the_leaves(void **state)
{
	struct world *world = *state;

	for (u64 n = 0; n < 4096; n++)
		expect_ok(iova_index_insert_at(&world->index, 100000 - n, 100000 - n, false));
	expect_u64(world->heap.live, 4096 / 64 + 1);
}

static void filling_upwards_fills_them_too(void **state)
{
	struct world *world = *state;

	for (u64 n = 0; n < 4096; n++)
		expect_ok(iova_index_insert_at(&world->index, 100000 + n, 100000 + n, false));
	assert_in_range(world->heap.live, 4096 / 64 + 1, 4096 / 64 + 2);
}

/*
 * Full leaves, of which every second one loses all but one range, and then the others half of
 * theirs: these have no reason of their own to look for a neighbour to become one with.
 */
static void whatever_is_removed_a_range_takes_24_bytes(void **state)
{
	struct world *world = *state;
	struct iova_range range, above;
	u64 n;

	for (n = 0; n < 256 * 64; n++)
		expect_ok(
			iova_index_insert_at(&world->index, 100000 - 2 * n, 100000 - 2 * n, false));
	for (n = 0; n < 256 * 64; n++) {
		if (n / 64 % 2 && n % 64)
			assert_true(index_remove(&world->index, 100000 - 2 * n, &range, &above));
	}
	assert_true(world->heap.live_bytes <= 24 * world->index.count);
	for (n = 0; n < 256 * 64; n++) {
		if (n / 64 % 2 == 0 && n % 64 < 31)
			assert_true(index_remove(&world->index, 100000 - 2 * n, &range, &above));
	}
	assert_true(world->heap.live_bytes <= 24 * world->index.count);
}

static void a_range_grows_within_its_leaf_without_memory(void **state)
{
	struct world *world = *state;

	for (u64 pfn = 1000; pfn < 2000; pfn += 4) {
		expect_ok(iova_index_insert_at(&world->index, pfn + 2, pfn + 3, false));
		model_insert(world, pfn + 2, pfn + 3, false);
	}
	world->heap.fail_from = 1;
	for (u32 at = 0; at < world->count; at++) {
		struct iova_range *range = &world->range[at];

		range->first_pfn -= 1 + at % 2;
		expect_ok(iova_index_extend(&world->index, range->last_pfn, range->first_pfn));
		check_tree(world);
	}
}

/* Nothing changes without memory, and removing needs none. */
static void each_allocation_fails_once_and_nothing_is_lost(void **state)
{
	struct world *world = *state;
	struct iova_range range, above;
	u64 failures = 0;

	for (u64 n = 0; n < 20000; n++) {
		u64 pfn = (n * 7919 % 20011) * 3;

		world->heap.fail_from = world->heap.allocs + 1;
		if (iova_index_insert_at(&world->index, pfn, pfn, false)) {
			failures++;
			if (!(failures % 16))
				check_tree(world);
			for (u64 more = 2; world->heap.fail_from; more++) {
				world->heap.fail_from = world->heap.allocs + more;
				if (!iova_index_insert_at(&world->index, pfn, pfn, false))
					world->heap.fail_from = 0;
			}
		}
		world->heap.fail_from = 0;
		model_insert(world, pfn, pfn, false);
		if (world->count == RANGES_MAX)
			break;
	}
	assert_true(failures > 300);
	check_tree(world);
	world->heap.fail_from = 1;
	while (world->count) {
		u32 at = (u32)dice(world, world->count);

		assert_true(
			index_remove(&world->index, world->range[at].first_pfn, &range, &above));
		model_remove(world, at);
	}
}

/* Every gap in 200 pages, every size, by trying each place. */
static void what_fits_naturally_is_what_trying_finds(void **state)
{
	(void)state;
	for (u64 start = 0; start < 200; start++) {
		for (u64 end = start; end < 200; end++) {
			u64 best = 0;

			for (u64 pages = 1; pages <= end - start; pages++) {
				u64 align = 1ULL << iova_natural(pages);
				u64 pfn = (start + align - 1) / align * align;

				if (pfn + pages <= end)
					best = pages;
			}
			expect_u64(fit_natural(start, end), best);
		}
	}
}

static void codes_rise_with_the_size_and_are_exact_for_powers_of_two(void **state)
{
	(void)state;
	for (u64 pages = 1; pages < 100000; pages++) {
		assert_true(fit_code(pages) >= fit_code(pages - 1));
		if (pages <= 64)
			expect_u64(fit_code(pages), pages);
	}
	for (u32 lg2 = 1; lg2 <= 53; lg2++)
		expect_u64(fit_code((1ULL << lg2) - 1) < fit_code(1ULL << lg2), true);
}

TEST_MAIN(cmocka_unit_test(what_fits_naturally_is_what_trying_finds),
	  cmocka_unit_test(codes_rise_with_the_size_and_are_exact_for_powers_of_two),
	  cmocka_unit_test_setup_teardown(filling_downwards_fills_the_leaves, setup, teardown),
	  cmocka_unit_test_setup_teardown(filling_upwards_fills_them_too, setup, teardown),
	  cmocka_unit_test_setup_teardown(whatever_is_removed_a_range_takes_24_bytes, setup,
					  teardown),
	  cmocka_unit_test_setup_teardown(a_range_grows_within_its_leaf_without_memory, setup,
					  teardown),
	  cmocka_unit_test_setup_teardown(each_allocation_fails_once_and_nothing_is_lost, setup,
					  teardown),
	  cmocka_unit_test_setup_teardown(the_index_equals_a_sorted_array, setup, teardown))
