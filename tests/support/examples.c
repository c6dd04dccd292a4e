/* SPDX-License-Identifier: MIT */
#include "support/examples.h"

#include <stdio.h>
#include <stdlib.h>

void examples_of(struct dmasim *s)
{
	const char *path = getenv("DMASIM_EXAMPLES");
	FILE *file = path ? fopen(path, "a") : NULL;
	struct dmasim_report report;

	if (!file)
		return;
	for (u32 i = 0; dmasim_report_get(s, i, &report); i++)
		fprintf(file, "%s\n", report.text);
	fclose(file);
}
