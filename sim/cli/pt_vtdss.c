/* SPDX-License-Identifier: MIT */
/*
 * VT-d second stage (facts "iova-and-page-tables" 2.2): the bits as `dmasim walk` has them.
 */
#include <dmasim/hw/vtd.h>

#include "pt_format.h"

static struct pt_shape shape(const struct pt_layout *layout)
{
	(void)layout;
	return (struct pt_shape){
		.title = walk_vtdss.title,
		.writer = "vtdss",
		.levels = 4,
		.levels_min = 3,
		.levels_max = 5,
		.pa_bits = 52,
	};
}

static struct pt_said say(const struct pt_layout *layout, u64 entry, u8 level)
{
	const struct walk_unit unit = { .no_1g = layout->switches & PT_NO_1G,
					.snoop = layout->switches & PT_SNOOP };
	struct walk_said said = walk_vtdss.say(entry, level, &unit);
	struct pt_said result = pt_said_of(&said);

	if (said.kind == WALK_LEAF && entry & VTD_SS_DIRTY)
		result.also[0] = "dirty";
	return result;
}

const struct pt_format pt_vtdss = {
	.name = "vtdss",
	.switches = PT_NO_1G | PT_SNOOP | PT_FORCE_WRITE | PT_INCOHERENT,
	.shape = shape,
	.say = say,
	.walk = &walk_vtdss,
};
