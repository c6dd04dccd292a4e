/* SPDX-License-Identifier: MIT */
#include "found.h"

void found_leaf(void *cookie, const struct hw_leaf *leaf)
{
	struct found *found = cookie;

	assert_true(found->leaves < found->max);
	if (found->leaves) {
		const struct hw_leaf *before = &found->leaf[found->leaves - 1];

		assert_true(leaf->iova >= before->iova + before->bytes);
	}
	assert_true(leaf->iova <= found->last);
	assert_true(leaf->iova + (leaf->bytes - 1) >= found->first);
	found->leaf[found->leaves++] = *leaf;
}

void found_table(void *cookie, const struct hw_table *table)
{
	struct found *found = cookie;

	assert_true(found->tables < found->max);
	assert_true(table->iova <= found->last);
	assert_true(table->iova + (table->bytes - 1) >= found->first);
	found->table[found->tables++] = *table;
}

const struct hw_leaf *found_leaf_at(const struct found *found, u64 iova)
{
	for (u32 i = 0; i < found->leaves; i++) {
		if (iova - found->leaf[i].iova < found->leaf[i].bytes)
			return &found->leaf[i];
	}
	return NULL;
}

const struct hw_table *found_step(const struct found *found, const struct hw_walk *walk, u8 step,
				  u64 iova)
{
	for (u32 i = 0; i < found->tables; i++) {
		const struct hw_table *table = &found->table[i];

		if (table->phys != walk->step[step].table || iova - table->iova >= table->bytes)
			continue;
		expect_u64(table->levels, walk->step[step].levels);
		return table;
	}
	fail_msg("the table at 0x%llx for 0x%llx was not found", walk->step[step].table, iova);
	return NULL;
}
