/* SPDX-License-Identifier: MIT */
/*
 * A page-table format of the tests' own; see formats.h. Its judge shares nothing with the library.
 *
 *   63       60      50                11   3 2 1 0
 *   leaf     flushed address                  T W R      T: it points to a table
 */
#ifndef UNIT_OS_HALF_PAGES_H
#define UNIT_OS_HALF_PAGES_H

#include "formats.h"

extern const struct pgtable_ops pgtable_half_pages;

struct seen half_pages_walk(const struct format_fixture *fixture, u64 iova);
void half_pages_walk_range(const struct format_fixture *fixture, u64 start, u64 last,
			   seen_leaf_fn *leaf, void *cookie);

#endif
