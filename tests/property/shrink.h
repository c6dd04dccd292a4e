/* SPDX-License-Identifier: MIT */
/*
 * A failed run of many steps, made short: ever smaller stretches of steps are left out while it
 * still fails in the same way.
 */
#ifndef PROPERTY_SHRINK_H
#define PROPERTY_SHRINK_H

#include <dmasim/types.h>

#define SHRINK_STEPS_MAX 1000

/* Does the run without the steps that are marked; true: it fails as it did. */
typedef bool shrink_fails(void *context, const bool *skip);

/* Marks as many of the steps as can be left out; `steps` <= SHRINK_STEPS_MAX. */
void shrink_steps(bool *skip, u32 steps, shrink_fails *fails, void *context);

/* Two messages begin with the same words, up to the first colon. */
bool shrink_is_same(const char *one, const char *two);

#endif
