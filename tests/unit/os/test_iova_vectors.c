/* SPDX-License-Identifier: MIT */
/*
 * Every row of tests/data/iova-vectors.tsv, what Linux's allocator really answered and the state it
 * was in then: by the rules written out in iova_rules.c, which other tests judge with, and by the
 * allocator "linux".
 */
#include "iova_vectors.h"

/* The judge is judged first. */
static void the_rules_written_out_give_what_linux_gave(void **state)
{
	meet_the_vectors(*state);
}

/*
 * trust: IOVAs of "linux" and of its caches, one by one
 * | Linux's own code: iova-vectors.tsv, 1986 operations in 6.12
 */
static void the_allocator_gives_what_linux_gave(void **state)
{
	meet_the_vectors(*state);
}

TEST_MAIN(ON_RULES(the_rules_written_out_give_what_linux_gave),
	  ON_LINUX(the_allocator_gives_what_linux_gave))
