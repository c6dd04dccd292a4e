/* SPDX-License-Identifier: MIT */
#include "rows.h"

#include "iova/linux.h"

static u64 linux_state(struct iova_allocator *allocator)
{
	struct iova_linux_state state;

	iova_linux_state(allocator, &state);
	/* The pfns and sizes of small worlds are below 2^21, and 2^64 - 1. */
	return (state.cached_pfn & 0x1fffff) << 42 | (state.cached32_pfn & 0x1fffff) << 21 |
	       (state.max32 & 0x1fffff);
}

const struct allocator_row allocator_exact = { "exact", dmasim_iova_exact, 0, NULL };

const struct allocator_row allocator_bitmap = { "bitmap", dmasim_iova_bitmap, 0, NULL };

const struct allocator_row allocator_linux = { "linux", dmasim_iova_linux, 0, linux_state };

const struct allocator_row allocator_linux_repaired = {
	"linux, repaired",
	dmasim_iova_linux,
	1U << IOVA_REPAIR_MAX32 | 1U << IOVA_REPAIR_CACHE_MISS,
	NULL,
};
