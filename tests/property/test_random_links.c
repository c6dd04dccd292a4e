/* SPDX-License-Identifier: MIT */
/*
 * Links in rows, links that are all of their state and links that are pieces say the same. Two
 * machines are given the same random steps, right and wrong, of states, links and devices; on one
 * of them there is a device that does not snoop, so that the checker keeps all links as pieces.
 * Every report is the same, to the letter. In every other run the last state has few pages, and is
 * linked, synced and destroyed as a whole, most times.
 */
#include <string.h>

#include "property/dice.h"
#include "property/seeds.h"
#include "support/expect.h"

#define RUNS_FULL  3000
#define STEPS	   200
#define STATES	   2
#define PAGES	   96			/* of a state: more than a row has */
#define FEW_PAGES  4			/* of the last one, at most, in every other run */
#define ENDED_MAX  60			/* the last 64 are remembered; of one call rows end first */
#define IDS	   128			/* more than there are reports */
#define STATE_SIZE ((u64)PAGES * SZ_4K) /* of the largest */

struct side {
	struct dmasim *s;
	struct pci_dev *pdev;
	phys_addr_t memory;
	struct dma_iova_state st[STATES];
	u64 size[STATES]; /* of their ranges */
	dma_addr_t page;  /* mapped beside; or DMA_MAPPING_ERROR */
};

/* What a state has, as its driver knows it. */
enum { NOTHING, LINKED, SYNCED };

struct pair {
	struct side side[2];
	u32 pages[STATES]; /* that they have */
	u8 page[STATES][PAGES];
	u64 seed;
	u32 reports; /* compared */
	u32 kinds[IDS];
};

/* One step; what there is to choose was chosen. */
struct step {
	u32 what;
	u32 state;
	u64 offset;
	u64 size;
	u64 phys;
	enum dma_data_direction dir;
	bool in_one; /* the link */
	bool other_place;
};

static void begin(struct side *side, const u32 pages[STATES], bool rows)
{
	*side = (struct side){ .page = DMA_MAPPING_ERROR };
	side->s = dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .seed = 1 });
	assert_non_null(side->s);
	side->pdev = dmasim_add_endpoint(side->s, "00:01.0/00.0",
					 &(struct dmasim_endpoint){ .bar = { SZ_16K } });
	assert_non_null(side->pdev);
	assert_non_null(dmasim_add_endpoint(
		side->s, "00:02.0/00.0",
		&(struct dmasim_endpoint){ .bar = { SZ_16K }, .traits = { .no_snoop = !rows } }));
	expect_ok(dma_set_mask(&side->pdev->dev, DMA_BIT_MASK(64)));
	side->memory = dmasim_alloc(side->s, STATE_SIZE);
	assert_true(side->memory != DMASIM_NO_PHYS);
	for (u32 id = 1; id < IDS; id++) {
		if (dmasim_report_name((enum dmasim_report_id)id))
			dmasim_suppress(side->s, (enum dmasim_report_id)id);
	}
	for (u32 i = 0; i < STATES; i++) {
		side->size[i] = (u64)pages[i] * SZ_4K;
		assert_true(dma_iova_try_alloc(&side->pdev->dev, &side->st[i], 0, side->size[i]));
	}
}

/* What it says is not asked: it may be refused, on both sides. */
static void link_one(struct side *side, const struct step *step, u64 done, u64 size)
{
	struct dma_iova_state *st = &side->st[step->state];
	phys_addr_t phys = side->memory + step->phys + done;
	struct device *dev = &side->pdev->dev;
	u64 offset = step->offset + done;
	int err;

	if (step->other_place)
		err = dma_iova_link(dev, st, phys, offset, size, step->dir, 0);
	else
		err = dma_iova_link(dev, st, phys, offset, size, step->dir, 0);
	(void)err;
}

/* One by one, as most are; or in one. */
static void link_some(struct side *side, const struct step *step)
{
	if (step->in_one || step->size & (SZ_4K - 1)) {
		link_one(side, step, 0, step->size);
		return;
	}
	for (u64 done = 0; done < step->size; done += SZ_4K)
		link_one(side, step, done, SZ_4K);
}

static void unlink_some(struct side *side, const struct step *step)
{
	struct dma_iova_state *st = &side->st[step->state];
	struct device *dev = &side->pdev->dev;

	dmasim_run(side->s, 100);
	if (step->other_place)
		dma_iova_unlink(dev, st, step->offset, step->size, step->dir, 0);
	else
		dma_iova_unlink(dev, st, step->offset, step->size, step->dir, 0);
}

static void access_some(struct side *side, const struct step *step)
{
	static u8 bytes[4 * SZ_4K];
	u64 dma = side->st[step->state].addr + step->offset;
	u64 size = step->size < sizeof(bytes) ? step->size : sizeof(bytes);

	if (step->dir == DMA_TO_DEVICE)
		dmasim_dev_read(side->pdev, dma, bytes, size);
	else
		dmasim_dev_write(side->pdev, dma, bytes, size);
}

static void map_beside(struct side *side)
{
	struct device *dev = &side->pdev->dev;

	if (side->page == DMA_MAPPING_ERROR) {
		side->page = dma_map_phys(dev, side->memory, SZ_4K, DMA_BIDIRECTIONAL, 0);
	} else {
		dma_unmap_phys(dev, side->page, SZ_4K, DMA_BIDIRECTIONAL, 0);
		side->page = DMA_MAPPING_ERROR;
	}
}

static void begin_again(struct side *side, const struct step *step)
{
	struct dma_iova_state *st = &side->st[step->state];
	struct device *dev = &side->pdev->dev;

	if (step->other_place)
		dma_iova_free(dev, st);
	else
		dma_iova_destroy(dev, st, step->offset + step->size, step->dir, 0);
	assert_true(dma_iova_try_alloc(dev, st, 0, side->size[step->state]));
}

enum { LINK, SYNC, UNLINK, ACCESS, BESIDE, AGAIN };

static void play(struct side *side, const struct step *step)
{
	struct device *dev = &side->pdev->dev;

	if (step->what == LINK)
		link_some(side, step);
	else if (step->what == SYNC)
		(void)!dma_iova_sync(dev, &side->st[step->state], step->offset, step->size);
	else if (step->what == UNLINK)
		unlink_some(side, step);
	else if (step->what == ACCESS)
		access_some(side, step);
	else if (step->what == BESIDE)
		map_beside(side);
	else
		begin_again(side, step);
}

/* Of a state that has few pages: all of it, nearly always. */
static void mean_all(struct dice *dice, struct step *step, u32 pages)
{
	bool all = !dice_chance(dice, 10);

	step->in_one = !dice_chance(dice, 10);
	step->offset = all ? 0 : dice_below(dice, pages) * SZ_4K;
	step->size = (all ? pages : dice_from(dice, 1, pages)) * SZ_4K;
	if (step->what == UNLINK && dice_chance(dice, 80))
		step->what = AGAIN;
	if (step->what == AGAIN)
		step->other_place = dice_chance(dice, 5);
}

static struct step random_step(struct dice *dice, const struct pair *pair)
{
	static const u32 whats[] = { LINK,   LINK,   LINK,   SYNC,   SYNC, UNLINK,
				     UNLINK, ACCESS, ACCESS, BESIDE, AGAIN };
	struct step step = {
		.what = whats[dice_below(dice, sizeof(whats) / sizeof(whats[0]))],
		.state = (u32)dice_below(dice, STATES),
		.offset = dice_below(dice, PAGES) * SZ_4K,
		.size = dice_from(dice, 1, dice_chance(dice, 50) ? 4 : 24) * SZ_4K,
		.phys = dice_below(dice, PAGES - 24) * SZ_4K,
		.other_place = dice_chance(dice, 20),
	};

	if (pair->pages[step.state] < PAGES)
		mean_all(dice, &step, pair->pages[step.state]);
	/* Each state has a direction, nearly always. */
	step.dir = (pair->seed >> step.state & 1) ^ dice_chance(dice, 5) ? DMA_FROM_DEVICE
									 : DMA_BIDIRECTIONAL;
	if (dice_chance(dice, 5))
		step.size -= 0x800;
	if (dice_chance(dice, 5))
		step.offset += 0x800;
	if (step.what == ACCESS && dice_chance(dice, 50))
		step.dir = DMA_TO_DEVICE;
	return step;
}

/* True if all pages that the step is about have `what` at least, or nothing. */
static bool all_have(const struct pair *pair, const struct step *step, u8 what)
{
	u64 first = step->offset / SZ_4K, end = first + (step->size + SZ_4K - 1) / SZ_4K;

	for (u64 i = first; i < end; i++) {
		u8 has = i < PAGES ? pair->page[step->state][i] : NOTHING;

		if (i >= pair->pages[step->state] || (what ? has < what : has != NOTHING))
			return false;
	}
	return true;
}

static bool is_right(const struct pair *pair, const struct step *step)
{
	if ((step->offset | step->size) & (SZ_4K - 1))
		return false;
	switch (step->what) {
	case LINK:
		return all_have(pair, step, NOTHING);
	case SYNC:
	case UNLINK:
		return all_have(pair, step, LINKED);
	case ACCESS:
		return all_have(pair, step, SYNCED);
	case AGAIN:
		return pair->pages[step->state] < PAGES && !step->other_place && !step->offset &&
		       all_have(pair, step, LINKED);
	default:
		return true;
	}
}

/* After a step that was wrong it is a guess. */
static void note(struct pair *pair, const struct step *step)
{
	u64 first = step->offset / SZ_4K, end = first + (step->size + SZ_4K - 1) / SZ_4K;
	u8 *page = pair->page[step->state];

	if (step->what == AGAIN)
		memset(page, NOTHING, PAGES);
	for (u64 i = first; i < end && i < pair->pages[step->state]; i++) {
		if (step->what == LINK && page[i] == NOTHING)
			page[i] = LINKED;
		else if (step->what == SYNC && page[i] == LINKED)
			page[i] = SYNCED;
		else if (step->what == UNLINK)
			page[i] = NOTHING;
	}
}

static void compare(struct pair *pair)
{
	u32 count = dmasim_report_count(pair->side[0].s);

	for (u32 i = 0; i < count; i++) {
		struct dmasim_report rows, pieces;

		assert_true(dmasim_report_get(pair->side[0].s, i, &rows));
		assert_true(dmasim_report_get(pair->side[1].s, i, &pieces));
		assert_string_equal(rows.line, pieces.line);
		assert_string_equal(rows.text, pieces.text);
		assert_int_equal(rows.mapping, pieces.mapping);
		assert_int_equal(rows.mapping_phys, pieces.mapping_phys);
		pair->kinds[rows.id]++;
	}
	assert_int_equal(count, dmasim_report_count(pair->side[1].s));
	pair->reports += count;
}

static void end(struct pair *pair)
{
	for (u32 i = 0; i < 2; i++) {
		if (pair->side[i].s)
			dmasim_destroy(pair->side[i].s);
		pair->side[i].s = NULL;
	}
}

static u32 linked(const struct pair *pair, u32 state)
{
	u32 count = 0;

	for (u32 i = 0; i < PAGES; i++)
		count += pair->page[state][i] != NOTHING;
	return count;
}

/* False: more would have ended than both sides remember. */
static bool counts(struct pair *pair, const struct step *step, u32 *ended)
{
	u32 more = 0;

	if (step->what == UNLINK)
		more = (u32)(step->size / SZ_4K) + 2;
	else if (step->what == BESIDE)
		more = pair->side[0].page != DMA_MAPPING_ERROR;
	else if (step->what == AGAIN)
		more = linked(pair, step->state);
	if (*ended + more > ENDED_MAX)
		return false;
	*ended += more;
	return true;
}

static void run(struct pair *pair)
{
	u32 ended = 0;

	memset(pair->page, NOTHING, sizeof(pair->page));

	for (u32 i = 0; i < STATES; i++)
		pair->pages[i] = PAGES;
	if (pair->seed % 2)
		pair->pages[STATES - 1] = 1 + (u32)(pair->seed / 2 % FEW_PAGES);
	begin(&pair->side[0], pair->pages, true);
	begin(&pair->side[1], pair->pages, false);
	for (u32 i = 0; i < STEPS; i++) {
		struct dice dice = dice_of(pair->seed, i);
		struct step step = random_step(&dice, pair);

		/* Reports are rare, as each looks at all links. */
		if (!is_right(pair, &step) && dice_chance(&dice, 97))
			continue;
		if (!counts(pair, &step, &ended))
			continue;
		note(pair, &step);
		play(&pair->side[0], &step);
		play(&pair->side[1], &step);
		assert_int_equal(dmasim_report_count(pair->side[0].s),
				 dmasim_report_count(pair->side[1].s));
	}
	assert_int_equal(dmasim_check_clean(pair->side[0].s, NULL, 0),
			 dmasim_check_clean(pair->side[1].s, NULL, 0));
	compare(pair);
	end(pair);
}

static void links_in_rows_are_told_as_links(void **state)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	u32 runs = scaled(RUNS_FULL);
	u64 first = test_seed(1);

	*state = pair;
	assert_non_null(pair);
	for (u32 i = 0; i < runs; i++) {
		pair->seed = first + i;
		run(pair);
	}
	print_message("# %u runs from seed 0x%llx, %u reports\n", runs, first, pair->reports);
	/* Those that name a link, as it is or as it was. */
	if (runs < 30)
		return;
	assert_true(pair->kinds[DMASIM_REPORT_ACCESS_BEFORE_SYNC]);
	assert_true(pair->kinds[DMASIM_REPORT_ACCESS_AGAINST_DIRECTION]);
	assert_true(pair->kinds[DMASIM_REPORT_USE_AFTER_UNMAP]);
	assert_true(pair->kinds[DMASIM_REPORT_UNMAP_SHORT]);
	assert_true(pair->kinds[DMASIM_REPORT_UNMAP_MISMATCH]);
	assert_true(pair->kinds[DMASIM_REPORT_FREE_WITH_LINKS]);
	assert_true(pair->kinds[DMASIM_REPORT_LINK_OVERLAP]);
	assert_true(pair->kinds[DMASIM_REPORT_MAPPING_LEAKED]);
}

static int teardown(void **state)
{
	struct pair *pair = *state;

	if (pair && pair->side[0].s)
		seed_failed(pair->seed);
	if (pair)
		end(pair);
	free(pair);
	return 0;
}

TEST_MAIN(cmocka_unit_test_teardown(links_in_rows_are_told_as_links, teardown))
