/* SPDX-License-Identifier: MIT */
/*
 * Writing a machine down: what it was read from and what it has, in the order of addresses.
 */
#ifndef MACHINE_EXPORT_H
#define MACHINE_EXPORT_H

#include <stdio.h>

#include "machine/machine.h"

struct export_function {
	u32 domain;
	u8 bus;
	u8 devfn;
	u32 config_bytes;		    /* that are known */
	const struct import_record *record; /* NULL: it was built, or is of software's making */
	const struct hw_function *hw; /* NULL: it was read, and the machine does not have it */
};

struct export
{
	struct dmasim *s;
	u32 function_count;
	struct export_function *function;
};

/* 0 or -ENOMEM. export_fini() in any case. */
int export_init(struct export *export, struct dmasim *s);
void export_fini(struct export *export);

/* "0000:3a:00.0", with these two marks between the numbers. */
void export_put_name(FILE *to, const struct export_function *function, const char marks[2]);

/* Writes config_bytes of them: as they were read where nothing changed them since. */
void export_registers(const struct export_function *function, u8 *registers);

/* Hands all over to the file: 0, or -EIO: not all could be written. */
int export_end(FILE *to);

#endif
