/* SPDX-License-Identifier: MIT */
/*
 * The translation cache against a plain list of everything it may still hold. A cache may forget at
 * any time, but must never return what an invalidation has taken away; and as long as the list fits
 * into one set it must forget nothing.
 */
#include "support/expect.h"

#include <stdlib.h>

#include "hw/iotlb.h"
#include "support/scale.h"

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

/* A domain, with or without a PASID: bit 36 says that there is one, it stands above bit 16. */
static u64 draw_tag(struct fixture *fixture)
{
	u64 tag = iotlb_tag((u16)draw(fixture, DOMAINS));

	return draw(fixture, 2) ? tag | 1ULL << 36 | draw(fixture, 2) << 16 : tag;
}

/* The tag that the entry was filled with, without the page size. */
static u64 tag_of(const struct iotlb_entry *entry)
{
	return entry->tag & IOTLB_TAG_MASK;
}

static bool covers(const struct iotlb_entry *entry, u64 tag, u64 iova)
{
	return tag_of(entry) == tag && iova >> entry->page_lg2 == entry->page;
}

/* As the walker does: an address is filled only when it was not found. */
static void step_fill(struct fixture *fixture)
{
	static const u8 sizes[] = { 12, 12, 12, 21, 30 };
	u64 iova = draw_iova(fixture);
	struct iotlb_entry entry = { .tag = draw_tag(fixture),
				     .page_lg2 = sizes[draw(fixture, 5)],
				     .phys = draw(fixture, 1ULL << 40) << 30,
				     .read = draw(fixture, 2),
				     .write = draw(fixture, 2),
				     .accessed = draw(fixture, 2),
				     .dirty = draw(fixture, 2) };

	entry.page = iova >> entry.page_lg2;
	if (iotlb_find(&fixture->iotlb, entry.tag, iova))
		return;
	/* The same page may be known and forgotten: it is known as it is now. */
	for (u32 i = 0; i < fixture->count; i++) {
		struct iotlb_entry *old = &fixture->known[i];

		if (old->tag == entry.tag && old->page == entry.page &&
		    old->page_lg2 == entry.page_lg2)
			*old = fixture->known[--fixture->count];
	}
	assert_true(fixture->count < KNOWN);
	iotlb_fill(&fixture->iotlb, &entry);
	fixture->known[fixture->count++] = entry;
	assert_non_null(iotlb_find(&fixture->iotlb, entry.tag, iova));
}

static bool same(const struct iotlb_entry *a, const struct iotlb_entry *b)
{
	return tag_of(a) == tag_of(b) && a->page == b->page && a->page_lg2 == b->page_lg2 &&
	       a->phys == b->phys && a->read == b->read && a->write == b->write &&
	       a->accessed == b->accessed && a->dirty == b->dirty;
}

static void step_find(struct fixture *fixture)
{
	u64 tag = draw_tag(fixture);
	u64 iova = draw_iova(fixture);
	const struct iotlb_entry *found = iotlb_find(&fixture->iotlb, tag, iova);
	bool known = false;

	if (!found)
		return;
	assert_true(covers(found, tag, iova));
	for (u32 i = 0; i < fixture->count; i++)
		known |= same(&fixture->known[i], found);
	assert_true(known);
}

static bool touched(const struct iotlb_entry *entry, u64 first, u64 last)
{
	u64 size = 1ULL << entry->page_lg2;

	return entry->page * size <= last && entry->page * size + (size - 1) >= first;
}

/* What an invalidation is told, and by that what it takes. */
struct command {
	enum { WINDOW, SMALL_PAGES, DOMAIN, ALL } kind;
	u64 tag;
	u64 first;
	u64 last;
	u8 page_lg2_max;
};

static bool takes(const struct command *command, const struct iotlb_entry *entry)
{
	switch (command->kind) {
	case WINDOW:
		return tag_of(entry) == command->tag &&
		       touched(entry, command->first, command->last);
	case SMALL_PAGES:
		return tag_of(entry) == command->tag &&
		       (entry->page_lg2 <= command->page_lg2_max ||
			(!entry->read && !entry->write)) &&
		       touched(entry, command->first, command->last);
	case DOMAIN:
		return (u16)entry->tag == (u16)command->tag;
	default:
		return true;
	}
}

static void step_invalidate(struct fixture *fixture)
{
	u32 kind = (u32)draw(fixture, 100);
	struct command command = { kind < 60   ? WINDOW
				   : kind < 97 ? SMALL_PAGES
				   : kind < 99 ? DOMAIN
					       : ALL,
				   .tag = draw_tag(fixture) };
	u32 left = 0;

	command.first = draw_iova(fixture);
	command.last = command.first + draw(fixture, 1ULL << draw(fixture, SPAN_LG2));
	command.page_lg2_max = (u8)(11 + draw(fixture, 53));
	if (command.kind == WINDOW)
		iotlb_invalidate_range(&fixture->iotlb, command.tag, command.first, command.last);
	else if (command.kind == SMALL_PAGES)
		iotlb_invalidate_small_pages(&fixture->iotlb, command.tag, command.first,
					     command.last, command.page_lg2_max);
	else if (command.kind == DOMAIN)
		iotlb_invalidate_domain(&fixture->iotlb, (u16)command.tag);
	else
		iotlb_invalidate_all(&fixture->iotlb);
	for (u32 i = 0; i < fixture->count; i++) {
		if (!takes(&command, &fixture->known[i]))
			fixture->known[left++] = fixture->known[i];
	}
	fixture->count = left;
}

static u64 cached(const struct fixture *fixture)
{
	u64 count = 0;

	for (u32 i = 0; i < fixture->iotlb.sets * fixture->iotlb.ways; i++)
		count += fixture->iotlb.entry[i].used_at != 0;
	return count;
}

/* What is counted is what is there: of each size, and in all. */
static void expect_counted(struct fixture *fixture)
{
	const struct iotlb *iotlb = &fixture->iotlb;
	u32 count[64] = { 0 };

	for (u32 i = 0; i < iotlb->sets * iotlb->ways; i++) {
		if (iotlb->entry[i].used_at)
			count[iotlb->entry[i].page_lg2]++;
	}
	for (u32 lg2 = 0; lg2 < 64; lg2++) {
		expect_u64(iotlb->count[lg2], count[lg2]);
		expect_u64(iotlb->present >> lg2 & 1, count[lg2] != 0);
	}
	expect_u64(iotlb->valid, cached(fixture));
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
		if (kind == 9)
			expect_counted(fixture);
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

			assert_non_null(iotlb_find(&fixture->iotlb, entry->tag,
						   entry->page << entry->page_lg2));
		}
	}
	end(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TEST_MAIN(TEST(nothing_that_was_taken_away_comes_back),
	  TEST(as_long_as_there_is_room_nothing_is_forgotten))
