/* SPDX-License-Identifier: MIT */
#include "iova.h"

#include <errno.h>
#include <string.h>

/* ---- Files ------------------------------------------------------------ */

static int open_for_writing(const char *name, FILE **file)
{
	*file = NULL;
	if (!name)
		return 0;
	*file = fopen(name, "w");
	return *file ? 0 : cli_bad_input("iova: cannot write %s: %s", name, strerror(errno));
}

/* Returns the status, or another if the file is not whole and nothing was told so far. */
static int close_written(const char *name, FILE *file, int status)
{
	bool lost;

	if (!file)
		return status;
	errno = 0;
	lost = fflush(file) || ferror(file);
	lost |= fclose(file) != 0;
	if (!lost || status == CLI_BAD_INPUT)
		return status;
	return cli_bad_input("iova: cannot write %s: %s", name,
			     errno ? strerror(errno) : "not all was written");
}

/* ---- The workload ----------------------------------------------------- */

static struct dmasim_iova_workload *read_trace(const char *name, struct dmasim_iova_error *error)
{
	struct dmasim_iova_workload *workload;
	FILE *in = fopen(name, "r");

	if (!in) {
		snprintf(error->text, sizeof(error->text), "%.256s: %s", name, strerror(errno));
		return NULL;
	}
	workload = dmasim_iova_workload_read(in, name, error);
	fclose(in);
	return workload;
}

static int record(const struct iova_options *options, const struct dmasim_iova_workload *workload)
{
	FILE *out;
	int status = open_for_writing(options->record_name, &out);

	if (status || !out)
		return status;
	dmasim_iova_workload_write(workload, out);
	return close_written(options->record_name, out, CLI_DONE);
}

/* NULL: *status is the exit status, after one line on stderr. */
static struct dmasim_iova_workload *get_workload(const struct iova_options *options, int *status)
{
	struct dmasim_iova_workload_config config = options->workload;
	struct dmasim_iova_workload *workload;
	struct dmasim_iova_error error;

	if (!config.name)
		config.name = "mixed";
	config.brief = options->verb == IOVA_DRAW;
	workload = options->replay_name ? read_trace(options->replay_name, &error)
					: dmasim_iova_workload_create(&config, &error);
	if (!workload) {
		*status = cli_bad_input("%s", error.text);
		return NULL;
	}
	*status = record(options, workload);
	if (!*status)
		return workload;
	dmasim_iova_workload_destroy(workload);
	return NULL;
}

/* ---- Verbs ------------------------------------------------------------ */

static int draw(const struct iova_options *options)
{
	struct dmasim_iova_drawing drawing = {
		.allocators = options->allocator,
		.allocator_count = options->allocator_count,
		.svg = options->svg,
	};
	struct dmasim_iova_workload *workload;
	struct dmasim_iova_error error;
	int status, err;

	workload = get_workload(options, &status);
	if (!workload)
		return status;
	drawing.workload = workload;
	err = dmasim_iova_draw(&drawing, stdout, &error);
	dmasim_iova_workload_destroy(workload);
	return err ? cli_bad_input("iova: %s", error.text) : CLI_DONE;
}

static int bench(const struct iova_options *options)
{
	struct dmasim_iova_bench bench = {
		.allocators = options->allocator,
		.allocator_count = options->allocator_count,
		.row = options->row,
		.seed = options->workload.seed,
		.quick = options->quick,
		.patience_s = options->patience_s,
	};
	struct dmasim_iova_workload *workload = NULL;
	struct dmasim_iova_error error;
	int status = 0, err;

	if (options->row && !dmasim_iova_bench_has_row(options->row, options->quick))
		return cli_bad_input("iova: no row's name holds '%s'%s", options->row,
				     options->quick ? " in quick runs" : "");
	if (options->workload.name || options->replay_name) {
		workload = get_workload(options, &status);
		if (!workload)
			return status;
	}
	status = open_for_writing(options->csv_name, &bench.csv);
	if (!status) {
		err = workload ? dmasim_iova_bench_one(&bench, workload, stdout, &error)
			       : dmasim_iova_bench_rows(&bench, stdout, &error);
		if (err)
			status = cli_bad_input("iova: %s", error.text);
		status = close_written(options->csv_name, bench.csv, status);
	}
	dmasim_iova_workload_destroy(workload);
	return status;
}

int cli_iova(int argc, char **argv)
{
	struct iova_options options = { 0 };
	int status = iova_read_arguments(argc, argv, &options);

	if (status < 0) {
		if (!options.chosen)
			iova_choose_default(&options);
		status = options.verb == IOVA_DRAW    ? draw(&options)
			 : options.verb == IOVA_BENCH ? bench(&options)
						      : iova_check(&options);
	}
	iova_close(&options);
	return status;
}
