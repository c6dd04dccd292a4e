/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_CPUHOTPLUG_H
#define KERNEL_LINUX_CPUHOTPLUG_H

#include <linux/types.h>

enum cpuhp_state {
	CPUHP_IOMMU_IOVA_DEAD,
};

/* No CPU ever goes. */
static inline int cpuhp_setup_state_multi(enum cpuhp_state state, const char *name,
					  int (*startup)(unsigned int cpu, struct hlist_node *node),
					  int (*teardown)(unsigned int cpu,
							  struct hlist_node *node))
{
	(void)state, (void)name, (void)startup, (void)teardown;
	return 0;
}

static inline void cpuhp_remove_multi_state(enum cpuhp_state state)
{
	(void)state;
}

static inline int cpuhp_state_add_instance_nocalls(enum cpuhp_state state, struct hlist_node *node)
{
	(void)state, (void)node;
	return 0;
}

static inline int cpuhp_state_remove_instance_nocalls(enum cpuhp_state state,
						      struct hlist_node *node)
{
	(void)state, (void)node;
	return 0;
}

#endif
