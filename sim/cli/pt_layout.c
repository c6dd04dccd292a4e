/* SPDX-License-Identifier: MIT */
#include "pt.h"

static const struct {
	u32 given;
	const char *option;
	u32 feature; /* PGTABLE_; 0: it is none */
} switches[] = {
	{ PT_NO_1G, "--no-1g", 0 },
	{ PT_SNOOP, "--snoop", 0 },
	{ PT_FORCE_WRITE, "--force-write", PGTABLE_FORCE_WRITE },
	{ PT_LOWER_HALF, "--lower-half", PGTABLE_LOWER_HALF },
	{ PT_CONTIGUOUS, "--contiguous", PGTABLE_CONTIGUOUS },
	{ PT_LPA2, "--lpa2", 0 },
	{ PT_DIRTY, "--dirty", PGTABLE_HW_DIRTY },
	{ PT_NON_SECURE, "--non-secure", PGTABLE_NON_SECURE },
	{ PT_FWB, "--fwb", PGTABLE_S2FWB },
	{ PT_BBML2, "--bbml2", PGTABLE_BBML2 },
	{ PT_NAPOT, "--napot", PGTABLE_NAPOT },
	{ PT_PBMT, "--pbmt", PGTABLE_PBMT },
	{ PT_INCOHERENT, "--incoherent", 0 },
	{ PT_STAGE, "--stage", 0 },
	{ PT_GRANULE, "--granule", 0 },
	{ PT_ENCRYPTED, "--encrypted", 0 },
	{ PT_CONCATENATE, "--concatenate", 0 },
};

#define SWITCHES (sizeof(switches) / sizeof(switches[0]))

static int check_format(const struct pt_options *options)
{
	for (size_t i = 0; i < SWITCHES; i++) {
		if (options->given & switches[i].given &&
		    !(options->format->switches & switches[i].given))
			return cli_bad_input("pt: %s has no %s (--help tells more)",
					     options->format->name, switches[i].option);
	}
	return 0;
}

/* Of Arm's stages. */
static int check_stage(const struct pt_options *options)
{
	static const u32 first = PT_DIRTY | PT_NON_SECURE;
	static const u32 second = PT_FWB | PT_CONCATENATE;
	u32 wrong = options->given & (options->layout.stage == 1 ? second : first);

	if (options->format != &pt_armv8)
		return 0;
	for (size_t i = 0; i < SWITCHES; i++) {
		if (wrong & switches[i].given)
			return cli_bad_input("pt: %s is of stage %u", switches[i].option,
					     3U - options->layout.stage);
	}
	if (options->given & PT_LPA2 && options->layout.granule_lg2 == 16)
		return cli_bad_input("pt: --lpa2 is of granules of 4K and 16K");
	return 0;
}

static int check_levels(const struct pt_options *options, const struct pt_shape *shape)
{
	u8 levels = options->layout.levels;

	if (levels >= shape->levels_min && levels <= shape->levels_max)
		return 0;
	return cli_bad_input("pt: %s has %u to %u levels, not %u", shape->title, shape->levels_min,
			     shape->levels_max, levels);
}

static u8 lg2_of(u32 power)
{
	return (u8)__builtin_ctz(power);
}

int pt_complete(struct pt_options *options)
{
	struct pt_layout *layout = &options->layout;
	struct pt_shape shape;
	int status = check_format(options);

	if (!status)
		status = check_stage(options);
	if (status)
		return status;
	layout->switches = options->given;
	/* The example shows them. */
	if (!options->step_count)
		layout->switches |= options->format->switches & (PT_CONTIGUOUS | PT_NAPOT);
	shape = options->format->shape(layout);
	if (!layout->levels)
		layout->levels = shape.levels;
	layout->pa_bits = shape.pa_bits;
	if (layout->encryption)
		layout->pa_bits = (u8)__builtin_ctzll(layout->encryption);
	if (options->concatenate)
		layout->top_extra_lg2 = lg2_of(options->concatenate);
	/* The root of a G stage has four times as many entries. */
	if (options->format == &pt_riscv && layout->stage == 2)
		layout->top_extra_lg2 = 2;
	return check_levels(options, &shape);
}

struct pgtable_config pt_config(const struct pt_options *options, struct dmasim *s)
{
	const struct pt_layout *layout = &options->layout;
	struct pt_shape shape = options->format->shape(layout);
	struct pgtable_config config = {
		.host = dmasim_pgtable_host(s),
		.encryption = layout->encryption,
		.levels = layout->levels,
		.levels_max = shape.grows ? shape.levels_max : 0,
		.top_extra_lg2 = layout->top_extra_lg2,
		.pa_bits = layout->pa_bits,
		.huge_1g = !(layout->switches & PT_NO_1G),
		.coherent = !(layout->switches & PT_INCOHERENT),
		.snoop = layout->switches & PT_SNOOP,
	};

	for (size_t i = 0; i < SWITCHES; i++) {
		if (layout->switches & switches[i].given)
			config.features |= switches[i].feature;
	}
	return config;
}
