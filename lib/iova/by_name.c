/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <dmasim/iova.h>

const struct iova_allocator_ops *dmasim_iova_by_name(const char *name)
{
	const struct iova_allocator_ops *const known[] = {
		dmasim_iova_linux(),
		dmasim_iova_exact(),
		dmasim_iova_bitmap(),
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!strcmp(known[i]->name, name))
			return known[i];
	}
	return NULL;
}
