/* SPDX-License-Identifier: MIT */
/*
 * A plain model of the bytes of one buffer region.
 *
 *   own    the region: what the CPU sees (cpu), what memory holds (mem)
 *   copy   what was bounced, at the same index: the device is shown this instead
 *
 * A device that snoops uses what the CPU sees, so mem is not looked at. One that does not uses mem,
 * and lines of 64 bytes go between the two: cleaned (cpu to mem, if the CPU has changed the line
 * since the two last met) and invalidated (mem to cpu; a line that the range has only a part of is
 * cleaned before).
 */
#ifndef MATRIX_MEMORY_H
#define MATRIX_MEMORY_H

#include "matrix/matrix.h"

struct plane {
	u8 cpu[REGION_BYTES];
	u8 mem[REGION_BYTES];
	u8 met[REGION_BYTES];	/* what cpu was when it last met mem */
	u8 known[REGION_BYTES]; /* 0: nobody can say what mem holds there */
};

/* A range that is bounced. Its copy begins `shift` bytes into a cache line. */
struct copy {
	u32 at;
	u32 bytes;
	u32 shift;
};

#define COPIES_MAX 6

struct memory {
	bool snoops;
	struct plane own;
	struct plane copy;
	struct copy copies[COPIES_MAX];
	u32 copy_count;
	bool lost; /* something unknown came to where the CPU sees it: the model has a hole */
};

/* All zeros, in memory too. */
void memory_init(struct memory *memory, bool snoops);

/* The CPU writes. */
void memory_store(struct memory *memory, u32 at, const u8 *from, u32 bytes);

/* From now on the device is shown a copy of the range; it begins as the range is. */
void memory_bounce(struct memory *memory, u32 at, u32 bytes, u32 shift);
void memory_end_copies(struct memory *memory);

/* Between a range and those of its bytes that are copied. */
void memory_copy_in(struct memory *memory, u32 at, u32 bytes);
void memory_copy_out(struct memory *memory, u32 at, u32 bytes);

/* What the device is shown of the range. */
void memory_clean(struct memory *memory, u32 at, u32 bytes);
void memory_invalidate(struct memory *memory, u32 at, u32 bytes);

/* The device writes; or reads: known says which of the bytes can be told. */
void memory_dev_write(struct memory *memory, u32 at, const u8 *from, u32 bytes);
void memory_dev_read(const struct memory *memory, u32 at, u8 *to, u8 *known, u32 bytes);

#endif
