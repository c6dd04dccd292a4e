/* SPDX-License-Identifier: MIT */
#include "world/memory.h"

#include <stdlib.h>
#include <sys/mman.h>

/*
 * Blocks of so much are mapped, so that a page costs nothing until it is touched, whatever the C
 * library, a sanitizer or valgrind does to what calloc() gives.
 */
#define MAPPED_BYTES (1U << 22)

/* Stands in front of what memory_alloc() returns; 32 bytes keep that aligned for any type. */
struct memory_block {
	struct memory_block *next;
	struct memory_block *prev;
	u64 point;
	u64 mapped; /* bytes of the mapping it is, 0: it is from the heap */
};

static struct memory_block *take(size_t bytes)
{
	struct memory_block *block;

	if (bytes < MAPPED_BYTES)
		return calloc(1, bytes);
	block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (block == MAP_FAILED)
		return NULL;
	block->mapped = bytes;
	return block;
}

static void give_back(struct memory_block *block)
{
	if (block->mapped)
		munmap(block, (size_t)block->mapped);
	else
		free(block);
}

void memory_init(struct memory *memory)
{
	*memory = (struct memory){ 0 };
}

void memory_fini(struct memory *memory)
{
	struct memory_block *block = memory->blocks;

	while (block) {
		struct memory_block *next = block->next;

		give_back(block);
		block = next;
	}
	memory->blocks = NULL;
}

void memory_fail(struct memory *memory, struct memory_plan plan)
{
	memory->plan = plan;
	memory->plan_base = memory->passes[plan.point];
	memory->hits = 0;
}

bool memory_fails(struct memory *memory, enum dmasim_fault_point point)
{
	const struct memory_plan *plan = &memory->plan;

	memory->passes[point]++;
	memory->passes[DMASIM_FAULT_ANY]++;
	if (!plan->nth || (plan->point != point && plan->point != DMASIM_FAULT_ANY))
		return false;
	if (memory->passes[plan->point] - memory->plan_base != plan->nth)
		return false;
	memory->hits++;
	return true;
}

void *memory_alloc(struct memory *memory, enum dmasim_fault_point point, size_t bytes)
{
	struct memory_block *block;

	if (memory_fails(memory, point))
		return NULL;
	if (bytes > SIZE_MAX - sizeof(*block))
		return NULL;
	block = take(sizeof(*block) + bytes);
	if (!block)
		return NULL;

	block->point = point;
	block->next = memory->blocks;
	if (block->next)
		block->next->prev = block;
	memory->blocks = block;
	memory->live[point]++;
	return block + 1;
}

void memory_free(struct memory *memory, void *at)
{
	struct memory_block *block;

	if (!at)
		return;
	block = (struct memory_block *)at - 1;
	memory->live[block->point]--;
	if (block->next)
		block->next->prev = block->prev;
	if (block->prev)
		block->prev->next = block->next;
	else
		memory->blocks = block->next;
	give_back(block);
}
