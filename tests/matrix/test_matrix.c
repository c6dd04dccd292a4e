/* SPDX-License-Identifier: MIT */
/*
 * Every mode, call, direction and place of a buffer, with attributes: the data arrives, or Linux's
 * error comes back.
 *
 *   DMASIM_CELL=strict,map_sg,TO_DEVICE,odd,0x20 ./tests/run test_matrix     runs one cell alone
 *
 * A DMASIM_TEST_SCALE below 10 runs every 29th cell.
 */
#include <stdlib.h>
#include <string.h>

#include "matrix/cover.h"
#include "matrix/run.h"
#include "property/seeds.h"
#include "support/expect.h"

/* Of one mode. */
struct tally {
	struct run *run;
	u32 cells;
	u32 mapped;
	u32 failed;
};

#define FAILURES_SHOWN 10

static void show(struct tally *tally, const struct cell *cell)
{
	char text[CELL_TEXT];

	cell_text(cell, text);
	if (tally->failed++ < FAILURES_SHOWN)
		print_error("%s\n  %s\n  DMASIM_CELL=%s ./tests/run test_matrix\n", text,
			    tally->run->wrong, text);
}

/* What one failed cell left must not fail the others. */
static bool start_again(struct tally *tally, enum mode mode)
{
	machine_end(&tally->run->machine);
	return run_begin(tally->run, mode);
}

/* One machine: a call in a mode. Every `stride`-th cell from `first` on. */
static void run_call(struct tally *tally, const struct cell_list *list, u32 first, u32 stride)
{
	const struct cell *cell = &list->cell[0];
	u32 failed = tally->failed;
	bool there = run_begin(tally->run, cell->mode);

	for (u32 i = first; i < list->count && there; i += stride) {
		cell = &list->cell[i];
		tally->cells++;
		if (!run_cell(tally->run, cell)) {
			show(tally, cell);
			there = start_again(tally, cell->mode);
		}
	}
	if (!there)
		show(tally, cell);
	if (!run_end(tally->run) && failed == tally->failed)
		show(tally, cell);
}

/* Prime, so that every factor's values take turns. */
static u32 stride(void)
{
	return scaled(100) < 10 ? 29 : 1;
}

static void run_mode(struct tally *tally, enum mode mode)
{
	for (u32 call = 0; call < CALLS; call++) {
		struct cell_list list;

		assert_true(cells_of(mode, (enum call)call, &list));
		run_call(tally, &list, (mode * CALLS + call) % stride() % list.count, stride());
		free(list.cell);
	}
}

static void run_one_cell(struct tally *tally, enum mode mode, const char *text)
{
	struct cell cell;

	assert_true(cell_parse(text, &cell));
	if (cell.mode == mode)
		run_call(tally, &(struct cell_list){ &cell, 1 }, 0, 1);
}

static void mode_is_right(enum mode mode)
{
	struct tally tally = { .run = calloc(1, sizeof(struct run)) };
	const char *cell = getenv("DMASIM_CELL");

	assert_non_null(tally.run);
	if (cell && *cell)
		run_one_cell(&tally, mode, cell);
	else
		run_mode(&tally, mode);
	tally.mapped = tally.run->mapped;
	free(tally.run);
	print_message("# %s: %u cells, %u of them mapped, %u failed\n", mode_name[mode],
		      tally.cells, tally.mapped, tally.failed);
	assert_true(!tally.failed);
}

static void without_an_iommu(void **state)
{
	(void)state;
	mode_is_right(MODE_DIRECT);
}

static void behind_inbound_ranges(void **state)
{
	(void)state;
	mode_is_right(MODE_DIRECT_RANGES);
}

static void beyond_the_devices_mask(void **state)
{
	(void)state;
	mode_is_right(MODE_DIRECT_MASK32);
}

static void passed_through(void **state)
{
	(void)state;
	mode_is_right(MODE_PASS_THROUGH);
}

static void strictly_mapped(void **state)
{
	(void)state;
	mode_is_right(MODE_STRICT);
}

static void lazily_mapped(void **state)
{
	(void)state;
	mode_is_right(MODE_LAZY);
}

static void for_an_untrusted_device(void **state)
{
	(void)state;
	mode_is_right(MODE_UNTRUSTED);
}

static void bounced_by_force(void **state)
{
	(void)state;
	mode_is_right(MODE_FORCED);
}

static void in_a_restricted_pool(void **state)
{
	(void)state;
	mode_is_right(MODE_RESTRICTED);
}

static void for_a_device_that_does_not_snoop(void **state)
{
	(void)state;
	mode_is_right(MODE_NO_SNOOP);
}

static void for_a_device_that_does_not_snoop_behind_an_iommu(void **state)
{
	(void)state;
	mode_is_right(MODE_NO_SNOOP_IOMMU);
}

static void small_buffers_that_share_cache_lines(void **state)
{
	(void)state;
	mode_is_right(MODE_KMALLOC);
}

static void small_buffers_that_share_cache_lines_behind_an_iommu(void **state)
{
	(void)state;
	mode_is_right(MODE_KMALLOC_IOMMU);
}

static void peer_memory_by_bus_address(void **state)
{
	(void)state;
	mode_is_right(MODE_P2P_BUS);
}

static void peer_memory_through_the_host_bridge(void **state)
{
	(void)state;
	mode_is_right(MODE_P2P_BRIDGE);
}

static void behind_amd_vi(void **state)
{
	(void)state;
	mode_is_right(MODE_AMD_VI);
}

static void behind_amd_vi_lazily(void **state)
{
	(void)state;
	mode_is_right(MODE_AMD_VI_LAZY);
}

static void behind_amd_vi_that_caches_what_is_absent(void **state)
{
	(void)state;
	mode_is_right(MODE_AMD_VI_NP_CACHE);
}

static void behind_a_first_stage(void **state)
{
	(void)state;
	mode_is_right(MODE_FIRST_STAGE);
}

static void behind_riscv(void **state)
{
	(void)state;
	mode_is_right(MODE_RISCV);
}

static void behind_smmuv3(void **state)
{
	(void)state;
	mode_is_right(MODE_SMMUV3);
}

/* ---- The matrix itself ------------------------------------------------- */

static void pairs_cover_every_pair_of_values(void **state)
{
	static const u8 levels[COVER_FACTORS] = { 3, 9, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2 };
	struct cover cover;

	(void)state;
	assert_true(cover_make(&cover, levels));
	expect_u64(cover_missing(&cover, levels), 0);
	/* The fewest there can be, 3 * 9, and not many more. */
	assert_in_range(cover.rows, 27, 36);
	cover.rows--;
	assert_true(cover_missing(&cover, levels) > 0);
}

static void a_cells_name_leads_back_to_it(void **state)
{
	u32 count = 0;

	(void)state;
	for (u32 mode = 0; mode < MODES; mode++) {
		struct cell_list list;

		assert_true(cells_of((enum mode)mode, CALL_LINKS, &list));
		for (u32 i = 0; i < list.count; i++, count++) {
			char text[CELL_TEXT];
			struct cell cell;

			cell_text(&list.cell[i], text);
			assert_true(cell_parse(text, &cell));
			assert_memory_equal(&cell, &list.cell[i], sizeof(cell));
		}
		free(list.cell);
	}
	assert_true(count > 3 * PLACES_FULL * 64 * MODES);
}

TEST_MAIN(cmocka_unit_test(without_an_iommu), cmocka_unit_test(behind_inbound_ranges),
	  cmocka_unit_test(beyond_the_devices_mask), cmocka_unit_test(passed_through),
	  cmocka_unit_test(strictly_mapped), cmocka_unit_test(lazily_mapped),
	  cmocka_unit_test(for_an_untrusted_device), cmocka_unit_test(bounced_by_force),
	  cmocka_unit_test(in_a_restricted_pool),
	  cmocka_unit_test(for_a_device_that_does_not_snoop),
	  cmocka_unit_test(for_a_device_that_does_not_snoop_behind_an_iommu),
	  cmocka_unit_test(small_buffers_that_share_cache_lines),
	  cmocka_unit_test(small_buffers_that_share_cache_lines_behind_an_iommu),
	  cmocka_unit_test(peer_memory_by_bus_address),
	  cmocka_unit_test(peer_memory_through_the_host_bridge), cmocka_unit_test(behind_amd_vi),
	  cmocka_unit_test(behind_amd_vi_lazily),
	  cmocka_unit_test(behind_amd_vi_that_caches_what_is_absent),
	  cmocka_unit_test(behind_a_first_stage), cmocka_unit_test(behind_riscv),
	  cmocka_unit_test(behind_smmuv3), cmocka_unit_test(pairs_cover_every_pair_of_values),
	  cmocka_unit_test(a_cells_name_leads_back_to_it))
