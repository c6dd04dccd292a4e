/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_CACHE_H
#define KERNEL_LINUX_CACHE_H

#include "standin.h"

#define L1_CACHE_BYTES	  STANDIN_LINE
#define SMP_CACHE_BYTES	  STANDIN_LINE
#define cache_line_size() STANDIN_LINE

#endif
