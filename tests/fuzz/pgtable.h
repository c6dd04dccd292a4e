/* SPDX-License-Identifier: MIT */
/*
 * The target of page tables: what it keeps beside a table, and its steps.
 *
 * A window of addresses has a plain model, which unit tests have, too; the format's judge reads
 * what is in memory as hardware does. After each step both must agree on what the step touched, the
 * call must have returned what the model says, and as many tables must exist.
 */
#ifndef FUZZ_PGTABLE_H
#define FUZZ_PGTABLE_H

#include <errno.h>

#include "unit/os/formats.h"
#include "unit/os/table_model.h"

#include "fuzz.h"

enum pgtable_canary {
	PGTABLE_SOUND = 0,
	PGTABLE_KEEPS_LAST,  /* an unmap leaves its last page */
	PGTABLE_FREES_EARLY, /* an unmap frees tables that hardware may still walk */
	PGTABLE_LOSES_TABLE, /* a map without memory forgets a table */
	PGTABLE_BROKEN,	     /* a format whose large leaves are not as they were asked for */
};

enum pgtable_feature {
	PGTABLE_FEATURE_STEP = 1,
	PGTABLE_FEATURE_CASE,
	PGTABLE_FEATURE_LEAF,
	PGTABLE_FEATURE_GATHER,
	PGTABLE_FEATURE_ODD,
	PGTABLE_FEATURE_RESULT,
	PGTABLE_FEATURE_MARKS,
};

/* What is known of a page's mark. */
enum pgtable_mark { MARK_UNKNOWN = 0, MARK_CLEAN, MARK_DIRTY };

struct pgtable_fuzz {
	struct fuzz_run *run;
	struct format_case format;
	struct format_fixture *fixture;
	const struct pgtable_ops *ops;
	struct pgtable *pt;
	struct model model;
	u8 *mark;  /* enum pgtable_mark, by page */
	u64 extra; /* tables that the model does not know: the top, and those outside */
	u32 step;
	u8 what;		   /* it is, as the input says */
	u64 last_iova, last_bytes; /* of the last map */
	u8 nth;			   /* the allocation that is to fail; 0: none */
	bool failed;		   /* it did */
};

/* What an input's first bytes choose; false: no memory. */
bool pgtable_begin(struct pgtable_fuzz *fuzz, struct bytes *bytes);
void pgtable_end(struct pgtable_fuzz *fuzz);

/* One step: its kind, then what it reads. */
void pgtable_step(struct pgtable_fuzz *fuzz, struct bytes *bytes);

/* A range that a table refuses, or an address outside the window. */
void pgtable_odd(struct pgtable_fuzz *fuzz, struct bytes *bytes);

/* ---- Calls, with the mistakes that are put in ------------------------------------------------ */

int pgtable_map(struct pgtable_fuzz *fuzz, u64 iova, phys_addr_t phys, u64 bytes, u32 prot,
		u64 *mapped);
u64 pgtable_unmap(struct pgtable_fuzz *fuzz, u64 iova, u64 bytes);

/* The gather is empty, and what was unlinked before is freed. */
void pgtable_invalidate(struct pgtable_fuzz *fuzz);

/* ---- Looking --------------------------------------------------------------------------------- */

u64 pgtable_granule(const struct pgtable_fuzz *fuzz);
/* What the smallest table maps. */
u64 pgtable_large(const struct pgtable_fuzz *fuzz);
/* Rights and attributes, as far as the format keeps them. */
u32 pgtable_shown(const struct pgtable_fuzz *fuzz, u32 prot);

struct seen pgtable_walk(const struct pgtable_fuzz *fuzz, u64 iova);

/* The range, and what lies around it in the window. */
void pgtable_compare(struct pgtable_fuzz *fuzz, u64 iova, u64 bytes);
/* As many tables exist as the model has, and `more` on the gather's list. */
void pgtable_compare_tables(struct pgtable_fuzz *fuzz);
void pgtable_compare_gather(struct pgtable_fuzz *fuzz, u64 iova, const struct model_change *change);

/* A table that grows has more levels than the model has. */
void pgtable_grown(struct pgtable_fuzz *fuzz);

/* ---- Marks ----------------------------------------------------------------------------------- */

bool pgtable_has_marks(const struct pgtable_fuzz *fuzz);
void pgtable_set_marks(struct pgtable_fuzz *fuzz, u64 iova, u64 bytes, enum pgtable_mark mark);
void pgtable_step_mark(struct pgtable_fuzz *fuzz, u64 iova);
void pgtable_step_read_marks(struct pgtable_fuzz *fuzz, u64 iova, u64 bytes, bool clear);
/* A leaf was cut, or became part of a larger one. */
void pgtable_reshape_marks(struct pgtable_fuzz *fuzz, u64 iova, u64 bytes);

/* The format that a mistake is in. */
extern const struct pgtable_ops pgtable_broken;

#endif
