/* SPDX-License-Identifier: MIT */
/*
 * Becoming a machine that exists elsewhere: whatever it is read from, what follows is the same.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "machine/import.h"

bool import_address(const char *text, struct import_function *function)
{
	u32 domain = 0, bus, device, number;
	int end = 0;

	/* Of "3a:00.0" the first format reads a domain and a bus, and no more. */
	if (sscanf(text, "%8x:%2x:%2x.%1x%n", &domain, &bus, &device, &number, &end) != 4) {
		domain = 0;
		if (sscanf(text, "%2x:%2x.%1x%n", &bus, &device, &number, &end) != 3)
			return false;
	}
	if (!isxdigit((unsigned char)*text) || text[end] || device > 0x1f || number > 7)
		return false;
	function->domain = domain;
	function->bus = (u8)bus;
	function->devfn = (u8)PCI_DEVFN(device, number);
	return true;
}

static struct import_record *record_of(struct import *import,
				       const struct import_function *function)
{
	struct import_record *record;

	record = import_record_new(&import->s->world.memory, function->config,
				   function->config_bytes);
	if (!record)
		return NULL;
	record->domain = function->domain;
	record->bus = function->bus;
	record->devfn = function->devfn;
	record->line = function->line;
	return record;
}

static void free_function(struct import *import, struct import_function *function)
{
	import_record_free(&import->s->world.memory, function->record);
	import_free(import, function);
}

int import_add(struct import *import, const struct import_function *function)
{
	u32 bytes = function->config_bytes;
	struct import_function *kept;

	if (import->function_count == IMPORT_FUNCTIONS_MAX)
		return import_error(import, function->line, "expected at most %u functions",
				    IMPORT_FUNCTIONS_MAX);
	kept = import_alloc(import, sizeof(*kept) + bytes);
	if (!kept)
		return -ENOMEM;
	*kept = *function;
	kept->config = (u8 *)(kept + 1);
	memcpy(kept->config, function->config, bytes);
	if (RB_INSERT(import_functions, &import->functions, kept)) {
		import_free(import, kept);
		return import_error(import, function->line, "%s is there twice; expected once",
				    import_name(function).text);
	}
	import->function_count++;
	return 0;
}

/* Before anything is made of them. */
static int record_all(struct import *import)
{
	struct import_function *function;

	RB_FOREACH(function, import_functions, &import->functions) {
		function->record = record_of(import, function);
		if (!function->record)
			return -ENOMEM;
	}
	return 0;
}

static int run(struct import *import, int (*read)(struct import *import))
{
	int err = read(import);

	if (!err)
		err = record_all(import);
	if (!err)
		err = import_tree(import);
	if (err)
		return err;
	import_text_addresses(import);
	import_infer(import);
	import_vmd(import);
	err = import_windows(import);
	if (!err)
		err = import_told_ranges(import);
	return err ? err : import_become(import);
}

/* The records stay with the machine. */
static void keep_records(struct import *import)
{
	struct import_function *function;

	RB_FOREACH(function, import_functions, &import->functions) {
		STAILQ_INSERT_TAIL(&import->s->records, function->record, link);
		function->record = NULL;
	}
}

static void fini(struct import *import)
{
	struct import_function *function, *next;

	RB_FOREACH_SAFE(function, import_functions, &import->functions, next) {
		RB_REMOVE(import_functions, &import->functions, function);
		free_function(import, function);
	}
	while (!TAILQ_EMPTY(&import->roots)) {
		struct import_root *root = TAILQ_FIRST(&import->roots);

		TAILQ_REMOVE(&import->roots, root, link);
		import_free(import, root->span);
		import_free(import, root);
	}
}

int import_machine(struct import *import, int (*read)(struct import *import),
		   struct dmasim_error *error)
{
	struct dmasim *s = import->s;
	struct dmasim_error unwanted = { 0 };
	char notes[sizeof(error->text)];
	int err;

	machine_must_be_cold(s);
	DMASIM_CONTRACT(!s->imported && TAILQ_EMPTY(&s->hw.roots),
			"a machine takes one dump, and nothing else");
	error = error ? error : &unwanted;
	text_init(&import->error, error->text, sizeof(error->text));
	text_init(&import->notes, notes, sizeof(notes));
	RB_INIT(&import->functions);
	RB_INIT(&import->bridges);
	TAILQ_INIT(&import->roots);
	err = run(import, read);
	if (!err) {
		keep_records(import);
		s->imported_how = import->how;
		s->imported_how.ids = NULL;
	}
	fini(import);
	if (err == -ENOMEM)
		import_error(import, 0, "no memory for the machine");
	if (!err)
		text_add(&import->error, "%s", notes);
	return err;
}

int dmasim_import_lspci(struct dmasim *s, const char *file, const struct dmasim_import *how,
			struct dmasim_error *error)
{
	struct import import = { .s = s, .file = file };

	if (how)
		import.how = *how;
	return import_machine(&import, import_dump, error);
}
