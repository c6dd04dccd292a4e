/* SPDX-License-Identifier: MIT */
#include "hw/frames.h"

#include <errno.h>
#include <string.h>

#include <dmasim/contract.h>

static int compare_frame(struct frame_block *a, struct frame_block *b)
{
	return (a->frame > b->frame) - (a->frame < b->frame);
}

RB_PROTOTYPE(frame_tree, frame_block, by_frame, compare_frame)
RB_GENERATE(frame_tree, frame_block, by_frame, compare_frame)

void frames_init(struct frames *frames, struct ram *ram, struct hw_cache *cache)
{
	*frames = (struct frames){ .world = ram->world, .ram = ram, .cache = cache };
	RB_INIT(&frames->blocks);
	for (int order = 0; order < FRAME_ORDERS; order++)
		LIST_INIT(&frames->free[order]);
}

void frames_fini(struct frames *frames)
{
	struct frame_block *block = RB_MIN(frame_tree, &frames->blocks);

	while (block) {
		struct frame_block *next = RB_NEXT(frame_tree, &frames->blocks, block);

		RB_REMOVE(frame_tree, &frames->blocks, block);
		memory_free(&frames->world->memory, block);
		block = next;
	}
}

/* A record that is not in the tree yet. */
static struct frame_block *make_block(struct frames *frames, u64 frame, u8 order)
{
	struct frame_block *block;

	block = memory_alloc(&frames->world->memory, DMASIM_FAULT_RAM_BLOCK, sizeof(*block));
	if (!block)
		return NULL;
	block->frame = frame;
	block->order = order;
	return block;
}

static struct frame_block *new_block(struct frames *frames, u64 frame, u8 order)
{
	struct frame_block *block = make_block(frames, frame, order);

	if (block)
		RB_INSERT(frame_tree, &frames->blocks, block);
	return block;
}

static void drop_block(struct frames *frames, struct frame_block *block)
{
	RB_REMOVE(frame_tree, &frames->blocks, block);
	memory_free(&frames->world->memory, block);
}

static void mark_free(struct frames *frames, struct frame_block *block)
{
	block->free = true;
	LIST_INSERT_HEAD(&frames->free[block->order], block, free_link);
}

static void mark_used(struct frame_block *block)
{
	block->free = false;
	LIST_REMOVE(block, free_link);
}

/* The largest order whose block may start at `frame` and holds at most `count` frames. */
static u8 largest_order(u64 frame, u64 count)
{
	u8 fits = (u8)(63 - __builtin_clzll(count));
	u8 aligned = frame ? (u8)__builtin_ctzll(frame) : FRAME_ORDERS - 1;

	return fits < aligned ? fits : aligned;
}

/* Behind *last, which moves on; NULL: the list is empty. */
static void append(struct frame_list *blocks, struct frame_block **last, struct frame_block *block)
{
	if (*last)
		LIST_INSERT_AFTER(*last, block, free_link);
	else
		LIST_INSERT_HEAD(blocks, block, free_link);
	*last = block;
}

int frames_prepare(struct frames *frames, phys_addr_t start, u64 bytes, struct frame_list *blocks)
{
	u64 frame = start >> FRAME_SHIFT;
	u64 end = (start + bytes) >> FRAME_SHIFT;
	struct frame_block *last = NULL;

	LIST_INIT(blocks);
	while (frame < end) {
		u8 order = largest_order(frame, end - frame);
		struct frame_block *block = make_block(frames, frame, order);

		if (!block) {
			frames_drop(frames, blocks);
			return -ENOMEM;
		}
		append(blocks, &last, block);
		frame += 1ULL << order;
	}
	return 0;
}

void frames_drop(struct frames *frames, struct frame_list *blocks)
{
	while (!LIST_EMPTY(blocks)) {
		struct frame_block *block = LIST_FIRST(blocks);

		LIST_REMOVE(block, free_link);
		memory_free(&frames->world->memory, block);
	}
}

static void put_in(struct frames *frames, phys_addr_t start, u64 bytes, struct frame_list *blocks)
{
	DMASIM_CONTRACT(frames->stretch_count < RAM_RANGES_MAX, "too many stretches of RAM");
	frames->stretch[frames->stretch_count++] =
		(struct frame_stretch){ start >> FRAME_SHIFT, bytes >> FRAME_SHIFT };
	while (!LIST_EMPTY(blocks)) {
		struct frame_block *block = LIST_FIRST(blocks);

		LIST_REMOVE(block, free_link);
		RB_INSERT(frame_tree, &frames->blocks, block);
		mark_free(frames, block);
	}
}

static void take_out(struct frames *frames, phys_addr_t start, u64 bytes, struct frame_list *blocks)
{
	struct frame_block *block = RB_MIN(frame_tree, &frames->blocks);
	struct frame_block *last = NULL;

	LIST_INIT(blocks);
	for (u32 i = 0; i < frames->stretch_count; i++) {
		if (frames->stretch[i].frame == start >> FRAME_SHIFT) {
			frames->stretch[i] = frames->stretch[--frames->stretch_count];
			break;
		}
	}
	while (block) {
		struct frame_block *next = RB_NEXT(frame_tree, &frames->blocks, block);

		if (block->frame - (start >> FRAME_SHIFT) < bytes >> FRAME_SHIFT) {
			DMASIM_CONTRACT(block->free, "RAM that goes is not in use");
			mark_used(block);
			RB_REMOVE(frame_tree, &frames->blocks, block);
			append(blocks, &last, block);
		}
		block = next;
	}
}

int frames_add(struct frames *frames, phys_addr_t start, u64 bytes)
{
	struct frame_list blocks;
	int err = frames_prepare(frames, start, bytes, &blocks);

	if (!err)
		put_in(frames, start, bytes, &blocks);
	return err;
}

void frames_remove(struct frames *frames, phys_addr_t start, u64 bytes)
{
	struct frame_list blocks;

	take_out(frames, start, bytes, &blocks);
	frames_drop(frames, &blocks);
}

void frames_move(struct frames *frames, phys_addr_t from, phys_addr_t to, u64 bytes,
		 struct frame_list *blocks)
{
	struct frame_list old;

	take_out(frames, from, bytes, &old);
	put_in(frames, to, bytes, blocks);
	LIST_SWAP(&old, blocks, frame_block, free_link);
}

static struct frame_block *find_block(const struct frames *frames, u64 frame)
{
	struct frame_block *block = RB_ROOT(&frames->blocks);

	while (block && block->frame != frame)
		block = frame < block->frame ? RB_LEFT(block, by_frame) : RB_RIGHT(block, by_frame);
	return block;
}

static const struct frame_stretch *stretch_of(const struct frames *frames, u64 frame)
{
	for (u32 i = 0; i < frames->stretch_count; i++) {
		if (frame - frames->stretch[i].frame < frames->stretch[i].count)
			return &frames->stretch[i];
	}
	return NULL;
}

/* Free, of the same size, and of the same stretch: two that abut stay apart. */
static bool can_join(const struct frames *frames, const struct frame_block *block,
		     const struct frame_block *buddy)
{
	return buddy && buddy->free && buddy->order == block->order &&
	       block->order < FRAME_ORDERS - 1 &&
	       stretch_of(frames, buddy->frame) == stretch_of(frames, block->frame);
}

/* Joins a free block with its free buddies, as far as that goes, and puts it into its list. */
static void release(struct frames *frames, struct frame_block *block)
{
	for (;;) {
		u64 buddy_frame = block->frame ^ (1ULL << block->order);
		struct frame_block *buddy = find_block(frames, buddy_frame);

		if (!can_join(frames, block, buddy))
			break;
		mark_used(buddy);
		if (buddy->frame < block->frame) {
			struct frame_block *low = buddy;

			buddy = block;
			block = low;
		}
		drop_block(frames, buddy);
		block->order++;
	}
	mark_free(frames, block);
}

/* Halves a block that is in no list until it has the wanted order; the low half is kept. */
static bool split_to(struct frames *frames, struct frame_block *block, u8 order)
{
	while (block->order > order) {
		u64 half = 1ULL << (block->order - 1);
		struct frame_block *high;

		high = new_block(frames, block->frame + half, block->order - 1);
		if (!high)
			return false;
		block->order--;
		mark_free(frames, high);
	}
	return true;
}

/* A free block of the smallest order there is whose low part, of `order`, ends by `last`. */
static struct frame_block *find_free(struct frames *frames, u8 order, u64 last)
{
	struct frame_block *block;

	for (u8 from = order; from < FRAME_ORDERS; from++) {
		LIST_FOREACH(block, &frames->free[from], free_link) {
			if (block->frame + (1ULL << order) - 1 <= last)
				return block;
		}
	}
	return NULL;
}

static struct frame_block *take_block(struct frames *frames, u8 order, u64 last)
{
	struct frame_block *block = find_free(frames, order, last);

	if (!block)
		return NULL;
	mark_used(block);
	if (split_to(frames, block, order))
		return block;
	release(frames, block);
	return NULL;
}

/*
 * Zeroed memory; behind blocks of up to FRAMES_HOST_CONTIGUOUS_BYTES there is host memory at once.
 */
static bool back_with_memory(struct frames *frames, const struct frame_block *block)
{
	struct ram *ram = frames->ram;
	phys_addr_t start = block->frame << FRAME_SHIFT;
	u64 bytes = FRAME_BYTES << block->order;

	if (frames->cache)
		hw_cache_zero(frames->cache, start, bytes);
	if (bytes > RAM_CHUNK_BYTES && bytes <= FRAMES_HOST_CONTIGUOUS_BYTES) {
		int fresh = ram_make_contiguous(ram, start, bytes);

		if (fresh)
			return fresh > 0;
	}
	if (bytes <= RAM_CHUNK_BYTES && !ram_touch(ram, start))
		return false;
	ram_zero(ram, start, bytes);
	return true;
}

static u8 order_of(u64 count)
{
	return count < 2 ? 0 : (u8)(64 - __builtin_clzll(count - 1));
}

phys_addr_t frames_alloc(struct frames *frames, enum dmasim_fault_point why, u64 count)
{
	return frames_alloc_below(frames, why, count, ~(phys_addr_t)0);
}

phys_addr_t frames_alloc_below(struct frames *frames, enum dmasim_fault_point why, u64 count,
			       phys_addr_t last)
{
	struct frame_block *block;

	if (memory_fails(&frames->world->memory, why))
		return RAM_NO_PHYS;
	if (!count || count > 1ULL << (FRAME_ORDERS - 1))
		return RAM_NO_PHYS;
	block = take_block(frames, order_of(count), ((last - FRAME_BYTES + 1) >> FRAME_SHIFT));
	if (!block)
		return RAM_NO_PHYS;
	if (!back_with_memory(frames, block)) {
		release(frames, block);
		return RAM_NO_PHYS;
	}
	block->why = (u16)why;
	frames->in_use[why] += 1ULL << block->order;
	block->born = ++frames->allocations;
	return block->frame << FRAME_SHIFT;
}

void frames_free(struct frames *frames, enum dmasim_fault_point why, phys_addr_t phys, u64 count)
{
	struct frame_block *block = find_block(frames, phys >> FRAME_SHIFT);

	DMASIM_CONTRACT(block && !block->free,
			"page frames are freed once, by their first address");
	DMASIM_CONTRACT(block->order == order_of(count),
			"page frames are freed as many as they were");
	frames->in_use[why] -= 1ULL << block->order;
	release(frames, block);
}

u64 frames_count(const struct frames *frames, phys_addr_t phys)
{
	const struct frame_block *block = find_block(frames, phys >> FRAME_SHIFT);

	return block && !block->free && phys % FRAME_BYTES == 0 ? 1ULL << block->order : 0;
}

/* The block around a frame; NULL: the allocator does not have it. */
static const struct frame_block *block_around(const struct frames *frames, u64 frame)
{
	const struct frame_block *block = RB_ROOT(&frames->blocks);

	while (block && frame - block->frame >= 1ULL << block->order)
		block = frame < block->frame ? RB_LEFT(block, by_frame) : RB_RIGHT(block, by_frame);
	return block;
}

enum dmasim_fault_point frames_why(const struct frames *frames, phys_addr_t phys)
{
	const struct frame_block *block = block_around(frames, phys >> FRAME_SHIFT);

	return block && !block->free ? (enum dmasim_fault_point)block->why : DMASIM_FAULT_COUNT;
}

bool frames_allocated(const struct frames *frames, phys_addr_t phys, u64 bytes)
{
	const struct frame_block *block = block_around(frames, phys >> FRAME_SHIFT);

	return block && !block->free &&
	       phys + bytes <= (block->frame + (1ULL << block->order)) << FRAME_SHIFT;
}

bool frames_has(const struct frames *frames, phys_addr_t phys)
{
	return stretch_of(frames, phys >> FRAME_SHIFT) != NULL;
}

u64 frames_born(const struct frames *frames, phys_addr_t phys)
{
	const struct frame_block *block = block_around(frames, phys >> FRAME_SHIFT);

	return block && !block->free ? block->born : 0;
}
