/* SPDX-License-Identifier: MIT */
/*
 * Memory of the program that no driver may map, though it has an address: a thread's stack, which
 * is somebody else's when the function returns, and what the process may only read. What is
 * remembered here is adopted memory of these kinds; there is hardly ever any.
 */
#ifndef CHECK_MEMORY_KIND_H
#define CHECK_MEMORY_KIND_H

#include "check/interval.h"
#include "world/world.h"

enum memory_kind {
	MEMORY_PLAIN,
	MEMORY_STACK,
	MEMORY_READ_ONLY, /* code and constants */
	MEMORY_VMALLOC,	  /* of the kernel-named layer: pages from anywhere */
};

/* As the trace has it. */
const char *memory_kind_name(enum memory_kind kind);

/* The kind of a host pointer to `bytes`. */
typedef enum memory_kind memory_kind_of(void *cookie, const void *ptr, u64 bytes);

struct memory_kinds {
	struct world *world;
	memory_kind_of *of_host;
	void *cookie;
	struct interval_tree tree; /* by physical address */
	bool *blind;		   /* set when memory runs out */
};

void memory_kinds_init(struct memory_kinds *kinds, struct world *world, bool *blind);
void memory_kinds_fini(struct memory_kinds *kinds);

/* [phys, phys + bytes) is the program's memory from now on; until it is dropped. */
void memory_kinds_add(struct memory_kinds *kinds, u64 phys, const void *ptr, u64 bytes);
void memory_kinds_drop(struct memory_kinds *kinds, u64 phys);

/* True if there is any memory that is not plain. */
static inline bool memory_kinds_any(const struct memory_kinds *kinds)
{
	return !RB_EMPTY(&kinds->tree.root);
}

/* The kind of the first byte of [phys, phys + bytes) that is not plain; PLAIN: there is none. */
enum memory_kind memory_kind_at(const struct memory_kinds *kinds, u64 phys, u64 bytes);

#endif
