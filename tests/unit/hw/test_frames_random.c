/* SPDX-License-Identifier: MIT */
/*
 * Page frames in any order: random allocations and frees against a plain table of frames, and every
 * allocation behind them failing in turn.
 */
#include "bench.h"
#include "support/scale.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WHY   DMASIM_FAULT_FRAMES
#define STEPS 200000 /* full count */

/* Neither end is aligned: blocks of all sizes at the edges. 1024 frames and a few. */
#define START  (SZ_16M + 7 * SZ_4K)
#define FRAMES 1061U

struct block {
	phys_addr_t phys;
	u64 count;
	u8 mark; /* what its frames are filled with */
};

struct model {
	bool used[FRAMES]; /* by frame, whole blocks */
	struct block block[FRAMES];
	u32 blocks;
};

static int setup(void **state)
{
	struct bench *bench;

	if (bench_setup(state))
		return -1;
	bench = *state;
	ram_add_range(&bench->hw.ram, 0, SZ_64M);
	return frames_add(&bench->hw.frames, START, FRAMES << FRAME_SHIFT);
}

static u64 rounded(u64 count)
{
	u64 power = 1;

	while (power < count)
		power *= 2;
	return power;
}

/* Whether any aligned run of `count` frames, a power of two, is wholly free. */
static bool fits(const struct model *model, u64 count)
{
	u64 frame = ((START >> FRAME_SHIFT) + count - 1) / count * count;
	u64 end = (START >> FRAME_SHIFT) + FRAMES;

	for (; frame + count <= end; frame += count) {
		u64 free = 0;

		while (free < count && !model->used[frame - (START >> FRAME_SHIFT) + free])
			free++;
		if (free == count)
			return true;
	}
	return false;
}

static void take(struct bench *bench, struct model *model, u64 count, u8 mark)
{
	u64 power = rounded(count);
	phys_addr_t phys = frames_alloc(&bench->hw.frames, WHY, count);
	u64 index = (phys - START) >> FRAME_SHIFT;
	struct ram_extent *extent;

	assert_int_equal(phys != RAM_NO_PHYS, fits(model, power));
	if (phys == RAM_NO_PHYS)
		return;
	expect_u64(phys % (power << FRAME_SHIFT), 0);
	assert_true(phys >= START && index + power <= FRAMES);
	for (u64 i = 0; i < power; i++) {
		assert_false(model->used[index + i]);
		model->used[index + i] = true;
	}
	extent = ram_touch(&bench->hw.ram, phys);
	assert_true(extent->start + extent->bytes >= phys + (power << FRAME_SHIFT));
	for (u64 i = 0; i < power << FRAME_SHIFT; i += 1021)
		assert_int_equal(extent->host[phys - extent->start + i], 0);
	memset(extent->host + (phys - extent->start), mark, power << FRAME_SHIFT);
	model->block[model->blocks++] = (struct block){ phys, count, mark };
}

/* The bytes must be those that were written, wherever the host keeps them now. */
static void give_back(struct bench *bench, struct model *model, u32 which)
{
	struct block block = model->block[which];
	u64 power = rounded(block.count);

	for (u64 at = 0; at < power << FRAME_SHIFT; at += 1021) {
		u8 seen;

		expect_u64(ram_read(&bench->hw.ram, block.phys + at, &seen, 1), 1);
		assert_int_equal(seen, block.mark);
	}
	frames_free(&bench->hw.frames, WHY, block.phys, block.count);
	for (u64 i = 0; i < power; i++)
		model->used[((block.phys - START) >> FRAME_SHIFT) + i] = false;
	model->block[which] = model->block[--model->blocks];
}

/* Phases of growth and of decay, so that the allocator is full and empty many times. */
static void random_allocations_never_overlap_and_fail_only_when_nothing_fits(void **state)
{
	struct bench *bench = *state;
	struct random *random = &bench->world.random;
	struct model model = { 0 };
	u32 steps = scaled(STEPS);

	for (u32 step = 0; step < steps; step++) {
		bool grow = random_below(random, 100) < (step / 1000 % 2 ? 40 : 60);

		if (grow) {
			u64 count = 1 + random_below(random, 1ULL << random_below(random, 8));

			take(bench, &model, count, (u8)(1 + random_below(random, 255)));
		} else if (model.blocks) {
			give_back(bench, &model, (u32)random_below(random, model.blocks));
		}
	}
	while (model.blocks)
		give_back(bench, &model, 0);
	expect_u64(bench->hw.frames.in_use[WHY], 0);
}

/* A script of allocations, the larger ones with memory of their own. Returns how many failed. */
static u32 run_script(struct bench *bench, struct model *model)
{
	static const u64 counts[] = { 1, 3, 64, 128, 1, 512, 2 };
	u32 failed = 0;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		phys_addr_t phys = frames_alloc(&bench->hw.frames, WHY, counts[i]);

		if (phys == RAM_NO_PHYS)
			failed++;
		else
			model->block[model->blocks++] = (struct block){ phys, counts[i], 0 };
	}
	return failed;
}

static void free_script(struct bench *bench, struct model *model)
{
	while (model->blocks) {
		struct block *block = &model->block[--model->blocks];

		frames_free(&bench->hw.frames, WHY, block->phys, block->count);
	}
	expect_u64(bench->hw.frames.in_use[WHY], 0);
}

/*
 * For each n: on fresh hardware the nth allocation of any kind fails. Exactly the call that needed
 * it fails, and afterwards the allocator gives all that it would have given.
 */
static void after_any_failure_everything_can_still_be_had(void **state)
{
	u64 nth = 0, hits = 1;

	bench_teardown(state);
	while (hits) {
		struct model model = { 0 };
		struct bench *bench;
		u32 failed;

		assert_int_equal(setup(state), 0);
		bench = *state;
		bench_fail(bench, ++nth);
		failed = run_script(bench, &model);
		hits = bench->world.memory.hits;
		bench_fail(bench, 0);
		expect_u64(failed, hits);
		free_script(bench, &model);
		expect_u64(run_script(bench, &model), 0);
		free_script(bench, &model);
		for (u32 i = 0; i < FRAMES; i++)
			assert_true(frames_alloc(&bench->hw.frames, WHY, 1) != RAM_NO_PHYS);
		assert_int_equal(bench_teardown(state), 0);
	}
	/* Seven passes of the point itself, and at least a split and a chunk. */
	assert_true(nth > 10);
	assert_int_equal(bench_setup(state), 0);
}

/* What could not be added wholly can be taken back, and added later. */
static void a_stretch_that_could_not_be_added_can_be_taken_back(void **state)
{
	struct bench *bench = *state;
	struct frames *frames = &bench->hw.frames;
	phys_addr_t start = SZ_64M + SZ_4K;
	u64 nth = 0;
	int err = -ENOMEM;

	ram_add_range(&bench->hw.ram, SZ_64M, SZ_64M);
	while (err) {
		bench_fail(bench, ++nth);
		err = frames_add(frames, start, SZ_1M);
		expect_error(err, bench->world.memory.hits ? -ENOMEM : 0);
		bench_fail(bench, 0);
		if (err)
			frames_remove(frames, start, SZ_1M);
	}
	/* From 4 KiB: blocks of 1, 2, 4 ... 128 frames and one at the end. */
	expect_u64(nth, 9 + 1);
	for (u32 i = 0; i < FRAMES + 256; i++)
		assert_true(frames_alloc(frames, WHY, 1) != RAM_NO_PHYS);
	expect_u64(frames_alloc(frames, WHY, 1), RAM_NO_PHYS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, bench_teardown)

TEST_MAIN(TEST(random_allocations_never_overlap_and_fail_only_when_nothing_fits),
	  TEST(after_any_failure_everything_can_still_be_had),
	  TEST(a_stretch_that_could_not_be_added_can_be_taken_back))
