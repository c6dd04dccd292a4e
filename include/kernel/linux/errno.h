/* SPDX-License-Identifier: MIT */
/* Error numbers, with those that stay inside a kernel. */
#if __has_include_next(<linux/errno.h>)
#include_next <linux/errno.h>
#endif
#ifndef DMASIM_KERNEL_ERRNO_H
#define DMASIM_KERNEL_ERRNO_H

#include <errno.h>

#ifndef EPROBE_DEFER
#define EPROBE_DEFER 517
#endif
#ifndef ENOTSUPP
#define ENOTSUPP 524
#endif

#endif
