/* SPDX-License-Identifier: MIT */
/*
 * The set of what may be cached (check/cached.h), driven step by step: tables written by hand, two
 * units, commands that are submitted, executed and waited for one by one.
 */
#ifndef UNIT_HW_CACHED_RIG_H
#define UNIT_HW_CACHED_RIG_H

#include <stdlib.h>

#include <dmasim/hw/vtd.h>

#include "check/cached.h"
#include "support/expect.h"
#include "unit/hw/tables.h"

#define TOP   0x100000ULL
#define MID   0x101000ULL /* what it maps begins at 0 */
#define LOW   0x102000ULL
#define LOW_2 0x103000ULL
#define TOP_2 0x104000ULL
#define PAGE  0x400000ULL
#define DEV   0x100
#define DOM   5

#define AMD_POINTER(phys, next) ((phys) | 1ULL | (next) << 9 | 3ULL << 61)

struct fixture {
	struct world world;
	struct hw hw;
	struct cached cached;
	struct hw_iommu *unit[2];
	u64 number[2]; /* of the latest command */
	bool blind;
};

static inline struct hw_iommu *add_unit(struct fixture *fixture, u32 number, bool caching,
					const struct hw_arch *arch)
{
	struct hw_iommu *unit = hw_iommu_add(&fixture->hw, &(struct hw_iommu_desc){
								   .arch = arch,
								   .unit = number,
								   .levels = arch ? 6 : 3,
								   .address_bits = 46,
								   .huge_1g = true,
								   .coherent = true,
								   .caching_mode = caching,
								   .iotlb_entries = 4,
							   });

	assert_non_null(unit);
	return unit;
}

static inline int setup_with(void **state, bool caching, const struct hw_arch *arch)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture)
		return -1;
	*state = fixture;
	world_init(&fixture->world, &(struct world_config){ .seed = 1 });
	hw_init(&fixture->hw, &fixture->world);
	ram_add_range(&fixture->hw.ram, 0, 1ULL << 32);
	cached_init(&fixture->cached, &fixture->world, &fixture->blind);
	for (u32 i = 0; i < 2; i++)
		fixture->unit[i] = add_unit(fixture, i, caching, arch);
	return 0;
}

static inline int setup(void **state)
{
	return setup_with(state, false, NULL);
}

static inline int setup_caching(void **state)
{
	return setup_with(state, true, NULL);
}

static inline int setup_amd(void **state)
{
	return setup_with(state, false, &hw_amd);
}

static inline int teardown(void **state)
{
	struct fixture *fixture = *state;
	u64 left = 0;

	cached_fini(&fixture->cached);
	left = fixture->world.memory.live[DMASIM_FAULT_CHECK_RECORD];
	hw_fini(&fixture->hw);
	world_fini(&fixture->world);
	free(fixture);
	return left ? -1 : 0;
}

/* ---- What happens ---------------------------------------------------------------------------- */

static inline void put(struct fixture *fixture, phys_addr_t table, u64 index, u64 word)
{
	put_entry(&fixture->hw.ram, table, index, word);
}

static inline void context(struct fixture *fixture, u32 unit, u8 type, u32 domain, phys_addr_t root)
{
	struct hw_context entry = {
		.type = type,
		.levels = fixture->unit[unit]->walker.levels,
		.domain = (u16)domain,
		.root = root,
	};

	cached_context_written(&fixture->cached, fixture->unit[unit], DEV, &entry);
}

static inline struct cached_domain *domain_of(struct fixture *fixture, u32 unit)
{
	struct cached_domain *domain =
		cached_domain_find(&fixture->cached, fixture->unit[unit], DOM);

	assert_non_null(domain);
	return domain;
}

/* The software says that it has changed something; of all, so that nothing is left out. */
static inline void changed(struct fixture *fixture)
{
	struct cached_domain *domain;

	for (domain = cached_domain_first(&fixture->cached, DOM); domain;
	     domain = cached_domain_next(domain))
		cached_changed(&fixture->cached, domain, 0, ~0ULL);
}

static inline struct hw_invalidation pages(u64 start, u64 last)
{
	return (struct hw_invalidation){
		.what = HW_INVALIDATED_IOTLB,
		.domain = DOM,
		.start = start,
		.last = last,
	};
}

static inline struct hw_invalidation of_context(u32 tag)
{
	return (struct hw_invalidation){
		.what = HW_INVALIDATED_CONTEXT,
		.domain = (u16)tag,
		.last = ~0ULL,
		.requester = DEV,
	};
}

static inline struct hw_invalidation submit(struct fixture *fixture, u32 unit,
					    struct hw_invalidation what)
{
	what.number = ++fixture->number[unit];
	cached_submitted(&fixture->cached, fixture->unit[unit], &what);
	return what;
}

static inline void execute(struct fixture *fixture, u32 unit, const struct hw_invalidation *what)
{
	cached_executed(&fixture->cached, fixture->unit[unit], what);
}

static inline void wait(struct fixture *fixture, u32 unit)
{
	cached_waited(&fixture->cached, fixture->unit[unit], ++fixture->number[unit]);
}

static inline void invalidate(struct fixture *fixture, u32 unit, struct hw_invalidation what)
{
	what = submit(fixture, unit, what);
	execute(fixture, unit, &what);
	wait(fixture, unit);
}

static inline void invalidate_pages(struct fixture *fixture, u64 start, u64 last)
{
	invalidate(fixture, 0, pages(start, last));
}

/* Three pages at 0, 0x1000 and 0x2000, through tables of three levels. */
static inline void map_three(struct fixture *fixture)
{
	put(fixture, TOP, 0, MID | ENTRY_RW);
	put(fixture, MID, 0, LOW | ENTRY_RW);
	for (u64 i = 0; i < 3; i++)
		put(fixture, LOW, i, (PAGE + i * SZ_4K) | ENTRY_RW);
	context(fixture, 0, HW_CONTEXT_TRANSLATE, DOM, TOP);
}

static inline void unmap_three(struct fixture *fixture)
{
	for (u64 i = 0; i < 3; i++)
		put(fixture, LOW, i, 0);
	changed(fixture);
}

/* ---- What is asked --------------------------------------------------------------------------- */

static inline enum cached_harm harm_in(struct fixture *fixture, u32 unit, u64 start, u64 last)
{
	enum cached_harm harm;
	u64 from, to;

	if (!cached_stale(&fixture->cached, domain_of(fixture, unit), start, last, &harm, &from,
			  &to))
		return CACHED_HARMLESS;
	assert_true(from >= start && to <= last && from <= to);
	return harm;
}

#define expect_harm(fixture, start, last, harm) \
	assert_int_equal(harm_in(fixture, 0, start, last), harm)
#define expect_clean(fixture) expect_harm(fixture, 0, ~0ULL, CACHED_HARMLESS)

#define T(test)	      cmocka_unit_test_setup_teardown(test, setup, teardown)
#define CACHING(test) cmocka_unit_test_setup_teardown(test, setup_caching, teardown)
#define AMD(test)     cmocka_unit_test_setup_teardown(test, setup_amd, teardown)

#endif
