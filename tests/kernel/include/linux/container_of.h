/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_CONTAINER_OF_H
#define KERNEL_LINUX_CONTAINER_OF_H

#include <stddef.h>
#include <stdint.h>

/* The tree does this to NULL, too, with members at the very beginning: integers may. */
#define container_of(ptr, type, member)	      ((type *)((uintptr_t)(ptr)-offsetof(type, member)))
#define container_of_const(ptr, type, member) container_of(ptr, type, member)

#endif
