/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_KMEMLEAK_H
#define KERNEL_LINUX_KMEMLEAK_H

#define kmemleak_transient_leak(pointer) ((void)(pointer))
#define kmemleak_not_leak(pointer)	 ((void)(pointer))
#define kmemleak_ignore(pointer)	 ((void)(pointer))

#endif
