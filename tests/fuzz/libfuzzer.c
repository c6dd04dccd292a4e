/* SPDX-License-Identifier: MIT */
/* The same targets under clang's libFuzzer. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct fuzz_run run = { 0 };

	if (FUZZ_TARGET.run(&run, data, bytes))
		return 0;
	fprintf(stderr, "fuzz_%s: %s\n", FUZZ_TARGET.name, run.failure);
	abort();
}
