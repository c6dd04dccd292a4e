/* SPDX-License-Identifier: MIT */
/*
 * Linux's own allocator (iova_tree.h) as one that claims to do what Linux's does.
 */
#ifndef KERNEL_IOVA_SUBJECT_TREE_H
#define KERNEL_IOVA_SUBJECT_TREE_H

#include "unit/os/iova_subject.h"

extern const struct iova_subject_ops iova_subject_tree;

#define ON_TREE(test)                                                   \
	{                                                               \
#test, test, iova_subject_setup, iova_subject_teardown, \
			(void *)(uintptr_t)&iova_subject_tree           \
	}

#endif
