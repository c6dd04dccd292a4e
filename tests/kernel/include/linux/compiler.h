/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_COMPILER_H
#define KERNEL_LINUX_COMPILER_H

#define __percpu
#define __rcu
#define __user
#define __init
#define __exit
#define __read_mostly
#define __force
#define __must_check		     __attribute__((warn_unused_result))
#define __maybe_unused		     __attribute__((unused))
#define __aligned(bytes)	     __attribute__((aligned(bytes)))
#define ____cacheline_aligned_in_smp __aligned(64)
#define noinline		     __attribute__((noinline))
#define fallthrough		     __attribute__((fallthrough))
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define barrier()   __asm__ __volatile__("" : : : "memory")

#define READ_ONCE(x)	     (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) ((void)(*(volatile __typeof__(x) *)&(x) = (value)))
#define data_race(x)	     (x)

#endif
