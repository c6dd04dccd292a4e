/* SPDX-License-Identifier: MIT */
#include "iova/linux.h"

#include "iova_subject_table.h"

static void linux_start(struct iova_subject *subject, u32 cpus, u32 granule_lg2, u64 start_pfn)
{
	table_start(subject, dmasim_iova_linux(),
		    &(struct iova_allocator_config){
			    .cpus = cpus,
			    .granule_lg2 = (u8)granule_lg2,
			    .start_pfn = start_pfn,
		    });
}

static u32 linux_trim(struct iova_subject *subject, u32 class)
{
	return iova_linux_trim(subject->allocator, class);
}

static struct rules_state linux_state(struct iova_subject *subject)
{
	struct iova_linux_state state;

	iova_linux_state(subject->allocator, &state);
	return (struct rules_state){ state.cached_pfn, state.cached32_pfn, state.max32,
				     state.nodes };
}

const struct iova_subject_ops iova_subject_linux = {
	SUBJECT_TABLE_OPS,
	.start = linux_start,
	.trim = linux_trim,
	.state = linux_state,
};
