/* SPDX-License-Identifier: MIT */
/*
 * Runs cells on one machine, beside the model.
 */
#ifndef MATRIX_RUN_H
#define MATRIX_RUN_H

#include "matrix/calls.h"
#include "matrix/forecast.h"
#include "matrix/memory.h"

#define PATTERN_BYTES (REGION_BYTES + 65536)

struct run {
	struct machine machine;
	struct memory memory;
	u8 pattern[PATTERN_BYTES];
	u8 seen[REGION_BYTES]; /* what the device read */
	u8 told[REGION_BYTES]; /* what it should have */
	u8 known[REGION_BYTES];
	u32 cells;  /* that have run */
	u32 mapped; /* of them */

	/* The cell that runs. */
	const struct cell *cell;
	struct cell usable; /* the same without what keeps its device out */
	struct shape shape;
	struct forecast forecast;
	struct mapping mapping;
	char wrong[512]; /* empty: nothing is */
};

/* False: there is no machine; run->wrong says why. */
bool run_begin(struct run *run, enum mode mode);
/* False: run->wrong says what. After that the machine is to be ended and made again. */
bool run_cell(struct run *run, const struct cell *cell);
bool run_end(struct run *run);

#endif
