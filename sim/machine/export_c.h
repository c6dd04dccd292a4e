/* SPDX-License-Identifier: MIT */
#ifndef MACHINE_EXPORT_C_H
#define MACHINE_EXPORT_C_H

#include "machine/export.h"

/*
 * Writes the table of a function's registers that are not zero, by capabilities. Its name is NAME
 * and what export_put_table_name() puts.
 */
void export_put_registers(FILE *to, const char *name, const struct export_function *function);
void export_put_table_name(FILE *to, const char *name, const struct export_function *function);

/* False: all registers are zero; there is no table. */
bool export_has_registers(const struct export_function *function);

#endif
