/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_CPU_H
#define KERNEL_LINUX_CPU_H

#include <linux/cache.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/list.h>
#include <linux/percpu.h>

#endif
