/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <dmasim/page-table.h>

#include "pgtable/formats.h"

/* A new format is one line here. */
const struct pgtable_ops *dmasim_pgtable_at(u32 index)
{
	static const struct pgtable_ops *const known[] = {
		&pgtable_amdv1,
		&pgtable_vtdss,
		&pgtable_x86_64,
		&pgtable_riscv,
		&pgtable_riscv_g,
		&pgtable_armv8_s1_4k,
		&pgtable_armv8_s1_16k,
		&pgtable_armv8_s1_64k,
		&pgtable_armv8_s1_4k_lpa2,
		&pgtable_armv8_s1_16k_lpa2,
		&pgtable_armv8_s2_4k,
		&pgtable_armv8_s2_16k,
		&pgtable_armv8_s2_64k,
		&pgtable_armv8_s2_4k_lpa2,
		&pgtable_armv8_s2_16k_lpa2,
		&pgtable_mock,
	};

	return index < sizeof(known) / sizeof(known[0]) ? known[index] : NULL;
}

const struct pgtable_ops *dmasim_pgtable_by_name(const char *name)
{
	const struct pgtable_ops *ops;

	for (u32 i = 0; (ops = dmasim_pgtable_at(i)); i++) {
		if (!strcmp(ops->name, name))
			return ops;
	}
	return NULL;
}
