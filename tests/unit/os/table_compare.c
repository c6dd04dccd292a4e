/* SPDX-License-Identifier: MIT */
#include "table_compare.h"

#include <stdio.h>

static void expect_nothing_until(struct table_compare *compare, u64 end)
{
	const struct model *model = compare->model;

	for (; compare->cursor < end; compare->cursor += 1ULL << model->granule_lg2) {
		if (model_page(model, compare->cursor)->leaf_lg2 && !compare->why[0])
			snprintf(compare->why, sizeof(compare->why),
				 "hardware sees nothing at 0x%llx", compare->cursor);
	}
}

static bool is_same(const struct table_compare *compare, const struct seen_leaf *leaf,
		    const struct model_page *page)
{
	u32 shows = format_shows(compare->fixture, page->prot);

	return page->leaf_lg2 && 1ULL << page->leaf_lg2 == leaf->bytes &&
	       page->phys == leaf->phys && leaf->read == !!(shows & IOMMU_READ) &&
	       leaf->write == !!(page->prot & IOMMU_WRITE);
}

static void compare_leaf(void *cookie, const struct seen_leaf *leaf)
{
	struct table_compare *compare = cookie;
	const struct model_page *page;

	if (leaf->iova - compare->model->base >= compare->model->bytes) {
		snprintf(compare->why, sizeof(compare->why),
			 "hardware sees a leaf from 0x%llx on, in front of the window", leaf->iova);
		return;
	}
	page = model_page(compare->model, leaf->iova);
	if (leaf->iova > compare->cursor)
		expect_nothing_until(compare, leaf->iova);
	if (!is_same(compare, leaf, page) && !compare->why[0])
		snprintf(compare->why, sizeof(compare->why),
			 "hardware sees 0x%llx at 0x%llx, %llu bytes,%s%s; the model 0x%llx, %llu, "
			 "rights %x",
			 leaf->phys, leaf->iova, leaf->bytes, leaf->read ? " R" : "",
			 leaf->write ? " W" : "", page->phys, 1ULL << page->leaf_lg2, page->prot);
	compare->cursor = leaf->iova + leaf->bytes;
}

bool table_compare(struct table_compare *compare, u64 start, u64 end)
{
	const struct format_fixture *fixture = compare->fixture;

	compare->why[0] = 0;
	compare->cursor = start;
	fixture->format->walk_range(fixture, start, end - 1, compare_leaf, compare);
	expect_nothing_until(compare, end);
	return !compare->why[0];
}
