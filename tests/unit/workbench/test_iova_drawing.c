/* SPDX-License-Identifier: MIT */
/*
 * The space behind an allocator as the workbench sees it. Each test places ranges by hand:
 *
 *   L live   r rounding   c cached   R reserved   . free
 */
#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "unit/workbench/placed.h"
#include "workbench/draw.h"

struct scene {
	struct dmasim_iova_workload *workload;
	struct placed placed;
	struct iova_allocator_ops ops;
	struct player player;
	struct space space;
};

static struct scene *begin(u64 last_pfn)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	scene->workload = workload_new("own", 1, last_pfn, 1);
	return scene;
}

static void live(struct scene *scene, u32 id, u64 pfn, u64 pages)
{
	workload_alloc(scene->workload, id, pages, scene->workload->last_pfn, 0);
	scene->placed.pfn[id] = pfn;
}

/* What next tells. */
static void range(struct scene *scene, u64 first, u64 last, bool reserved)
{
	scene->placed.range[scene->placed.range_count++] =
		(struct iova_range){ first, last, reserved };
}

static void look(struct scene *scene, bool with_next)
{
	scene->ops = placed_ops(&scene->placed, with_next);
	assert_true(player_open(&scene->player, &scene->ops, scene->workload));
	player_play(&scene->player, 0, scene->workload->count);
	assert_true(space_init(&scene->space, &scene->player));
}

static void end(struct scene *scene)
{
	space_fini(&scene->space);
	player_close(&scene->player);
	dmasim_iova_workload_destroy(scene->workload);
	free(scene);
}

static void expect_stretches(const struct scene *scene, const char *expected)
{
	char text[512] = "";

	for (size_t i = 0; i < scene->space.count; i++) {
		const struct space_stretch *stretch = &scene->space.stretch[i];
		size_t length = strlen(text);

		snprintf(text + length, sizeof(text) - length, "%s%c%llu-%llu", i ? " " : "",
			 ".LrcR"[stretch->kind], stretch -> first, stretch -> last);
	}
	assert_string_equal(text, expected);
}

/* 1 |...LLLr...ccLL| 15 */
static void what_is_behind_a_live_range_is_rounding_and_the_rest_is_cached(void **state)
{
	struct scene *scene = begin(15);

	(void)state;
	live(scene, 0, 4, 3);
	live(scene, 1, 13, 3);
	range(scene, 4, 7, false);
	range(scene, 11, 12, false);
	range(scene, 13, 15, false);
	look(scene, true);
	expect_stretches(scene, ".1-3 L4-6 r7-7 .8-10 c11-12 L13-15");
	end(scene);
}

/* 1 |LLcc| 4: the cached range begins where the live one ends. */
static void a_cached_range_behind_a_live_one_is_no_rounding(void **state)
{
	struct scene *scene = begin(4);

	(void)state;
	live(scene, 0, 1, 2);
	range(scene, 1, 2, false);
	range(scene, 3, 4, false);
	look(scene, true);
	expect_stretches(scene, "L1-2 c3-4");
	end(scene);
}

/* 1 |RR.RRR.L| 8: the workload's, and one that the allocator alone knows of. */
static void what_is_reserved_is_told_by_the_workload_and_by_the_allocator(void **state)
{
	struct scene *scene = begin(8);

	(void)state;
	workload_reserve(scene->workload, 0, 2);
	live(scene, 0, 8, 1);
	range(scene, 4, 6, true);
	range(scene, 8, 8, false);
	look(scene, true);
	expect_stretches(scene, "R1-2 .3-3 R4-6 .7-7 L8-8");
	expect_u64(scene->placed.reserves, 1);
	end(scene);
}

/* What lies above the space is not drawn, and what reaches beyond it is cut. */
static void the_space_ends_at_its_last_page(void **state)
{
	struct scene *scene = begin(8);

	(void)state;
	workload_reserve(scene->workload, 7, 100);
	workload_reserve(scene->workload, 50, 60);
	look(scene, true);
	expect_stretches(scene, ".1-6 R7-8");
	end(scene);
}

static void without_next_what_is_not_known_is_free(void **state)
{
	struct scene *scene = begin(8);

	(void)state;
	live(scene, 0, 4, 3);
	range(scene, 4, 7, false);
	look(scene, false);
	expect_stretches(scene, ".1-3 L4-6 .7-8");
	assert_false(scene->space.told);
	end(scene);
}

/* 1 |..L......L...L| 14 and |...| 100: nothing that large is a hole. */
static void holes_are_counted_by_their_size_and_alignment(void **state)
{
	struct scene *scene = begin(100);
	const struct space *space;

	(void)state;
	live(scene, 0, 3, 1);
	live(scene, 1, 10, 1);
	live(scene, 2, 14, 10);
	look(scene, false);
	space = &scene->space;
	expect_u64(space->holes, 3);
	expect_u64(space->hole_pages, 2 + 6 + 3);
	expect_u64(space->hole_largest, 6);
	expect_u64(space->open, 1);
	expect_u64(space->open_pages, 77);
	expect_u64(space->hole_count[0], 0);
	expect_u64(space->hole_count[1], 2);
	expect_u64(space->hole_count[2], 1);
	/* 1-2, 4-9 and 11-13: aligned pairs are 4-5, 6-7, 8-9, 12-13; runs of 4: 4-7. */
	expect_u64(space->usable_pages[0], 11);
	expect_u64(space->usable_pages[1], 8);
	expect_u64(space->usable_pages[2], 4);
	expect_u64(space->usable_pages[3], 0);
	end(scene);
}

static void live_ranges_are_counted_by_size(void **state)
{
	static const u64 pages[] = { 1, 2, 3, 4, 5, 9, 17, 32, 33 };
	static const u64 expected[SPACE_CLASSES] = { 1, 1, 2, 1, 1, 2, 1 };
	struct scene *scene = begin(10000);

	(void)state;
	for (u32 i = 0; i < 9; i++)
		live(scene, i, 100 * (i + 1), pages[i]);
	look(scene, false);
	for (u32 class = 0; class < SPACE_CLASSES; class ++)
		expect_u64(scene->space.class_ranges[class], expected[class]);
	end(scene);
}

/* Every page is in one cell, and cells of one row follow each other. */
static void cells_hold_all_that_is_in_use(void **state)
{
	struct scene *scene = begin(1ULL << 36);
	u64 sum[VIEW_PARTS] = { 0 }, pages[VIEW_PARTS];
	struct view view;

	(void)state;
	live(scene, 0, 1, 3);
	live(scene, 1, 5000, 1000);
	live(scene, 2, 1ULL << 30, 32);
	look(scene, false);
	view_init(&view, &scene->space, 64, 16, 1);
	expect_u64(view.window_count, 3);
	assert_true(view.rows <= 16);
	for (u32 i = 0; i < view.window_count; i++) {
		for (u32 row = 0; row < view.window[i].rows; row++) {
			for (u32 column = 0; column < 64; column++) {
				view_cell(&view, &view.window[i], row, column, pages);
				for (u32 part = 0; part < VIEW_PARTS; part++)
					sum[part] += pages[part];
			}
		}
	}
	expect_u64(sum[VIEW_LIVE + 2], 3);
	expect_u64(sum[VIEW_LIVE + 5], 32);
	expect_u64(sum[VIEW_LIVE + 6], 1000);
	end(scene);
}

static void a_space_with_nothing_in_it_is_drawn(void **state)
{
	struct dmasim_iova_workload *workload = workload_new("own", 1, 0xff, 1);
	const struct iova_allocator_ops *allocator = dmasim_iova_exact();
	struct dmasim_iova_error error;

	(void)state;
	for (u32 svg = 0; svg < 2; svg++) {
		char *text = NULL;
		size_t bytes;
		FILE *out = open_memstream(&text, &bytes);

		expect_ok(dmasim_iova_draw(&(struct dmasim_iova_drawing){ .allocators = &allocator,
									  .allocator_count = 1,
									  .workload = workload,
									  .svg = svg },
					   out, &error));
		fclose(out);
		assert_non_null(strstr(text, svg ? "</svg>" : "nothing is in use"));
		free(text);
	}
	dmasim_iova_workload_destroy(workload);
}

TEST_MAIN(cmocka_unit_test(what_is_behind_a_live_range_is_rounding_and_the_rest_is_cached),
	  cmocka_unit_test(a_cached_range_behind_a_live_one_is_no_rounding),
	  cmocka_unit_test(what_is_reserved_is_told_by_the_workload_and_by_the_allocator),
	  cmocka_unit_test(the_space_ends_at_its_last_page),
	  cmocka_unit_test(without_next_what_is_not_known_is_free),
	  cmocka_unit_test(holes_are_counted_by_their_size_and_alignment),
	  cmocka_unit_test(live_ranges_are_counted_by_size),
	  cmocka_unit_test(cells_hold_all_that_is_in_use),
	  cmocka_unit_test(a_space_with_nothing_in_it_is_drawn))
