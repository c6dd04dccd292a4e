/* SPDX-License-Identifier: MIT */
/* Writes the machine of built.h as C. */
#include "golden/built.h"

int main(void)
{
	struct dmasim *s = build_by_path();
	int err = dmasim_export_c(s, stdout, "build_machine");

	dmasim_destroy(s);
	return err ? 1 : 0;
}
