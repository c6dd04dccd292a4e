/* SPDX-License-Identifier: MIT */
/*
 * The IOVA allocators under test. Every test that follows from include/dmasim/iova.h alone runs on
 * each row; what only holds for one policy says so in its row. A new allocator is a row more.
 */
#ifndef UNIT_OS_ALLOCATORS_H
#define UNIT_OS_ALLOCATORS_H

#include "support/expect.h"

#include <dmasim/iova.h>

#include "machine/machine.h"

struct allocator_case {
	const struct iova_allocator_ops *(*ops)(void);
	bool highest_fit; /* always the highest aligned place; fails only when there is none */
};

/* One allocator, for the pfns [start_pfn, last_pfn]. */
struct allocator_fixture {
	const struct allocator_case *is;
	const struct iova_allocator_ops *ops;
	struct dmasim *s;
	struct iova_allocator *allocator;
	u64 start_pfn, last_pfn;
	void *extra; /* a test's own, freed by tear-down */
};

/* Initial state: the case; *state is the fixture, with no allocator yet. Leaks fail the end. */
int allocator_setup(void **state);
int allocator_teardown(void **state);

#define ON_ALLOCATOR(name, test)                                               \
	{                                                                      \
#test " on " #name, test, allocator_setup, allocator_teardown, \
			(void *)&allocator_##name                              \
	}

#define ON_EVERY_ALLOCATOR(test)	ON_ALLOCATOR(topdown, test)
#define ON_HIGHEST_FIT_ALLOCATORS(test) ON_ALLOCATOR(topdown, test)

extern const struct allocator_case allocator_topdown;

/* Begins a new, empty space; the one before ends. */
void allocator_start(struct allocator_fixture *fixture, u64 start_pfn, u64 last_pfn);

u64 allocator_alloc(struct allocator_fixture *fixture, u64 pages, u64 limit_pfn);
void allocator_free(struct allocator_fixture *fixture, u64 pfn, u64 pages);
int allocator_reserve(struct allocator_fixture *fixture, u64 first_pfn, u64 last_pfn);

/* The power of two that an allocation of so many pages is aligned to. */
u64 alignment_of(u64 pages);

#endif
