/* SPDX-License-Identifier: MIT */
/*
 * DMA pools: pieces of shared memory, where they may lie, and what comes of mistakes.
 */
#include "unit/api/machines.h"

#define PIECES_MAX 300

struct piece {
	u8 *at;
	dma_addr_t dma;
};

static int setup_no_snoop(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .traits.no_snoop = true });
}

static struct device *nvme(struct rig *rig)
{
	return &rig->nvme->dev;
}

static struct dma_pool *create(struct rig *rig, size_t size, size_t align, size_t boundary)
{
	struct dma_pool *pool = dma_pool_create("test", nvme(rig), size, align, boundary);

	assert_non_null(pool);
	return pool;
}

static struct piece get(struct dma_pool *pool)
{
	struct piece piece;

	piece.at = dma_pool_alloc(pool, GFP_KERNEL, &piece.dma);
	assert_non_null(piece.at);
	return piece;
}

static bool overlap(u64 a, u64 b, u64 bytes)
{
	return a < b + bytes && b < a + bytes;
}

static void expect_places(const struct piece *piece, u32 count, size_t size, size_t align,
			  size_t boundary)
{
	for (u32 i = 0; i < count; i++) {
		expect_u64(piece[i].dma & (align - 1), 0);
		expect_u64((uintptr_t)piece[i].at & (align - 1), 0);
		if (boundary)
			expect_u64(piece[i].dma / boundary, (piece[i].dma + size - 1) / boundary);
		for (u32 k = 0; k < i; k++) {
			assert_false(overlap(piece[i].dma, piece[k].dma, size));
			assert_false(overlap((uintptr_t)piece[i].at, (uintptr_t)piece[k].at, size));
		}
	}
}

/* Each piece is the device's and the CPU's alone. */
static void expect_shared(struct rig *rig, const struct piece *piece, u32 count, size_t size)
{
	u8 data[8192], found[8192];

	assert_true(size <= sizeof(data));
	for (u32 i = 0; i < count; i++)
		fill_pattern(piece[i].at, size, i);
	for (u32 i = 0; i < count; i++) {
		fill_pattern(data, size, i);
		expect_done(dmasim_dev_read(rig->nvme, piece[i].dma, found, size), size);
		assert_memory_equal(found, data, size);
		fill_pattern(data, size, 1000 + i);
		expect_done(dmasim_dev_write(rig->nvme, piece[i].dma, data, size), size);
	}
	for (u32 i = 0; i < count; i++) {
		fill_pattern(data, size, 1000 + i);
		assert_memory_equal(piece[i].at, data, size);
	}
}

static void pieces_lie_where_the_pool_says(void **state)
{
	static const struct {
		size_t size, align, boundary;
	} wishes[] = { { 64, 64, 0 },	    { 1, 0, 0 },      { 100, 4, 0 },	  { 24, 16, 256 },
		       { 1000, 8, 1024 },   { 700, 4, 2048 }, { 4096, 4096, 0 },  { 5000, 8, 0 },
		       { 8000, 256, 8192 }, { 48, 1, 64 },    { 1536, 512, 4096 } };
	struct rig *rig = *state;
	struct piece *piece = calloc(PIECES_MAX, sizeof(*piece));

	assert_non_null(piece);
	for (u32 i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		struct dma_pool *pool =
			create(rig, wishes[i].size, wishes[i].align, wishes[i].boundary);
		u32 count = wishes[i].size > 500 ? 12 : PIECES_MAX;

		for (u32 k = 0; k < count; k++)
			piece[k] = get(pool);
		expect_places(piece, count, wishes[i].size < 4 ? 4 : wishes[i].size,
			      wishes[i].align ? wishes[i].align : 1, wishes[i].boundary);
		expect_shared(rig, piece, count, wishes[i].size);
		for (u32 k = 0; k < count; k++)
			dma_pool_free(pool, piece[k].at, piece[k].dma);
		dma_pool_destroy(pool);
	}
	free(piece);
	expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_DMA_POOL), 0);
	expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_COHERENT), 0);
	dmasim_assert_clean(rig->s);
}

static void what_was_freed_is_used_again(void **state)
{
	struct rig *rig = *state;
	struct dma_pool *pool = create(rig, 64, 64, 0);
	struct piece piece[64], more;
	u64 pages;

	for (u32 i = 0; i < 64; i++)
		piece[i] = get(pool);
	pages = dmasim_in_use(rig->s, DMASIM_FAULT_COHERENT);
	expect_u64(pages, 1);
	for (u32 round = 0; round < 20; round++) {
		for (u32 i = 0; i < 64; i++)
			dma_pool_free(pool, piece[i * 37 % 64].at, piece[i * 37 % 64].dma);
		for (u32 i = 0; i < 64; i++)
			piece[i] = get(pool);
		expect_places(piece, 64, 64, 64, 0);
	}
	expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_COHERENT), pages);
	more = get(pool);
	expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_COHERENT), pages + 1);
	dma_pool_free(pool, more.at, more.dma);
	for (u32 i = 0; i < 64; i++)
		dma_pool_free(pool, piece[i].at, piece[i].dma);
	dma_pool_destroy(pool);
	dmasim_assert_clean(rig->s);
}

static void pieces_are_zeroed_when_asked_for(void **state)
{
	struct rig *rig = *state;
	struct dma_pool *pool = create(rig, 200, 8, 0);
	u8 zeros[200] = { 0 };
	struct piece piece;

	for (u32 i = 0; i < 100; i++) {
		piece.at = i & 1 ? dma_pool_zalloc(pool, GFP_KERNEL, &piece.dma)
				 : dma_pool_alloc(pool, GFP_KERNEL | __GFP_ZERO, &piece.dma);
		assert_non_null(piece.at);
		assert_memory_equal(piece.at, zeros, sizeof(zeros));
		memset(piece.at, 0xff, sizeof(zeros));
		dma_pool_free(pool, piece.at, piece.dma);
	}
	dma_pool_destroy(pool);
	dmasim_assert_clean(rig->s);
}

static void what_no_pool_can_give_is_null(void **state)
{
	struct rig *rig = *state;

	assert_null(dma_pool_create("no size", nvme(rig), 0, 4, 0));
	assert_null(dma_pool_create("align", nvme(rig), 64, 48, 0));
	assert_null(dma_pool_create("small boundary", nvme(rig), 64, 4, 32));
	assert_null(dma_pool_create("odd boundary", nvme(rig), 64, 4, 96));
	/* Aligned it is larger than the boundary. */
	assert_null(dma_pool_create("aligned", nvme(rig), 65, 128, 64));
	/* Aligned it is larger than any pool's, also where 32 bits would not tell. */
	for (u32 bit = 31; bit < 64; bit++)
		assert_null(dma_pool_create("large align", nvme(rig), 64, (size_t)1 << bit, 0));
	assert_null(dma_pool_create("large", nvme(rig), (1U << 30) + 1, 1, 0));
	dma_pool_destroy(NULL);
	expect_u64(dmasim_report_count(rig->s), 0);
	dmasim_assert_clean(rig->s);
}

static void a_piece_of_another_pool_is_reported(void **state)
{
	struct rig *rig = *state;
	struct dma_pool *pool = create(rig, 64, 64, 0), *other = create(rig, 64, 64, 0);
	struct piece mine = get(pool), its = get(other);

	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 2);
	dma_pool_free(pool, its.at, its.dma);
	/* The right address of one with the pointer of another. */
	dma_pool_free(pool, mine.at + 64, mine.dma);
	dma_pool_free(pool, mine.at, mine.dma);
	dma_pool_free(other, its.at, its.dma);
	dma_pool_destroy(pool);
	dma_pool_destroy(other);
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 2);
}

static void a_pool_that_ends_with_pieces_in_use_is_reported(void **state)
{
	struct rig *rig = *state;
	struct dma_pool *pool = create(rig, 64, 64, 0);
	struct piece piece = get(pool);

	assert_non_null(piece.at);
	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
	dma_pool_destroy(pool);
	expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_COHERENT), 0);
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
}

static void a_late_write_of_the_device_harms_only_free_pieces(void **state)
{
	struct rig *rig = *state;
	struct dma_pool *pool = create(rig, 64, 64, 0);
	struct piece piece[64];
	u8 late[64];

	memset(late, 0x7f, sizeof(late));
	for (u32 i = 0; i < 64; i++)
		piece[i] = get(pool);
	for (u32 i = 0; i < 64; i++) {
		dma_pool_free(pool, piece[i].at, piece[i].dma);
		expect_done(dmasim_dev_write(rig->nvme, piece[i].dma, late, sizeof(late)),
			    sizeof(late));
	}
	for (u32 i = 0; i < 64; i++)
		piece[i] = get(pool);
	expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_COHERENT), 1);
	expect_places(piece, 64, 64, 64, 0);
	expect_shared(rig, piece, 64, 64);
	for (u32 i = 0; i < 64; i++)
		dma_pool_free(pool, piece[i].at, piece[i].dma);
	dma_pool_destroy(pool);
	dmasim_assert_clean(rig->s);
}

static void a_piece_freed_twice_is_reported_and_given_once(void **state)
{
	struct rig *rig = *state;
	struct dma_pool *pool = create(rig, 64, 64, 0);
	struct piece piece[3];

	piece[0] = get(pool);
	piece[1] = get(pool);
	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 3);
	dma_pool_free(pool, piece[1].at, piece[1].dma);
	dma_pool_free(pool, piece[1].at, piece[1].dma);
	expect_u64(dmasim_report_count(rig->s), 1);
	/* Again when it is not the first of the free ones, and one that was never given. */
	dma_pool_free(pool, piece[0].at, piece[0].dma);
	dma_pool_free(pool, piece[1].at, piece[1].dma);
	dma_pool_free(pool, piece[0].at + 63 * 64, piece[0].dma + 63 * 64);
	for (u32 i = 0; i < 3; i++)
		piece[i] = get(pool);
	expect_places(piece, 3, 64, 64, 0);
	for (u32 i = 0; i < 3; i++)
		dma_pool_free(pool, piece[i].at, piece[i].dma);
	dma_pool_destroy(pool);
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 3);
}

/* A gap is what a boundary, or the end of the page, leaves behind the last piece before it. */
static void what_is_no_start_of_a_piece_is_reported(void **state)
{
	static const struct {
		size_t size, boundary, offset;
	} wrong[] = { { 64, 0, 8 },	 { 64, 0, 63 },	      { 64, 0, 65 },
		      { 48, 64, 48 },	 { 48, 64, 96 },      { 48, 64, 4080 },
		      { 1000, 0, 4000 }, { 700, 2048, 1400 }, { 5000, 0, 4096 } };
	struct rig *rig = *state;
	u32 count = sizeof(wrong) / sizeof(wrong[0]);

	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, count);
	for (u32 i = 0; i < count; i++) {
		struct dma_pool *pool = create(rig, wrong[i].size, 1, wrong[i].boundary);
		struct piece piece[3];

		piece[0] = get(pool);
		piece[1] = get(pool);
		dma_pool_free(pool, piece[0].at + wrong[i].offset, piece[0].dma + wrong[i].offset);
		expect_u64(dmasim_report_count(rig->s), i + 1);
		piece[2] = get(pool);
		expect_places(piece, 3, wrong[i].size, 1, wrong[i].boundary);
		for (u32 k = 0; k < 3; k++)
			dma_pool_free(pool, piece[k].at, piece[k].dma);
		dma_pool_destroy(pool);
	}
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, count);
}

#define EVERYWHERE(test) IN_BOTH_MODES(test), WITH_SETUP(test, setup_no_snoop)

TEST_MAIN(EVERYWHERE(pieces_lie_where_the_pool_says), EVERYWHERE(what_was_freed_is_used_again),
	  EVERYWHERE(pieces_are_zeroed_when_asked_for),
	  IN_BOTH_MODES(what_no_pool_can_give_is_null),
	  IN_BOTH_MODES(a_piece_of_another_pool_is_reported),
	  IN_BOTH_MODES(a_pool_that_ends_with_pieces_in_use_is_reported),
	  EVERYWHERE(a_late_write_of_the_device_harms_only_free_pieces),
	  IN_BOTH_MODES(a_piece_freed_twice_is_reported_and_given_once),
	  IN_BOTH_MODES(what_is_no_start_of_a_piece_is_reported))
