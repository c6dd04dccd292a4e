/* SPDX-License-Identifier: MIT */
#include "iova_subject_table.h"

#include "workbench/iova_world.h"

void table_end(struct iova_subject *subject)
{
	if (!subject->world)
		return;
	subject->table->destroy(subject->allocator);
	expect_u64(iova_world_destroy(subject->world), 0);
	subject->world = NULL;
}

void table_start(struct iova_subject *subject, const struct iova_allocator_ops *table,
		 const struct iova_allocator_config *config)
{
	struct iova_allocator_config here = *config;

	table_end(subject);
	subject->table = table;
	subject->world = iova_world_create(config->cpus);
	assert_non_null(subject->world);
	here.platform = iova_world_platform(subject->world);
	here.last_pfn = ~0ULL;
	here.repairs = subject->repairs;
	here.context = table->context;
	subject->reserve_max = ~0ULL >> config->granule_lg2;
	subject->allocator = table->create(&here);
	assert_non_null(subject->allocator);
}

u64 table_alloc(struct iova_subject *subject, u64 size, u64 limit, u32 align_lg2)
{
	return subject->table->alloc(subject->allocator, size, limit, align_lg2);
}

/* Of a direct free the number of pages does not count. */
void table_free(struct iova_subject *subject, u64 pfn)
{
	subject->table->free(subject->allocator, pfn, 1, 0);
}

/* Where Linux refuses, the table cuts off what no address has: that is not compared. */
bool table_reserve(struct iova_subject *subject, u64 first, u64 last)
{
	if (first > subject->reserve_max || last > subject->reserve_max)
		return false;
	return !subject->table->reserve(subject->allocator, first, last);
}

bool table_next(struct iova_subject *subject, u64 pfn, struct rules_range *range)
{
	struct iova_range found;

	if (!subject->table->next(subject->allocator, pfn, &found))
		return false;
	*range = (struct rules_range){ found.first_pfn, found.last_pfn };
	return true;
}

u64 table_fast_alloc(struct iova_subject *subject, u64 size, u64 limit, bool flush, u32 cpu)
{
	iova_world_set_cpu(subject->world, cpu);
	return subject->table->alloc(subject->allocator, size, limit,
				     iova_natural(size) | IOVA_CACHE | (flush ? IOVA_FLUSH : 0));
}

void table_fast_free(struct iova_subject *subject, u64 pfn, u64 size, u32 cpu)
{
	iova_world_set_cpu(subject->world, cpu);
	subject->table->free(subject->allocator, pfn, size, IOVA_CACHE);
}

void table_pass(struct iova_subject *subject, u64 ns)
{
	iova_world_advance(subject->world, ns);
}

u64 table_cached(struct iova_subject *subject)
{
	struct iova_stats stats;

	subject->table->stats(subject->allocator, &stats);
	return stats.cached_ranges;
}
