/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_BUG_H
#define KERNEL_LINUX_BUG_H

#include <linux/compiler.h>

#include "standin.h"

#define BUG()		  standin_bug("reached", __FILE__, __LINE__)
#define BUG_ON(condition) ((condition) ? standin_bug(#condition, __FILE__, __LINE__) : (void)0)

#define WARN_ON(condition)                   \
	({                                   \
		bool warn_on_ = (condition); \
                                             \
		if (unlikely(warn_on_))      \
			standin_warn();      \
		warn_on_;                    \
	})
#define WARN_ON_ONCE(condition)	  WARN_ON(condition)
#define WARN(condition, ...)	  WARN_ON(condition)
#define WARN_ONCE(condition, ...) WARN_ON(condition)

#define BUILD_BUG()		BUG()
#define BUILD_BUG_ON(condition) _Static_assert(!(condition), #condition)

#endif
