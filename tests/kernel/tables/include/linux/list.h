/* SPDX-License-Identifier: MIT */
/* Lists are rings: an empty one is its head alone. */
#ifndef KERNEL_LINUX_LIST_H
#define KERNEL_LINUX_LIST_H

#include <linux/container_of.h>
#include <linux/types.h>

#define list_entry(ptr, type, member) container_of(ptr, type, member)

static inline void INIT_LIST_HEAD(struct list_head *head)
{
	head->next = head->prev = head;
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

/* From `first` to `last`, linked to each other, between two that are neighbours. */
static inline void list_put_between(struct list_head *before, struct list_head *first,
				    struct list_head *last, struct list_head *after)
{
	before->next = first;
	first->prev = before;
	last->next = after;
	after->prev = last;
}

static inline void list_add_tail(struct list_head *new, struct list_head *head)
{
	list_put_between(head->prev, new, new, head);
}

/* In front of what is in `head`. */
static inline void list_splice(const struct list_head *list, struct list_head *head)
{
	if (!list_empty(list))
		list_put_between(head, list->next, list->prev, head->next);
}

#endif
