/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_STRINGIFY_H
#define KERNEL_LINUX_STRINGIFY_H

#define stringify_(...)	 #__VA_ARGS__
#define __stringify(...) stringify_(__VA_ARGS__)

#endif
