/* SPDX-License-Identifier: MIT */
/*
 * Armv8 page tables, as an SMMUv3 reads them: one stage, or a first stage whose addresses a second
 * one translates, those of its tables among them.
 */
#ifndef HW_ARM_WALK_H
#define HW_ARM_WALK_H

#include "hw/walker.h"

struct hw;

/* One stage: its tables, and what a context or stream table entry says of them. */
struct hw_arm_stage {
	const struct hw_walker *walker; /* where descriptors are fetched */
	phys_addr_t root;		/* of a first stage below a second: the second's address */
	u8 granule_lg2;			/* 12, 14 or 16 */
	u8 input_bits;			/* 64 - TxSZ */
	u8 levels;			/* from where the walk starts: 1 to 5 */
	u8 output_bits;			/* (I)PS */
	bool lpa2;			/* DS */
	bool second_stage;		/* these are tables of a stage 2 */
	bool update_access;		/* HA: AF is set where it is not */
	bool update_dirty;		/* HD: a write makes what has DBM writable */
	struct hw *hw;			/* for these two */
	const struct hw_arm_stage *second; /* NULL: none */
};

struct hw_arm_access {
	u64 iova;
	bool write;
	bool execute;
	bool privileged;
};

/*
 * Translates an address. fault: an event's number, ARM_F_; fault_flags: ARM_FLAG_. `step` has the
 * first stage's tables. page_lg2 takes the contiguous bit at its word.
 */
struct hw_walk hw_walk_arm(const struct hw_arm_stage *stage, const struct hw_arm_access *access);

/* The same; with walk->no_steps, which the caller sets or clears, the quicker way. */
void hw_walk_arm_to(const struct hw_arm_stage *stage, const struct hw_arm_access *access,
		    struct hw_walk *walk);

/*
 * As the range walks of walker.h, of one stage alone. read and write are what an unprivileged
 * request may do.
 */
void hw_walk_arm_range(const struct hw_arm_stage *stage, u64 start, u64 last, hw_walk_leaf *leaf,
		       hw_walk_table *table, void *cookie);

#endif
