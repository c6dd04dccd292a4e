/* SPDX-License-Identifier: MIT */
/*
 * The rows of facts "iova-and-page-tables" 6.4: what software changes, and what it must invalidate
 * then.
 */
#ifndef INVALIDATION_ROWS_H
#define INVALIDATION_ROWS_H

#include "invalidation/rig.h"

struct row {
	const char *name; /* as the facts have it */
	void (*before)(struct rig *rig);
	/* Writes the entries and tells so. */
	void (*change)(struct rig *rig);
	/* Appends the commands; NULL: none are needed, or there is no such way. */
	void (*right)(struct rig *rig);
	void (*narrow)(struct rig *rig);
	void (*disorder)(struct rig *rig);
	/* What the software says and does when it is over; `early`: what it must not do before. */
	void (*claim)(struct rig *rig);
	void (*early)(struct rig *rig);
};

extern const struct row row_map;
extern const struct row row_unmap;
extern const struct row row_unmap_two;
extern const struct row row_unlink;
extern const struct row row_large;
extern const struct row row_split;
extern const struct row row_restrict;
extern const struct row row_allow;
extern const struct row row_clean;
extern const struct row row_age;
extern const struct row row_grow;
extern const struct row row_move;

/* What is reported when a row is changed, these commands are waited for, and it is claimed. */
u64 row_after(const struct row *row, const struct arch *arch, const struct command *commands,
	      u32 count);

#endif
