/* SPDX-License-Identifier: MIT */
/*
 * The set of what may be cached, driven step by step: tables written by hand,
 * commands that are submitted, executed and waited for one by one. Each wrong case stands beside
 * its right twin.
 */
#include <stdlib.h>

#include <dmasim/hw/vtd.h>

#include "check/cached.h"
#include "support/expect.h"
#include "unit/hw/tables.h"

#define TOP   0x100000ULL
#define MID   0x101000ULL /* what it maps begins at 0 */
#define LOW   0x102000ULL
#define LOW_2 0x103000ULL
#define TOP_2 0x104000ULL
#define PAGE  0x400000ULL
#define DEV   0x100
#define DOM   5

#define AMD_POINTER(phys, next) ((phys) | 1ULL | (next) << 9 | 3ULL << 61)

struct fixture {
	struct world world;
	struct hw hw;
	struct cached cached;
	struct hw_iommu *unit[2];
	u64 number[2]; /* of the latest command */
	bool blind;
};

static struct hw_iommu *add_unit(struct fixture *fixture, u32 number, bool caching,
				 const struct hw_arch *arch)
{
	struct hw_iommu *unit = hw_iommu_add(&fixture->hw, &(struct hw_iommu_desc){
								   .arch = arch,
								   .unit = number,
								   .levels = arch ? 6 : 3,
								   .address_bits = 46,
								   .huge_1g = true,
								   .coherent = true,
								   .caching_mode = caching,
								   .iotlb_entries = 4,
							   });

	assert_non_null(unit);
	return unit;
}

static int setup_with(void **state, bool caching, const struct hw_arch *arch)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture)
		return -1;
	*state = fixture;
	world_init(&fixture->world, &(struct world_config){ .seed = 1 });
	hw_init(&fixture->hw, &fixture->world);
	ram_add_range(&fixture->hw.ram, 0, 1ULL << 32);
	cached_init(&fixture->cached, &fixture->world, &fixture->blind);
	for (u32 i = 0; i < 2; i++)
		fixture->unit[i] = add_unit(fixture, i, caching, arch);
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, false, NULL);
}

static int setup_caching(void **state)
{
	return setup_with(state, true, NULL);
}

static int setup_amd(void **state)
{
	return setup_with(state, false, &hw_amd);
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	u64 left = 0;

	cached_fini(&fixture->cached);
	left = fixture->world.memory.live[DMASIM_FAULT_CHECK_RECORD];
	hw_fini(&fixture->hw);
	world_fini(&fixture->world);
	free(fixture);
	return left ? -1 : 0;
}

/* ---- What happens ---------------------------------------------------------------------------- */

static void put(struct fixture *fixture, phys_addr_t table, u64 index, u64 word)
{
	put_entry(&fixture->hw.ram, table, index, word);
}

static void context(struct fixture *fixture, u32 unit, u8 type, u32 domain, phys_addr_t root)
{
	struct hw_context entry = {
		.type = type,
		.levels = fixture->unit[unit]->walker.levels,
		.domain = (u16)domain,
		.root = root,
	};

	cached_context_written(&fixture->cached, fixture->unit[unit], DEV, &entry);
}

static struct cached_domain *domain_of(struct fixture *fixture, u32 unit)
{
	struct cached_domain *domain =
		cached_domain_find(&fixture->cached, fixture->unit[unit], DOM);

	assert_non_null(domain);
	return domain;
}

/* The software says that it has changed something; of all, so that nothing is left out. */
static void changed(struct fixture *fixture)
{
	struct cached_domain *domain;

	for (domain = cached_domain_first(&fixture->cached, DOM); domain;
	     domain = cached_domain_next(&fixture->cached, domain))
		cached_changed(&fixture->cached, domain, 0, ~0ULL);
}

static struct hw_invalidation pages(u64 start, u64 last)
{
	return (struct hw_invalidation){
		.what = HW_INVALIDATED_IOTLB,
		.domain = DOM,
		.start = start,
		.last = last,
	};
}

static struct hw_invalidation of_context(u32 tag)
{
	return (struct hw_invalidation){
		.what = HW_INVALIDATED_CONTEXT,
		.domain = (u16)tag,
		.last = ~0ULL,
		.requester = DEV,
	};
}

static struct hw_invalidation submit(struct fixture *fixture, u32 unit, struct hw_invalidation what)
{
	what.number = ++fixture->number[unit];
	cached_submitted(&fixture->cached, fixture->unit[unit], &what);
	return what;
}

static void execute(struct fixture *fixture, u32 unit, const struct hw_invalidation *what)
{
	cached_executed(&fixture->cached, fixture->unit[unit], what);
}

static void wait(struct fixture *fixture, u32 unit)
{
	cached_waited(&fixture->cached, fixture->unit[unit], ++fixture->number[unit]);
}

static void invalidate(struct fixture *fixture, u32 unit, struct hw_invalidation what)
{
	what = submit(fixture, unit, what);
	execute(fixture, unit, &what);
	wait(fixture, unit);
}

static void invalidate_pages(struct fixture *fixture, u64 start, u64 last)
{
	invalidate(fixture, 0, pages(start, last));
}

/* Three pages at 0, 0x1000 and 0x2000, through tables of three levels. */
static void map_three(struct fixture *fixture)
{
	put(fixture, TOP, 0, MID | ENTRY_RW);
	put(fixture, MID, 0, LOW | ENTRY_RW);
	for (u64 i = 0; i < 3; i++)
		put(fixture, LOW, i, (PAGE + i * SZ_4K) | ENTRY_RW);
	context(fixture, 0, HW_CONTEXT_TRANSLATE, DOM, TOP);
}

static void unmap_three(struct fixture *fixture)
{
	for (u64 i = 0; i < 3; i++)
		put(fixture, LOW, i, 0);
	changed(fixture);
}

/* ---- What is asked --------------------------------------------------------------------------- */

static enum cached_harm harm_in(struct fixture *fixture, u32 unit, u64 start, u64 last)
{
	enum cached_harm harm;
	u64 from, to;

	if (!cached_stale(&fixture->cached, domain_of(fixture, unit), start, last, &harm, &from,
			  &to))
		return CACHED_HARMLESS;
	assert_true(from >= start && to <= last && from <= to);
	return harm;
}

#define expect_harm(fixture, start, last, harm) \
	assert_int_equal(harm_in(fixture, 0, start, last), harm)
#define expect_clean(fixture) expect_harm(fixture, 0, ~0ULL, CACHED_HARMLESS)

/* ---- Pages ----------------------------------------------------------------------------------- */

static void what_holds_does_no_harm(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	expect_clean(fixture);
	invalidate_pages(fixture, 0, ~0ULL);
	expect_clean(fixture);
}

static void what_was_cleared_stays_until_it_is_covered(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	unmap_three(fixture);
	expect_harm(fixture, 0, 0x2fff, CACHED_GONE);
	expect_harm(fixture, 0x3000, ~0ULL, CACHED_HARMLESS);
	invalidate_pages(fixture, 0, 0x3fff);
	expect_clean(fixture);
}

static void a_window_takes_what_it_covers_and_no_more(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	unmap_three(fixture);
	invalidate_pages(fixture, 0x1000, 0x1fff);
	expect_harm(fixture, 0, 0xfff, CACHED_GONE);
	expect_harm(fixture, 0x1000, 0x1fff, CACHED_HARMLESS);
	expect_harm(fixture, 0x2000, 0x2fff, CACHED_GONE);
	invalidate_pages(fixture, 0x2000, 0x2fff);
	invalidate_pages(fixture, 0, 0xfff);
	expect_clean(fixture);
}

static void what_is_not_waited_for_does_not_count(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation what;

	map_three(fixture);
	unmap_three(fixture);
	what = submit(fixture, 0, pages(0, 0x3fff));
	expect_harm(fixture, 0, 0x3fff, CACHED_GONE);
	execute(fixture, 0, &what);
	expect_harm(fixture, 0, 0x3fff, CACHED_GONE);
	wait(fixture, 0);
	expect_clean(fixture);
}

/* It may have been executed before the entries were cleared. */
static void what_was_submitted_too_early_does_not_count(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation what;

	map_three(fixture);
	what = submit(fixture, 0, pages(0, 0x3fff));
	unmap_three(fixture);
	execute(fixture, 0, &what);
	wait(fixture, 0);
	expect_harm(fixture, 0, 0x3fff, CACHED_GONE);
	invalidate_pages(fixture, 0, 0x3fff);
	expect_clean(fixture);
}

/* Nobody said that the entries were cleared; but they were when the command was submitted. */
static void what_was_cleared_by_hand_before_is_covered(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	for (u64 i = 0; i < 3; i++)
		put(fixture, LOW, i, 0);
	invalidate_pages(fixture, 0, 0x3fff);
	changed(fixture);
	expect_clean(fixture);
}

/* A wait is for what stands before it. */
static void a_wait_confirms_lower_numbers_only(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation what;

	map_three(fixture);
	unmap_three(fixture);
	what = submit(fixture, 0, pages(0, 0x3fff));
	execute(fixture, 0, &what);
	cached_waited(&fixture->cached, fixture->unit[0], what.number);
	expect_harm(fixture, 0, 0x3fff, CACHED_GONE);
	wait(fixture, 0);
	expect_clean(fixture);
}

/* A queue that had an error forgets commands: the next wait is over without them. */
static void a_command_that_was_not_executed_does_not_count(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation what;

	map_three(fixture);
	unmap_three(fixture);
	what = submit(fixture, 0, pages(0, 0x3fff));
	wait(fixture, 0);
	execute(fixture, 0, &what);
	wait(fixture, 0);
	expect_harm(fixture, 0, 0x3fff, CACHED_GONE);
}

static void domains_and_units_are_told_apart(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation other = pages(0, ~0ULL);

	map_three(fixture);
	context(fixture, 1, HW_CONTEXT_TRANSLATE, DOM, TOP);
	unmap_three(fixture);
	other.domain = DOM + 1;
	invalidate(fixture, 0, other);
	expect_harm(fixture, 0, 0x3fff, CACHED_GONE);
	invalidate(fixture, 1, pages(0, ~0ULL));
	assert_int_equal(harm_in(fixture, 1, 0, ~0ULL), CACHED_HARMLESS);
	expect_harm(fixture, 0, 0x3fff, CACHED_GONE);
	other.all_domains = true;
	invalidate(fixture, 0, other);
	expect_clean(fixture);
}

/* One that nobody looks at any more: its tables may change freely. */
static void without_a_context_nothing_is_cached(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	context(fixture, 0, HW_CONTEXT_ABSENT, 0, 0);
	invalidate(fixture, 0, of_context(DOM));
	invalidate_pages(fixture, 0, ~0ULL);
	unmap_three(fixture);
	expect_clean(fixture);
}

static void an_id_that_is_used_again_brings_the_old_back(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	context(fixture, 0, HW_CONTEXT_ABSENT, 0, 0);
	invalidate(fixture, 0, of_context(DOM));
	context(fixture, 0, HW_CONTEXT_TRANSLATE, DOM, TOP_2);
	expect_harm(fixture, 0, ~0ULL, CACHED_GONE);
	invalidate_pages(fixture, 0, ~0ULL);
	expect_clean(fixture);
}

/* ---- What does harm -------------------------------------------------------------------------- */

static void other_memory_does_harm(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	put(fixture, LOW, 1, (PAGE + SZ_1M) | ENTRY_RW);
	changed(fixture);
	expect_harm(fixture, 0x1000, 0x1fff, CACHED_OTHER);
	expect_harm(fixture, 0, 0xfff, CACHED_HARMLESS);
	invalidate_pages(fixture, 0x1000, 0x1fff);
	expect_clean(fixture);
}

static void less_permission_does_harm_and_more_does_not(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	put(fixture, LOW, 0, PAGE | ENTRY_R);
	changed(fixture);
	expect_harm(fixture, 0, 0xfff, CACHED_PERMISSION);
	invalidate_pages(fixture, 0, 0xfff);
	expect_clean(fixture);
	put(fixture, LOW, 0, PAGE | ENTRY_RW);
	changed(fixture);
	expect_clean(fixture);
}

/* The walk cache has what the upper entries allowed: a hint that spares it is too little. */
static void less_permission_above_needs_non_leaf_entries(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation leaves = pages(0, ~0ULL);

	map_three(fixture);
	put(fixture, MID, 0, LOW | ENTRY_R);
	changed(fixture);
	expect_harm(fixture, 0, 0x2fff, CACHED_PERMISSION);
	leaves.leaf_only = true;
	invalidate(fixture, 0, leaves);
	expect_harm(fixture, 0, 0x2fff, CACHED_PERMISSION);
	invalidate_pages(fixture, 0, ~0ULL);
	expect_clean(fixture);
}

static void marks_that_were_cleared_do_harm(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	put(fixture, LOW, 0, PAGE | ENTRY_RW | VTD_SS_ACCESSED | VTD_SS_DIRTY);
	changed(fixture);
	expect_clean(fixture);
	put(fixture, LOW, 0, PAGE | ENTRY_RW | VTD_SS_ACCESSED);
	changed(fixture);
	expect_harm(fixture, 0, 0xfff, CACHED_DIRTY);
	invalidate_pages(fixture, 0, 0xfff);
	expect_clean(fixture);
	put(fixture, LOW, 0, PAGE | ENTRY_RW);
	changed(fixture);
	expect_harm(fixture, 0, 0xfff, CACHED_ACCESSED);
	invalidate_pages(fixture, 0, 0xfff);
	expect_clean(fixture);
}

/* A large leaf at 2 MiB, and the table that says the same in small ones. */
static void map_large(struct fixture *fixture)
{
	put(fixture, TOP, 0, MID | ENTRY_RW);
	put(fixture, MID, 1, PAGE | ENTRY_RW | ENTRY_LEAF);
	for (u64 i = 0; i < 512; i++)
		put(fixture, LOW, i, (PAGE + i * SZ_4K) | ENTRY_RW);
	context(fixture, 0, HW_CONTEXT_TRANSLATE, DOM, TOP);
}

static void a_split_without_invalidation_does_harm(void **state)
{
	struct fixture *fixture = *state;

	map_large(fixture);
	put(fixture, MID, 1, LOW | ENTRY_RW);
	changed(fixture);
	expect_harm(fixture, 0, ~0ULL, CACHED_LARGER);
	invalidate_pages(fixture, SZ_2M, 2 * SZ_2M - 1);
	expect_clean(fixture);
}

static void a_merge_that_says_the_same_does_none(void **state)
{
	struct fixture *fixture = *state;

	map_large(fixture);
	put(fixture, MID, 1, LOW | ENTRY_RW);
	changed(fixture);
	invalidate_pages(fixture, 0, ~0ULL);
	put(fixture, MID, 1, PAGE | ENTRY_RW | ENTRY_LEAF);
	changed(fixture);
	expect_clean(fixture);
}

/* Of one page something is in the window: it goes whole, unless it may stay for its size. */
static void a_large_page_is_dropped_whole_or_not_at_all(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation small = pages(SZ_2M + SZ_4K, SZ_2M + 2 * SZ_4K - 1);

	map_large(fixture);
	put(fixture, MID, 1, 0);
	changed(fixture);
	small.larger_stay = true;
	invalidate(fixture, 0, small);
	expect_harm(fixture, 0, ~0ULL, CACHED_GONE);
	small.larger_stay = false;
	invalidate(fixture, 0, small);
	expect_clean(fixture);
}

static void a_window_as_large_as_the_page_takes_it(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation large = pages(SZ_2M, 2 * SZ_2M - 1);

	map_large(fixture);
	put(fixture, MID, 1, 0);
	changed(fixture);
	large.larger_stay = true;
	invalidate(fixture, 0, large);
	expect_clean(fixture);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

static void a_table_stays_until_non_leaf_entries_are_covered(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation leaves = pages(0, ~0ULL);

	map_three(fixture);
	assert_non_null(cached_table_use(&fixture->cached, LOW));
	unmap_three(fixture);
	put(fixture, MID, 0, 0);
	changed(fixture);
	leaves.leaf_only = true;
	invalidate(fixture, 0, leaves);
	expect_clean(fixture);
	assert_non_null(cached_table_use(&fixture->cached, LOW));
	/* A window for anything that it maps. */
	invalidate_pages(fixture, 0x100000, 0x100fff);
	assert_null(cached_table_use(&fixture->cached, LOW));
	assert_non_null(cached_table_use(&fixture->cached, MID));
}

/* What hangs on a table that was unlinked may be cached anew for as long as the table may. */
static void an_unlinked_table_leads_on(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation leaves = pages(0, ~0ULL);

	map_three(fixture);
	put(fixture, MID, 0, 0);
	changed(fixture);
	expect_harm(fixture, 0, 0x2fff, CACHED_GONE);
	leaves.leaf_only = true;
	invalidate(fixture, 0, leaves);
	expect_harm(fixture, 0, 0x2fff, CACHED_GONE);
	/* One command for both: the page cannot come back. */
	invalidate_pages(fixture, 0, 0x3fff);
	expect_clean(fixture);
	assert_null(cached_table_use(&fixture->cached, LOW));
}

/* They may be executed the other way round: the page comes back in between. */
static void commands_for_a_table_and_its_page_need_a_wait_between(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation leaves = pages(0, 0x3fff), table, page;

	map_three(fixture);
	put(fixture, MID, 0, 0);
	changed(fixture);
	leaves.leaf_only = true;
	table = submit(fixture, 0, pages(0x100000, 0x100fff));
	page = submit(fixture, 0, leaves);
	execute(fixture, 0, &table);
	execute(fixture, 0, &page);
	wait(fixture, 0);
	assert_null(cached_table_use(&fixture->cached, LOW));
	expect_harm(fixture, 0, 0x2fff, CACHED_GONE);
	invalidate(fixture, 0, leaves);
	expect_clean(fixture);
}

/* Two halves of what a table maps: each command takes the table, and its half of the pages. */
static void two_commands_that_both_take_the_table_may_be_in_any_order(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation first, second;

	map_three(fixture);
	put(fixture, MID, 0, 0);
	changed(fixture);
	first = submit(fixture, 0, pages(0, 0x1fff));
	second = submit(fixture, 0, pages(0x2000, 0x3fff));
	execute(fixture, 0, &second);
	execute(fixture, 0, &first);
	wait(fixture, 0);
	expect_clean(fixture);
}

static void with_larger_stay_a_table_needs_a_window_of_its_size(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation window = pages(0, SZ_2M / 2 - 1);

	map_three(fixture);
	unmap_three(fixture);
	put(fixture, MID, 0, 0);
	changed(fixture);
	window.larger_stay = true;
	invalidate(fixture, 0, window);
	assert_non_null(cached_table_use(&fixture->cached, LOW));
	window.last = SZ_2M - 1;
	invalidate(fixture, 0, window);
	assert_null(cached_table_use(&fixture->cached, LOW));
}

static void a_table_that_is_linked_again_holds(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	put(fixture, MID, 0, 0);
	changed(fixture);
	put(fixture, MID, 0, LOW | ENTRY_RW);
	changed(fixture);
	expect_clean(fixture);
	invalidate_pages(fixture, 0, ~0ULL);
	assert_non_null(cached_table_use(&fixture->cached, LOW));
}

/* ---- Contexts -------------------------------------------------------------------------------- */

static void a_context_that_was_replaced_leads_on(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	context(fixture, 0, HW_CONTEXT_TRANSLATE, DOM, TOP_2);
	assert_non_null(cached_context_use(&fixture->cached.contexts, TOP));
	expect_harm(fixture, 0, 0x2fff, CACHED_GONE);
	/* The old tables may be walked again at once. */
	invalidate_pages(fixture, 0, ~0ULL);
	expect_harm(fixture, 0, 0x2fff, CACHED_GONE);
	invalidate(fixture, 0, of_context(DOM));
	assert_null(cached_context_use(&fixture->cached.contexts, TOP));
	expect_harm(fixture, 0, 0x2fff, CACHED_GONE);
	invalidate_pages(fixture, 0, ~0ULL);
	expect_clean(fixture);
}

/* One wait for both, as drivers do it: the second waits for the first. */
static void a_context_and_then_its_domain_need_no_wait_between(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation first, second;

	map_three(fixture);
	context(fixture, 0, HW_CONTEXT_TRANSLATE, DOM, TOP_2);
	first = submit(fixture, 0, of_context(DOM));
	second = submit(fixture, 0, pages(0, ~0ULL));
	execute(fixture, 0, &first);
	execute(fixture, 0, &second);
	wait(fixture, 0);
	expect_clean(fixture);
	assert_null(cached_table_use(&fixture->cached, LOW));
}

static void the_domain_and_then_its_context_leaves_the_old(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation first, second;

	map_three(fixture);
	context(fixture, 0, HW_CONTEXT_TRANSLATE, DOM, TOP_2);
	first = submit(fixture, 0, pages(0, ~0ULL));
	second = submit(fixture, 0, of_context(DOM));
	execute(fixture, 0, &first);
	execute(fixture, 0, &second);
	wait(fixture, 0);
	expect_harm(fixture, 0, 0x2fff, CACHED_GONE);
}

static void a_context_is_covered_by_its_tag_and_requester(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation other = of_context(DOM);
	const struct cached_contexts *contexts = &fixture->cached.contexts;

	map_three(fixture);
	context(fixture, 0, HW_CONTEXT_PASS_THROUGH, DOM, 0);
	assert_non_null(cached_context_stale(contexts, fixture->unit[0], DEV));
	other.requester = DEV + 8;
	invalidate(fixture, 0, other);
	invalidate(fixture, 0, of_context(DOM + 1));
	invalidate(fixture, 1, of_context(DOM));
	assert_non_null(cached_context_stale(contexts, fixture->unit[0], DEV));
	other.requester_ignored = 0xffff;
	invalidate(fixture, 0, other);
	assert_null(cached_context_stale(contexts, fixture->unit[0], DEV));
	/* And that it lets all pass. */
	context(fixture, 0, HW_CONTEXT_TRANSLATE, DOM, TOP);
	assert_non_null(cached_context_stale(contexts, fixture->unit[0], DEV));
}

/* ---- Absent ---------------------------------------------------------------------------------- */

static bool absent(struct fixture *fixture, u64 start, u64 last)
{
	return cached_absent_take(&fixture->cached, domain_of(fixture, 0), start, last);
}

static void in_caching_mode_what_was_absent_stays_so(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	assert_false(absent(fixture, 0, ~0ULL));
	put(fixture, LOW, 3, (PAGE + SZ_1M) | ENTRY_RW);
	changed(fixture);
	expect_clean(fixture);
	assert_false(absent(fixture, 0, 0x2fff));
	assert_true(absent(fixture, 0x3000, 0x3fff));
	/* Told once. */
	assert_false(absent(fixture, 0x3000, 0x3fff));
	put(fixture, LOW, 4, (PAGE + SZ_1M) | ENTRY_RW);
	changed(fixture);
	invalidate_pages(fixture, 0x4000, 0x4fff);
	assert_false(absent(fixture, 0x4000, 0x4fff));
}

static void without_caching_mode_nothing_absent_is_cached(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	put(fixture, LOW, 3, (PAGE + SZ_1M) | ENTRY_RW);
	changed(fixture);
	assert_false(absent(fixture, 0, ~0ULL));
}

/* Executed before, waited for after: it says nothing of what was mapped in between. */
static void an_invalidation_before_the_map_does_not_count(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation what;

	map_three(fixture);
	what = submit(fixture, 0, pages(0x3000, 0x3fff));
	execute(fixture, 0, &what);
	put(fixture, LOW, 3, (PAGE + SZ_1M) | ENTRY_RW);
	changed(fixture);
	wait(fixture, 0);
	assert_true(absent(fixture, 0x3000, 0x3fff));
}

/* No table was there: the entry above it said so, for all that the table maps now. */
static void an_absent_table_is_forgotten_with_any_of_its_pages(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation leaves = pages(SZ_2M, SZ_2M + SZ_4K - 1);

	map_three(fixture);
	put(fixture, LOW_2, 0, (PAGE + SZ_1M) | ENTRY_RW);
	put(fixture, LOW_2, 9, (PAGE + SZ_2M) | ENTRY_RW);
	put(fixture, MID, 1, LOW_2 | ENTRY_RW);
	changed(fixture);
	leaves.leaf_only = true;
	invalidate(fixture, 0, leaves);
	invalidate_pages(fixture, SZ_2M + SZ_1M, SZ_2M + SZ_1M);
	assert_false(absent(fixture, SZ_2M, 2 * SZ_2M - 1));
	put(fixture, MID, 2, LOW_2 | ENTRY_RW);
	changed(fixture);
	leaves.start += SZ_2M;
	leaves.last += SZ_2M;
	invalidate(fixture, 0, leaves);
	assert_true(absent(fixture, 2 * SZ_2M + 9 * SZ_4K, 2 * SZ_2M + 10 * SZ_4K - 1));
}

/* ---- The end of addresses -------------------------------------------------------------------- */

/* Tables of AMD with six levels; the last page there is. */
static void the_last_address_is_one_like_others(void **state)
{
	struct fixture *fixture = *state;
	const u64 last_page = ~0ULL - (SZ_4K - 1);
	phys_addr_t table = TOP;

	for (u64 level = 5; level > 0; level--, table += SZ_4K)
		put(fixture, table, level == 5 ? 127 : 511, AMD_POINTER(table + SZ_4K, level));
	put(fixture, table, 511, AMD_POINTER(PAGE, 0ULL));
	context(fixture, 0, HW_CONTEXT_TRANSLATE, DOM, TOP);
	expect_clean(fixture);
	put(fixture, table, 511, 0);
	changed(fixture);
	expect_harm(fixture, 0, last_page - 1, CACHED_HARMLESS);
	expect_harm(fixture, last_page, ~0ULL, CACHED_GONE);
	invalidate_pages(fixture, last_page - SZ_4K, last_page - 1);
	expect_harm(fixture, ~0ULL, ~0ULL, CACHED_GONE);
	invalidate_pages(fixture, ~0ULL, ~0ULL);
	expect_clean(fixture);
	assert_non_null(cached_table_use(&fixture->cached, table));
	put(fixture, TOP, 127, 0);
	changed(fixture);
	invalidate_pages(fixture, 0, ~0ULL);
	assert_null(cached_table_use(&fixture->cached, table));
}

/* ---- What hardware says; windows; memory ----------------------------------------------------- */

/* Written by hand, used, and cleared again before anybody was told. */
static void what_was_really_cached_is_in_the_set(void **state)
{
	struct fixture *fixture = *state;
	const struct hw_leaf page = {
		.iova = 0x3000, .bytes = SZ_4K, .phys = PAGE, .page_lg2 = 12, .read = true
	};

	map_three(fixture);
	put(fixture, LOW, 3, PAGE | ENTRY_R);
	cached_filled(&fixture->cached, fixture->unit[0], DOM, &page);
	put(fixture, LOW, 3, 0);
	changed(fixture);
	expect_harm(fixture, 0x3000, 0x3fff, CACHED_GONE);
	/* By a way that the set knows nothing of. */
	invalidate_pages(fixture, 0x3000, 0x3fff);
	cached_filled(&fixture->cached, fixture->unit[0], DOM, &page);
	expect_harm(fixture, 0x3000, 0x3fff, CACHED_GONE);
	invalidate_pages(fixture, 0x3000, 0x3fff);
	expect_clean(fixture);
}

static void windows_are_measured_from_end_to_cover(void **state)
{
	struct fixture *fixture = *state;
	const struct cached_windows *windows = &fixture->cached.windows;

	map_three(fixture);
	fixture->world.clock.now_ns = 100;
	put(fixture, LOW, 0, 0);
	changed(fixture);
	fixture->world.clock.now_ns = 130;
	put(fixture, LOW, 2, 0);
	changed(fixture);
	expect_u64(windows->open, 2);
	expect_u64(windows->count, 0);
	fixture->world.clock.now_ns = 150;
	invalidate_pages(fixture, 0, ~0ULL);
	expect_u64(windows->open, 0);
	expect_u64(windows->count, 2);
	expect_u64(windows->longest_ns, 50);
	expect_u64(windows->total_ns, 70);
}

static void what_ended_is_found_by_its_memory(void **state)
{
	struct fixture *fixture = *state;
	struct cached_leaf *leaf;

	map_three(fixture);
	assert_null(cached_reaching(&fixture->cached, PAGE, PAGE));
	unmap_three(fixture);
	leaf = cached_reaching(&fixture->cached, PAGE + SZ_4K, PAGE + SZ_4K);
	assert_non_null(leaf);
	assert_null(cached_reaching_next(&fixture->cached, leaf, PAGE + SZ_4K, PAGE + SZ_4K));
	assert_null(cached_reaching(&fixture->cached, PAGE + 3 * SZ_4K, ~0ULL));
	invalidate_pages(fixture, 0x1000, 0x1fff);
	assert_null(cached_reaching(&fixture->cached, PAGE + SZ_4K, PAGE + 2 * SZ_4K - 1));
	assert_non_null(cached_reaching(&fixture->cached, PAGE, ~0ULL));
}

static void what_was_told_is_not_told_again(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	unmap_three(fixture);
	cached_told(&fixture->cached, domain_of(fixture, 0), 0x1000, 0x1fff);
	expect_harm(fixture, 0x1000, 0x1fff, CACHED_HARMLESS);
	expect_harm(fixture, 0, 0xfff, CACHED_GONE);
	expect_harm(fixture, 0x2000, 0x2fff, CACHED_GONE);
}

/* Whichever record cannot be had: the checker says that it is blind, and nothing is lost. */
static void without_memory_it_goes_blind(void **state)
{
	struct fixture *fixture = *state;

	for (u64 nth = 1; nth < 12; nth++) {
		teardown(state);
		assert_int_equal(setup_caching(state), 0);
		fixture = *state;
		memory_fail(&fixture->world.memory,
			    (struct memory_plan){ .point = DMASIM_FAULT_CHECK_RECORD, .nth = nth });
		map_three(fixture);
		put(fixture, LOW, 1, 0);
		changed(fixture);
		invalidate_pages(fixture, 0, ~0ULL);
		assert_int_equal(fixture->blind, fixture->world.memory.hits > 0);
	}
}

#define T(test)	      cmocka_unit_test_setup_teardown(test, setup, teardown)
#define CACHING(test) cmocka_unit_test_setup_teardown(test, setup_caching, teardown)

TEST_MAIN(T(what_holds_does_no_harm), T(what_was_cleared_stays_until_it_is_covered),
	  T(a_window_takes_what_it_covers_and_no_more), T(what_is_not_waited_for_does_not_count),
	  T(what_was_submitted_too_early_does_not_count),
	  T(what_was_cleared_by_hand_before_is_covered), T(a_wait_confirms_lower_numbers_only),
	  T(a_command_that_was_not_executed_does_not_count), T(domains_and_units_are_told_apart),
	  T(without_a_context_nothing_is_cached), T(an_id_that_is_used_again_brings_the_old_back),
	  T(other_memory_does_harm), T(less_permission_does_harm_and_more_does_not),
	  T(less_permission_above_needs_non_leaf_entries), T(marks_that_were_cleared_do_harm),
	  T(a_split_without_invalidation_does_harm), T(a_merge_that_says_the_same_does_none),
	  T(a_large_page_is_dropped_whole_or_not_at_all), T(a_window_as_large_as_the_page_takes_it),
	  T(a_table_stays_until_non_leaf_entries_are_covered), T(an_unlinked_table_leads_on),
	  T(commands_for_a_table_and_its_page_need_a_wait_between),
	  T(two_commands_that_both_take_the_table_may_be_in_any_order),
	  T(with_larger_stay_a_table_needs_a_window_of_its_size),
	  T(a_table_that_is_linked_again_holds), T(a_context_that_was_replaced_leads_on),
	  T(a_context_and_then_its_domain_need_no_wait_between),
	  T(the_domain_and_then_its_context_leaves_the_old),
	  T(a_context_is_covered_by_its_tag_and_requester),
	  CACHING(in_caching_mode_what_was_absent_stays_so),
	  T(without_caching_mode_nothing_absent_is_cached),
	  CACHING(an_invalidation_before_the_map_does_not_count),
	  CACHING(an_absent_table_is_forgotten_with_any_of_its_pages),
	  cmocka_unit_test_setup_teardown(the_last_address_is_one_like_others, setup_amd, teardown),
	  T(what_was_really_cached_is_in_the_set), T(windows_are_measured_from_end_to_cover),
	  T(what_ended_is_found_by_its_memory), T(what_was_told_is_not_told_again),
	  CACHING(without_memory_it_goes_blind))
