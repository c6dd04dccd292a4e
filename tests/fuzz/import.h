/* SPDX-License-Identifier: MIT */
/*
 * Targets that import: what each writes files of, and mistakes that are put in.
 */
#ifndef FUZZ_IMPORT_H
#define FUZZ_IMPORT_H

#include "fuzz.h"

enum import_canary {
	IMPORT_SOUND,
	IMPORT_KEEPS_FUNCTION, /* of a refused file something stays */
	IMPORT_LOSES_LINE,     /* errors do not say where */
};

struct import_lines {
	const char *const *line;
	u32 count;
};

/* One run on a file made of these lines as the input says. */
bool fuzz_import(struct fuzz_run *run, const u8 *data, size_t size,
		 const struct import_lines *lines);

#endif
