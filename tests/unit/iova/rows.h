/* SPDX-License-Identifier: MIT */
/*
 * Our IOVA allocators: each test that holds for all of them runs on each row. A new allocator is a
 * row more, here and in ON_EVERY_ALLOCATOR.
 */
#ifndef UNIT_IOVA_ROWS_H
#define UNIT_IOVA_ROWS_H

#include "support/expect.h"

#include <dmasim/workbench.h>

struct allocator_row {
	const char *name;
	const struct iova_allocator_ops *(*ops)(void);
	u32 repairs;
	/* What of its state ranges do not show; NULL: nothing. */
	u64 (*state)(struct iova_allocator *allocator);
};

extern const struct allocator_row allocator_exact;
extern const struct allocator_row allocator_bitmap;
extern const struct allocator_row allocator_linux;
extern const struct allocator_row allocator_linux_repaired;

#define ON_ALLOCATOR(name, test)                                                           \
	{                                                                                  \
#test " on " #name, test, NULL, NULL, (void *)(uintptr_t)&allocator_##name \
	}

#define ON_EVERY_ALLOCATOR(test)                                                          \
	ON_ALLOCATOR(exact, test), ON_ALLOCATOR(bitmap, test), ON_ALLOCATOR(linux, test), \
		ON_ALLOCATOR(linux_repaired, test)

#endif
