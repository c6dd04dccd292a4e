/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <dmasim/iova.h>

/* A new allocator is one line here. */
const struct iova_allocator_ops *dmasim_iova_at(u32 index)
{
	const struct iova_allocator_ops *const known[] = {
		dmasim_iova_linux(),
		dmasim_iova_exact(),
		dmasim_iova_bitmap(),
	};

	return index < sizeof(known) / sizeof(known[0]) ? known[index] : NULL;
}

const struct iova_allocator_ops *dmasim_iova_by_name(const char *name)
{
	const struct iova_allocator_ops *ops;

	for (u32 i = 0; (ops = dmasim_iova_at(i)); i++) {
		if (!strcmp(ops->name, name))
			return ops;
	}
	return NULL;
}
