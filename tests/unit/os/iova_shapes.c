/* SPDX-License-Identifier: MIT */
#include "iova_shapes.h"

#include <dmasim/iova.h>

static u32 share(struct dice *dice)
{
	return dice_chance(dice, 50) ? (u32)dice_from(dice, 0, 100)
				     : 100 * (u32)dice_below(dice, 2);
}

void shape_dense(struct dice *dice, u64 boundary, struct shape *shape)
{
	(void)boundary;
	/* A start at 0 is possible, and page 0 then is what any other is. */
	shape->first = dice_chance(dice, 50) ? dice_below(dice, 2) : dice_from(dice, 1, 300);
	shape->last = shape->first + dice_below(dice, 400);
	shape->pages_lg2 = (u32)dice_from(dice, 0, 6);
	shape->live_max = 500;
	shape->steps = 1500;
	shape->phase = (u32)dice_from(dice, 50, 500);
	shape->fast_percent = share(dice);
	shape->reserves = dice_chance(dice, 50) ? 0 : (u32)dice_from(dice, 1, 20);
	shape->reserve_lg2 = (u32)dice_from(dice, 0, 5);
	shape->timers = dice_chance(dice, 50);
}

void shape_around_4g(struct dice *dice, u64 boundary, struct shape *shape)
{
	shape_dense(dice, boundary, shape);
	shape->first = boundary - 1 - dice_below(dice, 300);
	shape->last = boundary - 2 + dice_below(dice, 300);
}

void shape_misused(struct dice *dice, u64 boundary, struct shape *shape)
{
	if (dice_chance(dice, 50))
		shape_dense(dice, boundary, shape);
	else
		shape_around_4g(dice, boundary, shape);
	shape->misuse = true;
}

void shape_sparse(struct dice *dice, u64 boundary, struct shape *shape)
{
	const u64 lasts[] = { boundary - 1, 2 * boundary - 1, (1ULL << 36) - 1, ~0ULL - 1 };

	shape->first = dice_chance(dice, 50) ? 1 : 1 + dice_below(dice, boundary / 2);
	shape->last = lasts[dice_below(dice, 4)];
	shape->pages_lg2 = (u32)dice_from(dice, 3, 20);
	shape->live_max = (u32)dice_from(dice, 10, 1500);
	shape->steps = 4000;
	shape->phase = 400;
	shape->fast_percent = share(dice);
	shape->reserves = dice_chance(dice, 30) ? 0 : (u32)dice_from(dice, 1, 30);
	shape->reserve_lg2 = (u32)dice_from(dice, 1, 50);
	shape->timers = dice_chance(dice, 50);
}

void shape_cached(struct dice *dice, u64 boundary, struct shape *shape)
{
	(void)boundary;
	shape->first = 1;
	shape->last = dice_chance(dice, 50) ? 4096 : (1ULL << 36) - 1;
	shape->pages_lg2 = (u32)dice_from(dice, 0, 3);
	shape->live_max = SHAPE_LIVE_MAX - 500;
	shape->steps = 10000;
	shape->phase = 1000;
	shape->fast_percent = (u32)dice_from(dice, 90, 100);
	shape->steep = true;
	shape->timers = dice_chance(dice, 50);
}

void shape_short_of_memory(struct dice *dice, u64 boundary, struct shape *shape)
{
	void (*const draws[])(struct dice *, u64, struct shape *) = { shape_dense, shape_around_4g,
								      shape_sparse, shape_cached };

	draws[dice_below(dice, 4)](dice, boundary, shape);
	shape->short_of_memory = true;
	shape->reserves = 0;
}

void shape_repaired(struct dice *dice, u64 boundary, struct shape *shape)
{
	void (*const draws[])(struct dice *, u64, struct shape *) = { shape_dense, shape_around_4g,
								      shape_sparse, shape_cached };

	draws[dice_below(dice, 4)](dice, boundary, shape);
	shape->repairs = (u32)dice_from(dice, 1, (1U << IOVA_REPAIR_COUNT) - 1);
}
