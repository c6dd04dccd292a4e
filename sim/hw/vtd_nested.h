/* SPDX-License-Identifier: MIT */
/*
 * VT-d's nested translation: a first stage whose addresses a second stage translates, those of its
 * tables among them (facts "iova-and-page-tables" 2.2, 2.3 and 2.6).
 *
 *   IOVA --> first stage --> an address of the second stage --> memory
 *              |  tables: 4 or 5, each found through the second stage's 3 to 5
 */
#ifndef HW_VTD_NESTED_H
#define HW_VTD_NESTED_H

#include "hw/vtd_fs.h"

struct hw;

/* The second stage, and what of both is marked. */
struct hw_nested {
	phys_addr_t second; /* its top table */
	u8 second_levels;   /* 3 to 5 */
	u8 first_levels;    /* 4 or 5: what is the first stage's top is told apart */
	bool track;	    /* SSADE: its A and D, too */
	bool ext_accessed;  /* EAFE: the first stage's EA beside A */
};

/*
 * Translates a canonical address. The table of `start`, and those of the steps, are addresses of
 * the second stage; `reads` counts the entries of both. read and write of the result are what a
 * request without privilege may do, by both. Marks nothing.
 *
 * With walk->no_steps, which the caller sets or clears, a quicker way is tried: walk->accessed then
 * says that it was gone, and that nothing is left to mark; the steps are not set. Else it is false.
 */
void hw_walk_vtd_nested_to(const struct hw_walker *walker, const struct hw_nested *nested,
			   const struct hw_walk_start *start, const struct hw_fs_access *access,
			   struct hw_walk *walk);

/*
 * Accessed and dirty bits of what a walk with steps has used, as it is now: all of it, or with a
 * fault nothing. `hw` NULL: nothing is set. A fault, or 0; *dirty: a write needs to set nothing
 * more.
 */
u8 hw_mark_vtd_nested(const struct hw_walker *walker, struct hw *hw, const struct hw_nested *nested,
		      const struct hw_fs_access *access, const struct hw_walk *walk, bool *dirty);

#endif
