/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_WORKQUEUE_H
#define KERNEL_LINUX_WORKQUEUE_H

#include <linux/container_of.h>
#include <linux/jiffies.h>
#include <linux/types.h>

#include "standin.h"

struct work_struct;

typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
	work_func_t func;
};

/* Runs when virtual time comes to it, on the platform's clock. */
struct delayed_work {
	struct work_struct work;
	struct dmasim_timer timer;
	struct standin *kernel;
};

void standin_init_work(struct delayed_work *work, work_func_t function);
bool schedule_delayed_work(struct delayed_work *work, unsigned long delay);
bool cancel_delayed_work_sync(struct delayed_work *work);

#define INIT_DELAYED_WORK(work, function)      standin_init_work(work, function)
#define system_wq			       NULL
#define system_percpu_wq		       NULL
#define system_unbound_wq		       NULL
#define system_dfl_wq			       NULL
#define queue_delayed_work(queue, work, delay) schedule_delayed_work(work, delay)

static inline struct delayed_work *to_delayed_work(struct work_struct *work)
{
	return container_of(work, struct delayed_work, work);
}

#endif
