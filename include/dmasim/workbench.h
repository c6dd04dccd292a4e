/* SPDX-License-Identifier: MIT */
/*
 * The workbench of IOVA allocators: judges one, whoever wrote it, by the rules of dmasim/iova.h. It
 * is a library of its own, libdmasim-workbench.a; pkg-config knows it as dmasim-workbench.
 * Page-table formats are judged by the same library (dmasim/pgtable-bench.h).
 *
 * An allocator of your own, step by step
 *
 * 1. One file, mine.c, includes <dmasim/iova.h>. It defines struct iova_allocator as it likes, and
 *    the five functions create, destroy, alloc, free and reserve. Nothing else of dmasim is needed;
 *    tests/examples/first_fit.c is such a file.
 *
 * 2. Memory comes from the platform that create is given, and goes back there; it is zeroed:
 *
 *	mine = platform_alloc(config->platform, DMASIM_FAULT_IOVA_DOMAIN, sizeof(*mine));
 *	node = platform_alloc(mine->platform, DMASIM_FAULT_IOVA_NODE, sizeof(*node));
 *	platform_free(mine->platform, node);
 *
 *    Each of these may fail: then create returns NULL, alloc IOVA_NO_PFN, reserve -ENOMEM, and all
 *    is as it was before. free cannot fail, so it takes no memory; if it does for the sake of a
 *    cache, the table says so (IOVA_FREE_ALLOCATES). destroy gives back all, whatever is still
 *    allocated. There is no other state: no variables of the file, no C library's malloc().
 *
 * 3. Several CPUs: mine->platform->cpu says which one runs, below config->cpus. Another one may run
 *    at each preemption point, so what must stay together stands between platform_lock() and
 *    platform_unlock() of <dmasim/lock.h>. Whoever passes none needs no lock. Time is
 *    platform_now(); a timer (mine->platform->ops->timer_arm) is cancelled by destroy.
 *
 * 4. The table names them. What the allocator cannot promise stands in traits: see enum iova_trait.
 *
 *	static const struct iova_allocator_ops mine_ops = {
 *		.size = sizeof(mine_ops),
 *		.name = "mine",
 *		.create = mine_create, .destroy = mine_destroy,
 *		.alloc = mine_alloc, .free = mine_free, .reserve = mine_reserve,
 *	};
 *
 *	DMASIM_IOVA_PLUGIN(mine_ops)
 *
 * 5. The last line makes a plugin of it:
 *
 *	cc -shared -fPIC mine.c -o mine.so $(pkg-config --cflags dmasim-workbench)
 *	dmasim iova check --plugin ./mine.so
 *
 *    Without the command, a program of two lines does the same, and links with
 *    $(pkg-config --libs dmasim-workbench):
 *
 *	int main(void) { return dmasim_iova_conform(&mine_ops, NULL, stdout) != 0; }
 *
 * 6. Each line of the answer is one check; a failure says why, and how to run that check alone. The
 *    check small_worlds tries all that can be done with a few pages, shortest way first, and the
 *    checks random and cpus leave out what they can: all three print a short list of calls that
 *    goes wrong. A call that stands further to the right ran on another CPU at a preemption point
 *    of the next one that stands further to the left.
 *
 *	not ok 4 - limit: 4 pages at 0x3e4: beyond the limit 0x3e5
 *	# again: dmasim iova check --plugin ./mine.so --check limit --seed 0x1
 *
 * 7. `dmasim iova bench --plugin ./mine.so` measures it beside the others, `dmasim iova draw` shows
 *    the space behind it (dmasim/iova-bench.h); none of this needs next and stats, but both tell
 *    more with them.
 *
 * 8. A machine runs on it with .iova_ops = &mine_ops in struct dmasim_config.
 */
#ifndef DMASIM_WORKBENCH_H
#define DMASIM_WORKBENCH_H

#include <stdio.h>

#include <dmasim/iova-bench.h>
#include <dmasim/iova.h>

DMASIM_BEGIN_DECLS

/* Zero is a good default for all but the first. */
struct dmasim_iova_conform_options {
	size_t size; /* set by DMASIM_IOVA_CONFORM */

	u64 seed;	   /* of what is drawn at random; 0: 1 */
	u32 scale_percent; /* 100: a million random operations; 0: 10 */
	u32 cpus;	   /* 0: 4 */
	u32 repairs;	   /* iova_allocator_config.repairs */
	const char *check; /* this one alone; NULL: all */
	/*
	 * How a failure is run again: this, and then " --check NAME --seed N". NULL: "dmasim iova
	 * check", which stands for a call with these options.
	 */
	const char *command;

	/*
	 * For small_worlds: a number that tells two states of an allocator apart that hold the same
	 * ranges and yet will answer differently. NULL: a few answers are tried instead, and more
	 * states than there are may be taken for one.
	 */
	u64 (*state)(struct iova_allocator *allocator);
};

#define DMASIM_IOVA_CONFORM .size = sizeof(struct dmasim_iova_conform_options)

/*
 * Runs the checks on the allocator and writes a line of TAP for each to `out`, with comments (NULL:
 * nothing is written). options may be NULL. Returns the number of checks that failed: 0, it
 * conforms. A check that rests on one that failed is skipped. A check that does not exist is a
 * failure.
 */
DMASIM_API u32 dmasim_iova_conform(const struct iova_allocator_ops *ops,
				   const struct dmasim_iova_conform_options *options, FILE *out);

/* The name of the check number `index`, from 0, and a sentence about it; NULL: there is none. */
DMASIM_API const char *dmasim_iova_conform_check(u32 index, const char **what);

DMASIM_END_DECLS

#endif
