/* SPDX-License-Identifier: MIT */
/*
 * Writing a machine down: its functions in the order of their addresses.
 */
#ifndef MACHINE_EXPORT_H
#define MACHINE_EXPORT_H

#include <stdio.h>

#include "machine/machine.h"

struct export_function {
	u32 domain;
	u8 bus;
	u8 devfn;
	u32 config_bytes;
	const u8 *config; /* the hardware's */
	const struct hw_function *hw;
};

struct export {
	struct dmasim *s;
	u32 function_count;
	struct export_function *function;
};

/* 0 or -ENOMEM. export_fini() in any case. */
int export_init(struct export *export, struct dmasim *s);
void export_fini(struct export *export);

/* Hands all over to the file: 0, or -EIO: not all could be written. */
int export_end(FILE *to);

#endif
