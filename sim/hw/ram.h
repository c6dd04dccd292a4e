/* SPDX-License-Identifier: MIT */
/*
 * Memory that has a physical address: RAM of the machine and memory adopted from the program.
 *
 * Nothing is there until it is touched. What was touched is kept as *extents*, stretches of
 * physical memory that are contiguous on the host, in a tree by address. A read of memory that was
 * never touched sees zeros and leaves it untouched.
 *
 *   phys   |....[ extent ].......[ extent ][   extent   ].........| RAM
 *                 256 KiB          256 KiB   an allocation of 3 MiB
 */
#ifndef HW_RAM_H
#define HW_RAM_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include "world/world.h"

#define RAM_CHUNK_LG2	18
#define RAM_CHUNK_BYTES (1ULL << RAM_CHUNK_LG2)

/* Where nothing has the asked-for address. */
#define RAM_NO_PHYS (~(phys_addr_t)0)

struct ram_extent {
	RB_ENTRY(ram_extent) by_phys;
	/* By host address; adopted memory, which may overlap, is in a list instead. */
	union {
		RB_ENTRY(ram_extent) by_host;
		LIST_ENTRY(ram_extent) adopted_link;
	} host_link;
	phys_addr_t start;
	u64 bytes;
	u8 *host;
	u8 *block;    /* what was allocated for it; NULL: adopted */
	bool adopted; /* host memory belongs to the program; the bounds are exact to the byte */
	bool twice;   /* adopted: some of it has another address, too, or had */
};

RB_HEAD(ram_phys_tree, ram_extent);
RB_HEAD(ram_host_tree, ram_extent);
LIST_HEAD(ram_adopted_list, ram_extent);

/* A stretch of the machine's memory map. */
struct ram_range {
	phys_addr_t start;
	u64 bytes;
};

#define RAM_RANGES_MAX 16

/*
 * Told around each access that the simulator makes to host memory behind [phys, phys + bytes): from
 * some of it the program is kept out. Not told for what was never touched.
 */
struct ram_guard {
	void *cookie;
	void (*lift)(void *cookie, phys_addr_t phys, u64 bytes);
	void (*lower)(void *cookie, phys_addr_t phys, u64 bytes);
};

#define RAM_RECENT 64 /* chunks that were read lately: a power of two */

struct ram {
	struct world *world;
	enum dmasim_fault_point chunk_point;
	u64 chunk_bytes; /* what is made at the first touch: a power of two */
	struct ram_range range[RAM_RANGES_MAX];
	u32 range_count;
	struct ram_phys_tree phys_tree;
	struct ram_host_tree host_tree;
	struct ram_adopted_list adopted; /* latest first */
	struct ram_extent *last;	 /* found last: most accesses come in runs */
	/* Chunks by number modulo RAM_RECENT, each in one extent; ~0: none. */
	u64 recent[RAM_RECENT];
	const u8 *recent_host[RAM_RECENT];
	const struct ram_guard *guard; /* NULL: the program may go everywhere */
	u64 dropped; /* extents dropped so far: pointers resolved earlier may be void */
};

/* chunk_point names the allocations of host memory behind it. */
void ram_init(struct ram *ram, struct world *world, enum dmasim_fault_point chunk_point);
void ram_fini(struct ram *ram);

/* Adds to the memory map. Ranges are page aligned and disjoint; at most RAM_RANGES_MAX. */
void ram_add_range(struct ram *ram, phys_addr_t start, u64 bytes);

/* The stretch of the memory map that has phys. False: none. They never go, nor change. */
bool ram_find_range(const struct ram *ram, phys_addr_t phys, struct ram_range *range);

/* How many of `bytes` from phys on are RAM or adopted memory, up to the first that is not. */
u64 ram_covered(const struct ram *ram, phys_addr_t phys, u64 bytes);

/*
 * The extent that contains phys; made if phys is in RAM and was never touched. NULL where there is
 * no memory, or no host memory for it.
 */
struct ram_extent *ram_touch(struct ram *ram, phys_addr_t phys);

/*
 * Host memory at phys, and in *run how much of it may be used, no more than *run. NULL: nobody has
 * touched so much from there on, or it is no memory.
 */
u8 *ram_look(struct ram *ram, phys_addr_t phys, u64 *run);

/*
 * Makes [start, start + bytes) contiguous on the host. bytes is a power of two, at least
 * RAM_CHUNK_BYTES, start a multiple of it: so each extent lies inside the range or around it.
 * Nobody holds a host pointer into the range. Contents are kept. Returns 1 if it is all zeros, 0 if
 * it holds older contents, or -ENOMEM.
 */
int ram_make_contiguous(struct ram *ram, phys_addr_t start, u64 bytes);

/*
 * True if [start, start + bytes), all of it in one stretch, is in one chunk or can be made so:
 * chunks that nobody touched become one. What was touched stays where it is.
 */
bool ram_join(struct ram *ram, phys_addr_t start, u64 bytes);

/* Gives memory of the program a physical address. 0 or -ENOMEM. The range is free of extents. */
int ram_adopt(struct ram *ram, phys_addr_t start, void *host, u64 bytes);
void ram_unadopt(struct ram *ram, phys_addr_t start);

/* How many bytes were adopted at phys; 0: none. */
u64 ram_adopted_bytes(const struct ram *ram, phys_addr_t phys);

/* True if phys is in memory of which some has another address, too, or had. */
bool ram_is_adopted_twice(const struct ram *ram, phys_addr_t phys);

/*
 * The physical address of a host pointer into an extent; RAM_NO_PHYS for any other. Of memory that
 * was adopted twice, the latest.
 */
phys_addr_t ram_phys_of(const struct ram *ram, const void *host);

/* Zeroes what was touched of [start, start + bytes). */
void ram_zero(struct ram *ram, phys_addr_t start, u64 bytes);

/*
 * Copies. Both stop at the first byte that is not memory and return how many bytes they did; a
 * write also stops where host memory cannot be had.
 */
u64 ram_read(struct ram *ram, phys_addr_t phys, void *to, u64 bytes);
u64 ram_write(struct ram *ram, phys_addr_t phys, const void *from, u64 bytes);

/*
 * For small reads, as of entries of page tables. True: the chunk of this number (phys >>
 * RAM_CHUNK_LG2) was read lately; else ram_read() makes it so. Then, its first byte on the host.
 */
static inline bool ram_is_recent(const struct ram *ram, u64 chunk)
{
	return DMASIM_LIKELY(ram->recent[chunk % RAM_RECENT] == chunk);
}

static inline const u8 *ram_recent(const struct ram *ram, u64 chunk)
{
	return ram->recent_host[chunk % RAM_RECENT];
}

#endif
