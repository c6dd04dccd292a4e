/* SPDX-License-Identifier: MIT */
/*
 * The machine that a subcommand works on: read from a file, or the one that it runs on.
 */
#include <string.h>

#include "cli.h"

#define HOST "--host"

bool cli_is_host(const char *argument)
{
	size_t length = sizeof(HOST) - 1;

	return !strncmp(argument, HOST, length) && (!argument[length] || argument[length] == '=');
}

static int import(struct dmasim *s, const char *file, const struct dmasim_import *how,
		  struct dmasim_error *notes)
{
	const char *root = strchr(file, '=');

	if (cli_is_host(file))
		return dmasim_import_host(s, root ? root + 1 : NULL, how, notes);
	return dmasim_import_lspci(s, file, how, notes);
}

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
	if (!import(s, file, how, notes))
		return s;
	cli_bad_input("%s", notes->text);
	dmasim_destroy(s);
	return NULL;
}

const char *cli_note(const char *at, size_t *length)
{
	const char *end;

	at += strspn(at, "; ");
	end = strstr(at, "; ");
	*length = end ? (size_t)(end - at) : strlen(at);
	return *length ? at : NULL;
}

void cli_notes(const struct dmasim_error *notes, FILE *to)
{
	const char *at = notes->text;
	size_t length;

	while ((at = cli_note(at, &length))) {
		fprintf(to, "note: %.*s\n", (int)length, at);
		at += length;
	}
}

bool cli_acs_known(struct dmasim *s)
{
	struct pci_dev *pdev;

	for (pdev = dmasim_next_dev(s, NULL); pdev; pdev = dmasim_next_dev(s, pdev)) {
		if (!dmasim_acs_known(pdev))
			return false;
	}
	return true;
}
