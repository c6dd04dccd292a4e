/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "iova.h"

static int bench(const struct iova_options *options)
{
	struct dmasim_iova_bench bench = {
		.allocators = options->allocator,
		.allocator_count = options->allocator_count,
		.row = options->row,
		.seed = options->workload.seed,
		.quick = options->quick,
	};
	struct dmasim_iova_error error;
	int err;

	if (options->csv_name) {
		bench.csv = fopen(options->csv_name, "w");
		if (!bench.csv)
			return cli_bad_input("iova: cannot write %s: %s", options->csv_name,
					     strerror(errno));
	}
	err = dmasim_iova_bench_rows(&bench, stdout, &error);
	if (bench.csv)
		fclose(bench.csv);
	return err ? cli_bad_input("iova: %s", error.text) : CLI_DONE;
}

static int run(const struct iova_options *options)
{
	if (options->verb == IOVA_BENCH)
		return bench(options);
	return cli_bad_input("iova: this verb is not here yet");
}

int cli_iova(int argc, char **argv)
{
	struct iova_options options = { 0 };
	int status = iova_read_arguments(argc, argv, &options);

	if (status < 0) {
		if (options.allocator_count == options.plugin_count)
			iova_choose_default(&options);
		status = run(&options);
	}
	iova_close(&options);
	return status;
}
