/* SPDX-License-Identifier: MIT */
#include "iova/linux.h"

#include "iova_subject.h"

#include "workbench/iova_world.h"

static const struct iova_allocator_ops *table(void)
{
	return dmasim_iova_linux();
}

static void linux_end(struct iova_subject *subject)
{
	if (!subject->world)
		return;
	table()->destroy(subject->allocator);
	expect_u64(iova_world_destroy(subject->world), 0);
	subject->world = NULL;
}

static void linux_start(struct iova_subject *subject, u32 cpus, u32 granule_lg2, u64 start_pfn)
{
	struct iova_allocator_config config = {
		.cpus = cpus,
		.granule_lg2 = (u8)granule_lg2,
		.start_pfn = start_pfn,
		.last_pfn = ~0ULL,
		.context = table()->context,
	};

	linux_end(subject);
	subject->world = iova_world_create(cpus);
	assert_non_null(subject->world);
	config.platform = iova_world_platform(subject->world);
	subject->allocator = table()->create(&config);
	assert_non_null(subject->allocator);
}

static u64 linux_alloc(struct iova_subject *subject, u64 size, u64 limit, u32 align_lg2)
{
	return table()->alloc(subject->allocator, size, limit, align_lg2);
}

/* Of a direct free the number of pages does not count. */
static void linux_free(struct iova_subject *subject, u64 pfn)
{
	table()->free(subject->allocator, pfn, 1, 0);
}

static bool linux_reserve(struct iova_subject *subject, u64 first, u64 last)
{
	return !table()->reserve(subject->allocator, first, last);
}

static bool linux_next(struct iova_subject *subject, u64 pfn, struct rules_range *range)
{
	struct iova_range found;

	if (!table()->next(subject->allocator, pfn, &found))
		return false;
	*range = (struct rules_range){ found.first_pfn, found.last_pfn };
	return true;
}

static u64 linux_fast_alloc(struct iova_subject *subject, u64 size, u64 limit, bool flush, u32 cpu)
{
	iova_world_set_cpu(subject->world, cpu);
	return table()->alloc(subject->allocator, size, limit,
			      iova_natural(size) | IOVA_CACHE | (flush ? IOVA_FLUSH : 0));
}

static void linux_fast_free(struct iova_subject *subject, u64 pfn, u64 size, u32 cpu)
{
	iova_world_set_cpu(subject->world, cpu);
	table()->free(subject->allocator, pfn, size, IOVA_CACHE);
}

static u32 linux_trim(struct iova_subject *subject, u32 class)
{
	return iova_linux_trim(subject->allocator, class);
}

static void linux_pass(struct iova_subject *subject, u64 ns)
{
	iova_world_advance(subject->world, ns);
}

static u64 linux_cached(struct iova_subject *subject)
{
	struct iova_stats stats;

	table()->stats(subject->allocator, &stats);
	return stats.cached_ranges;
}

static struct rules_state linux_state(struct iova_subject *subject)
{
	struct iova_linux_state state;

	iova_linux_state(subject->allocator, &state);
	return (struct rules_state){ state.cached_pfn, state.cached32_pfn, state.max32,
				     state.nodes };
}

const struct iova_subject_ops iova_subject_linux = {
	.start = linux_start,
	.end = linux_end,
	.alloc = linux_alloc,
	.free = linux_free,
	.reserve = linux_reserve,
	.next = linux_next,
	.fast_alloc = linux_fast_alloc,
	.fast_free = linux_fast_free,
	.trim = linux_trim,
	.pass = linux_pass,
	.cached = linux_cached,
	.state = linux_state,
};
