/* SPDX-License-Identifier: MIT */
/*
 * Two CPUs in one IOVA domain, by Linux's names: each interleaving with up to two preemptions, over
 * each allocator. No page has two owners, whoever asks for a record of one's own range gets it, and
 * nothing is left.
 *
 * A failure prints DMASIM_CHOICES=..., which runs that interleaving alone.
 */
#include <stdio.h>
#include <string.h>

#include "property/seeds.h"
#include "support/expect.h"

#include <dmasim/schedule.h>

#define CPUS	    2
#define LAST	    63
#define CHOICES_MAX 1024

struct shared {
	struct iova_domain iovad;
	bool tells;	    /* the allocator tells its ranges */
	u8 owner[LAST + 1]; /* of each page: the CPU's number and 1; 0: nobody */
	const char *wrong;  /* the first thing; NULL: nothing */
};

struct worker {
	struct shared *shared;
	u8 number;
};

static void expect_that(struct shared *shared, bool fine, const char *what)
{
	if (!fine && !shared->wrong)
		shared->wrong = what;
}

static void own(struct worker *worker, u64 first, u64 size)
{
	for (u64 pfn = first; pfn < first + size && pfn <= LAST; pfn++) {
		expect_that(worker->shared, !worker->shared->owner[pfn], "a page has two owners");
		worker->shared->owner[pfn] = worker->number;
	}
}

static void disown(struct worker *worker, u64 first, u64 size)
{
	for (u64 pfn = first; pfn < first + size && pfn <= LAST; pfn++)
		worker->shared->owner[pfn] = 0;
}

static void use_records(struct worker *worker)
{
	struct shared *shared = worker->shared;
	struct iova *iova = alloc_iova(&shared->iovad, 4, LAST, true);

	expect_that(shared, iova && iova_size(iova) == 4, "there is room");
	if (!iova)
		return;
	own(worker, iova->pfn_lo, 4);
	expect_that(shared, find_iova(&shared->iovad, iova->pfn_lo + 1) == iova,
		    "a range has one record");
	/* Nobody has these, or the other CPU does; a record of it is the other's. */
	find_iova(&shared->iovad, LAST / 2);
	disown(worker, iova->pfn_lo, 4);
	__free_iova(&shared->iovad, iova);
}

/* 2 pages a cache keeps, 33 it does not. */
static void use_the_fast_calls(struct worker *worker, u64 size)
{
	struct shared *shared = worker->shared;
	dmasim_ulong pfn = alloc_iova_fast(&shared->iovad, (dmasim_ulong)size, LAST, true);

	if (!pfn)
		return;
	own(worker, pfn, size);
	if (shared->tells) {
		const struct iova *iova = find_iova(&shared->iovad, pfn);

		expect_that(shared, iova && iova->pfn_lo == pfn, "a fast range is found");
	}
	disown(worker, pfn, size);
	free_iova_fast(&shared->iovad, pfn, (dmasim_ulong)size);
}

static void work(struct dmasim *s, void *context)
{
	struct worker *worker = context;

	(void)s;
	use_records(worker);
	use_the_fast_calls(worker, 2);
	use_the_fast_calls(worker, 33);
}

static void reserve_and_work(struct dmasim *s, void *context)
{
	struct worker *worker = context;
	struct shared *shared = worker->shared;

	(void)s;
	expect_that(shared, reserve_iova(&shared->iovad, 3, 4), "there is memory");
	use_records(worker);
	free_iova(&shared->iovad, 3);
	use_the_fast_calls(worker, 2);
}

/* One interleaving; what was wrong, or NULL. */
static const char *run_once(const char *allocator, const struct dmasim_schedule *how, char *choices)
{
	const struct iova_allocator_ops *ops = dmasim_iova_by_name(allocator);
	struct dmasim *s = dmasim_create(
		&(struct dmasim_config){ DMASIM_CONFIG, .iova_ops = ops, .cpus = CPUS });
	struct shared shared = { .tells = ops->next };
	struct worker worker[CPUS] = { { &shared, 1 }, { &shared, 2 } };
	const struct dmasim_task task[CPUS] = { { work, &worker[0] },
						{ reserve_and_work, &worker[1] } };

	assert_non_null(s);
	dmasim_iova_domain_init(s, &shared.iovad, SZ_4K, 1);
	expect_ok(iova_domain_init_rcaches(&shared.iovad));
	expect_ok(dmasim_run_cpus(s, task, CPUS, how));
	snprintf(choices, CHOICES_MAX, "%s", dmasim_choices(s));
	put_iova_domain(&shared.iovad);
	expect_that(&shared, !dmasim_in_use(s, DMASIM_FAULT_IOVA_RECORD), "no record is left");
	expect_that(&shared, !dmasim_check_clean(s, NULL, 0), "nothing is reported");
	expect_that(&shared, !dmasim_destroy(s), "nothing is left");
	return shared.wrong;
}

static void two_cpus_share_a_domain(void **state)
{
	u32 preemptions = scaled(100) >= 10 ? 2 : 1;
	struct dmasim_explorer *explorer = dmasim_explorer_create(preemptions);
	struct dmasim_schedule how = { .explorer = explorer };
	char choices[CHOICES_MAX];

	assert_non_null(explorer);
	while (dmasim_explorer_next(explorer)) {
		const char *wrong = run_once(*state, &how, choices);

		if (wrong)
			fail_msg("DMASIM_CHOICES=%s: %s", choices, wrong);
	}
	assert_true(dmasim_explorer_complete(explorer));
	print_message("# %llu interleavings with %u preemptions\n", dmasim_explorer_runs(explorer),
		      preemptions);
	dmasim_explorer_destroy(explorer);
}

#define OVER(name)                                                                      \
	{                                                                               \
		"two_cpus_share_a_domain__" #name, two_cpus_share_a_domain, NULL, NULL, \
			(void *)(uintptr_t) #name                                       \
	}

TEST_MAIN(OVER(linux), OVER(exact), OVER(bitmap))
