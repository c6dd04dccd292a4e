/* SPDX-License-Identifier: MIT */
/*
 * dmasim iova: allocators drawn, judged and measured.
 *
 *   iova.c          the verbs
 *   iova_args.c     arguments
 *   iova_check.c    the verb check
 *   iova_plugin.c   allocators: ours, and those of a user's shared object
 */
#ifndef CLI_IOVA_H
#define CLI_IOVA_H

#include <dmasim/iova-bench.h>
#include <dmasim/workbench.h>

#include "cli.h"

#define IOVA_ALLOCATORS_MAX 16
#define IOVA_PLUGINS_MAX    8

enum iova_verb { IOVA_DRAW, IOVA_CHECK, IOVA_BENCH };

struct iova_options {
	enum iova_verb verb;
	const struct iova_allocator_ops *allocator[IOVA_ALLOCATORS_MAX];
	const char *file[IOVA_ALLOCATORS_MAX]; /* a plugin's; NULL: it is ours */
	u32 allocator_count;
	void *plugin[IOVA_PLUGINS_MAX]; /* handles, closed at the end */
	u32 plugin_count;
	struct dmasim_iova_workload_config workload;
	bool chosen; /* --allocator was given */
	const char *replay_name;
	const char *record_name;
	bool as_given;
	bool svg;
	const char *row;
	const char *check;
	u32 scale_percent; /* 0: not given */
	const char *csv_name;
	bool quick;
	u32 patience_s; /* 0: not given */
};

/* -1: run; else an exit status. */
int iova_read_arguments(int argc, char **argv, struct iova_options *options);

/* "linux", "all" ...: adds to what is chosen. 0, or an exit status after one line on stderr. */
int iova_choose(struct iova_options *options, const char *name);
/* Adds what a shared object has. The same. */
int iova_load(struct iova_options *options, const char *file);
/* Nothing is chosen: all of ours, in front of the plugins; to be checked: plugins alone. */
void iova_choose_default(struct iova_options *options);
/* Returns the exit status. */
int iova_check(const struct iova_options *options);
void iova_close(struct iova_options *options);

#endif
