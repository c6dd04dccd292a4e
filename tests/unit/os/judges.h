/* SPDX-License-Identifier: MIT */
/*
 * The judges of page tables, by the family of formats that they read: the hardware's walkers, and a
 * plain reader of RAM for what no hardware here has. What a line of formats*.c is made with.
 */
#ifndef UNIT_OS_JUDGES_H
#define UNIT_OS_JUDGES_H

#include "formats.h"
#include "hw/walker.h"

#define DECLARE_JUDGE(name)                                                                       \
	struct seen judge_##name##_walk(const struct format_fixture *fixture, u64 iova);          \
	void judge_##name##_walk_range(const struct format_fixture *fixture, u64 start, u64 last, \
				       seen_leaf_fn *leaf, void *cookie)

DECLARE_JUDGE(vtdss);
DECLARE_JUDGE(amdv1);
DECLARE_JUDGE(x86_64);
DECLARE_JUDGE(riscv);
DECLARE_JUDGE(arm);
/* AMD's words and x86-64's, with the mock's granule, or in encrypted memory. */
DECLARE_JUDGE(plain);

/* The name is format_`name`; `table` is what writes it; then what struct format_case says. */
#define FORMAT_CASE(name, table, judge, granule, both, halves, ...) \
	const struct format_case format_##name = {                  \
		.ops = &pgtable_##table,                            \
		.config = { __VA_ARGS__ },                          \
		.granule_lg2 = (granule),                           \
		.index_lg2 = (granule) == 11 ? 9 : (granule)-3,     \
		.write_reads = (both),                              \
		.signed_iova = (halves),                            \
		.walk = judge_##judge##_walk,                       \
		.walk_range = judge_##judge##_walk_range,           \
	}

/* ---- Leaves of a range walk ------------------------------------------------------------------ */

/* A page that several entries hold is one leaf, whole, if they agree. */
struct judge_relay {
	u64 start, last; /* what is walked */
	seen_leaf_fn *leaf;
	void *cookie;
	struct seen_leaf page; /* bytes 0: none */
	u64 told;	       /* of it */
};

/* For a walker; the cookie is the relay, which is ended after the walk. */
void judge_relay_leaf(void *cookie, const struct hw_leaf *leaf);
void judge_relay_end(struct judge_relay *relay);

#endif
