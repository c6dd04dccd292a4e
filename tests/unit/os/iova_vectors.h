/* SPDX-License-Identifier: MIT */
/*
 * Every row of tests/data/iova-vectors.tsv: what Linux's allocator really answered, and the state
 * it was in then.
 */
#ifndef UNIT_OS_IOVA_VECTORS_H
#define UNIT_OS_IOVA_VECTORS_H

#include "iova_subject.h"

/* A test: the subject gives all of it. The folder is $DMASIM_TEST_DATA. */
void meet_the_vectors(struct iova_subject *subject);

#endif
