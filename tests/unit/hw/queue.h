/* SPDX-License-Identifier: MIT */
/*
 * A unit whose cache holds a few known translations, and ears for what its queue does.
 */
#ifndef UNIT_HW_QUEUE_H
#define UNIT_HW_QUEUE_H

#include "bench.h"

#define QUEUE_MAMV 18

/* What the cache holds, a bit each. All but the last are in domain 0201, that one in 0301. */
#define QUEUE_4K_AT 0x0000000012344000ULL
#define QUEUE_2M_AT 0x0000000023400000ULL
#define QUEUE_1G_AT 0x0000003440000000ULL

#define QUEUE_4K      1U
#define QUEUE_4K_NEXT 2U /* the page behind it */
#define QUEUE_2M      4U
#define QUEUE_1G      8U
#define QUEUE_OTHER   16U /* QUEUE_4K_AT in domain 0301 */
#define QUEUE_ALL     31U

/* Two words, as the architecture numbers their bits. */
struct command {
	u64 word[2];
};

struct queue {
	struct bench *bench;
	struct hw_iommu *iommu;
	u32 submitted, invalidated, waited, rejected;
	struct hw_invalidation last; /* what the last invalidation covered */
	u64 last_wait;		     /* the number of the last wait */
	u64 bad[2];		     /* the words of the last rejected command */
	char order[64];		     /* i, w and e for each of them */
};

/* A unit of VT-d, or another. */
int queue_setup(void **state);
int queue_setup_unit(void **state, const struct hw_iommu_desc *desc);
int queue_teardown(void **state);

/* Puts all translations into the cache again. */
void queue_fill(struct queue *queue);

/* Little-endian in memory, then executed. */
int queue_run(struct queue *queue, struct command command);
int queue_run_all(struct queue *queue, const struct command *commands, u32 count);

/* Fails unless exactly these translations are still cached. */
#define queue_expect_left(queue, left) expect_u64(queue_left(queue), (left))
u32 queue_left(struct queue *queue);

/* The same of the tables that lead to QUEUE_4K_AT, which the walk cache holds. */
void queue_fill_tables(struct queue *queue);
bool queue_holds_tables(struct queue *queue);

#endif
