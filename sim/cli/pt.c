/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "pt.h"

/* Of tables: more than anybody reads. */
#define RAM_BYTES (16ULL << 20)

static bool is_malformed(const struct pt_tree *tree)
{
	for (u32 i = 0; i < tree->row_count; i++) {
		if (tree->row[i].said.kind == WALK_MALFORMED)
			return true;
	}
	for (u32 i = 0; i < tree->node_count; i++) {
		if (tree->node[i].lost)
			return true;
	}
	return false;
}

static int print(const struct pt_bench *bench, const struct pt_tree *tree, const char *said)
{
	struct dmasim_costs costs = dmasim_costs(bench->machine);

	if (bench->options->svg) {
		if (!pt_print_svg(tree, said, stdout))
			return cli_bad_input("pt: no memory");
	} else {
		pt_print_head(tree);
		pt_print_said(said);
		printf("\n");
		pt_print_tree(tree);
		if (bench->options->costs)
			pt_print_costs(tree, &costs);
	}
	return bench->negative || is_malformed(tree) ? CLI_NEGATIVE : CLI_DONE;
}

/* What operations say of themselves is in memory: a picture has it below. */
static int run(struct pt_bench *bench)
{
	struct pt_tree tree = { 0 };
	size_t length;
	char *said = NULL;
	FILE *out = open_memstream(&said, &length);
	bool whole = out;
	int status;

	for (u32 i = 0; out && i < bench->options->step_count; i++)
		pt_do(bench, &bench->options->step[i], out);
	if (out)
		whole = !ferror(out) && !fclose(out);
	status = whole ? pt_tree_read(&tree, bench) : cli_bad_input("pt: no memory");
	if (!status)
		status = print(bench, &tree, said);
	pt_tree_free(&tree);
	free(said);
	pt_undo_pokes(bench);
	return status;
}

static int with_machine(struct pt_options *options)
{
	struct pt_shape shape = options->format->shape(&options->layout);
	struct pt_bench bench = { .options = options, .ops = dmasim_pgtable_by_name(shape.writer) };
	struct pgtable_config config;
	int status;

	bench.machine =
		dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .ram_bytes = RAM_BYTES });
	if (!bench.machine)
		return cli_bad_input("pt: no memory");
	iommu_iotlb_gather_init(&bench.gather);
	config = pt_config(options, bench.machine);
	if (bench.ops->init(&bench.pt, &config)) {
		status = cli_bad_input("pt: no memory");
	} else {
		if (!options->step_count)
			pt_add_example(options);
		status = run(&bench);
		bench.ops->fini(&bench.pt);
	}
	dmasim_destroy(bench.machine);
	return status;
}

int cli_pt(int argc, char **argv)
{
	struct pt_options *options;
	int status;

	if (argc > 1 && !strcmp(argv[1], "list"))
		return argc == 2 ? pt_list()
				 : cli_bad_input("pt: unexpected argument '%s'", argv[2]);
	options = calloc(1, sizeof(*options));
	if (!options)
		return cli_bad_input("pt: no memory");
	options->layout.stage = 1;
	options->layout.granule_lg2 = 12;
	status = pt_read_arguments(argc, argv, options);
	if (status < 0)
		status = with_machine(options);
	free(options);
	return status;
}
