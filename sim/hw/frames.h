/* SPDX-License-Identifier: MIT */
/*
 * The allocator of page frames: a buddy system whose free memory costs nothing until it is split.
 *
 * Blocks are powers of two of 4 KiB frames, naturally aligned. Each block, free or not, has one
 * record in a tree by address; free ones are also in a list by size. Freeing needs no memory.
 */
#ifndef HW_FRAMES_H
#define HW_FRAMES_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include "hw/cache.h"

#define FRAME_SHIFT		     12
#define FRAME_BYTES		     (1ULL << FRAME_SHIFT)
#define FRAME_ORDERS		     41 /* up to 2^40 frames: 4 PiB, all that 52 bits address */
#define FRAMES_HOST_CONTIGUOUS_BYTES (64ULL << 20)

struct frame_block {
	RB_ENTRY(frame_block) by_frame;
	LIST_ENTRY(frame_block) free_link;
	u64 frame;
	u64 born; /* in order of allocation, from 1 */
	u8 order;
	bool free;
	u16 why; /* enum dmasim_fault_point: what it was allocated for */
};

RB_HEAD(frame_tree, frame_block);
LIST_HEAD(frame_list, frame_block);

/* A stretch of RAM that was given to the allocator. */
struct frame_stretch {
	u64 frame;
	u64 count;
};

struct frames {
	struct world *world;
	struct ram *ram;
	struct hw_cache *cache; /* of the CPU; new frames are zeros there too */
	struct frame_tree blocks;
	struct frame_list free[FRAME_ORDERS];
	struct frame_stretch stretch[RAM_RANGES_MAX];
	u32 stretch_count;
	u64 in_use[DMASIM_FAULT_COUNT]; /* frames, by what they were allocated for */
	u64 allocations;		/* so far */
};

/* cache may be NULL. */
void frames_init(struct frames *frames, struct ram *ram, struct hw_cache *cache);
void frames_fini(struct frames *frames);

/* Gives a stretch of RAM to the allocator. 0 or -ENOMEM (and then it is taken back). */
int frames_add(struct frames *frames, phys_addr_t start, u64 bytes);

/* Takes a stretch back, as it was given; nothing of it is allocated. */
void frames_remove(struct frames *frames, phys_addr_t start, u64 bytes);

/* The records that a stretch at this place will need. 0, or -ENOMEM and then there are none. */
int frames_prepare(struct frames *frames, phys_addr_t start, u64 bytes, struct frame_list *blocks);
void frames_drop(struct frames *frames, struct frame_list *blocks);

/*
 * Moves a stretch, nothing of which is allocated. `blocks` was prepared for the new place; after
 * that it holds the records of the old one, with which the way back is open. Cannot fail.
 */
void frames_move(struct frames *frames, phys_addr_t from, phys_addr_t to, u64 bytes,
		 struct frame_list *blocks);

/*
 * `count` frames in one block, zeroed, contiguous on the host up to FRAMES_HOST_CONTIGUOUS_BYTES.
 * RAM_NO_PHYS when there is no such block, or no host memory behind it.
 */
phys_addr_t frames_alloc(struct frames *frames, enum dmasim_fault_point why, u64 count);

/* The same, of frames that end at the byte `last` or before. */
phys_addr_t frames_alloc_below(struct frames *frames, enum dmasim_fault_point why, u64 count,
			       phys_addr_t last);

/* phys, count and why are those of the allocation. */
void frames_free(struct frames *frames, enum dmasim_fault_point why, phys_addr_t phys, u64 count);

/* How many frames the allocated block that begins at phys has; 0: none begins there. */
u64 frames_count(const struct frames *frames, phys_addr_t phys);

/* What the frame of phys was allocated for; DMASIM_FAULT_COUNT: it is not. */
enum dmasim_fault_point frames_why(const struct frames *frames, phys_addr_t phys);

/* True if [phys, phys + bytes) lies inside one block that is allocated. */
bool frames_allocated(const struct frames *frames, phys_addr_t phys, u64 bytes);

/* True if phys is in a stretch of the allocator's. */
bool frames_has(const struct frames *frames, phys_addr_t phys);

/* What `allocations` was after that which phys is part of; 0: it is free. */
u64 frames_born(const struct frames *frames, phys_addr_t phys);

#endif
