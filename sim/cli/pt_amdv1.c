/* SPDX-License-Identifier: MIT */
/*
 * AMD's v1 host tables (facts "iova-and-page-tables" 2.1): the bits as `dmasim walk` has them.
 */
#include <dmasim/hw/amd.h>

#include "pt_format.h"

static struct pt_shape shape(const struct pt_layout *layout)
{
	(void)layout;
	return (struct pt_shape){
		.title = walk_amdv1.title,
		.writer = "amdv1",
		.levels = 3,
		.levels_min = AMD_MODE_MIN,
		.levels_max = AMD_MODE_MAX,
		.grows = true,
		.pa_bits = 52,
		.many_lg2 = 16, /* each of 16 entries holds the same word */
	};
}

static struct pt_said say(const struct pt_layout *layout, u64 entry, u8 level)
{
	const struct walk_unit unit = { 0 };
	struct walk_said said = walk_amdv1.say(entry & ~layout->encryption, level, &unit);
	struct pt_said result = pt_said_of(&said);
	u32 also = 0;

	if (said.kind == WALK_LEAF && entry & AMD_V1_DIRTY)
		result.also[also++] = "dirty";
	if (entry & layout->encryption)
		result.also[also++] = "encrypted";
	return result;
}

const struct pt_format pt_amdv1 = {
	.name = "amdv1",
	.switches = PT_SNOOP | PT_INCOHERENT | PT_ENCRYPTED,
	.shape = shape,
	.say = say,
	.walk = &walk_amdv1,
};
