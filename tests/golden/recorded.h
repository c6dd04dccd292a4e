/* SPDX-License-Identifier: MIT */
/*
 * Dumps in files: our own in tests/data (DMASIM_DATA), and those of real machines that others
 * recorded and published, which are no part of this project (DMASIM_SHARED). Without them the tests
 * of them skip.
 */
#ifndef GOLDEN_RECORDED_H
#define GOLDEN_RECORDED_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/expect.h"

struct recorded {
	struct dmasim *s;
	struct dmasim_error error;
	char path[4096];
};

static inline int recorded_setup(void **state)
{
	struct recorded *recorded = calloc(1, sizeof(*recorded));

	*state = recorded;
	return recorded ? 0 : -1;
}

static inline int recorded_teardown(void **state)
{
	struct recorded *recorded = *state;
	u64 leaks = dmasim_destroy(recorded->s);

	free(recorded);
	return leaks ? -1 : 0;
}

static inline void recorded_find(struct recorded *recorded, const char *file)
{
	snprintf(recorded->path, sizeof(recorded->path), "%s/data/lspci/%s",
		 getenv("DMASIM_SHARED"), file);
}

/* Becomes the machine at the path; config and how may be NULL. */
static inline void recorded_import_with(struct recorded *recorded,
					const struct dmasim_config *config,
					const struct dmasim_import *how)
{
	int err;

	dmasim_destroy(recorded->s);
	recorded->s = dmasim_create(config);
	assert_non_null(recorded->s);
	err = dmasim_import_lspci(recorded->s, recorded->path, how, &recorded->error);
	if (err)
		print_error("%s\n", recorded->error.text);
	expect_ok(err);
}

static inline void recorded_import(struct recorded *recorded, const struct dmasim_import *how)
{
	recorded_import_with(recorded, NULL, how);
}

/* Calls each(cookie) for every dump of a folder, with the dump's path in recorded->path. */
static inline void recorded_each_in(struct recorded *recorded, const char *folder,
				    void (*each)(void *cookie), void *cookie)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		size_t length = strlen(entry->d_name);

		if (length < 4 || strcmp(entry->d_name + length - 4, ".hex") != 0)
			continue;
		snprintf(recorded->path, sizeof(recorded->path), "%s/%s", folder, entry->d_name);
		each(cookie);
	}
	closedir(dir);
}

/* For our own dumps, and the recorded ones where they are. */
static inline void recorded_each(struct recorded *recorded, void (*each)(void *cookie),
				 void *cookie)
{
	const char *shared = getenv("DMASIM_SHARED");
	char folder[2048];

	recorded_each_in(recorded, getenv("DMASIM_DATA"), each, cookie);
	snprintf(folder, sizeof(folder), "%s/data/lspci", shared ? shared : "");
	if (shared)
		recorded_each_in(recorded, folder, each, cookie);
}

/* The next three are for TEST_MAIN_UNLESS(). */
static inline const char *dumps_missing(void)
{
	return getenv("DMASIM_DATA") ? NULL : "DMASIM_DATA is not set: meson test does";
}

static inline const char *lspci_missing(void)
{
	if (system("command -v lspci >/dev/null 2>&1") != 0)
		return "there is no lspci";
	return dumps_missing();
}

static inline const char *recorded_missing(void)
{
	return getenv("DMASIM_SHARED") ? NULL
				       : "the recorded machines are not here (DMASIM_SHARED)";
}

static inline struct pci_dev *recorded_dev(struct recorded *recorded, const char *bdf)
{
	struct pci_dev *pdev = dmasim_pci_dev(recorded->s, bdf);

	if (!pdev)
		print_error("nobody is at %s\n", bdf);
	assert_non_null(pdev);
	return pdev;
}

#define RECORDED_TEST(name) cmocka_unit_test_setup_teardown(name, recorded_setup, recorded_teardown)

#endif
