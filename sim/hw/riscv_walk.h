/* SPDX-License-Identifier: MIT */
/*
 * RISC-V page tables, as an IOMMU reads them: one stage, or a first stage whose addresses a second
 * one (a G stage) translates, those of its tables among them.
 */
#ifndef HW_RISCV_WALK_H
#define HW_RISCV_WALK_H

#include "hw/walker.h"

struct hw;

/* One stage: its tables, and what the unit can do with them. */
struct hw_riscv_stage {
	const struct hw_walker *walker; /* where entries are fetched */
	phys_addr_t root;		/* of a first stage below a second: the second's address */
	u8 levels;			/* 3: Sv39, 4: Sv48, 5: Sv57 */
	bool guest;			/* a G stage: Sv39x4, Sv48x4, Sv57x4 */
	bool napot;			/* Svnapot */
	bool pbmt;			/* Svpbmt */
	bool software_bits;		/* Svrsw60t59b: two more bits are software's */
	struct hw *marks; /* where A and D are set; NULL: without them a page faults */
	const struct hw_riscv_stage *second; /* NULL: none */
};

struct hw_riscv_access {
	u64 iova;
	bool write;
	bool execute;
	bool supervisor; /* else a user's */
	bool sum;	 /* the supervisor may use a user's pages */
};

/* Translates an address. fault: a RISCV_CAUSE_. `step` has the first stage's tables. */
struct hw_walk hw_walk_riscv(const struct hw_riscv_stage *stage,
			     const struct hw_riscv_access *access);

/* The same; with walk->no_steps, which the caller sets or clears, the quicker way. */
void hw_walk_riscv_to(const struct hw_riscv_stage *stage, const struct hw_riscv_access *access,
		      struct hw_walk *walk);

/*
 * The same for a user from a table of one stage, `root` with so many levels, that reaches the
 * address: it may be one below the top.
 */
void hw_walk_riscv_from(const struct hw_riscv_stage *stage, u64 iova, bool write,
			struct hw_walk *walk);

/* True if the address is one that the stage has: its highest bit is repeated, or zeros follow. */
bool hw_walk_riscv_reaches(const struct hw_riscv_stage *stage, u64 iova);

/*
 * As the range walks of walker.h, of one stage alone, its addresses given as they are. read and
 * write are what a user may do; where nothing is marked, without marks. signs: the highest bit is
 * repeated above, as of a first stage from its top.
 */
void hw_walk_riscv_range(const struct hw_riscv_stage *stage, bool signs, u64 start, u64 last,
			 hw_walk_leaf *leaf, hw_walk_table *table, void *cookie);

/* See hw_arch.larger_page: of one stage whose entries nobody marks. */
bool hw_riscv_larger_page(const struct hw_riscv_stage *stage, u64 entry, struct hw_leaf *leaf);

#endif
