/* SPDX-License-Identifier: MIT */
/*
 * The kernel around a file of a kernel tree that is compiled here: what the stand-ins of its
 * headers (linux/ beside this file) share. Each allocator has a kernel of its own, on the platform
 * that it was given, so that two of them share neither memory nor CPUs.
 *
 * Nothing here comes from Linux but the names and what they are known to do.
 */
#ifndef KERNEL_STANDIN_H
#define KERNEL_STANDIN_H

#include <dmasim/platform.h>

/* More than any tree asks for. */
#define STANDIN_CACHES 4U

/* Per-CPU data and objects of a cache begin on lines of this many bytes. */
#define STANDIN_LINE 64U

/* One of a kernel's object caches: whole slabs of the platform's memory, and what is free there. */
struct standin_arena {
	void *free; /* each free object begins with a pointer to the next */
	void *slabs;
	u64 live;
};

struct standin {
	struct platform *platform;
	u32 cpus;
	u64 warnings; /* WARN_ON() that were true */
	struct standin_arena arena[STANDIN_CACHES];
};

/*
 * The kernel that runs: set before the tree's code is entered. Reading it costs as much as a plain
 * variable, also in a module (-ftls-model=initial-exec).
 */
extern _Thread_local struct standin *standin_now;

/* Gives back the slabs of all caches; objects that are still there go with them. */
void standin_release(struct standin *kernel);

void standin_warn(void);
__attribute__((noreturn)) void standin_bug(const char *what, const char *file, int line);

#endif
