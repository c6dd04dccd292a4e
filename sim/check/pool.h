/* SPDX-License-Identifier: MIT */
/*
 * Records of one size that come and go with each mapping: from blocks of the machine's memory, so
 * that one costs a few instructions. A record that was given back is the next to be had; blocks
 * stay until the end.
 */
#ifndef CHECK_POOL_H
#define CHECK_POOL_H

#include "world/memory.h"

struct check_pool_block;

struct check_pool {
	struct memory *memory;
	bool *blind; /* set when memory runs out */
	size_t bytes;
	u32 records;	  /* of a block */
	void *given_back; /* a list through the first word of each */
	u8 *next;	  /* those of the latest block that were never had */
	u8 *end;
	struct check_pool_block *blocks;
};

void check_pool_init(struct check_pool *pool, struct memory *memory, bool *blind, size_t bytes);
void check_pool_fini(struct check_pool *pool);

DMASIM_COLD void *check_pool_grow(struct check_pool *pool);

/* Memory for a record, with whatever is in it. NULL: there is none, and the checker is blind. */
static inline void *check_pool_get(struct check_pool *pool)
{
	void *record = pool->given_back;

	if (DMASIM_UNLIKELY(!record))
		return check_pool_grow(pool);
	pool->given_back = *(void **)record;
	return record;
}

static inline void check_pool_put(struct check_pool *pool, void *record)
{
	*(void **)record = pool->given_back;
	pool->given_back = record;
}

#endif
