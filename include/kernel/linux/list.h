/* SPDX-License-Identifier: MIT */
/* Lists of entries that hold their links: circular and double, and with a single head. */
#ifndef DMASIM_KERNEL_LIST_H
#define DMASIM_KERNEL_LIST_H

#include <linux/kernel.h>
#include <linux/types.h>

/* sys/queue.h has a list of that name. */
#undef LIST_HEAD
#define LIST_HEAD_INIT(name)     \
	{                        \
		&(name), &(name) \
	}
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

/* Puts `entry` between two neighbours. */
static inline void dmasim_list_insert(struct list_head *entry, struct list_head *before,
				      struct list_head *after)
{
	entry->prev = before;
	entry->next = after;
	before->next = entry;
	after->prev = entry;
}

static inline void dmasim_list_remove(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
}

/* After the head: the list is a stack. */
static inline void list_add(struct list_head *entry, struct list_head *head)
{
	dmasim_list_insert(entry, head, head->next);
}

/* Before the head: the list is a queue. */
static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
	dmasim_list_insert(entry, head->prev, head);
}

/* Its links lead nowhere afterwards, and using them faults. */
static inline void list_del(struct list_head *entry)
{
	dmasim_list_remove(entry);
	entry->next = (struct list_head *)0x100;
	entry->prev = (struct list_head *)0x122;
}

static inline void list_del_init(struct list_head *entry)
{
	dmasim_list_remove(entry);
	INIT_LIST_HEAD(entry);
}

static inline void list_move(struct list_head *entry, struct list_head *head)
{
	dmasim_list_remove(entry);
	list_add(entry, head);
}

static inline void list_move_tail(struct list_head *entry, struct list_head *head)
{
	dmasim_list_remove(entry);
	list_add_tail(entry, head);
}

static inline int list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline int list_is_last(const struct list_head *entry, const struct list_head *head)
{
	return entry->next == head;
}

static inline int list_is_first(const struct list_head *entry, const struct list_head *head)
{
	return entry->prev == head;
}

static inline int list_is_singular(const struct list_head *head)
{
	return !list_empty(head) && head->next == head->prev;
}

/* All of `list` comes to stand before what follows `before`; `list` itself is not changed. */
static inline void dmasim_list_join(const struct list_head *list, struct list_head *before)
{
	struct list_head *after = before->next;

	if (list_empty(list))
		return;
	list->next->prev = before;
	before->next = list->next;
	list->prev->next = after;
	after->prev = list->prev;
}

static inline void list_splice(const struct list_head *list, struct list_head *head)
{
	dmasim_list_join(list, head);
}

static inline void list_splice_tail(struct list_head *list, struct list_head *head)
{
	dmasim_list_join(list, head->prev);
}

static inline void list_splice_init(struct list_head *list, struct list_head *head)
{
	dmasim_list_join(list, head);
	INIT_LIST_HEAD(list);
}

static inline void list_splice_tail_init(struct list_head *list, struct list_head *head)
{
	dmasim_list_join(list, head->prev);
	INIT_LIST_HEAD(list);
}

#define list_entry(ptr, type, member)	     container_of(ptr, type, member)
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
#define list_last_entry(head, type, member)  list_entry((head)->prev, type, member)
#define list_first_entry_or_null(head, type, member) \
	(list_empty(head) ? NULL : list_first_entry(head, type, member))
#define list_next_entry(pos, member) list_entry((pos)->member.next, __typeof__(*(pos)), member)
#define list_prev_entry(pos, member) list_entry((pos)->member.prev, __typeof__(*(pos)), member)

/* The end of a walk: pos is not an entry but what surrounds the head. */
#define list_entry_is_head(pos, head, member) (&(pos)->member == (head))

#define list_for_each(pos, head) for ((pos) = (head)->next; (pos) != (head); (pos) = (pos)->next)
#define list_for_each_safe(pos, n, head)                               \
	for ((pos) = (head)->next, (n) = (pos)->next; (pos) != (head); \
	     (pos) = (n), (n) = (pos)->next)
#define list_for_each_entry(pos, head, member)                           \
	for ((pos) = list_first_entry(head, __typeof__(*(pos)), member); \
	     !list_entry_is_head(pos, head, member); (pos) = list_next_entry(pos, member))
#define list_for_each_entry_reverse(pos, head, member)                  \
	for ((pos) = list_last_entry(head, __typeof__(*(pos)), member); \
	     !list_entry_is_head(pos, head, member); (pos) = list_prev_entry(pos, member))
#define list_for_each_entry_safe(pos, n, head, member)                   \
	for ((pos) = list_first_entry(head, __typeof__(*(pos)), member), \
	    (n) = list_next_entry(pos, member);                          \
	     !list_entry_is_head(pos, head, member);                     \
	     (pos) = (n), (n) = list_next_entry(n, member))

/* ---- With a single head ----------------------------------------------- */

#define HLIST_HEAD_INIT \
	{               \
		NULL    \
	}
#define HLIST_HEAD(name) struct hlist_head name = HLIST_HEAD_INIT

static inline void INIT_HLIST_HEAD(struct hlist_head *head)
{
	head->first = NULL;
}

static inline void INIT_HLIST_NODE(struct hlist_node *node)
{
	node->next = NULL;
	node->pprev = NULL;
}

static inline int hlist_empty(const struct hlist_head *head)
{
	return !head->first;
}

static inline int hlist_unhashed(const struct hlist_node *node)
{
	return !node->pprev;
}

static inline void hlist_add_head(struct hlist_node *node, struct hlist_head *head)
{
	node->next = head->first;
	if (node->next)
		node->next->pprev = &node->next;
	head->first = node;
	node->pprev = &head->first;
}

static inline void hlist_del_init(struct hlist_node *node)
{
	if (hlist_unhashed(node))
		return;
	*node->pprev = node->next;
	if (node->next)
		node->next->pprev = node->pprev;
	INIT_HLIST_NODE(node);
}

static inline void hlist_del(struct hlist_node *node)
{
	hlist_del_init(node);
}

#define dmasim_hlist_entry_(ptr, pos, member) \
	((ptr) ? container_of(ptr, __typeof__(*(pos)), member) : NULL)
#define hlist_entry(ptr, type, member) container_of(ptr, type, member)
#define hlist_for_each_entry(pos, head, member)                            \
	for ((pos) = dmasim_hlist_entry_((head)->first, pos, member); pos; \
	     (pos) = dmasim_hlist_entry_((pos)->member.next, pos, member))

#endif
