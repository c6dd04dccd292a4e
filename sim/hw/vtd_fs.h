/* SPDX-License-Identifier: MIT */
/*
 * VT-d first-stage tables (vtd_fs.c): an access to them says more than one to a second stage.
 */
#ifndef HW_VTD_FS_H
#define HW_VTD_FS_H

#include "hw/walker.h"

struct hw_fs_access {
	u64 iova;
	bool write;
	bool execute;
	bool privileged;    /* the supervisor's: U/S does not bind it */
	bool write_protect; /* but R/W does */
};

/* True if the address is canonical for tables of so many levels. */
bool hw_walk_vtd_fs_reaches(u8 levels, u64 iova);

/*
 * Translates a canonical address. read and write of the result are what a request without privilege
 * may do. Marks nothing; see walk_mark.h.
 */
struct hw_walk hw_walk_vtd_fs_from(const struct hw_walker *walker,
				   const struct hw_walk_start *start,
				   const struct hw_fs_access *access);

/*
 * As in walker.h. read and write are what a privileged request may do. levels may have
 * HW_BELOW_TOP.
 */
void hw_walk_vtd_fs_range(const struct hw_walker *walker, phys_addr_t root, u8 levels, u64 start,
			  u64 last, hw_walk_leaf *leaf, hw_walk_table *table, void *cookie);

#endif
