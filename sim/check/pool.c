/* SPDX-License-Identifier: MIT */
#include "check/pool.h"

#define LINE_BYTES  64	 /* of the host's cache */
#define BLOCK_BYTES 8192 /* if a few records fit */

struct check_pool_block {
	struct check_pool_block *next;
};

void check_pool_init(struct check_pool *pool, struct memory *memory, bool *blind, size_t bytes)
{
	bytes = (bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
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
				     LINE_BYTES + pool->records * pool->bytes);
		if (!block) {
			*pool->blind = true;
			return NULL;
		}
		block->next = pool->blocks;
		pool->blocks = block;
		/* Behind the link, where a line begins. */
		pool->next = (u8 *)block + LINE_BYTES - (uintptr_t)block % LINE_BYTES;
		pool->end = pool->next + pool->records * pool->bytes;
	}
	record = pool->next;
	pool->next += pool->bytes;
	return record;
}
