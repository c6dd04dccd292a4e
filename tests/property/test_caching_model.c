/* SPDX-License-Identifier: MIT */
/*
 * The plain model of what may be cached, by itself: answers worked from facts
 * "iova-and-page-tables" 3.2, 3.3, 3.6 and 6.4.
 */
#include <stdlib.h>

#include <dmasim/hw/vtd.h>

#include "property/caching_model.h"
#include "support/expect.h"

#define RW    (VTD_SS_READ | VTD_SS_WRITE)
#define TOP   0x1000ULL
#define UPPER 0x2000ULL
#define LOWER 0x3000ULL
#define PAGE0 0x3f80000000ULL /* of the first slots */
#define PAGE1 (PAGE0 + 0x1000)
#define LAST  (PAGE0 + 0x1ff000) /* slot 3 */

static const struct range block = { PAGE0, PAGE0 + SZ_2M - 1 };

static struct range page_at(u64 iova)
{
	return (struct range){ iova, iova + SZ_4K - 1 };
}

/* A device in domain 1, a page in slots 0 and 3. */
static int setup(void **state)
{
	struct plain_model *model = calloc(1, sizeof(*model));

	if (!model)
		return -1;
	*state = model;
	model->domain[1].root = TOP;
	plain_table_add(model, TOP, 2);
	plain_table_add(model, UPPER, 1);
	plain_table_add(model, LOWER, 0);
	plain_write(model, LOWER, 0, 0x10000 | RW);
	plain_write(model, LOWER, 3, 0x20000 | RW);
	plain_write(model, UPPER, 0, LOWER | RW);
	plain_write(model, TOP, 0, UPPER | RW);
	plain_context_set(model, 0, &(struct plain_context){ PLAIN_TRANSLATE, 0, 8, 1, TOP });
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void submit(struct plain_model *model, struct range window, bool leaf_only)
{
	plain_submit(model, &(struct plain_command){
				    .domain = 1, .window = window, .leaf_only = leaf_only });
}

static void what_is_mapped_is_not_stale(void **state)
{
	expect_u64(plain_harm(*state, 1, block), 0);
}

static void an_unmap_needs_a_command_after_it_and_a_wait(void **state)
{
	struct plain_model *model = *state;

	submit(model, page_at(PAGE0), true);
	plain_write(model, LOWER, 0, 0);
	plain_wait(model, 0);
	expect_u64(plain_harm(model, 1, page_at(PAGE0)), PLAIN_STALE);
	submit(model, page_at(PAGE0), true);
	expect_u64(plain_harm(model, 1, page_at(PAGE0)), PLAIN_STALE);
	plain_wait(model, 0);
	expect_u64(plain_harm(model, 1, page_at(PAGE0)), 0);
}

static void a_command_for_another_page_domain_or_unit_does_nothing(void **state)
{
	struct plain_model *model = *state;

	plain_write(model, LOWER, 0, 0);
	submit(model, page_at(PAGE1), false);
	plain_submit(model, &(struct plain_command){ .domain = 2, .window = block });
	plain_submit(model, &(struct plain_command){ .unit = 1, .domain = 1, .window = block });
	plain_wait(model, 0);
	plain_wait(model, 1);
	expect_u64(plain_harm(model, 1, block), PLAIN_STALE);
}

static void a_table_that_went_needs_more_than_leaves(void **state)
{
	struct plain_model *model = *state;

	plain_write(model, LOWER, 0, 0);
	plain_write(model, LOWER, 3, 0);
	plain_write(model, UPPER, 0, 0);
	submit(model, block, true);
	plain_wait(model, 0);
	expect_u64(plain_harm(model, 1, block), 0);
	assert_true(plain_table_is_used(model, LOWER));
	submit(model, page_at(PAGE1), false);
	plain_wait(model, 0);
	assert_false(plain_table_is_used(model, LOWER));
	assert_true(plain_table_is_used(model, UPPER));
}

/* trust: the plain model of what may be cached | our reading of the facts: 3.2, 3.3, 3.6, 6.4 */
/* The table goes with what is in it: through what is cached of it pages are fetched again. */
static void through_a_table_that_went_its_pages_come_back(void **state)
{
	struct plain_model *model = *state;

	plain_write(model, UPPER, 0, 0);
	submit(model, block, true);
	plain_wait(model, 0);
	expect_u64(plain_harm(model, 1, block), PLAIN_STALE);
	submit(model, block, false);
	plain_wait(model, 0);
	expect_u64(plain_harm(model, 1, block), 0);
}

/* Two commands for one range may overtake each other, unless a wait stands between them. */
static void only_a_wait_orders_commands_of_translations(void **state)
{
	struct plain_model *model = *state;

	plain_write(model, UPPER, 0, 0);
	submit(model, page_at(PAGE0), false);
	submit(model, page_at(LAST), true);
	plain_wait(model, 0);
	expect_u64(plain_harm(model, 1, page_at(PAGE0)), 0);
	expect_u64(plain_harm(model, 1, page_at(LAST)), PLAIN_STALE);
	submit(model, page_at(LAST), true);
	plain_wait(model, 0);
	expect_u64(plain_harm(model, 1, page_at(LAST)), 0);
}

/* First who translates, then what; the other way round the old comes back. */
static void a_context_goes_before_what_it_translated(void **state)
{
	struct plain_model *model = *state;
	const struct plain_command context = { .contexts = true, .domain = 1, .requester = 8 };

	plain_context_set(model, 0, &(struct plain_context){ .requester = 8 });
	plain_write(model, LOWER, 0, 0);
	assert_true(plain_root_is_used(model, TOP));
	plain_submit(model, &context);
	submit(model, (struct range){ 0, ~0ULL }, false);
	plain_wait(model, 0);
	assert_false(plain_root_is_used(model, TOP));
	assert_false(plain_table_is_used(model, UPPER));
	expect_u64(plain_harm(model, 1, block), 0);
	assert_false(plain_may_reach(model, 8, LAST, true, 0x20000));
}

static void a_context_that_goes_last_leaves_what_it_translated(void **state)
{
	struct plain_model *model = *state;
	const struct plain_command context = { .contexts = true, .domain = 1, .requester = 8 };

	plain_context_set(model, 0, &(struct plain_context){ .requester = 8 });
	submit(model, (struct range){ 0, ~0ULL }, false);
	plain_submit(model, &context);
	plain_wait(model, 0);
	assert_false(plain_root_is_used(model, TOP));
	assert_true(plain_table_is_used(model, UPPER));
}

static void less_permission_is_stale_and_more_is_not(void **state)
{
	struct plain_model *model = *state;

	plain_write(model, LOWER, 0, 0x10000 | VTD_SS_READ);
	expect_u64(plain_harm(model, 1, block), PLAIN_STALE);
	submit(model, page_at(PAGE0), true);
	plain_wait(model, 0);
	plain_write(model, LOWER, 0, 0x10000 | RW);
	expect_u64(plain_harm(model, 1, block), 0);
}

/* A large page goes whole, whatever the window has of it; until then small ones are mixed in. */
static void a_large_page_is_dropped_whole(void **state)
{
	struct plain_model *model = *state;

	plain_write(model, UPPER, 1, 0x200000 | VTD_SS_SUPERPAGE | RW);
	plain_table_add(model, 0x9000, 0);
	for (u32 slot = 0; slot < PLAIN_SLOTS; slot++)
		plain_write(model, 0x9000, slot, (0x200000 + plain_index(0, slot) * SZ_4K) | RW);
	plain_write(model, UPPER, 1, 0x9000 | RW);
	expect_u64(plain_harm(model, 1, (struct range){ 0, ~0ULL }), PLAIN_LARGER);
	submit(model, page_at(PAGE0 + 511ULL * SZ_2M + SZ_4K), true);
	plain_wait(model, 0);
	expect_u64(plain_harm(model, 1, (struct range){ 0, ~0ULL }), 0);
}

static void in_caching_mode_what_was_absent_may_be_cached(void **state)
{
	struct plain_model *model = *state;

	model->caching_mode = true;
	plain_wait(model, 0); /* looks again */
	plain_write(model, LOWER, 1, 0x30000 | RW);
	assert_true(plain_is_absent(model, 1, page_at(PAGE1)));
	assert_false(plain_is_absent(model, 1, page_at(PAGE0)));
	submit(model, page_at(PAGE1), true);
	plain_wait(model, 0);
	assert_false(plain_is_absent(model, 1, block));
}

/* Facts 3.3: what is larger than the window may stay, a table or a page. */
static void on_amd_what_is_larger_than_the_window_stays(void **state)
{
	struct plain_model *model = *state;

	model->arch = PLAIN_AMD;
	plain_write(model, UPPER, 1, 0x200000 | VTD_SS_SUPERPAGE | RW);
	plain_write(model, UPPER, 1, 0);
	plain_write(model, UPPER, 0, 0);
	submit(model, page_at(PAGE0), false);
	submit(model, page_at(PAGE0 + 511ULL * SZ_2M), false);
	plain_wait(model, 0);
	expect_u64(plain_harm(model, 1, (struct range){ 0, ~0ULL }), PLAIN_STALE);
	assert_true(plain_table_is_used(model, LOWER));
	submit(model, block, false);
	submit(model, (struct range){ block.start + 511ULL * SZ_2M, block.last + 511ULL * SZ_2M },
	       true);
	plain_wait(model, 0);
	expect_u64(plain_harm(model, 1, (struct range){ 0, ~0ULL }), 0);
	assert_false(plain_table_is_used(model, LOWER));
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

TEST_MAIN(T(what_is_mapped_is_not_stale), T(an_unmap_needs_a_command_after_it_and_a_wait),
	  T(a_command_for_another_page_domain_or_unit_does_nothing),
	  T(a_table_that_went_needs_more_than_leaves),
	  T(through_a_table_that_went_its_pages_come_back),
	  T(only_a_wait_orders_commands_of_translations),
	  T(a_context_goes_before_what_it_translated),
	  T(a_context_that_goes_last_leaves_what_it_translated),
	  T(less_permission_is_stale_and_more_is_not), T(a_large_page_is_dropped_whole),
	  T(in_caching_mode_what_was_absent_may_be_cached),
	  T(on_amd_what_is_larger_than_the_window_stays))
