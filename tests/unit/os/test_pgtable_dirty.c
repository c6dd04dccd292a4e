/* SPDX-License-Identifier: MIT */
/*
 * What hardware marks as written, read and cleared (facts "iova-and-page-tables" 2.7, 6.6). Here
 * the marks are set in memory, as hardware would.
 */
#include <errno.h>

#include <dmasim/pgtable/format.h>

#include "formats.h"

#define RW   (IOMMU_READ | IOMMU_WRITE)
#define PHYS 0x400000000ULL

static u64 smallest(const struct format_fixture *fixture)
{
	return 1ULL << format_size_lg2(fixture, 0);
}

/* ---- Marks, and who hears of them ------------------------------------------------------------ */

struct heard {
	u64 start, bytes; /* of the last */
	u64 count;
};

static void hear(void *cookie, u64 iova, u64 bytes)
{
	struct heard *heard = cookie;

	heard->start = iova;
	heard->bytes = bytes;
	heard->count++;
}

static struct heard read_dirty(struct format_fixture *fixture, u64 iova, u64 bytes, bool clear)
{
	struct heard heard = { 0 };

	format_release(fixture);
	iommu_iotlb_gather_init(&fixture->gather);
	expect_ok(fixture->format->ops->read_and_clear_dirty(&fixture->pt, iova, bytes, clear, hear,
							     &heard, &fixture->gather));
	return heard;
}

/* Hardware writes to one address: the entry that serves it is marked. */
static void mark(struct format_fixture *fixture, u64 iova)
{
	expect_ok(fixture->format->ops->set_dirty(&fixture->pt, iova));
}

/* What is born dirty is read once. */
static void map_clean(struct format_fixture *fixture, u64 iova, u64 bytes)
{
	expect_ok(format_map(fixture, iova, format_phys(bytes), bytes, RW));
	read_dirty(fixture, iova, bytes, true);
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static void a_written_page_is_told_and_then_clean(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture);
	struct heard heard;

	map_clean(fixture, 2 * page, page);
	expect_u64(read_dirty(fixture, 2 * page, page, false).count, 0);
	mark(fixture, 2 * page);
	heard = read_dirty(fixture, 2 * page, page, false);
	expect_u64(heard.count, 1);
	expect_u64(heard.start, 2 * page);
	expect_u64(heard.bytes, page);
	assert_true(iommu_iotlb_gather_empty(&fixture->gather));
	expect_u64(read_dirty(fixture, 2 * page, page, true).count, 1);
	/* The translation may be cached with its mark. */
	expect_u64(fixture->gather.start, 2 * page);
	expect_u64(fixture->gather.last, 3 * page - 1);
	expect_u64(fixture->gather.leaf_levels, 1);
	expect_u64(read_dirty(fixture, 2 * page, page, true).count, 0);
	assert_true(iommu_iotlb_gather_empty(&fixture->gather));
}

/* Whichever of its items was marked. */
static void every_item_makes_a_leaf_dirty(void **state)
{
	struct format_fixture *fixture = *state;

	for (u32 index = 0; format_size_lg2(fixture, index); index++) {
		u64 size = 1ULL << format_size_lg2(fixture, index);
		u8 level = (u8)((format_size_lg2(fixture, index) - fixture->format->granule_lg2) /
				fixture->format->index_lg2);
		u64 item = smallest(fixture) << fixture->format->index_lg2 * level;

		if (level >= fixture->config.levels)
			break;
		map_clean(fixture, size, size);
		for (u64 at = 0; at < size; at += item) {
			struct heard heard;

			mark(fixture, size + at);
			heard = read_dirty(fixture, size, size, true);
			expect_u64(heard.count, 1);
			expect_u64(heard.start, size);
			expect_u64(heard.bytes, size);
			expect_u64(read_dirty(fixture, size, size, true).count, 0);
		}
		expect_u64(format_unmap(fixture, size, size), size);
	}
}

/* From where it was asked for, not from the head of the leaf (6.6, 14); all of it becomes clean. */
static void a_range_inside_a_leaf_is_told_as_it_was_asked_for(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), large = 1ULL << format_size_lg2(fixture, 1);
	struct heard heard;

	map_clean(fixture, large, large);
	mark(fixture, large);
	heard = read_dirty(fixture, large + page, page, true);
	expect_u64(heard.count, 1);
	expect_u64(heard.start, large + page);
	expect_u64(heard.bytes, page);
	expect_u64(fixture->gather.start, large);
	expect_u64(fixture->gather.last, 2 * large - 1);
	expect_u64(read_dirty(fixture, large, large, false).count, 0);
}

/* ---- Windows --------------------------------------------------------------------------------- */

#define PAGES 200 /* of the smallest size */

struct window {
	u64 page, base;
	bool told[PAGES];
	u64 start, end; /* that is asked for */
};

static void note(void *cookie, u64 iova, u64 bytes)
{
	struct window *window = cookie;

	assert_true(iova >= window->start && iova + bytes <= window->end);
	for (u64 at = iova; at < iova + bytes; at += window->page) {
		assert_false(window->told[(at - window->base) / window->page]);
		window->told[(at - window->base) / window->page] = true;
	}
}

/* All pages in windows of so many, the first one shorter: each is told once if it was written. */
static void look_through(struct format_fixture *fixture, struct window *window, u64 pages,
			 u64 first, bool clear)
{
	u64 end = window->base + PAGES * window->page;

	memset(window->told, 0, sizeof(window->told));
	iommu_iotlb_gather_init(&fixture->gather);
	window->end = window->base;
	for (u64 count = first; window->end < end; count = pages) {
		window->start = window->end;
		window->end += count * window->page;
		if (window->end > end)
			window->end = end;
		expect_ok(fixture->format->ops->read_and_clear_dirty(
			&fixture->pt, window->start, window->end - window->start, clear, note,
			window, &fixture->gather));
	}
}

/*
 * A bitmap of 64 bits a word is filled from windows that begin and end anywhere (6.6, 15): neither
 * a page of a window's edge is lost, nor one beyond it told.
 */
static void windows_of_any_size_tell_every_page_once(void **state)
{
	static const u64 sizes[] = { 1, 7, 63, 64, 65, 128, PAGES };
	struct format_fixture *fixture = *state;
	struct window window = { .page = smallest(fixture), .base = 64 * smallest(fixture) };

	/* Single pages; not congruent to anything larger. */
	expect_ok(format_map(fixture, window.base, format_phys(window.page) + window.page,
			     PAGES * window.page, RW));
	read_dirty(fixture, window.base, PAGES * window.page, true);
	for (u64 i = 0; i < PAGES; i++) {
		if (i % 3 == 0 || i % 64 > 61)
			mark(fixture, window.base + i * window.page);
	}
	for (size_t size = 0; size < sizeof(sizes) / sizeof(sizes[0]); size++) {
		for (u64 first = 1; first <= sizes[size]; first += 1 + sizes[size] / 5) {
			look_through(fixture, &window, sizes[size], first, false);
			for (u64 i = 0; i < PAGES; i++)
				assert_int_equal(window.told[i], i % 3 == 0 || i % 64 > 61);
		}
	}
	look_through(fixture, &window, 65, 3, true);
	look_through(fixture, &window, 64, 64, false);
	for (u64 i = 0; i < PAGES; i++)
		assert_false(window.told[i]);
}

/* A mark is none of the rights' business, and stays through a cut. */
static void marks_stay_when_leaves_change(void **state)
{
	struct format_fixture *fixture = *state;
	const struct pgtable_ops *ops = fixture->format->ops;
	u64 large = 1ULL << format_size_lg2(fixture, 1), changed = 0;
	u64 page = smallest(fixture);

	map_clean(fixture, large, large);
	mark(fixture, large + page);
	expect_ok(ops->protect(&fixture->pt, large, large, RW | IOMMU_CACHE, &fixture->gather,
			       &changed));
	expect_u64(changed, large);
	expect_u64(read_dirty(fixture, large, large, false).count, 1);
	if (ops->cut(&fixture->pt, large + page, &fixture->gather) == -EOPNOTSUPP)
		return;
	expect_u64(read_dirty(fixture, large, large, true).count, large / page);
}

static void a_format_without_marks_says_so(void **state)
{
	struct format_fixture *fixture = *state;
	struct heard heard = { 0 };

	expect_ok(format_map(fixture, 0, PHYS, smallest(fixture), RW));
	expect_error(fixture->format->ops->read_and_clear_dirty(&fixture->pt, 0, 4096, true, hear,
								&heard, &fixture->gather),
		     -EOPNOTSUPP);
	expect_error(fixture->format->ops->set_dirty(&fixture->pt, 0), -EOPNOTSUPP);
	expect_u64(heard.count, 0);
}

static void nothing_mapped_is_nothing_written(void **state)
{
	struct format_fixture *fixture = *state;

	expect_u64(read_dirty(fixture, 0, 1ULL << 38, true).count, 0);
	expect_error(fixture->format->ops->set_dirty(&fixture->pt, 0x1000), -ENOENT);
}

#define ON_MARKING(test)                                                                       \
	ON_FORMAT(vtdss_4, test), ON_FORMAT(vtdss_incoherent, test), ON_FORMAT(amdv1_3, test), \
		ON_FORMAT(amdv1_sizes, test), ON_FORMAT(amdv1_grows, test),                    \
		ON_FORMAT(armv8_s1_16k_bbm, test), ON_FORMAT(mock, test),                      \
		ON_FORMAT(amdv1_coded, test), ON_FORMAT(amdv1_grows_6, test),                  \
		ON_FORMAT(armv8_s1_4k_3, test), ON_FORMAT(armv8_s1_4k_lpa2, test),             \
		ON_FORMAT(armv8_s1_64k_48, test)

TEST_MAIN(ON_MARKING(a_written_page_is_told_and_then_clean),
	  ON_MARKING(every_item_makes_a_leaf_dirty),
	  ON_MARKING(a_range_inside_a_leaf_is_told_as_it_was_asked_for),
	  ON_MARKING(windows_of_any_size_tell_every_page_once),
	  ON_MARKING(marks_stay_when_leaves_change), ON_MARKING(nothing_mapped_is_nothing_written),
	  ON_FORMAT(x86_64_4, a_format_without_marks_says_so),
	  ON_FORMAT(riscv_48, a_format_without_marks_says_so),
	  ON_FORMAT(armv8_s2_4k, a_format_without_marks_says_so))
