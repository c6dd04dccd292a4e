/* SPDX-License-Identifier: MIT */
/*
 * What is an SMMUv3's own of invalidation: hints at a level, granules, commands for all address
 * spaces, for streams and for what streams lead to.
 */
#include "invalidation/rows.h"

#include <string.h>

#define STALE	(1ULL << DMASIM_REPORT_STALE_TRANSLATION)
#define FREED	(1ULL << DMASIM_REPORT_TABLE_FREED_EARLY)
#define SIZES	(1ULL << DMASIM_REPORT_MIXED_PAGE_SIZES)
#define CONTEXT (1ULL << DMASIM_REPORT_STALE_CONTEXT)

#define NH_VA  (0x12 | (u64)RIG_DOMAIN << 48)
#define LEAF   1ULL
#define TTL(n) ((n)*0x100ULL)
#define TG_4K  0x400ULL
#define TG_16K 0x800ULL
#define BLOCK  (9 << 20) /* SCALE: 512 granules */

/* The reports of a row for which one command is given, and waited for. */
static u64 after(const struct row *row, u64 low, u64 high)
{
	const struct command command = arch_command(low, high);

	return row_after(row, &arch_smmuv3, &command, 1);
}

/*
 * trust: SMMUv3's hints at a level: a page of another level may stay | our reading of the facts:
 * iova-and-page-tables 3.4
 */
static void a_wrong_hint_leaves_the_page(void **state)
{
	const u64 page = RIG_IOVA | LEAF | TG_4K;

	(void)state;
	expect_u64(after(&row_unmap, NH_VA, page | TTL(3)), 0);
	expect_u64(after(&row_unmap, NH_VA, page | TTL(2)), STALE);
	expect_u64(after(&row_unmap, NH_VA, page | TTL(1)), STALE);
	expect_u64(after(&row_split, NH_VA | BLOCK, page | TTL(2)), 0);
	expect_u64(after(&row_split, NH_VA | BLOCK, RIG_IOVA | TG_4K | TTL(2)), 0);
	expect_u64(after(&row_split, NH_VA | BLOCK, RIG_IOVA | TG_4K | TTL(3)), SIZES);
	expect_u64(after(&row_split, NH_VA | BLOCK, RIG_IOVA | TG_4K), 0);
}

/* Commands for tables of other granules are for none that there are. */
static void another_granule_covers_nothing(void **state)
{
	(void)state;
	expect_u64(after(&row_unmap, NH_VA | 1 << 20, RIG_IOVA | LEAF | TG_16K), STALE);
	expect_u64(after(&row_unmap, NH_VA | 1 << 20, RIG_IOVA | LEAF | TG_4K), 0);
}

/* With the leaves alone the table above them may still be walked. */
static void tables_go_only_without_the_leaf_bit(void **state)
{
	(void)state;
	expect_u64(after(&row_unlink, NH_VA | BLOCK, RIG_IOVA | TG_4K), 0);
	expect_u64(after(&row_unlink, NH_VA | BLOCK, RIG_IOVA | TG_4K | LEAF), STALE | FREED);
	expect_u64(after(&row_unlink, 0x11 | (u64)RIG_DOMAIN << 48, 0), 0);
	/* One address takes the table, and of its pages the one that there is. */
	expect_u64(after(&row_unlink, NH_VA, RIG_IOVA), 0);
}

static void other_address_spaces_are_not_covered(void **state)
{
	(void)state;
	expect_u64(after(&row_unmap, 0x12 | (u64)RIG_OTHER << 48, RIG_IOVA | LEAF), STALE);
	expect_u64(after(&row_unmap, 0x11 | (u64)RIG_OTHER << 48, 0), STALE);
	/* NH_VAA, NH_ALL, NSNH_ALL */
	expect_u64(after(&row_unmap, 0x13, RIG_IOVA | LEAF), 0);
	expect_u64(after(&row_unmap, 0x13, (RIG_IOVA + SZ_4K) | LEAF), STALE);
	expect_u64(after(&row_unmap, 0x10, 0), 0);
	expect_u64(after(&row_unmap, 0x30, 0), 0);
}

/* The cause is told: the command was for leaves of another level. */
static void the_report_tells_of_the_level(void **state)
{
	struct dmasim_report report;
	struct rig rig;

	(void)state;
	rig_init(&rig, &arch_smmuv3, false);
	row_unmap.before(&rig);
	row_unmap.change(&rig);
	rig_add(&rig, arch_command(NH_VA, RIG_IOVA | LEAF | TG_4K | TTL(2)));
	rig_submit(&rig);
	rig_wait(&rig);
	row_unmap.claim(&rig);
	assert_true(dmasim_report_get(rig.s, 0, &report));
	assert_non_null(strstr(report.text, "leaves only, of level 1"));
	assert_non_null(strstr(report.text, "a page of 4 KiB is no leaf of the level"));
	rig_fini(&rig);
}

/* ---- Streams --------------------------------------------------------------------------------- */

/* The device is moved: this, with a SYNC, then all of the old address space. */
static u64 after_move(u64 low, u64 high, bool sync)
{
	struct rig rig;
	u64 seen;

	rig_init(&rig, &arch_smmuv3, false);
	row_move.before(&rig);
	row_move.change(&rig);
	rig_add(&rig, arch_command(low | (u64)rig.requester << 32, high));
	if (sync)
		rig_wait(&rig);
	rig_add(&rig, arch_smmuv3.domain(RIG_DOMAIN));
	rig_submit(&rig);
	rig_wait(&rig);
	row_move.claim(&rig);
	seen = rig_reports(&rig);
	rig_fini(&rig);
	return seen;
}

static void a_stream_and_its_translations_need_a_sync(void **state)
{
	(void)state;
	expect_u64(after_move(0x3, 1, true), 0);
	expect_u64(after_move(0x3, 1, false), FREED);
	/* Of 256 streams, of all; of a context descriptor alone, of the neighbours. */
	expect_u64(after_move(0x4, 7, true), 0);
	expect_u64(after_move(0x4, 31, true), 0);
	expect_u64(after_move(0x5, 1, true), CONTEXT | FREED);
	expect_u64(after_move(0x6, 0, true), CONTEXT | FREED);
	expect_u64(after_move(0x3 | 1ULL << 63, 1, true), CONTEXT | FREED);
}

/* ---- What hardware does ---------------------------------------------------------------------- */

static void the_cache_keeps_what_a_hint_spares(void **state)
{
	struct rig rig;
	u64 hits;

	(void)state;
	rig_init(&rig, &arch_smmuv3, false);
	row_unmap.before(&rig);
	rig_add(&rig, arch_command(NH_VA | BLOCK, RIG_IOVA | LEAF | TG_4K | TTL(2)));
	rig_submit(&rig);
	rig_wait(&rig);
	hits = rig.s->hw.costs.iotlb_hits;
	rig_use(&rig, 0);
	expect_u64(rig.s->hw.costs.iotlb_hits - hits, 1);
	rig_add(&rig, arch_command(NH_VA | BLOCK, RIG_IOVA | LEAF | TG_4K | TTL(3)));
	rig_submit(&rig);
	rig_wait(&rig);
	hits = rig.s->hw.costs.iotlb_hits;
	rig_use(&rig, 0);
	expect_u64(rig.s->hw.costs.iotlb_hits - hits, 0);
	rig_fini(&rig);
}

TEST_MAIN(cmocka_unit_test(a_wrong_hint_leaves_the_page),
	  cmocka_unit_test(another_granule_covers_nothing),
	  cmocka_unit_test(tables_go_only_without_the_leaf_bit),
	  cmocka_unit_test(other_address_spaces_are_not_covered),
	  cmocka_unit_test(the_report_tells_of_the_level),
	  cmocka_unit_test(a_stream_and_its_translations_need_a_sync),
	  cmocka_unit_test(the_cache_keeps_what_a_hint_spares))
