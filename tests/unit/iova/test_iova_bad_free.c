/* SPDX-License-Identifier: MIT */
/*
 * What is not exactly one allocation is not freed. The table leaves that open; these allocators
 * promise it.
 */
#include "rows.h"

#include <stdlib.h>

#include "workbench/iova_world.h"

struct fixture {
	const struct iova_allocator_ops *ops;
	struct iova_world *world;
	struct iova_allocator *allocator;
};

static int setup(void **state)
{
	const struct allocator_row *row = *state;
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture)
		return -1;
	fixture->ops = row->ops();
	fixture->world = iova_world_create(1);
	fixture->allocator = fixture->ops->create(&(struct iova_allocator_config){
		.platform = iova_world_platform(fixture->world),
		.cpus = 1,
		.granule_lg2 = 12,
		.start_pfn = 1,
		.last_pfn = 15,
		.context = fixture->ops->context,
	});
	*state = fixture;
	return fixture->allocator ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	u64 left;

	fixture->ops->destroy(fixture->allocator);
	left = iova_world_destroy(fixture->world);
	free(fixture);
	return left ? -1 : 0;
}

static u64 take_8(struct fixture *fixture)
{
	return fixture->ops->alloc(fixture->allocator, 8, 15, 3);
}

static void give(struct fixture *fixture, u64 pfn, u64 pages)
{
	fixture->ops->free(fixture->allocator, pfn, pages, 0);
}

/* Another size, another start, inside it, never allocated, twice: all of it stays as it is. */
static void freeing_what_is_not_one_allocation_is_ignored(void **state)
{
	struct fixture *fixture = *state;

	expect_u64(take_8(fixture), 8);
	give(fixture, 8, 7);
	give(fixture, 8, 9);
	give(fixture, 8, 1);
	give(fixture, 8, 0);
	give(fixture, 9, 7);
	give(fixture, 12, 1);
	give(fixture, 7, 9);
	give(fixture, 1, 1);
	give(fixture, 0, 1);
	give(fixture, 16, 8);
	give(fixture, ~0ULL, 1);
	give(fixture, IOVA_NO_PFN, 8);
	expect_u64(take_8(fixture), IOVA_NO_PFN);
	give(fixture, 8, 8);
	give(fixture, 8, 8);
	expect_u64(take_8(fixture), 8);
	expect_u64(take_8(fixture), IOVA_NO_PFN);
}

static void a_reserved_range_cannot_be_freed(void **state)
{
	struct fixture *fixture = *state;

	expect_ok(fixture->ops->reserve(fixture->allocator, 10, 13));
	give(fixture, 10, 4);
	give(fixture, 10, 1);
	give(fixture, 12, 1);
	for (int i = 0; i < 15 - 4; i++) {
		u64 pfn = fixture->ops->alloc(fixture->allocator, 1, 15, 0);

		assert_true(pfn >= 1 && pfn <= 15 && (pfn < 10 || pfn > 13));
	}
	expect_u64(fixture->ops->alloc(fixture->allocator, 1, 15, 0), IOVA_NO_PFN);
}

/* Nothing is one page less than no page. */
static void no_pages_are_refused(void **state)
{
	struct fixture *fixture = *state;

	expect_u64(fixture->ops->alloc(fixture->allocator, 0, 15, 0), IOVA_NO_PFN);
	expect_u64(take_8(fixture), 8);
}

#define ON(name, test)                                                                          \
	{                                                                                       \
#test " on " #name, test, setup, teardown, (void *)(uintptr_t)&allocator_##name \
	}

TEST_MAIN(ON(exact, freeing_what_is_not_one_allocation_is_ignored),
	  ON(exact, a_reserved_range_cannot_be_freed), ON(exact, no_pages_are_refused))
