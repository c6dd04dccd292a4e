/* SPDX-License-Identifier: MIT */
#include "iova_subject.h"

#include <stdlib.h>

/* ---- The rules ------------------------------------------------------------------------------- */

static void rules_end(struct iova_subject *subject)
{
	if (subject->rules)
		iova_rules_destroy(subject->rules);
	subject->rules = NULL;
}

static void rules_start(struct iova_subject *subject, u32 cpus, u32 granule_lg2, u64 start_pfn)
{
	rules_end(subject);
	subject->rules = iova_rules_create(cpus, granule_lg2, start_pfn);
	subject->rules->repairs = subject->repairs;
}

static u64 rules_alloc(struct iova_subject *subject, u64 size, u64 limit, u32 align_lg2)
{
	return iova_rules_alloc(subject->rules, size, limit, align_lg2);
}

static void rules_free(struct iova_subject *subject, u64 pfn)
{
	struct rules_range freed;

	iova_rules_free(subject->rules, pfn, &freed);
}

static bool rules_reserve(struct iova_subject *subject, u64 first, u64 last)
{
	return iova_rules_reserve(subject->rules, first, last);
}

static bool rules_next(struct iova_subject *subject, u64 pfn, struct rules_range *range)
{
	const struct iova_rules *r = subject->rules;
	u32 i = 0;

	while (r->range[i]->hi < pfn)
		i++;
	*range = *r->range[i];
	return i < r->count - 1;
}

static u64 rules_fast_alloc(struct iova_subject *subject, u64 size, u64 limit, bool flush, u32 cpu)
{
	return iova_rules_fast_alloc(subject->rules, size, limit, flush, cpu);
}

static void rules_fast_free(struct iova_subject *subject, u64 pfn, u64 size, u32 cpu)
{
	iova_rules_fast_free(subject->rules, pfn, size, cpu);
}

static u32 rules_trim(struct iova_subject *subject, u32 class)
{
	iova_rules_trim(subject->rules, class);
	return subject->rules->class[class].depot_count;
}

static void rules_pass(struct iova_subject *subject, u64 ns)
{
	iova_rules_pass(subject->rules, ns);
}

static u64 rules_cached(struct iova_subject *subject)
{
	return iova_rules_cached(subject->rules);
}

static struct rules_state rules_state(struct iova_subject *subject)
{
	return iova_rules_state(subject->rules);
}

const struct iova_subject_ops iova_subject_rules = {
	.start = rules_start,
	.end = rules_end,
	.alloc = rules_alloc,
	.free = rules_free,
	.reserve = rules_reserve,
	.next = rules_next,
	.fast_alloc = rules_fast_alloc,
	.fast_free = rules_fast_free,
	.trim = rules_trim,
	.pass = rules_pass,
	.cached = rules_cached,
	.state = rules_state,
};

/* ---- Fixtures -------------------------------------------------------------------------------- */

int iova_subject_setup(void **state)
{
	struct iova_subject *subject = calloc(1, sizeof(*subject));

	if (!subject)
		return -1;
	subject->ops = *state;
	*state = subject;
	return 0;
}

int iova_subject_teardown(void **state)
{
	struct iova_subject *subject = *state;

	subject->ops->end(subject);
	free(subject);
	return 0;
}
