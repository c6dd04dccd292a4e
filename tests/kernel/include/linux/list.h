/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_LIST_H
#define KERNEL_LINUX_LIST_H

#include <linux/container_of.h>
#include <linux/types.h>

#define list_entry(ptr, type, member)	    container_of(ptr, type, member)
#define hlist_entry(ptr, type, member)	    container_of(ptr, type, member)
#define hlist_entry_safe(ptr, type, member) ((ptr) ? hlist_entry(ptr, type, member) : NULL)

#endif
