/* SPDX-License-Identifier: MIT */
/*
 * What subjects have in common that are allocators behind the table, each in a world of its own.
 */
#ifndef UNIT_OS_IOVA_SUBJECT_TABLE_H
#define UNIT_OS_IOVA_SUBJECT_TABLE_H

#include "iova_subject.h"

/* Of the config cpus, granule_lg2 and start_pfn count, and repairs. */
void table_start(struct iova_subject *subject, const struct iova_allocator_ops *table,
		 const struct iova_allocator_config *config);
void table_end(struct iova_subject *subject);

u64 table_alloc(struct iova_subject *subject, u64 size, u64 limit, u32 align_lg2);
void table_free(struct iova_subject *subject, u64 pfn);
bool table_reserve(struct iova_subject *subject, u64 first, u64 last);
bool table_next(struct iova_subject *subject, u64 pfn, struct rules_range *range);
u64 table_fast_alloc(struct iova_subject *subject, u64 size, u64 limit, bool flush, u32 cpu);
void table_fast_free(struct iova_subject *subject, u64 pfn, u64 size, u32 cpu);
void table_pass(struct iova_subject *subject, u64 ns);
u64 table_cached(struct iova_subject *subject);

/* These functions' part of a struct iova_subject_ops. */
#define SUBJECT_TABLE_OPS                                                                     \
	.end = table_end, .alloc = table_alloc, .free = table_free, .reserve = table_reserve, \
	.next = table_next, .fast_alloc = table_fast_alloc, .fast_free = table_fast_free,     \
	.pass = table_pass, .cached = table_cached

#endif
