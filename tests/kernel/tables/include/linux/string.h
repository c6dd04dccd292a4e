/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_STRING_H
#define KERNEL_LINUX_STRING_H

#include <string.h>

#include <linux/types.h>

static inline void *memset64(u64 *words, u64 value, size_t count)
{
	for (size_t i = 0; i < count; i++)
		words[i] = value;
	return words;
}

/* All of an object that is behind a member. */
#define memset_after(object, byte, member)                                   \
	memset((u8 *)(object) + offsetof(__typeof__(*(object)), member) +    \
		       sizeof((object)->member),                             \
	       (byte),                                                       \
	       sizeof(*(object)) - offsetof(__typeof__(*(object)), member) - \
		       sizeof((object)->member))

#endif
