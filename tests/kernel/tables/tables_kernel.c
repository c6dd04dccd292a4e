/* SPDX-License-Identifier: MIT */
#include "tables_kernel.h"

#include <stdio.h>
#include <stdlib.h>

#include "standin.h"

static _Thread_local unsigned long warnings;

void standin_warn(void)
{
	warnings++;
}

void standin_bug(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: BUG: %s\n", file, line, what);
	abort();
}

unsigned long tables_kernel_warnings(void)
{
	return warnings;
}
