/* SPDX-License-Identifier: MIT */
/*
 * Hardware that is not there, of which somebody tells: a trace. Who asks where functions and memory
 * are, and where requests go, hears what was told.
 */
#ifndef HW_TOLD_H
#define HW_TOLD_H

#include <dmasim/types.h>

struct hw_function;
struct hw_request;
struct hw_target;

struct hw_told {
	/* hw_function_find(), hw_phys_target() and hw_route() of a dry run; a BAR's bus address. */
	struct hw_function *(*find)(const struct hw_told *told, dmasim_sbdf dev);
	struct hw_target (*at)(const struct hw_told *told, phys_addr_t phys);
	struct hw_target (*route)(const struct hw_told *told, const struct hw_request *request);
	struct hw_target (*bus)(const struct hw_told *told, u64 address);
};

#endif
