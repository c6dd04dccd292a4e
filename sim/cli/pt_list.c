/* SPDX-License-Identifier: MIT */
/*
 * All formats side by side, as their own code describes them: tables are made to be asked.
 */
#include <stdlib.h>

#include "pt.h"

struct listed {
	const struct pt_format *format;
	u32 given;
	u8 stage;
	u8 granule_lg2;
	const char *name;
};

static const struct listed rows[] = {
	{ &pt_amdv1, 0, 1, 12, NULL },
	{ &pt_vtdss, 0, 1, 12, NULL },
	{ &pt_x86_64, 0, 1, 12, NULL },
	{ &pt_armv8, PT_CONTIGUOUS, 1, 12, NULL },
	{ &pt_armv8, PT_CONTIGUOUS, 1, 14, NULL },
	{ &pt_armv8, PT_CONTIGUOUS, 1, 16, NULL },
	{ &pt_armv8, PT_CONTIGUOUS | PT_LPA2, 1, 12, "armv8 --lpa2" },
	{ &pt_armv8, PT_CONTIGUOUS | PT_LPA2, 1, 14, "armv8 --lpa2" },
	{ &pt_riscv, PT_NAPOT, 1, 12, NULL },
	{ &pt_riscv, PT_NAPOT, 2, 12, NULL },
};

/* An empty table of so many levels. False: no memory. */
static bool ask(struct dmasim *s, struct pt_options *options, u8 levels, struct pgtable *pt)
{
	struct pt_shape shape = options->format->shape(&options->layout);
	const struct pgtable_ops *ops = dmasim_pgtable_by_name(shape.writer);
	struct pgtable_config config;

	options->layout.levels = levels;
	config = pt_config(options, s);
	config.levels_max = 0;
	if (ops->init(pt, &config))
		return false;
	ops->fini(pt);
	return true;
}

static bool print_row(struct dmasim *s, const struct listed *listed, struct pt_options *options)
{
	static const char *const stages[] = { "1", "2" };
	struct pt_layout *layout = &options->layout;
	char sizes[PT_HEAD_BYTES];
	struct pgtable least, most;
	struct pt_shape shape;

	*options = (struct pt_options){ .format = listed->format };
	layout->switches = listed->given;
	layout->stage = listed->stage;
	layout->granule_lg2 = listed->granule_lg2;
	shape = listed->format->shape(layout);
	layout->pa_bits = shape.pa_bits;
	layout->top_extra_lg2 = listed->format == &pt_riscv && listed->stage == 2 ? 2 : 0;
	if (!ask(s, options, shape.levels_min, &least) || !ask(s, options, shape.levels_max, &most))
		return false;
	printf("%-12s  %-5s  %6uK  %u to %u  %2u to %2u   %4u  %s\n",
	       listed->name ? listed->name : listed->format->name,
	       listed->format->switches & PT_STAGE ? stages[listed->stage - 1] : "-",
	       1U << (layout->granule_lg2 - 10), shape.levels_min, shape.levels_max, least.va_bits,
	       most.va_bits, shape.pa_bits, pt_sizes_text(most.page_sizes, sizes));
	return true;
}

int pt_list(void)
{
	struct dmasim *s = dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG });
	struct pt_options *options = calloc(1, sizeof(*options));
	bool all = s && options;

	if (all)
		printf("format        stage  granule  levels  IOVA bits  phys  leaves\n");
	for (size_t i = 0; all && i < sizeof(rows) / sizeof(rows[0]); i++)
		all = print_row(s, &rows[i], options);
	free(options);
	dmasim_destroy(s);
	if (!all)
		return cli_bad_input("pt: no memory");
	fputs("\nLeaves: of the most levels; of armv8 with --contiguous, of riscv with --napot. "
	      "The second\nstage of armv8 has the sizes of its first.\n",
	      stdout);
	return CLI_DONE;
}
