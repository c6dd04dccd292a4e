/* SPDX-License-Identifier: MIT */
/*
 * The translation cache against a plain list of everything it may still hold. A cache may forget at
 * any time, but must never return what an invalidation has taken away; and as long as the list fits
 * into one set it must forget nothing.
 */
#include "support/expect.h"

#include <stdlib.h>

#include "hw/iotlb.h"
#include "scale.h"

#define STEPS	 2000000 /* full count */
#define KNOWN	 512
#define DOMAINS	 3
#define SPAN_LG2 32 /* addresses in use */

struct fixture {
	struct world world;
	struct iotlb iotlb;
	struct iotlb_entry known[KNOWN];
	u32 count;
};

static void start(struct fixture *fixture, u32 entries, u32 ways, bool random_choices)
{
	world_init(&fixture->world, &(struct world_config){ .seed = test_seed(1),
							    .random_choices = random_choices });
	expect_ok(iotlb_init(&fixture->iotlb, &fixture->world, entries, ways));
	fixture->count = 0;
}

static void end(struct fixture *fixture)
{
	iotlb_fini(&fixture->iotlb);
	world_fini(&fixture->world);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture)
		return -1;
	world_init(&fixture->world, &(struct world_config){ 0 });
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	/* Also what a test that failed has left. */
	world_fini(&fixture->world);
	free(fixture);
	return 0;
}

static u64 draw(struct fixture *fixture, u64 bound)
{
	return random_below(&fixture->world.random, bound);
}

/* Few places, so that pages of different sizes overlap often. */
static u64 draw_iova(struct fixture *fixture)
{
	u64 iova = draw(fixture, 4) << 30 | draw(fixture, 3) << 21 | draw(fixture, 8) << 12;

	return iova | draw(fixture, 4096);
}

static bool covers(const struct iotlb_entry *entry, u16 domain, u64 iova)
{
	return entry->domain == domain && iova >> entry->page_lg2 == entry->page;
}

/* As the walker does: an address is filled only when it was not found. */
static void step_fill(struct fixture *fixture)
{
	static const u8 sizes[] = { 12, 12, 12, 21, 30 };
	u64 iova = draw_iova(fixture);
	struct iotlb_entry entry = { .domain = (u16)draw(fixture, DOMAINS),
				     .page_lg2 = sizes[draw(fixture, 5)],
				     .phys = draw(fixture, 1ULL << 40) << 30,
				     .read = draw(fixture, 2),
				     .write = draw(fixture, 2) };

	entry.page = iova >> entry.page_lg2;
	if (iotlb_find(&fixture->iotlb, entry.domain, iova))
		return;
	/* The same page may be known and forgotten: it is known as it is now. */
	for (u32 i = 0; i < fixture->count; i++) {
		struct iotlb_entry *old = &fixture->known[i];

		if (old->domain == entry.domain && old->page == entry.page &&
		    old->page_lg2 == entry.page_lg2)
			*old = fixture->known[--fixture->count];
	}
	assert_true(fixture->count < KNOWN);
	iotlb_fill(&fixture->iotlb, &entry);
	fixture->known[fixture->count++] = entry;
	assert_non_null(iotlb_find(&fixture->iotlb, entry.domain, iova));
}

static bool same(const struct iotlb_entry *a, const struct iotlb_entry *b)
{
	return a->domain == b->domain && a->page == b->page && a->page_lg2 == b->page_lg2 &&
	       a->phys == b->phys && a->read == b->read && a->write == b->write;
}

static void step_find(struct fixture *fixture)
{
	u16 domain = (u16)draw(fixture, DOMAINS);
	u64 iova = draw_iova(fixture);
	const struct iotlb_entry *found = iotlb_find(&fixture->iotlb, domain, iova);
	bool known = false;

	if (!found)
		return;
	assert_true(covers(found, domain, iova));
	for (u32 i = 0; i < fixture->count; i++)
		known |= same(&fixture->known[i], found);
	assert_true(known);
}

static bool touched(const struct iotlb_entry *entry, u64 first, u64 last)
{
	u64 size = 1ULL << entry->page_lg2;

	return entry->page * size <= last && entry->page * size + (size - 1) >= first;
}

static void step_invalidate(struct fixture *fixture)
{
	u32 kind = (u32)draw(fixture, 100);
	u16 domain = (u16)draw(fixture, DOMAINS);
	u64 first = 0, last = ~0ULL;
	u32 left = 0;

	if (kind < 97) {
		first = draw_iova(fixture);
		last = first + draw(fixture, 1ULL << draw(fixture, SPAN_LG2));
		iotlb_invalidate_range(&fixture->iotlb, domain, first, last);
	} else if (kind < 99) {
		iotlb_invalidate_domain(&fixture->iotlb, domain);
	} else {
		iotlb_invalidate_all(&fixture->iotlb);
	}
	for (u32 i = 0; i < fixture->count; i++) {
		const struct iotlb_entry *entry = &fixture->known[i];

		if ((entry->domain == domain || kind == 99) && touched(entry, first, last))
			continue;
		fixture->known[left++] = *entry;
	}
	fixture->count = left;
}

static u64 cached(const struct fixture *fixture)
{
	u64 count = 0;

	for (u32 i = 0; i < fixture->iotlb.sets * fixture->iotlb.ways; i++)
		count += fixture->iotlb.entry[i].valid;
	return count;
}

static void run(struct fixture *fixture, u32 steps)
{
	for (u32 step = 0; step < steps; step++) {
		u32 kind = (u32)draw(fixture, 10);

		if (kind < 5)
			step_find(fixture);
		else if (kind < 9)
			step_fill(fixture);
		else
			step_invalidate(fixture);
	}
}

static void nothing_that_was_taken_away_comes_back(void **state)
{
	static const u32 shape[][2] = { { 4, 4 }, { 16, 4 }, { 64, 4 }, { 16, 1 }, { 21, 21 } };
	struct fixture *fixture = *state;

	for (int i = 0; i < 5; i++) {
		for (int random_choices = 0; random_choices < 2; random_choices++) {
			start(fixture, shape[i][0], shape[i][1], random_choices);
			run(fixture, scaled(STEPS) / 10);
			/* The run must have been worth something. */
			assert_true(fixture->count > 0);
			end(fixture);
		}
	}
}

/* Never more than four translations known: each of them must be found, every time. */
static void as_long_as_there_is_room_nothing_is_forgotten(void **state)
{
	struct fixture *fixture = *state;
	u32 steps = scaled(STEPS) / 10;

	start(fixture, IOTLB_WAYS, IOTLB_WAYS, false);
	for (u32 step = 0; step < steps; step++) {
		if (fixture->count < IOTLB_WAYS && draw(fixture, 3))
			step_fill(fixture);
		else if (draw(fixture, 4) == 0)
			step_invalidate(fixture);
		expect_u64(cached(fixture), fixture->count);
		for (u32 i = 0; i < fixture->count; i++) {
			const struct iotlb_entry *entry = &fixture->known[i];

			assert_non_null(iotlb_find(&fixture->iotlb, entry->domain,
						   entry->page << entry->page_lg2));
		}
	}
	end(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TEST_MAIN(TEST(nothing_that_was_taken_away_comes_back),
	  TEST(as_long_as_there_is_room_nothing_is_forgotten))
