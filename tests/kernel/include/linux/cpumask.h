/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_CPUMASK_H
#define KERNEL_LINUX_CPUMASK_H

#include <linux/smp.h>

/* All CPUs are there, all the time. */
#define num_online_cpus()   (standin_now->cpus)
#define num_possible_cpus() (standin_now->cpus)
#define nr_cpu_ids	    (standin_now->cpus)
#define cpu_online(cpu)	    ((cpu) < standin_now->cpus)

#define for_each_possible_cpu(cpu) for ((cpu) = 0; (cpu) < standin_now->cpus; (cpu)++)
#define for_each_online_cpu(cpu)   for_each_possible_cpu(cpu)

#endif
