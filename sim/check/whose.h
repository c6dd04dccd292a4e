/* SPDX-License-Identifier: MIT */
/*
 * Whose memory it is that a device has reached, in words.
 */
#ifndef CHECK_WHOSE_H
#define CHECK_WHOSE_H

#include "check/check.h"
#include "world/text.h"

/*
 * A line of a report's block about the memory where an access went: a live mapping's, a copy of a
 * buffer, or nobody's, free or in use. past: the mapping that was over by then; NULL: none.
 */
void whose_text(struct check *check, struct text *text, const struct hw_target *target,
		const struct owner_past *past);

#endif
