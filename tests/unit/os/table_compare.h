/* SPDX-License-Identifier: MIT */
/*
 * What hardware sees of a window beside what the model says of it.
 */
#ifndef UNIT_OS_TABLE_COMPARE_H
#define UNIT_OS_TABLE_COMPARE_H

#include "formats.h"
#include "table_model.h"

/* A stretch that lies in the model's window: every leaf, its size and its rights, every hole. */
struct table_compare {
	const struct format_fixture *fixture;
	const struct model *model;
	u64 cursor;    /* the first address that no leaf was seen for */
	char why[160]; /* the first difference */
};

/* False, and why, if they differ in [start, end). */
bool table_compare(struct table_compare *compare, u64 start, u64 end);

#endif
