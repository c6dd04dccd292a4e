/* SPDX-License-Identifier: MIT */
/*
 * dmasim walk: translations step by step.
 *
 *   walk.c           the command: a machine, and what is done with it in the order of the arguments
 *   walk_args.c      arguments
 *   walk_check.c     which of them go together
 *   walk_place.c     an allocator that gives the IOVA that is asked for
 *   walk_print.c     a walk as text
 *   walk_format.c    page-table formats, by name; walk_vtdss.c, walk_amdv1.c: one each
 */
#ifndef CLI_WALK_H
#define CLI_WALK_H

#include <dmasim/walk.h>

#include "cli.h"
#include "walk_format.h"

#define WALK_STEPS_MAX 256

enum walk_step_kind {
	WALK_STEP_IOVA,
	WALK_STEP_MAP,
	WALK_STEP_UNMAP,
	WALK_STEP_POKE,
	WALK_STEP_ENTRY,
};

enum walk_poke { WALK_POKE_VALUE, WALK_POKE_SET, WALK_POKE_CLEAR };

struct walk_step {
	enum walk_step_kind kind;
	u64 iova;
	bool write; /* IOVA */
	u32 times;
	phys_addr_t phys; /* MAP */
	u64 bytes;	  /* and of the mapping that UNMAP ends */
	enum dma_data_direction dir;
	bool ended;	     /* MAP: an UNMAP among the steps ends it */
	u8 level;	     /* POKE, ENTRY */
	enum walk_poke poke; /* what becomes of the entry: */
	u64 value;	     /* this; or the number of the bit that is set or cleared */
};

struct walk_options {
	const struct walk_format *format;
	const char *bits; /* --bits: the format's name */
	u32 levels;	  /* 0: the format's own */
	struct walk_unit unit;
	bool caching_mode;
	u32 iotlb_entries;
	u32 walk_entries;
	u32 context_entries;
	u64 seed; /* 0: hardware does not choose by chance */
	const char *trace_name;
	bool machine_said; /* an option that only a machine heeds */
	u32 step_count;
	struct walk_step step[WALK_STEPS_MAX];
};

/* -1: run; else an exit status. */
int walk_read_arguments(int argc, char **argv, struct walk_options *options);

/* Completes levels, and what each step needs to know of others. 0, or an exit status. */
int walk_check(struct walk_options *options);

/* ---- IOVAs as they are asked for -------------------------------------- */

#define WALK_RESERVED_MAX 32

struct walk_place {
	struct iova_allocator_ops ops;
	u64 pfn; /* the next to be given; IOVA_NO_PFN: none */
	u32 reserved_count;
	struct iova_range reserved[WALK_RESERVED_MAX];
};

void walk_place_init(struct walk_place *place);

/* The range that nothing may be mapped in and this one touches; NULL: there is none. */
const struct iova_range *walk_place_reserved(const struct walk_place *place, u64 iova, u64 bytes);

/* ---- Text ------------------------------------------------------------- */

void walk_print(const struct walk_options *options, const struct dmasim_walk *walk, u64 iova);

#endif
