/* SPDX-License-Identifier: MIT */
/*
 * The picture of addresses in a report: what is cut into which lines, and what they say. Without an
 * IOMMU DMA addresses are those of memory, so that a test can lay mappings where it likes.
 */
#include "unit/api/lists.h"

#define LINES_MAX 12

/* Memory that a test's addresses are relative to; aligned to 64 KiB. */
static phys_addr_t base_of(struct rig *rig)
{
	return (ram(rig, 2 * SZ_64K) + SZ_64K - 1) & ~(phys_addr_t)(SZ_64K - 1);
}

static dma_addr_t map(struct rig *rig, phys_addr_t phys, u64 bytes)
{
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, phys, bytes, DMA_TO_DEVICE, 0);

	expect_ok(dma_mapping_error(&rig->nvme->dev, dma));
	return dma;
}

static void unmap(struct rig *rig, dma_addr_t dma, u64 bytes)
{
	dma_unmap_phys(&rig->nvme->dev, dma, bytes, DMA_TO_DEVICE, 0);
}

/* A line of a picture, and what the test expects of it. */
struct line {
	u64 start;
	u64 last;
	const char *bars; /* "mapped|touched": the first letter of each column */
	const char *words;
};

/* Reads the lines of the first report's picture; returns how many, with those of "...". */
static u32 read_picture(struct rig *rig, struct line *lines, char *text, size_t size)
{
	struct dmasim_report report;
	u32 count = 0;
	char *at;

	assert_true(dmasim_report_get(rig->s, 0, &report));
	snprintf(text, size, "%s", report.text);
	at = strstr(text, "|mapped|");
	at = at ? strchr(at, '\n') : NULL;
	while (at && !strncmp(at + 1, "    ", 4)) {
		struct line *line = &lines[count++];
		char *end = strchr(at + 1, '\n');
		char *bars = strchr(at + 1, '|');

		assert_true(count <= LINES_MAX);
		*end = '\0';
		assert_true(strlen(at + 1) <= 100);
		*line = (struct line){ .words = at + 5 };
		if (bars && bars < end) {
			assert_int_equal(
				sscanf(at + 1, " 0x%llx-0x%llx", &line->start, &line->last), 2);
			bars[2] = bars[8];
			bars[3] = '\0';
			line->bars = bars + 1;
			line->words = bars + 17 + strspn(bars + 17, " ");
		}
		at = end;
	}
	return count;
}

static void expect_picture(struct rig *rig, u64 base, const struct line *expected, u32 count)
{
	char text[DMASIM_REPORT_TEXT_BYTES];
	struct line lines[LINES_MAX];

	expect_u64(read_picture(rig, lines, text, sizeof(text)), count);
	for (u32 i = 0; i < count; i++) {
		if (expected[i].bars) {
			expect_u64(lines[i].start - base, expected[i].start);
			expect_u64(lines[i].last - base, expected[i].last);
			assert_string_equal(lines[i].bars, expected[i].bars);
		}
		if (strncmp(lines[i].words, expected[i].words, strlen(expected[i].words)) != 0)
			fail_msg("'%s', expected '%s'", lines[i].words, expected[i].words);
	}
}

#define EXPECT_PICTURE(rig, base, ...)                                  \
	expect_picture(rig, base, (const struct line[]){ __VA_ARGS__ }, \
		       sizeof((const struct line[]){ __VA_ARGS__ }) / sizeof(struct line))

static void sync(struct rig *rig, dma_addr_t dma, u64 bytes)
{
	dma_sync_single_for_device(&rig->nvme->dev, dma, bytes, DMA_TO_DEVICE);
}

/* ---- Mappings and what was touched ----------------------------------------------------------- */

static void an_overrun_is_cut_at_the_end_of_the_mapping(void **state)
{
	struct rig *rig = *state;
	u64 base = base_of(rig);
	dma_addr_t dma = map(rig, base, 0x100);

	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_NOT_MAPPED, 1);
	sync(rig, dma + 0x80, 0x100);
	EXPECT_PICTURE(rig, base, { 0, 0x7f, "# ", "128 bytes  this mapping" },
		       { 0x80, 0xff, "#*", "128 bytes  this mapping" },
		       { 0x100, 0x17f, " *", "128 bytes  nothing" });
	unmap(rig, dma, 0x100);
}

/* Of its neighbours those that are next to it, with the distance. */
static void neighbours_are_shown_with_their_distance(void **state)
{
	struct rig *rig = *state;
	u64 base = base_of(rig);
	dma_addr_t far = map(rig, base, 0x100), below = map(rig, base + 0x400, 0x100),
		   above = map(rig, base + 0x1000, 0x200);

	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_NOT_MAPPED, 1);
	sync(rig, base + 0x800, 0x10);
	EXPECT_PICTURE(rig, base,
		       { 0x400, 0x4ff, "# ", "256 bytes  dma_map_phys, TO_DEVICE, test_" },
		       { 0x500, 0x7ff, "  ", "768 bytes  nothing" },
		       { 0x800, 0x80f, " *", "16 bytes  nothing" },
		       { 0x810, 0xfff, "  ", "2032 bytes  nothing" },
		       { 0x1000, 0x11ff, "# ", "512 bytes  dma_map_phys, TO_DEVICE, test_" });
	unmap(rig, far, 0x100);
	unmap(rig, below, 0x100);
	unmap(rig, above, 0x200);
}

static void what_was_there_is_told_until_it_is_mapped_again(void **state)
{
	struct rig *rig = *state;
	u64 base = base_of(rig);
	dma_addr_t dma = map(rig, base, 0x200);

	unmap(rig, dma, 0x200);
	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_NOT_MAPPED, 1);
	sync(rig, dma, 0x80);
	EXPECT_PICTURE(rig, base, { 0, 0x7f, " *", "128 bytes  nothing: was dma_map_phys, ended" },
		       { 0x80, 0x1ff, "  ", "384 bytes  nothing: was dma_map_phys, ended" });
}

/* More than fits: the place where it went wrong, and what is around it. */
static void a_long_picture_is_cut_to_the_place_that_matters(void **state)
{
	struct rig *rig = *state;
	u64 base = base_of(rig);

	for (u32 i = 0; i < 20; i++)
		map(rig, base + 0x200ULL * i, 0x100);
	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_NOT_MAPPED, 1);
	sync(rig, base + 0x200 * 10, 0x1000);
	EXPECT_PICTURE(rig, base, { 0x1200, 0x12ff, "# ", "256 bytes" },
		       { 0x1300, 0x13ff, "  ", "256 bytes  nothing" },
		       { 0x1400, 0x14ff, "#*", "256 bytes  this mapping" },
		       { 0x1500, 0x15ff, " *", "256 bytes  nothing" },
		       { 0x1600, 0x16ff, "#*", "256 bytes" },
		       { 0x1700, 0x17ff, " *", "256 bytes  nothing" },
		       { 0x1800, 0x18ff, "#*", "256 bytes" },
		       { 0x1900, 0x19ff, " *", "256 bytes  nothing" }, { .words = "..." });
	for (u32 i = 0; i < 20; i++)
		unmap(rig, base + 0x200ULL * i, 0x100);
}

/* The range of a state with many links, of which one is linked again. */
static void a_picture_is_cut_on_both_sides(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_64K));
	for (u64 at = 0; at < SZ_64K; at += SZ_4K)
		expect_ok(dma_iova_link(dev, &st, buf + at, at, SZ_4K, DMA_TO_DEVICE, 0));
	dmasim_expect(rig->s, DMASIM_REPORT_LINK_OVERLAP, 1);
	expect_error(dma_iova_link(dev, &st, buf, 8 * SZ_4K, SZ_4K, DMA_TO_DEVICE, 0), -EADDRINUSE);
	EXPECT_PICTURE(rig, st.addr, { .words = "..." }, { 0x4000, 0x4fff, "+ ", "4 KiB" },
		       { 0x5000, 0x5fff, "+ ", "4 KiB" }, { 0x6000, 0x6fff, "+ ", "4 KiB" },
		       { 0x7000, 0x7fff, "+ ", "4 KiB" },
		       { 0x8000, 0x8fff, "+*", "4 KiB  this mapping, not synced" },
		       { 0x9000, 0x9fff, "+ ", "4 KiB" }, { 0xa000, 0xafff, "+ ", "4 KiB" },
		       { 0xb000, 0xbfff, "+ ", "4 KiB" }, { .words = "..." });
	dma_iova_destroy(dev, &st, SZ_64K, DMA_TO_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_LINK_OVERLAP, 1);
}

static void several_mappings_of_the_same_bytes_are_counted(void **state)
{
	struct rig *rig = *state;
	u64 base = base_of(rig);

	for (u32 i = 0; i < 3; i++)
		map(rig, base, 0x100);
	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_NOT_MAPPED, 1);
	sync(rig, base + 0x100, 0x100);
	EXPECT_PICTURE(rig, base, { 0, 0xff, "# ", "256 bytes  3 mappings" },
		       { 0x100, 0x1ff, " *", "256 bytes  nothing" });
	for (u32 i = 0; i < 3; i++)
		unmap(rig, base, 0x100);
}

/* The last address of all has none behind it, and a mapping at the other end is not near. */
static void what_is_far_away_is_no_neighbour(void **state)
{
	struct rig *rig = *state;
	char text[DMASIM_REPORT_TEXT_BYTES];
	struct line lines[LINES_MAX];
	u64 base = base_of(rig);
	u8 byte = 1;

	map(rig, base, 0x100);
	dmasim_expect(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, 1);
	dmasim_dev_write(rig->nvme, ~0ULL, &byte, 1);
	expect_u64(read_picture(rig, lines, text, sizeof(text)), 0);
	unmap(rig, base, 0x100);
}

static void one_stretch_is_no_picture(void **state)
{
	struct rig *rig = *state;
	char text[DMASIM_REPORT_TEXT_BYTES];
	struct line lines[LINES_MAX];
	u64 base = base_of(rig);

	map(rig, base, 0x100);
	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_MISMATCH, 1);
	dma_sync_single_for_cpu(&rig->nvme->dev, base, 0x100, DMA_FROM_DEVICE);
	expect_u64(read_picture(rig, lines, text, sizeof(text)), 0);
	unmap(rig, base, 0x100);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static void shared_memory_is_shown_by_its_own_addresses(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct device *dev = &rig->nvme->dev;
	dma_addr_t first = dma_map_phys(dev, buf, 0x200, DMA_FROM_DEVICE, 0), second;

	dmasim_expect(rig->s, DMASIM_REPORT_MAPPINGS_OVERLAP, 1);
	second = dma_map_phys(dev, buf + 0x180, 0x200, DMA_FROM_DEVICE, 0);
	EXPECT_PICTURE(rig, buf, { 0, 0x17f, "# ", "384 bytes  mapped already" },
		       { 0x180, 0x1ff, "#*", "128 bytes  mapped already" },
		       { 0x200, 0x37f, " *", "384 bytes  nothing" });
	dma_unmap_phys(dev, first, 0x200, DMA_FROM_DEVICE, 0);
	dma_unmap_phys(dev, second, 0x200, DMA_FROM_DEVICE, 0);
}

/* ---- Pages ----------------------------------------------------------------------------------- */

/* Behind an IOMMU the rest of a page is reachable. */
static void the_rest_of_a_mapped_page_is_a_line_of_its_own(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma = map(rig, ram(rig, SZ_4K) + 0x100, 0x200);
	u64 page = dma & ~0xfffULL;
	u8 bytes[0x300];

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_BEYOND, 1);
	dmasim_dev_read(rig->nvme, dma + 0x100, bytes, 0x100 + 0x80);
	EXPECT_PICTURE(rig, page, { 0x100, 0x1ff, "# ", "256 bytes  this mapping" },
		       { 0x200, 0x2ff, "#*", "256 bytes  this mapping" },
		       { 0x300, 0x37f, " *", "128 bytes  nothing, but its page is mapped" },
		       { 0x380, 0xfff, "  ", "3200 bytes  nothing, but its page is mapped" });
	unmap(rig, dma, 0x200);
}

/* ---- Ranges of states ------------------------------------------------------------------------ */

/*
 *   range     |---------------|
 *   links     |===|   |+++|         the second one is not synced
 *   destroy   |===|                 too little
 */
static void a_range_is_shown_with_its_links_and_holes(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_16K));
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_TO_DEVICE, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_4K));
	expect_ok(dma_iova_link(dev, &st, buf, 2 * SZ_4K, SZ_4K, DMA_TO_DEVICE, 0));
	dmasim_expect(rig->s, DMASIM_REPORT_FREE_WITH_LINKS, 1);
	dma_iova_destroy(dev, &st, SZ_4K, DMA_TO_DEVICE, 0);
	EXPECT_PICTURE(rig, st.addr, { 0, 0xfff, ".*", "4 KiB  state 1, unlinked by this call" },
		       { 0x1000, 0x1fff, ".*", "4 KiB  state 1, nothing linked" },
		       { 0x2000, 0x2fff, "+*", "4 KiB  this mapping, not synced" },
		       { 0x3000, 0x3fff, ".*", "4 KiB  state 1, nothing linked" });
	expect_only(rig->s, DMASIM_REPORT_FREE_WITH_LINKS, 1);
}

/* ---- The line that replays it ---------------------------------------------------------------- */

static void the_last_line_names_seed_and_program(void **state)
{
	struct rig *rig = *state;
	struct dmasim_report report;
	char replay[128];

	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_NOT_MAPPED, 1);
	sync(rig, base_of(rig), 0x100);
	assert_true(dmasim_report_get(rig->s, 0, &report));
	snprintf(replay, sizeof(replay), "  replay    DMASIM_SEED=0x%llx test_picture\n",
		 dmasim_seed(rig->s));
	assert_string_equal(report.text + strlen(report.text) - strlen(replay), replay);
}

TEST_MAIN(WITHOUT_IOMMU(an_overrun_is_cut_at_the_end_of_the_mapping),
	  WITHOUT_IOMMU(neighbours_are_shown_with_their_distance),
	  WITHOUT_IOMMU(what_was_there_is_told_until_it_is_mapped_again),
	  WITHOUT_IOMMU(a_long_picture_is_cut_to_the_place_that_matters),
	  BEHIND_VTD(a_picture_is_cut_on_both_sides),
	  WITHOUT_IOMMU(several_mappings_of_the_same_bytes_are_counted),
	  WITHOUT_IOMMU(what_is_far_away_is_no_neighbour), WITHOUT_IOMMU(one_stretch_is_no_picture),
	  WITHOUT_IOMMU(shared_memory_is_shown_by_its_own_addresses),
	  BEHIND_VTD(the_rest_of_a_mapped_page_is_a_line_of_its_own),
	  BEHIND_VTD(a_range_is_shown_with_its_links_and_holes),
	  WITHOUT_IOMMU(the_last_line_names_seed_and_program))
