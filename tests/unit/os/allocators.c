/* SPDX-License-Identifier: MIT */
#include "allocators.h"

#include <stdlib.h>

const struct allocator_case allocator_topdown = { dmasim_iova_topdown, .highest_fit = true };

int allocator_setup(void **state)
{
	struct allocator_fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture)
		return -1;
	fixture->is = *state;
	fixture->ops = fixture->is->ops();
	fixture->s = dmasim_create(NULL);
	*state = fixture;
	return fixture->s ? 0 : -1;
}

int allocator_teardown(void **state)
{
	struct allocator_fixture *fixture = *state;
	u64 leaks;

	if (fixture->allocator)
		fixture->ops->destroy(fixture->allocator);
	leaks = dmasim_in_use(fixture->s, DMASIM_FAULT_IOVA_NODE) +
		dmasim_in_use(fixture->s, DMASIM_FAULT_IOVA_DOMAIN);
	leaks += dmasim_destroy(fixture->s);
	free(fixture->extra);
	free(fixture);
	return leaks ? -1 : 0;
}

void allocator_start(struct allocator_fixture *fixture, u64 start_pfn, u64 last_pfn)
{
	const struct iova_allocator_config config = {
		.platform = &fixture->s->platform,
		.granule_lg2 = 12,
		.start_pfn = start_pfn,
		.last_pfn = last_pfn,
		.context = fixture->ops->context,
	};

	if (fixture->allocator)
		fixture->ops->destroy(fixture->allocator);
	fixture->allocator = fixture->ops->create(&config);
	assert_non_null(fixture->allocator);
	fixture->start_pfn = start_pfn;
	fixture->last_pfn = last_pfn;
}

u64 alignment_of(u64 pages)
{
	u64 power = 1;

	while (power < pages)
		power *= 2;
	return power;
}

/* What holds for every allocation, of every allocator. */
u64 allocator_alloc(struct allocator_fixture *fixture, u64 pages, u64 limit_pfn)
{
	u64 limit = limit_pfn < fixture->last_pfn ? limit_pfn : fixture->last_pfn;
	u64 pfn = fixture->ops->alloc(fixture->allocator, pages, limit, iova_natural(pages));

	if (pfn == IOVA_NO_PFN)
		return pfn;
	expect_u64(pfn % alignment_of(pages), 0);
	if (pfn < fixture->start_pfn || pfn + (pages - 1) > fixture->last_pfn ||
	    pfn + (pages - 1) > limit_pfn)
		fail_msg("%llu pages at 0x%llx: the space is 0x%llx to 0x%llx, the limit 0x%llx",
			 pages, pfn, fixture->start_pfn, fixture->last_pfn, limit_pfn);
	return pfn;
}

void allocator_free(struct allocator_fixture *fixture, u64 pfn, u64 pages)
{
	fixture->ops->free(fixture->allocator, pfn, pages, 0);
}

int allocator_reserve(struct allocator_fixture *fixture, u64 first_pfn, u64 last_pfn)
{
	return fixture->ops->reserve(fixture->allocator, first_pfn, last_pfn);
}
