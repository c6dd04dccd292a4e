/* SPDX-License-Identifier: MIT */
/*
 * A run that ends the program, or that does not end: what it ran on is written before.
 */
#ifndef FUZZ_CRASH_H
#define FUZZ_CRASH_H

#include "driver.h"

/* For so many runs, of which most take well below a millisecond, and the largest tables 20. */
#define CRASH_SECONDS 20U
#define CRASH_RUNS    16U

/* From now on the driver's input is written if a signal or a sanitizer ends the program. */
void crash_watch(const struct fuzz_driver *driver, const char *program, const char *folder);

/* The run in hand is alive. Call it now and then. */
void crash_alive(void);
/* No more runs that matter. */
void crash_rest(void);

/* Writes the input, says why and how to run it again. */
void crash_tell(const char *why);

#endif
