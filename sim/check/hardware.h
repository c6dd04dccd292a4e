/* SPDX-License-Identifier: MIT */
/*
 * What hardware does, or would do, after such a mistake: one line of the block, where there is one
 * to say.
 */
#ifndef CHECK_HARDWARE_H
#define CHECK_HARDWARE_H

#include "check/explain.h"

void hardware_add(struct check *check, struct text *text, const struct finding *finding);

#endif
