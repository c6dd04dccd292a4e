/* SPDX-License-Identifier: MIT */
/*
 * Something that claims to do what Linux's IOVA allocator does, in Linux's words: the rules written
 * out (iova_rules.h), or the allocator "linux".
 */
#ifndef UNIT_OS_IOVA_SUBJECT_H
#define UNIT_OS_IOVA_SUBJECT_H

#include "support/expect.h"

#include <dmasim/iova.h>

#include "iova_rules.h"

struct iova_allocator;
struct iova_subject;
struct iova_world;

struct iova_subject_ops {
	/* An empty space; the one before ends. */
	void (*start)(struct iova_subject *subject, u32 cpus, u32 granule_lg2, u64 start_pfn);
	void (*end)(struct iova_subject *subject);
	u64 (*alloc)(struct iova_subject *subject, u64 size, u64 limit, u32 align_lg2);
	void (*free)(struct iova_subject *subject, u64 pfn);
	bool (*reserve)(struct iova_subject *subject, u64 first, u64 last);
	/* The lowest range that ends at or above pfn; false: there is none, but for the anchor. */
	bool (*next)(struct iova_subject *subject, u64 pfn, struct rules_range *range);
	u64 (*fast_alloc)(struct iova_subject *subject, u64 size, u64 limit, bool flush, u32 cpu);
	void (*fast_free)(struct iova_subject *subject, u64 pfn, u64 size, u32 cpu);
	/* Returns the full magazines that are left. */
	u32 (*trim)(struct iova_subject *subject, u32 class);
	void (*pass)(struct iova_subject *subject, u64 ns);
	u64 (*cached)(struct iova_subject *subject); /* ranges in magazines */
	struct rules_state (*state)(struct iova_subject *subject);
};

struct iova_subject {
	const struct iova_subject_ops *ops;
	u32 repairs; /* that it is started with */
	struct iova_rules *rules;
	struct iova_world *world;
	const struct iova_allocator_ops *table;
	struct iova_allocator *allocator;
	u64 reserve_max;	  /* highest page that Linux lets anybody reserve */
	u32 depot[RULES_CLASSES]; /* full magazines, for who compares them */
};

extern const struct iova_subject_ops iova_subject_rules, iova_subject_linux;

/* Initial state: the ops; *state is the subject, with no space yet. Leaks fail the end. */
int iova_subject_setup(void **state);
int iova_subject_teardown(void **state);

/* The range that holds pfn; false: there is none. */
static inline bool iova_subject_find(struct iova_subject *subject, u64 pfn,
				     struct rules_range *range)
{
	return subject->ops->next(subject, pfn, range) && range->lo <= pfn;
}

#define ON_RULES(test)                                                  \
	{                                                               \
#test, test, iova_subject_setup, iova_subject_teardown, \
			(void *)(uintptr_t)&iova_subject_rules          \
	}

#define ON_LINUX(test)                                                  \
	{                                                               \
#test, test, iova_subject_setup, iova_subject_teardown, \
			(void *)(uintptr_t)&iova_subject_linux          \
	}

#endif
