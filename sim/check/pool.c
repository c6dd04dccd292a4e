/* SPDX-License-Identifier: MIT */
#include "check/pool.h"

#define BLOCK_BYTES 8192 /* if a few records fit */

struct check_pool_block {
	struct check_pool_block *next;
	u64 unused; /* keeps what follows aligned */
};

void check_pool_init(struct check_pool *pool, struct memory *memory, bool *blind, size_t bytes)
{
	*pool = (struct check_pool){ .memory = memory, .blind = blind, .bytes = bytes };
	pool->records = bytes < BLOCK_BYTES / 2 ? (u32)(BLOCK_BYTES / bytes) : 2;
}

void check_pool_fini(struct check_pool *pool)
{
	while (pool->blocks) {
		struct check_pool_block *block = pool->blocks;

		pool->blocks = block->next;
		memory_free(pool->memory, block);
	}
}

void *check_pool_grow(struct check_pool *pool)
{
	void *record;

	if (pool->next == pool->end) {
		struct check_pool_block *block;

		block = memory_alloc(pool->memory, DMASIM_FAULT_CHECK_RECORD,
				     sizeof(*block) + pool->records * pool->bytes);
		if (!block) {
			*pool->blind = true;
			return NULL;
		}
		block->next = pool->blocks;
		pool->blocks = block;
		pool->next = (u8 *)(block + 1);
		pool->end = pool->next + pool->records * pool->bytes;
	}
	record = pool->next;
	pool->next += pool->bytes;
	return record;
}
