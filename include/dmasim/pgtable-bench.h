/* SPDX-License-Identifier: MIT */
/*
 * Page-table formats on the workbench (dmasim/workbench.h): one, whoever wrote it, is judged by
 * what dmasim/pgtable/pgtable.h asks of it, and measured beside ours.
 *
 * A format of your own, step by step
 *
 * 1. One C file, mine.c, includes <dmasim/pgtable/define_ops.h>. It describes the words of its
 *    tables in a struct pt_format, has a function mine_init(), and ends with PT_DEFINE_OPS(mine).
 *    The walker of all our formats is then compiled for yours. (Or it fills a struct pgtable_ops by
 *    itself: the first five functions; the others may be NULL.) There is no other state: no
 *    variables of the file; tables come from the host of the configuration, and go back there.
 *
 * 2. The other side of it is a struct dmasim_walker_ops (dmasim/walker.h): how hardware reads those
 *    tables. Without one, what is written is judged by what the format itself reads.
 *
 * 3. Then, and tests/examples/three_level.c is such a file:
 *
 *	static const struct dmasim_pgtable_subject mine = {
 *		DMASIM_PGTABLE_SUBJECT,
 *		.ops = &pgtable_mine,
 *		.walker = &mine_walker,
 *		.config = { .levels = 3, .pa_bits = 52 },
 *	};
 *
 *	int main(void) { return dmasim_pgtable_conform(&mine, NULL, stdout) != 0; }
 *
 *	cc mine.c $(pkg-config --cflags --libs dmasim-workbench)
 *
 * 4. Each line of the answer is one check; a failure says what was done and what came of it, and
 *    which word hardware has read last. What the format does not have is skipped, and named:
 *
 *	not ok 4 - width: hardware would find 2^12 bytes at 0x1000 that lead to 0x0, read, write,
 *	  expected a leaf of 2^12 to 0x8000000000000, read, write; read last: 0x800000000000000f at
 *	  0x4004008
 *	ok 17 - dirty # SKIP it has no marks of what was written (-EOPNOTSUPP)
 *
 * 5. dmasim_pgtable_bench() measures it beside ours.
 *
 * 6. A machine runs on it with .pgtable_format = &pgtable_mine, .walker_ops = &mine_walker in
 *    struct dmasim_config, which says more (dmasim/machine.h): its IOMMU is VT-d's or AMD's, and
 *    the smallest pages have 4 KiB. A format of another granule is judged and measured all the
 *    same.
 */
#ifndef DMASIM_PGTABLE_BENCH_H
#define DMASIM_PGTABLE_BENCH_H

#include <stdio.h>

#include <dmasim/pgtable/pgtable.h>
#include <dmasim/walker.h>

DMASIM_BEGIN_DECLS

/* A format on the workbench. Zero is a good default for all but the first three. */
struct dmasim_pgtable_subject {
	size_t size; /* set by DMASIM_PGTABLE_SUBJECT */

	const struct pgtable_ops *ops;
	const struct dmasim_walker_ops *walker; /* NULL: there is none */
	/*
	 * But for the host, coherent, change_top and the context, which are set by the workbench.
	 * 0 levels: 4, at most PGTABLE_LEVELS_MAX; 0 pa_bits: 52, at most 63.
	 */
	struct pgtable_config config;
	/*
	 * Its addresses repeat their highest bit: from 0 on it has half of its width. Known of what
	 * PT_DEFINE_OPS() made.
	 */
	bool sign_extends;
	bool no_write_only; /* what may be written may be read */
};

/* clang-format off */
#define DMASIM_PGTABLE_SUBJECT .size = sizeof(struct dmasim_pgtable_subject)
/* clang-format on */

/* ---- Judging ---------------------------------------------------------- */

/* Zero is a good default for all but the first. */
struct dmasim_pgtable_conform_options {
	size_t size; /* set by DMASIM_PGTABLE_CONFORM */

	u64 seed;	   /* of what is drawn at random; 0: 1 */
	u32 scale_percent; /* 100: 100,000 random operations; 0: 10 */
	const char *check; /* this one alone; NULL: all */
};

/* clang-format off */
#define DMASIM_PGTABLE_CONFORM .size = sizeof(struct dmasim_pgtable_conform_options)
/* clang-format on */

/*
 * Runs the checks on the format and writes a line of TAP for each to `out`, with comments (NULL:
 * nothing is written). options may be NULL. Returns the number of checks that failed: 0, it
 * conforms. A check that rests on one that failed is skipped. A check that does not exist is a
 * failure.
 */
DMASIM_API u32 dmasim_pgtable_conform(const struct dmasim_pgtable_subject *subject,
				      const struct dmasim_pgtable_conform_options *options,
				      FILE *out);

/* The name of the check number `index`, from 0, and a sentence about it; NULL: there is none. */
DMASIM_API const char *dmasim_pgtable_conform_check(u32 index, const char **what);

/* ---- Measuring -------------------------------------------------------- */

/* Zero is a good default for all but the first two. */
struct dmasim_pgtable_bench {
	const struct dmasim_pgtable_subject *subject;
	u32 subject_count;
	bool alone; /* not beside ours */
	bool quick; /* few runs: to see that it works */
};

/*
 * Measures the formats, and of ours vtdss, amdv1, x86_64, riscv and armv8_s1_4k: the smallest pages
 * mapped and unmapped one by one, and 256 in one call, where tables are there; lookups over 262,144
 * of them (1 GiB). A row for each work, a column for each format: nanoseconds for a page; the
 * median of 31 runs, and the least. Tables are coherent and have 4 levels if nothing else is said;
 * addresses from 1 GiB to 2 GiB, with larger pages farther, are within them. 0: done; -ENOMEM:
 * there is no memory for it; -EINVAL: one of them could not be made, or did not do what it was told
 * (it does not conform).
 */
DMASIM_API int dmasim_pgtable_bench(const struct dmasim_pgtable_bench *bench, FILE *out);

DMASIM_END_DECLS

#endif
