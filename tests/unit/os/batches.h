/* SPDX-License-Identifier: MIT */
/*
 * Ears between the software and an IOMMU whose commands may overtake each other: what it is handed,
 * in which batches; and hands that hand it over in another order.
 */
#ifndef UNIT_OS_BATCHES_H
#define UNIT_OS_BATCHES_H

#include "support/rig.h"

#include "iommu/iommu.h"

#define BATCHES_WORDS 64

struct batches_words {
	u64 word[2];
};

/* What becomes of the batch for the unit, which comes before that for the device. */
enum batches_order {
	BATCHES_AS_THEY_ARE,
	BATCHES_TOGETHER,  /* it goes with the other, and nothing is between */
	BATCHES_FENCED,	   /* a wait is */
	BATCHES_BACKWARDS, /* and it comes last */
};

/* How commands look, host byte order. */
struct batches_arch {
	enum dmasim_iommu iommu;
	u64 mask; /* of the first word: what tells commands apart, */
	u64 wait; /* that one stores; of each the lower half of its first word is: */
	u64 wait_low;
	u64 translations[2]; /* that it is about translations: one of these */
	u64 barrier;	     /* a first word: a wait that stores nothing */
};

struct batches {
	struct rig rig;
	const struct batches_arch *arch;
	struct platform_ops ops;
	const struct platform_ops *real;
	struct batches_words said[BATCHES_WORDS]; /* waits are {} */
	u32 count;
	enum batches_order order;
	struct batches_words held;
};

int batches_setup(void **state, const struct batches_arch *arch, struct dmasim_config config);
int batches_teardown(void **state);

u64 batches_requester(const struct batches *batches);
u64 batches_domain(const struct batches *batches);

/* These commands and no others, {} for a wait; and forgets them. */
void batches_expect(struct batches *batches, const u64 (*word)[2], u32 count);

/* The device uses all of it meanwhile. */
dma_addr_t batches_map_and_unmap(struct batches *batches, phys_addr_t phys, u64 bytes);

/* Tests of a machine whose devices have TLBs: a wait must be between the two batches, and it is
 * enough, whether or not the software waits for it. */
void batches_too_early_without_a_wait(void **state);
void batches_right_with_a_wait(void **state);

#endif
