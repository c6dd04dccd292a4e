/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_CLEANUP_H
#define KERNEL_LINUX_CLEANUP_H

#endif
