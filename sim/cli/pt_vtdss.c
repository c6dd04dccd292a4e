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
		.va_bits = 57,
		.pa_bits = 52,
	};
}

static struct pt_said say(const struct pt_layout *layout, u64 entry, u8 level)
{
	const struct walk_unit unit = { .no_1g = layout->switches & PT_NO_1G,
					.snoop = layout->switches & PT_SNOOP };
	struct walk_said said = walk_vtdss.say(entry, level, &unit);
	struct pt_said result = {
		.kind = said.kind,
		.phys = said.phys,
		.lg2 = said.page_lg2,
		.next = said.next,
		.rights = walk_permissions(said.read, said.write),
		.reserved = said.reserved,
		.wrong = said.wrong,
	};

	if (said.kind == WALK_LEAF && entry & VTD_SS_DIRTY)
		result.also[0] = "dirty";
	return result;
}

static struct pt_fields fields(const struct pt_layout *layout, u64 entry, u8 level)
{
	(void)layout;
	(void)entry;
	(void)level;
	return (struct pt_fields){ walk_vtdss.field, walk_vtdss.field_count, VTD_SS_ADDR_MASK };
}

const struct pt_format pt_vtdss = {
	.name = "vtdss",
	.switches = PT_NO_1G | PT_SNOOP | PT_FORCE_WRITE | PT_INCOHERENT,
	.shape = shape,
	.say = say,
	.fields = fields,
};
