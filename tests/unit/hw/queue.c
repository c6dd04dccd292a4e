/* SPDX-License-Identifier: MIT */
#include "queue.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	u64 iova;
	u16 domain;
	u8 page_lg2;
} cached[] = {
	{ QUEUE_4K_AT, 0x0201, 12 }, { QUEUE_4K_AT + 0x1000, 0x0201, 12 },
	{ QUEUE_2M_AT, 0x0201, 21 }, { QUEUE_1G_AT, 0x0201, 30 },
	{ QUEUE_4K_AT, 0x0301, 12 },
};

#define CACHED (sizeof(cached) / sizeof(cached[0]))

static void note(struct queue *queue, char what)
{
	size_t length = strlen(queue->order);

	if (length + 1 < sizeof(queue->order))
		queue->order[length] = what;
}

static void heard_submission(void *cookie, struct hw_iommu *iommu,
			     const struct hw_invalidation *invalidation)
{
	struct queue *queue = cookie;

	assert_ptr_equal(iommu, queue->iommu);
	expect_u64(invalidation->number, iommu->queue.submitted);
	queue->submitted++;
}

static void heard_invalidation(void *cookie, struct hw_iommu *iommu,
			       const struct hw_invalidation *invalidation)
{
	struct queue *queue = cookie;

	assert_ptr_equal(iommu, queue->iommu);
	queue->invalidated++;
	queue->last = *invalidation;
	note(queue, 'i');
}

static void heard_wait(void *cookie, struct hw_iommu *iommu, u64 number)
{
	struct queue *queue = cookie;

	assert_ptr_equal(iommu, queue->iommu);
	queue->waited++;
	queue->last_wait = number;
	note(queue, 'w');
}

static void heard_error(void *cookie, struct hw_iommu *iommu, const u64 command[2])
{
	struct queue *queue = cookie;

	assert_ptr_equal(iommu, queue->iommu);
	queue->rejected++;
	queue->bad[0] = command[0];
	queue->bad[1] = command[1];
	note(queue, 'e');
}

int queue_setup_unit(void **state, const struct hw_iommu_desc *desc)
{
	struct queue *queue = calloc(1, sizeof(*queue));

	if (!queue || bench_setup(state))
		return -1;
	queue->bench = *state;
	*state = queue;
	ram_add_range(&queue->bench->hw.ram, 0, SZ_1M);
	queue->iommu = hw_iommu_add(&queue->bench->hw, desc);
	if (!queue->iommu)
		return -1;
	queue->bench->hw.hooks = (struct hw_hooks){
		.cookie = queue,
		.submitted = heard_submission,
		.invalidated = heard_invalidation,
		.waited = heard_wait,
		.queue_error = heard_error,
	};
	queue_fill(queue);
	return 0;
}

int queue_setup(void **state)
{
	return queue_setup_unit(state, &(struct hw_iommu_desc){ .unit = 6,
								.levels = 4,
								.address_bits = 46,
								.max_address_mask = QUEUE_MAMV,
								.huge_1g = true,
								.coherent = true,
								.device_tlb = true,
								.pf_requester = true,
								.iotlb_entries = 64 });
}

int queue_teardown(void **state)
{
	struct queue *queue = *state;
	void *bench = queue->bench;

	free(queue);
	return bench_teardown(&bench);
}

void queue_fill(struct queue *queue)
{
	iotlb_invalidate_all(&queue->iommu->iotlb);
	for (size_t i = 0; i < CACHED; i++)
		iotlb_fill(&queue->iommu->iotlb,
			   &(struct iotlb_entry){
				   .page = cached[i].iova >> cached[i].page_lg2,
				   .phys = cached[i].iova,
				   .tag = iotlb_tag(cached[i].domain),
				   .page_lg2 = cached[i].page_lg2,
				   .read = true,
			   });
	expect_u64(queue_left(queue), QUEUE_ALL);
}

u32 queue_left(struct queue *queue)
{
	u32 left = 0;

	for (size_t i = 0; i < CACHED; i++) {
		if (iotlb_find(&queue->iommu->iotlb, iotlb_tag(cached[i].domain), cached[i].iova))
			left |= 1U << i;
	}
	return left;
}

void queue_fill_tables(struct queue *queue)
{
	const struct hw_walk walk = {
		.tables = 2, .step = { { 0x1000, 4, true, true }, { 0x2000, 1, true, true } }
	};

	walk_cache_fill(&queue->iommu->walk_cache, iotlb_tag(0x201), QUEUE_4K_AT, &walk);
	assert_true(queue_holds_tables(queue));
}

bool queue_holds_tables(struct queue *queue)
{
	struct hw_walk_start start = { .levels = 4 };
	u32 level = walk_cache_find(&queue->iommu->walk_cache, iotlb_tag(0x201), QUEUE_4K_AT, true,
				    &start);

	/* The lowest, or none. */
	assert_true(level == 0 || level == WALK_CACHE_LEVELS);
	return !level;
}

int queue_run_all(struct queue *queue, const struct command *commands, u32 count)
{
	u8 bytes[16 * 8];

	assert_true(count <= 8);
	for (u32 i = 0; i < 16 * count; i++)
		bytes[i] = (u8)(commands[i / 16].word[i / 8 % 2] >> (8 * (i % 8)));
	return hw_queue_execute(queue->iommu, bytes, 16 * count);
}

int queue_run(struct queue *queue, struct command command)
{
	return bench_execute(queue->iommu, command.word[0], command.word[1]);
}
