/* SPDX-License-Identifier: MIT */
/*
 * IOVA allocators side by side: workloads, measuring, drawing. Part of the workbench.
 */
#ifndef DMASIM_IOVA_BENCH_H
#define DMASIM_IOVA_BENCH_H

#include <stdio.h>

#include <dmasim/iova.h>

DMASIM_BEGIN_DECLS

/* ---- Workloads -------------------------------------------------------- */

/* Why something could not be done, one line without an end. */
struct dmasim_iova_error {
	char text[512];
};

struct dmasim_iova_workload;

#define DMASIM_IOVA_LIVE_MAX 8000000U
#define DMASIM_IOVA_CPUS_MAX 256U

struct dmasim_iova_workload_config {
	const char *name; /* of dmasim_iova_workload_name() */
	u64 live;	  /* ranges that are live while it is timed; 0: what fits the workload */
	u64 steps;	  /* timed ones; 0: what fits the workload */
	u64 seed;	  /* 0: 1 */
	u32 cpus;	  /* 0: what fits the workload; at most 256 */
	u32 limit_bits;	  /* addresses are asked for below 2^limit_bits, 13 to 63; 0: 48 */
	bool no_cache;	  /* no allocation may be answered by a cache */
};

/* All there are: counts from 0; NULL: no more. `what` is one line. */
DMASIM_API const char *dmasim_iova_workload_name(u32 index, const char **what);

/* NULL: see error. */
DMASIM_API struct dmasim_iova_workload *dmasim_iova_workload_create(
	const struct dmasim_iova_workload_config *config, struct dmasim_iova_error *error);
DMASIM_API void dmasim_iova_workload_destroy(struct dmasim_iova_workload *workload);

/* Writes it as a trace; false: the stream has an error. */
DMASIM_API bool dmasim_iova_workload_write(const struct dmasim_iova_workload *workload, FILE *out);
/* Reads a trace; `file` is its name, for errors. NULL: see error, which begins with FILE:LINE. */
DMASIM_API struct dmasim_iova_workload *dmasim_iova_workload_read(FILE *in, const char *file,
								  struct dmasim_iova_error *error);

/* ---- Measuring -------------------------------------------------------- */

struct dmasim_iova_bench {
	const struct iova_allocator_ops *const *allocators;
	u32 allocator_count;
	const char *row; /* only rows whose name holds this; NULL: all */
	u64 seed;
	FILE *csv; /* NULL: none */
	bool quick;
};

/* One workload. 0: done, else see error. */
DMASIM_API int dmasim_iova_bench_one(const struct dmasim_iova_bench *bench,
				     const struct dmasim_iova_workload *workload, FILE *out,
				     struct dmasim_iova_error *error);

/* All rows. 0: done, else see error. */
DMASIM_API int dmasim_iova_bench_rows(const struct dmasim_iova_bench *bench, FILE *out,
				      struct dmasim_iova_error *error);

/* ---- Drawing ---------------------------------------------------------- */

struct dmasim_iova_drawing {
	const struct iova_allocator_ops *const *allocators;
	u32 allocator_count;
	const struct dmasim_iova_workload *workload;
	bool svg; /* an SVG file; else text */
};

/* Draws the space of each allocator after the workload. 0: done, else see error. */
DMASIM_API int dmasim_iova_draw(const struct dmasim_iova_drawing *what, FILE *out,
				struct dmasim_iova_error *error);

DMASIM_END_DECLS

#endif
