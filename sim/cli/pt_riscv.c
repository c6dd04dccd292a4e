/* SPDX-License-Identifier: MIT */
/*
 * RISC-V Sv39, Sv48, Sv57, and a G stage's x4 forms of them (facts "iova-and-page-tables" 2.5): the
 * bits as `dmasim walk` has them. What is not marked as accessed is no right less here.
 */
#include <dmasim/hw/riscv.h>

#include "pt_format.h"

#define PBMT (3ULL << RISCV_PTE_PBMT)
#define RWX  (RISCV_PTE_R | RISCV_PTE_W | RISCV_PTE_X)

/* Bits of leaves that are reserved where the extension is not there. */
static u64 extensions(const struct pt_layout *layout)
{
	return (layout->switches & PT_NAPOT ? 0 : RISCV_PTE_N) |
	       (layout->switches & PT_PBMT ? 0 : PBMT);
}

static void say_leaf(u64 entry, struct pt_said *said)
{
	static const char *const memory[] = { NULL, "not cacheable", "I/O" };
	u64 type = entry >> RISCV_PTE_PBMT & 3;
	u32 also = 0;

	said->rights = pt_rights(entry & RISCV_PTE_R, entry & RISCV_PTE_W, entry & RISCV_PTE_X);
	if (type)
		said->also[also++] = memory[type];
	if (!(entry & RISCV_PTE_U))
		said->also[also++] = "privileged";
	if (!(entry & RISCV_PTE_A))
		said->also[also] = "not accessed";
}

static struct pt_said say(const struct pt_layout *layout, u64 entry, u8 level)
{
	const struct walk_unit unit = { 0 };
	struct walk_said walk = walk_riscv.say(entry, level, &unit);
	struct pt_said said = pt_said_of(&walk);

	said.rights = "";
	if (entry & RISCV_PTE_V && entry & RWX && entry & extensions(layout)) {
		said.kind = WALK_MALFORMED;
		said.reserved |= entry & extensions(layout);
	}
	if (said.kind == WALK_LEAF)
		say_leaf(entry, &said);
	return said;
}

static struct pt_shape shape(const struct pt_layout *layout)
{
	bool guest = layout->stage == 2;
	struct pt_shape shape = {
		.title = guest ? "RISC-V second stage (x4)" : walk_riscv.title,
		.levels = 4,
		.levels_min = RISCV_LEVELS_MIN,
		.levels_max = RISCV_LEVELS_MAX,
		.pa_bits = RISCV_PA_BITS,
		.many_lg2 = layout->switches & PT_NAPOT ? RISCV_NAPOT_LG2 : 0,
		.sign_extends = !guest,
	};

	snprintf(shape.writer, sizeof(shape.writer), guest ? "riscv_g" : "riscv");
	return shape;
}

const struct pt_format pt_riscv = {
	.name = "riscv",
	.switches = PT_STAGE | PT_NAPOT | PT_PBMT | PT_LOWER_HALF,
	.shape = shape,
	.say = say,
	.walk = &walk_riscv,
};
