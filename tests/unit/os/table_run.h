/* SPDX-License-Identifier: MIT */
/*
 * Random steps on one page table in a window of 1 GiB, beside a plain model (table_model.h). After
 * each step the hardware must see exactly what the model says, the calls must have returned it, and
 * as many tables must exist.
 */
#ifndef UNIT_OS_TABLE_RUN_H
#define UNIT_OS_TABLE_RUN_H

#include "formats.h"
#include "table_model.h"

#define RUN_WINDOW    ((u64)SZ_1G)
#define RUN_WINDOW_AT (5 * RUN_WINDOW) /* if nothing else is said */

struct run {
	struct format_fixture *fixture;
	struct model model;
	struct random random;
	u64 at;	    /* the window's first address */
	u64 others; /* tables that the model does not know: tops that were */
	u64 steps, refused, holes, large;
	u64 last_iova, last_bytes; /* of the map before; 0 bytes: none was done */
	u64 changed;		   /* a test's own count */
};

/* The fixture ends it. The window begins at a multiple of its size, and is not the last one. */
struct run *run_start(struct format_fixture *fixture);
struct run *run_start_at(struct format_fixture *fixture, u64 at);

/* As many tables must exist. */
void run_count_tables(const struct run *run);

u64 run_draw(struct run *run, u64 bound);
u64 run_draw_iova(struct run *run);
u64 run_draw_bytes(struct run *run); /* small numbers of pages far more often */

/* Bytes of the larger leaves: what a table of the smallest ones maps. */
u64 run_large(const struct run *run);

/* One step, on the model and the table. */
void run_map(struct run *run, u64 iova, phys_addr_t phys, u64 bytes);
void run_unmap(struct run *run, u64 iova, u64 bytes);
void run_step_map(struct run *run);
void run_step_unmap(struct run *run);

/* From one end of the window to the other, over all holes. */
void run_empty_the_window(struct run *run);

/* The range and what lies around it, as far as the window. */
void run_compare(struct run *run, u64 iova, u64 bytes);
void run_compare_gather(const struct run *run, u64 iova, const struct model_change *change);

#endif
