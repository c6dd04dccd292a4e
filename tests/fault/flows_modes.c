/* SPDX-License-Identifier: MIT */
/*
 * Flows of the ways a device can be served beyond the plain one: a flush queue behind its IOMMU,
 * copies for what it cannot reach or may not see, memory that it does not snoop, memory that comes
 * mapped. The flow's configuration decides which; what a driver does is the same.
 */
#include "fault/flows_inside.h"

#include <string.h>

#define FLUSH_NS (20ULL * 1000 * 1000) /* longer than anything waits in a flush queue */

/* ---- What they share ------------------------------------------------------------------------- */

static struct device *nvme(struct stage *stage)
{
	return &stage->nvme->dev;
}

/*
 * What is written behind a mapping needs memory of the host. When that runs out the write stops
 * early, and that is the only excuse.
 */
static bool wrote_all(struct stage *stage, struct dmasim_transfer transfer, u64 bytes)
{
	if (transfer.status == DMASIM_HOST_MEMORY) {
		assert_true(transfer.done < bytes);
		assert_true(dmasim_failures(stage->s) > 0);
		return false;
	}
	expect_done(transfer, bytes);
	return true;
}

static bool cpu_writes(struct stage *stage, phys_addr_t phys, const u8 *from, u64 bytes)
{
	if (dmasim_write(stage->s, phys, from, bytes) == bytes)
		return true;
	assert_true(dmasim_failures(stage->s) > 0);
	return false;
}

/* To the device and back through a mapping of phys, taking turns. */
static enum flow_result take_turns(struct stage *stage, dma_addr_t dma, phys_addr_t phys, u64 bytes)
{
	u8 sent[SZ_4K], found[SZ_4K];

	assert_true(bytes <= sizeof(sent));
	fill_pattern(sent, bytes, phys);
	dma_sync_single_for_cpu(nvme(stage), dma, bytes, DMA_BIDIRECTIONAL);
	if (!cpu_writes(stage, phys, sent, bytes))
		return FLOW_REFUSED;
	dma_sync_single_for_device(nvme(stage), dma, bytes, DMA_BIDIRECTIONAL);
	expect_done(dmasim_dev_read(stage->nvme, dma, found, bytes), bytes);
	assert_memory_equal(found, sent, bytes);

	fill_pattern(sent, bytes, ~phys);
	if (!wrote_all(stage, dmasim_dev_write(stage->nvme, dma, sent, bytes), bytes))
		return FLOW_REFUSED;
	dma_sync_single_for_cpu(nvme(stage), dma, bytes, DMA_BIDIRECTIONAL);
	expect_u64(dmasim_read(stage->s, phys, found, bytes), bytes);
	assert_memory_equal(found, sent, bytes);
	return FLOW_DONE;
}

static enum flow_result map_and_take_turns(struct stage *stage, phys_addr_t phys, u64 bytes)
{
	dma_addr_t dma = dma_map_phys(nvme(stage), phys, bytes, DMA_BIDIRECTIONAL, 0);
	enum flow_result result;

	if (dma_mapping_error(nvme(stage), dma)) {
		expect_u64(dma, DMA_MAPPING_ERROR);
		return FLOW_REFUSED;
	}
	result = take_turns(stage, dma, phys, bytes);
	dma_unmap_phys(nvme(stage), dma, bytes, DMA_BIDIRECTIONAL, 0);
	return result;
}

/* A full pool is told, and here it is meant. */
void flow_expect_full_pool(struct stage *stage)
{
	dmasim_suppress(stage->s, DMASIM_REPORT_BOUNCE_FULL);
}

/* ---- Lazy ------------------------------------------------------------------------------------ */

void flow_let_timers_fire(struct stage *stage)
{
	dmasim_run(stage->s, FLUSH_NS);
}

/*
 * Tables die with the large one. All is freed when the timer has fired: a domain that has to be
 * strict then leaves as much behind as one that is lazy.
 */
enum flow_result flow_lazy(struct stage *stage)
{
	enum flow_result result = flow_map_phys_of(stage, stage->buffer, SZ_16K, 0);

	flow_let_timers_fire(stage);
	if (result == FLOW_DONE)
		result = flow_map_phys_of(stage, SZ_256M + SZ_4K, 3 * SZ_2M + SZ_4K, 0);
	flow_let_timers_fire(stage);
	return result;
}

/* ---- Copies ---------------------------------------------------------------------------------- */

/* Twice at once, so that the second finds the pool there and other slots. */
enum flow_result flow_bounce(struct stage *stage)
{
	phys_addr_t phys = stage->buffer + 100;
	dma_addr_t held =
		dma_map_phys(nvme(stage), stage->buffer + SZ_16K, 3 * SZ_1K, DMA_TO_DEVICE, 0);
	enum flow_result result;

	if (dma_mapping_error(nvme(stage), held))
		return FLOW_REFUSED;
	result = map_and_take_turns(stage, phys, 3000);
	dma_unmap_phys(nvme(stage), held, 3 * SZ_1K, DMA_TO_DEVICE, 0);
	return result;
}

enum flow_result flow_bounce_list(struct stage *stage)
{
	struct scatterlist sg[3];
	struct sg_table table = { .sgl = sg, .orig_nents = 3 };
	enum flow_result result = FLOW_DONE;
	int err;

	sg_init_table(sg, 3);
	for (u32 i = 0; i < 3; i++) {
		struct page *page = dmasim_page(stage->s, stage->buffer + i * SZ_4K);

		if (!page)
			return FLOW_REFUSED;
		sg_set_page(&sg[i], page, 1000, 24);
	}
	err = dma_map_sgtable(nvme(stage), &table, DMA_BIDIRECTIONAL, 0);
	if (err) {
		assert_true(err == -EIO || err == -ENOMEM);
		return FLOW_REFUSED;
	}
	expect_u64(table.nents, 3);
	for (u32 i = 0; i < 3; i++)
		if (take_turns(stage, sg_dma_address(&sg[i]), sg_phys(&sg[i]), 1000))
			result = FLOW_REFUSED;
	dma_unmap_sgtable(nvme(stage), &table, DMA_BIDIRECTIONAL, 0);
	return result;
}

#define HEAD_OFFSET 0x100
#define TAIL_BYTES  0x80
#define LONG_BYTES  (SZ_16K - HEAD_OFFSET + TAIL_BYTES) /* head, three granules, tail */

/* What the device writes arrives after the unlink. */
static enum flow_result fill_linked(struct stage *stage, struct dma_iova_state *state,
				    phys_addr_t phys, u8 *sent)
{
	expect_ok(dma_iova_sync(nvme(stage), state, 0, LONG_BYTES));
	fill_pattern(sent, LONG_BYTES, phys);
	if (!wrote_all(stage, dmasim_dev_write(stage->nvme, state->addr, sent, LONG_BYTES),
		       LONG_BYTES))
		return FLOW_REFUSED;
	return FLOW_DONE;
}

/* Its head and its tail share granules with others: those an untrusted device sees as copies. */
enum flow_result flow_untrusted_two_steps(struct stage *stage)
{
	phys_addr_t phys = stage->buffer + HEAD_OFFSET;
	u8 sent[LONG_BYTES], found[LONG_BYTES];
	enum flow_result result;
	struct dma_iova_state state;
	int err;

	dma_set_min_align_mask(nvme(stage), SZ_4K - 1);
	if (!dma_iova_try_alloc(nvme(stage), &state, phys, LONG_BYTES))
		return FLOW_REFUSED;
	err = dma_iova_link(nvme(stage), &state, phys, 0, LONG_BYTES, DMA_BIDIRECTIONAL, 0);
	if (err) {
		expect_error(err, -ENOMEM);
		dma_iova_free(nvme(stage), &state);
		return FLOW_REFUSED;
	}
	assert_true(state.__size & DMA_IOVA_USE_SWIOTLB);
	result = fill_linked(stage, &state, phys, sent);
	dma_iova_destroy(nvme(stage), &state, LONG_BYTES, DMA_BIDIRECTIONAL, 0);
	if (result == FLOW_DONE) {
		expect_u64(dmasim_read(stage->s, phys, found, LONG_BYTES), LONG_BYTES);
		assert_memory_equal(found, sent, LONG_BYTES);
	}
	return result;
}

/* ---- A device that does not snoop ------------------------------------------------------------ */

enum flow_result flow_no_snoop(struct stage *stage)
{
	return map_and_take_turns(stage, stage->buffer + SZ_4K, SZ_4K);
}

/* The device writes before the CPU's cache has had anything to do. */
enum flow_result flow_no_snoop_write(struct stage *stage)
{
	u8 sent[SZ_4K], found[SZ_4K];
	dma_addr_t dma = dma_map_phys(nvme(stage), stage->buffer, SZ_4K, DMA_FROM_DEVICE, 0);
	bool wrote;

	if (dma_mapping_error(nvme(stage), dma))
		return FLOW_REFUSED;
	fill_pattern(sent, SZ_4K, 1);
	wrote = wrote_all(stage, dmasim_dev_write(stage->nvme, dma, sent, SZ_4K), SZ_4K);
	dma_unmap_phys(nvme(stage), dma, SZ_4K, DMA_FROM_DEVICE, 0);
	if (!wrote)
		return FLOW_REFUSED;
	expect_u64(dmasim_read(stage->s, stage->buffer, found, SZ_4K), SZ_4K);
	assert_memory_equal(found, sent, SZ_4K);
	return FLOW_DONE;
}

/* ---- Memory that comes mapped ---------------------------------------------------------------- */

/* No syncs: what one writes the other sees. */
static enum flow_result share(struct stage *stage, u8 *memory, dma_addr_t dma, u64 bytes)
{
	u8 sent[SZ_4K], found[SZ_4K];

	assert_true(bytes <= sizeof(sent));
	for (u64 i = 0; i < bytes; i++)
		expect_u64(memory[i], 0);
	fill_pattern(memory, bytes, dma);
	expect_done(dmasim_dev_read(stage->nvme, dma, found, bytes), bytes);
	assert_memory_equal(found, memory, bytes);
	fill_pattern(sent, bytes, ~dma);
	if (!wrote_all(stage, dmasim_dev_write(stage->nvme, dma, sent, bytes), bytes))
		return FLOW_REFUSED;
	assert_memory_equal(memory, sent, bytes);
	return FLOW_DONE;
}

enum flow_result flow_alloc_coherent(struct stage *stage)
{
	dma_addr_t dma;
	u8 *memory = dma_alloc_coherent(nvme(stage), SZ_16K, &dma, GFP_KERNEL);
	enum flow_result result;

	if (!memory)
		return FLOW_REFUSED;
	result = share(stage, memory + SZ_4K, dma + SZ_4K, SZ_4K);
	dma_free_coherent(nvme(stage), SZ_16K, memory, dma);
	return result;
}

enum flow_result flow_lazy_coherent(struct stage *stage)
{
	enum flow_result result = flow_alloc_coherent(stage);

	flow_let_timers_fire(stage);
	return result;
}

enum flow_result flow_alloc_pages(struct stage *stage)
{
	dma_addr_t dma;
	struct page *page =
		dma_alloc_pages(nvme(stage), 5 * SZ_1K, &dma, DMA_BIDIRECTIONAL, GFP_KERNEL);
	enum flow_result result;

	if (!page)
		return FLOW_REFUSED;
	result = take_turns(stage, dma, page_to_phys(page), SZ_4K);
	dma_free_pages(nvme(stage), 5 * SZ_1K, page, dma, DMA_BIDIRECTIONAL);
	return result;
}

enum flow_result flow_alloc_noncoherent(struct stage *stage)
{
	dma_addr_t dma;
	u8 *memory = dma_alloc_noncoherent(nvme(stage), SZ_4K, &dma, DMA_BIDIRECTIONAL, GFP_KERNEL);
	enum flow_result result;

	if (!memory)
		return FLOW_REFUSED;
	result = take_turns(stage, dma, dmasim_virt_to_phys(stage->s, memory), SZ_4K);
	dma_free_noncoherent(nvme(stage), SZ_4K, memory, dma, DMA_BIDIRECTIONAL);
	return result;
}

enum flow_result flow_alloc_noncontiguous(struct stage *stage)
{
	struct sg_table *table =
		dma_alloc_noncontiguous(nvme(stage), SZ_16K, DMA_BIDIRECTIONAL, GFP_KERNEL, 0);
	enum flow_result result;
	u8 *memory;

	if (!table)
		return FLOW_REFUSED;
	expect_u64(table->nents, 1);
	memory = dma_vmap_noncontiguous(nvme(stage), SZ_16K, table);
	assert_non_null(memory);
	result = take_turns(stage, sg_dma_address(table->sgl),
			    dmasim_virt_to_phys(stage->s, memory), SZ_4K);
	dma_vunmap_noncontiguous(nvme(stage), memory);
	dma_free_noncontiguous(nvme(stage), SZ_16K, table, DMA_BIDIRECTIONAL);
	return result;
}

#define PIECES	    9 /* of 1000 bytes: three pages of them */
#define PIECE_BYTES 1000

/* As many pieces as there are; the rest of the pool goes with it. */
enum flow_result flow_dma_pool(struct stage *stage)
{
	struct dma_pool *pool = dma_pool_create("pieces", nvme(stage), PIECE_BYTES, 8, 0);
	enum flow_result result = FLOW_DONE;
	dma_addr_t dma[PIECES];
	void *piece[PIECES];
	u32 count = 0;

	if (!pool)
		return FLOW_REFUSED;
	while (count < PIECES) {
		piece[count] = dma_pool_zalloc(pool, GFP_KERNEL, &dma[count]);
		if (!piece[count])
			break;
		if (share(stage, piece[count], dma[count], PIECE_BYTES))
			result = FLOW_REFUSED;
		count++;
	}
	if (count < PIECES)
		result = FLOW_REFUSED;
	while (count--)
		dma_pool_free(pool, piece[count], dma[count]);
	dma_pool_destroy(pool);
	return result;
}
