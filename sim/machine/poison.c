/* SPDX-License-Identifier: MIT */
/*
 * AddressSanitizer as the guard of memory that is a device's.
 *
 * Its functions are there if the program was built with it, however the library was: references to
 * them are weak.
 */
#include <stddef.h>

#include "machine/machine.h"

void __asan_poison_memory_region(const volatile void *at, size_t bytes) __attribute__((weak));
void __asan_unpoison_memory_region(const volatile void *at, size_t bytes) __attribute__((weak));

static void guard(void *host, u64 bytes, bool closed)
{
	if (closed)
		__asan_poison_memory_region(host, (size_t)bytes);
	else
		__asan_unpoison_memory_region(host, (size_t)bytes);
}

cpu_guard *machine_guard(enum dmasim_poison poison)
{
	bool there = __asan_poison_memory_region && __asan_unpoison_memory_region;

	return there && poison != DMASIM_POISON_OFF ? guard : NULL;
}
