/* SPDX-License-Identifier: MIT */
#include "iova_subject_tree.h"

#include "iova_tree.h"
#include "unit/os/iova_subject_table.h"

static void tree_start(struct iova_subject *subject, u32 cpus, u32 granule_lg2, u64 start_pfn)
{
	table_start(subject, dmasim_iova_tree(),
		    &(struct iova_allocator_config){
			    .cpus = cpus,
			    .granule_lg2 = (u8)granule_lg2,
			    .start_pfn = start_pfn,
		    });
}

static u32 tree_trim(struct iova_subject *subject, u32 order)
{
	return dmasim_tree_trim(subject->allocator, order);
}

static struct rules_state tree_state(struct iova_subject *subject)
{
	struct dmasim_tree_state state;

	dmasim_tree_state(subject->allocator, &state);
	expect_u64(state.warnings, 0);
	return (struct rules_state){ state.cached_pfn, state.cached32_pfn, state.max32,
				     state.nodes };
}

const struct iova_subject_ops iova_subject_tree = {
	SUBJECT_TABLE_OPS,
	.start = tree_start,
	.trim = tree_trim,
	.state = tree_state,
};
