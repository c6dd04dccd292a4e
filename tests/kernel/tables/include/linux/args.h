/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_ARGS_H
#define KERNEL_LINUX_ARGS_H

#define CONCATENATE_(a, b) a##b
#define CONCATENATE(a, b)  CONCATENATE_(a, b)

#endif
