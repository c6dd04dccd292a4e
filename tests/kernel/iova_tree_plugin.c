// SPDX-License-Identifier: MIT
/* What `dmasim iova --plugin` asks a module for. */
#include "iova_tree.h"

DMASIM_API const struct iova_allocator_ops *dmasim_iova_plugin(void);

const struct iova_allocator_ops *dmasim_iova_plugin(void)
{
	return dmasim_iova_tree();
}
