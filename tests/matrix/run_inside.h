/* SPDX-License-Identifier: MIT */
/*
 * What both kinds of cells use. All return false when something is wrong, which is noted.
 */
#ifndef MATRIX_RUN_INSIDE_H
#define MATRIX_RUN_INSIDE_H

#include "matrix/run.h"

/* Notes the first thing that is wrong; false. */
bool wrong(struct run *run, const char *format, ...) DMASIM_PRINTF(2, 3);

/* Bytes for the buffer: others for each cell and step. */
const u8 *pattern(const struct run *run, u32 step);

/* There is no report that was not forecast. */
bool no_report(struct run *run);

/* Maps, and compares error and reports with the forecast. */
bool map_as_told(struct run *run);

/* Facts 1.5: a mapping to the device cannot be written, one from it cannot be read. */
bool direction_is_kept(struct run *run);

/* Facts 3.7, 5.5: what is invalidated before the unmap returns is out of the device's reach. */
bool end_is_kept(struct run *run);

bool run_alloc(struct run *run);

#endif
