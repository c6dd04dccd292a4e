/* SPDX-License-Identifier: MIT */
/*
 * Runs a target on inputs that it makes of others, and keeps those which reach something new. All
 * chance comes from a seed: the same seed, number of runs and inputs to begin with find the same.
 */
#ifndef FUZZ_DRIVER_H
#define FUZZ_DRIVER_H

#include "mutate.h"

struct fuzz_driver {
	const struct fuzz_target *target;
	struct fuzz_run run; /* the last one, with its failure */
	struct fuzz_input input;
	struct random random;
	u64 runs;
	u32 features;
	struct fuzz_input *kept;
	u32 kept_count;
	u32 kept_room;
	u8 seen[FUZZ_FEATURES];
};

/* canary: 0, or a mistake that is put in. */
void fuzz_driver_init(struct fuzz_driver *driver, const struct fuzz_target *target, u64 seed,
		      u8 canary);
void fuzz_driver_fini(struct fuzz_driver *driver);

/* Each returns false if the target failed: driver->input is what it failed on. */

/* Runs a file, or all files of a folder in the order of their names. -1: could not be read. */
int fuzz_driver_load(struct fuzz_driver *driver, const char *path);
/* Runs driver->input as it is. */
bool fuzz_driver_run(struct fuzz_driver *driver);
/* Makes another input and runs it. */
bool fuzz_driver_step(struct fuzz_driver *driver);

/*
 * Writes the few of the kept inputs, at most `count`, that together reach the most, each cut down
 * to what it adds, into a folder. False: a file could not be written.
 */
bool fuzz_driver_write_kept(struct fuzz_driver *driver, const char *folder, u32 count);

/* Names of files are hashes of what is in them. False: it could not be written. */
bool fuzz_write_input(const struct fuzz_input *input, const char *folder, const char *prefix,
		      char *path, size_t path_bytes);

#endif
