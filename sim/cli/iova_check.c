/* SPDX-License-Identifier: MIT */
#include "iova.h"

#include <string.h>

static bool is_check(const char *name)
{
	const char *known;

	for (u32 i = 0; (known = dmasim_iova_conform_check(i, NULL)); i++) {
		if (!strcmp(name, known))
			return true;
	}
	return false;
}

static u32 check_one(const struct iova_options *options, u32 index)
{
	const char *file = options->file[index];
	char command[512];
	struct dmasim_iova_conform_options conform = {
		DMASIM_IOVA_CONFORM,
		.seed = options->workload.seed,
		.scale_percent = options->scale_percent,
		.check = options->check,
		.command = command,
	};

	snprintf(command, sizeof(command), "dmasim iova check %s %s",
		 file ? "--plugin" : "--allocator", file ? file : options->allocator[index]->name);
	printf("# %s\n", options->allocator[index]->name);
	return dmasim_iova_conform(options->allocator[index], &conform, stdout);
}

int iova_check(const struct iova_options *options)
{
	u32 failed = 0;

	if (options->check && !is_check(options->check))
		return cli_bad_input("iova: no check '%s' (--help lists them)", options->check);
	for (u32 i = 0; i < options->allocator_count; i++)
		failed += check_one(options, i);
	return failed ? CLI_NEGATIVE : CLI_DONE;
}
