/* SPDX-License-Identifier: MIT */
/*
 * fuzz_queue, fuzz_tables, fuzz_pgtable, fuzz_text, fuzz_hex, fuzz_rules: runs a target.
 *
 *   fuzz_queue FILE|FOLDER...                  runs these inputs
 *   fuzz_queue --runs N --seed S [INPUTS]      and then N that it makes of them
 *   fuzz_queue --seconds N [INPUTS]            as many as that time has room for
 *   fuzz_queue --timed [INPUTS]                DMASIM_FUZZ_SECONDS, or 5 if it is not set
 *   ... --canary NAME                          with a mistake put in, which must be found
 *   ... --only NAME                            a part of what the target does: one format
 *   ... --keep FOLDER                          writes what together reaches the most
 *   ... --failures FOLDER                      where an input that fails is written; or here
 *
 * The seed is DMASIM_SEED if none is given, or 1. Exit status: 0 all is well (with a mistake: it
 * was found), 1 not, 2 bad usage.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crash.h"
#include "driver.h"

#define KEPT_MAX 90U /* files */

struct options {
	const struct fuzz_target *target;
	u64 seed;
	u64 runs;
	u64 seconds;
	u8 canary;
	u8 part;
	const char *keep;
	const char *failures;
};

static int usage(void)
{
	fprintf(stderr,
		"usage: fuzz_%s [--runs N | --seconds N | --timed] [--seed S]"
		" [--canary NAME] [--only NAME] [--keep FOLDER] [--failures FOLDER]"
		" [FILE | FOLDER]...\n",
		FUZZ_TARGET.name);
	return 2;
}

static bool read_number(const char *text, u64 *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 0);
	return !errno && *text && !*end && *text != '-';
}

static bool read_canary(const struct fuzz_target *target, const char *name, u8 *canary)
{
	for (u32 i = 0; i < target->canaries; i++) {
		if (strcmp(target->canary[i].name, name) == 0) {
			*canary = target->canary[i].canary;
			return true;
		}
	}
	return false;
}

static bool read_part(const struct fuzz_target *target, const char *name, u8 *part)
{
	for (u32 i = 0; i < target->parts; i++) {
		if (strcmp(target->part[i].name, name) == 0) {
			*part = target->part[i].part;
			return true;
		}
	}
	return false;
}

static bool read_environment(struct options *options)
{
	const char *seed = getenv("DMASIM_SEED");

	options->seed = 1;
	return !seed || !*seed || read_number(seed, &options->seed);
}

static bool read_timed(struct options *options)
{
	const char *seconds = getenv("DMASIM_FUZZ_SECONDS");

	options->seconds = 5;
	return !seconds || !*seconds || read_number(seconds, &options->seconds);
}

static bool read_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "runs", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' },
		{ "timed", no_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 'S' },
		{ "canary", required_argument, NULL, 'c' },
		{ "only", required_argument, NULL, 'o' },
		{ "keep", required_argument, NULL, 'k' },
		{ "failures", required_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	bool good = read_environment(options);
	int option;

	while (good && (option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'r':
			good = read_number(optarg, &options->runs);
			break;
		case 's':
			good = read_number(optarg, &options->seconds);
			break;
		case 't':
			good = read_timed(options);
			break;
		case 'S':
			good = read_number(optarg, &options->seed);
			break;
		case 'c':
			good = read_canary(options->target, optarg, &options->canary);
			break;
		case 'o':
			good = read_part(options->target, optarg, &options->part);
			break;
		case 'k':
			options->keep = optarg;
			break;
		case 'f':
			options->failures = optarg;
			break;
		default:
			good = false;
			break;
		}
	}
	return good;
}

static u64 now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec;
}

/* 1: all inputs ran well, 0: one did not, -1: one could not be read. */
static int run_all(struct fuzz_driver *driver, const struct options *options, char **paths)
{
	u64 end = now_seconds() + options->seconds;
	int result = 1;

	for (; result == 1 && *paths; paths++)
		result = fuzz_driver_load(driver, *paths);
	for (u64 i = 0; result == 1 && i < options->runs; i++) {
		if (i % CRASH_RUNS == 0)
			crash_alive();
		result = fuzz_driver_step(driver);
	}
	/* The clock ends it, and nothing else: what is run does not depend on it. */
	for (u64 i = 0; result == 1 && options->seconds; i++) {
		if (i % CRASH_RUNS == 0) {
			crash_alive();
			if (now_seconds() >= end)
				break;
		}
		result = fuzz_driver_step(driver);
	}
	return result;
}

/* As it can be named from anywhere. */
static const char *absolute(const char *path)
{
	char *whole = realpath(path, NULL);

	return whole ? whole : path;
}

int main(int argc, char **argv)
{
	struct options options = { .target = &FUZZ_TARGET, .failures = "." };
	struct fuzz_driver *driver = malloc(sizeof(*driver));
	int result;

	if (!driver || !read_options(argc, argv, &options)) {
		free(driver);
		return usage();
	}
	/* What a target shares with tests stops by their means: then by a signal. */
	setenv("CMOCKA_TEST_ABORT", "1", 0);
	fuzz_driver_init(driver, options.target, options.seed, options.canary);
	driver->run.part = options.part;
	crash_watch(driver, absolute(argv[0]), absolute(options.failures));
	result = run_all(driver, &options, argv + optind);
	crash_rest();
	printf("fuzz_%s: seed 0x%llx, %llu runs, %u features, %u inputs kept\n",
	       options.target->name, options.seed, driver->runs, driver->features,
	       driver->kept_count);
	if (options.canary && result == 0)
		printf("fuzz_%s: found: %s\n", options.target->name, driver->run.failure);
	else if (result == 0)
		crash_tell(driver->run.failure);
	if (options.canary && result == 1)
		fprintf(stderr, "fuzz_%s: the mistake was not found\n", options.target->name);
	if (options.keep && result == 1 && !fuzz_driver_write_kept(driver, options.keep, KEPT_MAX))
		result = -1;
	fuzz_driver_fini(driver);
	free(driver);
	return result < 0 ? 2 : result != (options.canary ? 0 : 1);
}
