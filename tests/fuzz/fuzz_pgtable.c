/* SPDX-License-Identifier: MIT */
/*
 * Bytes as a program that uses a page table, of every format.
 *
 * Input: a case; 4 bytes of what is different from it, and of the window; then steps
 * (pgtable_steps.c) until the end. In one part all cases are of one kind.
 */
#include "pgtable.h"

#include <stdlib.h>

#include "unit/os/judges.h"

struct part {
	const struct format_case *const *cases;
	u32 count;
	u32 features;  /* that an input may turn over */
	bool any_size; /* some sizes of leaves may be left out */
};

static const struct format_case broken_case = {
	.ops = &pgtable_broken,
	.config = { .levels = 4, .pa_bits = 52, .coherent = true },
	.granule_lg2 = 12,
	.index_lg2 = 9,
	.walk = judge_vtdss_walk,
	.walk_range = judge_vtdss_walk_range,
};

/* clang-format off */
#define CASES(name, ...) static const struct format_case *const name[] = { __VA_ARGS__ }
CASES(amdv1, &format_amdv1_3, &format_amdv1_5, &format_amdv1_grows, &format_amdv1_sizes,
      &format_amdv1_grows_6, &format_amdv1_encrypted);
CASES(vtdss, &format_vtdss_4, &format_vtdss_5, &format_vtdss_3, &format_vtdss_no_1g,
      &format_vtdss_snoop);
CASES(x86_64, &format_x86_64_4, &format_x86_64_5, &format_x86_64_no_1g, &format_x86_64_encrypted);
CASES(riscv, &format_riscv_39, &format_riscv_48, &format_riscv_57);
CASES(riscv_g, &format_riscv_39x4, &format_riscv_48x4, &format_riscv_57x4);
CASES(armv8_s1_4k, &format_armv8_s1_4k, &format_armv8_s1_4k_bbm, &format_armv8_s1_4k_3);
CASES(armv8_s1_16k, &format_armv8_s1_16k, &format_armv8_s1_16k_bbm);
CASES(armv8_s1_64k, &format_armv8_s1_64k, &format_armv8_s1_64k_48);
CASES(armv8_s2, &format_armv8_s2_4k, &format_armv8_s2_16k, &format_armv8_s2_64k);
CASES(armv8_lpa2, &format_armv8_s2_4k_lpa2, &format_armv8_s2_16k_lpa2, &format_armv8_s1_4k_lpa2,
      &format_armv8_s1_16k_lpa2);
CASES(mock, &format_mock);
CASES(half_pages, &format_half_pages);
CASES(broken, &broken_case);
/* clang-format on */

#define PART(name, ...)                                           \
	{                                                         \
		name, sizeof(name) / sizeof(name[0]), __VA_ARGS__ \
	}
#define ARM_FEATURES (PGTABLE_CONTIGUOUS | PGTABLE_BBML2)

static const struct part parts[] = {
	PART(amdv1, 0, true),
	PART(vtdss, PGTABLE_FORCE_WRITE, true),
	PART(x86_64, PGTABLE_LOWER_HALF, true),
	PART(riscv, PGTABLE_NAPOT | PGTABLE_PBMT | PGTABLE_LOWER_HALF, true),
	PART(riscv_g, PGTABLE_NAPOT | PGTABLE_PBMT, true),
	PART(armv8_s1_4k, ARM_FEATURES | PGTABLE_HW_DIRTY, true),
	PART(armv8_s1_16k, ARM_FEATURES | PGTABLE_HW_DIRTY, true),
	PART(armv8_s1_64k, ARM_FEATURES | PGTABLE_HW_DIRTY, true),
	PART(armv8_s2, ARM_FEATURES, true),
	PART(armv8_lpa2, ARM_FEATURES, true),
	PART(mock, 0, true),
	PART(half_pages, 0, false),
	PART(broken, 0, false),
};

/* The last one is for a mistake. */
#define PARTS ((u32)(sizeof(parts) / sizeof(parts[0])) - 1)

/* ---- Beginning ------------------------------------------------------------------------------- */

/* 1 byte: of which part, and which of its cases. */
static const struct part *take_case(struct pgtable_fuzz *fuzz, struct bytes *bytes)
{
	u8 what = take8(bytes);
	u32 part = fuzz->run->part ? fuzz->run->part - 1U : what % PARTS;

	if (fuzz->run->canary == PGTABLE_BROKEN)
		part = PARTS;
	fuzz->run->variant = (u8)part;
	fuzz->format = *parts[part].cases[what / PARTS % parts[part].count];
	return &parts[part];
}

/* 3 bytes: what is unlike the case. */
static void take_options(struct pgtable_fuzz *fuzz, struct bytes *bytes, const struct part *part)
{
	struct pgtable_config *config = &fuzz->format.config;
	u8 what = take8(bytes);
	u16 sizes = (u16)take(bytes, 2);

	/* Their judge knows the lower half alone. */
	if (config->encryption)
		what &= 1;
	for (u32 bit = 0, turn = what >> 1; turn; bit++, turn >>= 1) {
		/* The n-th of those that there are. */
		u32 left = part->features;

		for (u32 skip = bit; skip && left; skip--)
			left &= left - 1;
		if (turn & 1)
			config->features ^= left & -left;
	}
	config->coherent ^= what & 1;
	if (part->any_size && sizes)
		config->page_sizes = (u64)sizes * 0x100010001ULL << 12 ^ (u64)sizes << 19;
}

/* 1 byte: how large the window is, and where. */
static void take_window(struct pgtable_fuzz *fuzz, struct bytes *bytes)
{
	struct model *model = &fuzz->model;
	u8 what = take8(bytes), width = format_width(fuzz->fixture);
	u8 lg2 = fuzz->format.granule_lg2 + (what & 0xe0 ? fuzz->format.index_lg2 + 2 : 18);

	*model = (struct model){ .bytes = 1ULL << lg2,
				 .sizes = fuzz->pt->page_sizes,
				 .granule_lg2 = fuzz->format.granule_lg2,
				 .index_lg2 = fuzz->format.index_lg2,
				 .levels = fuzz->pt->levels };
	switch (what & 3) {
	case 0:
		model->base = (u64)(what >> 2 & 7) << lg2;
		break;
	case 1: /* from the end of the table */
		model->base = (width < 64 ? 1ULL << width : 0) -
			      ((u64)(1 + (what >> 2 & 7) + (width == 64)) << lg2);
		break;
	case 2: /* in the middle: the first table is another's */
		model->base = 1ULL << (width - 1 - (what >> 2 & 3));
		break;
	default: /* in the upper half, if there is one */
		model->base = 5ULL << lg2;
		if (fuzz->format.signed_iova &&
		    !(fuzz->fixture->config.features & PGTABLE_LOWER_HALF))
			model->base = ((u64)(what >> 2 & 7) << lg2) - (1ULL << width);
	}
}

bool pgtable_begin(struct pgtable_fuzz *fuzz, struct bytes *bytes)
{
	const struct part *part = take_case(fuzz, bytes);
	void *state = &fuzz->format;

	take_options(fuzz, bytes, part);
	if (format_setup(&state))
		return false;
	fuzz->fixture = state;
	fuzz->ops = fuzz->format.ops;
	fuzz->pt = &fuzz->fixture->pt;
	take_window(fuzz, bytes);
	model_init(&fuzz->model);
	fuzz->mark = calloc(fuzz->model.bytes >> fuzz->model.granule_lg2, 1);
	fuzz->extra = 1;
	fuzz_feature(fuzz->run, PGTABLE_FEATURE_CASE, fuzz->fixture->config.features,
		     fuzz->pt->levels);
	return fuzz->mark;
}

/* Nothing is left: no table, no memory. */
void pgtable_end(struct pgtable_fuzz *fuzz)
{
	void *state = fuzz->fixture;

	free(fuzz->mark);
	model_fini(&fuzz->model);
	fuzz_check(fuzz->run, !format_teardown(&state), "tables or memory are left");
}

bool fuzz_pgtable(struct fuzz_run *run, const u8 *data, size_t size)
{
	struct bytes bytes = { data, size < FUZZ_INPUT_BYTES ? size : FUZZ_INPUT_BYTES };
	struct pgtable_fuzz fuzz = { .run = run };

	if (!pgtable_begin(&fuzz, &bytes)) {
		fuzz_check(run, false, "no table could be had");
		return false;
	}
	while (bytes.left && !fuzz_failed(run))
		pgtable_step(&fuzz, &bytes);
	pgtable_end(&fuzz);
	return !fuzz_failed(run);
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

static const struct fuzz_canary canaries[] = {
	{ "keeps-last", PGTABLE_KEEPS_LAST },
	{ "frees-early", PGTABLE_FREES_EARLY },
	{ "loses-table", PGTABLE_LOSES_TABLE },
	{ "broken-format", PGTABLE_BROKEN },
};

static const struct fuzz_part names[] = {
	{ "amdv1", 1 },	   { "vtdss", 2 },	 { "x86_64", 3 },	{ "riscv", 4 },
	{ "riscv_g", 5 },  { "armv8_s1_4k", 6 }, { "armv8_s1_16k", 7 }, { "armv8_s1_64k", 8 },
	{ "armv8_s2", 9 }, { "armv8_lpa2", 10 }, { "mock", 11 },	{ "half_pages", 12 },
};

static const u8 pieces[][FUZZ_PIECE_BYTES] = {
	{ 6, 0x00, 0x00, 0x70, 0x00, 0x41, 0x00 }, /* two large leaves */
	{ 6, 0x00, 0x01, 0x00, 0x00, 0x05, 0x00 }, /* small ones */
	{ 6, 0x0f, 0x01, 0x70, 0x00, 0x00, 0x00 }, /* many that could be one */
	{ 4, 0x05, 0x00, 0xe0, 0x41 },		   /* an unmap from where the last map began */
	{ 4, 0x06, 0x00, 0x00, 0x00 },		   /* of all of it */
	{ 4, 0x08, 0x05, 0xf0, 0x00 },		   /* a cut in it */
	{ 4, 0x09, 0x00, 0xe0, 0x41 },		   /* a collapse */
	{ 4, 0xa8, 0x05, 0xf0, 0x00 },		   /* a cut without memory */
	{ 4, 0x0b, 0x03, 0xf0, 0x00 },		   /* a mark */
	{ 4, 0x0d, 0x00, 0xe0, 0x41 },		   /* read and cleared */
	{ 4, 0x0e, 0x00, 0x6c, 0x00 },		   /* a page near the table's end */
};

const struct fuzz_target fuzz_pgtable_target = {
	.name = "pgtable",
	.run = fuzz_pgtable,
	.canary = canaries,
	.canaries = sizeof(canaries) / sizeof(canaries[0]),
	.part = names,
	.parts = sizeof(names) / sizeof(names[0]),
	.piece = pieces,
	.pieces = sizeof(pieces) / sizeof(pieces[0]),
};
