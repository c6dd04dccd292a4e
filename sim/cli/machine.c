/* SPDX-License-Identifier: MIT */
/*
 * The machine that a subcommand works on: read from a file.
 */
#include <string.h>

#include "cli.h"

struct dmasim *cli_machine(const char *command, const char *file,
			   const struct dmasim_config *config, const struct dmasim_import *how,
			   struct dmasim_error *notes)
{
	struct dmasim_config plain = { DMASIM_CONFIG };
	struct dmasim *s;

	if (config)
		plain = *config;
	if (!plain.seed)
		plain.seed = 1;
	s = dmasim_create(&plain);
	if (!s) {
		cli_bad_input("%s: no memory", command);
		return NULL;
	}
	if (!dmasim_import_lspci(s, file, how, notes))
		return s;
	cli_bad_input("%s", notes->text);
	dmasim_destroy(s);
	return NULL;
}

void cli_notes(const struct dmasim_error *notes, FILE *to)
{
	const char *at = notes->text;

	while (*at) {
		const char *end = strstr(at, "; ");
		int length = end ? (int)(end - at) : (int)strlen(at);

		fprintf(to, "note: %.*s\n", length, at);
		at += length + (end ? 2 : 0);
	}
}
