/* SPDX-License-Identifier: MIT */
/*
 * The calls of the matrix behind one interface: map, sync, unmap, and what the device sees.
 */
#ifndef MATRIX_CALLS_H
#define MATRIX_CALLS_H

#include "matrix/machine.h"

#define SEGMENTS_MAX (PIECES_MAX * 2)

struct segment {
	dma_addr_t dma;
	u32 bytes;
};

/* One cell's buffer, mapped. Segments are in the device's order. */
struct mapping {
	struct machine *machine;
	const struct cell *cell;
	const struct shape *shape;
	int error;
	u32 count;
	struct segment segment[SEGMENTS_MAX];

	bool copied; /* the forecast says that some of it is */

	/* What the calls keep. */
	struct scatterlist list[PIECES_MAX];
	struct sg_table table;
	struct dma_iova_state state;
	u32 linked;
	/* Memory that comes mapped. */
	u8 *memory;
	struct page *page;
	struct sg_table *made;
};

/* Sets error: 0 or the call's; -ENOMEM where it only says that it failed. */
void call_map(struct mapping *mapping);
/* Also after an error, for what a driver has to undo then. */
void call_unmap(struct mapping *mapping);

/* True if the dma_sync_ calls can be made for such a mapping. */
bool call_syncs(const struct mapping *mapping);
void call_sync_for_cpu(struct mapping *mapping);
/* [offset, offset + bytes), or all of it where there is no way to name a part: returns which. */
struct piece call_sync_for_device(struct mapping *mapping, u32 offset, u32 bytes);

/* The device's accesses to [offset, offset + bytes) of the buffer. False: one was not done. */
bool call_dev_read(struct mapping *mapping, u32 offset, u8 *to, u32 bytes);
bool call_dev_write(struct mapping *mapping, u32 offset, const u8 *from, u32 bytes);

#endif
