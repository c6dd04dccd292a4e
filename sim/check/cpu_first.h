/* SPDX-License-Identifier: MIT */
/*
 * The quick way to watch a mapping of which no more than its first cache line is compared: what the
 * line holds is kept in the mapping's own record, and looked at when the mapping ends. Most
 * mappings see nothing but their map and their unmap. Where anything else happens to their memory,
 * a turn of the CPU or a write of a device, they get a watch (cpu.h) that goes on from there.
 */
#ifndef CHECK_CPU_FIRST_H
#define CHECK_CPU_FIRST_H

#include <string.h>

#include <dmasim/dma.h>

#include "check/check.h"

/* What is not a device's alone. */
#define CPU_SHARED (DMA_ATTR_SKIP_CPU_SYNC | DMA_ATTR_REQUIRE_COHERENT | DMA_ATTR_MMIO)

/* The line on the host; NULL: it is not at hand, or not all there. */
static inline const u8 *cpu_first_line(const struct check *check, const struct piece *piece)
{
	const struct ram *ram = &check->hw->ram;
	u64 within = piece->phys % RAM_CHUNK_BYTES;

	if (within > RAM_CHUNK_BYTES - OWNER_FIRST_BYTES ||
	    !ram_is_recent(ram, piece->phys >> RAM_CHUNK_LG2))
		return NULL;
	return ram_recent(ram, piece->phys >> RAM_CHUNK_LG2) + within;
}

/* True if mappings with such attributes can be watched so, as far as that is no matter of each. */
static inline bool cpu_first_can(const struct check *check, u64 attrs)
{
	return check->cpu.first_only && !(attrs & CPU_SHARED) && !bounces_any(&check->bounces) &&
	       LIST_EMPTY(&check->hw->ram.adopted);
}

/* One begins whose memory is known (share.h). False: it cannot be watched so. */
static inline bool cpu_first_keep(struct check *check, struct piece *piece)
{
	const u8 *line;

	if (piece->at.last - piece->at.start < OWNER_FIRST_BYTES - 1 ||
	    piece->phys - check->ram.start >= check->ram.bytes)
		return false;
	line = cpu_first_line(check, piece);
	if (!line)
		return false;
	memcpy(piece->first, line, OWNER_FIRST_BYTES);
	piece->keeps_first = true;
	return true;
}

/* Two lines, by vectors: the library's memcmp() is a call, and compilers compare by words. */
static inline bool cpu_first_equals(const u8 *one, const u8 *other)
{
	typedef u64 pair __attribute__((vector_size(16), aligned(1), may_alias));
	const pair *a = (const pair *)one, *b = (const pair *)other;
	pair differ = (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]);

	_Static_assert(OWNER_FIRST_BYTES == 4 * sizeof(pair), "all of it");
	return !(differ[0] | differ[1]);
}

/* It is about to end. False: the line is not what it was, or nobody can say. */
static inline bool cpu_first_is_same(const struct check *check, const struct piece *piece)
{
	const u8 *line = cpu_first_line(check, piece);

	return line && cpu_first_equals(piece->first, line);
}

#endif
