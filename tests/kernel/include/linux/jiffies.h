/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_JIFFIES_H
#define KERNEL_LINUX_JIFFIES_H

/* A jiffy is a millisecond of virtual time. */
#define HZ		     1000
#define STANDIN_NS_PER_JIFFY 1000000ULL

#define msecs_to_jiffies(ms) ((unsigned long)(ms))

#endif
