/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <stdarg.h>
#include <stdio.h>

static void see(struct fuzz_run *run, u64 what)
{
	u32 slot = (u32)((what * 0x9e3779b97f4a7c15ULL) >> 48) % FUZZ_FEATURES;

	if (!run->seen || run->seen[slot])
		return;
	run->seen[slot] = 1;
	run->new_features++;
}

void fuzz_feature(struct fuzz_run *run, u32 kind, u64 a, u64 b)
{
	u64 what;

	kind += 256U * run->variant;
	what = ((u64)kind << 48) + (a << 24) + b + 1;
	see(run, what);
	/* Of two in a row the kinds alone: their numbers together would never end to be new. */
	see(run, ~(((u64)run->before << 32) | kind));
	run->before = kind;
}

void fuzz_check(struct fuzz_run *run, bool good, const char *format, ...)
{
	va_list arguments;

	if (good || fuzz_failed(run))
		return;
	va_start(arguments, format);
	vsnprintf(run->failure, sizeof(run->failure), format, arguments);
	va_end(arguments);
}
