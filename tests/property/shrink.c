/* SPDX-License-Identifier: MIT */
#include "property/shrink.h"

#include <string.h>

#define RUNS_MAX 1500 /* spent on a shorter list of steps */

void shrink_steps(bool *skip, u32 steps, shrink_fails *fails, void *context)
{
	u32 spent = 0;

	for (u32 stretch = steps / 2; stretch; stretch /= 2) {
		for (u32 start = 0; start < steps && spent < RUNS_MAX; start += stretch, spent++) {
			u32 end = start + stretch < steps ? start + stretch : steps;
			bool before[SHRINK_STEPS_MAX];

			memcpy(before, skip, steps * sizeof(*skip));
			memset(skip + start, 1, end - start);
			if (!fails(context, skip))
				memcpy(skip, before, steps * sizeof(*skip));
		}
	}
}

bool shrink_is_same(const char *one, const char *two)
{
	return !strncmp(one, two, strcspn(one, ":") + 1);
}
